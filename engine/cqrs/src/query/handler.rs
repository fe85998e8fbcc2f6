//! What answers questions.

use super::{Figures, Question, ReadView};
use gesta_model::Position;
use std::error::Error;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};
use thiserror::Error;

/// Answers questions from the rows of one projection.
#[derive(Debug)]
pub struct QueryHandler<V> {
    view: V,
    projection: String,
    figures: Arc<Figures>,
}

/// An answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answered<A> {
    /// The answer.
    pub answer: A,
    /// Every event below it is part of the answer.
    pub position: Position,
}

/// Why a question has no answer.
#[derive(Debug, Error)]
pub enum AskError<E: Error + 'static> {
    /// The read model fails.
    #[error(transparent)]
    Model(E),
    /// The question cannot be answered from these rows.
    #[error("{question}: {error}")]
    Question {
        /// The question's name.
        question: String,
        /// What it said.
        error: Box<dyn Error + Send + Sync>,
    },
    /// The rows have not come as far as they were to be.
    #[error("the rows of {projection} stand at position {position} after {waited:?}, which is before {wanted}")]
    NotYet {
        /// The projection.
        projection: String,
        /// Where it stands.
        position: Position,
        /// Where it was to be.
        wanted: Position,
        /// How long it was waited for.
        waited: Duration,
    },
}

/// How soon rows are looked at again that have not come far enough.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(1);

impl<V: ReadView> QueryHandler<V> {
    /// A handler over the rows of a projection, in whichever version serves.
    pub fn new(view: V, projection: &str) -> Self {
        Self { view, projection: projection.to_owned(), figures: Arc::default() }
    }

    /// Counts how long answers take there: t_q.
    #[must_use]
    pub fn figures(mut self, figures: Arc<Figures>) -> Self {
        self.figures = figures;
        self
    }

    /// Answers a question from the rows as they are.
    pub fn ask<Q: Question<V::Rows>>(&self, question: &Q) -> Result<Answered<Q::Answer>, AskError<V::Error>> {
        let began = Instant::now();
        let (answer, position) =
            self.view.look(&self.projection, |rows| question.answer(rows)).map_err(AskError::Model)?;
        self.figures.query(question.name(), began.elapsed());
        match answer {
            Ok(answer) => Ok(Answered { answer, position }),
            Err(error) => Err(AskError::Question { question: question.name().to_owned(), error }),
        }
    }

    /// Answers a question once everything below a position is part of the answer: what a command has just led to, say.
    ///
    /// It sees how far the rows have come in the read model itself, so whoever folds them may be another process. Where the
    /// events in between are none of the projection's, that may be written there a second later.
    pub fn ask_at<Q: Question<V::Rows>>(
        &self,
        question: &Q,
        wanted: Position,
        timeout: Duration,
    ) -> Result<Answered<Q::Answer>, AskError<V::Error>> {
        let began = Instant::now();
        loop {
            let position = self.view.position(&self.projection).map_err(AskError::Model)?;
            if position >= wanted {
                return self.ask(question);
            }
            if began.elapsed() >= timeout {
                let projection = self.projection.clone();
                return Err(AskError::NotYet { projection, position, wanted, waited: timeout });
            }
            thread::sleep(LOOK_AGAIN_AFTER);
        }
    }
}

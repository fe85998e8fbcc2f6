//! Questions with one answer, asked again when the connection breaks.

use crate::core::Core;
use crate::wire::{Backoff, Delivery, Fault, Question};
use gesta_model::{Damage, ReadError, RemoteError};
use gesta_protocol::{Answer, Frame, Plane, Request};
use std::time::Instant;
use tokio::time::timeout;

/// Why a question has no answer.
pub(crate) enum AskError {
    Fault(Fault),
    Damaged(Damage),
    /// What is left to say is said already.
    Final(RemoteError),
}

/// What an asker makes of a frame.
pub(crate) enum Heard<T> {
    /// The answer is complete.
    All(T),
    /// More of it comes.
    More,
    /// This is not an answer to the question.
    Nonsense,
}

/// A question, and how its answer is to be had.
pub(crate) struct Ask<'a> {
    pub(crate) plane: Plane,
    pub(crate) request: Request<'a>,
    /// Asking twice does no harm.
    pub(crate) is_repeatable: bool,
    /// The answer may take as long as the store is large.
    pub(crate) is_long: bool,
}

impl<'a> Ask<'a> {
    /// A question of the read plane that is answered at once.
    pub(crate) fn short(request: Request<'a>) -> Self {
        Self { plane: Plane::Read, request, is_repeatable: true, is_long: false }
    }

    /// A question whose answer takes long, with word of how far it has come.
    pub(crate) fn long(plane: Plane, request: Request<'a>) -> Self {
        Self { plane, request, is_repeatable: true, is_long: true }
    }
}

impl Core {
    /// Asks until there is an answer. `hear` is told of each frame, and by `None` that the answer begins anew.
    pub(crate) async fn ask<T>(
        &self,
        ask: Ask<'_>,
        hear: impl FnMut(Option<Answer<'_>>) -> Heard<T>,
    ) -> Result<T, AskError> {
        let (plane, is_long) = (ask.plane, ask.is_long);
        match self.target.options.request_timeout {
            Some(patience) if !is_long => match timeout(patience, self.ask_on(ask, hear)).await {
                Ok(answer) => answer,
                Err(_) => Err(AskError::Final(self.timed_out(plane))),
            },
            _ => self.ask_on(ask, hear).await,
        }
    }

    async fn ask_on<T>(
        &self,
        ask: Ask<'_>,
        mut hear: impl FnMut(Option<Answer<'_>>) -> Heard<T>,
    ) -> Result<T, AskError> {
        let mut question = Question::new(&ask.request);
        let mut backoff = Backoff::default();
        loop {
            hear(None);
            let fault = match self.ask_once(&ask, question.clone(), &mut hear).await {
                // When no connection can be made, it was tried for long enough already.
                Err(AskError::Fault(fault @ Fault::Broken(_))) => fault,
                done => return done,
            };
            let is_first_try = question.tried_since.is_none();
            let since = *question.tried_since.get_or_insert_with(Instant::now);
            if since.elapsed() >= self.target.options.retry_for {
                return Err(AskError::Fault(fault));
            }
            if !is_first_try {
                tokio::time::sleep(backoff.next_wait()).await;
            }
        }
    }

    async fn ask_once<T>(
        &self,
        ask: &Ask<'_>,
        question: Question,
        hear: &mut impl FnMut(Option<Answer<'_>>) -> Heard<T>,
    ) -> Result<T, AskError> {
        let mut feed = match ask.plane {
            Plane::Append => self.appends.call(question),
            Plane::Read => self.reads.call(question),
        };
        loop {
            feed.ready().await;
            let (kind, body) = match feed.try_next() {
                Some(Delivery::Frame { kind, body }) => (kind, body),
                // It was sent, and what became of it is not known.
                Some(Delivery::End(fault @ Fault::Broken(_))) if !ask.is_repeatable => {
                    return Err(AskError::Final(fault.to_remote_error(&self.target.address, ask.plane)));
                }
                Some(Delivery::End(fault)) => return Err(AskError::Fault(fault)),
                None => continue,
            };
            let nonsense = |what: String| Err(AskError::Fault(Fault::Garbage(what)));
            let answer = match Answer::decode(&Frame { kind, id: 0, body: &body }) {
                Ok(answer) => answer,
                Err(error) => return nonsense(error.to_string()),
            };
            let kind = answer.kind();
            match answer {
                Answer::Refused(refusal) => return Err(AskError::Fault(Fault::of(refusal))),
                Answer::Damaged(damage) => return Err(AskError::Damaged(damage)),
                answer => match hear(Some(answer)) {
                    Heard::All(answer) => return Ok(answer),
                    Heard::More => {}
                    Heard::Nonsense => return nonsense(format!("{kind:?} in answer to {:?}", ask.request.kind())),
                },
            }
        }
    }

    /// What it means to whoever reads that a question has no answer.
    pub(crate) fn read_error(&self, error: AskError) -> ReadError {
        match error {
            AskError::Fault(fault) => fault.to_read_error(&self.target.address, Plane::Read),
            AskError::Damaged(damage) => ReadError::Damaged(damage),
            AskError::Final(error) => ReadError::Remote(error),
        }
    }

    /// What it means to an operator that a question of a plane has no answer.
    pub(crate) fn remote_error(&self, error: AskError, plane: Plane) -> RemoteError {
        match error {
            AskError::Fault(fault) => fault.to_remote_error(&self.target.address, plane),
            AskError::Damaged(damage) => {
                let code = gesta_protocol::Code::Unreadable as u16;
                RemoteError::Refused { code, message: damage.to_string() }
            }
            AskError::Final(error) => error,
        }
    }
}

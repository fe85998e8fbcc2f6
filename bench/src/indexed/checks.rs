//! Pure checks: nothing is appended, so each of them costs what judging it costs and no more.

use super::history::History;
use super::subject::Subject;
use crate::outcome::Outcome;
use crate::sample::{Latency, Sample};
use crate::workload::Workload;
use gesta::{AppendRequest, Durability, ExpectedRevision, Position, Query, QueryItem, Revision, StreamName, Tag};
use std::hint::black_box;
use std::time::Instant;

/// What is asked.
#[derive(Clone, Debug)]
pub(super) enum Question {
    /// That a stream has no events.
    NoStream(StreamName),
    /// That a stream stands at a revision.
    At(StreamName, Revision),
    /// That no event of the whole history has a tag.
    NoTag(Tag),
    /// That no event of the whole history has both tags.
    NotBoth([Tag; 2]),
}

impl Question {
    fn request(self) -> AppendRequest {
        let request = AppendRequest::new().durability(Durability::Buffered);
        let tagged = |tags: Vec<Tag>| Query::from(QueryItem { tags, ..QueryItem::new() });
        match self {
            Self::NoStream(stream) => request.expect(stream, ExpectedRevision::NoStream),
            Self::At(stream, revision) => request.expect(stream, ExpectedRevision::Exactly(revision)),
            Self::NoTag(tag) => request.unless(tagged(vec![tag]), Position::START),
            Self::NotBoth(tags) => request.unless(tagged(tags.to_vec()), Position::START),
        }
    }
}

/// Checks that all hold, one after another.
pub(super) struct Checks<'s> {
    subject: &'s Subject,
    question: fn(&Subject) -> Outcome<Question>,
    count_max: u64,
}

impl<'s> Checks<'s> {
    /// Checks of one kind.
    pub(super) fn new(subject: &'s Subject, question: fn(&Subject) -> Outcome<Question>) -> Self {
        Self { subject, question, count_max: 5_000 }
    }

    /// Checks that the old streams stand where they do. A round asks for so few that three rounds of both sides together
    /// ask for none twice: the store remembers what it was asked.
    pub(super) fn of_cold_streams(subject: &'s Subject) -> Self {
        let question = |subject: &Subject| {
            Ok(Question::At(subject.history.account(subject.fresh_number()).clone(), Revision::FIRST))
        };
        Self { subject, question, count_max: History::ACCOUNT_COUNT / 6 }
    }

    /// Has `ask` ask one question after another, for a quarter of a round's time at most.
    fn run(&self, mut ask: impl FnMut(Question, &mut Latency) -> Outcome<()>) -> Outcome<Sample> {
        let mut latency = Latency::default();
        let start = Instant::now();
        while latency.count() < self.count_max && start.elapsed() < self.subject.settings.round / 4 {
            ask((self.question)(self.subject)?, &mut latency)?;
        }
        let (event_count, elapsed) = (latency.count(), latency.sum());
        Ok(Sample { event_count, elapsed, latency })
    }
}

impl Workload for Checks<'_> {
    fn yardstick(&mut self) -> Outcome<Sample> {
        let postings = self.subject.postings();
        self.run(|question, latency| {
            let start = Instant::now();
            let holds = match black_box(&question) {
                Question::NoStream(stream) => postings.revision(stream.as_str()).is_none(),
                Question::At(stream, revision) => postings.revision(stream.as_str()) == Some(revision.0),
                Question::NoTag(tag) => !postings.has_tag(tag.as_str()),
                Question::NotBoth([first, second]) => !postings.has_both(first.as_str(), second.as_str()),
            };
            latency.add_unsynced(start.elapsed());
            assert!(holds, "{question:?}");
            Ok(())
        })
    }

    fn gesta(&mut self) -> Outcome<Sample> {
        self.run(|question, latency| {
            let request = question.request();
            let start = Instant::now();
            let receipt = self.subject.store.append(request)?;
            latency.add_unsynced(start.elapsed());
            assert!(receipt.positions.is_empty(), "a pure check appends nothing");
            Ok(())
        })
    }
}

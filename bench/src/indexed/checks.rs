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
    /// That a stream stands at its first event.
    First(StreamName),
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
            Self::First(stream) => request.expect(stream, ExpectedRevision::Exactly(Revision::FIRST)),
            Self::NoTag(tag) => request.unless(tagged(vec![tag]), Position::START),
            Self::NotBoth(tags) => request.unless(tagged(tags.to_vec()), Position::START),
        }
    }
}

/// Checks that all hold, one after another; no stream is asked for twice.
pub(super) struct Checks<'s> {
    subject: &'s Subject,
    question: fn(&Subject) -> Outcome<Question>,
}

impl<'s> Checks<'s> {
    /// How many questions a round asks: three rounds of both sides together ask for no cold stream twice.
    const COUNT: u64 = History::ACCOUNT_COUNT / 6;

    /// Checks of one kind.
    pub(super) fn new(subject: &'s Subject, question: fn(&Subject) -> Outcome<Question>) -> Self {
        Self { subject, question }
    }

    fn questions(&self) -> Outcome<Vec<Question>> {
        (0..Self::COUNT).map(|_| (self.question)(self.subject)).collect()
    }
}

impl Workload for Checks<'_> {
    fn yardstick(&mut self) -> Outcome<Sample> {
        let postings = self.subject.postings();
        let mut latency = Latency::default();
        let questions = self.questions()?;
        let begin = Instant::now();
        for question in &questions {
            let start = Instant::now();
            let holds = match black_box(question) {
                Question::NoStream(stream) => postings.revision(stream.as_str()).is_none(),
                Question::First(stream) => postings.revision(stream.as_str()) == Some(0),
                Question::NoTag(tag) => !postings.has_tag(tag.as_str()),
                Question::NotBoth([first, second]) => !postings.has_both(first.as_str(), second.as_str()),
            };
            latency.add_unsynced(start.elapsed());
            assert!(holds, "{question:?}");
        }
        Ok(Sample { event_count: Self::COUNT, elapsed: begin.elapsed(), latency })
    }

    fn gesta(&mut self) -> Outcome<Sample> {
        let store = &self.subject.store;
        let mut latency = Latency::default();
        let requests: Vec<AppendRequest> = self.questions()?.into_iter().map(Question::request).collect();
        let begin = Instant::now();
        for request in requests {
            let start = Instant::now();
            let receipt = store.append(request)?;
            latency.add_unsynced(start.elapsed());
            assert!(receipt.positions.is_empty(), "a pure check appends nothing");
        }
        Ok(Sample { event_count: Self::COUNT, elapsed: begin.elapsed(), latency })
    }
}

//! What a caller believes of the log: often true, sometimes overtaken by others, sometimes undone by a kill.

use super::dice::Dice;
use gesta::{
    AppendError, Check, ExpectedRevision, FailedCheck, Position, Query, QueryItem, Receipt, Revision, StreamName, Tag,
};

/// Streams that everybody writes to.
const STREAMS: u64 = 40;
/// Tags that everybody decides by.
const TAGS: u64 = 12;

/// What a caller believes.
pub(super) struct Beliefs {
    /// How many events each stream has.
    counts: Vec<u64>,
    /// Up to where each tag is known.
    known: Vec<Position>,
    /// The last head that was heard of.
    pub(super) head: Position,
}

impl Beliefs {
    pub(super) fn new() -> Self {
        Self { counts: vec![0; index(STREAMS)], known: vec![Position::START; index(TAGS)], head: Position::START }
    }

    /// One or two checks by a caller, who has streams and tags that are dearer to it than others; `moment` says which stream
    /// is so new that everybody wants to be its first.
    pub(super) fn checks(&self, caller: u64, moment: u64, dice: &mut Dice) -> Vec<Check> {
        match dice.roll(10) {
            0..=2 => vec![self.stream_check(caller, dice)],
            3 => {
                let stream = StreamName::new(format!("fresh-{moment}")).unwrap();
                vec![Check::Stream { stream, expected: ExpectedRevision::NoStream }]
            }
            4..=5 => vec![self.tag_check(caller, dice)],
            6 => vec![self.tag_check(caller, dice), self.stream_check(caller, dice)],
            // Made twice, it would be accepted twice.
            _ => vec![Check::Stream { stream: any_stream(dice), expected: ExpectedRevision::StreamExists }],
        }
    }

    fn stream_check(&self, caller: u64, dice: &mut Dice) -> Check {
        let number = if dice.one_in(3) { dice.roll(STREAMS) } else { caller * 4 + dice.roll(4) };
        let expected = match self.counts[index(number)] {
            0 => ExpectedRevision::NoStream,
            count => ExpectedRevision::Exactly(Revision((count - 1).saturating_sub(u64::from(dice.one_in(50))))),
        };
        Check::Stream { stream: stream(number), expected }
    }

    fn tag_check(&self, caller: u64, dice: &mut Dice) -> Check {
        let number = if dice.one_in(3) { dice.roll(TAGS) } else { caller };
        Check::NoEvents { query: tag_query(number), after: self.known[index(number)] }
    }

    /// Remembers what an answer tells. The last word counts, not the highest: a kill may have taken what was buffered.
    pub(super) fn learn(&mut self, outcome: &Result<Receipt, AppendError>) {
        match outcome {
            Ok(receipt) => {
                self.head = receipt.head;
                for (stream, revision) in &receipt.revisions {
                    self.learn_count(stream, revision.0 + 1);
                }
            }
            Err(AppendError::Conflict(conflict)) => {
                self.head = conflict.head;
                for failed in &conflict.failed {
                    match failed {
                        FailedCheck::Stream { stream, actual, .. } => {
                            self.learn_count(stream, actual.map_or(0, |revision| revision.0 + 1));
                        }
                        FailedCheck::Query { query, .. } => self.learn_tag(query, conflict.head),
                        failed => panic!("{failed}"),
                    }
                }
            }
            Err(_) => {}
        }
    }

    /// A query of a tag was read up to a head.
    pub(super) fn learn_tag(&mut self, query: &Query, head: Position) {
        self.known[index(number_in(query.items()[0].tags[0].as_str()).unwrap())] = head;
    }

    fn learn_count(&mut self, stream: &StreamName, count: u64) {
        if let Some(number) = stream.as_str().strip_prefix("shared-") {
            self.counts[index(number.parse().unwrap())] = count;
        }
    }
}

pub(super) fn any_stream(dice: &mut Dice) -> StreamName {
    stream(dice.roll(STREAMS))
}

pub(super) fn any_tag(dice: &mut Dice) -> Tag {
    tag(dice.roll(TAGS))
}

pub(super) fn any_tag_query(dice: &mut Dice) -> Query {
    tag_query(dice.roll(TAGS))
}

/// The events with a tag.
pub(super) fn tag_query(number: u64) -> Query {
    Query::from(QueryItem::new().tag(tag(number)))
}

fn stream(number: u64) -> StreamName {
    StreamName::new(format!("shared-{number}")).unwrap()
}

fn tag(number: u64) -> Tag {
    Tag::new(format!("seat:{number}")).unwrap()
}

fn number_in(tag: &str) -> Option<u64> {
    tag.strip_prefix("seat:")?.parse().ok()
}

fn index(number: u64) -> usize {
    usize::try_from(number).unwrap()
}

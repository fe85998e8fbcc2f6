//! Why an append was not made: its conditions did not hold.

use crate::{ExpectedRevision, Position, Query, Revision, StoredEvent, StreamName};
use std::fmt;

/// One check that did not hold, and what was found instead.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FailedCheck {
    /// The stream stands elsewhere.
    Stream {
        /// The stream that was asked about.
        stream: StreamName,
        /// What was expected of it.
        expected: ExpectedRevision,
        /// Its last revision; `None` when it has no events.
        actual: Option<Revision>,
    },
    /// There is an event that there was not to be.
    Query {
        /// The query that was to match nothing.
        query: Query,
        /// The first position it was asked of.
        after: Position,
        /// The position of an event that matches: the last one, as far as is known.
        found: Position,
    },
}

/// Every check of a request that failed, and where the log stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// All failed checks, in the order asked.
    pub failed: Vec<FailedCheck>,
    /// The head that the checks were judged against.
    pub head: Position,
    /// The events that the caller did not know of, from the first one on, without a gap. They may be fewer than there are:
    /// as many as it asked to be told, some mebibytes, or those before one that is damaged.
    pub missed: Vec<StoredEvent>,
}

/// How much of a query is repeated in a message.
const QUERY_CHARACTERS_SHOWN: usize = 200;

impl fmt::Display for FailedCheck {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stream { stream, expected, actual } => {
                write!(formatter, "stream {:?}: expected {expected}, ", stream.as_str())?;
                match actual {
                    Some(revision) => write!(formatter, "but its last revision is {revision}"),
                    None => formatter.write_str("but it has no events"),
                }
            }
            Self::Query { query, after, found } => {
                let text = query.to_string();
                let end = text.char_indices().nth(QUERY_CHARACTERS_SHOWN).map(|(end, _)| end);
                let (shown, rest) = end.map_or((&*text, ""), |end| (&text[..end], "..."));
                write!(formatter, "query {shown}{rest}: expected no event from position {after} on, ")?;
                write!(formatter, "but the event at position {found} matches")
            }
        }
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (ordinal, failed) in self.failed.iter().enumerate() {
            let separator = if ordinal == 0 { "" } else { "; " };
            write!(formatter, "{separator}{failed}")?;
        }
        write!(formatter, " (head {}): read again, decide again, append again", self.head)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EventType, QueryItem};

    #[test]
    fn a_conflict_says_all_on_one_line() {
        let item = QueryItem::new().event_type(EventType::new("Order\nplaced").unwrap());
        let stream = StreamName::new("order-\n17").unwrap();
        let failed = vec![
            FailedCheck::Stream {
                stream: stream.clone(),
                expected: ExpectedRevision::NoStream,
                actual: Some(Revision(4)),
            },
            FailedCheck::Stream { stream, expected: ExpectedRevision::Exactly(Revision(2)), actual: None },
            FailedCheck::Query { query: Query::from(item), after: Position(5), found: Position(7) },
        ];
        let conflict = Conflict { failed, head: Position(9), missed: Vec::new() };
        let said = r#"stream "order-\n17": expected no stream, but its last revision is 4; stream "order-\n17": expected revision 2, but it has no events; query type="Order\nplaced": expected no event from position 5 on, but the event at position 7 matches (head 9): read again, decide again, append again"#;
        assert_eq!(conflict.to_string(), said);
    }

    #[test]
    fn a_long_query_is_cut_in_the_message() {
        let types = (0..1000).map(|number| EventType::new(format!("é{number}")).unwrap());
        let query = Query::from(QueryItem { types: types.collect(), ..QueryItem::new() });
        let said = FailedCheck::Query { query, after: Position(0), found: Position(0) }.to_string();
        assert!(said.contains("...: expected no event") && said.chars().count() < 400, "{said}");
    }
}

//! A call as a line of JSON, so that the calls of several processes can be put together.
//!
//! ```text
//!  {"append":{"called":1,"returned":9,"ids":["..."],"checks":[{"stream":"a-1","expected":4},
//!    {"unless":"tag=x:1","after":7}],"answer":{"acknowledged":{"first":7,"end":8,"durability":"durable"}}}}
//!  {"read":{"called":2,"returned":3,"of":{"query":"tag=x:1"},"from":0,"head":7,"sees_unsynced":false,"shown":["..."]}}
//! ```

use super::{Answer, AppendCall, Call, ReadCall};
use gesta_model::{Check, Durability, ExpectedRevision, Position, Read, Revision, Selection, StreamName, Uuid};
use serde::{Deserialize, Serialize};
use std::error::Error;
use std::fmt;

/// Why lines are not a history.
#[derive(Debug)]
pub enum LineError {
    /// They cannot be read.
    Io(std::io::Error),
    /// One of them is not a call.
    Malformed {
        /// Which line, from 1.
        number: u64,
        /// What is wrong with it.
        error: Box<dyn Error + Send + Sync>,
    },
}

impl fmt::Display for LineError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(formatter, "the history cannot be read: {error}"),
            Self::Malformed { number, error } => write!(formatter, "line {number} of the history is no call: {error}"),
        }
    }
}

impl Error for LineError {}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Line {
    Append { called: u64, returned: u64, ids: Vec<String>, checks: Vec<CheckLine>, answer: AnswerLine },
    Read { called: u64, returned: u64, of: OfLine, from: u64, head: u64, sees_unsynced: bool, shown: Vec<String> },
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum CheckLine {
    Stream { stream: String, expected: ExpectedLine },
    NoEvents { unless: String, after: u64 },
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum ExpectedLine {
    Exactly(u64),
    Other(OtherLine),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum OtherLine {
    Any,
    NoStream,
    StreamExists,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum AnswerLine {
    Acknowledged { first: u64, end: u64, durability: DurabilityLine },
    Conflict { head: u64, durability: DurabilityLine },
    Refused,
    Unknown,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum DurabilityLine {
    Buffered,
    Written,
    Durable,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum OfLine {
    Everything,
    Stream(String),
    Query(String),
}

impl Call {
    /// The call as a line, its end included.
    #[must_use]
    pub fn to_line(&self) -> String {
        let line = match self.clone() {
            Self::Append(AppendCall { called, returned, ids, checks, answer }) => Line::Append {
                called,
                returned,
                ids: to_texts(&ids),
                checks: checks.iter().map(CheckLine::of).collect(),
                answer: AnswerLine::of(&answer),
            },
            Self::Read(ReadCall { called, returned, selection, from, head, sees_unsynced, shown }) => Line::Read {
                called,
                returned,
                of: match selection {
                    Selection::Everything => OfLine::Everything,
                    Selection::Stream(stream) => OfLine::Stream(stream.to_string()),
                    Selection::Query(query) => OfLine::Query(query.to_string()),
                },
                from: from.0,
                head: head.0,
                sees_unsynced,
                shown: to_texts(&shown),
            },
        };
        let mut text = serde_json::to_string(&line).expect("a line has no keys but text");
        text.push('\n');
        text
    }

    /// The call that a line says.
    pub fn from_line(line: &str) -> Result<Self, Box<dyn Error + Send + Sync>> {
        Ok(match serde_json::from_str(line)? {
            Line::Append { called, returned, ids, checks, answer } => {
                let checks = checks.into_iter().map(CheckLine::check).collect::<Result<_, _>>()?;
                Self::Append(AppendCall { called, returned, ids: from_texts(&ids)?, checks, answer: answer.answer() })
            }
            Line::Read { called, returned, of, from, head, sees_unsynced, shown } => {
                let selection = match of {
                    OfLine::Everything => Selection::Everything,
                    OfLine::Stream(name) => Selection::Stream(StreamName::new(name)?),
                    OfLine::Query(text) => Read::query(text.parse()?).selection,
                };
                let (from, head, shown) = (Position(from), Position(head), from_texts(&shown)?);
                Self::Read(ReadCall { called, returned, selection, from, head, sees_unsynced, shown })
            }
        })
    }
}

impl CheckLine {
    fn of(check: &Check) -> Self {
        match check {
            Check::Stream { stream, expected } => {
                let expected = match expected {
                    ExpectedRevision::Any => ExpectedLine::Other(OtherLine::Any),
                    ExpectedRevision::NoStream => ExpectedLine::Other(OtherLine::NoStream),
                    ExpectedRevision::StreamExists => ExpectedLine::Other(OtherLine::StreamExists),
                    ExpectedRevision::Exactly(revision) => ExpectedLine::Exactly(revision.0),
                };
                Self::Stream { stream: stream.to_string(), expected }
            }
            Check::NoEvents { query, after } => Self::NoEvents { unless: query.to_string(), after: after.0 },
            check => unreachable!("a check that has no line: {check:?}"),
        }
    }

    fn check(self) -> Result<Check, Box<dyn Error + Send + Sync>> {
        Ok(match self {
            Self::Stream { stream, expected } => {
                let expected = match expected {
                    ExpectedLine::Other(OtherLine::Any) => ExpectedRevision::Any,
                    ExpectedLine::Other(OtherLine::NoStream) => ExpectedRevision::NoStream,
                    ExpectedLine::Other(OtherLine::StreamExists) => ExpectedRevision::StreamExists,
                    ExpectedLine::Exactly(revision) => ExpectedRevision::Exactly(Revision(revision)),
                };
                Check::Stream { stream: StreamName::new(stream)?, expected }
            }
            Self::NoEvents { unless, after } => Check::NoEvents { query: unless.parse()?, after: Position(after) },
        })
    }
}

impl AnswerLine {
    fn of(answer: &Answer) -> Self {
        let line = |durability: &Durability| match durability {
            Durability::Buffered => DurabilityLine::Buffered,
            Durability::Written => DurabilityLine::Written,
            Durability::Durable => DurabilityLine::Durable,
        };
        match answer {
            Answer::Acknowledged { positions, durability } => {
                Self::Acknowledged { first: positions.start.0, end: positions.end.0, durability: line(durability) }
            }
            Answer::Conflict { head, durability } => Self::Conflict { head: head.0, durability: line(durability) },
            Answer::Refused => Self::Refused,
            Answer::Unknown => Self::Unknown,
        }
    }

    fn answer(self) -> Answer {
        let durability = |line| match line {
            DurabilityLine::Buffered => Durability::Buffered,
            DurabilityLine::Written => Durability::Written,
            DurabilityLine::Durable => Durability::Durable,
        };
        match self {
            Self::Acknowledged { first, end, durability: line } => {
                Answer::Acknowledged { positions: Position(first)..Position(end), durability: durability(line) }
            }
            Self::Conflict { head, durability: line } => {
                Answer::Conflict { head: Position(head), durability: durability(line) }
            }
            Self::Refused => Answer::Refused,
            Self::Unknown => Answer::Unknown,
        }
    }
}

fn to_texts(ids: &[Uuid]) -> Vec<String> {
    ids.iter().map(Uuid::to_string).collect()
}

fn from_texts(texts: &[String]) -> Result<Vec<Uuid>, Box<dyn Error + Send + Sync>> {
    texts.iter().map(|text| Ok(text.parse()?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::History;
    use crate::support::{id, query, stream};

    fn history() -> History {
        let checks = [
            ExpectedRevision::Any,
            ExpectedRevision::NoStream,
            ExpectedRevision::StreamExists,
            ExpectedRevision::Exactly(Revision(u64::MAX)),
        ];
        let checks = checks.map(|expected| Check::Stream { stream: stream("line\nbreak \"and\" \u{202e}"), expected });
        let after = Position(u64::MAX);
        let unless = Check::NoEvents { query: query("type=\"A, b\" tag=x:1 | stream=\"\\n\""), after };
        let answers = [
            Answer::Acknowledged { positions: Position(3)..Position(5), durability: Durability::Buffered },
            Answer::Conflict { head: Position(1 << 60), durability: Durability::Written },
            Answer::Acknowledged { positions: Position(0)..Position(0), durability: Durability::Durable },
            Answer::Refused,
            Answer::Unknown,
        ];
        let (called, returned, ids) = (1, u64::MAX, vec![id(1), Uuid::max()]);
        let checks: Vec<Check> = checks.into_iter().chain([unless]).collect();
        let mut history = History::new();
        for answer in answers {
            let (ids, checks) = (ids.clone(), checks.clone());
            history.push(Call::Append(AppendCall { called, returned, ids, checks, answer }));
        }
        for selection in
            [Selection::Everything, Selection::Stream(stream("a,b")), Selection::Query(query("category=a | type=b,c"))]
        {
            let (from, head, sees_unsynced, shown) = (Position(1), Position(9), true, ids.clone());
            history.push(Call::Read(ReadCall { called, returned, selection, from, head, sees_unsynced, shown }));
        }
        history
    }

    #[test]
    fn a_history_comes_back_from_its_lines() {
        let mut lines = Vec::new();
        history().write_to(&mut lines).unwrap();
        assert_eq!(lines.iter().filter(|byte| **byte == b'\n').count(), history().calls().len());
        let mut again = History::new();
        again.read_from(lines.as_slice()).unwrap();
        assert_eq!(again, history());
        // The calls of another process are added.
        again.read_from(lines.as_slice()).unwrap();
        assert_eq!(again.calls().len(), 2 * history().calls().len());
    }

    #[test]
    fn a_line_that_was_cut_is_passed_over_and_a_wrong_one_is_told() {
        let mut lines = Vec::new();
        history().write_to(&mut lines).unwrap();
        for cut in 1..lines.len() {
            let mut again = History::new();
            again.read_from(&lines[..cut]).unwrap();
            assert!(history().calls().starts_with(again.calls()));
        }
        let wrong = [&lines[..], b"{\"append\":{}}\n"].concat();
        let refused = History::new().read_from(wrong.as_slice()).unwrap_err();
        assert!(matches!(refused, LineError::Malformed { number: 9, .. }), "{refused}");
    }
}

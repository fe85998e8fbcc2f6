//! What cannot be true of a store that keeps its word.

use gesta_model::{Check, Position, Revision, Uuid};
use std::fmt;
use std::ops::Range;

/// A contradiction between what a caller was told and what the log holds. Requests are named by their first event's id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Anomaly {
    /// A position does not follow the one before.
    Gap {
        /// The position that comes next.
        expected: Position,
        /// The one that came.
        found: Position,
    },
    /// An event of a stream does not have the revision after the one before.
    WrongRevision {
        /// Where it stands.
        position: Position,
        /// The revision that comes next.
        expected: Revision,
        /// The one that it has.
        found: Option<Revision>,
    },
    /// An event is in the log that nobody appended.
    Unexplained {
        /// Its id.
        id: Uuid,
        /// Where it stands.
        position: Position,
    },
    /// An event is in the log more than once.
    Doubled {
        /// Its id.
        id: Uuid,
        /// All places where it stands.
        positions: Vec<Position>,
    },
    /// A request is in the log in part, or not in one piece.
    Torn {
        /// The request.
        request: Uuid,
        /// Where those of its events stand that are there.
        positions: Vec<Position>,
    },
    /// An acknowledged request is not in the log.
    Lost {
        /// The request.
        request: Uuid,
        /// Where it was said to stand.
        told: Range<Position>,
    },
    /// An acknowledged request stands elsewhere than its receipt says.
    Misplaced {
        /// The request.
        request: Uuid,
        /// Where it was said to stand.
        told: Range<Position>,
        /// Where it stands.
        found: Range<Position>,
    },
    /// A request is in the log though each of its tries was refused.
    MadeThoughRefused {
        /// The request.
        request: Uuid,
        /// Where it stands.
        found: Position,
    },
    /// A request conflicted when it was made again after it had been acknowledged.
    ForgottenRepeat {
        /// The request.
        request: Uuid,
        /// When the try was made that conflicted.
        called: u64,
    },
    /// A request was accepted though a check was false just before it.
    AcceptedWrongly {
        /// The request; `None` for a pure check.
        request: Option<Uuid>,
        /// Where it was judged.
        at: Position,
        /// The check.
        check: Check,
    },
    /// A request conflicted though all of its checks were true at the head that it was told.
    ConflictInVain {
        /// The request; `None` for a pure check.
        request: Option<Uuid>,
        /// The head.
        head: Position,
    },
    /// A call was told of a head that the log never had.
    BeyondLog {
        /// When the call was made.
        called: u64,
        /// The head.
        head: Position,
    },
    /// A call stands before something that was over when it was made.
    OutOfOrder {
        /// When the call was made.
        called: u64,
        /// Where it stands.
        stands: Position,
        /// How far the log had come by then.
        reached: Position,
    },
    /// A read did not show what is meant of the log up to its head.
    ReadDiffers {
        /// When it was made.
        called: u64,
        /// What it was about.
        range: Range<Position>,
        /// The first place of the answer that differs: what is meant there, and what was shown.
        first: (usize, Option<Uuid>, Option<Uuid>),
    },
    /// Tries of one request name different events, so that nothing can be said of it.
    Muddled {
        /// The request.
        request: Uuid,
    },
}

impl fmt::Display for Anomaly {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |request: &Option<Uuid>| request.map_or("a pure check".to_owned(), |id| format!("request {id}"));
        match self {
            Self::Gap { expected, found } => write!(formatter, "position {found} follows where {expected} should"),
            Self::WrongRevision { position, expected, found } => {
                write!(formatter, "the event at {position} has revision {found:?} instead of {expected}")
            }
            Self::Unexplained { id, position } => write!(formatter, "nobody appended event {id} at {position}"),
            Self::Doubled { id, positions } => write!(formatter, "event {id} stands at {positions:?}"),
            Self::Torn { request, positions } => write!(formatter, "request {request} stands in part: {positions:?}"),
            Self::Lost { request, told } => {
                write!(formatter, "request {request} was acknowledged at {told:?} and is not in the log")
            }
            Self::Misplaced { request, told, found } => {
                write!(formatter, "request {request} was acknowledged at {told:?} and stands at {found:?}")
            }
            Self::MadeThoughRefused { request, found } => {
                write!(formatter, "request {request} was refused and stands at {found}")
            }
            Self::ForgottenRepeat { request, called } => {
                write!(formatter, "request {request} was acknowledged, and conflicted when made again at {called}")
            }
            Self::AcceptedWrongly { request, at, check } => {
                write!(formatter, "{} was accepted at {at}, where this is false: {check:?}", of(request))
            }
            Self::ConflictInVain { request, head } => {
                write!(formatter, "{} conflicted at {head}, where all it was checked for is true", of(request))
            }
            Self::BeyondLog { called, head } => {
                write!(formatter, "the call at {called} was told of head {head}, beyond the log")
            }
            Self::OutOfOrder { called, stands, reached } => {
                write!(formatter, "the call at {called} stands at {stands}, and {reached} had been reached before it")
            }
            Self::ReadDiffers { called, range, first: (place, meant, shown) } => {
                write!(
                    formatter,
                    "the read at {called} of {range:?} shows {shown:?} as its event {place}, not {meant:?}"
                )
            }
            Self::Muddled { request } => write!(formatter, "tries of request {request} name different events"),
        }
    }
}

//! What is derived from the log so that both sides find their way in it: stream heads, and where positions lie.
//!
//! An index entry is derived from the log, so it is never evidence about the log. Losing all of it loses nothing: it is
//! made anew from the log at every opening.

mod heads;
mod landmarks;
mod survey;

pub(crate) use heads::Heads;
pub(crate) use landmarks::{Landmark, Landmarks};
pub(crate) use survey::Survey;

use std::sync::atomic::AtomicBool;

/// Everything derived from one log.
#[derive(Debug, Default)]
pub(crate) struct Index {
    pub(crate) heads: Heads,
    pub(crate) landmarks: Landmarks,
    /// Events could not be read when the index was made: they may be of any stream.
    pub(crate) has_gaps: AtomicBool,
}

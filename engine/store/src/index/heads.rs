//! Where each stream stands: a map in memory, made from the log at opening.

use gesta_model::{Position, Revision};
use parking_lot::{RwLock, RwLockWriteGuard};
use std::collections::HashMap;

/// A stream that has events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// The revision of its last event.
    pub(crate) revision: Revision,
    /// The position of its first event.
    pub(crate) first: Position,
    /// The position of its last event.
    pub(crate) last: Position,
}

/// All stream heads, what was accepted but is not yet readable included.
#[derive(Debug, Default)]
pub(crate) struct Heads {
    by_stream: RwLock<HashMap<Box<str>, Head>>,
}

/// The heads while the writer holds them.
pub(crate) struct HeadsGuard<'h>(RwLockWriteGuard<'h, HashMap<Box<str>, Head>>);

impl Heads {
    /// Where a stream stands; `None` when it has no events.
    pub(crate) fn of(&self, stream: &str) -> Option<Head> {
        self.by_stream.read().get(stream).copied()
    }

    /// How many streams there are.
    pub(crate) fn count(&self) -> u64 {
        self.by_stream.read().len() as u64
    }

    /// Keeps everybody else out for a while.
    pub(crate) fn hold(&self) -> HeadsGuard<'_> {
        HeadsGuard(self.by_stream.write())
    }
}

impl HeadsGuard<'_> {
    /// The last revision of a stream; `None` when it has no events.
    pub(crate) fn revision(&self, stream: &str) -> Option<Revision> {
        self.0.get(stream).map(|head| head.revision)
    }

    /// Gives the stream's next event, at `position`, its revision.
    pub(crate) fn advance(&mut self, stream: &str, position: Position) -> Revision {
        match self.0.get_mut(stream) {
            Some(head) => {
                head.revision = head.revision.next();
                head.last = position;
                head.revision
            }
            None => {
                self.0.insert(stream.into(), Head { revision: Revision::FIRST, first: position, last: position });
                Revision::FIRST
            }
        }
    }

    /// Notes an event that stands in the log with its revision.
    pub(crate) fn note(&mut self, stream: &str, revision: Revision, position: Position) {
        match self.0.get_mut(stream) {
            Some(head) => {
                head.revision = revision;
                head.last = position;
            }
            None => {
                self.0.insert(stream.into(), Head { revision, first: position, last: position });
            }
        }
    }
}

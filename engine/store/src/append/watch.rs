//! Tells the observer of commits, when there is one. Without one, no clock is read.

use crate::commit_observer::{Commit, CommitObserver};
use crate::log::Group;
use crate::sync::Instant;
use gesta_model::Durability;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

/// One commit under observation.
pub(super) struct Watch<'a> {
    observed: Option<Observed<'a>>,
}

struct Observed<'a> {
    observer: &'a dyn CommitObserver,
    since: Instant,
    write: Duration,
    sync: Option<Duration>,
}

impl<'a> Watch<'a> {
    /// Begins to watch; nobody does without an observer.
    pub(super) fn start(observer: Option<&'a dyn CommitObserver>) -> Self {
        let observed = observer.map(|observer| {
            quietly(|| observer.started());
            Observed { observer, since: Instant::now(), write: Duration::ZERO, sync: None }
        });
        Self { observed }
    }

    /// The write has returned.
    pub(super) fn wrote(&mut self) {
        if let Some(observed) = &mut self.observed {
            observed.write = observed.lap();
        }
    }

    /// The sync has returned.
    pub(super) fn synced(&mut self) {
        if let Some(observed) = &mut self.observed {
            observed.sync = Some(observed.lap());
        }
    }

    /// The group is where it was to go.
    pub(super) fn end(self, group: &Group, durability: Durability) {
        let Some(Observed { observer, write, sync, .. }) = self.observed else { return };
        let commit = Commit {
            request_count: group.request_count,
            event_count: group.count,
            bytes: group.body_bytes() as u64,
            write,
            sync,
            durability,
        };
        quietly(|| observer.committed(&commit));
    }
}

impl Observed<'_> {
    /// The time since the last call.
    fn lap(&mut self) -> Duration {
        let now = Instant::now();
        now.duration_since(std::mem::replace(&mut self.since, now))
    }
}

/// Tells that nothing is written any more.
pub(super) fn tell_failure(observer: Option<&dyn CommitObserver>, cause: &io::Error) {
    if let Some(observer) = observer {
        quietly(|| observer.failed(cause));
    }
}

/// The observer is somebody else's code: its panic must not end a commit whose bytes are good.
fn quietly(call: impl FnOnce()) {
    let _ = catch_unwind(AssertUnwindSafe(call));
}

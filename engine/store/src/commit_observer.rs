//! Whoever wants to know how long commits take, and whether one hangs, looks on through here.

use gesta_model::Durability;
use std::fmt::Debug;
use std::io;
use std::time::Duration;

/// Is told of every commit of a store, by the thread that commits: [`Options::commit_observer`](crate::Options).
///
/// The calls alternate: one `started`, then one `committed` or one `failed`. Marks are no commits: only their failure is
/// told. Appends wait while a call lasts, so it should do little more than count. A panic in it is dropped: no commit
/// fails because of who looked on.
pub trait CommitObserver: Debug + Send + Sync {
    /// A group goes to the disk now.
    fn started(&self) {}

    /// The group has reached what its waiters wait for; they have not been told yet.
    fn committed(&self, commit: &Commit);

    /// The writer is poisoned: nothing is taken any more until the store is opened again.
    fn failed(&self, cause: &io::Error) {
        let _ = cause;
    }
}

/// What one commit did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Requests that were written; none in a commit that only syncs what was written before.
    pub request_count: u32,
    /// Events of these requests.
    pub event_count: u32,
    /// Bytes of these requests.
    pub bytes: u64,
    /// How long the write took, with what it had to wait for: sealing a full segment, or a sync that bounds what is
    /// unsynced.
    pub write: Duration,
    /// How long the sync took; `None` when nobody waited for one.
    pub sync: Option<Duration>,
    /// What everything that was committed so far has reached.
    pub durability: Durability,
}

//! Bugs put in on purpose, to show that the tests catch them.
//!
//! They exist only in a build with `--cfg gesta_sabotage`; in every other one [`has`] is a constant.

#[cfg(gesta_sabotage)]
use std::cell::Cell;
#[cfg(gesta_sabotage)]
use std::panic::{UnwindSafe, catch_unwind};

/// A bug that a store of this kind could have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// Appends are acknowledged as durable without a sync.
    AcknowledgeBeforeSync,
    /// Recovery takes all damage for a torn tail and cuts it.
    CutCorruption,
    /// A sync that failed is tried again, and its second answer is believed.
    RetryFailedSync,
    /// New files get their names without a sync of the directory.
    NoDirectorySync,
    /// Readers are shown events as soon as they are written.
    PublishBeforeSync,
    /// A batch need not continue the one before it.
    NoChainCheck,
    /// Batches of a life that lost them are taken.
    TakeVoidBatches,
    /// Closing does not note where the log ended.
    ForgetEnd,
    /// The checksum of a batch's body is not asked.
    NoBodyCheck,
    /// A segment need not continue the one before it.
    NoSealCheck,
    /// The checksums of the blocks of an index file are not asked.
    NoIndexCheck,
    /// The list of a key leaves out the first ordinal of the range that is asked for.
    ListOffByOne,
    /// The requests of the tail are not known any more when a store is opened again.
    ForgetRequestIds,
    /// What was staged since a request was searched for is not searched under the lock.
    NoRecheck,
    /// Whoever waits for more to read falls asleep without looking once more.
    LoseWakeUp,
    /// Positions are published without the bytes below them.
    PublishRelaxed,
}

#[cfg(gesta_sabotage)]
thread_local! {
    static BUG: Cell<Option<Bug>> = const { Cell::new(None) };
}

/// Puts a bug into the engine on this thread, or takes it out.
#[cfg(gesta_sabotage)]
pub fn put_in(bug: Option<Bug>) {
    BUG.set(bug);
}

/// Runs a test with a bug in the engine, on this thread; says that the test caught it, and returns what it failed with.
///
/// # Panics
///
/// When the test passes.
#[cfg(gesta_sabotage)]
pub fn caught(bug: Bug, test: impl FnOnce() + UnwindSafe) -> String {
    put_in(Some(bug));
    let outcome = catch_unwind(test);
    put_in(None);
    let failure = outcome.expect_err("a test that passes with the bug does not look for it");
    println!("caught {bug:?}");
    let text = failure.downcast_ref::<String>().cloned();
    text.or_else(|| failure.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default()
}

/// Whether the bug is in the engine on this thread.
#[cfg(gesta_sabotage)]
pub(crate) fn has(bug: Bug) -> bool {
    BUG.get() == Some(bug)
}

/// Never.
#[cfg(not(gesta_sabotage))]
pub(crate) const fn has(_: Bug) -> bool {
    false
}

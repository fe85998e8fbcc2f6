//! Bugs put in on purpose, to show that the tests catch them. Compiled only with `--cfg gesta_sabotage`.

use std::cell::Cell;

/// A bug that a store of this kind could have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// Appends are acknowledged as durable without a sync.
    AcknowledgeBeforeSync,
    /// Recovery takes all damage for a torn tail and cuts it.
    CutCorruption,
}

thread_local! {
    static BUG: Cell<Option<Bug>> = const { Cell::new(None) };
}

/// Puts a bug into the engine on this thread, or takes it out.
pub fn put_in(bug: Option<Bug>) {
    BUG.set(bug);
}

/// Whether the bug is in the engine on this thread.
pub(crate) fn has(bug: Bug) -> bool {
    BUG.get() == Some(bug)
}

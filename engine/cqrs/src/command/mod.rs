//! Handling commands: load, fold, decide, append, and again when something came between.
//!
//! ```text
//!  load      the newest snapshot of the boundary, and the events after it         one call to the store
//!  fold      evolve, event by event
//!  decide    ──► a refusal: nothing is appended
//!  append    with a check of each stream and query of the boundary                one request, all or nothing
//!    └─ conflict: fold the events that it brought, and decide again
//! ```
//!
//! What must stay true: what is appended was decided in the knowledge of every event of the boundary that stands before it.
//! What was missed is folded without a gap, or read again; a snapshot is only ever a way to begin later.

mod error;
mod folded;
mod handled;
mod handler;
mod snapshots;

pub use error::{HandleError, SnapshotFailure};
pub use handled::{Handled, SnapshotOutcome};
pub use handler::CommandHandler;
pub(crate) use handler::selection_of;
pub use snapshots::SnapshotPolicy;

//! Projecting: events are folded into read models, and queries are answered from there.
//!
//! ```text
//!  store ──► Runner ──► events that match ──► Projection::project ──► rows ─┐
//!                                                                           ├─ one transaction of the ReadModel
//!                                              how far it has come ─────────┘
//!
//!  versions:    one serves ──────────────────────────────► superseded
//!               a later one builds beside it, no further ─► takes over in the step that gets there
//! ```
//!
//! What must stay true: the rows are a fold of exactly the events below the checkpoint, those that were parked excepted;
//! so rows and checkpoint are committed together or not at all. A checkpoint belongs to one store, and a
//! projection is folded by one runner at a time. Of all versions of a projection one serves; an event that it has gone over is
//! news to none of the later ones.

mod checkpoint;
mod commit_error;
mod error;
mod follower;
mod kept;
mod memory;
mod memory_snapshots;
mod parked;
mod progress;
mod projection;
mod read_ahead;
mod read_model;
mod rebuild;
mod runner;
mod running;
mod slot;
mod telling;
mod try_later;

pub use checkpoint::{Checkpoint, Part, Role, Scope, Serving, Step};
pub use commit_error::CommitError;
pub use error::{OpenError, ReplayError, RunError};
pub use memory::MemoryReadModel;
pub use parked::Parked;
pub(crate) use projection::query_of_types;
pub use projection::{ProjectError, Projection};
pub use read_model::{ReadModel, Work};
pub use rebuild::{Rebuild, RebuildError, Rebuilt};
pub use runner::Runner;
pub use running::{Replayed, Running};
pub use try_later::TryLater;

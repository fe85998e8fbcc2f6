//! gesta-cqrs: commands in, read models out.
//!
//! ```text
//!            decide                       append                      project
//!  command ──────────► events of the ──────────────► the store ──────────────────► read model ──► queries
//!     ▲     a refusal    domain         conflict?        │
//!     └────────────────────────────────  again  ◄────────┘  state: a snapshot and the events after it
//!
//!  event      an enum of the domain becomes events of the store, and comes back
//!  decide     what a command leads to: pure functions, and their tests
//!  command    load, decide, append; and again when something came between
//!  project    fold events into read models, each step with its checkpoint
//!  query      typed questions, answered from read models; how long that takes
//!  process    events lead to commands
//!  sqlite     read models in SQLite
//! ```
//!
//! Everything here sees a store through [`EventStore`](gesta_model::EventStore) alone, so it runs on a directory as on a
//! server.
#![forbid(unsafe_code)]

mod command;
mod decide;
mod event;
mod panics;
mod process;
mod project;
mod query;
#[cfg(feature = "sqlite")]
pub mod sqlite;

pub use command::{CommandHandler, HandleError, Handled, SnapshotFailure, SnapshotOutcome, SnapshotPolicy};
pub use decide::{Boundary, BoundaryError, Decider, Outcome, Scenario, given};
pub use event::{
    DecodeError, DecodeFailure, DomainEvent, EncodeError, GoldenError, Labels, OldEvent, Recorded, UnknownType,
    check_golden, decode, encode, event_types,
};
pub use gesta_model::{ProjectionId, ProjectionState, ProjectionStatus, WaitError};
pub use process::{ProcessManager, Reactor, command_id, settled};
pub use project::{
    Checkpoint, CommitError, MemoryReadModel, OpenError, Parked, Part, ProjectError, Projection, ReadModel, Rebuild,
    RebuildError, Rebuilt, ReplayError, Replayed, Role, RunError, Runner, Running, Scope, Serving, Step, TryLater,
    Work,
};
pub use query::{Answered, AskError, Figures, Percentiles, QueryHandler, Question, ReadView};

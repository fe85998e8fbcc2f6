//! What turns events into commands.

use crate::project::query_of_types;
use crate::{Boundary, DomainEvent, ProjectError};
use gesta_model::{Query, Uuid};

/// A decider from events to commands: it follows a process across the parts of a domain.
///
/// Its state is never stored: it is folded from the events of the process, each time that one of them comes.
pub trait ProcessManager: Send + 'static {
    /// The events that it knows.
    type Event: DomainEvent + Send;
    /// What has to be known of a process; `default()` before anything has happened.
    type State: Default;
    /// What it may want to be done.
    type Command;

    /// Its name. Another name reacts to everything anew.
    fn name(&self) -> &str;

    /// Its version: a later one goes on where the earlier one stands.
    fn version(&self) -> u32 {
        1
    }

    /// Which events it reacts to: those of the types that it knows, unless said otherwise.
    fn query(&self) -> Query {
        query_of_types::<Self::Event>()
    }

    /// The events of the process that an event belongs to, this one among them.
    fn boundary(&self, event: &Self::Event) -> Boundary;

    /// What is known of a process once an event has happened.
    fn evolve(&self, state: &mut Self::State, event: &Self::Event);

    /// What an event leads to, the state including it. Pure: it is asked again after a failure and must answer the same.
    fn react(&self, state: &Self::State, event: &Self::Event) -> Vec<Self::Command>;

    /// Has a command followed, once under its id: see [`CommandHandler::handle_once`](crate::CommandHandler::handle_once)
    /// and [`settled`](crate::settled). An error parks the event with its reason; [`TryLater`](crate::TryLater) has it
    /// tried again after a while.
    fn dispatch(&self, id: Uuid, command: &Self::Command) -> Result<(), ProjectError>;
}

//! A process manager at work: it follows the log like a projection, and has commands followed instead of writing rows.

use super::ProcessManager;
use crate::command::selection_of;
use crate::{ProjectError, Projection, ReadModel, Recorded, TryLater, decode};
use gesta_model::{EventCursor, EventReader, Position, Query, Read, ReadError, Uuid};
use std::marker::PhantomData;
use std::ops::Deref;

/// A process manager at work: a [`Projection`] for a [`Runner`](crate::Runner), whose read model holds its checkpoint.
///
/// A step of the read model is open while commands are followed, so it is to be a read model that nobody waits for: a
/// database file of its own.
pub struct Reactor<M, P, R> {
    manager: M,
    store: P,
    model: PhantomData<fn() -> R>,
}

/// How many events are reacted to in one step: what is begun anew when something fails, and how long the step is open.
const REACTIONS_AT_ONCE: usize = 16;

impl<M, P, R> Reactor<M, P, R>
where
    M: ProcessManager,
    P: Deref<Target: EventReader>,
{
    /// A process manager that reads its processes from a store.
    pub fn new(manager: M, store: P) -> Self {
        Self { manager, store, model: PhantomData }
    }

    /// The state of a process, everything up to and including a position folded in.
    fn state_at(&self, event: &M::Event, position: Position) -> Result<M::State, ProjectError> {
        let mut state = M::State::default();
        let boundary = self.manager.boundary(event);
        boundary.check()?;
        let Some(selection) = selection_of(&boundary)? else { return Ok(state) };
        let mut read = Read::all().until(position.plus(1));
        read.selection = selection;
        let mut events = self.store.read(read).map_err(|error| TryLater(error.into()))?;
        while let Some(record) = events.next_record() {
            let record = record.map_err(|error| match error {
                ReadError::Damaged(_) => ProjectError::from(error),
                error => TryLater(error.into()).into(),
            })?;
            if let Some(event) = decode(&record)? {
                self.manager.evolve(&mut state, &event);
            }
        }
        Ok(state)
    }
}

impl<M, P, R> Projection for Reactor<M, P, R>
where
    M: ProcessManager,
    P: Deref<Target: EventReader> + Send + 'static,
    R: ReadModel,
{
    type Event = M::Event;
    type Model = R;

    fn name(&self) -> &str {
        self.manager.name()
    }

    fn version(&self) -> u32 {
        self.manager.version()
    }

    fn query(&self) -> Query {
        self.manager.query()
    }

    fn events_at_once(&self) -> usize {
        REACTIONS_AT_ONCE
    }

    fn set_up(&self, _: &mut R::Rows<'_>) -> Result<(), ProjectError> {
        Ok(())
    }

    fn project(&self, _: &mut R::Rows<'_>, event: &Recorded<'_, M::Event>) -> Result<(), ProjectError> {
        if !event.is_news() {
            return Ok(());
        }
        let state = self.state_at(&event.event, event.position())?;
        for (ordinal, command) in self.manager.react(&state, &event.event).iter().enumerate() {
            self.manager.dispatch(command_id(self.name(), event, ordinal), command)?;
        }
        Ok(())
    }
}

/// The id of the command that an event leads to, the `ordinal`th of them: a UUID of version 5 of the event's id, by the
/// process manager's name.
#[must_use]
pub fn command_id<E>(process: &str, event: &Recorded<'_, E>, ordinal: usize) -> Uuid {
    Uuid::new_v5(&event.id(), format!("{process}/{ordinal}").as_bytes())
}

//! What turns commands into events.

use super::folded::Folded;
use super::snapshots::StateCodec;
use super::{HandleError, Handled, SnapshotFailure, SnapshotOutcome, SnapshotPolicy};
use crate::panics::guarded;
use crate::{Boundary, BoundaryError, Decider, Figures, encode};
use gesta_model::{
    AppendError, AppendRequest, Conflict, Durability, EventCursor, EventReader, EventStore, Loaded, ProjectionBoard,
    Read, Receipt, Selection, Uuid,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// Turns commands of one decider into events of a store. Any number of threads may use one at a time.
///
/// ```no_run
/// # use gesta_cqrs::{CommandHandler, Decider, HandleError};
/// # fn example<D: Decider>(store: gesta::Store, command: D::Command) -> Result<(), HandleError<D::Refusal>> {
/// let handler = CommandHandler::<_, D>::new(&store);
/// let handled = handler.handle(&command)?;
/// println!("{} events, after {} attempts", handled.events.len(), handled.attempts);
/// # Ok(())
/// # }
/// ```
pub struct CommandHandler<P, D: Decider> {
    store: P,
    attempts_max: u32,
    missed_max: u32,
    durability: Durability,
    snapshots: Option<(SnapshotPolicy, StateCodec<D::State>)>,
    figures: Option<(String, Arc<Figures>)>,
    awaited: Vec<String>,
    patience: Duration,
    decider: PhantomData<fn() -> D>,
}

/// The result of handling a command.
type Outcome<D> = Result<Handled<<D as Decider>::Event>, HandleError<<D as Decider>::Refusal>>;

/// Something of a command that may fail as a whole.
type Step<T, D> = Result<T, HandleError<<D as Decider>::Refusal>>;

/// How long an earlier try of a command is waited for that is not readable yet.
const EARLIER_TRY_WAITS_MS: [u64; 6] = [1, 3, 10, 30, 100, 300];

impl<P, D> CommandHandler<P, D>
where
    P: Deref<Target: EventStore>,
    D: Decider,
{
    /// A handler over a store: a reference to one, or an `Arc`.
    pub fn new(store: P) -> Self {
        Self {
            store,
            attempts_max: 10,
            missed_max: 100,
            durability: Durability::Durable,
            snapshots: None,
            figures: None,
            awaited: Vec::new(),
            patience: Duration::ZERO,
            decider: PhantomData,
        }
    }

    /// How often a command is decided on at most, conflicts in between; at least once. Ten times unless said otherwise.
    #[must_use]
    pub fn attempts_max(mut self, attempts: u32) -> Self {
        self.attempts_max = attempts.max(1);
        self
    }

    /// How many missed events a conflict is to bring at most. A server shows them only to those who may read. A hundred
    /// unless said otherwise.
    #[must_use]
    pub fn missed_max(mut self, count: u32) -> Self {
        self.missed_max = count;
        self
    }

    /// What is waited for before a command counts as followed; that its events are durable, unless said otherwise.
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// Saves states now and then, and begins with them.
    #[must_use]
    pub fn snapshots(mut self, policy: SnapshotPolicy) -> Self
    where
        D::State: Serialize + DeserializeOwned,
    {
        self.snapshots = Some((policy, StateCodec::new()));
        self
    }

    /// Counts how long commands take there, under a name: t_c.
    #[must_use]
    pub fn figures(mut self, name: &str, figures: Arc<Figures>) -> Self {
        self.figures = Some((name.to_owned(), figures));
        self
    }

    /// Waits after each command until these projections have folded what it has led to, together for no longer than `timeout`:
    /// who asks their read models then sees it. Runners tell the store how far they are, so they may run anywhere.
    ///
    /// The command is done by then. What came of the wait is [`Handled::waited`], and no part of how long a command takes in
    /// the figures.
    #[must_use]
    pub fn wait_for(mut self, projections: impl IntoIterator<Item = impl Into<String>>, timeout: Duration) -> Self {
        self.awaited = projections.into_iter().map(Into::into).collect();
        self.patience = timeout;
        self
    }

    /// Follows a command or refuses it.
    pub fn handle(&self, command: &D::Command) -> Outcome<D> {
        self.wait_until_shown(self.time(|| self.follow(None, command))?)
    }

    /// Follows a command once, however often it comes under this id: each time the receipt is that of the first.
    ///
    /// The id alone counts. A command that was refused leaves nothing behind and may come again.
    pub fn handle_once(&self, id: Uuid, command: &D::Command) -> Outcome<D> {
        self.wait_until_shown(self.time(|| self.follow(Some(id), command))?)
    }

    fn time(&self, follow: impl FnOnce() -> Outcome<D>) -> Outcome<D> {
        let began = Instant::now();
        let outcome = guarded(follow).unwrap_or_else(|said| Err(HandleError::Panicked(said)));
        if let Some((name, figures)) = &self.figures {
            figures.command(name, began.elapsed());
        }
        outcome
    }

    /// Waits until the projections that are waited for have folded what a command has led to.
    fn wait_until_shown(&self, mut handled: Handled<D::Event>) -> Outcome<D> {
        if let Some(position) = handled.position() {
            let began = Instant::now();
            handled.waited = self.awaited.iter().try_for_each(|projection| {
                let left = self.patience.saturating_sub(began.elapsed());
                self.store.wait_for_projection(projection, position, left)
            });
        }
        Ok(handled)
    }

    fn follow(&self, id: Option<Uuid>, command: &D::Command) -> Outcome<D> {
        let boundary = D::boundary(command);
        boundary.check()?;
        let began = Instant::now();
        let mut folded = self.load(&boundary)?;
        let loading = began.elapsed();
        let mut attempts = 1;
        loop {
            let events = match D::decide(&folded.state, command) {
                Ok(events) if !events.is_empty() => events,
                // What looks done or impossible now may be what this very command has led to before.
                decision => match (self.earlier_try(id)?, decision) {
                    (Some(receipt), _) => return Ok(repeated(receipt, attempts)),
                    (None, Err(refusal)) => return Err(HandleError::Refused(refusal)),
                    (None, Ok(events)) => {
                        // What came between may not be durable.
                        let is_durable = attempts == 1;
                        let snapshot = if is_durable {
                            self.save_if_due(&boundary, &folded, loading)
                        } else {
                            SnapshotOutcome::NotDue
                        };
                        return Ok(Handled { receipt: None, events, attempts, snapshot, waited: Ok(()) });
                    }
                },
            };
            let request = self.request(id, &boundary, &folded, &events)?;
            match self.store.append(request) {
                // An id that is known already has its first receipt: nothing was appended now.
                Ok(receipt) if id.is_some() && receipt.positions.start < folded.position => {
                    return Ok(repeated(receipt, attempts));
                }
                Ok(receipt) => {
                    let snapshot = if receipt.durability == Durability::Durable {
                        self.save_if_due(&boundary, &folded, loading)
                    } else {
                        SnapshotOutcome::NotDue
                    };
                    return Ok(Handled { receipt: Some(receipt), events, attempts, snapshot, waited: Ok(()) });
                }
                Err(AppendError::Conflict(conflict)) if attempts >= self.attempts_max => {
                    return Err(HandleError::Conflict { attempts, conflict });
                }
                Err(AppendError::Conflict(conflict)) => self.catch_up(&mut folded, &boundary, &conflict)?,
                Err(error @ AppendError::RequestIdReused { .. }) => {
                    let receipt = self.await_earlier_try(id)?.ok_or(HandleError::Append(error))?;
                    return Ok(repeated(receipt, attempts));
                }
                Err(error) => return Err(HandleError::Append(error)),
            }
            attempts += 1;
        }
    }

    /// Folds the boundary, from a snapshot on where there is one.
    fn load(&self, boundary: &Boundary) -> Step<Folded<D>, D> {
        let Some(selection) = selection_of(boundary)? else { return Ok(Folded::nothing()) };
        if let Some((policy, codec)) = &self.snapshots
            && let Some(key) = policy.key(boundary)
        {
            let Loaded { snapshot, events } = self.store.load(&key, policy.schema, selection.clone())?;
            let begun = snapshot.as_ref().map_or_else(|| Some(Folded::nothing()), |snapshot| codec.read(snapshot));
            if let Some(folded) = begun {
                return self.fold(folded, events, boundary);
            }
        }
        self.fold(Folded::nothing(), self.store.read(read_of(selection))?, boundary)
    }

    /// Folds in what a cursor has.
    fn fold(&self, mut folded: Folded<D>, mut events: impl EventCursor, boundary: &Boundary) -> Step<Folded<D>, D> {
        while let Some(record) = events.next_record() {
            folded.fold(&record?)?;
        }
        folded.position = folded.position.max(events.head());
        folded.keep_revisions_of(boundary);
        Ok(folded)
    }

    /// The append that a decision asks for.
    fn request(
        &self,
        id: Option<Uuid>,
        boundary: &Boundary,
        folded: &Folded<D>,
        events: &[D::Event],
    ) -> Step<AppendRequest, D> {
        let mut request = AppendRequest::new().durability(self.durability).return_missed(self.missed_max);
        for event in events {
            let event = encode(event)?;
            let event = match boundary.streams() {
                [stream] if event.stream_name().is_none() && boundary.queries().is_empty() => {
                    event.stream(stream.clone())
                }
                [_, _, ..] if event.stream_name().is_none() && boundary.queries().is_empty() => {
                    return Err(HandleError::NoStream { event_type: event.event_type().to_string() });
                }
                _ => event,
            };
            request = request.event(event);
        }
        for stream in boundary.streams() {
            request = request.expect(stream.clone(), folded.expected(stream));
        }
        for query in boundary.queries() {
            request = request.unless(query.clone(), folded.position);
        }
        Ok(if let Some(id) = id { request.request_id(id) } else { request })
    }

    /// Folds in what came between, from what the conflict brought or, where that is not all, from the log.
    fn catch_up(&self, folded: &mut Folded<D>, boundary: &Boundary, conflict: &Conflict) -> Step<(), D> {
        for missed in &conflict.missed {
            folded.fold(&missed.record())?;
        }
        if !folded.knows_all_of(conflict)
            && let Some(selection) = selection_of(boundary)?
        {
            let read = read_of(selection).from(folded.position);
            // What a durable command is decided by is durable: by the time of the answer, all that it conflicts with is.
            let is_durable = self.durability == Durability::Durable;
            let mut events = self.store.read(if is_durable { read } else { read.unsynced() })?;
            while let Some(record) = events.next_record() {
                folded.fold(&record?)?;
            }
        }
        folded.keep_revisions_of(boundary);
        Ok(())
    }

    /// The receipt of what the command has led to before.
    fn earlier_try(&self, id: Option<Uuid>) -> Step<Option<Receipt>, D> {
        Ok(id.map(|id| self.store.receipt(id)).transpose()?.flatten())
    }

    /// The same, waiting for it: it was taken and may not be readable yet.
    fn await_earlier_try(&self, id: Option<Uuid>) -> Step<Option<Receipt>, D> {
        for wait_ms in EARLIER_TRY_WAITS_MS {
            if let Some(receipt) = self.earlier_try(id)? {
                return Ok(Some(receipt));
            }
            thread::sleep(Duration::from_millis(wait_ms));
        }
        self.earlier_try(id)
    }

    /// Saves what a decision rested on, if it is time. All of it is to be durable.
    fn save_if_due(&self, boundary: &Boundary, folded: &Folded<D>, loading: Duration) -> SnapshotOutcome {
        let Some((policy, codec)) = &self.snapshots else { return SnapshotOutcome::NotDue };
        if !policy.is_due(folded, loading) {
            return SnapshotOutcome::NotDue;
        }
        let save = || -> Result<(), SnapshotFailure> {
            let key = policy.key(boundary).ok_or(SnapshotFailure::Key)?;
            let snapshot = codec.write(policy, key, folded)?;
            Ok(self.store.save_snapshot(snapshot)?)
        };
        let saved = guarded(save).unwrap_or_else(|said| Err(SnapshotFailure::Panicked(said)));
        saved.map_or_else(SnapshotOutcome::Failed, |()| SnapshotOutcome::Saved)
    }
}

/// What a boundary selects; `None` when it is nothing.
pub(crate) fn selection_of(boundary: &Boundary) -> Result<Option<Selection>, BoundaryError> {
    let read = match boundary.only_stream() {
        Some(stream) => Some(Read::stream(stream.clone())),
        None => boundary.as_query()?.map(Read::query),
    };
    Ok(read.map(|read| read.selection))
}

fn read_of(selection: Selection) -> Read {
    let mut read = Read::all();
    read.selection = selection;
    read
}

/// The answer to a command that was followed before.
fn repeated<E>(receipt: Receipt, attempts: u32) -> Handled<E> {
    let snapshot = SnapshotOutcome::NotDue;
    Handled { receipt: Some(receipt), events: Vec::new(), attempts, snapshot, waited: Ok(()) }
}

//! Folding many projections over one subscription.
//!
//! ```text
//!                          ┌── live:    events of one subscription, kept, then flushed together
//!  each projection is ─────┼── behind:  a bounded read of its own, up to where the subscription stands, a batch ahead
//!                          └── waiting: its read model failed, or another runner has it; tried again after a while
//! ```
//!
//! What must stay true: what goes wrong with one projection does not hold up another for longer than a few tries.

use super::follower::{Follow, Follower, Setback};
use super::progress::Progress;
use super::running::{Order, Replayed, Running};
use super::slot::{Phase, Slot, backoff};
use super::telling::Telling;
use super::{OpenError, Projection, RunError};
use gesta_model::{
    EventReader, EventSubscription, Notice, Pace, Position, ProjectionState, ProjectionStatus, Query, Read, ReadError,
    StoredEvent, Timestamp, Uuid,
};
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// Folds projections over a store: a reference to one, or an `Arc`.
///
/// While a projection that is behind folds a batch, another thread reads and decodes the next. So each of them has two batches
/// in memory, of up to 4096 events or 8 MiB in the log, and what was decoded from them.
pub struct Runner<P> {
    store: P,
    followers: Vec<Box<dyn Follow>>,
}

/// How long events are kept at most.
const KEPT_FOR: Duration = Duration::from_millis(100);
/// How long a subscription is waited for before positions move on without events.
const LISTEN_FOR: Duration = Duration::from_millis(10);

impl<P> Runner<P>
where
    P: Deref<Target: EventReader>,
{
    /// A runner without projections.
    pub fn new(store: P) -> Self {
        Self { store, followers: Vec::new() }
    }

    /// Adds a projection and the read model of its rows.
    #[must_use]
    pub fn project<Q: Projection>(mut self, projection: Q, model: Q::Model) -> Self {
        self.followers.push(Box::new(Follower::new(projection, model)));
        self
    }

    /// Begins to fold, on a thread of its own.
    pub fn start(self) -> Result<Running, RunError>
    where
        P: Send + 'static,
    {
        let progress = Arc::new(Progress::default());
        let (sender, orders) = channel();
        let Self { store, followers } = self;
        let slots: Vec<_> = followers.into_iter().map(Slot::new).collect();
        tell(&progress, &slots, Position::START);
        let told = Arc::clone(&progress);
        let work = move || {
            let followers = slots.into_iter().map(|slot: Slot<()>| Slot::new(slot.follower)).collect();
            let outcome = catch_unwind(AssertUnwindSafe(|| Round::new(store, followers, &told).run(&orders)));
            told.end(if outcome.is_ok() { "it was stopped".to_owned() } else { "it panicked".to_owned() });
            if let Err(panic) = outcome {
                resume_unwind(panic);
            }
        };
        let thread = thread::Builder::new().name("gesta-projector".to_owned()).spawn(work).map_err(RunError::Thread)?;
        Ok(Running { progress, orders: Some(sender), thread: Some(thread) })
    }
}

/// The projections of a runner at work.
struct Round<'p, P: Deref<Target: EventReader>> {
    store: P,
    store_id: Option<Uuid>,
    slots: Vec<Slot<<P::Target as EventReader>::Cursor>>,
    /// One for all: where it stands, live projections stand.
    subscription: Option<<P::Target as EventReader>::Subscription>,
    store_failures: usize,
    head: Position,
    progress: &'p Progress,
    telling: Telling,
}

impl<'p, P> Round<'p, P>
where
    P: Deref<Target: EventReader>,
{
    fn new(store: P, slots: Vec<Slot<<P::Target as EventReader>::Cursor>>, progress: &'p Progress) -> Self {
        Self {
            store,
            store_id: None,
            slots,
            subscription: None,
            store_failures: 0,
            head: Position::START,
            progress,
            telling: Telling::default(),
        }
    }

    /// Folds until there is nobody any more to give orders.
    fn run(&mut self, orders: &Receiver<Order>) {
        loop {
            match orders.try_recv() {
                Ok(order) => self.follow(order),
                Err(TryRecvError::Empty) => {}
                Err(TryRecvError::Disconnected) => return,
            }
            let outcome = self.turn();
            self.tell();
            match outcome {
                Ok(()) => self.store_failures = 0,
                Err(error) => {
                    self.lose_store(&error);
                    let wait = backoff(self.store_failures);
                    self.store_failures += 1;
                    match orders.recv_timeout(wait) {
                        Ok(order) => self.follow(order),
                        Err(RecvTimeoutError::Timeout) => {}
                        Err(RecvTimeoutError::Disconnected) => return,
                    }
                }
            }
        }
    }

    /// A little of everything.
    fn turn(&mut self) -> Result<(), ReadError> {
        let store_id = match self.store_id {
            Some(id) => id,
            None => *self.store_id.insert(self.store.store_id()?),
        };
        self.head = self.store.head()?;
        self.open_waiting(store_id)?;
        let joint = self.subscribe()?;
        let has_moved = self.catch_up(joint)?;
        self.listen(if has_moved { Duration::ZERO } else { LISTEN_FOR })
    }

    /// Opens what has waited long enough.
    fn open_waiting(&mut self, store_id: Uuid) -> Result<(), ReadError> {
        let now = Instant::now();
        for slot in &mut self.slots {
            if !matches!(slot.phase, Phase::Waiting(at) if at <= now) {
                continue;
            }
            match slot.follower.open(store_id, self.head) {
                Ok(Some(position)) => {
                    (slot.position, slot.phase) = (position, Phase::Behind(None));
                    (slot.state, slot.set_out) = (slot.catching_up(), Some((Instant::now(), position)));
                }
                Ok(None) => slot.stand_by(),
                Err(Setback::Fatal(OpenError::Ahead { projection, position, .. })) => {
                    // Another runner may have folded what has come since the head was asked for.
                    self.head = self.store.head()?;
                    if position > self.head {
                        slot.fall_back(Setback::Fatal(OpenError::Ahead { projection, position, head: self.head }));
                    }
                }
                Err(setback) => slot.fall_back(setback),
            }
        }
        Ok(())
    }

    /// The subscription for all projections, which begins at the head: each comes up to it by itself. Returns where it
    /// stands.
    fn subscribe(&mut self) -> Result<Position, ReadError> {
        if self.subscription.is_none() {
            let queries: Vec<_> = self.slots.iter().map(|slot| slot.follower.query()).collect();
            let read = Read::query(union(&queries)).from(self.head);
            self.subscription = Some(self.store.subscribe(read, Pace::default())?);
        }
        Ok(self.subscription.as_ref().map_or(self.head, EventSubscription::position))
    }

    /// Has each projection that is behind fold some of what it lacks; whether one has moved, which is to be told at once.
    fn catch_up(&mut self, joint: Position) -> Result<bool, ReadError> {
        let mut has_moved = false;
        for slot in &mut self.slots {
            let Phase::Behind(reading) = &mut slot.phase else { continue };
            let before = slot.position;
            let reading = match reading.take() {
                Some(reading) => reading,
                None if slot.follower.serves() && slot.position >= joint => {
                    slot.go_live();
                    has_moved = true;
                    continue;
                }
                None => match slot.follower.limit(joint) {
                    Ok(until) => {
                        let read = Read::query(slot.follower.query().clone()).from(slot.position).until(until);
                        slot.read_from(self.store.read(read)?, until)?
                    }
                    Err(setback) => {
                        slot.fall_back(setback);
                        continue;
                    }
                },
            };
            slot.catch_up(reading, joint)?;
            has_moved |= slot.position > before || slot.is_live();
        }
        Ok(has_moved)
    }

    /// Takes what the subscription has, and has the live projections fold it.
    fn listen(&mut self, wait: Duration) -> Result<(), ReadError> {
        let Some(subscription) = &mut self.subscription else { return Ok(()) };
        let (mut wait, began) = (wait, Instant::now());
        loop {
            let event = match subscription.next(wait) {
                Ok(Notice::Event(record)) => StoredEvent::new(&record, Timestamp::default()),
                Ok(Notice::TimedOut(_) | Notice::Ended(_)) => break,
                Ok(_) => {
                    wait = Duration::ZERO;
                    continue;
                }
                Err(ReadError::Damaged(damage)) => {
                    self.slots
                        .iter_mut()
                        .filter(|slot| slot.is_live())
                        .for_each(|slot| slot.follower.kept().pass_damage(&damage));
                    continue;
                }
                Err(error) => return Err(error),
            };
            let event = event.recorded(subscription.recorded_at().unwrap_or_default());
            wait = Duration::ZERO;
            let record = event.record();
            let mut is_full = began.elapsed() >= KEPT_FOR;
            for slot in &mut self.slots {
                let is_new = slot.is_live() && event.position() >= slot.position;
                if is_new && slot.follower.query().matches(&record) {
                    let kept = slot.follower.kept();
                    kept.take(event.clone());
                    is_full |= kept.is_full();
                }
            }
            if is_full {
                break;
            }
        }
        let position = subscription.position();
        for slot in self.slots.iter_mut().filter(|slot| slot.is_live()) {
            if let Err(setback) = slot.flush(position) {
                slot.fall_back(setback);
            }
        }
        Ok(())
    }

    fn follow(&mut self, Order::ReplayParked(name, reply): Order) {
        let replayed = self.replay_parked(&name);
        tell(self.progress, &self.slots, self.head);
        // Whoever gave the order may have stopped waiting.
        let _ = reply.send(replayed);
    }

    /// Tries the parked events of a projection again.
    fn replay_parked(&mut self, name: &str) -> Result<Replayed, ProjectionState> {
        let mut replayed = Replayed::default();
        let is_over = |state: &ProjectionState| matches!(state, ProjectionState::Superseded { .. });
        for slot in self.slots.iter_mut().filter(|slot| slot.follower.id().name == name && !is_over(&slot.state)) {
            if !slot.is_open() {
                return Err(slot.state.clone());
            }
            match slot.replay_parked(&*self.store) {
                Ok(folded_count) => replayed.folded_count += folded_count,
                Err(setback) => {
                    slot.fall_back(setback);
                    return Err(slot.state.clone());
                }
            }
            replayed.parked_count += slot.follower.parked_count();
        }
        Ok(replayed)
    }

    /// Tells those who wait, here and at the store, and tries again what is parked where the store is asked for it.
    fn tell(&mut self) {
        tell(self.progress, &self.slots, self.head);
        for name in self.telling.tell(&*self.store, self.progress.statuses()) {
            // What comes of it is in what is told next.
            let _ = self.replay_parked(&name);
        }
    }

    /// The store cannot be read: everything is to be opened again.
    fn lose_store(&mut self, error: &ReadError) {
        self.subscription = None;
        for slot in self.slots.iter_mut().filter(|slot| !matches!(slot.phase, Phase::Failed)) {
            if slot.is_open() {
                slot.follower.forget();
                slot.phase = Phase::Waiting(Instant::now());
            }
            let failures = u32::try_from(self.store_failures + 1).unwrap_or(u32::MAX);
            slot.state = ProjectionState::Retrying { error: error.to_string(), failures };
        }
    }
}

/// Tells those who wait how things stand.
fn tell<C>(progress: &Progress, slots: &[Slot<C>], head: Position) {
    for (ordinal, slot) in slots.iter().enumerate() {
        let status = ProjectionStatus {
            projection: slot.follower.id().clone(),
            position: slot.position,
            lag: head.0.saturating_sub(slot.position.0),
            is_serving: slot.follower.serves(),
            parked_count: slot.follower.parked_count(),
            eta: slot.eta(head),
            state: slot.state.clone(),
        };
        progress.tell(ordinal, status);
    }
}

/// A query for everything that one of them matches; everything, where that would be too large a query.
fn union(queries: &[&Query]) -> Query {
    if queries.iter().any(|query| query.is_everything()) {
        return Query::everything();
    }
    let items = queries.iter().flat_map(|query| query.items().iter().cloned());
    Query::new(items).ok().filter(|query| query.check_size().is_ok()).unwrap_or_else(Query::everything)
}

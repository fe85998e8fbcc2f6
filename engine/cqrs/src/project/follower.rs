//! One projection and its read model, a batch of events at a time.
//!
//! What must stay true: an event is parked only when the read model has just shown that it can commit; otherwise the whole
//! batch is tried again later, from the checkpoint.

use super::kept::{Keep, Kept, KeptEvent, panicked};
use super::{
    Checkpoint, CommitError, OpenError, Parked, Part, ProjectError, Projection, ReadModel, Role, Scope, Serving, Step,
    TryLater,
};
use crate::Recorded;
use crate::panics::guarded;
use gesta_model::{Position, ProjectionId, Query, StoredEvent, Uuid};
use std::collections::HashSet;
use std::fmt::Display;
use std::mem;
use std::panic::resume_unwind;
use std::slice;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// A projection, whatever its types are.
pub(super) trait Follow: Send {
    fn id(&self) -> &ProjectionId;
    fn query(&self) -> &Query;
    /// Takes the projection for this runner and finds out where it stands; `None` while another one has it.
    fn open(&mut self, store_id: Uuid, head: Position) -> Result<Option<Position>, Setback>;
    /// Up to where it may fold now, `head` at most: an earlier version that serves is not overtaken.
    fn limit(&mut self, head: Position) -> Result<Position, Setback>;
    /// Whether queries are answered from its rows.
    fn serves(&self) -> bool;
    /// What is kept until the next [`Follow::flush`].
    fn kept(&mut self) -> &mut dyn Keep;
    /// Forgets what is kept.
    fn forget(&mut self);
    /// Folds what is kept, up to `to`; where an earlier version that serves stands there, this one takes over. Returns below
    /// which position everything is folded or parked: less, and the rest is forgotten, when so much had to be parked that others
    /// have waited long enough.
    fn flush(&mut self, to: Position) -> Result<Position, Setback>;
    /// The same, while another thread reads what follows `to`. That is what is kept afterwards, if all was folded or parked.
    fn flush_beside(&mut self, to: Position, read: &mut ReadNext<'_>) -> Result<Position, Setback>;
    /// The positions of the parked events; what is damaged in the log cannot be tried again.
    fn parked(&mut self) -> Result<Vec<Position>, Setback>;
    /// Folds an event that is parked; whether that could be done.
    fn fold_parked(&mut self, event: StoredEvent) -> Result<bool, Setback>;
    /// How many events are parked.
    fn parked_count(&self) -> u64;
}

/// Has a batch of events kept.
pub(super) type ReadNext<'r> = dyn FnMut(&mut dyn Keep) + Send + 'r;

/// Why a projection does not go on.
#[derive(Debug)]
pub(super) enum Setback {
    /// The read model failed: try again.
    Model(String),
    /// Another runner has gone on with it.
    Moved,
    /// A later version has taken over.
    Superseded(u32),
    /// Nothing helps until somebody looks after it.
    Fatal(OpenError),
}

/// A projection and its read model.
pub(super) struct Follower<P: Projection> {
    id: Arc<ProjectionId>,
    /// The part of a rebuild that it folds; `None` when it is the whole.
    part: Option<Part>,
    query: Query,
    projection: P,
    model: P::Model,
    checkpoint: Option<Checkpoint>,
    serves: bool,
    is_claimed: bool,
    kept: Kept<P::Event>,
    parked_count: u64,
    /// Events that are news although they are not folded for the first time: what the version that serves has parked while this
    /// one builds, or what was news when it was parked.
    owed: HashSet<Position>,
    looked_at: Instant,
}

/// An event that could not be folded.
struct Stuck {
    /// Its ordinal in the batch.
    ordinal: usize,
    why: String,
    /// It is no fault of the event.
    is_for_later: bool,
}

/// How often an event is tried that cannot be folded.
const ATTEMPTS: u32 = 3;
/// How long is waited in between.
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(20);
/// How many events are parked in a row before others get their turn.
const PARKED_AT_ONCE: u64 = 8;
/// How often the read model is looked at when there is nothing to fold: to commit a checkpoint that has moved on without events,
/// and to find out about a later version.
const LOOK_EVERY: Duration = Duration::from_secs(1);

impl<P: Projection> Follower<P> {
    pub(super) fn new(projection: P, model: P::Model) -> Self {
        Self {
            id: Arc::new(ProjectionId { name: projection.name().to_owned(), version: projection.version() }),
            part: None,
            query: projection.query(),
            projection,
            model,
            checkpoint: None,
            serves: false,
            is_claimed: false,
            kept: Kept::default(),
            parked_count: 0,
            owed: HashSet::new(),
            looked_at: Instant::now(),
        }
    }

    /// Folds events and commits them with the step; the inner error is an event that cannot be folded.
    fn fold(
        &mut self,
        events: &mut [KeptEvent<P::Event>],
        to: Position,
        parked: &[Parked],
        unparked: &[Position],
    ) -> Result<Result<(), Stuck>, Setback> {
        let Some(from) = self.checkpoint else { return Err(Setback::Moved) };
        let to = Checkpoint { position: to, ..from };
        let scope = self.part.map_or(Scope::Whole, Scope::Part);
        let projection = Arc::clone(&self.id);
        self.commit(Step { projection: &projection, scope, from: Some(from), to, parked, unparked }, events)
    }

    /// Folds events and commits a step.
    fn commit(&mut self, step: Step<'_>, events: &mut [KeptEvent<P::Event>]) -> Result<Result<(), Stuck>, Setback> {
        let (projection, owed, is_first_time) = (&self.projection, &self.owed, step.unparked.is_empty());
        let (mut ordinal, mut is_taking_over) = (0, false);
        let outcome = self.model.commit(&step, &mut |rows, role| {
            for (index, event) in events.iter_mut().enumerate() {
                ordinal = index;
                let is_owed = owed.contains(&event.stored.position());
                project(projection, rows, event, is_owed || (is_first_time && role == Role::Serves))?;
            }
            if role == Role::TakesOver {
                is_taking_over = true;
                flatten(guarded(|| projection.take_over(rows)))?;
                is_taking_over = false;
            }
            Ok(())
        });
        match outcome {
            Ok(role) => {
                self.checkpoint = Some(step.to);
                self.serves = role != Role::Builds;
                self.parked_count =
                    (self.parked_count + step.parked.len() as u64).saturating_sub(step.unparked.len() as u64);
                Ok(Ok(()))
            }
            Err(CommitError::Work(error)) if is_taking_over && !error.is::<TryLater>() => {
                Err(Setback::Fatal(OpenError::TakeOver { projection: ProjectionId::clone(&self.id), error }))
            }
            Err(CommitError::Work(error)) => {
                Ok(Err(Stuck { ordinal, why: error.to_string(), is_for_later: error.is::<TryLater>() }))
            }
            Err(error) => {
                self.serves &= !matches!(error, CommitError::Superseded { .. });
                Err(not_committed(error))
            }
        }
    }

    /// Commits a step without events, which shows that the read model can.
    fn commit_empty(&mut self, to: Position, parked: &[Parked]) -> Result<(), Setback> {
        self.fold(&mut [], to, parked, &[])?.map_err(|stuck| Setback::Model(stuck.why))
    }

    /// Folds the first of these events, which end at `to`, a step's worth; returns those that are left. What cannot be folded
    /// is parked.
    fn fold_some<'e>(
        &mut self,
        events: &'e mut [KeptEvent<P::Event>],
        to: Position,
    ) -> Result<&'e mut [KeptEvent<P::Event>], Setback> {
        let count = self.projection.events_at_once().min(self.model.events_at_once()).clamp(1, events.len());
        let end = events.get(count).map_or(to, |event| event.stored.position());
        let Err(stuck) = self.fold(&mut events[..count], end, &[], &[])? else { return Ok(&mut events[count..]) };
        let (before, from_stuck) = events.split_at_mut(stuck.ordinal);
        let is_to_blame = before.is_empty() || self.fold(before, from_stuck[0].stored.position(), &[], &[])?.is_ok();
        if stuck.is_for_later {
            return Err(Setback::Model(stuck.why));
        }
        if is_to_blame {
            self.fold_or_park(&mut from_stuck[0])?;
            return Ok(&mut from_stuck[1..]);
        }
        // One of those before is to blame, which shows only later or when it is committed.
        before.iter_mut().try_for_each(|event| self.fold_or_park(event))?;
        Ok(from_stuck)
    }

    /// Folds one event that has failed, or parks it.
    fn fold_or_park(&mut self, event: &mut KeptEvent<P::Event>) -> Result<(), Setback> {
        let (before, after) = (event.stored.position(), event.stored.position().plus(1));
        let mut reason = String::new();
        for attempt in 1..=ATTEMPTS {
            if attempt > 1 {
                thread::sleep(BETWEEN_ATTEMPTS);
                self.commit_empty(before, &[])?;
            }
            match self.fold(slice::from_mut(event), after, &[], &[])? {
                Ok(()) => return Ok(()),
                Err(stuck) if stuck.is_for_later => return Err(Setback::Model(stuck.why)),
                Err(stuck) => reason = stuck.why,
            }
        }
        let parked = Parked {
            position: before,
            event_type: event.stored.record().event_type().to_owned(),
            reason,
            attempts: ATTEMPTS,
            recorded_at: event.stored.recorded_at(),
            is_news: self.serves || self.owed.contains(&before),
        };
        self.commit_empty(after, &[parked])
    }

    /// Takes the projection. Returns where it stands, and a part of it if a rebuild has begun; `None` while another one has it.
    pub(super) fn claim_and_stand(
        &mut self,
        store_id: Uuid,
        head: Position,
    ) -> Result<Option<(Position, Option<Part>)>, Setback> {
        self.forget();
        if !self.is_claimed {
            self.is_claimed = self.model.claim(&self.id).map_err(model_failed)?;
            if !self.is_claimed {
                return Ok(None);
            }
        }
        let checkpoint = match self.model.checkpoint(&self.id).map_err(model_failed)? {
            Some(checkpoint) => checkpoint,
            None => self.set_up(store_id)?,
        };
        let Checkpoint { store_id: theirs, position } = checkpoint;
        let projection = ProjectionId::clone(&self.id);
        if theirs != store_id {
            return Err(Setback::Fatal(OpenError::ForeignStore { projection, theirs, ours: store_id }));
        }
        if position > head {
            return Err(Setback::Fatal(OpenError::Ahead { projection, position, head }));
        }
        self.parked_count = self.model.parked(&self.id).map_err(model_failed)?.len() as u64;
        self.checkpoint = Some(checkpoint);
        self.limit(head)?;
        let serving = self.model.serving(&self.id.name).map_err(model_failed)?;
        if let Some(Serving { version, checkpoint: Checkpoint { position, .. } }) = serving
            && position > head
        {
            let projection = ProjectionId { name: self.id.name.clone(), version };
            return Err(Setback::Fatal(OpenError::Ahead { projection, position, head }));
        }
        let parts = self.model.parts(&self.id).map_err(model_failed)?;
        Ok(Some((position, parts.first().map(|(part, _)| *part))))
    }

    /// Folds a part from now on, of a projection that is taken. Goes on where the part stands.
    pub(super) fn open_part(&mut self, part: Part, store_id: Uuid) -> Result<(), Setback> {
        self.part = Some(part);
        let begun = self.model.parts(&self.id).map_err(model_failed)?;
        self.checkpoint = begun.into_iter().find(|(begun, _)| *begun == part).map(|(_, checkpoint)| checkpoint);
        if self.checkpoint.is_some() {
            return Ok(());
        }
        let (projection, to) = (Arc::clone(&self.id), Checkpoint { store_id, position: Position::START });
        let scope = Scope::Part(part);
        let step = Step { projection: &projection, scope, from: None, to, parked: &[], unparked: &[] };
        self.commit(step, &mut [])?.map_err(|stuck| Setback::Model(stuck.why))
    }

    /// All parts, so many, have come to a position, and so has the whole; `false` when they have not.
    pub(super) fn join(&mut self, part_count: u32, to: Position) -> Result<bool, Setback> {
        let Some(from) = self.checkpoint else { return Err(Setback::Moved) };
        let (projection, to) = (Arc::clone(&self.id), Checkpoint { position: to, ..from });
        let parts = self.model.parts(&self.id).map_err(model_failed)?;
        if parts.len() != part_count as usize || parts.iter().any(|(_, stands)| *stands != to) {
            return Ok(false);
        }
        let step =
            Step { projection: &projection, scope: Scope::Join, from: Some(from), to, parked: &[], unparked: &[] };
        self.commit(step, &mut [])?.map_err(|stuck| Setback::Model(stuck.why))?;
        self.parked_count = self.model.parked(&self.id).map_err(model_failed)?.len() as u64;
        Ok(true)
    }

    /// Below which position everything is folded or parked; `None` before it was opened.
    pub(super) fn position(&self) -> Option<Position> {
        self.checkpoint.map(|checkpoint| checkpoint.position)
    }

    fn set_up(&mut self, store_id: Uuid) -> Result<Checkpoint, Setback> {
        let start = Checkpoint { store_id, position: Position::START };
        let step =
            Step { projection: &self.id, scope: Scope::Whole, from: None, to: start, parked: &[], unparked: &[] };
        let projection = &self.projection;
        let outcome = self.model.commit(&step, &mut |rows, role| {
            flatten(guarded(|| projection.set_up(rows)))?;
            if role == Role::TakesOver { flatten(guarded(|| projection.take_over(rows))) } else { Ok(()) }
        });
        match outcome {
            Ok(_) => Ok(start),
            Err(CommitError::Work(error)) => {
                Err(Setback::Fatal(OpenError::SetUp { projection: ProjectionId::clone(&self.id), error }))
            }
            Err(error) => Err(not_committed(error)),
        }
    }
}

/// Folds one event; a panic is a reason like any other.
fn project<P: Projection>(
    projection: &P,
    rows: &mut <P::Model as ReadModel>::Rows<'_>,
    event: &mut KeptEvent<P::Event>,
    is_news: bool,
) -> Result<(), ProjectError> {
    let decoded = event.decoded.as_mut().map_err(|why| why.clone())?;
    let Some(decoded) = decoded.take() else { return Ok(()) };
    let recorded = Recorded::new(decoded, event.stored.record(), event.stored.recorded_at(), is_news);
    let outcome = flatten(guarded(|| projection.project(rows, &recorded)));
    // It may have to be folded again.
    event.decoded = Ok(Some(recorded.event));
    outcome
}

fn flatten(outcome: Result<Result<(), ProjectError>, String>) -> Result<(), ProjectError> {
    outcome.unwrap_or_else(|said| Err(panicked(&said).into()))
}

/// What to make of a step that was not committed, for no reason of its events.
fn not_committed<E: ToString + Display>(error: CommitError<E>) -> Setback {
    match error {
        CommitError::Moved => Setback::Moved,
        CommitError::Superseded { by } => Setback::Superseded(by),
        error => model_failed(error),
    }
}

fn model_failed(error: impl ToString) -> Setback {
    Setback::Model(error.to_string())
}

impl<P: Projection> Follow for Follower<P> {
    fn id(&self) -> &ProjectionId {
        &self.id
    }

    fn query(&self) -> &Query {
        &self.query
    }

    fn open(&mut self, store_id: Uuid, head: Position) -> Result<Option<Position>, Setback> {
        match self.claim_and_stand(store_id, head)? {
            Some((_, Some(Part { count, .. }))) => {
                let projection = ProjectionId::clone(&self.id);
                Err(Setback::Fatal(OpenError::InParts { projection, part_count: count }))
            }
            opened => Ok(opened.map(|(position, _)| position)),
        }
    }

    fn limit(&mut self, head: Position) -> Result<Position, Setback> {
        let Some(own) = self.checkpoint else { return Err(Setback::Moved) };
        let serving = self.model.serving(&self.id.name).map_err(model_failed)?;
        self.serves = serving.is_none_or(|serving| serving.version == self.id.version);
        let Some(Serving { version, checkpoint }) = serving.filter(|_| !self.serves) else { return Ok(head) };
        let projection = ProjectionId { name: self.id.name.clone(), version };
        if version > self.id.version {
            Err(Setback::Superseded(version))
        } else if checkpoint.store_id != own.store_id {
            let (theirs, ours) = (checkpoint.store_id, own.store_id);
            Err(Setback::Fatal(OpenError::ForeignStore { projection, theirs, ours }))
        } else {
            let parked = self.model.parked(&projection).map_err(model_failed)?;
            self.owed = parked.iter().filter(|parked| parked.is_news).map(|parked| parked.position).collect();
            Ok(head.min(checkpoint.position))
        }
    }

    fn serves(&self) -> bool {
        self.serves
    }

    fn kept(&mut self) -> &mut dyn Keep {
        &mut self.kept
    }

    fn forget(&mut self) {
        self.kept = Kept::default();
    }

    fn flush(&mut self, to: Position) -> Result<Position, Setback> {
        let is_idle = self.kept.is_empty();
        if self.serves && is_idle && self.looked_at.elapsed() < LOOK_EVERY {
            return Ok(to);
        }
        if self.serves && self.checkpoint.is_some_and(|checkpoint| checkpoint.position >= to) {
            self.forget();
            self.looked_at = Instant::now();
            // Whether it still does.
            return self.limit(to);
        }
        let Kept { mut events, damage, .. } = mem::take(&mut self.kept);
        self.looked_at = Instant::now();
        if !damage.is_empty() || events.is_empty() {
            // Damage is of the log: nothing of it can be folded.
            self.commit_empty(events.first().map_or(to, |event| event.stored.position()), &damage)?;
        }
        if !damage.is_empty() {
            // Some of it may have been parked before, with a batch of which the rest was read anew.
            self.parked_count = self.model.parked(&self.id).map_err(model_failed)?.len() as u64;
        }
        let parked_max = self.parked_count + PARKED_AT_ONCE;
        let mut rest = &mut events[..];
        while let Some(first) = rest.first() {
            if self.parked_count >= parked_max {
                return Ok(first.stored.position());
            }
            rest = self.fold_some(rest, to)?;
        }
        Ok(to)
    }

    fn flush_beside(&mut self, to: Position, read: &mut ReadNext<'_>) -> Result<Position, Setback> {
        let mut next = Kept::default();
        let (flushed, reader) = thread::scope(|scope| {
            let reader = thread::Builder::new().name("gesta-reader".to_owned());
            let reader = reader.spawn_scoped(scope, || read(&mut next)).ok();
            let flushed = self.flush(to);
            (flushed, reader.map(|reader| reader.join().unwrap_or_else(|panic| resume_unwind(panic))))
        });
        let reached = flushed?;
        if reader.is_none() {
            // There was no other thread to be had.
            read(&mut next);
        }
        if reached >= to {
            self.kept = next;
        }
        Ok(reached)
    }

    fn parked(&mut self) -> Result<Vec<Position>, Setback> {
        let mut parked = self.model.parked(&self.id).map_err(model_failed)?;
        parked.retain(|parked| !parked.event_type.is_empty());
        self.owed.extend(parked.iter().filter(|parked| parked.is_news).map(|parked| parked.position));
        Ok(parked.into_iter().map(|parked| parked.position).collect())
    }

    fn fold_parked(&mut self, event: StoredEvent) -> Result<bool, Setback> {
        let Some(checkpoint) = self.checkpoint else { return Err(Setback::Moved) };
        let position = event.position();
        let mut event = KeptEvent::new(event);
        Ok(self.fold(slice::from_mut(&mut event), checkpoint.position, &[], &[position])?.is_ok())
    }

    fn parked_count(&self) -> u64 {
        self.parked_count
    }
}

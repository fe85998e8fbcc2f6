//! Folding a version of a projection from the beginning, in several parts at a time.
//!
//! ```text
//!  the log up to a cut ──┬─ events of part 0 ─► rows, checkpoint of part 0 ─┐
//!                        ├─ events of part 1 ─► rows, checkpoint of part 1 ─┼─► the projection's checkpoint: the cut
//!                        └─ ...                                             ┘   (and it takes over, where one serves)
//! ```
//!
//! What must stay true: what belongs together by the partition key is in one part, in the order of the log; so rows that hold
//! nothing of several keys are what one fold in order makes of them. A rebuild that was broken off goes on where each part
//! stands, with as many parts and the same key.

use super::follower::{Follow, Follower, Setback};
use super::slot::backoff;
use super::{OpenError, Part, Projection};
use gesta_model::{
    EventCursor, EventReader, PartitionKey, Position, ProjectionBoard, ProjectionId, ProjectionState, ProjectionStatus,
    Read, ReadError, Record, StoredEvent, Timestamp, Uuid,
};
use std::error::Error;
use std::num::NonZeroU32;
use std::ops::Deref;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};
use thiserror::Error as ThisError;

/// Folds a version of a projection that has no rows yet, in several parts at a time, up to where a [`Runner`](super::Runner)
/// goes on with it: the head, or where an earlier version stands that serves. Then it takes over from that one.
///
/// It is for projections whose rows each hold events of one partition key alone: of one stream, or of one value of a tag.
/// What a rebuild folds is no [news](crate::Recorded::is_news). Until it is done, a first version has rows already and stands at
/// the start.
///
/// ```no_run
/// # use gesta_cqrs::{Projection, Rebuild, RebuildError, sqlite::SqliteReadModel};
/// # fn example<P>(store: &gesta::Store, new: fn() -> P) -> Result<(), RebuildError>
/// # where P: Projection<Model = SqliteReadModel> {
/// let rebuilt = Rebuild::new(store, gesta_model::PartitionKey::Stream)
///     .parts(2.try_into().unwrap_or(std::num::NonZeroU32::MIN))
///     .run(|| Ok((new(), SqliteReadModel::open("orders.sqlite")?)))?;
/// println!("folded up to position {}", rebuilt.position);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Rebuild<P> {
    store: P,
    by: PartitionKey,
    part_count: NonZeroU32,
}

/// What a rebuild has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rebuilt {
    /// Every event below it is folded or parked, or is not of the projection.
    pub position: Position,
    /// How many events are parked.
    pub parked_count: u64,
    /// Whether the version serves now. If not, an earlier one has gone on meanwhile, and a runner catches up with it.
    pub is_serving: bool,
}

/// Why a projection cannot be rebuilt. What its parts have committed stays.
#[derive(Debug, ThisError)]
pub enum RebuildError {
    /// A runner has it, or another rebuild.
    #[error("{projection} is being folded by somebody else: stop that runner first")]
    Claimed {
        /// The projection.
        projection: ProjectionId,
    },
    /// It has rows already.
    #[error("{projection} is folded up to position {position} already: give the projection a new version")]
    HasRows {
        /// The projection.
        projection: ProjectionId,
        /// How far it has come.
        position: Position,
    },
    /// It was begun with another number of parts, or another key.
    #[error("a rebuild of {projection} was begun in {part_count} parts: go on with as many, and with the same key")]
    OtherParts {
        /// The projection.
        projection: ProjectionId,
        /// How many parts there are.
        part_count: u32,
    },
    /// The parts are not where the whole is, or not as far as they have come.
    #[error(
        "the parts of {projection} are not all in the database of the whole, up to position {cut}: give all of them the same"
    )]
    OtherRows {
        /// The projection.
        projection: ProjectionId,
        /// Where they should stand.
        cut: Position,
    },
    /// A later version serves.
    #[error("version {by} has taken over from {projection}: give the projection a later version")]
    Superseded {
        /// The projection.
        projection: ProjectionId,
        /// The version that serves.
        by: u32,
    },
    /// It cannot be folded at all, until somebody looks after it.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Its read model fails, also when it is tried again.
    #[error(
        "the read model of {projection} fails: {reason}: look after it and run the rebuild again, which goes on where it stands"
    )]
    Model {
        /// The projection.
        projection: ProjectionId,
        /// What went wrong last.
        reason: String,
    },
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] ReadError),
    /// There is no projection, or no read model for it.
    #[error(transparent)]
    Make(Box<dyn Error + Send + Sync>),
}

/// How often in a row a read model may fail.
const FAILURES_MAX: usize = 6;
/// How often the store is told how far it is.
const TELL_EVERY: Duration = Duration::from_secs(1);

impl<P> Rebuild<P>
where
    P: Deref<Target: EventReader> + Sync,
{
    /// A rebuild from a store: a reference to one, or an `Arc`. In as many parts as the machine has cores, unless said
    /// otherwise.
    pub fn new(store: P, by: PartitionKey) -> Self {
        let part_count = thread::available_parallelism().ok().and_then(|count| u32::try_from(count.get()).ok());
        Self { store, by, part_count: part_count.and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN) }
    }

    /// In how many parts.
    #[must_use]
    pub fn parts(mut self, count: NonZeroU32) -> Self {
        self.part_count = count;
        self
    }

    /// Folds, and returns when all is folded. `make` makes the projection and a read model of it, all of them over the same
    /// rows: one more of each than there are parts.
    pub fn run<Q, F>(&self, make: F) -> Result<Rebuilt, RebuildError>
    where
        Q: Projection,
        F: Fn() -> Result<(Q, Q::Model), Box<dyn Error + Send + Sync>>,
    {
        let follower =
            || make().map(|(projection, model)| Follower::new(projection, model)).map_err(RebuildError::Make);
        let mut whole = follower()?;
        let projection = whole.id().clone();
        let (store_id, head) = (self.store.store_id()?, self.store.head()?);
        let (part_count, key) = (self.part_count.get(), number_of(&self.by));
        let stopped = |setback| stopped(&projection, setback);
        match whole.claim_and_stand(store_id, head).map_err(stopped)? {
            None => return Err(RebuildError::Claimed { projection }),
            Some((position, _)) if position > Position::START => {
                return Err(RebuildError::HasRows { projection, position });
            }
            Some((_, Some(begun))) if (begun.count, begun.key) != (part_count, key) => {
                return Err(RebuildError::OtherParts { projection, part_count: begun.count });
            }
            Some(_) => {}
        }
        let cut = whole.limit(head).map_err(stopped)?;
        let parts: Vec<_> = (0..part_count).map(|ordinal| Part { ordinal, count: part_count, key }).collect();
        let positions: Vec<_> = parts.iter().map(|_| AtomicU64::new(0)).collect();
        let mut sections = Vec::new();
        for (part, reached) in parts.iter().zip(&positions) {
            let mut follower = follower()?;
            follower.open_part(*part, store_id).map_err(|setback| match setback {
                // The whole has not begun there, or has gone on.
                Setback::Moved => RebuildError::OtherRows { projection: projection.clone(), cut },
                setback => stopped(setback),
            })?;
            if let Some(position) = follower.position() {
                if position > cut {
                    return Err(OpenError::Ahead { projection, position, head: cut }.into());
                }
                // Relaxed: nobody else looks yet.
                reached.store(position.0, Ordering::Relaxed);
            }
            sections.push(Section { store: &*self.store, by: &self.by, part: *part, store_id, follower, cut, reached });
        }
        let state = if whole.serves() { ProjectionState::CatchingUp } else { ProjectionState::Building };
        // Relaxed: a report of progress, which orders nothing.
        let reached = || positions.iter().map(|position| position.load(Ordering::Relaxed)).min().unwrap_or_default();
        let (began, began_at) = (Instant::now(), reached());
        let tell = |is_serving, parked_count| {
            let position = Position(reached());
            let (done, left) = (position.0.saturating_sub(began_at), cut.since(position));
            let seconds = began.elapsed().as_secs_f64() * left as f64 / done as f64;
            let status = ProjectionStatus {
                projection: projection.clone(),
                position,
                lag: head.since(position),
                is_serving,
                parked_count,
                eta: Duration::try_from_secs_f64(seconds).ok().filter(|_| left > 0),
                state: state.clone(),
            };
            // Who cannot be told is not in the way.
            for name in self.store.tell_projections(&[status]).unwrap_or_default() {
                // A runner tries again what is parked.
                let _ = self.store.ask_to_replay_parked(&name);
            }
        };
        fold_all(sections, || tell(false, 0))?;
        if !whole.join(part_count, cut).map_err(stopped)? {
            return Err(RebuildError::OtherRows { projection, cut });
        }
        tell(whole.serves(), whole.parked_count());
        Ok(Rebuilt { position: cut, parked_count: whole.parked_count(), is_serving: whole.serves() })
    }
}

/// Folds all parts, each on a thread.
fn fold_all<S: EventReader + ?Sized, Q: Projection>(
    sections: Vec<Section<'_, S, Q>>,
    tell: impl Fn(),
) -> Result<(), RebuildError> {
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let (ended, ends) = channel::<()>();
        let threads: Vec<_> = sections
            .into_iter()
            .map(|mut section| {
                let (is_over, ended) = (&is_over, ended.clone());
                scope.spawn(move || {
                    let outcome = section.fold(is_over);
                    // Relaxed: the others may find out a little later.
                    is_over.fetch_or(outcome.is_err(), Ordering::Relaxed);
                    drop(ended);
                    outcome
                })
            })
            .collect();
        drop(ended);
        while ends.recv_timeout(TELL_EVERY) == Err(RecvTimeoutError::Timeout) {
            tell();
        }
        let outcomes = threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
        outcomes.collect::<Vec<_>>().into_iter().collect()
    })
}

/// One part and who folds it.
struct Section<'r, S: ?Sized, Q: Projection> {
    store: &'r S,
    by: &'r PartitionKey,
    part: Part,
    store_id: Uuid,
    follower: Follower<Q>,
    cut: Position,
    /// How far it has come.
    reached: &'r AtomicU64,
}

impl<S: EventReader + ?Sized, Q: Projection> Section<'_, S, Q> {
    /// Folds up to the cut, and tries again what may go better later.
    fn fold(&mut self, is_over: &AtomicBool) -> Result<(), RebuildError> {
        let mut failures = 0;
        while let Some(position) = self.follower.position().filter(|position| *position < self.cut) {
            // Relaxed: a report, and a wish to end.
            self.reached.store(position.0, Ordering::Relaxed);
            if is_over.load(Ordering::Relaxed) {
                break;
            }
            match self.fold_some(position, is_over) {
                Ok(()) => failures = 0,
                Err(Broken::Store(error)) => return Err(error.into()),
                Err(Broken::Model(Setback::Model(_))) if failures < FAILURES_MAX => {
                    thread::sleep(backoff(failures));
                    failures += 1;
                    // What was being committed may have been.
                    let _ = self.follower.open_part(self.part, self.store_id);
                }
                Err(Broken::Model(setback)) => return Err(stopped(self.follower.id(), setback)),
            }
        }
        self.reached.store(self.cut.0, Ordering::Relaxed);
        Ok(())
    }

    /// Folds from a position on, as long as nothing is in the way.
    fn fold_some(&mut self, from: Position, is_over: &AtomicBool) -> Result<(), Broken> {
        self.follower.forget();
        let read = Read::query(self.follower.query().clone()).from(from).until(self.cut);
        let mut cursor = self.store.read(read)?;
        loop {
            let mut next = self.cut;
            while let Some(record) = cursor.next_record() {
                let record = match record {
                    Ok(record) => record,
                    Err(ReadError::Damaged(damage)) => {
                        // Nobody knows whose events it took: one part tells.
                        if self.part.ordinal == 0 {
                            self.follower.kept().pass_damage(&damage);
                        }
                        continue;
                    }
                    Err(error) => return Err(error.into()),
                };
                if !holds(self.part, self.by, &record) {
                    continue;
                }
                let (event, after) = (StoredEvent::new(&record, Timestamp::default()), record.position().plus(1));
                self.follower.kept().take(event.recorded(cursor.recorded_at().unwrap_or_default()));
                if self.follower.kept().is_full() {
                    next = after;
                    break;
                }
            }
            let reached = self.follower.flush(next)?;
            self.reached.store(reached.0, Ordering::Relaxed);
            if reached < next || next == self.cut || is_over.load(Ordering::Relaxed) {
                return Ok(());
            }
        }
    }
}

/// A key as a number.
fn number_of(by: &PartitionKey) -> u32 {
    crc32fast::hash(by.to_string().as_bytes())
}

/// Whether an event is of a part. It is the same part whenever the rebuild goes on.
fn holds(part: Part, by: &PartitionKey, record: &Record<'_>) -> bool {
    let number = by.of(record).map_or(0, |name| crc32fast::hash(name.as_bytes()) % part.count);
    number == part.ordinal
}

/// What is in the way of a part.
enum Broken {
    Store(ReadError),
    Model(Setback),
}

impl From<ReadError> for Broken {
    fn from(error: ReadError) -> Self {
        Self::Store(error)
    }
}

impl From<Setback> for Broken {
    fn from(setback: Setback) -> Self {
        Self::Model(setback)
    }
}

/// Why a rebuild does not go on.
fn stopped(projection: &ProjectionId, setback: Setback) -> RebuildError {
    let projection = projection.clone();
    match setback {
        Setback::Model(reason) => RebuildError::Model { projection, reason },
        Setback::Moved => RebuildError::Claimed { projection },
        Setback::Superseded(by) => RebuildError::Superseded { projection, by },
        Setback::Fatal(error) => RebuildError::Open(error),
    }
}

//! A read or a subscription, on its way to the client as fast as that takes it.

use super::course::{Course, Filled};
use super::credit::Credit;
use super::outbox::{Gone, Outbox};
use crate::access::{Grant, Operation};
use crate::host::Host;
use crate::observe;
use crate::plane::{denied, internal, wait_for};
use crate::stores::OpenStore;
use gesta::Position;
use gesta_protocol::{Answer, Plane, ReadRequest};
use jiff::Timestamp;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// A read or a subscription.
pub(super) struct Stream {
    pub(super) id: u64,
    pub(super) host: Arc<Host>,
    pub(super) store: Arc<OpenStore>,
    pub(super) observed: Arc<observe::StoreObservations>,
    pub(super) grant: Grant,
    pub(super) client: String,
    pub(super) request: ReadRequest,
    pub(super) credit: Arc<Credit>,
    pub(super) load_turns: Arc<Semaphore>,
    pub(super) outbox: Outbox,
}

/// Bytes of events that are sent in one frame, and read at once.
const FRAME_BYTES: usize = 256 << 10;
/// What a read may take on a thread that others wait for, before it is given one of its own.
const FIRST_BYTES: usize = 32 << 10;

impl Stream {
    /// Sends events until all are sent, or the client has enough or is too slow.
    pub(super) async fn run(mut self) -> Result<(), Gone> {
        let began = Instant::now();
        let operation = if self.request.follow.is_some() {
            observe::Operation::SubscribeFirstEvent
        } else {
            observe::Operation::Read
        };
        let load_turn = match self.request.snapshot {
            Some(_) => Some(Arc::clone(&self.load_turns).acquire_owned().await.map_err(|_| Gone)?),
            None => None,
        };
        let Some((course, mut ahead)) = self.begin().await else {
            return self.outbox.answer(self.id, &Answer::Refused(internal())).await;
        };
        if load_turn.is_some() {
            self.outbox.put(std::mem::take(&mut ahead), 0).await?;
            drop(load_turn);
        }
        let mut course = Some(course);
        let mut subscriber = None;
        if self.request.follow.is_some() {
            let from = self.request.read.from.unwrap_or_default();
            subscriber = Some(self.observed.subscriber(self.client.clone(), from));
        }
        if !self.credit.has_any() {
            if !ahead.is_empty() {
                self.outbox.put(std::mem::take(&mut ahead), 0).await?;
            }
            if let Some(outcome) = self.wait_for_credit(self.request.read.from.unwrap_or_default()).await {
                return outcome;
            }
        }
        let mut is_first = true;
        let (mut head, mut reloaded) = (self.store.head.clone(), self.host.reloaded.subscribe());
        loop {
            reloaded.mark_unchanged();
            if !self.may_still() {
                return self.outbox.answer(self.id, &Answer::Refused(denied())).await;
            }
            // Whatever is appended from here on is seen below or wakes the wait.
            head.mark_unchanged();
            let Some(filled) = self.fill(&mut course, is_first).await else {
                return self.outbox.answer(self.id, &Answer::Refused(internal())).await;
            };
            let Filled { frames, event_bytes, events, position, is_idle, has_ended } = filled;
            self.credit.spend(event_bytes);
            let mut parcel = std::mem::take(&mut ahead);
            if parcel.is_empty() {
                parcel = frames
            } else {
                parcel.extend_from_slice(&frames)
            }
            if !parcel.is_empty() {
                self.outbox.put(parcel, events).await?;
            }
            if std::mem::take(&mut is_first) {
                self.observed.query(operation, began.elapsed());
            }
            if let Some(subscriber) = &subscriber {
                subscriber.reached(position);
            }
            if has_ended {
                return Ok(());
            }
            if is_idle {
                let pace = self.request.follow.unwrap_or_default();
                tokio::select! {
                    _ = head.changed() => {}
                    () = self.credit.cancelled() => return self.outbox.answer(self.id, &Answer::Done).await,
                    () = self.outbox.closed() => return Err(Gone),
                    // Whether it may go on is asked anew.
                    _ = reloaded.changed() => continue,
                    // Saying how far it has come takes no credit.
                    () = tokio::time::sleep(pace.progress_every.min(LONG)) => continue,
                }
            }
            if let Some(outcome) = self.wait_for_credit(position).await {
                return outcome;
            }
        }
    }

    /// Waits until something may be sent; otherwise tells what the read comes to. Everything below `position` was sent.
    async fn wait_for_credit(&self, position: Position) -> Option<Result<(), Gone>> {
        let patience = Duration::from_millis(self.host.limits.slow_reader_timeout_ms);
        match wait_for(patience, self.credit.wait()).await {
            Ok(true) => None,
            Ok(false) => Some(self.outbox.answer(self.id, &Answer::Done).await),
            Err(_) => {
                self.host.observed(Plane::Read).refused(observe::Refusal::SlowReader);
                tracing::warn!(client = %observe::Shown(&self.client), %position, "a reader was too slow");
                Some(self.outbox.answer(self.id, &Answer::TooSlow(position)).await)
            }
        }
    }

    /// Begins to read; what is not written yet is written first, and a snapshot is read, on a thread that nobody else waits for.
    async fn begin(&self) -> Option<(Course, Vec<u8>)> {
        if !self.request.read.sees_unsynced && self.request.snapshot.is_none() {
            return Some(Course::begin(&self.store, self.id, &self.request));
        }
        let (store, id, request) = (Arc::clone(&self.store), self.id, self.request.clone());
        tokio::task::spawn_blocking(move || Course::begin(&store, id, &request)).await.ok()
    }

    /// Reads on: a little at once, what is more on a thread that nobody else waits for. `None` when that failed.
    async fn fill(&self, course: &mut Option<Course>, is_first: bool) -> Option<Filled> {
        let (id, taken) = (self.id, course.take()?);
        let is_short = is_first || self.is_close_behind(&taken);
        let (rest, filled) = if is_short {
            taken.fill(id, FIRST_BYTES)
        } else {
            tokio::task::spawn_blocking(move || taken.fill(id, FRAME_BYTES)).await.ok()?
        };
        *course = Some(rest);
        Some(filled)
    }

    /// Whether what is left was appended a moment ago, and so is in memory.
    fn is_close_behind(&self, course: &Course) -> bool {
        const CLOSE: u64 = 1024;
        match course {
            Course::Subscription(subscription) => self.store.reader.head().since(subscription.position()) <= CLOSE,
            _ => false,
        }
    }

    /// Whether the client's token still stands.
    fn may_still(&mut self) -> bool {
        let operation = if self.request.follow.is_some() { Operation::Subscribe } else { Operation::Read };
        self.host.access.allow(&mut self.grant, operation, self.store.name.as_str(), Timestamp::now()).is_ok()
    }
}

/// What counts for never.
const LONG: Duration = Duration::from_secs(3600);

//! A read that outlives its connections: what a cursor and a subscription have in common.
//!
//! What must stay true: each event of the read is handed out once, in order, whatever becomes of the connections. So the scope is
//! narrowed with every event, and a new connection is asked for what the scope says, in the life of the log that it is of.

use super::frame_walk::FrameWalk;
use super::scope::Scope;
use crate::core::Core;
use crate::wire::{Backoff, Delivery, Fault, FeedReader, Question};
use gesta_model::{
    Explanation, Incarnation, Pace, Position, Read, ReadError, Record, RemoteError, Selection, Snapshot, SnapshotKey,
    Timestamp,
};
use gesta_protocol::{Answer, Begun, Frame, Kind, Plane, ReadRequest, Request};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A read that outlives its connections.
pub(super) struct Reading {
    core: Arc<Core>,
    scope: Scope,
    follow: Option<Pace>,
    way: Way,
    walk: Option<FrameWalk>,
    /// Bytes of frames that were used up since there was credit for more.
    used_bytes: usize,
    begun: Option<Begun>,
    /// The snapshot to begin after, while the server has not said whether there is one.
    wish: Option<(SnapshotKey, u32)>,
    /// What it has said.
    snapshot: Option<Snapshot>,
    recorded_at: Option<Timestamp>,
    explanation: Explanation,
    /// Since when nothing has come although it could have.
    tried_since: Option<Instant>,
    backoff: Backoff,
}

/// How the events come.
enum Way {
    /// They do not: they are to be asked for, at that time if there is one.
    Ask(Option<Instant>),
    /// As the answer to a request.
    Open(FeedReader),
    /// All have come.
    Over,
}

/// What a step leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// An event: [`Reading::record`] has it.
    Event,
    /// The server has begun, or begun again, to answer.
    Begun,
    CaughtUp,
    FellBehind,
    Progress,
    Ended,
}

impl Reading {
    pub(super) fn new(core: Arc<Core>, read: Read, follow: Option<Pace>) -> Self {
        let scope = Scope::new(read);
        Self {
            core,
            scope,
            follow,
            way: Way::Ask(None),
            walk: None,
            used_bytes: 0,
            begun: None,
            wish: None,
            snapshot: None,
            recorded_at: None,
            explanation: Explanation::default(),
            tried_since: None,
            backoff: Backoff::default(),
        }
    }

    /// Begins after the snapshot of a key and schema, if there is one.
    pub(super) fn after_snapshot(mut self, key: SnapshotKey, schema: u32) -> Self {
        self.wish = Some((key, schema));
        self
    }

    /// The snapshot that the read begins after.
    pub(super) fn take_snapshot(&mut self) -> Option<Snapshot> {
        self.snapshot.take()
    }

    /// Forward: everything below it was handed out, or is not of this read.
    pub(super) fn position(&self) -> Position {
        self.scope.position()
    }

    /// Waits until the server has begun to answer: from then on it is known what the read is about.
    pub(super) async fn begin(&mut self) -> Result<(), ReadError> {
        while self.begun.is_none() || self.wish.is_some() {
            if let Some(Err(error)) = self.ready() {
                return Err(error);
            }
            if self.begun.is_none() || self.wish.is_some() {
                self.wait().await;
            }
        }
        Ok(())
    }

    /// The event that the last step led to.
    pub(super) fn record(&self) -> Record<'_> {
        let record = self.walk.as_ref().and_then(FrameWalk::record);
        record.expect("a step has led to an event that was verified")
    }

    pub(super) fn recorded_at(&self) -> Option<Timestamp> {
        self.recorded_at
    }

    pub(super) fn explain(&self) -> Explanation {
        self.explanation
    }

    /// Waits for the next step.
    pub(super) async fn step(&mut self) -> Result<Step, ReadError> {
        loop {
            if let Some(step) = self.ready().transpose()? {
                return Ok(step);
            }
            self.wait().await;
        }
    }

    /// The next step, if it can be made without waiting for anybody.
    pub(super) fn ready(&mut self) -> Option<Result<Step, ReadError>> {
        loop {
            match self.next_of_frame() {
                Some(Ok(())) => return Some(Ok(Step::Event)),
                Some(Err(what)) => return Some(Err(self.distrust(what))),
                None => {}
            }
            // What the head is is asked even by a read of nothing.
            if self.scope.is_spent() && self.begun.is_some() && matches!(self.way, Way::Ask(_)) {
                self.way = Way::Over;
            }
            let feed = match &mut self.way {
                Way::Over => return Some(Ok(Step::Ended)),
                Way::Ask(_) => return None,
                Way::Open(feed) => feed,
            };
            let taken = match feed.try_next()? {
                Delivery::Frame { kind, body } => self.take(kind, body),
                Delivery::End(fault) => self.take_end(fault).map(|()| None),
            };
            match taken {
                Ok(None) => {}
                Ok(Some(step)) => return Some(Ok(step)),
                Err(error) => return Some(Err(error)),
            }
        }
    }

    /// Waits until more may be ready. Nothing is lost when it is not waited for any more.
    async fn wait(&mut self) {
        match &mut self.way {
            Way::Over => {}
            Way::Open(feed) => feed.ready().await,
            Way::Ask(at) => {
                if let Some(at) = *at {
                    tokio::time::sleep_until(at.into()).await;
                }
                self.ask();
            }
        }
    }

    /// Asks for what is left.
    fn ask(&mut self) {
        let read = self.scope.read().clone();
        let window = self.core.target.options.window_bytes.max(1);
        let is_plain = matches!(read.selection, Selection::Everything) && !read.is_backward;
        let is_bounded =
            read.since.is_some() || read.limit != u64::MAX || self.follow.is_some() && read.until.is_some();
        let request = ReadRequest {
            read,
            follow: self.follow.map(often_heard_of),
            takes_batches: is_plain && !is_bounded,
            given_in: self.begun.map(|begun| begun.incarnation),
            credit: window,
            snapshot: self.wish.clone(),
        };
        let mut question = Question::new(&Request::Read(Box::new(request)));
        question.tried_since = self.tried_since;
        self.used_bytes = 0;
        self.way = Way::Open(self.core.reads.call(question));
    }

    /// Goes on to the next event of the frame at hand; `None` when it has no more. The error says what is wrong with it.
    fn next_of_frame(&mut self) -> Option<Result<(), String>> {
        let walk = self.walk.as_mut()?;
        while let Some(found) = walk.advance() {
            match found {
                Ok(position) if self.scope.wants(position) => {
                    self.scope.hand_out(position);
                    self.recorded_at = walk.recorded_at();
                    return Some(Ok(()));
                }
                Ok(_) => {}
                Err(what) => return Some(Err(what)),
            }
        }
        self.used_bytes += walk.bytes();
        self.walk = None;
        self.give_credit();
        None
    }

    /// Gives back the credit of what was used up, a good part of it at a time.
    fn give_credit(&mut self) {
        if let Way::Open(feed) = &self.way
            && self.used_bytes >= self.core.target.options.window_bytes as usize / 4
        {
            feed.give_credit(u32::try_from(self.used_bytes).unwrap_or(u32::MAX));
            self.used_bytes = 0;
        }
    }

    /// Takes a frame of the answer.
    fn take(&mut self, kind: u8, body: Vec<u8>) -> Result<Option<Step>, ReadError> {
        let awaited = match (self.begun, &self.wish) {
            (None, _) => Some(Kind::Begun),
            (Some(_), Some(_)) => Some(Kind::Snapshot),
            (Some(_), None) => None,
        };
        if kind != Kind::Refused as u8 && awaited.is_some_and(|awaited| kind != awaited as u8) {
            return Err(self.distrust("an answer to a read that does not say how it begins".to_owned()));
        }
        if let Some(kind @ (Kind::Events | Kind::Batches)) = Kind::of(kind) {
            self.come_on();
            self.walk = Some(FrameWalk::new(kind, body));
            return Ok(None);
        }
        let answer = match Answer::decode(&Frame { kind, id: 0, body: &body }) {
            Ok(answer) => answer,
            Err(error) => return Err(self.distrust(error.to_string())),
        };
        match answer {
            Answer::Begun(begun) => {
                if self.follow.is_none() && self.wish.is_none() {
                    self.scope.bound(begun.head);
                }
                self.begun = Some(begun);
                // With a snapshot to come, the answer has not begun before that.
                return Ok(self.wish.is_none().then_some(Step::Begun));
            }
            Answer::Snapshot(found) if self.wish.is_some() => {
                self.take_found(found);
                return Ok(Some(Step::Begun));
            }
            Answer::Refused(refusal) => return self.take_end(Fault::of(refusal)).map(|()| None),
            Answer::TooSlow(position) => {
                self.scope.pass_below(position);
                self.try_again(&Fault::Broken("the reader was too slow".to_owned()))?;
                return Ok(None);
            }
            _ => self.come_on(),
        }
        let (position, step) = match answer {
            Answer::Damaged(damage) => {
                self.scope.pass_damage(&damage);
                return Err(ReadError::Damaged(damage));
            }
            Answer::CaughtUp(position) => (position, Step::CaughtUp),
            Answer::FellBehind(position) => (position, Step::FellBehind),
            Answer::Progress(position) => (position, Step::Progress),
            Answer::Ended(ended) => {
                self.add_cost(ended.explanation);
                self.way = Way::Over;
                (ended.position, Step::Ended)
            }
            other => return Err(self.distrust(format!("{:?} in answer to a read", other.kind()))),
        };
        self.scope.pass_below(position);
        Ok(Some(step))
    }

    /// Takes what the server has said of the snapshot: the events follow from there up to the head.
    fn take_found(&mut self, found: Option<(Position, &[u8])>) {
        let (Some((key, schema)), Some(begun)) = (self.wish.take(), self.begun) else { return };
        self.scope.bound(begun.head);
        if let Some((position, data)) = found {
            self.scope.pass_below(position);
            self.snapshot = Some(Snapshot { key, schema, position, data: data.to_vec() });
        }
    }

    /// Takes note that the answer ended before it was complete.
    fn take_end(&mut self, fault: Fault) -> Result<(), ReadError> {
        if let Fault::Broken(_) = fault {
            return self.try_again(&fault);
        }
        // A bounded read that was refused is over; a subscription is asked for again, should somebody wait for it again.
        self.way = if fault.may_retry() || self.follow.is_some() { Way::Ask(None) } else { Way::Over };
        self.tried_since = None;
        Err(fault.to_read_error(&self.core.target.address, Plane::Read))
    }

    /// Asks again, unless nothing has come for too long.
    fn try_again(&mut self, fault: &Fault) -> Result<(), ReadError> {
        if self.wish.is_some() {
            // Nothing was handed out: the next answer may begin at another head.
            self.begun = None;
        }
        let now = Instant::now();
        let is_first_try = self.tried_since.is_none();
        let since = *self.tried_since.get_or_insert(now);
        if now - since >= self.core.target.options.retry_for {
            (self.way, self.tried_since) = (Way::Ask(None), None);
            return Err(fault.to_read_error(&self.core.target.address, Plane::Read));
        }
        self.way = Way::Ask(if is_first_try { None } else { Some(now + self.backoff.next_wait()) });
        Ok(())
    }

    /// Something of use has come.
    fn come_on(&mut self) {
        self.tried_since = None;
        self.backoff.reset();
    }

    /// What came is not what was sent, or not of this protocol: the next call asks for it anew.
    fn distrust(&mut self, what: String) -> ReadError {
        (self.way, self.walk, self.tried_since) = (Way::Ask(None), None, None);
        let address = self.core.target.address.endpoint(Plane::Read);
        ReadError::Remote(RemoteError::Protocol { address, what })
    }

    fn add_cost(&mut self, more: Explanation) {
        let cost = &mut self.explanation;
        cost.lists_read = cost.lists_read.saturating_add(more.lists_read);
        cost.segments_asked = cost.segments_asked.saturating_add(more.segments_asked);
        cost.segments_skipped = cost.segments_skipped.saturating_add(more.segments_skipped);
        cost.records_touched = cost.records_touched.saturating_add(more.records_touched);
    }

    /// What held when the server began, or last began again, to answer.
    pub(super) fn begun(&self) -> (Position, Incarnation) {
        self.begun.map_or((Position::START, Incarnation::default()), |begun| (begun.head, begun.incarnation))
    }
}

/// How often a subscription hears at least how far it has come, whether or not anybody wants to know: its position moves on,
/// so that a new connection need not begin where the last event was.
const HEARD_OF_EVERY: Duration = Duration::from_secs(1);
/// How often it hears that at most.
const HEARD_OF_AT_MOST_EVERY: Duration = Duration::from_millis(50);

fn often_heard_of(pace: Pace) -> Pace {
    Pace { progress_every: pace.progress_every.clamp(HEARD_OF_AT_MOST_EVERY, HEARD_OF_EVERY), ..pace }
}

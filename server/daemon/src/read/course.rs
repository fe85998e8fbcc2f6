//! Where the events of a read come from, a frame's worth at a time.

use crate::stores::OpenStore;
use gesta::codec::BatchHeader;
use gesta::{
    Batches, Cursor, Damage, Explanation, Notice, Position, ReadError, Selection, SnapshotKey, Subscription, Timestamp,
};
use gesta_protocol::{Answer, Begun, Ended, EventsEncoder, ReadRequest, Refusal};
use std::time::Duration;

/// Where the events of a read come from.
pub(super) enum Course {
    /// Whole batches up to a cut.
    Batches(Batches),
    /// Whole batches up to the head or the end, then a subscription from there.
    CatchUp(Batches, Box<(OpenRead, Position)>),
    /// Single events up to a cut.
    Cursor(Box<Cursor>, bool),
    /// Single events, without end.
    Subscription(Box<Subscription>),
}

/// What is needed to go on with a subscription where the batches end.
pub(super) struct OpenRead {
    store: std::sync::Arc<OpenStore>,
    request: ReadRequest,
}

/// Some of the answer to a read.
#[derive(Default)]
pub(super) struct Filled {
    /// Frames, to be sent as they are.
    pub(super) frames: Vec<u8>,
    /// Bytes of events among them: what credit is for.
    pub(super) event_bytes: usize,
    pub(super) events: usize,
    /// Everything below it was sent, or is not of this read.
    pub(super) position: Position,
    /// There is nothing to send until the head rises.
    pub(super) is_idle: bool,
    /// The answer is complete.
    pub(super) has_ended: bool,
}

impl Course {
    /// The course of a read, and the first frame of its answer.
    pub(super) fn begin(store: &std::sync::Arc<OpenStore>, id: u64, request: &ReadRequest) -> (Self, Vec<u8>) {
        let incarnation = store.store.incarnation();
        let load = |(key, schema): &(SnapshotKey, u32)| store.reader.load(key, *schema, Selection::Everything).snapshot;
        let snapshot = request.snapshot.as_ref().map(load);
        let mut begun = Vec::new();
        let mut begin = |head| {
            Answer::Begun(Begun { head, incarnation }).encode(id, &mut begun);
            if let Some(snapshot) = &snapshot {
                let found = snapshot.as_ref().map(|snapshot| (snapshot.position, &snapshot.data[..]));
                Answer::Snapshot(found).encode(id, &mut begun);
            }
        };
        let mut read = request.read.clone();
        if let Some(Some(snapshot)) = &snapshot {
            read.from = Some(snapshot.position);
        }
        let from = read.from.unwrap_or_default();
        let wants_all =
            matches!(read.selection, Selection::Everything) && read.since.is_none() && read.limit == u64::MAX;
        let in_batches = request.takes_batches && wants_all && !read.is_backward && !read.sees_unsynced;
        let head = store.reader.head();
        let until = read.until.unwrap_or(Position::MAX).min(head);
        let course = match request.follow {
            None if in_batches => {
                begin(head);
                Self::Batches(store.reader.batches(from..until))
            }
            None => {
                let cursor = store.store.read(read);
                begin(cursor.head());
                Self::Cursor(Box::new(cursor), request.read.is_backward)
            }
            Some(_) if in_batches && from < until => {
                begin(head);
                let rest = OpenRead { store: std::sync::Arc::clone(store), request: request.clone() };
                Self::CatchUp(store.reader.batches(from..until), Box::new((rest, until)))
            }
            Some(pace) => {
                begin(head);
                Self::Subscription(Box::new(store.store.subscribe(read).pace(pace)))
            }
        };
        (course, begun)
    }

    /// The next frames, with up to about `bytes` of events. May read from the disk.
    pub(super) fn fill(self, id: u64, bytes: usize) -> (Self, Filled) {
        match self {
            Self::Batches(mut batches) => {
                let mut filled = fill_batches(&mut batches, id, bytes);
                if filled.is_idle {
                    end(&mut filled, id, Explanation::default());
                }
                (Self::Batches(batches), filled)
            }
            Self::CatchUp(mut batches, rest) => {
                let mut filled = fill_batches(&mut batches, id, bytes);
                if !std::mem::take(&mut filled.is_idle) {
                    return (Self::CatchUp(batches, rest), filled);
                }
                let (OpenRead { store, request }, next) = *rest;
                let read = request.read.from(next);
                let subscription = store.store.subscribe(read).pace(request.follow.unwrap_or_default());
                (Self::Subscription(Box::new(subscription)), filled)
            }
            Self::Cursor(mut cursor, is_backward) => {
                let filled = fill_from_cursor(&mut cursor, is_backward, id, bytes);
                (Self::Cursor(cursor, is_backward), filled)
            }
            Self::Subscription(mut subscription) => {
                let filled = fill_from_subscription(&mut subscription, id, bytes);
                (Self::Subscription(subscription), filled)
            }
        }
    }
}

fn fill_batches(batches: &mut Batches, id: u64, bytes: usize) -> Filled {
    let mut filled = Filled::default();
    let mut encoder = EventsEncoder::batches(id);
    while encoder.body_bytes() < bytes {
        match batches.next_batch() {
            Some(Ok(batch)) => {
                encoder.batch(batch);
                filled.events += event_count(batch);
            }
            Some(Err(error)) => {
                filled.take_events(&mut encoder);
                filled.fail(id, error);
                break;
            }
            None => {
                filled.is_idle = true;
                break;
            }
        }
    }
    filled.take_events(&mut encoder);
    filled.position = batches.position();
    filled
}

/// How many events a batch holds, by its portable header.
fn event_count(batch: &[u8]) -> usize {
    let header = batch.first_chunk().and_then(|portable| BatchHeader::decode_portable(portable).ok());
    header.map_or(0, |header| header.count as usize)
}

fn fill_from_cursor(cursor: &mut Cursor, is_backward: bool, id: u64, bytes: usize) -> Filled {
    let mut filled = Filled::default();
    let mut encoder = EventsEncoder::events(id);
    let is_complete = loop {
        if encoder.body_bytes() >= bytes || filled.has_ended {
            break false;
        }
        match cursor.next_record() {
            Some(Ok(record)) => {
                encoder.event(Timestamp::default(), &record);
                filled.events += 1;
                encoder.date_last(cursor.recorded_at().unwrap_or_default());
            }
            Some(Err(error)) => {
                filled.take_events(&mut encoder);
                filled.fail(id, error);
            }
            None => break true,
        }
    };
    filled.take_events(&mut encoder);
    let remaining = cursor.remaining_positions();
    filled.position = if is_backward { remaining.end } else { remaining.start };
    if is_complete {
        end(&mut filled, id, cursor.explain());
    }
    filled
}

fn fill_from_subscription(subscription: &mut Subscription, id: u64, bytes: usize) -> Filled {
    let mut filled = Filled::default();
    let mut encoder = EventsEncoder::events(id);
    while encoder.body_bytes() < bytes && !filled.is_idle && !filled.has_ended {
        let word = match subscription.next(Duration::ZERO) {
            Ok(Notice::Event(record)) => {
                encoder.event(Timestamp::default(), &record);
                filled.events += 1;
                encoder.date_last(subscription.recorded_at().unwrap_or_default());
                continue;
            }
            Ok(Notice::CaughtUp(position)) => Ok(Answer::CaughtUp(position)),
            Ok(Notice::FellBehind(position)) => Ok(Answer::FellBehind(position)),
            Ok(Notice::Progress(position)) => Ok(Answer::Progress(position)),
            Ok(Notice::Ended(position)) => {
                filled.has_ended = true;
                Ok(Answer::Ended(Ended { position, explanation: Explanation::default() }))
            }
            Ok(_) => {
                filled.is_idle = true;
                continue;
            }
            Err(error) => Err(error),
        };
        filled.take_events(&mut encoder);
        match word {
            Ok(answer) => answer.encode(id, &mut filled.frames),
            Err(error) => filled.fail(id, error),
        }
    }
    filled.take_events(&mut encoder);
    filled.position = subscription.position();
    filled
}

/// Ends the answer to a bounded read.
fn end(filled: &mut Filled, id: u64, explanation: Explanation) {
    filled.has_ended = true;
    Answer::Ended(Ended { position: filled.position, explanation }).encode(id, &mut filled.frames);
}

impl Filled {
    /// Takes over the events that an encoder has gathered.
    fn take_events(&mut self, encoder: &mut EventsEncoder) {
        self.event_bytes += encoder.body_bytes();
        let Some(frame) = encoder.take() else { return };
        if self.frames.is_empty() { self.frames = frame } else { self.frames.extend_from_slice(&frame) }
    }

    /// Tells of damage, after which the read goes on, or of a failure, which ends it.
    fn fail(&mut self, id: u64, error: ReadError) {
        match error {
            ReadError::Damaged(damage) => Answer::Damaged(without_directories(damage)).encode(id, &mut self.frames),
            error => {
                tracing::error!(%error, "a read failed");
                self.has_ended = true;
                Answer::Refused(Refusal::from(&error)).encode(id, &mut self.frames);
            }
        }
    }
}

/// A client is told which file is damaged, and not where the server keeps it.
pub(super) fn without_directories(mut damage: Damage) -> Damage {
    if let Some((_, file)) = damage.file.rsplit_once('/') {
        damage.file = file.to_owned();
    }
    damage
}

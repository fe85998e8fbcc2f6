//! The events of one received frame, each borrowed from the frame's own buffer.
//!
//! What must stay true: no record is handed out before its checksum, or that of its whole batch, has matched.

use gesta_model::codec::{PORTABLE_BYTES, RecordWalk};
use gesta_model::{Position, Record, Timestamp};
use gesta_protocol::{Batches, Events, Kind};
use std::ops::Range;

/// A walk over the events of one frame.
pub(super) struct FrameWalk {
    body: Vec<u8>,
    form: Form,
    /// Where the bytes begin that were not looked at.
    next: usize,
    /// The record that the walk stands at, and its position.
    here: Option<(usize, Position)>,
    recorded_at: Option<Timestamp>,
}

enum Form {
    Events,
    Batches(Option<Batch>),
}

/// A batch whose checksum has matched.
struct Batch {
    body: Range<usize>,
    walk: RecordWalk,
}

impl FrameWalk {
    /// Before the first event of a frame of events or batches.
    pub(super) fn new(kind: Kind, body: Vec<u8>) -> Self {
        let form = if kind == Kind::Batches { Form::Batches(None) } else { Form::Events };
        Self { body, form, next: 0, here: None, recorded_at: None }
    }

    /// Bytes of the frame's body.
    pub(super) fn bytes(&self) -> usize {
        self.body.len()
    }

    /// Goes on to the next event and returns its position; `None` after the last. The error says what is wrong.
    pub(super) fn advance(&mut self) -> Option<Result<Position, String>> {
        match self.form {
            Form::Events => self.next_event(),
            Form::Batches(_) => self.next_of_batches(),
        }
    }

    /// The event that the walk stands at.
    pub(super) fn record(&self) -> Option<Record<'_>> {
        let (offset, position) = self.here?;
        Record::decode(&self.body[offset..], position).ok().map(|(record, _)| record)
    }

    /// When the store took the event that the walk stands at.
    pub(super) fn recorded_at(&self) -> Option<Timestamp> {
        self.recorded_at
    }

    fn next_event(&mut self) -> Option<Result<Position, String>> {
        const BEFORE_RECORD: usize = size_of::<u64>() + size_of::<i64>();
        let event = match Events::new(&self.body[self.next..]).next()? {
            Ok(event) => event,
            Err(error) => return Some(Err(error.to_string())),
        };
        let (position, record) = (event.record.position(), self.next + BEFORE_RECORD);
        self.recorded_at = Some(event.recorded_at);
        self.here = Some((record, position));
        self.next = record + event.record.bytes().len().next_multiple_of(8);
        Some(Ok(position))
    }

    fn next_of_batches(&mut self) -> Option<Result<Position, String>> {
        loop {
            if let Form::Batches(Some(Batch { body, walk })) = &mut self.form
                && let Some(place) = walk.next_place(&self.body[body.clone()])
            {
                return Some(match place {
                    Ok(place) => {
                        let position = place.record.position();
                        self.here = Some((body.start + place.offset, position));
                        Ok(position)
                    }
                    Err(error) => Err(error.to_string()),
                });
            }
            let batch = match Batches::new(&self.body[self.next..]).next()? {
                Ok(batch) => batch,
                Err(error) => return Some(Err(error.to_string())),
            };
            let start = self.next + PORTABLE_BYTES;
            self.next = start + batch.body.len();
            self.recorded_at = Some(batch.header.recorded_at);
            self.form = Form::Batches(Some(Batch { body: start..self.next, walk: RecordWalk::new(&batch.header) }));
        }
    }
}

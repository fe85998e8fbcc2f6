//! Events on their way to a reader: single ones, each with its place, or whole batches.
//!
//! ```text
//!  Events    { position u64 | recorded_at i64 | record, padded to 8 bytes }, one after another
//!  Batches   { portable header 48 | body }, one after another, as they lie in the log
//! ```
//!
//! Both end with their frame. Whoever reads them asks the checksums: of each record, or of each batch's body.

use crate::Kind;
use crate::fields::{FieldError, FieldReader, FieldWriter};
use crate::frame::{FRAME_HEADER_BYTES, finish_frame};
use gesta_model::codec::{BatchHeader, PORTABLE_BYTES, verify_body};
use gesta_model::{Position, Record, Timestamp};

/// An event of an `Events` frame, verified.
#[derive(Clone, Copy, Debug)]
pub struct SentEvent<'a> {
    /// The event, at its place.
    pub record: Record<'a>,
    /// When the store took it.
    pub recorded_at: Timestamp,
}

/// The events of an `Events` frame. Ends after the first that is not whole.
#[derive(Clone, Debug)]
pub struct Events<'a> {
    fields: FieldReader<'a>,
}

impl<'a> Events<'a> {
    /// The events of a frame's body.
    #[must_use]
    pub fn new(body: &'a [u8]) -> Self {
        Self { fields: FieldReader::new(body) }
    }

    /// The bytes of what is left.
    pub(crate) fn body(&self) -> &'a [u8] {
        self.fields.clone().rest()
    }

    fn take(&mut self) -> Result<SentEvent<'a>, FieldError> {
        let position = Position(self.fields.u64("position")?);
        let recorded_at = Timestamp(self.fields.i64("recorded_at")?);
        let untrue = |error| FieldError::not_allowed("record", format!("no true event ({error})"));
        let (record, taken) = Record::decode(self.fields.clone().rest(), position).map_err(untrue)?;
        record.verify().map_err(untrue)?;
        self.fields.bytes("record", taken)?;
        Ok(SentEvent { record, recorded_at })
    }
}

impl<'a> Iterator for Events<'a> {
    type Item = Result<SentEvent<'a>, FieldError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.fields.is_empty() {
            return None;
        }
        let event = self.take();
        if event.is_err() {
            self.fields.rest();
        }
        Some(event)
    }
}

/// A batch of a `Batches` frame, verified as a whole.
#[derive(Clone, Copy, Debug)]
pub struct SentBatch<'a> {
    /// What it holds. Nothing of the local envelope came with it.
    pub header: BatchHeader,
    /// Its requests and records.
    pub body: &'a [u8],
}

/// The batches of a `Batches` frame. Ends after the first that is not whole.
#[derive(Clone, Debug)]
pub struct Batches<'a> {
    fields: FieldReader<'a>,
}

impl<'a> Batches<'a> {
    /// The batches of a frame's body.
    #[must_use]
    pub fn new(body: &'a [u8]) -> Self {
        Self { fields: FieldReader::new(body) }
    }

    /// The bytes of what is left.
    pub(crate) fn body(&self) -> &'a [u8] {
        self.fields.clone().rest()
    }

    fn take(&mut self) -> Result<SentBatch<'a>, FieldError> {
        let untrue =
            |what: &dyn ToString| FieldError::not_allowed("batch", format!("no true batch ({})", what.to_string()));
        let header = self.fields.chunk::<PORTABLE_BYTES>("portable header")?;
        let header = BatchHeader::decode_portable(header).map_err(|error| untrue(&error))?;
        let body = self.fields.bytes("body", header.body_bytes as usize)?;
        verify_body(&header, body).map_err(|error| untrue(&error))?;
        Ok(SentBatch { header, body })
    }
}

impl<'a> Iterator for Batches<'a> {
    type Item = Result<SentBatch<'a>, FieldError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.fields.is_empty() {
            return None;
        }
        let batch = self.take();
        if batch.is_err() {
            self.fields.rest();
        }
        Some(batch)
    }
}

/// Fills one frame with events or batches.
#[derive(Debug)]
pub struct EventsEncoder {
    frame: Vec<u8>,
    kind: Kind,
    id: u64,
    /// Where the last event begins.
    last: usize,
}

impl EventsEncoder {
    /// An empty frame of events, in answer to a request.
    #[must_use]
    pub fn events(id: u64) -> Self {
        Self::new(Kind::Events, id)
    }

    /// An empty frame of batches, in answer to a request.
    #[must_use]
    pub fn batches(id: u64) -> Self {
        Self::new(Kind::Batches, id)
    }

    fn new(kind: Kind, id: u64) -> Self {
        Self { frame: vec![0; FRAME_HEADER_BYTES], kind, id, last: usize::MAX / 2 }
    }

    /// Adds an event.
    pub fn event(&mut self, recorded_at: Timestamp, record: &Record<'_>) {
        self.last = self.frame.len();
        write_event(&mut self.frame, recorded_at, record);
    }

    /// Says when the store took the event that was added last, for cursors that know it only then.
    pub fn date_last(&mut self, recorded_at: Timestamp) {
        if let Some(field) = self.frame.get_mut(self.last + 8..self.last + 16) {
            field.copy_from_slice(&recorded_at.0.to_le_bytes());
        }
    }

    /// Adds a batch as it travels: its portable header, then its body.
    pub fn batch(&mut self, batch: &[u8]) {
        self.frame.put(batch);
    }

    /// Whether nothing was added.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.body_bytes() == 0
    }

    /// Bytes of the body so far.
    #[must_use]
    pub fn body_bytes(&self) -> usize {
        self.frame.len() - FRAME_HEADER_BYTES
    }

    /// The whole frame, if it holds anything; what is added from now on is of the next one.
    #[must_use]
    pub fn take(&mut self) -> Option<Vec<u8>> {
        if self.is_empty() {
            return None;
        }
        Some(std::mem::replace(self, Self::new(self.kind, self.id)).finish())
    }

    /// The whole frame.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        finish_frame(&mut self.frame, 0, self.kind as u8, self.id);
        self.frame
    }
}

/// Bytes of an event in an `Events` frame.
pub(crate) fn sent_bytes(record: &Record<'_>) -> usize {
    8 + 8 + record.bytes().len().next_multiple_of(8)
}

pub(crate) fn write_event(out: &mut Vec<u8>, recorded_at: Timestamp, record: &Record<'_>) {
    out.put_u64(record.position().0);
    out.put_i64(recorded_at.0);
    let bytes = record.bytes();
    out.put(bytes);
    out.put(&[0; 8][..bytes.len().next_multiple_of(8) - bytes.len()]);
}

//! A request as bytes, ready for the writer to place: made by whoever appends, outside every lock.

use crate::codec::{
    REQUEST_HEADER_BYTES, Record, RecordError, RequestHeader, encode_record, fingerprint, place_record,
};
use crate::limits::{QUERY_TERMS_MAX, RECORD_BYTES_MAX, REQUEST_CHECKS_MAX, TAG_COUNT_MAX};
use crate::{AppendRequest, Check, Durability, Event, Limits, Position, Uuid};
use thiserror::Error;

/// Why a request cannot be encoded; nothing was appended.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RequestError {
    /// An event's data is too long.
    #[error("event {ordinal}: {bytes} bytes of data, at most {max} are allowed: store a reference to large content")]
    DataTooLong {
        /// Which event of the request, from 0.
        ordinal: usize,
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        max: usize,
    },
    /// An event's metadata is too long.
    #[error("event {ordinal}: {bytes} bytes of metadata, at most {max} are allowed: move the bulk into the data")]
    MetadataTooLong {
        /// Which event of the request, from 0.
        ordinal: usize,
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        max: usize,
    },
    /// An event has too many tags.
    #[error("event {ordinal}: {count} tags, at most {max} are allowed: tag only what is queried across streams")]
    TooManyTags {
        /// Which event of the request, from 0.
        ordinal: usize,
        /// How many there are.
        count: usize,
        /// How many there may be.
        max: usize,
    },
    /// An event's id is all zeros, which stands for none.
    #[error("event {ordinal}: the nil UUID is not an id: leave the id out to have one made")]
    NilId {
        /// Which event of the request, from 0.
        ordinal: usize,
    },
    /// The request's id is all zeros, which stands for none.
    #[error("the nil UUID is not a request id: leave it out, or make one for each request and keep it for retries")]
    NilRequestId,
    /// The request has too many checks.
    #[error("request of {count} checks, at most {max} are allowed: check a query that covers what was decided on")]
    TooManyChecks {
        /// How many there are.
        count: usize,
        /// How many there may be.
        max: usize,
    },
    /// The queries of the request's checks have too many terms.
    #[error("checks of {count} query terms, at most {max} are allowed: give a tag to what belongs together")]
    TooManyTerms {
        /// How many there are, in all checks together.
        count: usize,
        /// How many there may be.
        max: usize,
    },
    /// The request has too many events.
    #[error("request of {count} events, at most {max} are allowed: split it")]
    TooManyEvents {
        /// How many there are.
        count: usize,
        /// How many there may be.
        max: usize,
    },
    /// A record that was encoded elsewhere is not one.
    #[error("event {ordinal}: {error}: encode it as docs/FORMAT.md says")]
    Record {
        /// Which event of the request, from 0.
        ordinal: usize,
        /// What is wrong with it.
        error: RecordError,
    },
    /// A request that was encoded elsewhere holds more than its records.
    #[error("{bytes} bytes follow the last record of the request: count the records, and pad each to 8 bytes")]
    TrailingBytes {
        /// How many.
        bytes: usize,
    },
    /// The encoded request is too large.
    #[error("request of {bytes} bytes, at most {max} are allowed: split it")]
    TooLarge {
        /// How large it is, or was when the bound was passed.
        bytes: usize,
        /// How large it may be.
        max: usize,
    },
}

/// An append request whose events are records already, checksums included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodedRequest {
    pub(crate) bytes: Vec<u8>,
    pub(crate) event_count: u32,
    pub(crate) checks: Vec<Check>,
    pub(crate) durability: Durability,
    pub(crate) request_id: Option<Uuid>,
    pub(crate) since: Position,
    pub(crate) missed_max: u32,
    pub(crate) fingerprint: u64,
}

impl AppendRequest {
    /// Encodes the events, making an id with `make_id` for each that has none.
    ///
    /// Limits are asked before anything is copied, so that a refusal costs no memory.
    pub fn encode(self, limits: &Limits, make_id: impl FnMut() -> Uuid) -> Result<EncodedRequest, RequestError> {
        let Self { events, checks, durability, request_id, since, missed_max } = self;
        check_checks(&checks)?;
        if request_id.is_some_and(|id| id.is_nil()) {
            return Err(RequestError::NilRequestId);
        }
        let mut bytes = if events.is_empty() { Vec::new() } else { encode_events(&events, limits, make_id)? };
        // The limits keep the count within 32 bits.
        let event_count = u32::try_from(events.len()).unwrap_or(u32::MAX);
        let fingerprint =
            request_id.map_or(0, |_| fingerprint(records(&bytes, Position::START).map(|(_, record)| record)));
        write_header(&mut bytes, event_count, request_id, fingerprint);
        Ok(EncodedRequest { bytes, event_count, checks, durability, request_id, since, missed_max, fingerprint })
    }
}

impl EncodedRequest {
    /// The request's bytes: header and records; empty for a pure check.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Its records alone, one after another: what travels to a server.
    #[must_use]
    pub fn record_bytes(&self) -> &[u8] {
        self.bytes.get(REQUEST_HEADER_BYTES..).unwrap_or_default()
    }

    /// How many events it holds.
    #[must_use]
    pub fn event_count(&self) -> u32 {
        self.event_count
    }

    /// Its conditions.
    #[must_use]
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// What it waits for.
    #[must_use]
    pub fn durability(&self) -> Durability {
        self.durability
    }

    /// The caller's name for it.
    #[must_use]
    pub fn request_id(&self) -> Option<Uuid> {
        self.request_id
    }

    /// The head when it was first made: an earlier try with the same id stands at or after it.
    #[must_use]
    pub fn since(&self) -> Position {
        self.since
    }

    /// Has an earlier try looked for from `head` on, if that is below what was said: the log may have lost its end since,
    /// and grown anew.
    pub fn look_from(&mut self, head: Position) {
        self.since = self.since.min(head);
    }

    /// How many events that the caller did not know of a conflict brings.
    #[must_use]
    pub fn missed_max(&self) -> u32 {
        self.missed_max
    }

    /// A hash of the events without ids and times; 0 without a request id.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    /// Its records in order, the first at position `base`, each with its offset in [`EncodedRequest::bytes`].
    pub fn records(&self, base: Position) -> impl Iterator<Item = (usize, Record<'_>)> {
        records(&self.bytes, base)
    }

    /// Gives its events their places from `base` on; `revision_of` tells the revision for the next event of a stream.
    pub fn place(&mut self, base: Position, mut revision_of: impl FnMut(Option<&str>) -> u64) {
        let mut offset = REQUEST_HEADER_BYTES;
        let mut position = base;
        while offset < self.bytes.len() {
            let revision = revision_of(Record::stream_of(&self.bytes[offset..]));
            let taken = place_record(&mut self.bytes[offset..], revision, position);
            offset += taken;
            position = position.plus(1);
        }
    }
}

fn encode_events(
    events: &[Event],
    limits: &Limits,
    mut make_id: impl FnMut() -> Uuid,
) -> Result<Vec<u8>, RequestError> {
    let limits = limits.within_format();
    if events.len() > limits.request_events_max {
        return Err(RequestError::TooManyEvents { count: events.len(), max: limits.request_events_max });
    }
    let mut expected = REQUEST_HEADER_BYTES;
    for (ordinal, event) in events.iter().enumerate() {
        expected = expected.saturating_add(check_event(ordinal, event, &limits)?);
    }
    if expected > limits.request_bytes_max {
        return Err(RequestError::TooLarge { bytes: expected, max: limits.request_bytes_max });
    }
    let mut bytes = Vec::with_capacity(expected);
    bytes.resize(REQUEST_HEADER_BYTES, 0);
    for event in events {
        encode_record(event, event.id.unwrap_or_else(&mut make_id), &mut bytes);
    }
    debug_assert_eq!(bytes.len(), expected);
    Ok(bytes)
}

/// Writes the header of a request that has events.
pub(crate) fn write_header(bytes: &mut [u8], record_count: u32, request_id: Option<Uuid>, fingerprint: u64) {
    // The limits keep the length within 32 bits.
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    if let Some(header) = bytes.first_chunk_mut::<REQUEST_HEADER_BYTES>() {
        let request_id = request_id.map_or(0, |id| id.to_u128_le());
        *header = RequestHeader { record_count, bytes: length, request_id, fingerprint }.encode();
    }
}

/// The records of a request that was encoded here, each with its offset.
pub(crate) fn records(bytes: &[u8], base: Position) -> impl Iterator<Item = (usize, Record<'_>)> {
    let mut offset = REQUEST_HEADER_BYTES;
    let mut position = base;
    std::iter::from_fn(move || {
        let rest = bytes.get(offset..).filter(|rest| !rest.is_empty())?;
        let here = offset;
        let (record, taken) = match Record::decode(rest, position) {
            Ok(decoded) => decoded,
            Err(error) => unreachable!("a record that was encoded here is one: {error}"),
        };
        offset += taken;
        position = position.plus(1);
        Some((here, record))
    })
}

/// Checks that judging the conditions cannot take out of hand.
pub(crate) fn check_checks(checks: &[Check]) -> Result<(), RequestError> {
    if checks.len() > REQUEST_CHECKS_MAX {
        return Err(RequestError::TooManyChecks { count: checks.len(), max: REQUEST_CHECKS_MAX });
    }
    let terms_of = |check: &Check| match check {
        Check::Stream { .. } => 0,
        Check::NoEvents { query, .. } => query.term_count(),
    };
    match checks.iter().map(terms_of).sum() {
        count if count > QUERY_TERMS_MAX => Err(RequestError::TooManyTerms { count, max: QUERY_TERMS_MAX }),
        _ => Ok(()),
    }
}

/// Checks one event against the limits and returns the bytes its record will take.
fn check_event(ordinal: usize, event: &Event, limits: &Limits) -> Result<usize, RequestError> {
    let (data, metadata) = (event.data.bytes.len(), event.metadata.bytes.len());
    if data > limits.data_bytes_max {
        return Err(RequestError::DataTooLong { ordinal, bytes: data, max: limits.data_bytes_max });
    }
    if metadata > limits.metadata_bytes_max {
        return Err(RequestError::MetadataTooLong { ordinal, bytes: metadata, max: limits.metadata_bytes_max });
    }
    if event.tags.len() > TAG_COUNT_MAX {
        return Err(RequestError::TooManyTags { ordinal, count: event.tags.len(), max: TAG_COUNT_MAX });
    }
    if event.id.is_some_and(|id| id.is_nil()) {
        return Err(RequestError::NilId { ordinal });
    }
    let bytes = event.record_bytes();
    if bytes > RECORD_BYTES_MAX {
        return Err(RequestError::TooLarge { bytes, max: RECORD_BYTES_MAX });
    }
    Ok(bytes.next_multiple_of(8))
}

#[cfg(test)]
#[path = "encoded_request_test.rs"]
mod tests;

//! A request that was encoded elsewhere: hostile until every byte of it was looked at.

use crate::codec::{REQUEST_HEADER_BYTES, Record, RecordError, fingerprint};
use crate::encoded_request::{check_checks, records, write_header};
use crate::limits::BATCH_EVENTS_MAX;
use crate::{Check, Durability, EncodedRequest, Limits, Position, RequestError, Uuid};

/// The parts of a request as they came over a wire.
///
/// The records were encoded by whoever appends, checksums included; their checksums are kept, so that they speak from end to
/// end.
#[derive(Clone, Debug)]
pub struct ForeignRequest<'a> {
    /// One record after another, each padded to 8 bytes, none with a place.
    pub records: &'a [u8],
    /// How many records there are.
    pub event_count: u32,
    /// The conditions.
    pub checks: Vec<Check>,
    /// What the append waits for.
    pub durability: Durability,
    /// The caller's name for it.
    pub request_id: Option<Uuid>,
    /// The head when it was first made.
    pub since: Position,
    /// How many events that the caller did not know of a conflict may bring.
    pub missed_max: u32,
}

impl ForeignRequest<'_> {
    /// Checks everything that [`AppendRequest::encode`](crate::AppendRequest::encode) would have seen to, byte for byte.
    ///
    /// Nothing is copied before the lengths were found to be within the limits.
    pub fn accept(self, limits: &Limits) -> Result<EncodedRequest, RequestError> {
        let Self { records: foreign, event_count, checks, durability, request_id, since, missed_max } = self;
        let limits = limits.within_format();
        check_checks(&checks)?;
        if request_id.is_some_and(|id| id.is_nil()) {
            return Err(RequestError::NilRequestId);
        }
        if event_count as usize > limits.request_events_max.min(BATCH_EVENTS_MAX) {
            let (count, max) = (event_count as usize, limits.request_events_max);
            return Err(RequestError::TooManyEvents { count, max });
        }
        let length = foreign.len().saturating_add(REQUEST_HEADER_BYTES);
        if length > limits.request_bytes_max {
            return Err(RequestError::TooLarge { bytes: length, max: limits.request_bytes_max });
        }
        check_records(foreign, event_count, &limits)?;
        let mut bytes = Vec::new();
        if event_count > 0 {
            bytes.reserve_exact(length);
            bytes.resize(REQUEST_HEADER_BYTES, 0);
            bytes.extend_from_slice(foreign);
        }
        let fingerprint =
            request_id.map_or(0, |_| fingerprint(records(&bytes, Position::START).map(|(_, record)| record)));
        write_header(&mut bytes, event_count, request_id, fingerprint);
        Ok(EncodedRequest { bytes, event_count, checks, durability, request_id, since, missed_max, fingerprint })
    }
}

/// Checks that exactly so many records fill the bytes, each as an encoder here would have made it.
fn check_records(bytes: &[u8], event_count: u32, limits: &Limits) -> Result<(), RequestError> {
    let mut rest = bytes;
    for ordinal in 0..event_count as usize {
        let invalid = |error| RequestError::Record { ordinal, error };
        let (record, taken) = Record::decode(rest, Position::START).map_err(invalid)?;
        record.verify_content().map_err(invalid)?;
        if record.has_place() {
            return Err(invalid(RecordError::Place));
        }
        if rest[record.bytes().len()..taken].iter().any(|byte| *byte != 0) {
            return Err(invalid(RecordError::Padding));
        }
        let (data, metadata) = (record.data().bytes().len(), record.metadata().bytes().len());
        if data > limits.data_bytes_max {
            return Err(RequestError::DataTooLong { ordinal, bytes: data, max: limits.data_bytes_max });
        }
        if metadata > limits.metadata_bytes_max {
            return Err(RequestError::MetadataTooLong { ordinal, bytes: metadata, max: limits.metadata_bytes_max });
        }
        rest = &rest[taken..];
    }
    if rest.is_empty() { Ok(()) } else { Err(RequestError::TrailingBytes { bytes: rest.len() }) }
}

#[cfg(test)]
#[path = "foreign_request_test.rs"]
mod tests;

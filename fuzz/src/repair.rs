//! Bytes with their checksums made true, and the look at every part of a record that a reader may take.

use gesta_model::codec::{HEADERS_BYTES, REQUEST_HEADER_BYTES, RequestHeader, StoreKey, place_record};
use gesta_model::{Position, Record};
use siphasher::sip::SipHasher13;
use std::hash::Hasher;

/// The secret of the store that all batches are of.
pub const KEY: StoreKey = StoreKey([7; 16]);

/// Where a record's length stands, and where the part begins that its crc covers.
const RECORD_LEN: usize = 16;
/// Bytes of the check of a batch's headers, which covers what follows it.
const CHECK_BYTES: usize = 8;

/// Makes both checksums of the record at the head of `bytes` true. Returns the bytes it takes; `None` when its length is
/// impossible.
pub fn repair_record(bytes: &mut [u8], position: Position) -> Option<usize> {
    let len = u32::from_le_bytes(*bytes.get(RECORD_LEN..)?.first_chunk()?) as usize;
    let crc = crc32fast::hash(bytes.get(RECORD_LEN..len)?);
    if len.next_multiple_of(8) > bytes.len() {
        return None;
    }
    bytes[..4].copy_from_slice(&crc.to_le_bytes());
    let revision = u64::from_le_bytes(*bytes[8..].first_chunk()?);
    Some(place_record(bytes, revision, position))
}

/// Makes the checksums of all records of a body true, as far as its requests can be followed. Returns how many there are.
pub fn repair_body(body: &mut [u8], base: Position) -> u32 {
    let (mut at, mut count) = (0, 0);
    while let Some(header) = body.get(at..).and_then(|rest| rest.first_chunk::<REQUEST_HEADER_BYTES>()) {
        let record_count = RequestHeader::decode(header).record_count;
        at += REQUEST_HEADER_BYTES;
        if record_count == 0 {
            break;
        }
        for _ in 0..record_count {
            let position = base.plus(u64::from(count));
            let Some(taken) = body.get_mut(at..).and_then(|rest| repair_record(rest, position)) else { return count };
            at += taken;
            count += 1;
        }
    }
    count
}

/// Makes the check of a batch's headers true.
pub fn repair_headers(headers: &mut [u8; HEADERS_BYTES]) {
    let mut hasher = SipHasher13::new_with_key(&KEY.0);
    hasher.write(&headers[CHECK_BYTES..]);
    headers[..CHECK_BYTES].copy_from_slice(&hasher.finish().to_le_bytes());
}

/// Takes every part of a record, as a reader may.
pub fn look_at(record: &Record<'_>) {
    assert!(!record.event_type().is_empty());
    assert!(record.stream().is_none_or(|stream| !stream.is_empty()));
    assert!(record.tags().all(|tag| !tag.is_empty()));
    let parts = record.metadata().bytes().len() + record.data().bytes().len();
    assert!(parts < record.bytes().len());
    let _ = (record.id(), record.time(), record.revision(), record.position());
    let _ = (record.verify(), record.verify_content());
}

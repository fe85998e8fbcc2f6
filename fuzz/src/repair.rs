//! Bytes with their checksums made true, and the look at every part of a record that a reader may take.

use gesta_model::codec::{
    BatchHeader, HEADERS_BYTES, REQUEST_HEADER_BYTES, RequestHeader, StoreKey, body_crc, place_record,
};
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

/// Where the fields of a batch's headers stand that bind them to the body, and to the batch before.
const PREVIOUS: usize = 8;
const BASE: usize = 32;
const COUNT: usize = 64;
const BODY_BYTES: usize = 68;
const BODY_CRC: usize = 72;

/// Makes headers speak of this body, and all checksums true.
pub fn bind(headers: &mut [u8; HEADERS_BYTES], body: &mut [u8]) {
    let base = Position(u64::from_le_bytes(*headers[BASE..].first_chunk().expect("headers have a base")));
    let count = repair_body(body, base);
    let crc = body_crc(body);
    let body_bytes = u32::try_from(body.len()).expect("inputs are small");
    for (field, number) in [(COUNT, count), (BODY_BYTES, body_bytes), (BODY_CRC, crc)] {
        headers[field..field + 4].copy_from_slice(&number.to_le_bytes());
    }
    repair_headers(headers);
}

/// Makes a batch of what begins here, as long as its headers say or as there is room; it continues `chain`, the check and
/// the end of the batch before. Returns its header and check, `None` when it is none all the same.
pub fn repair_batch_at(bytes: &mut [u8], chain: Option<(u64, Position)>) -> Option<(BatchHeader, u64)> {
    let (headers, body) = bytes.split_first_chunk_mut::<HEADERS_BYTES>()?;
    if let Some((previous, base)) = chain {
        headers[PREVIOUS..PREVIOUS + 8].copy_from_slice(&previous.to_le_bytes());
        headers[BASE..BASE + 8].copy_from_slice(&base.0.to_le_bytes());
    }
    let said = u32::from_le_bytes(*headers[BODY_BYTES..].first_chunk().expect("headers have a length")) as usize;
    let length = said.min(body.len()) / 8 * 8;
    bind(headers, &mut body[..length]);
    BatchHeader::decode(headers, &KEY).ok()
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

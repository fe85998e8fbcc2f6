//! A request's header inside a batch.
//!
//! ```text
//!  0  record_count u32   at least 1
//!  4  bytes u32          of the request, this header included; a multiple of 8
//!  8  request_id 16      all zeros: none
//! 24  fingerprint u64    of the events without ids and times; 0 without a request id
//! ```

use super::bytes::{read_u32, read_u64, read_u128, write_u32, write_u64, write_u128};

const RECORD_COUNT: usize = 0;
const BYTES: usize = RECORD_COUNT + 4;
const REQUEST_ID: usize = BYTES + 4;
const FINGERPRINT: usize = REQUEST_ID + 16;
/// Bytes of a request before its records.
pub const REQUEST_HEADER_BYTES: usize = FINGERPRINT + 8;
const _: () = assert!(REQUEST_HEADER_BYTES == 32);

/// What a batch knows of one of its requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestHeader {
    /// How many records follow.
    pub record_count: u32,
    /// Bytes of the request, this header included.
    pub bytes: u32,
    /// The caller's name for the request; 0 when it gave none.
    pub request_id: u128,
    /// A hash of the events without ids and times; 0 without a request id.
    pub fingerprint: u64,
}

impl RequestHeader {
    /// Reads a header; any bytes are one, the batch's checksum says whether they are true.
    #[must_use]
    pub fn decode(bytes: &[u8; REQUEST_HEADER_BYTES]) -> Self {
        Self {
            record_count: read_u32(bytes, RECORD_COUNT),
            bytes: read_u32(bytes, BYTES),
            request_id: read_u128(bytes, REQUEST_ID),
            fingerprint: read_u64(bytes, FINGERPRINT),
        }
    }

    /// The header's bytes.
    #[must_use]
    pub fn encode(&self) -> [u8; REQUEST_HEADER_BYTES] {
        let mut bytes = [0; REQUEST_HEADER_BYTES];
        write_u32(&mut bytes, RECORD_COUNT, self.record_count);
        write_u32(&mut bytes, BYTES, self.bytes);
        write_u128(&mut bytes, REQUEST_ID, self.request_id);
        write_u64(&mut bytes, FINGERPRINT, self.fingerprint);
        bytes
    }
}

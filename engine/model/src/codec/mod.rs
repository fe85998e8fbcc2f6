//! The bytes of the log: little-endian, eight-byte aligned, the same on every machine.
//!
//! ```text
//!  segment   header page | batch | batch | ... | seal batch | zeros
//!  batch     envelope 32 | portable header 48 | body
//!  body      request | request | ...            (of an events batch)
//!  request   header 32 | record | record | ...
//!  record    header 56 | stream type | tags | metadata | data | padding to 8
//! ```
//!
//! Decoding is for hostile bytes: it answers with an error, never panics, and believes no length before the checksum
//! that covers it. docs/FORMAT.md is the page for people; it carries a hash of this folder.

mod batch;
mod body;
mod bytes;
mod fingerprint;
mod record;
mod request;
mod seal;
mod segment;

pub use batch::{BatchError, BatchHeader, BatchKind, CLOSING, HEADERS_BYTES, PORTABLE_BYTES, StoreKey};
pub use body::{BodyError, RecordPlace, RecordWalk, Records, body_crc, verify_body, verify_records};
pub(crate) use fingerprint::fingerprint;
pub use record::{NO_REVISION, RECORD_HEADER_BYTES, Record, RecordError, encode_record, place_record};
pub use request::{REQUEST_HEADER_BYTES, RequestHeader};
pub use seal::{SEAL_BODY_BYTES, Seal, SealDigest};
pub use segment::{HEADER_PAGE_BYTES, SegmentError, SegmentHeader};

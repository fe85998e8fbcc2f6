//! How large things may be: every bound of the format and of an append in one place.
//!
//! The constants are *hard* bounds: the format cannot hold more, and a decoder believes no length beyond them. [`Limits`]
//! are the bounds of one store, at most as wide as the hard ones. They bind what is appended from now on; what was
//! appended under wider limits stays readable.

/// Bytes of a stream name.
pub const STREAM_NAME_BYTES_MAX: usize = 1024;
/// Bytes of an event type.
pub const EVENT_TYPE_BYTES_MAX: usize = 255;
/// Bytes of one tag, its key and colon included.
pub const TAG_BYTES_MAX: usize = 255;
/// Bytes of a snapshot's key.
pub const SNAPSHOT_KEY_BYTES_MAX: usize = 1024;
/// Bytes of a projection's name, as a store is told it: of one with a longer name nothing is kept.
pub const PROJECTION_NAME_BYTES_MAX: usize = 1024;
/// Bytes of what went wrong with a projection, as a store keeps it: the rest is cut off.
pub const PROJECTION_ERROR_BYTES_MAX: usize = 4096;
/// Projections, each version by itself, of which a store keeps what it was told: those told of last.
pub const PROJECTION_COUNT_MAX: usize = 1_000;
/// Tags of one event.
pub const TAG_COUNT_MAX: usize = 255;
/// Bytes of one record, header included, unpadded.
pub const RECORD_BYTES_MAX: usize = 48 * 1024 * 1024;
/// Bytes of the body of one batch: of all requests that share a commit.
pub const BATCH_BODY_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Events of one batch.
pub const BATCH_EVENTS_MAX: usize = 16 * 1024 * 1024;
/// Items of one query.
pub const QUERY_ITEMS_MAX: usize = 1_000;
/// Types, tags, streams and categories of one query, and of all queries that one request checks.
pub const QUERY_TERMS_MAX: usize = 16_384;
/// Checks of one append request.
pub const REQUEST_CHECKS_MAX: usize = 1_000;

/// The bounds of what one store takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of an event's data.
    pub data_bytes_max: usize,
    /// Bytes of an event's metadata.
    pub metadata_bytes_max: usize,
    /// Events of one append request.
    pub request_events_max: usize,
    /// Encoded bytes of one append request, headers and padding included.
    pub request_bytes_max: usize,
}

impl Default for Limits {
    /// 16 MiB of data, 1 MiB of metadata, 100,000 events and 32 MiB a request.
    fn default() -> Self {
        Self {
            data_bytes_max: 16 * 1024 * 1024,
            metadata_bytes_max: 1024 * 1024,
            request_events_max: 100_000,
            request_bytes_max: 32 * 1024 * 1024,
        }
    }
}

impl Limits {
    /// The same limits, none wider than the format allows.
    #[must_use]
    pub fn within_format(self) -> Self {
        Self {
            data_bytes_max: self.data_bytes_max.min(RECORD_BYTES_MAX),
            metadata_bytes_max: self.metadata_bytes_max.min(RECORD_BYTES_MAX),
            request_events_max: self.request_events_max.min(BATCH_EVENTS_MAX),
            request_bytes_max: self.request_bytes_max.min(BATCH_BODY_BYTES_MAX),
        }
    }
}

//! The fingerprint of a request: whether two requests under one id ask for the same events.
//!
//! ```text
//!  of each record, in order
//!  0  stream_len u32
//!  4  type_len u32
//!  8  tags_len u32       tags are separated by line feeds, which no tag holds
//! 12  metadata_len u32
//! 16  data_len u32
//! 20  flags u32          1 data is JSON, 2 metadata is JSON
//! 24  stream | type | tags | metadata | data
//! ```
//!
//! XXH3-64 over these bytes. Ids and times are left out: a caller that decides anew makes new ones. The lengths stand
//! before what they measure, so no two lists of events give the same bytes.

use super::bytes::write_u32;
use super::record::Record;
use xxhash_rust::xxh3::Xxh3;

const FRAME_BYTES: usize = 24;

/// The fingerprint of these records; never 0, which stands for none.
pub(crate) fn fingerprint<'a>(records: impl Iterator<Item = Record<'a>>) -> u64 {
    let mut hasher = Xxh3::new();
    for record in records {
        let (metadata, data) = (record.metadata(), record.data());
        let (stream, event_type) = (record.stream().map_or(0, str::len), record.event_type().len());
        let tags = record.body().len() - stream - event_type - metadata.bytes().len() - data.bytes().len();
        let flags = usize::from(data.is_json()) | usize::from(metadata.is_json()) << 1;
        let mut frame = [0; FRAME_BYTES];
        let fields = [stream, event_type, tags, metadata.bytes().len(), data.bytes().len(), flags];
        for (ordinal, field) in fields.into_iter().enumerate() {
            // A record's length is kept within 32 bits by its header.
            write_u32(&mut frame, ordinal * size_of::<u32>(), u32::try_from(field).unwrap_or(u32::MAX));
        }
        hasher.update(&frame);
        hasher.update(record.body());
    }
    hasher.digest().max(1)
}

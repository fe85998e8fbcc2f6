//! What a segment file without a readable header holds: a spare, what an interrupted roll left there, or a lost segment.

use super::files::SegmentFile;
use crate::disk::Disk;
use crate::log::batch_source::{BatchSource, Window};
use crate::log::error::OpenError;
use crate::log::origin::Origin;
use gesta_model::Position;
use gesta_model::codec::SegmentError;

/// How much of a file to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// The start, where the first batches would stand; all of it when the header page is not the zeros of a spare.
    ///
    /// A spare may be as long as the longest segment, and nothing is written to it before the segment before it is
    /// sealed: an opening need not read its zeros.
    Start,
    /// All of it.
    All,
}

/// What was found.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Beyond {
    /// Every position below it was durable when something here was written.
    pub(crate) evidence: Position,
    /// The end of what is not zero.
    pub(crate) nonzero_end: u64,
    pub(crate) unreadable: bool,
}

/// Looks at the bytes of a file without a readable header.
pub(crate) fn look_beyond<D: Disk>(file: &SegmentFile<D>, origin: &Origin, look: Look) -> Result<Beyond, OpenError> {
    const START_BYTES: u64 = 1 << 20;
    let is_spare = matches!(file.header, Err(SegmentError::Unwritten));
    let end = if look == Look::Start && is_spare { file.length.min(START_BYTES) } else { file.length };
    let window = Window::new(&file.file).map_err(OpenError::io(file.path.clone(), "cannot read the segment"))?;
    let mut source = BatchSource::new(window, origin);
    let mut beyond = Beyond::default();
    let mut at = 0;
    loop {
        let ahead = source.look_ahead(at, end, |_| true);
        beyond.nonzero_end = ahead.nonzero_end.unwrap_or(beyond.nonzero_end);
        beyond.unreadable |= ahead.unreadable;
        let Some(found) = ahead.found else { return Ok(beyond) };
        beyond.evidence = beyond.evidence.max(found.header.durable);
        at = found.offset + 8;
    }
}

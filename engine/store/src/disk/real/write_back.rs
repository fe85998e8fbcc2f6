//! Bytes that are on their way to the device before anybody waits for them.

use std::fs::File;
use std::ops::Range;
use std::os::fd::AsRawFd;

/// Has the device begin to write a range of a file.
///
/// No answer is looked at: an error of the writing is kept by the kernel for the next sync, which fails with it.
pub(super) fn begin_writing(file: &File, range: &Range<u64>) {
    let bytes = range.end.saturating_sub(range.start);
    let (Ok(offset), Ok(bytes)) = (i64::try_from(range.start), i64::try_from(bytes)) else { return };
    // SAFETY: the descriptor is open for as long as `file` is borrowed, and no memory is passed.
    let _ = unsafe { libc::sync_file_range(file.as_raw_fd(), offset, bytes, libc::SYNC_FILE_RANGE_WRITE) };
}

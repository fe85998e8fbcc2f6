//! Keeps viewed bytes unwritten: the half of the seam's promise that an open file can enforce by itself.
//!
//! A [`Fence`] belongs to one open file and remembers how far that file was viewed. Invariant: every write that was let
//! through starts at or above every viewed end, also while the write is still under way. The mutex is held for a few
//! instructions, never during a system call: a reader does not wait for a slow disk. Taking it costs nothing that
//! counts, for a write happens once a group commit and a view once a reader's refresh.
//!
//! Two open files of one name have two fences. That bytes below the readable watermark are never changed through
//! another one is the engine's own rule; recovery keeps it by reading without views.

use std::io;

use crate::sync::Mutex;

/// Lets views and writes pass as long as no write can reach a viewed byte.
#[derive(Debug, Default)]
pub(super) struct Fence {
    reach: Mutex<Reach>,
}

#[derive(Debug, Default)]
struct Reach {
    /// The highest end of all views so far; it never falls, because a view may be cloned and kept.
    viewed_end: u64,
    /// Where each write that is under way starts.
    writes: Vec<u64>,
}

impl Fence {
    /// Lets a view that ends at `end` pass; `InvalidInput` while a write below that end is under way.
    pub(super) fn admit_view(&self, end: u64) -> io::Result<()> {
        let mut reach = self.reach.lock();
        if let Some(start) = reach.writes.iter().find(|start| **start < end) {
            let text = format!("a view up to {end} reaches a write under way at {start}: view only what is published");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        reach.viewed_end = reach.viewed_end.max(end);
        Ok(())
    }

    /// Lets a write that starts at `offset` pass; `InvalidInput` below a viewed end. The write is over when the pass is
    /// dropped.
    pub(super) fn admit_write(&self, offset: u64) -> io::Result<WritePass<'_>> {
        let mut reach = self.reach.lock();
        if offset < reach.viewed_end {
            let end = reach.viewed_end;
            let text = format!("a write at {offset} would change bytes that were viewed up to {end}: write above them");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        reach.writes.push(offset);
        Ok(WritePass { fence: self, offset })
    }
}

/// A write that is under way.
#[derive(Debug)]
pub(super) struct WritePass<'a> {
    fence: &'a Fence,
    offset: u64,
}

impl Drop for WritePass<'_> {
    fn drop(&mut self) {
        let writes = &mut self.fence.reach.lock().writes;
        if let Some(index) = writes.iter().position(|start| *start == self.offset) {
            writes.swap_remove(index);
        }
    }
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn write_below_a_viewed_end_is_refused_and_above_it_passes() {
        let fence = Fence::default();
        fence.admit_view(100).unwrap();
        fence.admit_view(50).unwrap();
        let error = fence.admit_write(99).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        fence.admit_write(100).unwrap();
    }

    #[test]
    fn view_that_reaches_a_write_under_way_is_refused_until_the_write_is_over() {
        let fence = Fence::default();
        let pass = fence.admit_write(100).unwrap();
        fence.admit_view(100).unwrap();
        assert_eq!(fence.admit_view(101).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        drop(pass);
        fence.admit_view(101).unwrap();
    }
}

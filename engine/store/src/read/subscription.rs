//! An unbounded read: what is there, then what comes.

use super::cursor::Cursor;
use super::error::ReadError;
use super::reader::Reader;
use super::request::Read;
use crate::disk::{Disk, RealDisk};
use gesta_model::Position;
use gesta_model::codec::Record;
use std::time::{Duration, Instant};

/// Events from a place on, without end.
pub struct Subscription<D: Disk = RealDisk> {
    reader: Reader<D>,
    read: Read,
    cursor: Cursor<D>,
    /// Everything below it was looked at.
    seen: Position,
}

/// How often another process's log is looked at.
const OBSERVE_EVERY: Duration = Duration::from_millis(10);

impl<D: Disk> Subscription<D> {
    pub(super) fn new(reader: Reader<D>, mut read: Read) -> Self {
        read.is_backward = false;
        let cursor = reader.read(read.clone());
        let seen = cursor.head().max(read.from.unwrap_or_default());
        Self { reader, read, cursor, seen }
    }

    /// The next event, waiting for one as long as `timeout`; `None` when none came or the limit is reached.
    ///
    /// After [`ReadError::Damaged`] the next call goes on beyond the damage.
    pub fn next_record(&mut self, timeout: Duration) -> Result<Option<Record<'_>>, ReadError> {
        let deadline = Instant::now() + timeout;
        while self.read.limit > 0 {
            if self.cursor.advance()? {
                self.read.limit -= 1;
                return self.cursor.next_record().transpose();
            }
            if !self.wait(deadline)? {
                break;
            }
        }
        Ok(None)
    }

    /// Every event below it was handed out, or is not of this subscription: where one that takes over begins.
    #[must_use]
    pub fn position(&self) -> Position {
        let remaining = self.cursor.remaining_positions();
        if remaining.is_empty() { self.seen } else { remaining.start }
    }

    /// Waits for the head to rise and takes a cursor over what is new; `false` when the deadline came first.
    fn wait(&mut self, deadline: Instant) -> Result<bool, ReadError> {
        let library = self.reader.library();
        let watermarks = &library.log.watermarks;
        if library.observed.is_none() {
            if !watermarks.wait_beyond(self.seen, deadline) {
                return Ok(false);
            }
        } else {
            self.reader.refresh()?;
            while watermarks.readable() <= self.seen {
                let now = Instant::now();
                if now >= deadline {
                    return Ok(false);
                }
                std::thread::sleep(OBSERVE_EVERY.min(deadline - now));
                self.reader.refresh()?;
            }
        }
        self.cursor = self.reader.read(Read { from: Some(self.seen), ..self.read.clone() });
        self.seen = self.cursor.head();
        Ok(true)
    }
}

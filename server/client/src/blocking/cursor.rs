//! A bounded read by a thread.

use super::worker::Hold;
use crate::Cursor;
use gesta_model::{EventCursor, Explanation, Position, ReadError, Record, Timestamp};

/// Events in order, up to the head as of the read. Only waiting for a frame goes by way of the client's own thread.
pub struct BlockingCursor {
    cursor: Cursor,
    hold: Hold,
}

impl BlockingCursor {
    pub(super) fn new(cursor: Cursor, hold: Hold) -> Self {
        Self { cursor, hold }
    }
}

impl EventCursor for BlockingCursor {
    fn next_record(&mut self) -> Option<Result<Record<'_>, ReadError>> {
        let step = match self.cursor.ready() {
            Some(step) => step,
            None => self.hold.wait_for(self.cursor.step()),
        };
        self.cursor.hand_out(step)
    }

    fn head(&self) -> Position {
        self.cursor.head()
    }

    fn recorded_at(&self) -> Option<Timestamp> {
        self.cursor.recorded_at()
    }

    fn explain(&self) -> Explanation {
        self.cursor.explain()
    }
}

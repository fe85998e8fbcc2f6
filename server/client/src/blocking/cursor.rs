//! A bounded read by a thread.

use super::worker::Hold;
use crate::Cursor;
use gesta_model::{EventCursor, Explanation, Position, ReadError, Record, Timestamp};

/// Events in order, up to the head as of the read. Waiting for more than a first frame goes by way of the client's own thread,
/// which takes what comes while the reader works.
pub struct BlockingCursor {
    cursor: Cursor,
    hold: Hold,
    has_begun: bool,
}

impl BlockingCursor {
    pub(super) fn new(cursor: Cursor, hold: Hold) -> Self {
        Self { cursor, hold, has_begun: false }
    }
}

impl EventCursor for BlockingCursor {
    fn next_record(&mut self) -> Option<Result<Record<'_>, ReadError>> {
        let step = match self.cursor.ready() {
            Some(step) => step,
            None if std::mem::replace(&mut self.has_begun, true) => self.hold.wait_for(self.cursor.step()),
            None => self.hold.ask(self.cursor.step()),
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

//! Events on standard output, one a line: what `export`, `read` and `tail` share.

use crate::context::Context;
use crate::failure::{Failure, Status, complain_of_damage};
use crate::human::write_line;
use crate::json::write_event;
use crate::output::Output;
use gesta::{EventCursor, EventReader, EventSubscription, Notice, Pace, Read, ReadError, Record};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::consts::{SIGINT, SIGTERM};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How long one look for a new event takes, and with it the answer to Ctrl-C.
const LOOK: Duration = Duration::from_millis(100);

/// Prints events.
pub(super) struct EventList {
    output: Output,
    is_json: bool,
    /// For complaints; events may be JSON without being asked for as such.
    complains_in_json: bool,
    status: Status,
}

impl EventList {
    /// Prints in the form that was asked for.
    pub(super) fn new(context: &Context) -> Self {
        Self {
            output: Output::lock(),
            is_json: context.is_json,
            complains_in_json: context.is_json,
            status: Status::Done,
        }
    }

    /// Prints as JSON in any case.
    pub(super) fn json(context: &Context) -> Self {
        Self { is_json: true, ..Self::new(context) }
    }

    /// Prints a bounded read to its end. Damage is passed over and told.
    pub(super) fn print_all(
        mut self,
        cursor: &mut impl EventCursor,
        mut advance: impl FnMut(),
    ) -> Result<Status, Failure> {
        while let Some(record) = cursor.next_record() {
            match record {
                Ok(record) => self.print(&record)?,
                Err(error) => self.pass(error)?,
            }
            advance();
        }
        self.output.flush()?;
        Ok(self.status)
    }

    /// Prints events as they come, until the limit, Ctrl-C, or nobody reads on.
    pub(super) fn follow(
        mut self,
        reader: &impl EventReader,
        read: Read,
        limit: Option<u64>,
    ) -> Result<Status, Failure> {
        let ended = end_on_signals()?;
        let mut remaining = limit.unwrap_or(u64::MAX);
        let mut subscription = reader.subscribe(read, Pace::default())?;
        let mut timeout = Duration::ZERO;
        // Relaxed: the flag stands alone, nothing else is published with it.
        while remaining > 0 && !ended.load(Ordering::Relaxed) {
            match subscription.next(timeout) {
                Ok(Notice::Event(record)) => {
                    self.print(&record)?;
                    remaining -= 1;
                    timeout = Duration::ZERO;
                }
                Ok(_) => {
                    // All there is has been printed: hand it on before waiting for more.
                    self.output.flush()?;
                    if is_output_closed() {
                        return Err(Failure::OutputClosed);
                    }
                    timeout = LOOK;
                }
                Err(error) => self.pass(error)?,
            }
        }
        self.output.flush()?;
        Ok(self.status)
    }

    fn print(&mut self, record: &Record<'_>) -> Result<(), Failure> {
        let write = if self.is_json { write_event } else { write_line };
        self.output.line(|out| write(out, record))
    }

    /// Tells of damage and goes on; any other failure ends the list.
    fn pass(&mut self, error: ReadError) -> Result<(), Failure> {
        let ReadError::Damaged(damage) = error else { return Err(error.into()) };
        complain_of_damage(self.complains_in_json, &damage);
        self.status = Status::Damage;
        Ok(())
    }
}

/// A flag that Ctrl-C sets; a second Ctrl-C ends the program at once.
fn end_on_signals() -> Result<Arc<AtomicBool>, Failure> {
    let ended = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&ended))
            .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&ended)))
            .map_err(|error| Failure::new(Status::Refused, "signals", format!("cannot watch for Ctrl-C: {error}")))?;
    }
    Ok(ended)
}

/// Whether whoever read standard output has gone, which a writer that waits would not notice otherwise.
fn is_output_closed() -> bool {
    let output = std::io::stdout();
    let mut descriptors = [PollFd::new(&output, PollFlags::empty())];
    let polled = poll(&mut descriptors, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }));
    polled.is_ok() && descriptors[0].revents().contains(PollFlags::ERR)
}

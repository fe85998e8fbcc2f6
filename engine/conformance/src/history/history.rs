//! Calls, of one process or of several put together.

use super::Call;
use super::line::LineError;
use std::io::{BufRead, Write};

/// What callers did and were told, in any order but that of tries which replace each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    pub(super) calls: Vec<Call>,
}

impl History {
    /// Nothing was done.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a call.
    pub fn push(&mut self, call: Call) {
        self.calls.push(call);
    }

    /// The calls, as they were added.
    #[must_use]
    pub fn calls(&self) -> &[Call] {
        &self.calls
    }

    /// Writes each call as a line.
    pub fn write_to(&self, mut out: impl Write) -> std::io::Result<()> {
        self.calls.iter().try_for_each(|call| out.write_all(call.to_line().as_bytes()))
    }

    /// Adds the calls that another process wrote as lines. A last line without an end is passed over: its writer was killed.
    pub fn read_from(&mut self, mut lines: impl BufRead) -> Result<(), LineError> {
        let mut line = Vec::new();
        for number in 1.. {
            line.clear();
            lines.read_until(b'\n', &mut line).map_err(LineError::Io)?;
            if !line.ends_with(b"\n") {
                break;
            }
            let call = str::from_utf8(&line).map_err(Into::into).and_then(Call::from_line);
            self.calls.push(call.map_err(|error| LineError::Malformed { number, error })?);
        }
        Ok(())
    }
}

impl Extend<Call> for History {
    fn extend<T: IntoIterator<Item = Call>>(&mut self, calls: T) {
        self.calls.extend(calls);
    }
}

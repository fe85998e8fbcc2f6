//! Standard output: locked once, written in large pieces, and only ever results.

use crate::failure::Failure;
use serde::Serialize;
use std::io::{self, StdoutLock, Write};

/// Bytes that are gathered before they are written.
const GATHERED_BYTES: usize = 64 * 1024;

/// The results of one verb. What is still gathered when it is dropped is lost: end with [`Output::flush`].
pub(crate) struct Output {
    gathered: Vec<u8>,
    standard: StdoutLock<'static>,
}

impl Output {
    /// Takes standard output for this verb.
    pub(crate) fn lock() -> Self {
        Self { gathered: Vec::with_capacity(2 * GATHERED_BYTES), standard: io::stdout().lock() }
    }

    /// Adds one line, made by `write` without its line break.
    pub(crate) fn line(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Result<(), Failure> {
        write(&mut self.gathered);
        self.gathered.push(b'\n');
        if self.gathered.len() >= GATHERED_BYTES { self.write_out() } else { Ok(()) }
    }

    /// Adds a line of text.
    pub(crate) fn text(&mut self, text: &str) -> Result<(), Failure> {
        self.line(|out| out.extend_from_slice(text.as_bytes()))
    }

    /// Adds a value as a line of JSON, its keys in the order of the type.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        self.line(|out| serde_json::to_writer(out, value).expect("results have string keys and finite numbers"))
    }

    /// Hands everything on to whoever reads standard output.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        self.write_out()?;
        self.standard.flush().map_err(|error| Failure::output(&error))
    }

    fn write_out(&mut self) -> Result<(), Failure> {
        let result = self.standard.write_all(&self.gathered).map_err(|error| Failure::output(&error));
        self.gathered.clear();
        result
    }
}

//! A progress bar on standard error, on a terminal only.

use crate::failure::{Complaint, complain};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::Read;

/// How far a verb has come.
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Counts bytes of a file of known length.
    pub(crate) fn bytes(length: u64) -> Self {
        Self::with_template(
            Some(length),
            "{bar:30} {percent:>3} %  {bytes} of {total_bytes}  {bytes_per_sec}  {eta} left",
        )
    }

    /// Counts events of which the number is known.
    pub(crate) fn events(length: u64) -> Self {
        Self::with_template(Some(length), "{bar:30} {percent:>3} %  {human_pos} events  {per_sec}  {eta} left")
    }

    /// Counts commits of which the number is known.
    pub(crate) fn commits(length: u64) -> Self {
        Self::with_template(Some(length), "{bar:30} {percent:>3} %  {human_pos} commits  {per_sec}  {eta} left")
    }

    /// Counts segments of the log, of which the number is told later.
    pub(crate) fn segments() -> Self {
        Self::with_template(Some(0), "{bar:30} {percent:>3} %  {human_pos} of {human_len} segments  {eta} left")
    }

    /// Counts files, of which the number is told later.
    pub(crate) fn files() -> Self {
        Self::with_template(Some(0), "{bar:30} {percent:>3} %  {human_pos} of {human_len} files  {eta} left")
    }

    /// Counts bytes without knowing the end.
    pub(crate) fn open_end() -> Self {
        Self::with_template(None, "{spinner} {bytes}  {bytes_per_sec}  {elapsed}")
    }

    /// Shows nothing.
    pub(crate) fn none() -> Self {
        Self { bar: ProgressBar::hidden() }
    }

    fn with_template(length: Option<u64>, template: &str) -> Self {
        let style = ProgressStyle::with_template(template).expect("the template is well formed");
        let bar = length.map_or_else(ProgressBar::no_length, ProgressBar::new);
        Self { bar: bar.with_style(style) }
    }

    /// Counts what is read through the reader that comes back.
    pub(crate) fn reading<R: Read>(&self, reader: R) -> impl Read + use<R> {
        self.bar.wrap_read(reader)
    }

    /// Goes on by `steps`.
    pub(crate) fn advance(&self, steps: u64) {
        self.bar.inc(steps);
    }

    /// Says that `done` of `total` is done.
    pub(crate) fn set(&self, done: u64, total: u64) {
        self.bar.set_length(total);
        self.bar.set_position(done);
    }

    /// Says on standard error what went wrong, beside the bar.
    pub(crate) fn complain(&self, is_json: bool, complaint: &Complaint<'_>) {
        self.bar.suspend(|| complain(is_json, complaint));
    }
}

impl Drop for Progress {
    /// Takes the bar off the screen.
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

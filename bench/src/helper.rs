//! What a measurement needs another process for: the same program, started again with arguments that no user sees.

use crate::indexed::{self, tell_memory};
use crate::outcome::Outcome;
use crate::served::{Misbehaviour, misbehave_until_told, pour, replay_until_told, serve};
use crate::workload::fill_until_killed;
use std::path::PathBuf;

/// What the program is to do in place of measuring. Every program whose rows start themselves again takes these.
#[derive(Debug, clap::Args)]
pub struct Helper {
    /// Fills a store and goes on appending until the process is killed.
    #[arg(long, hide = true)]
    fill: Option<PathBuf>,
    #[arg(long, hide = true, default_value_t = 0)]
    fill_count: u64,
    /// Fills it with the history of the index's rows, in so many streams.
    #[arg(long, hide = true)]
    stream_count: Option<u64>,
    /// Opens a store and prints the process's anonymous memory before and after.
    #[arg(long, hide = true)]
    tell_memory: Option<PathBuf>,
    /// Serves the stores of a directory until standard input ends.
    #[arg(long, hide = true)]
    serve: Option<PathBuf>,
    /// Writes the log of a store into every connection until standard input ends.
    #[arg(long, hide = true)]
    pour: Option<PathBuf>,
    /// Reads everything from a server, over and over, until standard input ends.
    #[arg(long, hide = true)]
    replay: Option<String>,
    #[arg(long, hide = true, default_value_t = 1)]
    replay_count: usize,
    /// Is a burden to a server until standard input ends.
    #[arg(long, hide = true, requires = "at")]
    misbehave: Option<Misbehaviour>,
    #[arg(long, hide = true)]
    at: Option<String>,
}

impl Helper {
    /// Helps, if that is what the program was started for; `None` when it is to measure.
    #[must_use]
    pub fn help(&self) -> Option<Outcome<()>> {
        let fill = |directory: &PathBuf| match self.stream_count {
            Some(stream_count) => indexed::fill_until_killed(directory, self.fill_count, stream_count),
            None => fill_until_killed(directory, self.fill_count),
        };
        let helped = self.fill.as_ref().map(fill);
        let helped = helped.or_else(|| self.tell_memory.as_deref().map(tell_memory));
        let helped = helped.or_else(|| self.serve.as_deref().map(serve));
        let helped = helped.or_else(|| self.pour.as_deref().map(pour));
        let helped =
            helped.or_else(|| self.replay.as_ref().map(|address| replay_until_told(address, self.replay_count)));
        helped.or_else(|| Some(misbehave_until_told(self.misbehave?, self.at.as_ref()?)))
    }
}

//! What a program is told to do, and what it says.

use super::gap::{Gap, LACKS};
use super::peer::Program;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::process::{Command, Stdio};

/// One row of one store.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Work {
    /// It is seen whether the store can be had here.
    Try,
    /// Appends to a new store, for so many seconds.
    Append { append: Append, seconds: f64 },
    /// A store of so many events is made, and left as after a crash of its process.
    Fill { events: u64 },
    /// It is opened, until a stream is read.
    Open,
    /// All of it is read.
    Replay,
    /// Streams are read for so many seconds.
    Streams { seconds: f64 },
}

/// How is appended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Append {
    pub(super) threads: u64,
    /// Events a commit.
    pub(super) batch: u64,
    pub(super) is_durable: bool,
    /// Bytes of data of each event.
    pub(super) data_bytes: u64,
    pub(super) streams: u64,
    /// Whether a few streams get most of the events.
    pub(super) is_zipf: bool,
    /// Appends a second, each at its time; none: one after the other.
    pub(super) rate: Option<u32>,
}

/// What a program says of a row.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Said {
    /// The store's version.
    pub version: String,
    /// What it keeps and checks.
    pub keeps: String,
    /// Appends that were answered.
    pub commits: u64,
    /// Events that were appended or read.
    pub events: u64,
    /// How long that took.
    pub seconds: f64,
    /// Half of the calls took no longer, in microseconds.
    pub p50_us: Option<f64>,
    /// Ninety-nine of a hundred took no longer.
    pub p99_us: Option<f64>,
    /// Nine hundred and ninety-nine of a thousand took no longer.
    pub p999_us: Option<f64>,
    /// None took longer.
    pub max_us: Option<f64>,
    /// Bytes on disk for each event.
    pub bytes_an_event: Option<f64>,
    /// The most memory that was not a file's.
    pub anonymous_bytes_max: u64,
}

impl Said {
    /// Events a second.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "a rate is shown with three digits")]
    pub fn rate(&self) -> f64 {
        self.events as f64 / self.seconds
    }
}

impl Append {
    /// One client, durable, one event a commit of 256 bytes, a thousand streams by turns.
    pub(super) const ONE: Self =
        Self { threads: 1, batch: 1, is_durable: true, data_bytes: 256, streams: 1_000, is_zipf: false, rate: None };
}

impl Work {
    /// Has a program do it in a directory.
    pub(super) fn run(self, program: &Program, directory: &Path) -> Result<Said, Gap> {
        let mut command = Command::new(&program.path);
        command.arg("--dir").arg(directory).args(self.arguments());
        understand(&mut command)
    }

    /// The same, with its calls to sync counted, of which some belong to opening and closing. Being watched slows it down.
    pub(super) fn run_counted(self, program: &Program, directory: &Path, counts: &Path) -> Result<(Said, u64), Gap> {
        let mut command = Command::new("strace");
        command.args(["--follow-forks", "--seccomp-bpf", "--summary-only", "--quiet=all", "--output"]).arg(counts);
        command.args(["--summary-columns=calls,name", "--trace=fsync,fdatasync,msync,sync_file_range,syncfs,sync"]);
        command.arg(&program.path).arg("--dir").arg(directory).args(self.arguments());
        let said = understand(&mut command)?;
        let counts = std::fs::read_to_string(counts).map_err(|error| Gap::failed(&error))?;
        Ok((said, sync_count(&counts)))
    }

    fn arguments(self) -> Vec<String> {
        let words = match self {
            Self::Try => "try".to_owned(),
            Self::Append { append, seconds } => append.arguments(seconds),
            Self::Fill { events } => format!("fill --events {events}"),
            Self::Open => "open".to_owned(),
            Self::Replay => "replay".to_owned(),
            Self::Streams { seconds } => format!("streams --seconds {seconds}"),
        };
        words.split(' ').map(str::to_owned).collect()
    }
}

impl Append {
    fn arguments(self, seconds: f64) -> String {
        let Self { threads, batch, data_bytes, streams, .. } = self;
        let mut words = format!(
            "--data-bytes {data_bytes} append --threads {threads} --batch {batch} --streams {streams} --seconds {seconds}"
        );
        if !self.is_durable {
            words.push_str(" --unsynced");
        }
        if self.is_zipf {
            words.push_str(" --zipf");
        }
        if let Some(rate) = self.rate {
            words.push_str(&format!(" --rate {rate}"));
        }
        words
    }
}

/// Runs a program and reads what it came to.
fn understand(command: &mut Command) -> Result<Said, Gap> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| Gap::failed(&error))?;
    let (said, complaint) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if !output.status.success() {
        let last = complaint.lines().last().unwrap_or("it ended without a word").to_owned();
        return Err(if output.status.code() == Some(LACKS) { Gap::Lacks(last) } else { Gap::Failed(last) });
    }
    // A store may print things of its own.
    let line = said.lines().rfind(|line| line.starts_with('{'));
    let line = line.ok_or_else(|| Gap::Failed("it printed no outcome".to_owned()))?;
    serde_json::from_str(line).map_err(|error| Gap::failed(&error))
}

/// All calls in the table that strace writes: a number and a name in each line, between lines of other kinds.
fn sync_count(counts: &str) -> u64 {
    let lines = counts.lines().filter_map(|line| match line.split_whitespace().collect::<Vec<_>>()[..] {
        [calls, name] if name != "total" => calls.parse::<u64>().ok(),
        _ => None,
    });
    lines.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calls_of_each_kind_of_sync_are_added_up_and_their_total_is_not() {
        let counts = "    calls syscall\n--------- ----------------\n     1234 fdatasync\n        5 fsync\n\
                      --------- ----------------\n     1239 total\n";
        assert_eq!(sync_count(counts), 1_239);
    }
}

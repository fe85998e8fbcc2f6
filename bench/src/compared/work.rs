//! What a program is told to do, and what it says.

use super::peer::Program;
use crate::outcome::Outcome;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::process::{Command, Stdio};

/// One row of one store.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Work {
    /// So many threads append, so many events a commit, for so many seconds, in a new directory.
    Append { threads: u64, batch: u64, is_durable: bool, seconds: f64 },
    /// A store of so many events is made, and left as after a crash of its process.
    Fill { events: u64 },
    /// It is opened, until a stream is read.
    Open,
    /// All of it is read.
    Replay,
    /// Streams are read for so many seconds.
    Streams { seconds: f64 },
}

/// What a program says of a row.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Said {
    /// The store's version.
    pub version: String,
    /// What it keeps and checks.
    pub keeps: String,
    /// The row.
    pub row: String,
    /// Events that were appended or read.
    pub events: u64,
    /// How long that took.
    pub seconds: f64,
    /// Half of the calls took no longer, in microseconds.
    pub p50_us: Option<f64>,
    /// Ninety-nine of a hundred took no longer.
    pub p99_us: Option<f64>,
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

impl Work {
    /// Has a program do it in a directory. `Err` holds what the program said.
    pub fn run(self, program: &Program, directory: &Path) -> Outcome<Said> {
        let mut command = Command::new(&program.path);
        command.arg("--dir").arg(directory).args(self.arguments()).stdin(Stdio::null());
        let output = command.output()?;
        let said = String::from_utf8_lossy(&output.stdout);
        let complaint = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            let last = complaint.lines().last().unwrap_or("it said nothing");
            return Err(format!("{}: {last}", output.status).into());
        }
        // A store may print things of its own.
        let line = said.lines().rfind(|line| line.starts_with('{')).ok_or("it printed no outcome")?;
        Ok(serde_json::from_str(line)?)
    }

    fn arguments(self) -> Vec<String> {
        let words = match self {
            Self::Append { threads, batch, is_durable, seconds } => {
                let mut words = format!("append --threads {threads} --batch {batch} --seconds {seconds}");
                if !is_durable {
                    words.push_str(" --unsynced");
                }
                words
            }
            Self::Fill { events } => format!("fill --events {events}"),
            Self::Open => "open".to_owned(),
            Self::Replay => "replay".to_owned(),
            Self::Streams { seconds } => format!("streams --seconds {seconds}"),
        };
        words.split(' ').map(str::to_owned).collect()
    }
}

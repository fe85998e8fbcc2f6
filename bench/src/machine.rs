//! Where, when and of what a table was measured: without these, its figures mean nothing.

use crate::place;
use serde::Serialize;
use std::path::Path;
use std::process::Command;
use std::{env, fs, thread};

/// The head of a report.
#[derive(Clone, Debug, Serialize)]
pub struct Machine {
    /// Processor, number of cores, memory.
    pub processor: String,
    /// The operating system's kernel.
    pub kernel: String,
    /// The file system that was written to.
    pub file_system: String,
    /// What was measured; with a star when files differed from that commit.
    pub commit: String,
    /// How it was called.
    pub command: String,
    /// When.
    pub date: String,
    /// Runnable tasks a minute before the start: other work on the machine.
    pub load: String,
}

impl Machine {
    /// This machine, now.
    #[must_use]
    pub fn here(directory: &Path) -> Self {
        let cores = thread::available_parallelism().map_or(0, usize::from);
        let model = line_of("/proc/cpuinfo", "model name").unwrap_or_else(|| env::consts::ARCH.to_owned());
        let memory = line_of("/proc/meminfo", "MemTotal").unwrap_or_default();
        Self {
            processor: format!("{model}, {cores} cores, {memory}"),
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned(),
            file_system: place::file_system(directory),
            commit: commit(),
            command: command(),
            date: jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M UTC").to_string(),
            load: fs::read_to_string("/proc/loadavg").unwrap_or_default().chars().take_while(|c| *c != ' ').collect(),
        }
    }

    /// All of it in one line, as a page shows it.
    #[must_use]
    pub fn line(&self) -> String {
        let Self { processor, kernel, file_system, commit, command, date, load } = self;
        format!("{processor}, Linux {kernel}, {file_system}, load {load} before, {date}, commit {commit}: `{command}`.")
    }

    /// Says what makes figures meaningless.
    pub fn warn(&self, directory: &Path) {
        if cfg!(debug_assertions) {
            eprintln!("WARNING: built without optimisation: add --release");
        }
        if self.file_system == "tmpfs" {
            eprintln!(
                "WARNING: {} is in memory: syncs mean nothing there; choose a disk with --dir",
                directory.display()
            );
        }
    }
}

/// What follows the colon in the first line of a file that begins with `key`.
fn line_of(path: &str, key: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(key))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn commit() -> String {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let Some(commit) = git(&["rev-parse", "--short=12", "HEAD"]) else { return "unknown".to_owned() };
    let changed = git(&["status", "--porcelain", "--untracked-files=no"]).is_some_and(|changes| !changes.is_empty());
    if changed { format!("{commit}*") } else { commit }
}

fn command() -> String {
    let program = env::current_exe().ok();
    let program =
        program.as_deref().and_then(Path::file_name).map_or_else(String::new, |name| name.display().to_string());
    let arguments = env::args().skip(1).collect::<Vec<_>>().join(" ");
    format!("cargo run --release -p gesta-bench --bin {program} -- {arguments}").trim_end_matches([' ', '-']).to_owned()
}

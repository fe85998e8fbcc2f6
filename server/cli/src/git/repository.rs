//! What git says about a repository.
//!
//! Git runs with this module's arguments in front of every command, so that no setting of the user's changes what it
//! prints.

use crate::failure::{Failure, Status};
use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// A git repository.
#[derive(Debug)]
pub(crate) struct Repository {
    directory: OsString,
}

impl Repository {
    /// The repository that `directory` stands in; what git says when there is none.
    pub(crate) fn find(directory: &Path) -> Result<Result<Self, String>, Failure> {
        let repository = Self { directory: directory.as_os_str().to_owned() };
        let output = repository.run(&["rev-parse", "--git-dir"])?;
        Ok(if output.status.success() { Ok(repository) } else { Err(last_line(&output.stderr)) })
    }

    /// The newest commit; `None` when there is none yet.
    pub(crate) fn head(&self) -> Result<Option<String>, Failure> {
        let output = self.run(&["rev-parse", "--verify", "--quiet", "HEAD^{commit}"])?;
        Ok(output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned()))
    }

    /// How many commits the history up to `head` has, along first parents.
    pub(crate) fn commit_count(&self, head: &str) -> Result<u64, Failure> {
        let output = self.run(&["rev-list", "--count", "--first-parent", head])?;
        let text = String::from_utf8_lossy(&output.stdout);
        text.trim().parse().map_err(|_| git_failure(&last_line(&output.stderr)))
    }

    /// A git command on this repository, its output still to be read.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.arg("--no-pager").arg("-C").arg(&self.directory);
        // Comments in messages and signatures follow the user's settings otherwise.
        for setting in ["log.showRoot=true", "log.showSignature=false", "core.quotePath=false"] {
            command.args(["-c", setting]);
        }
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).env("LC_ALL", "C");
        command
    }

    fn run(&self, arguments: &[&str]) -> Result<Output, Failure> {
        self.command(arguments).output().map_err(|error| start_failure(&error))
    }
}

/// Git could not be started.
pub(super) fn start_failure(error: &io::Error) -> Failure {
    let message = match error.kind() {
        io::ErrorKind::NotFound => "git is not installed: install it, or put it on the PATH".to_owned(),
        _ => format!("cannot start git: {error}"),
    };
    Failure::new(Status::Usage, "git", message)
}

/// Git started and failed.
pub(super) fn git_failure(what: &str) -> Failure {
    Failure::new(Status::Usage, "git", format!("git failed: {what}: mend the repository and run this again"))
}

/// The last line of what git said on standard error.
pub(super) fn last_line(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let line = text.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or("it did not say why");
    line.strip_prefix("fatal: ").unwrap_or(line).to_owned()
}

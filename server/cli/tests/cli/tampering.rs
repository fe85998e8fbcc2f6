//! System calls that do something else than they should, by strace, in a server that knows nothing of it.

use crate::support::eventually;
use rustix::process::{Pid, Signal, kill_process};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Calls of a running process that are tampered with as long as this lives.
pub(crate) struct Tampering {
    strace: Child,
}

/// What strace is told to tamper with calls: to do `what` to each of `calls`, as in `-e inject=calls:what`.
pub(crate) fn strace(calls: &str, what: &str) -> Command {
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={calls}")]);
    command.args(["-e", &format!("inject={calls}:{what}")]);
    command
}

/// Whether a process that runs already may be traced, as `Tampering` does it; says so if not.
pub(crate) fn is_possible() -> bool {
    let mut sleeping = Command::new("sleep").arg("600").stdin(Stdio::null()).spawn().unwrap();
    let is_possible = Tampering::attached(&sleeping.id().to_string(), "fdatasync", "delay_enter=1").is_some();
    sleeping.kill().unwrap();
    sleeping.wait().unwrap();
    if !is_possible {
        let is_demanded = std::env::var_os("CI").is_some();
        assert!(!is_demanded, "strace is missing or may not attach, and in CI this test may not be skipped");
        println!("skipped: there is no strace here, or it may not attach to a process");
    }
    is_possible
}

impl Tampering {
    /// Does `what` to each of `calls` that a process makes from now on, in any of its threads.
    pub(crate) fn with(pid: &serde_json::Value, calls: &str, what: &str) -> Self {
        Self::attached(&pid.to_string(), calls, what).expect("the process is traced")
    }

    /// None where there is no strace, or it may not do that.
    fn attached(pid: &str, calls: &str, what: &str) -> Option<Self> {
        let strace = strace(calls, what).args(["-p", pid]).stdin(Stdio::null()).spawn().ok()?;
        let mut tampering = Self { strace };
        let tasks = format!("/proc/{pid}/task");
        let is_traced = |task: &Path| {
            // A thread may end while it is looked at.
            let status = std::fs::read_to_string(task.join("status")).unwrap_or_default();
            !status.lines().any(|line| line.split_whitespace().eq(["TracerPid:", "0"]))
        };
        let all_traced = || std::fs::read_dir(&tasks).unwrap().all(|task| is_traced(&task.unwrap().path()));
        let mut has_ended = || tampering.strace.try_wait().unwrap().is_some();
        let is_settled = eventually(|| all_traced() || has_ended());
        (is_settled && !has_ended()).then_some(tampering)
    }
}

impl Drop for Tampering {
    fn drop(&mut self) {
        // One that has ended by itself has no id any more.
        if !matches!(self.strace.try_wait(), Ok(None)) {
            return;
        }
        // It lets go of the process: a call that is held up goes on.
        let _ = kill_process(Pid::from_child(&self.strace), Signal::INT);
        if !eventually(|| !matches!(self.strace.try_wait(), Ok(None))) {
            let _ = self.strace.kill();
        }
    }
}

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

/// Whether a process of this machine may be traced; says so if not.
pub(crate) fn is_possible() -> bool {
    let tried = strace("fdatasync", "delay_enter=1").arg("true").output();
    let is_possible = tried.is_ok_and(|tried| tried.status.success());
    if !is_possible {
        assert!(std::env::var_os("CI").is_none(), "strace is missing, and in CI this test may not be skipped");
        println!("skipped: there is no strace here, or it may not trace");
    }
    is_possible
}

impl Tampering {
    /// Does `what` to each of `calls` that a process makes from now on, in any of its threads.
    pub(crate) fn with(pid: &serde_json::Value, calls: &str, what: &str) -> Self {
        let mut command = strace(calls, what);
        let strace = command.args(["-p", &pid.to_string()]).stdin(Stdio::null()).spawn().unwrap();
        let tasks = format!("/proc/{pid}/task");
        let is_traced = |task: &Path| {
            // A thread may end while it is looked at.
            let status = std::fs::read_to_string(task.join("status")).unwrap_or_default();
            !status.lines().any(|line| line.split_whitespace().eq(["TracerPid:", "0"]))
        };
        let all_traced = || std::fs::read_dir(&tasks).unwrap().all(|task| is_traced(&task.unwrap().path()));
        let tampering = Self { strace };
        assert!(eventually(all_traced), "the process is not traced");
        tampering
    }
}

impl Drop for Tampering {
    fn drop(&mut self) {
        // It lets go of the process: a call that is held up goes on.
        let _ = kill_process(Pid::from_child(&self.strace), Signal::INT);
        let _ = self.strace.wait();
    }
}

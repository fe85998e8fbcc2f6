//! A server while it runs.

use crate::peer::Failure;
use rustix::process::{Pid, Signal, kill_process};
use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// A server, which ends when this is dropped.
pub struct Server {
    process: Child,
}

const PATIENCE: Duration = Duration::from_secs(60);

impl Server {
    /// Starts it and waits until it is ready. What it says goes to a file.
    pub fn start(command: &mut Command, log: &Path, mut is_ready: impl FnMut() -> bool) -> Result<Self, Failure> {
        let said = File::options().append(true).create(true).open(log)?;
        command.stdin(Stdio::null()).stdout(said.try_clone()?).stderr(said);
        let mut server = Self { process: command.spawn()? };
        let began = Instant::now();
        while !is_ready() {
            if let Some(status) = server.process.try_wait()? {
                let said = std::fs::read_to_string(log).unwrap_or_default();
                let last = said.lines().last().unwrap_or("it said nothing");
                return Err(format!("the server ended at once, {status}: {last}").into());
            }
            if began.elapsed() > PATIENCE {
                return Err(format!("the server did not answer within {} s", PATIENCE.as_secs()).into());
            }
            thread::sleep(Duration::from_millis(2));
        }
        Ok(server)
    }

    /// Tells it to end, by a signal, and waits until it has.
    pub fn stop(mut self, signal: Signal) -> Result<(), Failure> {
        let process = Pid::from_raw(self.process.id().try_into()?).ok_or("a process without a number")?;
        kill_process(process, signal)?;
        let began = Instant::now();
        while self.process.try_wait()?.is_none() {
            if began.elapsed() > PATIENCE {
                return Err("the server did not end when it was told to".into());
            }
            thread::sleep(Duration::from_millis(2));
        }
        Ok(())
    }

    /// Ends it as a crash would.
    pub fn kill(self) {
        drop(self);
    }

    /// Its process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A port of loopback that nobody listens at.
pub fn free_port() -> Result<u16, Failure> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

//! This program again, in a process of its own.

use crate::outcome::Outcome;
use std::env;
use std::ffi::OsStr;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child as Process, ChildStdout, Command, Stdio};

/// A child that ends when it is dropped.
#[derive(Debug)]
pub(super) struct Child {
    process: Process,
    output: BufReader<ChildStdout>,
}

impl Child {
    /// Starts a child and waits for its first line: the numbers in it.
    pub(super) fn start<A: AsRef<OsStr>>(arguments: &[A]) -> Outcome<(Self, Vec<u64>)> {
        let mut command = Command::new(env::current_exe()?);
        let mut process = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let output = process.stdout.take().ok_or("the child has no standard output")?;
        let mut child = Self { process, output: BufReader::new(output) };
        let numbers = child.numbers()?;
        Ok((child, numbers))
    }

    /// Tells the child to end, and waits for what it says last.
    pub(super) fn end(mut self) -> Outcome<Vec<u64>> {
        drop(self.process.stdin.take());
        let numbers = self.numbers()?;
        let status = self.process.wait()?;
        if status.success() { Ok(numbers) } else { Err(format!("a child ended with {status}").into()) }
    }

    fn numbers(&mut self) -> Outcome<Vec<u64>> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        if line.is_empty() {
            return Err("a child ended early".into());
        }
        Ok(line.split_whitespace().map(str::parse).collect::<Result<_, _>>()?)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        // It has ended already, or does so now.
        let _ = self.process.wait();
    }
}

/// What a child says: numbers on a line of their own.
pub(super) fn tell(numbers: &[u64]) -> Outcome<()> {
    let line: Vec<String> = numbers.iter().map(u64::to_string).collect();
    let mut output = io::stdout().lock();
    writeln!(output, "{}", line.join(" "))?;
    Ok(output.flush()?)
}

/// What a child waits for: that its standard input ends.
pub(super) fn wait_until_told() -> Outcome<()> {
    io::stdin().lock().read_to_end(&mut Vec::new())?;
    Ok(())
}

//! `gesta completions`: what a shell needs to complete this command line.

use crate::failure::{Failure, Status};
use crate::output::Output;
use clap::Command;
use clap_complete::Shell;

/// The arguments.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The shell
    shell: Shell,
}

/// Prints the script for a shell.
pub(crate) fn run(arguments: Arguments, mut command: Command) -> Result<Status, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, "gesta", &mut script);
    let mut output = Output::lock();
    output.text(String::from_utf8_lossy(&script).trim_end())?;
    output.flush()?;
    Ok(Status::Done)
}

//! From the command line to the exit status.

use crate::context::Context;
use crate::failure::{Failure, Status};
use crate::output::Output;
use crate::verbs::{append, completions, demo, export, import, import_git, read, stats, tail, verify};
use clap::{CommandFactory, Parser, Subcommand};
use std::ffi::OsString;
use std::process::ExitCode;

const AFTER_HELP: &str = "\
Exit status:
  0  done
  1  done, but damage was found or lines failed
  2  the command line makes no sense
  3  conflict: a condition of the append did not hold
  4  the store cannot be opened or reached
  5  refused: limits, permission, poisoned, full";

/// An event store: events go in one way, in one gap-free order, and are never changed.
#[derive(Debug, Parser)]
#[command(name = "gesta", version, after_help = AFTER_HELP, max_term_width = 100)]
struct Arguments {
    /// The store's directory
    #[arg(long, global = true, env = "GESTA_STORE", hide_env_values = true, value_name = "DIR")]
    store: Option<OsString>,
    /// Results and failures as JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Add events from lines of JSON, leaving out those that are there already
    Import(import::Arguments),
    /// Add the history of a git repository, one event a commit and file
    ImportGit(import_git::Arguments),
    /// Print every event as a line of JSON, in order
    Export,
    /// Add one event
    Append(append::Arguments),
    /// Print events
    Read(read::Arguments),
    /// Print events as they come
    Tail(tail::Arguments),
    /// Print what the store holds and how much room it takes
    Stats,
    /// Read every byte of the store and report what is damaged
    Verify(verify::Arguments),
    /// Store the history of this git repository, replay it and compare the result with git
    Demo,
    /// Print a shell's completion script
    Completions(completions::Arguments),
}

/// Runs the verb that the command line names.
pub(crate) fn run() -> ExitCode {
    let status = match Arguments::try_parse() {
        Ok(Arguments { store, json, verb }) => {
            let context = Context { store, is_json: json };
            run_verb(&verb, &context).unwrap_or_else(|failure| failure.report(context.is_json))
        }
        Err(error) => refuse(&error),
    };
    ExitCode::from(status as u8)
}

fn run_verb(verb: &Verb, context: &Context) -> Result<Status, Failure> {
    match verb {
        Verb::Import(arguments) => import::run(arguments, context),
        Verb::ImportGit(arguments) => import_git::run(arguments, context),
        Verb::Export => export::run(context),
        Verb::Append(arguments) => append::run(arguments, context),
        Verb::Read(arguments) => read::run(arguments, context),
        Verb::Tail(arguments) => tail::run(arguments, context),
        Verb::Stats => stats::run(context),
        Verb::Verify(arguments) => verify::run(arguments, context),
        Verb::Demo => demo::run(context),
        Verb::Completions(arguments) => completions::run(*arguments, Arguments::command()),
    }
}

/// Answers a command line that names no verb to run: help goes to standard output, a mistake is one line of complaint.
fn refuse(error: &clap::Error) -> Status {
    let is_json = std::env::args_os().any(|argument| argument == "--json");
    if !error.use_stderr() {
        let mut output = Output::lock();
        let printed = output.text(error.to_string().trim_end()).and_then(|()| output.flush());
        return printed.map_or_else(|failure| failure.report(is_json), |()| Status::Done);
    }
    Failure::usage(one_line(error)).report(is_json)
}

/// What clap says in several paragraphs, as one line.
fn one_line(error: &clap::Error) -> String {
    use clap::error::ErrorKind::{DisplayHelpOnMissingArgumentOrSubcommand, MissingSubcommand};
    if matches!(error.kind(), DisplayHelpOnMissingArgumentOrSubcommand | MissingSubcommand) {
        return "no verb given: try 'gesta --help'".to_owned();
    }
    let text = error.to_string();
    let sentences: Vec<&str> = text
        .lines()
        .map(str::trim)
        .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more information"))
        .filter(|line| !line.is_empty())
        .map(|line| line.strip_prefix("error: ").unwrap_or(line))
        .collect();
    format!("{}: try 'gesta --help'", sentences.join(" ").replace(" tip: ", ": "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_mistake_in_the_arguments_is_one_line() {
        let error = Arguments::try_parse_from(["gesta", "reed"]).expect_err("there is no such verb");
        let line = one_line(&error);
        assert!(line.contains("'reed'") && line.contains("'read'") && !line.contains('\n'), "{line}");
        let error = Arguments::try_parse_from(["gesta"]).expect_err("a verb is missing");
        assert_eq!(one_line(&error), "no verb given: try 'gesta --help'");
    }
}

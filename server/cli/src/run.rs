//! From the command line to the exit status.

use crate::context::{Connection, Context};
use crate::failure::{Failure, Status};
use crate::output::Output;
use crate::verbs::{
    append, backup, bench, completions, config, demo, export, import, import_git, index, names, projections, read,
    repair, restore, serve, snapshots, stats, tail, token, top, verify,
};
use clap::{CommandFactory, Parser, Subcommand};
use gesta::NameKind;
use gesta::disk::contain_lost_pages;
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
    /// The store: its directory, or behind a server, such as gesta://host:4701,4702/name; ports and name may be left out
    #[arg(long, global = true, env = "GESTA_STORE", hide_env_values = true, value_name = "STORE")]
    store: Option<OsString>,
    /// Results and failures as JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(flatten, next_help_heading = "Reaching a server")]
    connection: Connection,
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
    /// Print the streams, with how many events each has, and where its last one is
    Streams(names::Arguments),
    /// Print the categories of streams: what stands before the first '-' of their names
    Categories(names::Arguments),
    /// Print the types of events
    Types(names::Arguments),
    /// Print the tags of events
    Tags(names::Arguments),
    /// Print what the store holds and how much room it takes
    Stats,
    /// Read every byte of the store, or of a backup, and report what is damaged
    Verify(verify::Arguments),
    /// Copy the store into another directory, beside whoever writes to it; again, only what is new
    Backup(backup::Arguments),
    /// Make a store of a backup
    Restore(restore::Arguments),
    /// Make a new store of what is left of a damaged one, and list what is missing
    Repair(repair::Arguments),
    /// Check the index files, or make them anew
    #[command(subcommand)]
    Index(index::Verb),
    /// List or drop the fold states that programs have saved
    #[command(subcommand)]
    Snapshots(snapshots::Verb),
    /// See how projections are doing, wait for one, or have its parked events tried again
    #[command(subcommand)]
    Projections(projections::Verb),
    /// Serve the stores of a directory over TCP
    Serve(serve::Arguments),
    /// Make, list or revoke the tokens by which clients of a server show what they may do
    #[command(subcommand)]
    Token(token::Verb),
    /// Show or check the settings of a server
    #[command(subcommand)]
    Config(config::Verb),
    /// Watch a server: what goes in and out, and how long it takes
    Top(top::Arguments),
    /// Measure how fast a store is where it stands, by appending events to it and reading them
    Bench(bench::Arguments),
    /// Store the history of this git repository, replay it and compare the result with git
    Demo,
    /// Print a shell's completion script
    Completions(completions::Arguments),
}

/// Runs the verb that the command line names.
pub(crate) fn run() -> ExitCode {
    // Where the system does not take the handler, a disk that fails ends the process, as it would without.
    let _ = contain_lost_pages();
    let status = match Arguments::try_parse() {
        Ok(Arguments { store, json, connection, verb }) => {
            let context = Context { store, is_json: json, connection };
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
        Verb::Streams(arguments) => names::run(NameKind::Stream, arguments, context),
        Verb::Categories(arguments) => names::run(NameKind::Category, arguments, context),
        Verb::Types(arguments) => names::run(NameKind::Type, arguments, context),
        Verb::Tags(arguments) => names::run(NameKind::Tag, arguments, context),
        Verb::Stats => stats::run(context),
        Verb::Verify(arguments) => verify::run(arguments, context),
        Verb::Backup(arguments) => backup::run(arguments, context),
        Verb::Restore(arguments) => restore::run(arguments, context),
        Verb::Repair(arguments) => repair::run(arguments, context),
        Verb::Index(verb) => index::run(*verb, context),
        Verb::Snapshots(verb) => snapshots::run(verb, context),
        Verb::Projections(verb) => projections::run(verb, context),
        Verb::Serve(arguments) => serve::run(arguments, context),
        Verb::Token(verb) => token::run(verb, context),
        Verb::Config(verb) => config::run(verb, context),
        Verb::Top(arguments) => top::run(arguments, context),
        Verb::Bench(arguments) => bench::run(arguments, context),
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
    let text = error.to_string();
    let command = command_at_fault(&text);
    if matches!(error.kind(), DisplayHelpOnMissingArgumentOrSubcommand | MissingSubcommand) {
        return format!("no verb given: try '{command} --help'");
    }
    let sentences: Vec<&str> = text
        .lines()
        .map(str::trim)
        .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more information"))
        .filter(|line| !line.is_empty())
        .map(|line| line.strip_prefix("error: ").unwrap_or(line))
        .collect();
    format!("{}: try '{command} --help'", sentences.join(" ").replace(" tip: ", ": "))
}

/// The command whose help is of use, by what clap says of its usage.
fn command_at_fault(text: &str) -> String {
    let usage = text.lines().find_map(|line| line.trim().strip_prefix("Usage: ")).unwrap_or("gesta");
    let is_word = |word: &&str| word.starts_with(|first: char| first.is_ascii_lowercase());
    usage.split(' ').take_while(is_word).collect::<Vec<_>>().join(" ")
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
        let error = Arguments::try_parse_from(["gesta", "index"]).expect_err("a verb is missing");
        assert_eq!(one_line(&error), "no verb given: try 'gesta index --help'");
        let error = Arguments::try_parse_from(["gesta", "read", "--form", "3"]).expect_err("there is no such option");
        assert!(one_line(&error).ends_with(": try 'gesta read --help'"), "{}", one_line(&error));
    }
}

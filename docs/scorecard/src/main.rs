//! The score-card: each fault that gesta is to survive, provoked by a test.
//!
//! ```text
//!  rows.toml ──► row     a fault, what is expected, and the tests that provoke it
//!                 │
//!  cargo test ──► build  every test binary of the workspace, built once
//!                 │
//!  .ci/record ──► said   what tests said that ran already
//!                 │
//!                 ▼
//!                trial   the tests of a row, run by name: S, R, X, or why there is no verdict
//!                 │
//!                 ▼
//!                card    a line for each row, and how many of them stand; for people, programs and docs/SCORECARD.md
//! ```
//!
//! What must stay true: a row counts only when tests of its own ran and passed. A test that is gone, was renamed or skips
//! itself is no verdict. One that several rows name runs once, for the first of them, when it passes there.
#![forbid(unsafe_code)]

mod build;
mod card;
mod row;
mod said;
mod trial;

use build::Binaries;
use card::Card;
use clap::Parser;
use said::Said;
use std::error::Error;
use std::process::{Command, ExitCode};
use trial::Trials;

/// Runs the tests of all 72 faults and says which gesta survives (S) or refuses loudly (R).
#[derive(Debug, Parser)]
struct Arguments {
    /// As many rounds as the tests have by themselves, instead of as many as before a release.
    #[arg(long)]
    quick: bool,
    /// Only this row; several times for several.
    #[arg(long = "row", value_name = "N")]
    rows: Vec<u32>,
    /// A JSON object for each row, and one for the sum.
    #[arg(long)]
    json: bool,
    /// What tests said when `cargo test` ran them under `.ci/record`: those do not run again.
    #[arg(long, value_name = "FILE", requires = "quick")]
    said: Option<std::path::PathBuf>,
    /// Fails when a row has a worse verdict than in this page, such as docs/SCORECARD.md.
    #[arg(long, value_name = "FILE")]
    against: Option<std::path::PathBuf>,
    /// Writes the page.
    #[arg(long, value_name = "FILE")]
    write: Option<std::path::PathBuf>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("scorecard: {error}");
            ExitCode::from(2)
        }
    }
}

/// The commit that is looked at, and today.
fn as_of() -> Result<String, Box<dyn Error>> {
    let said = |program: &str, arguments: &[&str]| -> Result<String, Box<dyn Error>> {
        let output = Command::new(program).args(arguments).output().map_err(|error| format!("{program}: {error}"))?;
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    };
    let commit = said("git", &["describe", "--always", "--dirty", "--abbrev=12"])?;
    Ok(format!("commit {commit}, {}", said("date", &["-u", "+%F"])?))
}

/// Whether all is as good as it was, or, where nothing is compared with, no row failed.
fn run(arguments: &Arguments) -> Result<bool, Box<dyn Error>> {
    let rows = row::all()?;
    if let Some(unknown) = arguments.rows.iter().find(|number| !rows.iter().any(|row| row.number == **number)) {
        return Err(format!("there is no row {unknown}: rows are 1 to {}", rows.len()).into());
    }
    let before = arguments.against.as_deref().map(card::verdicts_of).transpose()?;
    let binaries = Binaries::build()?;
    let said = match &arguments.said {
        Some(file) => Said::read(file).map_err(|error| format!("{}: {error}", file.display()))?,
        None => Said::default(),
    };
    let mut card = Card::new(arguments.json);
    let mut trials = Trials::new(&binaries, &said, arguments.quick);
    for row in &rows {
        if arguments.rows.is_empty() || arguments.rows.contains(&row.number) {
            card.add(row, trials.judge(row));
        }
    }
    card.finish();
    if let Some(file) = &arguments.write {
        std::fs::write(file, card.page(arguments.quick, &as_of()?))
            .map_err(|error| format!("{}: {error}", file.display()))?;
    }
    let worse = before.map_or_else(Vec::new, |before| card.worse_than(&before));
    for number in &worse {
        eprintln!("scorecard: row {number} has become worse");
    }
    Ok(worse.is_empty() && !card.has_failed())
}

//! The repository: read models over the history of a git repository, in SQLite.
//!
//! ```text
//!  git-history.ndjson.gz ──► store ──► files     which files exist          ─┐
//!    history                   fold ──► activity  authors, commits, churn    ├─ one database ──► answers, chart
//!                                  ──► labels    types and tags             ─┘
//! ```
//!
//! The store is one that `gesta import git-history.ndjson.gz` has filled, or `--history` fills it here. Run it again: it goes
//! on where it stood.
//!
//! ```sh
//! cargo run --release -p gesta-cqrs --example repository -- --history git-history.ndjson.gz --tree git-history.tree
//! ```

mod activity;
mod answers;
mod chart;
mod event;
mod files;
mod fold;
mod history;
mod labels;
mod options;
mod outcome;

use answers::Answers;
use options::Options;
use outcome::Outcome;
use std::process::ExitCode;
use std::sync::Arc;

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args_os().skip(1)) {
        Ok(options) => options,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Outcome<()> {
    let temporary = tempfile::tempdir()?;
    let directory = options.store.clone().unwrap_or_else(|| temporary.path().join("store"));
    let store = Arc::new(gesta::Store::open(&directory, gesta::Options::default())?);
    if let Some(history) = &options.history {
        println!("{} events imported", history::import(&store, history)?);
    }
    let database = options.database.clone().unwrap_or_else(|| directory.with_added_extension("sqlite"));
    println!("{}", fold::fold(&store, &database)?);

    let answers = Answers::open(&database)?;
    print!("{}", answers.summary()?);
    if let Some(tree) = &options.tree {
        println!("{}", answers.compare(&std::fs::read_to_string(tree)?)?);
    }
    if let Some(file) = &options.chart {
        let months = answers.churn_by_month()?;
        chart::draw(file, &months)?;
        println!("{}: {} months", file.display(), months.len());
    }
    Ok(())
}

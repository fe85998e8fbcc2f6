//! The rows of commands and projections, in the order of the table.

use super::backlog::{Backlog, Target};
use super::commands::{Commands, keeps_snapshots};
use super::freshness::Freshness;
use crate::outcome::Outcome;
use crate::rows::{Goal, Row, Title};
use crate::workload::Settings;

const PROJECT_MEMORY: Row<Settings> = Row {
    title: Title {
        name: "project-memory",
        work: "a backlog folded into memory",
        yardstick: "the same inserts from decoded events",
        goal: Some(Goal::Ratio(0.8)),
        expected: None,
    },
    workload: |settings| Ok(Box::new(Backlog::new(settings, Target::Memory)?)),
};
const PROJECT_SQLITE: Row<Settings> = Row {
    title: Title {
        name: "project-sqlite",
        work: "a backlog folded into SQLite",
        yardstick: "the same inserts from decoded events, 4096 a transaction",
        goal: Some(Goal::Ratio(0.8)),
        expected: None,
    },
    workload: |settings| Ok(Box::new(Backlog::new(settings, Target::Sqlite)?)),
};
const PROJECT_LATENCY: Row<Settings> = Row {
    title: Title {
        name: "project-latency",
        work: "durable append until its row in SQLite is queried",
        yardstick: "the bare append",
        goal: None,
        expected: None,
    },
    workload: |settings| Ok(Box::new(Freshness::new(settings))),
};

const fn command<const THREADS: u32, const LENGTH: u32, const SNAPSHOTS: bool>(
    name: &'static str,
    work: &'static str,
) -> Row<Settings> {
    let yardstick = "the bare append, as many threads";
    let title = Title { name, work, yardstick, goal: None, expected: None };
    Row { title, workload: |settings| Ok(Box::new(Commands::new(settings, THREADS, LENGTH, SNAPSHOTS)?)) }
}

/// All rows that can be measured: long streams only where there is time, snapshots only where the store keeps them.
pub fn rows(settings: &Settings, is_quick: bool) -> Outcome<Vec<Row<Settings>>> {
    let mut rows = vec![
        PROJECT_MEMORY,
        PROJECT_SQLITE,
        PROJECT_LATENCY,
        command::<1, 10, false>("command-1", "commands, 1 thread, streams of 10 events"),
        command::<16, 10, false>("command-16", "commands, 16 threads, streams of 10 events"),
        command::<1, 1_000, false>("command-1-long", "commands, 1 thread, streams of 1,000 events"),
        command::<16, 1_000, false>("command-16-long", "commands, 16 threads, streams of 1,000 events"),
    ];
    if !is_quick {
        rows.push(command::<1, 100_000, false>("command-1-longest", "commands, 1 thread, a stream of 100,000 events"));
        rows.push(command::<16, 100_000, false>(
            "command-16-longest",
            "commands, 16 threads, streams of 100,000 events",
        ));
    }
    if keeps_snapshots(settings)? {
        rows.push(command::<1, 10, true>("snapshot-1", "as command-1, with snapshots"));
        rows.push(command::<16, 10, true>("snapshot-16", "as command-16, with snapshots"));
        rows.push(command::<1, 1_000, true>("snapshot-1-long", "as command-1-long, with snapshots"));
        rows.push(command::<16, 1_000, true>("snapshot-16-long", "as command-16-long, with snapshots"));
        if !is_quick {
            rows.push(command::<1, 100_000, true>("snapshot-1-longest", "as command-1-longest, with snapshots"));
            rows.push(command::<16, 100_000, true>("snapshot-16-longest", "as command-16-longest, with snapshots"));
        }
    }
    Ok(rows)
}

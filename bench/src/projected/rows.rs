//! The rows of commands and projections, in the order of the table.

use super::backlog::{Backlog, Events};
use super::cluster;
use super::commands::{Commands, keeps_snapshots};
use super::freshness::Freshness;
use super::memory::Memory;
use super::postgres::Postgres;
use super::rebuilt::Rebuilt;
use super::sqlite::Sqlite;
use super::target::Target;
use super::waited::Waited;
use crate::outcome::Outcome;
use crate::rows::{Goal, Row, Title};
use crate::workload::Settings;

const GOAL: Option<Goal> = Some(Goal::Ratio(0.8));
const DECODED: &str =
    "the same inserts by a bare loop, 4096 a transaction, of decoded events in memory: nothing is read";
const READ: &str =
    "the same inserts by a bare loop, 4096 a transaction, of events that it reads from the store and decodes";

const fn project<T: Target + 'static, const READS: bool>(
    name: &'static str,
    work: &'static str,
    goal: Option<Goal>,
) -> Row<Settings> {
    let title = Title { name, work, yardstick: if READS { READ } else { DECODED }, goal, expected: None };
    Row {
        title,
        workload: |settings| {
            let bare = if READS { Events::Read } else { Events::Decoded };
            Ok(Box::new(Backlog::<T>::new(settings, bare)?))
        },
    }
}

const fn rebuild<T: Target + 'static>(name: &'static str, work: &'static str) -> Row<Settings> {
    let title = Title { name, work, yardstick: "the same rebuild in 1 part", goal: None, expected: None };
    Row { title, workload: |settings| Ok(Box::new(Rebuilt::<T>::new(settings)?)) }
}

const PROJECT_LATENCY: Row<Settings> = Row {
    title: Title {
        name: "project-latency",
        work: "durable append, then its row in SQLite is waited for and queried; the waits run from the append's return",
        yardstick: "durable append, then the row is written by the same thread in a transaction of its own and queried",
        goal: None,
        expected: None,
    },
    workload: |settings| Ok(Box::new(Freshness::new(settings))),
};
const COMMAND_WAIT: Row<Settings> = Row {
    title: Title {
        name: "command-wait",
        work: "commands, 1 thread, each waiting until a runner has written its row to SQLite",
        yardstick: "the same beside the same runner, without the wait",
        goal: None,
        expected: None,
    },
    workload: |settings| Ok(Box::new(Waited::new(settings))),
};

const fn command<const THREADS: u32, const LENGTH: u32, const SNAPSHOTS: bool>(
    name: &'static str,
    work: &'static str,
) -> Row<Settings> {
    let yardstick = "the bare append, as many threads";
    let title = Title { name, work, yardstick, goal: None, expected: None };
    Row { title, workload: |settings| Ok(Box::new(Commands::new(settings, THREADS, LENGTH, SNAPSHOTS)?)) }
}

/// All rows that can be measured: PostgreSQL only where it is installed, long streams only where there is time, snapshots
/// only where the store keeps them.
pub fn rows(settings: &Settings, is_quick: bool) -> Outcome<Vec<Row<Settings>>> {
    let mut rows = vec![
        project::<Memory, false>("project-memory", "a backlog folded into a map in memory", GOAL),
        project::<Memory, true>("fold-memory", "as project-memory", None),
        project::<Sqlite, false>("project-sqlite", "a backlog folded into SQLite", GOAL),
        project::<Sqlite, true>("fold-sqlite", "as project-sqlite", None),
    ];
    if cluster::installed().is_some() {
        rows.push(project::<Postgres, false>("project-postgres", "a backlog folded into PostgreSQL", GOAL));
        rows.push(rebuild::<Postgres>("rebuild-postgres", "rows in PostgreSQL rebuilt in 2 parts"));
    }
    rows.extend([
        rebuild::<Memory>("rebuild-memory", "rows in memory rebuilt in 2 parts"),
        rebuild::<Sqlite>("rebuild-sqlite", "rows in SQLite rebuilt in 2 parts"),
        PROJECT_LATENCY,
        COMMAND_WAIT,
        command::<1, 10, false>("command-1", "commands, 1 thread, streams of 10 events"),
        command::<16, 10, false>("command-16", "commands, 16 threads, streams of 10 events"),
        command::<1, 1_000, false>("command-1-long", "commands, 1 thread, streams of 1,000 events"),
        command::<16, 1_000, false>("command-16-long", "commands, 16 threads, streams of 1,000 events"),
    ]);
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

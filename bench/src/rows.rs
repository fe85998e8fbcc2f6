//! What is measured, in the order of the table, and what each row should reach.

use crate::outcome::Outcome;
use crate::workload::{
    DurableBatches, DurableThreads, Opened, OpenedAfterKill, Replay, Scrub, Settings, TicketsInFlight, Unsynced,
    Workload,
};
use gesta::Durability;

/// One line of the table, measured on `S`.
pub struct Row<S> {
    /// What is said of it.
    pub title: Title,
    /// Makes both sides.
    pub workload: for<'s> fn(&'s S) -> Outcome<Box<dyn Workload + 's>>,
}

/// What is said of a line of the table.
#[derive(Clone, Copy, Debug)]
pub struct Title {
    /// What it is called on the command line.
    pub name: &'static str,
    /// What is done.
    pub work: &'static str,
    /// What it is measured against.
    pub yardstick: &'static str,
    /// Where it should stand.
    pub goal: Option<Goal>,
    /// What is expected of this stage of the project.
    pub expected: Option<Goal>,
}

/// What a row should reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Goal {
    /// This share of the yard-stick's rate.
    Ratio(f64),
    /// So many events a second.
    Rate(f64),
    /// No more than so many seconds.
    Seconds(f64),
    /// Of a hundred waits, ninety-nine take no longer than so many microseconds.
    Microseconds(f64),
    /// Of a hundred waits, ninety-nine take no longer than this many times the yard-stick's.
    Times(f64),
}

const SYNC_EACH: &str = "pwrite + fdatasync of as many bytes, one caller";
const GROUPED: &str = "one writer thread, waiters woken one by one";
const EVENT_LOOP: &str = "gather as many, one pwrite, one fdatasync, no timer";
const STAGED: &str = "pwrite through 64 KiB of staging";
const PWRITE_EACH: &str = "one pwrite a record";
const CHECKSUM: &str = "crc32fast over the same bytes in maps";
const PREAD: &str = "pread of 1 MiB and crc32fast over the same files";

/// All rows.
pub const ROWS: [Row<Settings>; 15] = [
    Row {
        title: Title {
            name: "durable-1",
            work: "durable, 1 event a commit, 1 thread",
            yardstick: SYNC_EACH,
            goal: Some(Goal::Ratio(0.95)),
            expected: Some(Goal::Ratio(0.8)),
        },
        workload: |settings| Ok(Box::new(DurableThreads::new(settings, 1))),
    },
    Row {
        title: Title {
            name: "durable-16",
            work: "durable, 1 event a commit, 16 threads",
            yardstick: GROUPED,
            goal: Some(Goal::Ratio(0.8)),
            expected: Some(Goal::Ratio(0.8)),
        },
        workload: |settings| Ok(Box::new(DurableThreads::new(settings, 16))),
    },
    Row {
        title: Title {
            name: "durable-64",
            work: "durable, 1 event a commit, 64 threads",
            yardstick: GROUPED,
            goal: Some(Goal::Ratio(0.8)),
            expected: Some(Goal::Ratio(0.8)),
        },
        workload: |settings| Ok(Box::new(DurableThreads::new(settings, 64))),
    },
    Row {
        title: Title {
            name: "tickets-64",
            work: "durable, 64 tickets in flight",
            yardstick: EVENT_LOOP,
            goal: Some(Goal::Ratio(0.75)),
            expected: Some(Goal::Ratio(0.75)),
        },
        workload: |settings| Ok(Box::new(TicketsInFlight::new(settings, 64))),
    },
    Row {
        title: Title {
            name: "tickets-512",
            work: "durable, 512 tickets in flight",
            yardstick: EVENT_LOOP,
            goal: Some(Goal::Ratio(0.6)),
            expected: Some(Goal::Ratio(0.6)),
        },
        workload: |settings| Ok(Box::new(TicketsInFlight::new(settings, 512))),
    },
    Row {
        title: Title {
            name: "durable-batch",
            work: "durable, 100 events a commit, 1 thread",
            yardstick: SYNC_EACH,
            goal: Some(Goal::Ratio(0.8)),
            expected: Some(Goal::Ratio(0.8)),
        },
        workload: |settings| Ok(Box::new(DurableBatches::new(settings, 100))),
    },
    Row {
        title: Title {
            name: "written-1",
            work: "`Written`, 1 event a call",
            yardstick: PWRITE_EACH,
            goal: None,
            expected: None,
        },
        workload: |settings| Ok(Box::new(Unsynced::new(settings, Durability::Written, 1))),
    },
    Row {
        title: Title {
            name: "written-100",
            work: "`Written`, 100 events a call",
            yardstick: STAGED,
            goal: Some(Goal::Ratio(0.4)),
            expected: None,
        },
        workload: |settings| Ok(Box::new(Unsynced::new(settings, Durability::Written, 100))),
    },
    Row {
        title: Title {
            name: "buffered-1",
            work: "`Buffered`, 1 event a call",
            yardstick: STAGED,
            goal: Some(Goal::Rate(2e6)),
            expected: None,
        },
        workload: |settings| Ok(Box::new(Unsynced::new(settings, Durability::Buffered, 1))),
    },
    Row {
        title: Title {
            name: "buffered-100",
            work: "`Buffered`, 100 events a call",
            yardstick: STAGED,
            goal: None,
            expected: None,
        },
        workload: |settings| Ok(Box::new(Unsynced::new(settings, Durability::Buffered, 100))),
    },
    Row {
        title: Title {
            name: "replay",
            work: "full replay, verified and decoded, warm",
            yardstick: CHECKSUM,
            goal: Some(Goal::Ratio(0.7)),
            expected: Some(Goal::Ratio(0.5)),
        },
        workload: |settings| Ok(Box::new(Replay::new(settings)?)),
    },
    Row {
        title: Title {
            name: "scrub",
            work: "one pass of the scrub at no bounded rate, warm",
            yardstick: CHECKSUM,
            goal: None,
            expected: None,
        },
        workload: |settings| Ok(Box::new(Scrub::new(settings)?)),
    },
    Row {
        title: Title {
            name: "open-small",
            work: "open after kill -9, a tenth of the events",
            yardstick: PREAD,
            goal: Some(Goal::Seconds(0.3)),
            expected: None,
        },
        workload: |settings| {
            Ok(Box::new(OpenedAfterKill::new(settings, Opened::Store, settings.opened_event_counts[0])?))
        },
    },
    Row {
        title: Title {
            name: "open",
            work: "open after kill -9",
            yardstick: PREAD,
            goal: Some(Goal::Seconds(0.3)),
            expected: None,
        },
        workload: |settings| {
            Ok(Box::new(OpenedAfterKill::new(settings, Opened::Store, settings.opened_event_counts[1])?))
        },
    },
    Row {
        title: Title {
            name: "open-reader",
            work: "open for reading after kill -9",
            yardstick: PREAD,
            goal: Some(Goal::Seconds(0.3)),
            expected: None,
        },
        workload: |settings| {
            Ok(Box::new(OpenedAfterKill::new(settings, Opened::Reader, settings.opened_event_counts[1])?))
        },
    },
];

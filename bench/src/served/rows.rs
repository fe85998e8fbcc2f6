//! The rows of the server, in the order of the table.

use super::appends::ServedAppends;
use super::beside::{Beside, Others};
use super::clients::Pattern;
use super::misbehaviour::Misbehaviour;
use super::replay::{FilteredReplay, ServedReplay};
use super::subscription::Delivery;
use crate::outcome::Outcome;
use crate::rows::{Goal, Row, Title};
use crate::workload::{Settings, Workload};

const fn single(connection_count: usize) -> Pattern {
    Pattern { connection_count, requests_each: 1, events_each: 1 }
}

const PIPELINED: Pattern = Pattern { connection_count: 1, requests_each: 8, events_each: 100 };

const ALONE: &str = "the same appends alone";

/// Appends beside clients that misbehave: those who behave should hardly notice.
const fn burdened(name: &'static str, work: &'static str, workload: MakeWorkload) -> Row<Settings> {
    Row { title: Title { name, work, yardstick: ALONE, goal: Some(Goal::Times(2.0)), expected: None }, workload }
}

type MakeWorkload = for<'s> fn(&'s Settings) -> Outcome<Box<dyn Workload + 's>>;

fn beside<'s>(settings: &'s Settings, how: Misbehaviour) -> Outcome<Box<dyn Workload + 's>> {
    Ok(Box::new(Beside::new(settings, single(16), Others::Misbehaving(how))?))
}

/// All rows.
pub const ROWS: [Row<Settings>; 14] = [
    Row {
        title: Title {
            name: "served-1",
            work: "durable, 1 connection, 1 event a request",
            yardstick: "embedded, 1 ticket in flight",
            goal: None,
            expected: None,
        },
        workload: |settings| Ok(Box::new(ServedAppends::new(settings, single(1)))),
    },
    Row {
        title: Title {
            name: "served-16",
            work: "durable, 16 connections, 1 event a request",
            yardstick: "embedded, 16 tickets in flight",
            goal: None,
            expected: None,
        },
        workload: |settings| Ok(Box::new(ServedAppends::new(settings, single(16)))),
    },
    Row {
        title: Title {
            name: "served-64",
            work: "durable, 64 connections, 1 event a request",
            yardstick: "embedded, 64 tickets in flight",
            goal: Some(Goal::Ratio(0.5)),
            expected: None,
        },
        workload: |settings| Ok(Box::new(ServedAppends::new(settings, single(64)))),
    },
    Row {
        title: Title {
            name: "served-512",
            work: "durable, 512 connections, 1 event a request",
            yardstick: "embedded, 512 tickets in flight",
            goal: None,
            expected: None,
        },
        workload: |settings| Ok(Box::new(ServedAppends::new(settings, single(512)))),
    },
    Row {
        title: Title {
            name: "served-pipelined",
            work: "durable, 1 connection, 8 requests of 100 events in flight",
            yardstick: "embedded, 8 tickets of 100 events in flight",
            goal: None,
            expected: None,
        },
        workload: |settings| Ok(Box::new(ServedAppends::new(settings, PIPELINED))),
    },
    Row {
        title: Title {
            name: "served-replay",
            work: "full replay over TCP, verified and decoded, warm",
            yardstick: "a raw socket moving the log's bytes, writes of 256 KiB",
            goal: Some(Goal::Ratio(0.8)),
            expected: Some(Goal::Ratio(0.7)),
        },
        workload: |settings| Ok(Box::new(ServedReplay::new(settings)?)),
    },
    Row {
        title: Title {
            name: "served-filtered",
            work: "the events of a tenth of the streams, over TCP, warm",
            yardstick: "the same query by a reader in this process",
            goal: None,
            expected: None,
        },
        workload: |settings| Ok(Box::new(FilteredReplay::new(settings)?)),
    },
    Row {
        title: Title {
            name: "served-delivery",
            work: "append to delivery, 1 event after the other",
            yardstick: "embedded, a subscription of the same store",
            goal: None,
            expected: None,
        },
        workload: |settings| Ok(Box::new(Delivery::new(settings))),
    },
    Row {
        title: Title {
            name: "planes",
            work: "durable, 16 connections, beside 4 that replay without pause",
            yardstick: ALONE,
            goal: Some(Goal::Times(2.0)),
            expected: None,
        },
        workload: |settings| Ok(Box::new(Beside::new(settings, single(16), Others::Replaying(4))?)),
    },
    burdened("beside-silent", "durable, 16 connections, beside 500 that say nothing", |settings| {
        beside(settings, Misbehaviour::Silent)
    }),
    burdened("beside-slow", "durable, 16 connections, beside 500 that send a byte every 100 ms", |settings| {
        beside(settings, Misbehaviour::Slow)
    }),
    burdened("beside-noisy", "durable, 16 connections, beside 16 that send noise, again and again", |settings| {
        beside(settings, Misbehaviour::Noisy)
    }),
    burdened("beside-fleeting", "durable, 16 connections, beside 16 that connect and leave", |settings| {
        beside(settings, Misbehaviour::Fleeting)
    }),
    burdened("beside-unread", "durable, 16 connections, beside 16 replays that nobody reads", |settings| {
        beside(settings, Misbehaviour::Unread)
    }),
];

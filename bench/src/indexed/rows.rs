//! What is measured on a store of each size, in this order: what appends comes last, for it makes the store larger.

use super::appends::{ConditionalAppends, IndexedAppends};
use super::checks::{Checks, Question};
use super::history::History;
use super::reads::{QueryRead, StreamRead};
use super::subject::Subject;
use crate::rows::{Goal, Row, Title};
use gesta::{Durability, QueryItem, Revision, StreamName, Tag};

const MAP: &str = "a look-up in a hash map in memory";
const MERGE: &str = "a walk over both lists in memory";
const SCAN: &str = "a replay of everything, filtered";

/// What is measured before the store is open.
pub const OPEN: Title = Title {
    name: "open",
    work: "open after kill -9",
    yardstick: "pread of 1 MiB and crc32fast over the whole log",
    goal: Some(Goal::Seconds(0.3)),
    expected: None,
};

/// The rows that are measured on an open store.
pub const INDEXED_ROWS: [Row<Subject>; 12] = [
    Row {
        title: Title {
            name: "check-hot",
            work: "`Exactly(r)` on a stream that was asked for just before",
            yardstick: MAP,
            goal: Some(Goal::Microseconds(0.2)),
            expected: None,
        },
        workload: |subject| {
            Ok(Box::new(Checks::new(subject, |subject| {
                Ok(Question::At(subject.history.ledger().clone(), Revision(History::LEDGER_COUNT - 1)))
            })))
        },
    },
    Row {
        title: Title {
            name: "check-new",
            work: "`NoStream` on a new stream",
            yardstick: MAP,
            goal: Some(Goal::Microseconds(2.0)),
            expected: None,
        },
        workload: |subject| {
            Ok(Box::new(Checks::new(subject, |subject| {
                Ok(Question::NoStream(StreamName::new(format!("novel-{}", subject.fresh_number()))?))
            })))
        },
    },
    Row {
        title: Title {
            name: "check-cold",
            work: "`Exactly(r)` on a stream that was written long ago",
            yardstick: MAP,
            goal: Some(Goal::Microseconds(2.0)),
            expected: None,
        },
        workload: |subject| Ok(Box::new(Checks::of_cold_streams(subject))),
    },
    Row {
        title: Title {
            name: "condition-new",
            work: "no event at all with a tag that was never seen",
            yardstick: MAP,
            goal: None,
            expected: None,
        },
        workload: |subject| {
            Ok(Box::new(Checks::new(subject, |subject| {
                Ok(Question::NoTag(Tag::new(format!("customer:novel-{}", subject.fresh_number()))?))
            })))
        },
    },
    Row {
        title: Title {
            name: "condition-rare",
            work: "no event at all with two rare tags that were never seen together",
            yardstick: MERGE,
            goal: None,
            expected: None,
        },
        workload: |subject| {
            Ok(Box::new(Checks::new(subject, |subject| {
                Ok(Question::NotBoth(subject.history.rare_apart_tags(subject.fresh_number())))
            })))
        },
    },
    Row {
        title: Title {
            name: "condition-often",
            work: "no event at all with two tags, each on an eighth of all, that were never seen together",
            yardstick: MERGE,
            goal: None,
            expected: None,
        },
        workload: |subject| {
            Ok(Box::new(Checks::new(subject, |subject| Ok(Question::NotBoth(subject.history.apart_tags())))))
        },
    },
    Row {
        title: Title {
            name: "read-stream",
            work: "a stream of 1,000 events",
            yardstick: "the same records in one piece, verified and decoded",
            goal: Some(Goal::Times(2.0)),
            expected: None,
        },
        workload: |subject| Ok(Box::new(StreamRead::new(subject)?)),
    },
    Row {
        title: Title {
            name: "query-tags",
            work: "100 events with two tags",
            yardstick: SCAN,
            goal: None,
            expected: None,
        },
        workload: |subject| {
            let item = QueryItem { tags: subject.history.campaign_tags().to_vec(), ..QueryItem::new() };
            Ok(Box::new(QueryRead::new(subject, item, History::CAMPAIGN_MATCH_COUNT)))
        },
    },
    Row {
        title: Title {
            name: "query-type",
            work: "1 % of all events, by their type",
            yardstick: SCAN,
            goal: None,
            expected: None,
        },
        workload: |subject| {
            let item = QueryItem::new().event_type(subject.history.returned().clone());
            let match_count = subject.scale().event_count / History::RETURNED_EVERY;
            Ok(Box::new(QueryRead::new(subject, item, match_count)))
        },
    },
    Row {
        title: Title {
            name: "append-written",
            work: "`Written`, 100 events a call, indexed",
            yardstick: "the same requests, batches and pwrites without an index",
            goal: Some(Goal::Ratio(0.8)),
            expected: None,
        },
        workload: |subject| Ok(Box::new(IndexedAppends::new(subject, Durability::Written))),
    },
    Row {
        title: Title {
            name: "append-durable",
            work: "durable, 100 events a call, indexed",
            yardstick: "the same requests, batches, pwrites and fdatasyncs without an index",
            goal: Some(Goal::Ratio(0.95)),
            expected: None,
        },
        workload: |subject| Ok(Box::new(IndexedAppends::new(subject, Durability::Durable))),
    },
    Row {
        title: Title {
            name: "append-if",
            work: "`Buffered`, 1 event a call, under a condition on a tag",
            yardstick: "the same appends without a condition",
            goal: Some(Goal::Ratio(0.9)),
            expected: None,
        },
        workload: |subject| Ok(Box::new(ConditionalAppends::new(subject))),
    },
];

//! What is measured of every store.

use super::work::Append;

/// A way of appending.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) append: Append,
}

/// The rows that are compared first.
pub(super) const APPENDS: [Row; 6] = [
    Row { name: "durable-1", append: Append::ONE },
    Row { name: "durable-16", append: Append { threads: 16, ..Append::ONE } },
    Row { name: "durable-64", append: Append { threads: 64, ..Append::ONE } },
    Row { name: "durable-1x100", append: HUNDRED },
    Row { name: "unsynced-1", append: Append { is_durable: false, ..Append::ONE } },
    Row { name: "unsynced-1x100", append: Append { is_durable: false, ..HUNDRED } },
];

/// The same as `durable-1x100` with other events and other streams.
pub(super) const WORKLOADS: [Row; 5] = [
    Row { name: "64 B", append: Append { data_bytes: 64, ..HUNDRED } },
    Row { name: "1 KiB", append: Append { data_bytes: 1 << 10, ..HUNDRED } },
    Row { name: "8 KiB", append: Append { data_bytes: 8 << 10, ..HUNDRED } },
    Row { name: "1 M streams", append: Append { streams: 1_000_000, ..HUNDRED } },
    Row { name: "zipf", append: Append { is_zipf: true, ..HUNDRED } },
];

/// Waits at a rate that is the same for all.
pub(super) const LATENCY: Row =
    Row { name: "latency", append: Append { threads: 16, rate: Some(1_000), ..Append::ONE } };

/// The rows whose syncs are counted.
pub(super) const COUNTED: [&str; 2] = ["durable-1", "durable-64"];

/// The stores that are grown: those that read their log to open after a crash, and those that keep what gesta keeps.
pub(super) const GROWN: [&str; 6] = ["gesta", "tephra", "sqlite", "lmdb", "redb", "fjall"];

const HUNDRED: Append = Append { batch: 100, ..Append::ONE };

//! What two snapshots of one server say about the time between them.
//!
//! Counts only grow within one life of the server; when it was started anew in between there is nothing to compare, and
//! rates are absent. Response times and sizes are those since its start.

use gesta_server::observe::{Latency, PlaneSnapshot, Snapshot, StoreSnapshot, SubscriberSnapshot};
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// One look at a server. The names of the fields are a contract, as they are printed with `--json`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Figures {
    pub(super) uptime_seconds: u64,
    /// Over how long the rates were taken; absent where there is nothing to compare with.
    pub(super) seconds: Option<f64>,
    pub(super) last_error_age_seconds: Option<u64>,
    pub(super) reload_failures: u64,
    pub(super) planes: Planes,
    pub(super) stores: Vec<Store>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Planes {
    pub(super) append: Plane,
    pub(super) read: Plane,
}

/// Of a plane: what it does a second, and how many are there.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Plane {
    pub(super) connections_open: u64,
    pub(super) requests_in_flight: u64,
    pub(super) requests_per_second: Option<f64>,
    pub(super) received_events_per_second: Option<f64>,
    pub(super) sent_events_per_second: Option<f64>,
    pub(super) received_bytes_per_second: Option<f64>,
    pub(super) sent_bytes_per_second: Option<f64>,
    pub(super) refusals_per_second: Option<f64>,
    /// Since the start, those that there were.
    pub(super) refusals: BTreeMap<String, u64>,
}

/// Of a store: its five figures, and who follows it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Store {
    pub(super) store: String,
    pub(super) events: Option<u64>,
    pub(super) committed_events_per_second: Option<f64>,
    pub(super) commits_per_second: Option<f64>,
    pub(super) command_us: Times,
    pub(super) query_us: Times,
    pub(super) bytes: Option<u64>,
    pub(super) commit_under_way_us: Option<u64>,
    pub(super) failure: Option<String>,
    pub(super) subscribers: u64,
    pub(super) lag_max: u64,
    pub(super) furthest_behind: Vec<Follower>,
}

/// Response times since the start, in microseconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Times {
    pub(super) p50: Option<u64>,
    pub(super) p99: Option<u64>,
}

/// One that follows a store.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Follower {
    pub(super) name: String,
    pub(super) lag: u64,
}

impl Figures {
    /// The server as of `now`, and what it did since `before`.
    pub(super) fn of(before: Option<(&Snapshot, Duration)>, now: &Snapshot) -> Self {
        let before = before.filter(|(before, since)| before.uptime_seconds <= now.uptime_seconds && !since.is_zero());
        let seconds = before.map(|(_, since)| since.as_secs_f64());
        let before = before.map(|(before, _)| before).zip(seconds);
        let plane = |which: fn(&Snapshot) -> &PlaneSnapshot| {
            Plane::of(before.map(|(before, seconds)| (which(before), seconds)), which(now))
        };
        let store = |store: &StoreSnapshot| {
            let before = before.and_then(|(before, seconds)| {
                let same = before.stores.iter().find(|earlier| earlier.store == store.store)?;
                Some((same, seconds))
            });
            Store::of(before, store)
        };
        Self {
            uptime_seconds: now.uptime_seconds,
            seconds,
            last_error_age_seconds: now.last_error_age_seconds,
            reload_failures: now.reload_failures,
            planes: Planes { append: plane(|all| &all.planes.append), read: plane(|all| &all.planes.read) },
            stores: now.stores.iter().map(store).collect(),
        }
    }
}

impl Plane {
    fn of(before: Option<(&PlaneSnapshot, f64)>, now: &PlaneSnapshot) -> Self {
        let rate = |count: fn(&PlaneSnapshot) -> u64| rate(before, now, count);
        Self {
            connections_open: now.connections_open,
            requests_in_flight: now.requests_in_flight,
            requests_per_second: rate(|plane| plane.requests),
            received_events_per_second: rate(|plane| plane.received_events),
            sent_events_per_second: rate(|plane| plane.sent_events),
            received_bytes_per_second: rate(|plane| plane.received_bytes),
            sent_bytes_per_second: rate(|plane| plane.sent_bytes),
            refusals_per_second: rate(|plane| plane.refusals.values().sum()),
            refusals: now.refusals.iter().filter(|(_, count)| **count > 0).map(|(why, n)| (why.clone(), *n)).collect(),
        }
    }
}

impl Store {
    fn of(before: Option<(&StoreSnapshot, f64)>, now: &StoreSnapshot) -> Self {
        let rate = |count: fn(&StoreSnapshot) -> u64| rate(before, now, count);
        let times = |latency: &Latency| Times { p50: latency.p50, p99: latency.p99 };
        let follower =
            |SubscriberSnapshot { name, lag, .. }: &SubscriberSnapshot| Follower { name: name.clone(), lag: *lag };
        Self {
            store: now.store.clone(),
            events: now.events,
            committed_events_per_second: rate(|store| store.commits.events),
            commits_per_second: rate(|store| store.commits.count),
            command_us: times(&now.command_us),
            query_us: times(&now.query_us),
            bytes: now.store_bytes.as_ref().map(|bytes| bytes.total),
            commit_under_way_us: now.commits.under_way_us,
            failure: now.failure.clone(),
            subscribers: now.subscribers.count,
            lag_max: now.subscribers.lag_max,
            furthest_behind: now.subscribers.furthest_behind.iter().map(follower).collect(),
        }
    }
}

/// How much a count grew a second.
fn rate<T>(before: Option<(&T, f64)>, now: &T, count: impl Fn(&T) -> u64) -> Option<f64> {
    let (before, seconds) = before?;
    #[allow(clippy::cast_precision_loss, reason = "a rate has three digits that matter")]
    let grown = count(now).checked_sub(count(before))? as f64;
    Some(grown / seconds)
}

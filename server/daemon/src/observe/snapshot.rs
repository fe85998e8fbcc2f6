//! Everything the server knows of itself at one moment, as JSON. The names of the fields are a contract: `gesta top` and
//! `gesta stats` read them. Fields may be added; what is unknown is `null`.

use super::distribution::Counts;
use super::observations::Observations;
use super::plane::{Plane, PlaneObservations};
use super::store_observations::{Commits, DURABILITIES, Operation, StoreObservations};
use gesta::Durability;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many subscribers a snapshot names, those furthest behind.
const SUBSCRIBERS_NAMED_MAX: usize = 100;

/// How much damage a snapshot names.
const DAMAGE_NAMED_MAX: usize = 100;

/// The whole server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Seconds since the start.
    pub uptime_seconds: u64,
    /// How often new certificates, tokens or settings could not be loaded.
    pub reload_failures: u64,
    /// Seconds since something last went wrong.
    pub last_error_age_seconds: Option<u64>,
    /// Both planes.
    pub planes: PlanesSnapshot,
    /// Each store that is served.
    pub stores: Vec<StoreSnapshot>,
}

/// Both planes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanesSnapshot {
    /// The plane that takes commands.
    pub append: PlaneSnapshot,
    /// The plane that serves reads.
    pub read: PlaneSnapshot,
}

/// One plane; counts are since the start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaneSnapshot {
    /// Connections that are open.
    pub connections_open: u64,
    /// Connections that were let in.
    pub connections_opened: u64,
    /// Requests.
    pub requests: u64,
    /// Requests under way: the depth of the queue.
    pub requests_in_flight: u64,
    /// Bytes that came in.
    pub received_bytes: u64,
    /// Bytes that went out.
    pub sent_bytes: u64,
    /// Events that came in.
    pub received_events: u64,
    /// Events that went out.
    pub sent_events: u64,
    /// Refusals by reason; every reason is listed.
    pub refusals: BTreeMap<String, u64>,
}

/// One store, with the five figures: n, s, S, t_q and t_c.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreSnapshot {
    /// Its name.
    pub store: String,
    /// Readable events: n. On one node that is the head, and all of them are durable.
    pub events: Option<u64>,
    /// Streams with at least one event.
    pub streams: Option<u64>,
    /// Sizes of the events that were appended through this process: s.
    pub event_bytes: EventBytes,
    /// Room on disk by part: S.
    pub store_bytes: Option<StoreBytes>,
    /// Query response times: t_q.
    pub query_us: Latency,
    /// Command response times: t_c.
    pub command_us: Latency,
    /// Query response times by operation.
    pub query_us_by_operation: QueryLatency,
    /// Command response times by durability.
    pub command_us_by_durability: CommandLatency,
    /// What commits came to.
    pub commits: CommitSnapshot,
    /// Why no appends are taken.
    pub failure: Option<String>,
    /// What the scrub has done and found, if the store is scrubbed.
    pub scrub: Option<ScrubSnapshot>,
    /// Who follows.
    pub subscribers: SubscribersSnapshot,
}

/// What the scrub of a store has done and found since the store was opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScrubSnapshot {
    /// Passes that have ended.
    pub passes: u64,
    /// Bytes that were read.
    pub bytes: u64,
    /// Of the pass that is under way: bytes that are behind, and all of them.
    pub pass_bytes: Option<[u64; 2]>,
    /// Seconds since a pass ended.
    pub last_pass_age_seconds: Option<u64>,
    /// Batches that cannot be read.
    pub damaged_batches: u64,
    /// What is damaged, and what can be read no more because of it, a hundred places at most.
    pub damage: Vec<String>,
    /// Index files that were damaged, and are made anew.
    pub index_files_damaged: u64,
}

/// Sizes of events; all absent when none was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventBytes {
    /// The smallest.
    pub min: Option<u64>,
    /// The median.
    pub p50: Option<u64>,
    /// 99 of a hundred are no larger.
    pub p99: Option<u64>,
    /// The largest.
    pub max: Option<u64>,
}

/// Bytes of a store's files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreBytes {
    /// All of them.
    pub total: u64,
    /// What is written of the log.
    pub log: u64,
    /// Index files.
    pub index: u64,
    /// Snapshots of state.
    pub snapshots: u64,
    /// Zero-filled room ahead of the log.
    pub reserved: u64,
}

/// Times in microseconds; absent when nothing was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latency {
    /// How many were measured.
    pub count: u64,
    /// The median.
    pub p50: Option<u64>,
    /// 99 of a hundred took no longer.
    pub p99: Option<u64>,
    /// 999 of a thousand took no longer.
    pub p999: Option<u64>,
    /// The longest.
    pub max: Option<u64>,
}

/// Query response times by operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the operations explain themselves: see Operation")]
pub struct QueryLatency {
    pub read: Latency,
    pub subscribe_first_event: Latency,
    pub standing: Latency,
    pub names: Latency,
    pub statistics: Latency,
}

/// Command response times by the durability that the request asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the durabilities explain themselves: see Durability")]
pub struct CommandLatency {
    pub buffered: Latency,
    pub written: Latency,
    pub durable: Latency,
}

/// What the commits of this process came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitSnapshot {
    /// Groups that were written.
    pub count: u64,
    /// Events in them.
    pub events: u64,
    /// Bytes of their requests.
    pub bytes: u64,
    /// Requests that shared a group.
    pub group_requests: Spread,
    /// How long writes took.
    pub write_us: Latency,
    /// How long syncs took.
    pub sync_us: Latency,
    /// How long the commit that is under way has been.
    pub under_way_us: Option<u64>,
}

/// A median and its ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "see EventBytes")]
pub struct Spread {
    pub p50: Option<u64>,
    pub p99: Option<u64>,
    pub max: Option<u64>,
}

/// Who follows a store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubscribersSnapshot {
    /// How many.
    pub count: u64,
    /// How far the one furthest behind is from the head.
    pub lag_max: u64,
    /// Those furthest behind, a hundred at most.
    pub furthest_behind: Vec<SubscriberSnapshot>,
}

/// One subscription.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubscriberSnapshot {
    /// Who it is.
    pub name: String,
    /// Everything below it was sent.
    pub position: u64,
    /// How many positions it is behind the head.
    pub lag: u64,
}

impl Snapshot {
    pub(crate) fn of(observations: &Observations) -> Self {
        let plane = |plane| PlaneSnapshot::of(observations.plane(plane));
        Self {
            uptime_seconds: observations.uptime().as_secs(),
            reload_failures: observations.reload_failures(),
            last_error_age_seconds: observations.last_error_age().map(|age| age.as_secs()),
            planes: PlanesSnapshot { append: plane(Plane::Append), read: plane(Plane::Read) },
            stores: observations.stores().iter().map(|store| StoreSnapshot::of(store)).collect(),
        }
    }
}

impl PlaneSnapshot {
    fn of(plane: &PlaneObservations) -> Self {
        Self {
            connections_open: load(&plane.connections_open),
            connections_opened: load(&plane.connections_opened),
            requests: load(&plane.requests),
            requests_in_flight: load(&plane.requests_in_flight),
            received_bytes: load(&plane.received_bytes),
            sent_bytes: load(&plane.sent_bytes),
            received_events: load(&plane.received_events),
            sent_events: load(&plane.sent_events),
            refusals: plane.refusals().map(|(refusal, count)| (refusal.name().to_owned(), count)).collect(),
        }
    }
}

impl StoreSnapshot {
    fn of(store: &StoreObservations) -> Self {
        let statistics = store.reader().and_then(|reader| reader.statistics().ok());
        let head = store.reader().map(|reader| reader.head().0);
        let command = |durability| store.command_us(durability).counts();
        let query = |operation| store.query_us(operation).counts();
        let event_bytes = store.event_bytes.counts();
        Self {
            store: store.name().to_owned(),
            events: head,
            streams: statistics.map(|statistics| statistics.streams),
            event_bytes: EventBytes {
                min: event_bytes.min(),
                p50: event_bytes.percentile(500),
                p99: event_bytes.percentile(990),
                max: event_bytes.max(),
            },
            store_bytes: statistics.map(|statistics| StoreBytes {
                total: statistics.log_bytes
                    + statistics.index_bytes
                    + statistics.snapshot_bytes
                    + statistics.reserved_bytes,
                log: statistics.log_bytes,
                index: statistics.index_bytes,
                snapshots: statistics.snapshot_bytes,
                reserved: statistics.reserved_bytes,
            }),
            query_us: Latency::of(&Counts::merge(Operation::ALL.map(query))),
            command_us: Latency::of(&Counts::merge(DURABILITIES.map(|(durability, _)| command(durability)))),
            query_us_by_operation: QueryLatency {
                read: Latency::of(&query(Operation::Read)),
                subscribe_first_event: Latency::of(&query(Operation::SubscribeFirstEvent)),
                standing: Latency::of(&query(Operation::Standing)),
                names: Latency::of(&query(Operation::Names)),
                statistics: Latency::of(&query(Operation::Statistics)),
            },
            command_us_by_durability: CommandLatency {
                buffered: Latency::of(&command(Durability::Buffered)),
                written: Latency::of(&command(Durability::Written)),
                durable: Latency::of(&command(Durability::Durable)),
            },
            commits: CommitSnapshot::of(store),
            failure: store.failure(),
            scrub: ScrubSnapshot::of(store),
            subscribers: SubscribersSnapshot::of(store.subscribers.positions(), head.unwrap_or(0)),
        }
    }
}

impl CommitSnapshot {
    fn of(store: &StoreObservations) -> Self {
        let Commits { count, events, bytes, group_requests, write_us, sync_us } = &store.commits;
        let group_requests = group_requests.counts();
        let under_way = store.commit_under_way();
        Self {
            count: load(count),
            events: load(events),
            bytes: load(bytes),
            group_requests: Spread {
                p50: group_requests.percentile(500),
                p99: group_requests.percentile(990),
                max: group_requests.max(),
            },
            write_us: Latency::of(&write_us.counts()),
            sync_us: Latency::of(&sync_us.counts()),
            under_way_us: under_way.map(|duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)),
        }
    }
}

impl ScrubSnapshot {
    fn of(store: &StoreObservations) -> Option<Self> {
        let status = store.scrub()?;
        Some(Self {
            passes: status.passes,
            bytes: status.bytes,
            pass_bytes: status.pass.map(|pass| [pass.bytes_done, pass.bytes_total]),
            last_pass_age_seconds: store.last_pass_age().map(|age| age.as_secs()),
            damaged_batches: status.damaged_batches,
            damage: status.damage.iter().take(DAMAGE_NAMED_MAX).map(ToString::to_string).collect(),
            index_files_damaged: status.index_files_damaged,
        })
    }
}

impl SubscribersSnapshot {
    /// `positions` come with the one furthest behind first.
    fn of(positions: Vec<(String, u64)>, head: u64) -> Self {
        let lag = |position: u64| head.saturating_sub(position);
        Self {
            count: positions.len() as u64,
            lag_max: positions.first().map_or(0, |(_, position)| lag(*position)),
            furthest_behind: positions
                .into_iter()
                .take(SUBSCRIBERS_NAMED_MAX)
                .map(|(name, position)| SubscriberSnapshot { name, position, lag: lag(position) })
                .collect(),
        }
    }
}

impl Latency {
    fn of(counts: &Counts) -> Self {
        Self {
            count: counts.total(),
            p50: counts.percentile(500),
            p99: counts.percentile(990),
            p999: counts.percentile(999),
            max: counts.max(),
        }
    }
}

fn load(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

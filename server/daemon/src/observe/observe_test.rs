//! What is observed comes out again: as a snapshot, as OpenMetrics text, and as the server's health.

use super::*;
use gesta::disk::{Fault, SimulatedDisk};
use gesta::{AppendError, AppendRequest, Durability, Event, EventType, Options, Position, Store, StreamName, Upkeep};
use std::sync::Arc;
use std::time::Duration;

/// A server with one store in a directory of its own.
struct Server {
    observations: Arc<Observations>,
    health: Arc<Health>,
    store: Store,
    watched: Arc<StoreObservations>,
    _directory: tempfile::TempDir,
}

impl Server {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let observations = Observations::new();
        let watched = observations.store("books");
        let options = Options { commit_observer: Some(Arc::clone(&watched) as _), ..Options::default() };
        let store = Store::open(directory.path(), options).unwrap();
        watched.opened(store.reader());
        let health = Health::new(Arc::clone(&observations), Duration::from_secs(3600));
        Self { observations, health, store, watched, _directory: directory }
    }

    fn append(&self, stream: &str, event_count: usize, durability: Durability) {
        let event = || Event::new(EventType::new("Happened").unwrap()).stream(StreamName::new(stream).unwrap());
        let request = AppendRequest::new().events((0..event_count).map(|_| event())).durability(durability);
        self.store.append(request).unwrap();
    }

    fn store_snapshot(&self) -> StoreSnapshot {
        self.observations.snapshot().stores.remove(0)
    }

    /// The value of a series.
    fn series(&self, name_and_labels: &str) -> Option<f64> {
        let page = self.observations.exposition(&self.health);
        let value = |line: &str| line.strip_prefix(name_and_labels)?.strip_prefix(' ')?.parse().ok();
        page.lines().find_map(value)
    }
}

/// Both planes take connections.
fn listen(health: &Health) {
    for plane in Plane::ALL {
        health.set_listening(plane, true);
    }
}

#[test]
fn the_five_figures_of_a_store_come_out_as_they_were_seen() {
    let server = Server::start();
    server.append("a-1", 3, Durability::Durable);
    server.append("b-1", 2, Durability::Durable);
    let store = server.store_snapshot();
    assert_eq!((store.store.as_str(), store.events, store.streams), ("books", Some(5), Some(2)));
    let none = Latency { count: 0, p50: None, p99: None, p999: None, max: None };
    assert_eq!((&store.query_us, &store.command_us), (&none, &none), "nothing seen is null");
    assert_eq!(store.event_bytes, EventBytes { min: None, p50: None, p99: None, max: None });
    let bytes = store.store_bytes.unwrap();
    assert!(bytes.log > 0 && bytes.reserved > 0, "{bytes:?}");
    assert_eq!(bytes.total, bytes.log + bytes.index + bytes.snapshots + bytes.reserved);

    for _ in 0..999 {
        server.watched.command(Durability::Durable, Duration::from_micros(50));
    }
    server.watched.command(Durability::Buffered, Duration::from_micros(9));
    server.watched.query(Operation::Names, Duration::from_micros(40));
    for bytes in [10, 20, 20, 60] {
        server.watched.event_bytes(bytes);
    }
    let store = server.store_snapshot();
    assert_eq!(store.command_us, Latency { count: 1000, p50: Some(50), p99: Some(50), p999: Some(50), max: Some(50) });
    let buffered = &store.command_us_by_durability.buffered;
    assert_eq!((buffered.count, buffered.p999), (1, Some(9)));
    assert_eq!(store.command_us_by_durability.written, none);
    assert_eq!((store.query_us_by_operation.names.p50, store.query_us.p50), (Some(40), Some(40)));
    assert_eq!(store.query_us_by_operation.read, none);
    assert_eq!(store.event_bytes, EventBytes { min: Some(10), p50: Some(20), p99: Some(60), max: Some(60) });
}

#[test]
fn the_stores_own_commits_are_counted() {
    let server = Server::start();
    server.append("a-1", 3, Durability::Durable);
    server.append("a-1", 4, Durability::Durable);
    let commits = server.store_snapshot().commits;
    assert_eq!((commits.count, commits.events), (2, 7));
    assert_eq!((commits.sync_us.count, commits.write_us.count), (2, 2));
    assert_eq!(commits.group_requests, Spread { p50: Some(1), p99: Some(1), max: Some(1) });
    assert_eq!(commits.under_way_us, None);
    assert!(commits.bytes > 0);
    assert_eq!(server.series("gesta_committed_events_total{store=\"books\"}"), Some(7.0));
    assert_eq!(server.series("gesta_commit_sync_seconds_count{store=\"books\"}"), Some(2.0));
}

#[test]
fn a_snapshot_is_the_same_after_a_way_through_json_and_keeps_the_contracts_names() {
    let server = Server::start();
    server.append("a-1", 1, Durability::Durable);
    server.observations.plane(Plane::Read).refused(Refusal::SlowReader);
    let _subscriber = server.watched.subscriber("somebody", Position(0));
    let snapshot = server.observations.snapshot();
    let text = serde_json::to_string(&snapshot).unwrap();
    assert_eq!(serde_json::from_str::<Snapshot>(&text).unwrap(), snapshot);
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let store = &json["stores"][0];
    assert_eq!((&store["store"], &store["events"]), (&"books".into(), &1.into()));
    for (field, parts) in [
        ("event_bytes", &["min", "p50", "p99", "max"][..]),
        ("store_bytes", &["total", "log", "index", "snapshots", "reserved"]),
        ("query_us", &["p50", "p99", "p999"]),
        ("command_us", &["p50", "p99", "p999"]),
    ] {
        for part in parts {
            assert!(store[field].get(part).is_some(), "{field}.{part} is missing");
        }
    }
    assert_eq!(json["planes"]["read"]["refusals"]["slow_reader"], 1);
    assert_eq!(json["planes"]["append"]["refusals"]["slow_reader"], 0);
    assert!(json["last_error_age_seconds"].is_null());
}

#[test]
fn what_is_open_or_under_way_is_not_any_more_when_its_guard_goes_even_by_a_panic() {
    let server = Server::start();
    let plane = server.observations.plane(Plane::Append);
    let (connection, request) = (plane.connection(), plane.request());
    let open = server.observations.snapshot().planes.append;
    assert_eq!((open.connections_open, open.requests_in_flight), (1, 1));
    assert_eq!(server.series("gesta_requests_in_flight{plane=\"append\"}"), Some(1.0));
    let task = std::thread::spawn(move || {
        let _held = (connection, request);
        panic!("the task of one connection fails");
    });
    task.join().unwrap_err();
    let closed = server.observations.snapshot().planes.append;
    assert_eq!((closed.connections_open, closed.requests_in_flight), (0, 0));
    assert_eq!((closed.connections_opened, closed.requests), (1, 1));
}

#[test]
fn subscribers_are_shown_with_their_lag_until_they_go() {
    let server = Server::start();
    server.append("a-1", 10, Durability::Durable);
    let slow = server.watched.subscriber("slow", Position(0));
    let quick = server.watched.subscriber("quick", Position(0));
    quick.reached(Position(9));
    let shown = server.store_snapshot().subscribers;
    assert_eq!((shown.count, shown.lag_max), (2, 10));
    assert_eq!(shown.furthest_behind[1], SubscriberSnapshot { name: "quick".into(), position: 9, lag: 1 });
    assert_eq!(server.series("gesta_subscriber_lag_positions_max{store=\"books\"}"), Some(10.0));
    drop(slow);
    assert_eq!(server.store_snapshot().subscribers.lag_max, 1);
    assert_eq!(server.series("gesta_subscribers{store=\"books\"}"), Some(1.0));
    drop(quick);
    assert_eq!(server.store_snapshot().subscribers.count, 0);
}

#[test]
fn a_snapshot_names_only_the_subscribers_furthest_behind() {
    let server = Server::start();
    server.append("a-1", 30, Durability::Durable);
    let crowd: Vec<_> = (0..300).map(|n| server.watched.subscriber(format!("s{n}"), Position(n / 10))).collect();
    let shown = server.store_snapshot().subscribers;
    assert_eq!((shown.count, shown.furthest_behind.len()), (crowd.len() as u64, 100));
    assert!(shown.furthest_behind.iter().all(|subscriber| subscriber.lag > 20));
}

#[test]
fn buckets_of_times_add_up_and_end_where_they_say() {
    let server = Server::start();
    for microseconds in [1, 15, 16, 100, 2_000_000_000] {
        server.watched.command(Durability::Durable, Duration::from_micros(microseconds));
    }
    let bucket = |le: &str| {
        let labels = format!("{{le=\"{le}\",store=\"books\",durability=\"durable\"}}");
        server.series(&format!("gesta_command_response_seconds_bucket{labels}"))
    };
    assert_eq!((bucket("0.000016"), bucket("0.000032")), (Some(2.0), Some(3.0)));
    assert_eq!((bucket("0.000128"), bucket("67.108864"), bucket("+Inf")), (Some(4.0), Some(4.0), Some(5.0)));
    let labels = "{store=\"books\",durability=\"durable\"}";
    assert_eq!(server.series(&format!("gesta_command_response_seconds_count{labels}")), Some(5.0));
    assert_eq!(server.series(&format!("gesta_command_response_seconds_sum{labels}")), Some(2000.000132));
}

#[test]
fn every_series_is_named_after_gesta_once_and_its_labels_are_whole() {
    let server = Server::start();
    server.append("a-1", 2, Durability::Durable);
    let _ = server.observations.store("quo\"te\\ line\nbreak");
    server.observations.reload_failed();
    let page = server.observations.exposition(&server.health);
    let mut seen = std::collections::BTreeSet::new();
    for line in page.lines().filter(|line| !line.starts_with('#')) {
        let (series, value) = line.rsplit_once(' ').unwrap();
        assert!(series.starts_with("gesta_"), "{line}");
        assert!(value.parse::<f64>().is_ok(), "{line}");
        assert!(seen.insert(series.to_owned()), "twice: {series}");
    }
    assert!(page.ends_with("# EOF\n"));
    assert!(page.contains("store=\"quo\\\"te\\\\ line\\nbreak\""));
    assert_eq!(server.series("gesta_reload_failures_total"), Some(1.0));
    assert!(server.series("gesta_last_error_age_seconds").is_some());
    assert_eq!(server.series("gesta_head_position{store=\"books\"}"), Some(2.0));
    assert!(server.series("gesta_store_size_bytes{store=\"books\",part=\"reserved\"}").unwrap() > 0.0);
}

#[test]
fn a_server_is_ready_when_both_planes_listen_until_it_drains() {
    let server = Server::start();
    assert_eq!(server.health.failing(), ["the append plane does not listen", "the read plane does not listen"]);
    listen(&server.health);
    assert_eq!(server.health.failing(), [""; 0]);
    assert_eq!(server.series("gesta_ready"), Some(1.0));
    server.health.set_draining();
    assert_eq!(server.health.failing(), ["the server is draining: it is about to stop"]);
    assert_eq!(server.series("gesta_ready"), Some(0.0));
}

#[test]
fn a_sync_that_hangs_makes_the_server_fail_until_it_returns() {
    let observations = Observations::new();
    let health = Health::new(Arc::clone(&observations), Duration::ZERO);
    listen(&health);
    let store = observations.store("books\u{1b}[2J");
    assert_eq!(health.failing(), [""; 0]);
    store.sync_started();
    while health.failing().is_empty() {
        std::thread::yield_now();
    }
    let [reason] = &health.failing()[..] else { panic!("one reason") };
    assert!(reason.starts_with(r"store books\u{1b}[2J: a write or sync has been under way for "), "{reason}");
    store.sync_ended();
    assert_eq!(health.failing(), [""; 0]);
    let patient = Health::new(observations, Duration::from_secs(3600));
    listen(&patient);
    store.sync_started();
    assert_eq!(patient.failing(), [""; 0], "a sync within its bound is no failure");
}

#[test]
fn a_poisoned_store_makes_the_server_fail_and_the_first_cause_is_kept() {
    let observations = Observations::new();
    let health = Health::new(Arc::clone(&observations), Duration::from_secs(3600));
    listen(&health);
    let watched = observations.store("books");
    let disk = SimulatedDisk::new(1);
    let commit_observer = Some(Arc::clone(&watched) as _);
    let store = Store::open_on(disk.clone(), Options { commit_observer, upkeep: Upkeep::Inline, ..Options::default() })
        .unwrap();
    let request = || AppendRequest::new().event(Event::new(EventType::new("Happened").unwrap()));
    store.append(request()).unwrap();
    assert_eq!(health.failing(), [""; 0]);
    disk.inject(Fault::FailSync { sync: 1, persistent: true });
    let error = store.append(request()).unwrap_err();
    assert!(matches!(error, AppendError::Poisoned { .. }), "{error}");
    watched.poisoned("something later");
    let reasons = health.failing();
    assert!(reasons[0].starts_with("store books takes no appends: "), "{reasons:?}");
    assert!(!reasons[0].contains("something later") && reasons.len() == 1, "{reasons:?}");
    assert_eq!(observations.snapshot().stores[0].commits.under_way_us, None, "a failed sync is no hanging one");
}

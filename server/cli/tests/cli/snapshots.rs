//! `gesta snapshots list` and `drop`, on a directory and on a server.

use crate::server::Server;
use crate::support::Place;
use gesta::{EventReader, EventStore, Position, Selection, Snapshot, SnapshotKey, Store};
use gesta_client::{BlockingClient, ClientOptions};
use serde_json::json;

/// Saves three snapshots in a store that has an event.
fn save(store: &impl EventStore) {
    for (name, schema, data) in [("order-1", 1, "one"), ("order-2", 1, "two!"), ("user-\n1", 3, "")] {
        let key = SnapshotKey::new(name).unwrap();
        let snapshot = Snapshot { key, schema, position: Position(1), data: data.into() };
        store.save_snapshot(snapshot).unwrap();
    }
}

fn is_loaded(store: &impl EventReader, name: &str) -> bool {
    store.load(&SnapshotKey::new(name).unwrap(), 1, Selection::Everything).unwrap().snapshot.is_some()
}

/// What the verb says of a store with these snapshots, which is the same wherever the store is.
fn list_and_drop(run: impl Fn(&[&str]) -> crate::support::Run) {
    let row = |key: &str, schema: u32, data_bytes: u64| json!({"key": key, "schema": schema, "position": 1, "data_bytes": data_bytes});
    let all = [row("order-1", 1, 3), row("order-2", 1, 4), row("user-\n1", 3, 0)];
    assert_eq!(run(&["snapshots", "list", "--json"]).ok().events(), all);
    assert_eq!(run(&["snapshots", "list", "--json", "--prefix", "order-"]).ok().events(), all[..2]);
    let people = "         1           3       1  order-1\n         1           4       1  order-2\n";
    assert_eq!(run(&["snapshots", "list", "--prefix", "order"]).ok().stdout, people);
    assert!(run(&["snapshots", "list"]).ok().stdout.ends_with("       3  user-\\n1\n"));
    let figures = run(&["stats", "--json"]).ok().json();
    assert!(figures["store_bytes"]["snapshots"].as_u64().unwrap() > 200, "{figures}");

    assert_eq!(run(&["snapshots", "drop", "--prefix", "order-1"]).ok().stdout, "1 snapshot dropped\n");
    assert_eq!(run(&["snapshots", "list", "--json"]).ok().events(), all[1..]);
    assert_eq!(run(&["snapshots", "drop", "--json"]).ok().json(), json!({"dropped": 2}));
    assert_eq!(run(&["snapshots", "drop"]).ok().stdout, "0 snapshots dropped\n");
    assert_eq!(run(&["snapshots", "list"]).ok().stdout, "");
}

#[test]
fn snapshots_of_a_directory_are_listed_and_dropped() {
    let place = Place::new();
    for verb in ["list", "drop"] {
        assert_eq!(place.run(&["snapshots", verb, "--json"]).error(4).0, "store_not_found", "{verb}");
    }
    place.append(&["--stream=order-1"]);
    let store = Store::open(place.store(), gesta::Options::default()).unwrap();
    save(&store);
    assert!(is_loaded(&store, "order-1"));
    store.close().unwrap();
    list_and_drop(|arguments| place.run(arguments));
    assert!(!is_loaded(&gesta::Reader::open(place.store()).unwrap(), "order-1"));
}

#[test]
fn snapshots_of_a_server_are_listed_and_dropped() {
    let place = Place::new();
    let server = Server::start(&place, &[]);
    let port = |plane| server.address(plane).port();
    let address = format!("gesta://127.0.0.1:{},{}/default", port("append"), port("read"));
    let run = |arguments: &[&str]| place.run(&[&["--store", &address], arguments].concat());
    run(&["append", "--type=T", "--stream=order-1"]).ok();
    let client = BlockingClient::connect(address.parse().unwrap(), ClientOptions::default()).unwrap();
    save(&client);
    assert!(is_loaded(&client, "order-1"));
    list_and_drop(run);
    assert!(!is_loaded(&client, "order-1"));
    drop(client);
    server.stop();
}

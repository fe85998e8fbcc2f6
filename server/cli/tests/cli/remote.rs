//! Every verb on a server's store as on a directory's: the same results, the same words, the same exit statuses.

use crate::server::Server;
use crate::shared_data::shared;
use crate::support::{Place, Run, eventually};
use serde_json::{Value, json};

/// The program on the store of a server.
struct Remote {
    place: Place,
    server: Server,
}

impl Remote {
    fn new() -> Self {
        Self::with(&[])
    }

    fn with(arguments: &[&str]) -> Self {
        let place = Place::new();
        let server = Server::start(&place, arguments);
        Self { place, server }
    }

    fn address(&self, store: &str) -> String {
        let port = |plane| self.server.address(plane).port();
        format!("gesta://127.0.0.1:{},{}/{store}", port("append"), port("read"))
    }

    /// Events that the read plane has sent, by its metrics.
    fn sent_events(&self) -> u64 {
        let (_, page) = self.server.page("/metrics");
        let count = page.lines().find_map(|line| line.strip_prefix("gesta_sent_events_total{plane=\"read\"} "));
        count.unwrap_or_else(|| panic!("not counted: {page}")).parse().unwrap()
    }

    fn run(&self, arguments: &[&str]) -> Run {
        self.run_on("default", arguments)
    }

    fn run_on(&self, store: &str, arguments: &[&str]) -> Run {
        let address = self.address(store);
        self.place.run(&[&["--store", &address], arguments].concat())
    }
}

#[test]
fn a_history_that_went_through_a_server_is_exported_byte_for_byte_as_from_a_directory() {
    let Some(history) = shared("git-history.ndjson.gz") else { return };
    let history = history.to_str().unwrap();
    let remote = Remote::new();
    let added = remote.run(&["import", "--json", history]).json();
    assert_eq!(added, json!({"read": 17563, "added": 17563, "duplicate": 0, "failed": 0}));
    let again = remote.run(&["import", "--json", history]).json();
    assert_eq!((&again["added"], &again["duplicate"]), (&json!(0), &json!(17563)));
    let local = Place::new();
    local.run(&["import", history]).ok();
    let sent_before = remote.sent_events();
    let exported = remote.run(&["export"]).ok().stdout;
    // What has arrived is counted a moment later.
    let is_counted = || remote.sent_events() - sent_before == 17563;
    assert!(eventually(is_counted), "whole batches are counted by their events: {}", remote.sent_events());
    assert!(exported == local.run(&["export"]).ok().stdout, "the exports differ");
    for question in [
        &["read", "--json", "--query", "type=FileDeleted | type=FileRenamed", "--limit", "50"][..],
        &["read", "--json", "--stream", "file-Cargo.toml", "--backwards", "--limit", "5"],
        &["read", "--json", "--from", "17000", "--limit", "3"],
        &["streams", "--json", "--prefix", "file-docs"],
        &["types", "--json"],
        &["categories", "--json"],
        &["tags", "--json", "--prefix", "dir:"],
        &["verify", "--json", "--deep"],
    ] {
        let (there, here) = (remote.run(question).ok().stdout, local.run(question).ok().stdout);
        assert!(there == here, "{question:?}: {there}");
    }
    let figures = remote.run(&["stats", "--json"]).json();
    let here = local.run(&["stats", "--json"]).json();
    assert_eq!([&figures["events"], &figures["streams"]], [&here["events"], &here["streams"]]);
    assert_eq!(figures["event_bytes"]["min"], here["event_bytes"]["min"]);
    assert!(figures["command_us"]["p50"].as_u64().unwrap() > 0 && figures["query_us"]["p50"].is_u64(), "{figures}");
    assert_eq!(remote.run(&["index", "rebuild", "--json"]).json()["ok"], json!(true));
    assert_eq!(remote.run(&["index", "verify", "--json"]).json()["ok"], json!(true));
}

#[test]
fn an_append_is_answered_as_by_a_directory() {
    let (remote, local) = (Remote::new(), Place::new());
    let id = "01890a5d-ac96-774b-bcce-b302099a8057";
    let named =
        ["append", "--type", "A", "--tag", "x:1", "--data", "{\"n\":1}", "--durability", "written", "--request-id", id];
    for arguments in [
        &["append", "--type", "A", "--stream", "a-1", "--expect", "no-stream", "--id", id][..],
        &named,
        // The same request again.
        &named,
    ] {
        let (mut there, mut here) = (remote.run(arguments).json(), local.run(arguments).json());
        for receipt in [&mut there, &mut here] {
            // What another append made durable meanwhile is not this one's doing.
            receipt["head"].take();
            receipt["durability"].take();
        }
        assert_eq!(there, here, "{arguments:?}");
    }
    let arguments = ["append", "--type", "A", "--stream", "a-1", "--expect", "7", "--missed", "5", "--json"];
    let (there, here) = (remote.run(&arguments), local.run(&arguments));
    assert_eq!((there.error(3), there.value()), (here.error(3), here.value()));
    let arguments = ["append", "--type", "A", "--unless", "tag=x:1", "--after", "0"];
    let (there, here) = (remote.run(&arguments), local.run(&arguments));
    assert_eq!((there.failure(3), there.value()), (here.failure(3), here.value()));
}

#[test]
fn the_whole_server_is_watched_by_way_of_a_store() {
    let remote = Remote::new();
    remote.run(&["append", "--type", "A"]).ok();
    let figures = remote.run(&["top", "--once", "--json", "--interval", "0.1"]).json();
    assert_eq!((&figures["stores"][0]["store"], &figures["stores"][0]["events"]), (&json!("default"), &json!(1)));
    assert_eq!(remote.place.run(&["top", "--once"]).status, 2);
}

#[test]
fn stores_are_told_apart_and_those_that_are_not_there_are_named() {
    let remote = Remote::new();
    let nowhere = remote.run_on("nowhere", &["stats"]);
    assert!(nowhere.failure(4).contains("there is no store \"nowhere\""), "{nowhere:?}");
    let (code, _) = remote.run_on("nowhere", &["append", "--type", "A", "--json"]).error(4);
    assert_eq!(code, "store_not_found");
    let wrong = remote.place.run(&["--store", "gesta://127.0.0.1:1", "stats"]);
    assert!(wrong.failure(2).contains("append port"), "{wrong:?}");
    let closed = remote.place.run(&["--store", "gesta://127.0.0.1:1,1", "--retry-for", "0", "stats", "--json"]);
    assert_eq!(closed.error(4).0, "unreachable");
    let far = remote.place.run(&["--store", "gesta://192.0.2.1", "stats"]);
    assert!(far.failure(4).contains("--plain-text"), "{far:?}");
}

#[test]
fn a_token_says_what_may_be_done_and_nothing_goes_without_one() {
    let place = Place::new();
    let tokens = place.path("tokens");
    let tokens = tokens.to_str().unwrap();
    let token = |role: &str| {
        let made =
            place.run(&["token", "create", "--role", role, "--store", "default", "--name", role, "--tokens", tokens]);
        assert_eq!(made.status, 0, "{made:?}");
        made.stdout.trim().to_owned()
    };
    let (appender, reader) = (token("appender"), token("reader"));
    let server = Server::start(&place, &["--set", &format!("access.tokens={tokens}")]);
    let remote = Remote { place, server };
    let append = ["append", "--type", "A"];
    remote.run(&[&["--token", &appender], &append[..]].concat()).ok();
    let events = remote.run(&["--token", &reader, "read", "--json"]).ok().events();
    assert_eq!(events.len(), 1);
    for arguments in [
        &["--token", &reader, "append", "--type", "A", "--json"][..],
        &["--token", &appender, "read", "--json"],
        &["--token", &reader, "verify", "--json"],
        &["--token", "gesta_wrong", "read", "--json"],
        &["read", "--json"],
    ] {
        let refused = remote.run(arguments);
        assert_eq!(refused.error(5).0, "denied", "{arguments:?}");
        assert!(!refused.stderr.contains(&appender) && !refused.stderr.contains(&reader), "{refused:?}");
    }
    assert!(!remote.server.log().contains(&appender), "a secret is in the log");
}

#[test]
fn a_tail_follows_a_server_through_its_restart() {
    let remote = Remote::new();
    let address = remote.address("default");
    remote.run(&["append", "--type", "Before"]).ok();
    let arguments = ["--store", &address, "--retry-for", "60", "read", "--follow", "--json", "--limit", "3"];
    let child = remote.place.start(&arguments, std::process::Stdio::null());
    remote.run(&["append", "--type", "During"]).ok();
    let Remote { place, server } = remote;
    let ports = ["append", "read"].map(|plane| server.address(plane).to_string());
    server.stop();
    let mut serve = place.command(&["serve", "--append", &ports[0], "--read", &ports[1]]);
    let server = Server::start_as({
        serve.stdout(std::process::Stdio::piped());
        serve
    });
    place.run(&["--store", &address, "append", "--type", "After"]).ok();
    let types: Vec<Value> =
        crate::support::wait(child).events().into_iter().map(|mut event| event["type"].take()).collect();
    assert_eq!(types, ["Before", "During", "After"]);
    drop(server);
}

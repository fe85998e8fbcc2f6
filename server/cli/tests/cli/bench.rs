//! `gesta bench`: every workload on a directory and on a server, what it appends, and what it needs leave for.

use crate::support::{Place, Run};
use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

const QUICK: [&str; 7] = ["bench", "--json", "--seconds", "1", "--connections", "3", "--event-bytes=64"];

/// A server that ends when the test does.
struct Server {
    process: Child,
    store: String,
}

impl Server {
    fn start(place: &Place) -> Self {
        let directory = place.path("stores");
        let arguments =
            ["serve", "--dir", directory.to_str().unwrap(), "--append", "127.0.0.1:0", "--read", "127.0.0.1:0"];
        let mut command = place.command(&arguments);
        let mut process =
            command.env_remove("GESTA_STORE").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        let port = |plane: &str| ready[plane].as_str().unwrap().rsplit_once(':').unwrap().1.to_owned();
        let store = format!("gesta://127.0.0.1:{},{}", port("append"), port("read"));
        Self { process, store }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// Demands figures of all workloads, and that the events of the run are what its store holds.
#[track_caller]
fn demand_all(report: &Value, place: &Place, store: &str) {
    let workloads = report["workloads"].as_array().unwrap();
    let names: Vec<&str> = workloads.iter().map(|figures| figures["workload"].as_str().unwrap()).collect();
    let expected = [
        "append",
        "pipelined",
        "replay",
        "filtered",
        "subscribe",
        "planes: appends alone",
        "planes: beside replays",
        "planes: the replays",
    ];
    assert_eq!(names, expected);
    for figures in workloads {
        assert!(
            figures["events"].as_u64().unwrap() > 0 && figures["events_per_second"].as_f64().unwrap() > 0.0,
            "{figures}"
        );
        let is_read = matches!(figures["workload"].as_str(), Some("replay" | "filtered"));
        assert_eq!(figures["megabytes_per_second"].is_number(), is_read, "{figures}");
        let is_timed = !is_read && figures["workload"] != "planes: the replays";
        assert_eq!(figures["latency_us"]["p99"].is_number(), is_timed, "{figures}");
    }
    let stream = format!("bench-{}-0", report["run"].as_str().unwrap());
    let first = place.run(&["read", "--json", "--limit=1", "--store", store, "--stream", &stream]).ok().events();
    assert_eq!((&first[0]["type"], first[0]["data"].as_str().unwrap().len()), (&Value::from("Bench"), 62));
    let appended = report["appended"].as_u64().unwrap();
    let last = place.run(&["read", "--json", "--backwards", "--limit=1", "--store", store]).ok().events();
    assert_eq!(last[0]["position"].as_u64().unwrap() + 1, appended, "the store holds the events of the run");
}

#[test]
fn every_workload_runs_on_a_directory() {
    let place = Place::new();
    let report = place.run(&QUICK).json();
    demand_all(&report, &place, place.store().to_str().unwrap());
}

#[test]
fn every_workload_runs_on_a_server() {
    let place = Place::new();
    let server = Server::start(&place);
    let report = place.run(&[&QUICK[..], &["--store", &server.store]].concat()).json();
    demand_all(&report, &place, &server.store);
}

#[test]
fn a_store_in_use_is_filled_only_with_leave() {
    let place = Place::new();
    place.append(&["--data", "1"]);
    let arguments = ["bench", "--workload=append", "--seconds=1", "--connections=1"];
    let refused = place.run(&arguments);
    assert!(refused.failure(2).contains("the store has 1 events") && refused.stderr.contains("--yes"), "{refused:?}");
    assert_eq!(place.data(&[]).len(), 1, "nothing was appended");

    let Run { status, stdout, stderr } = place.run(&[&arguments[..], &["--yes"]].concat());
    assert_eq!(status, 0, "{stderr}");
    assert!(stderr.starts_with("gesta: appends events to ") && stderr.contains("type Bench"), "{stderr}");
    assert_eq!(stdout.lines().count(), 3, "a head, a row and the count: {stdout}");
    let counted: String = stdout.lines().last().unwrap().chars().filter(char::is_ascii_digit).collect();
    assert_eq!(place.data(&[]).len() as u64, counted.parse::<u64>().unwrap() + 1);
}

#[test]
fn what_cannot_be_loaded_is_said_in_one_line() {
    let place = Place::new();
    let run = place.run(&["bench", "--connections", "0"]);
    assert!(run.failure(2).contains("--connections"), "{run:?}");
    let run = place.run(&["bench", "--store", "gesta://127.0.0.1:1,1", "--retry-for", "0"]);
    assert!(run.failure(4).contains("127.0.0.1:1"), "{run:?}");
    let too_large = (64 << 20).to_string();
    let run = place.run(&["bench", "--workload=append", "--seconds=1", "--event-bytes", &too_large]);
    let mut remark = run.stderr.lines();
    assert!(remark.next().unwrap().contains("appends events") && remark.next().unwrap().contains("cannot append"));
    assert_eq!((run.status, remark.next()), (5, None), "{run:?}");
}

//! `gesta read --follow` and `gesta tail` beside a writer, and how they end.

use crate::support::{Place, eventually, finish, wait};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdout, Stdio};

/// The lines that a running program prints.
fn lines(child: &mut Child) -> BufReader<ChildStdout> {
    BufReader::new(child.stdout.take().unwrap())
}

fn next_event(lines: &mut BufReader<ChildStdout>) -> Value {
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
}

#[test]
fn a_follower_prints_what_is_there_and_what_comes_and_ends_at_its_limit() {
    let place = Place::new();
    place.append(&["--data", "1"]);
    let mut child = place.start(&["read", "--follow", "--limit", "3", "--json"], Stdio::null());
    let mut lines = lines(&mut child);
    assert_eq!(next_event(&mut lines)["data"], json!(1));
    place.append(&["--data", "2"]);
    assert_eq!(next_event(&mut lines)["data"], json!(2));
    place.append(&["--data", "3"]);
    assert_eq!(next_event(&mut lines)["data"], json!(3));
    wait(child).ok();
    place.append(&["--data", "4"]);
    assert_eq!(lines.read_line(&mut String::new()).unwrap(), 0, "it went on beyond its limit");
}

#[test]
fn a_follower_of_a_stream_prints_only_that_stream() {
    let place = Place::new();
    place.append(&["--stream", "a", "--data", "1"]);
    let arguments = ["read", "--follow", "--limit", "2", "--json", "--stream", "a", "--from", "1"];
    let child = place.start(&arguments, Stdio::null());
    for (stream, data) in [("b", "2"), ("a", "3"), ("b", "4"), ("a", "5")] {
        place.append(&["--stream", stream, "--data", data]);
    }
    let data: Vec<Value> = wait(child).ok().events().into_iter().map(|mut event| event["data"].take()).collect();
    assert_eq!(data, [3, 5]);
}

#[test]
fn a_tail_begins_at_the_head_and_has_no_gaps() {
    let place = Place::new();
    place.append(&["--data", "0"]);
    let mut child = place.start(&["tail", "--limit", "3", "--json"], Stdio::null());
    // Nobody is told when the tail has begun: append until it has had enough.
    let mut number = 0;
    assert!(eventually(|| {
        number += 1;
        place.append(&["--data", &number.to_string()]);
        child.try_wait().unwrap().is_some()
    }));
    let run = wait(child).ok();
    let positions: Vec<u64> = run.events().iter().map(|event| event["position"].as_u64().unwrap()).collect();
    assert!(positions[0] > 0, "{positions:?}");
    assert_eq!(positions, [positions[0], positions[0] + 1, positions[0] + 2]);
}

#[test]
fn readers_work_beside_a_writer_that_is_at_work() {
    let place = Place::new();
    place.append(&["--data", "0"]);
    let mut follower = place.start(&["read", "--follow", "--json"], Stdio::null());
    let mut lines = lines(&mut follower);
    assert_eq!(next_event(&mut lines)["data"], json!(0));
    let mut writer = place.start(&["import", "-"], Stdio::piped());
    let mut input = writer.stdin.take().unwrap();
    // More than one request, so that the first is stored while the import waits for more lines.
    for number in 1..=2500 {
        writeln!(input, "{{\"type\":\"T\",\"data\":{number}}}").unwrap();
    }
    input.flush().unwrap();
    for number in 1..=1000 {
        assert_eq!(next_event(&mut lines)["data"], json!(number));
    }
    assert_eq!(writer.try_wait().unwrap(), None, "the writer is to be at work still");
    assert_eq!(place.data(&["--from", "999", "--limit", "2"]), [999, 1000]);
    assert!(place.run(&["verify", "--json"]).json()["events"].as_u64().unwrap() > 1000);
    let refused = place.run(&["append", "--type", "T"]);
    assert!(refused.failure(4).contains("another process"), "{refused:?}");
    drop(input);
    wait(writer).ok();
    for number in 1001..=2500 {
        assert_eq!(next_event(&mut lines)["data"], json!(number));
    }
    follower.kill().unwrap();
    follower.wait().unwrap();
}

#[test]
fn a_follower_ends_quietly_when_nobody_reads_on() {
    let place = Place::new();
    place.append(&["--data", "1"]);
    for verb in [&["read", "--follow", "--json"][..], &["read", "--follow"]] {
        let mut child = place.start(verb, Stdio::null());
        let mut lines = lines(&mut child);
        assert!(lines.read_line(&mut String::new()).unwrap() > 0);
        drop(lines);
        // Nothing is appended: it must notice by itself.
        wait(child).ok();
    }
    let mut child = place.start(&["tail"], Stdio::null());
    drop(child.stdout.take());
    wait(child).ok();
}

#[test]
fn an_export_ends_quietly_when_nobody_reads_on() {
    let place = Place::new();
    place.import("{\"type\":\"T\",\"data\":\"some text to fill the pipe with\"}\n".repeat(20_000));
    for verb in ["export", "read"] {
        let mut child = place.start(&[verb], Stdio::null());
        let mut lines = lines(&mut child);
        assert!(lines.read_line(&mut String::new()).unwrap() > 0);
        drop(lines);
        wait(child).ok();
    }
    let mut child = place.start(&["--help"], Stdio::null());
    drop(child.stdout.take());
    wait(child).ok();
}

#[test]
fn a_signal_ends_a_follower_in_good_order() {
    let place = Place::new();
    place.append(&["--data", "1"]);
    for signal in [Signal::INT, Signal::TERM] {
        let mut child = place.start(&["read", "--follow", "--json"], Stdio::null());
        let mut lines = lines(&mut child);
        assert_eq!(next_event(&mut lines)["data"], json!(1));
        kill_process(Pid::from_child(&child), signal).unwrap();
        wait(child).ok();
        assert_eq!(lines.read_line(&mut String::new()).unwrap(), 0);
    }
}

#[test]
fn a_limit_of_nothing_ends_at_once() {
    let place = Place::new();
    place.append(&[]);
    for verb in [&["tail", "--limit", "0"][..], &["read", "--follow", "--limit", "0"]] {
        assert_eq!(finish(&mut place.command(verb)).ok().stdout, "");
    }
}

//! What cannot be done: one line that says what, where and what to do, the right status, and nothing touched.

use crate::support::{Place, Run, bare_command, contents, finish, wait};
use serde_json::json;
use std::fs::File;
use std::io::Write as _;
use std::process::Stdio;

/// Verbs that only read.
const READING: [&[&str]; 9] = [
    &["read"],
    &["read", "--follow"],
    &["tail"],
    &["export"],
    &["streams"],
    &["types"],
    &["stats"],
    &["verify", "--deep"],
    &["index", "verify"],
];
/// The verb that writes without ever making a store.
const REBUILD: &[&str] = &["index", "rebuild"];
/// Verbs that write.
const WRITING: [&[&str]; 3] = [&["append", "--type", "T"], &["import", "events"], &["import-git", "repository"]];

/// A place with what the writing verbs want to read.
fn prepared() -> Place {
    let place = Place::new();
    place.file("events", "{\"type\":\"T\"}\n");
    let made = place.git().args(["init", "--quiet"]).arg(place.path("repository")).status();
    assert!(made.unwrap().success());
    place
}

/// Runs a verb with and without `--json` and demands the same failure from both; tells the message.
#[track_caller]
fn fails(place: &Place, verb: &[&str], store: &str, status: i32, code: &str) -> String {
    let with = |surplus: &[&str]| -> Run { finish(place.command(&[verb, surplus].concat()).env("GESTA_STORE", store)) };
    let (run, run_for_programs) = (with(&[]), with(&["--json"]));
    let message = run.failure(status).strip_prefix("gesta: ").unwrap().to_owned();
    assert_eq!(run_for_programs.error(status), (code.to_owned(), message.clone()), "{verb:?}");
    assert_eq!((run.stdout.as_str(), run_for_programs.stdout.as_str()), ("", ""), "{verb:?}");
    message
}

#[test]
fn a_store_must_be_named() {
    let place = prepared();
    for verb in READING.into_iter().chain(WRITING).chain([REBUILD]) {
        let run = finish(bare_command(verb).current_dir(place.path("")));
        assert_eq!(
            run.failure(2),
            "gesta: no store: say which with --store, a directory or gesta://host, or in GESTA_STORE"
        );
        fails(&place, verb, "", 2, "usage");
    }
}

#[test]
fn the_argument_wins_over_the_environment() {
    let place = Place::new();
    let other = place.path("other");
    place.run(&["append", "--type", "T", "--store", other.to_str().unwrap()]).ok();
    assert!(other.is_dir() && !place.store().exists());
    place.run(&["--store", other.to_str().unwrap(), "read"]).ok();
}

#[test]
fn a_store_that_is_not_there_is_not_found_by_readers_and_made_by_writers() {
    let place = prepared();
    std::fs::create_dir(place.path("empty")).unwrap();
    for verb in READING.into_iter().chain([REBUILD]) {
        for store in ["missing", "empty", "events", "events/below"] {
            let message = fails(&place, verb, store, 4, "store_not_found");
            assert!(message.contains(&format!("{store}: there is no gesta store")), "{message}");
        }
    }
    assert!(!place.path("missing").exists());
    assert_eq!(contents(&place.path("empty")), []);
    for verb in WRITING {
        for store in ["empty", "missing/below"] {
            finish(place.command(verb).env("GESTA_STORE", store)).ok();
        }
    }
    assert!(place.path("missing/below/manifest").exists());
}

#[test]
fn a_path_that_cannot_hold_a_store_is_named_once() {
    let place = prepared();
    for verb in WRITING {
        for store in ["events", "events/below"] {
            let message = fails(&place, verb, store, 4, "store_open");
            assert_eq!(message.matches(&format!("{store}:")).count(), 1, "{message}");
            assert!(message.contains("check the path"), "{message}");
        }
    }
    assert_eq!(std::fs::read(place.path("events")).unwrap(), b"{\"type\":\"T\"}\n");
}

#[test]
fn a_foreign_directory_is_refused_and_left_as_it_was() {
    let place = prepared();
    let foreign = place.path("foreign");
    std::fs::create_dir(&foreign).unwrap();
    std::fs::write(foreign.join("PG_VERSION"), "15\n").unwrap();
    let before = contents(&foreign);
    for verb in WRITING {
        let message = fails(&place, verb, "foreign", 4, "store_open");
        assert!(message.contains("not a gesta store (it holds \"PG_VERSION\")"), "{message}");
    }
    for verb in READING.into_iter().chain([REBUILD]) {
        fails(&place, verb, "foreign", 4, "store_not_found");
    }
    assert_eq!(contents(&foreign), before);
}

#[test]
fn a_server_that_is_not_there_is_named_by_its_address() {
    let place = prepared();
    for verb in READING.into_iter().chain(WRITING).chain([REBUILD]) {
        let verb = [verb, &["--retry-for", "0"]].concat();
        let message = fails(&place, &verb, "gesta://127.0.0.1:1,1/name", 4, "unreachable");
        assert!(message.contains("cannot reach 127.0.0.1:1: Connection refused"), "{message}");
    }
    assert!(!place.path("gesta:").exists());
}

#[test]
fn a_second_writer_is_refused_while_readers_are_not() {
    let place = prepared();
    place.append(&[]);
    let mut writer = place.start(&["import", "-"], Stdio::piped());
    let mut input = writer.stdin.take().unwrap();
    // More than one request: when the first can be read, the writer holds the lock.
    input.write_all("{\"type\":\"T\"}\n".repeat(1001).as_bytes()).unwrap();
    let mut tail = place.start(&["read", "--follow", "--from", "1", "--limit", "1"], Stdio::null());
    tail.wait().unwrap();
    let store = place.store();
    for verb in WRITING.into_iter().chain([REBUILD]) {
        let message = fails(&place, verb, store.to_str().unwrap(), 4, "store_locked");
        assert!(message.contains("another process has the store open for writing: stop it"), "{message}");
    }
    assert!(place.data(&[]).len() > 1000);
    for verb in [&["stats"][..], &["types"], &["streams"], &["index", "verify"]] {
        place.run(verb).ok();
    }
    drop(input);
    wait(writer).ok();
    place.append(&["--data", "2"]);
}

#[test]
fn a_killed_writer_does_not_keep_others_out() {
    let place = prepared();
    place.append(&[]);
    let mut writer = place.start(&["import", "-"], Stdio::piped());
    let mut input = writer.stdin.take().unwrap();
    input.write_all("{\"type\":\"T\"}\n".repeat(1001).as_bytes()).unwrap();
    let mut tail = place.start(&["read", "--follow", "--from", "1", "--limit", "1"], Stdio::null());
    tail.wait().unwrap();
    writer.kill().unwrap();
    writer.wait().unwrap();
    let receipt = place.run(&["append", "--type", "T"]);
    assert_eq!(receipt.status, 0, "{receipt:?}");
    assert_eq!(receipt.value()["head"], json!(1002));
    place.run(&["verify", "--deep"]).ok();
}

#[test]
fn a_file_that_cannot_be_read_is_named_before_a_store_is_made() {
    let place = prepared();
    let missing = place.path("missing.ndjson");
    let missing = missing.to_str().unwrap();
    for (verb, part) in [
        (&["import", missing][..], missing),
        (&["import", "repository"], "repository"),
        (&["import-git", "missing"], "missing"),
        (&["append", "--type", "T", "--data", "@missing"], "@missing"),
    ] {
        let message = fails(&place, verb, "store", 2, "usage");
        assert!(message.contains(part) && message.contains("name a f"), "{message}");
    }
    assert!(!place.store().exists());
}

#[test]
fn a_full_device_is_told_in_one_line() {
    let place = Place::new();
    place.append(&["--data", "1"]);
    for verb in [
        &["export"][..],
        &["read"],
        &["stats"],
        &["verify"],
        &["types"],
        &["index", "verify"],
        &["index", "rebuild"],
        &["import", "-"],
        &["--help"],
        &["read", "--follow"],
        &["append", "--type", "T"],
        &["completions", "bash"],
    ] {
        let full = || File::options().write(true).open("/dev/full").unwrap();
        let run = finish(place.command(verb).stdout(full()));
        let line = run.failure(5);
        assert!(line.contains("cannot write to standard output") && line.contains("No space left"), "{verb:?}: {line}");
        let run = finish(place.command(&[verb, &["--json"]].concat()).stdout(full()));
        assert_eq!(run.error(5).0, "output", "{verb:?}");
    }
}

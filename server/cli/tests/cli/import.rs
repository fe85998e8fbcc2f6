//! `gesta import`: what is a line, what becomes of a bad one, and what is told of it.

use crate::support::{Place, Run, finish, wait};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, Stdio};

const NATIVE: &str = r#"{"type":"Placed","stream":"order-1","id":"11111111-1111-4111-8111-111111111111","time":"2026-01-31T12:00:00Z","tags":["a:b"],"metadata":{"m":1},"data":{"b":1,"a":2}}"#;
const CLOUD: &str =
    r#"{"specversion":"1.0","id":"A-1","source":"/shop","type":"Shipped","subject":"order-1","data":{"weight":3}}"#;

fn counts(read: u64, added: u64, duplicate: u64, failed: u64) -> Value {
    json!({"read": read, "added": added, "duplicate": duplicate, "failed": failed})
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn types(place: &Place) -> Vec<Value> {
    place.run(&["read", "--json"]).ok().events().into_iter().map(|mut event| event["type"].take()).collect()
}

#[test]
fn a_file_may_be_plain_or_gzip_whatever_its_name() {
    let lines = format!("{NATIVE}\n{CLOUD}\n");
    for content in [lines.clone().into_bytes(), gzip(lines.as_bytes())] {
        for name in ["events.ndjson", "events.ndjson.gz"] {
            let place = Place::new();
            let file = place.file(name, &content);
            assert_eq!(place.run(&["import", "--json", &file]).json(), counts(2, 2, 0, 0));
            assert_eq!(types(&place), ["Placed", "Shipped"]);
        }
    }
}

#[test]
fn standard_input_is_taken_by_name_and_without_one() {
    for arguments in [&["import", "--json", "-"][..], &["import", "--json"]] {
        for content in [NATIVE.as_bytes().to_vec(), gzip(NATIVE.as_bytes())] {
            let place = Place::new();
            assert_eq!(place.run_with(arguments, content).json(), counts(1, 1, 0, 0));
            assert_eq!(types(&place), ["Placed"]);
        }
    }
}

#[test]
fn the_counts_are_told_in_the_order_of_the_contract() {
    let place = Place::new();
    let run = place.run_with(&["import", "--json"], NATIVE).ok();
    assert_eq!(run.stdout, "{\"read\":1,\"added\":1,\"duplicate\":0,\"failed\":0}\n");
    let run = place.run_with(&["import"], NATIVE).ok();
    assert_eq!(run.stdout, "read 1, added 0, duplicate 1, failed 0\n");
}

#[test]
fn cloud_events_and_native_events_may_be_mixed() {
    let place = Place::new();
    assert_eq!(place.import(format!("{CLOUD}\n{NATIVE}\n")), counts(2, 2, 0, 0));
    let events = place.run(&["read", "--json"]).ok().events();
    assert_eq!((&events[0]["type"], &events[0]["stream"]), (&json!("Shipped"), &json!("order-1")));
    assert_eq!((&events[0]["revision"], &events[1]["revision"]), (&json!(0), &json!(1)));
    assert_eq!(events[0]["metadata"], json!({"specversion": "1.0", "id": "A-1", "source": "/shop"}));
    assert_eq!(events[0]["data"], json!({"weight": 3}));
    assert_eq!(events[0]["time"], Value::Null);
    let namespace = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, b"gesta:cloud-event");
    let id = uuid::Uuid::new_v5(&namespace, b"/shop\nA-1");
    assert_eq!(events[0]["id"], json!(id.to_string()));
    assert_eq!(place.import(format!("{NATIVE}\n{CLOUD}\n")), counts(2, 0, 2, 0));
}

#[test]
fn an_empty_file_adds_nothing_and_is_no_failure() {
    for content in [Vec::new(), b"\n\n".to_vec(), gzip(b"")] {
        let place = Place::new();
        let file = place.file("empty", content);
        assert_eq!(place.run(&["import", "--json", &file]).json(), counts(0, 0, 0, 0));
        assert_eq!(place.run(&["stats", "--json"]).json()["events"], json!(0));
    }
}

#[test]
fn an_id_is_taken_once_within_a_file_and_across_files() {
    let place = Place::new();
    let again = NATIVE.replace("Placed", "PlacedAgain");
    assert_eq!(place.import(format!("{NATIVE}\n{again}\n{NATIVE}\n")), counts(3, 1, 2, 0));
    assert_eq!(place.import(again), counts(1, 0, 1, 0));
    assert_eq!(types(&place), ["Placed"]);
}

#[test]
fn an_event_without_an_id_is_new_each_time() {
    let place = Place::new();
    for _ in 0..2 {
        assert_eq!(place.import("{\"type\":\"T\"}\n"), counts(1, 1, 0, 0));
    }
    assert_eq!(types(&place).len(), 2);
}

#[test]
fn import_stops_at_a_bad_line_and_keeps_what_stood_before_it() {
    for arguments in [&["import"][..], &["import", "--on-error", "stop"]] {
        let place = Place::new();
        let file = place.file("events", format!("{NATIVE}\n\n{{\"type\":}}\n{CLOUD}\n"));
        let run = place.run(&[arguments, &[&file]].concat());
        assert_eq!(run.failure(1), format!("gesta: {file}:3: column 9: expected value"));
        assert_eq!(run.stdout, "read 2, added 1, duplicate 0, failed 1\n");
        assert_eq!(types(&place), ["Placed"]);
    }
}

#[test]
fn a_bad_line_is_told_to_programs_with_its_file_and_number() {
    let place = Place::new();
    let file = place.file("events", format!("{NATIVE}\nnonsense\n"));
    let run = place.run(&["import", "--json", &file]);
    let (code, message) = run.error(1);
    assert_eq!(code, "line");
    assert!(message.starts_with(&format!("{file}:2: not one JSON object")), "{message}");
    let error: Value = serde_json::from_str(&run.stderr).unwrap();
    assert_eq!((&error["error"]["file"], &error["error"]["line"]), (&json!(file), &json!(2)));
    assert_eq!(run.value(), counts(2, 1, 0, 1));
}

#[test]
fn import_skips_bad_lines_when_told_to_and_names_each() {
    let place = Place::new();
    let mut lines = format!("nonsense\n{NATIVE}\n").into_bytes();
    lines.extend_from_slice(b"{\"type\":\"\xff\"}\n");
    lines.extend_from_slice(format!("{{\"type\":\"T\",\"dta\":1}}\n{NATIVE}\n{CLOUD}").as_bytes());
    let run = place.run_with(&["import", "--on-error", "skip", "--json", "-"], lines);
    assert_eq!((run.status, run.value()), (1, counts(6, 2, 1, 3)));
    let complaints: Vec<Value> = run.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let numbers: Vec<&Value> = complaints.iter().map(|complaint| &complaint["error"]["line"]).collect();
    assert_eq!(numbers, [1, 3, 4]);
    let messages: Vec<&str> = complaints.iter().filter_map(|one| one["error"]["message"].as_str()).collect();
    assert!(messages[1].starts_with("standard input:3: not UTF-8"), "{messages:?}");
    assert!(messages[2].contains("unknown field `dta`"), "{messages:?}");
    assert_eq!(types(&place), ["Placed", "Shipped"]);
}

#[test]
fn a_gzip_file_that_breaks_off_is_told_and_what_came_out_of_it_is_kept() {
    let place = Place::new();
    let packed = gzip(format!("{NATIVE}\n{CLOUD}\n").as_bytes());
    let file = place.file("cut.gz", &packed[..packed.len() - 6]);
    let run = place.run(&["import", "--json", "--on-error", "skip", &file]);
    let (_, message) = run.error(1);
    assert!(message.contains(&file) && message.contains("cannot be read"), "{message}");
    assert_eq!(run.value(), counts(3, 2, 0, 1));
    assert_eq!(types(&place), ["Placed", "Shipped"]);
}

/// Starts an import and gives it a long line, then a good one, without ending its input: it is still there to be asked.
fn import_long_line(place: &Place, length: usize) -> (Child, String, u64) {
    let mut child = place.start(&["import", "--on-error", "skip", "-"], Stdio::piped());
    let input = child.stdin.as_mut().unwrap();
    let piece = vec![b'x'; 1 << 20];
    input.write_all(b"{\"type\":\"T\",\"data\":\"").unwrap();
    for _ in 0..length / piece.len() {
        input.write_all(&piece).unwrap();
    }
    input.write_all(format!("\"}}\n{NATIVE}\n").as_bytes()).unwrap();
    let mut complaint = String::new();
    BufReader::new(child.stderr.as_mut().unwrap()).read_line(&mut complaint).unwrap();
    let peak = peak_kibibytes(&child);
    (child, complaint, peak)
}

/// The most memory that a running process has had, in KiB.
fn peak_kibibytes(child: &Child) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

fn assert_long_line_is_passed_over(length: usize, complaint_part: &str, peak_max_kibibytes: u64) {
    let place = Place::new();
    let (mut child, complaint, peak) = import_long_line(&place, length);
    assert!(complaint.starts_with("gesta: standard input:1: ") && complaint.contains(complaint_part), "{complaint}");
    assert!(peak < peak_max_kibibytes, "{peak} KiB");
    drop(child.stdin.take());
    let run: Run = wait(child);
    assert_eq!((run.status, run.stdout.as_str()), (1, "read 2, added 1, duplicate 0, failed 1\n"));
    assert_eq!(types(&place), ["Placed"]);
}

#[test]
fn a_line_beyond_the_limit_of_data_is_refused() {
    assert_long_line_is_passed_over(20 << 20, "bytes of data, at most 16777216 are allowed", 128 << 10);
}

#[test]
fn a_line_of_any_length_takes_bounded_memory() {
    assert_long_line_is_passed_over(256 << 20, "longer than 67108864 bytes", 144 << 10);
}

#[test]
fn a_gzip_bomb_takes_bounded_memory() {
    let place = Place::new();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    std::io::copy(&mut std::io::repeat(b' ').take(256 << 20), &mut encoder).unwrap();
    encoder.write_all(format!("\n{NATIVE}\n").as_bytes()).unwrap();
    let file = place.file("bomb.gz", encoder.finish().unwrap());
    let mut command = std::process::Command::new("sh");
    // The bound is the system's: an allocation beyond it fails.
    command.args(["-c", "ulimit -v 400000 && exec \"$0\" import --on-error skip \"$1\""]);
    command.arg(env!("CARGO_BIN_EXE_gesta")).arg(file).env("GESTA_STORE", place.store());
    let run = finish(&mut command);
    assert!(run.failure(1).contains("longer than 67108864 bytes"), "{run:?}");
    assert_eq!(types(&place), ["Placed"]);
}

#[test]
fn a_gzip_bomb_of_ten_gigabytes_is_cut_at_the_limit_of_a_line() {
    const MEMBER_BYTES: u64 = 32 << 20;
    const MEMBERS: u64 = 320;
    let place = Place::new();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    std::io::copy(&mut std::io::repeat(b' ').take(MEMBER_BYTES), &mut encoder).unwrap();
    // Members one after another are one file: this is what makes ten gigabytes of some ten megabytes.
    let member = encoder.finish().unwrap();
    assert!(member.len() as u64 * 1000 < MEMBER_BYTES, "{} bytes", member.len());
    let mut child = place.start(&["import"], Stdio::piped());
    let mut input = child.stdin.take().unwrap();
    let taken = std::thread::spawn(move || (0..MEMBERS).take_while(|_| input.write_all(&member).is_ok()).count());
    let run = wait(child);
    assert!(run.failure(1).contains("longer than 67108864 bytes"), "{run:?}");
    // Two members are a line too long; what is taken beyond them waits in a pipe or a buffer.
    let taken = taken.join().unwrap() as u64;
    assert!(taken < MEMBERS / 2, "{taken} members were taken");
}

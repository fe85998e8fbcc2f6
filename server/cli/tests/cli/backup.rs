//! `gesta backup`, `gesta restore`, and `gesta verify` on a backup.

use crate::index::many_segments;
use crate::server::Server;
use crate::shared_data::imported;
use crate::support::{Place, Run, contents, eventually};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Stdio;

/// What another store of the place says.
fn run_on(place: &Place, store: &str, arguments: &[&str]) -> Run {
    place.run(&[&["--store", place.path(store).to_str().unwrap()], arguments].concat())
}

/// The names in a directory that end like this.
fn names(directory: &Path, end: &str) -> Vec<String> {
    let names = contents(directory).into_iter().map(|(path, _)| path.file_name().unwrap().to_str().unwrap().to_owned());
    names.filter(|name| name.ends_with(end)).collect()
}

#[test]
fn a_real_history_comes_back_from_its_backup_byte_by_byte() {
    let Some(place) = many_segments() else { return };
    let first = place.run(&["backup", "b", "--json"]).json();
    let linked = first["linked"].as_u64().unwrap();
    assert!(linked > 64 && first["copied"] == json!(1) && first["kept"] == json!(0), "{first}");
    assert_eq!((&first["ok"], &first["head"], &first["damage"]), (&json!(true), &json!(17563), &json!([])));

    place.append(&["--data", "\"later\""]);
    let second = place.run(&["backup", "b", "--json"]).json();
    assert!(second["kept"].as_u64().unwrap() >= linked && second["head"] == json!(17564), "{second}");
    assert!(second["linked"].as_u64().unwrap() < 8 && second["copied"] == json!(1), "{second}");

    let verified = run_on(&place, "b", &["verify", "--deep", "--json"]).json();
    assert_eq!((&verified["ok"], &verified["events"]), (&json!(true), &json!(17564)));
    assert_eq!(verified["backup"]["head"], json!(17564));
    let people = run_on(&place, "b", &["verify"]).ok().stdout;
    assert!(people.starts_with("a backup of the positions up to 17,564, finished at 2"), "{people}");
    assert!(people.ends_with("17,564 events, every byte as it was written\n"), "{people}");

    assert_eq!(run_on(&place, "new", &["restore", "b", "--json"]).json(), json!({"head": 17564}));
    assert!(run_on(&place, "new", &["export"]).ok().stdout == place.run(&["export"]).ok().stdout);
    assert_eq!(run_on(&place, "new", &["index", "verify", "--json"]).json()["ok"], json!(true));
    let receipt = run_on(&place, "new", &["append", "--type", "T"]).json();
    assert_eq!(receipt["first"], json!(17564));
    assert_eq!(run_on(&place, "new", &["verify", "--deep", "--json"]).json()["events"], json!(17565));
}

#[test]
fn people_are_told_what_was_done() {
    let Some(place) = imported() else { return };
    let told = place.run(&["backup", "b"]).ok().stdout;
    assert!(told.starts_with("positions up to 17,563 in ") && told.ends_with(" 0 there before\n"), "{told}");
    assert_eq!(run_on(&place, "new", &["restore", "b"]).ok().stdout, "restored, positions up to 17,563\n");
}

#[test]
fn a_store_that_a_server_has_open_is_backed_up_where_its_directory_is() {
    let place = Place::new();
    let server = Server::start(&place, &[]);
    let port = |plane| server.address(plane).port();
    let address = format!("gesta://127.0.0.1:{},{}/default", port("append"), port("read"));
    place.run(&["--store", &address, "append", "--type", "T"]).ok();
    for (verb, argument) in [("backup", "b"), ("restore", "b")] {
        let run = place.run(&["--store", &address, verb, argument]);
        assert!(run.failure(2).contains("run it on the server's machine, with the store's directory"), "{run:?}");
        assert!(!place.path("b").exists());
    }
    let directory = place.store().join("default");
    let directory = directory.to_str().unwrap();
    // What the log proves shows a moment after its commit.
    assert!(eventually(|| place.run(&["--store", directory, "backup", "b", "--json"]).json()["head"] == json!(1)));
    server.stop();
    assert_eq!(run_on(&place, "new", &["restore", "b", "--json"]).json(), json!({"head": 1}));
}

#[test]
fn a_backup_that_was_killed_is_partial_until_it_is_run_again() {
    let Some(place) = many_segments() else { return };
    let mut partial = 0;
    for number in 0..20 {
        let name = format!("b-{number}");
        let mut child = place.start(&["backup", &name], Stdio::null());
        assert!(eventually(|| place.path(&name).join("backup.begun").exists() || child.try_wait().unwrap().is_some()));
        child.kill().unwrap();
        child.wait().unwrap();
        if place.path(&name).join("backup").exists() {
            continue;
        }
        partial += 1;
        for run in [run_on(&place, &name, &["verify", "--json"]), run_on(&place, "new", &["restore", &name, "--json"])]
        {
            let (code, message) = run.error(1);
            assert!(code == "backup_partial" && message.contains("run 'gesta backup' into it again"), "{message}");
        }
        assert!(!place.path("new").exists());
        place.run(&["backup", &name]).ok();
        assert_eq!(run_on(&place, &name, &["verify", "--json"]).json()["events"], json!(17563));
        break;
    }
    assert!(partial > 0, "no backup was killed before its end");
}

#[test]
fn a_damaged_backup_is_named_file_by_file_and_not_restored() {
    let place = Place::new();
    for number in 0..4 {
        place.append(&["--data", &format!("\"payload-{number}\"")]);
    }
    place.run(&["backup", "b"]).ok();
    let tail = place.path("b").join(&names(&place.path("b"), ".tail")[0]);
    let mut bytes = std::fs::read(&tail).unwrap();
    let at = bytes.windows(9).position(|window| window == b"payload-1").unwrap();
    bytes[at] ^= 1;
    std::fs::write(&tail, &bytes).unwrap();
    let run = run_on(&place, "b", &["verify", "--json"]);
    let report = run.value();
    assert_eq!((run.status, run.stderr.as_str(), &report["events"]), (1, "", &json!(3)));
    let damage: Vec<(&Value, &Value)> =
        report["damage"].as_array().unwrap().iter().map(|d| (&d["file"], &d["positions"])).collect();
    let file = json!(tail.to_str().unwrap());
    assert_eq!(damage, [(&file, &json!([0, 0])), (&file, &json!([1, 2]))]);
    let people = run_on(&place, "b", &["verify"]).stdout;
    let line = format!("damage: {}: the file is not what was backed up: its digest differs\n", tail.display());
    assert!(people.contains(&line) && people.contains("positions 1 up to 2 cannot be read"), "{people}");
    assert!(people.ends_with("2 places damaged: back the store up into another directory\n"), "{people}");

    let run = run_on(&place, "new", &["restore", place.path("b").to_str().unwrap()]);
    let message = run.failure(1);
    assert!(message.contains(tail.to_str().unwrap()) && message.ends_with(": use another backup"), "{message}");
    std::fs::remove_file(&tail).unwrap();
    assert_eq!(run_on(&place, "new", &["restore", "b", "--json"]).error(1).0, "backup_damaged");
    for copy in ["backup", "backup.copy"] {
        std::fs::write(place.path("b").join(copy), "notes").unwrap();
    }
    for run in [run_on(&place, "b", &["verify", "--json"]), place.run(&["backup", "b", "--json"])] {
        let (code, message) = run.error(1);
        assert!(code == "backup_damaged" && message.contains("b/backup: "), "{message}");
    }
    assert!(!place.path("new").exists());
}

#[test]
fn what_cannot_be_done_is_one_line_that_says_what_to_do() {
    let place = Place::new();
    place.append(&[]);
    place.run(&["backup", "b"]).ok();
    let other = run_on(&place, "other", &["append", "--type", "T"]);
    assert_eq!(other.status, 0);
    std::fs::create_dir(place.path("notes")).unwrap();
    place.file("notes/mine.txt", "mine");
    let backup_fails = |store: &str, to: &str, status: i32, code: &str| {
        assert_eq!(run_on(&place, store, &["backup", to, "--json"]).error(status).0, code, "{store} {to}");
        run_on(&place, store, &["backup", to]).failure(status).to_owned()
    };
    assert!(backup_fails("other", "b", 5, "other_store").ends_with("choose another directory"));
    assert!(backup_fails("store", "notes", 5, "occupied").contains("\"mine.txt\""));
    assert!(backup_fails("store", "store", 5, "occupied").contains("choose an empty directory"));
    assert!(backup_fails("nowhere", "c", 4, "store_not_found").contains("there is no gesta store"));
    assert!(backup_fails("store", "notes/mine.txt", 4, "backup").contains("mine.txt"));
    // A backup is no store, and a store no backup.
    assert!(backup_fails("b", "c", 4, "store_open").contains("restore it with 'gesta restore'"));
    assert!(!place.path("c").exists());
    for verb in [&["read"][..], &["append", "--type", "T"], &["stats"]] {
        assert!(run_on(&place, "b", verb).failure(4).contains("this is a backup and not a store"), "{verb:?}");
    }
    let before = contents(&place.path("notes"));
    assert_eq!(run_on(&place, "notes", &["restore", "b", "--json"]).error(5).0, "not_empty");
    assert!(contents(&place.path("notes")) == before);
    assert_eq!(run_on(&place, "new", &["restore", "store", "--json"]).error(4).0, "backup_not_found");
    assert_eq!(run_on(&place, "new", &["restore", "nowhere", "--json"]).error(4).0, "backup_not_found");
    assert!(!place.path("new").exists());
}

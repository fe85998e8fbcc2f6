//! `gesta repair`: a new store of what is left of a damaged one.

use crate::index::many_segments;
use crate::server::Server;
use crate::support::{Place, Run, contents, eventually};
use serde_json::{Value, json};
use std::path::PathBuf;

/// What another store of the place says.
fn run_on(place: &Place, store: &str, arguments: &[&str]) -> Run {
    place.run(&[&["--store", place.path(store).to_str().unwrap()], arguments].concat())
}

fn segment(place: &Place, number: u64) -> PathBuf {
    place.store().join(format!("{number:010}-0000.log"))
}

/// Five events in streams `even` and `odd`, each in a batch of its own, the second of them with a flipped bit.
fn damaged() -> Place {
    let place = Place::new();
    for number in 0..5 {
        let stream = if number % 2 == 0 { "even" } else { "odd" };
        place.append(&["--stream", stream, "--data", &format!("\"payload-{number}\"")]);
    }
    let mut bytes = std::fs::read(segment(&place, 1)).unwrap();
    let offset = bytes.windows(9).position(|window| window == b"payload-1").unwrap();
    bytes[offset] ^= 1;
    std::fs::write(segment(&place, 1), bytes).unwrap();
    place
}

#[test]
fn a_store_damaged_by_hand_becomes_a_new_one_that_says_what_is_missing() {
    let place = damaged();
    let before = contents(&place.store());
    let run = place.run(&["repair", "store", "--into", "new", "--json"]);
    assert_eq!((run.status, run.stderr.as_str()), (1, ""), "{run:?}");
    let report = run.value();
    let keys = ["ok", "made", "head", "salvaged", "salvaged_bytes", "missing", "in_streams", "damage", "doubtful_end"];
    let places = keys.map(|key| run.stdout.find(&format!("\"{key}\":")).unwrap_or_else(|| panic!("{key}: {report}")));
    assert!(places.is_sorted() && report.as_object().unwrap().len() == keys.len(), "{}", run.stdout);
    let numbers = [&report["head"], &report["salvaged"], &report["missing"], &report["in_streams"]];
    assert_eq!(numbers, [&json!(5), &json!(4), &json!(1), &json!(1)]);
    assert_eq!(report["doubtful_end"], json!(null));
    // The same list, with the path as it was given.
    let verified = run_on(&place, "store", &["verify", "--deep", "--json"]).value();
    let file = |damage: &Value| damage["file"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    for key in ["offset", "positions", "what"] {
        assert_eq!(report["damage"][0][key], verified["damage"][0][key], "{report}");
    }
    assert_eq!(file(&report["damage"][0]), file(&verified["damage"][0]));
    assert!(contents(&place.store()) == before, "the damaged store was changed");

    let events = run_on(&place, "new", &["read", "--json"]).ok().events();
    let shown: Vec<Value> = events.iter().map(|e| json!([e["stream"], e["revision"], e["type"]])).collect();
    assert_eq!(
        shown,
        [
            json!(["even", 0, "Happened"]),
            json!(["odd", 0, "gesta.lost"]),
            json!(["even", 1, "Happened"]),
            json!(["odd", 1, "Happened"]),
            json!(["even", 2, "Happened"]),
        ]
    );
    let lost = &events[1]["data"];
    assert_eq!((&lost["file"], &lost["positions"]), (&json!("0000000001-0000.log"), &json!([1, 2])));
    assert_eq!(lost["what"], verified["damage"][0]["what"]);
    let append = |expected: &str| {
        run_on(&place, "new", &["append", "--type", "T", "--stream", "odd", "--expect", expected, "--json"])
    };
    assert_eq!(append("0").status, 3);
    assert_eq!(append("1").json()["first"], json!(5));
    run_on(&place, "new", &["verify", "--deep"]).ok();
    assert_eq!(run_on(&place, "new", &["index", "verify", "--json"]).json()["ok"], json!(true));
}

#[test]
fn people_are_shown_a_table_of_what_is_missing() {
    let place = damaged();
    let run = place.run(&["repair", "store", "--into", "new"]);
    let lines: Vec<&str> = run.stdout.lines().collect();
    let [heads, row, made, missing] = lines[..] else { panic!("{run:?}") };
    assert_eq!(run.status, 1);
    let columns =
        |line: &str| line.split("  ").filter(|cell| !cell.is_empty()).map(|cell| cell.trim().to_owned()).collect();
    let (heads, row): (Vec<String>, Vec<String>) = (columns(heads), columns(row));
    assert_eq!(heads, ["missing", "events", "where", "what"]);
    assert_eq!(row[..2], ["1", "1"]);
    assert!(row[2].starts_with("0000000001-0000.log at byte 4") && row[3].contains("checksum"), "{row:?}");
    assert!(made.starts_with("new: positions up to 5, 4 events salvaged ("), "{made}");
    assert_eq!(missing, "1 event missing, with a stand-in of type gesta.lost for each, 1 in streams");
}

#[test]
fn of_a_store_without_damage_none_is_made() {
    let place = Place::new();
    place.append(&[]);
    let run = place.run(&["repair", "store", "--into", "new"]).ok();
    assert_eq!(run.stdout, "1 event, nothing damaged, and so nothing made: store can be used as it is\n");
    let report = place.run(&["repair", "store", "--into", "new", "--json"]).json();
    assert_eq!((&report["ok"], &report["made"], &report["damage"]), (&json!(true), &json!(null), &json!([])));
    assert!(!place.path("new").exists());
}

/// Without `--into`, the store that is made is the one that `--store` names, as that of `restore` is.
#[test]
fn the_new_store_may_be_named_as_every_store_is() {
    let place = damaged();
    assert_eq!(run_on(&place, "new", &["repair", "store", "--json"]).value()["head"], json!(5));
    run_on(&place, "new", &["verify"]).ok();
    // The environment names the damaged store: nothing is made over it.
    let before = contents(&place.store());
    assert_eq!(place.run(&["repair", "store", "--json"]).error(5).0, "not_empty");
    assert!(contents(&place.store()) == before);
}

#[test]
fn what_cannot_be_done_is_one_line_that_says_what_to_do() {
    let place = damaged();
    std::fs::create_dir(place.path("notes")).unwrap();
    place.file("notes/mine.txt", "mine");
    let fails = |from: &str, into: &str, status: i32, code: &str| {
        assert_eq!(place.run(&["repair", from, "--into", into, "--json"]).error(status).0, code, "{from} {into}");
        place.run(&["repair", from, "--into", into]).failure(status).to_owned()
    };
    assert!(fails("store", "notes", 5, "not_empty").contains("\"mine.txt\""));
    assert!(fails("nowhere", "new", 4, "store_not_found").contains("there is no gesta store"));
    place.run(&["backup", "b"]);
    assert!(fails("b", "new", 4, "store_open").contains("restore it with 'gesta restore'"));
    std::fs::remove_file(place.store().join("manifest")).unwrap();
    std::fs::remove_file(place.store().join("manifest.copy")).unwrap();
    assert!(fails("store", "new", 4, "store_open").contains("restore them from a backup"));
    assert!(!place.path("new").exists() && !place.path("nowhere").exists());
    assert_eq!(place.run(&["repair"]).status, 2);
}

#[test]
fn a_store_that_a_server_has_open_is_not_repaired_meanwhile() {
    let place = Place::new();
    let server = Server::start(&place, &[]);
    let port = |plane| server.address(plane).port();
    let address = format!("gesta://127.0.0.1:{},{}/default", port("append"), port("read"));
    place.run(&["--store", &address, "append", "--type", "T"]).ok();
    assert!(eventually(|| place.path("store/default/manifest").exists()));
    let run = place.run(&["repair", "store/default", "--into", "new", "--json"]);
    assert_eq!(run.error(4).0, "store_locked");
    let run = place.run(&["--store", &address, "repair", "store/default"]);
    assert!(run.failure(2).contains("run it on the server's machine"), "{run:?}");
    assert!(!place.path("new").exists());
    server.stop();
    assert_eq!(place.run(&["repair", "store/default", "--into", "new", "--json"]).json()["ok"], json!(true));
}

/// The history of a repository with a segment gone, a header page lost and bytes of a third written over.
#[test]
fn a_real_history_keeps_every_event_outside_of_the_damage() {
    let Some(place) = many_segments() else { return };
    let before = place.run(&["export"]).ok().events();
    std::fs::remove_file(segment(&place, 20)).unwrap();
    for (number, offset) in [(30, 0), (40, 40_000)] {
        let mut bytes = std::fs::read(segment(&place, number)).unwrap();
        bytes[offset..offset + 4096].fill(0xa5);
        std::fs::write(segment(&place, number), bytes).unwrap();
    }
    let run = place.run(&["repair", "store", "--into", "new", "--json"]);
    let report = run.value();
    assert_eq!((run.status, &report["head"]), (1, &json!(before.len())), "{report}");
    let missing = report["missing"].as_u64().unwrap();
    assert!((100..1000).contains(&missing), "{report}");
    assert_eq!(report["salvaged"], json!(before.len() as u64 - missing));
    let after = run_on(&place, "new", &["export"]).ok().events();
    let mut stand_ins = 0;
    for (after, before) in after.iter().zip(&before) {
        if after["type"] == json!("gesta.lost") {
            stand_ins += 1;
        } else {
            assert_eq!(after, before);
        }
    }
    assert_eq!((stand_ins, after.len()), (missing, before.len()));
    let verified = run_on(&place, "new", &["verify", "--deep", "--json"]).json();
    assert_eq!(verified["events"], json!(before.len()));
}

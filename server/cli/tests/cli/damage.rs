//! A store with damage: what is whole is still served, what is lost is named, and nothing is added.

use crate::support::{Place, contents};
use serde_json::{Value, json};
use std::path::PathBuf;

/// Four events in streams `even` and `odd`, each in a batch of its own, the second of them with a flipped bit.
fn damaged() -> Place {
    let place = whole();
    flip(&place, b"payload-1");
    place
}

fn whole() -> Place {
    let place = Place::new();
    for number in 0..4 {
        let stream = if number % 2 == 0 { "even" } else { "odd" };
        place.append(&["--stream", stream, "--data", &format!("\"payload-{number}\"")]);
    }
    place
}

fn segment(place: &Place) -> PathBuf {
    place.store().join("0000000001-0000.log")
}

/// Flips one bit of the first place that holds this text.
fn flip(place: &Place, text: &[u8]) {
    let mut bytes = std::fs::read(segment(place)).unwrap();
    let offset = bytes.windows(text.len()).position(|window| window == text).unwrap();
    bytes[offset] ^= 1;
    std::fs::write(segment(place), bytes).unwrap();
}

#[test]
fn verify_names_the_file_the_offset_and_the_positions() {
    let place = damaged();
    let file = segment(&place).to_str().unwrap().to_owned();
    for verb in [&["verify", "--json"][..], &["verify", "--deep", "--json"]] {
        let run = place.run(verb);
        assert_eq!((run.status, run.stderr.as_str()), (1, ""));
        let report = run.value();
        assert_eq!((&report["ok"], &report["events"]), (&json!(false), &json!(3)));
        let damage = report["damage"].as_array().unwrap();
        assert_eq!(damage.len(), 1, "{report}");
        assert_eq!((&damage[0]["file"], &damage[0]["positions"]), (&json!(file), &json!([1, 2])));
        let offset = damage[0]["offset"].as_u64().unwrap();
        let bytes = std::fs::read(segment(&place)).unwrap();
        let lost = bytes.windows(9).position(|window| window == b"qayload-1").unwrap() as u64;
        assert!(offset < lost && lost - offset < 512, "{report}");
        assert!(damage[0]["what"].as_str().unwrap().contains("checksum"), "{report}");
        let keys = "{\"ok\":false,\"events\":3,\"damage\":[{\"file\":";
        assert!(run.stdout.starts_with(keys), "{}", run.stdout);
    }
    let run = place.run(&["verify"]);
    assert_eq!((run.status, run.stderr.as_str()), (1, ""));
    assert!(run.stdout.contains(&file) && run.stdout.contains("positions 1 up to 2"), "{}", run.stdout);
    assert!(
        run.stdout.ends_with("3 events whole, 1 place damaged: restore a backup, or save the rest with gesta repair\n"),
        "{}",
        run.stdout
    );
}

#[test]
fn verify_of_a_whole_store_says_so() {
    let run = whole().run(&["verify"]).ok();
    assert_eq!(run.stdout, "4 events, every byte as it was written\n");
}

#[test]
fn a_read_goes_over_the_damage_and_tells_of_it() {
    let place = damaged();
    for (verb, expected) in [
        (&["read"][..], &[0, 2, 3][..]),
        (&["read", "--backwards"], &[3, 2, 0]),
        (&["read", "--from", "1"], &[2, 3]),
        (&["read", "--follow", "--limit", "3"], &[0, 2, 3]),
        (&["export"], &[0, 2, 3]),
        // The lost event may have been of any stream.
        (&["read", "--stream", "odd"], &[3]),
        (&["read", "--stream", "odd", "--backwards"], &[3]),
        (&["read", "--stream", "missing"], &[]),
    ] {
        let run = place.run(&[verb, &["--json"]].concat());
        let (code, message) = run.error(1);
        assert_eq!(code, "damage");
        assert!(
            message.contains("0000000001-0000.log at byte") && message.contains("positions 1 up to 2"),
            "{message}"
        );
        let positions: Vec<Value> = run.events().into_iter().map(|mut event| event["position"].take()).collect();
        assert_eq!(positions, expected, "{verb:?}");
        let run = place.run(verb);
        assert!(run.failure(1).contains("positions 1 up to 2"), "{run:?}");
    }
    assert_eq!(place.data(&["--from", "2"]), ["payload-2", "payload-3"]);
    assert_eq!(place.data(&["--limit", "1"]), ["payload-0"]);
}

#[test]
fn stats_count_what_is_whole_and_tell_of_the_damage() {
    let place = damaged();
    let run = place.run(&["stats", "--json"]);
    assert_eq!(run.error(1).0, "damage");
    let stats = run.value();
    assert_eq!((&stats["events"], &stats["streams"]), (&json!(4), &json!(2)));
    assert!(stats["event_bytes"]["min"].is_u64(), "{stats}");
}

#[test]
fn names_are_not_listed_as_if_nothing_was_lost() {
    let place = damaged();
    for verb in ["streams", "types", "categories", "tags"] {
        let run = place.run(&[verb]);
        assert!(run.failure(1).contains("positions 1 up to 2 cannot be read"), "{run:?}");
        assert_eq!(place.run(&[verb, "--json"]).error(1).0, "damage");
    }
}

#[test]
fn nothing_is_added_to_a_damaged_store() {
    let place = damaged();
    let before = contents(&place.store());
    let file = place.file("events", "{\"type\":\"T\"}\n");
    for verb in [
        &["append", "--type", "T"][..],
        &["append", "--type", "T", "--stream", "odd", "--expect", "0"],
        &["import", &file],
        &["index", "rebuild"],
    ] {
        let run = place.run(verb);
        let line = run.failure(5);
        assert!(
            line.contains("0000000001-0000.log at byte")
                && line.contains("restore a backup, or save the rest with gesta repair"),
            "{line}"
        );
        assert_eq!(run.stdout, "");
        assert_eq!(place.run(&[verb, &["--json"]].concat()).error(5).0, "degraded");
    }
    assert!(contents(&place.store()) == before, "a damaged store was changed");
}

#[test]
fn a_lost_segment_is_not_taken_for_an_empty_store() {
    let place = whole();
    std::fs::remove_file(segment(&place)).unwrap();
    let run = place.run(&["verify", "--json"]);
    assert_eq!((run.status, &run.value()["ok"]), (1, &json!(false)), "{run:?}");
    for verb in [&["read"][..], &["export"], &["read", "--backwards"], &["read", "--stream", "odd"]] {
        let run = place.run(verb);
        assert!(run.failure(1).contains("missing"), "{verb:?}: {run:?}");
        assert_eq!(run.stdout, "");
    }
    assert!(place.run(&["append", "--type", "T"]).failure(5).contains("missing"));
}

#[test]
fn a_lost_manifest_is_not_taken_for_a_missing_store() {
    let place = whole();
    std::fs::remove_file(place.store().join("manifest.copy")).unwrap();
    assert_eq!(place.data(&[]).len(), 4, "one copy is enough");
    std::fs::remove_file(place.store().join("manifest")).unwrap();
    let before = contents(&place.store());
    for verb in [&["read"][..], &["verify"], &["append", "--type", "T"]] {
        let run = place.run(verb);
        assert!(run.failure(4).contains("both copies of the manifest are damaged or missing"), "{run:?}");
        assert_eq!(place.run(&[verb, &["--json"]].concat()).error(4).0, "store_open");
    }
    assert!(contents(&place.store()) == before);
}

#[test]
fn a_torn_end_is_cut_with_a_remark_and_no_failure() {
    let place = whole();
    let store = std::fs::read(segment(&place)).unwrap();
    let written = store.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    let mut bytes = store;
    // What a write that a power cut interrupted may leave: bytes that nobody was promised, after the last mark.
    bytes[written.next_multiple_of(8) + 8] = 0xff;
    std::fs::write(segment(&place), bytes).unwrap();
    assert_eq!(place.data(&[]).len(), 4);
    let run = place.run(&["append", "--type", "T"]);
    assert_eq!((run.status, run.value()["first"].as_u64()), (0, Some(4)), "{run:?}");
    assert!(run.stderr.contains("bytes of an interrupted write"), "{run:?}");
    place.run(&["verify", "--deep"]).ok();
}

/// A store that was closed cleanly knows from its manifest how far it reached.
#[test]
fn a_lost_segment_of_a_store_that_was_opened_once_is_told() {
    let place = Place::new();
    place.import("{\"type\":\"T\"}\n".repeat(10));
    std::fs::remove_file(segment(&place)).unwrap();
    let run = place.run(&["verify", "--json"]);
    assert_eq!((run.status, &run.value()["ok"]), (1, &json!(false)), "{run:?}");
    for verb in ["verify", "read", "export", "stats"] {
        let run = place.run(&[verb]);
        assert_eq!(run.status, 1, "{run:?}");
        assert!((run.stdout + &run.stderr).contains("missing"), "{verb}");
    }
}

//! Hostile names: stored as they are, never a path, never in charge of a terminal.

use crate::support::{Place, contents};
use serde_json::json;

const HOSTILE: [&str; 10] = [
    "../../etc/passwd",
    "/etc/passwd",
    ".",
    "--store",
    "a\nb\r\tc",
    "\u{1b}[2J\u{1b}]0;title\u{7}",
    "\u{202e}drowssap\u{2066}",
    "zero\u{200b}width\u{feff}",
    "\u{9b}31m\u{85}",
    "\" OR 1=1 -- \\",
];

/// Whether a person's terminal would do anything but show this text.
fn steers(text: &str) -> bool {
    text.chars().any(|character| {
        character.is_control()
            || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    })
}

#[test]
fn a_hostile_stream_name_is_opaque() {
    let place = Place::new();
    for (position, name) in HOSTILE.iter().enumerate() {
        let argument = format!("--stream={name}");
        let receipt = place.append(&[&argument, "--expect", "no-stream"]);
        assert_eq!(receipt["revisions"], json!({*name: 0}));
        let events = place.run(&["read", "--json", &argument]).ok().events();
        assert_eq!(events.len(), 1, "{name:?}");
        assert_eq!((&events[0]["stream"], &events[0]["position"]), (&json!(name), &json!(position)));
    }
    let names: Vec<_> = contents(&place.store()).into_iter().map(|(path, _)| path).collect();
    let expected = ["0000000001-0000.log", "0000000002-0000.log", "lock", "manifest", "manifest.copy", "reserve"];
    assert_eq!(names, expected.map(|name| place.store().join(name)));
    assert_eq!(std::fs::read_dir(place.path("")).unwrap().count(), 1, "a name became a file beside the store");

    let export = place.run(&["export"]).ok().stdout;
    let other = Place::new();
    other.import(export.clone());
    assert_eq!(other.run(&["export"]).ok().stdout, export);
}

#[test]
fn no_name_steers_a_terminal() {
    let place = Place::new();
    for name in HOSTILE {
        let (stream, event_type) = (format!("--stream={name}"), format!("--type={name}"));
        place.run(&["append", &stream, &event_type, "--data", &json!(name).to_string()]).ok();
        // Failures speak of names too.
        let conflict = place.run(&["append", &stream, "--type=T", "--expect=7"]);
        assert!(!steers(conflict.failure(3)), "{conflict:?}");
        for argument in [format!("--expect={name}"), format!("--tag={name}"), format!("--id={name}")] {
            let mistake = place.run(&["append", "--type=T", "--stream=s", &argument]);
            assert!(!steers(mistake.failure(2)), "{mistake:?}");
        }
        let missing = place.run(&[&format!("--store=missing/{name}"), "read"]);
        assert!(!steers(missing.failure(4)), "{missing:?}");
    }
    for arguments in [&["read"][..], &["read", "--backwards"], &["streams"], &["types"]] {
        let run = place.run(arguments).ok();
        assert_eq!(run.stdout.lines().count(), HOSTILE.len());
        assert!(run.stdout.lines().all(|line| !steers(line)), "{}", run.stdout);
    }
}

#[test]
fn a_name_may_hold_a_nul() {
    let place = Place::new();
    place.import("{\"type\":\"T\",\"stream\":\"a\\u0000b\"}");
    assert_eq!(place.run(&["read", "--json"]).ok().events()[0]["stream"], json!("a\0b"));
    assert!(place.run(&["read"]).ok().stdout.contains("  a\\u{0}b@0  "));
}

#[test]
fn a_stream_name_has_at_most_1024_bytes() {
    let place = Place::new();
    // Two bytes a character: the bound is one of bytes.
    let longest = "\u{e9}".repeat(512);
    place.append(&["--stream", &longest]);
    assert_eq!(place.run(&["read", "--json", "--stream", &longest]).ok().events().len(), 1);

    let longer = format!("{longest}x");
    for verb in [&["append", "--type", "T"][..], &["read"]] {
        let run = place.run(&[verb, &["--stream", &longer]].concat());
        assert!(run.failure(2).contains("1025 bytes long, at most 1024"), "{run:?}");
    }
    let line = json!({"type": "T", "stream": longer}).to_string();
    let run = place.run_with(&["import"], line);
    assert!(run.failure(1).contains("standard input:1: stream name is 1025 bytes long"), "{run:?}");
    assert_eq!(place.run(&["stats", "--json"]).json()["events"], json!(1));
}

#[test]
fn an_argument_that_is_not_utf_8_is_refused_where_text_is_needed() {
    use std::os::unix::ffi::OsStrExt;
    let place = Place::new();
    let argument = std::ffi::OsStr::from_bytes(b"--stream=a\xff");
    let run = place.run(&[std::ffi::OsStr::new("read"), argument]);
    assert!(run.failure(2).contains("UTF-8"), "{run:?}");
    // A directory may have any name.
    let store = std::ffi::OsStr::from_bytes(b"--store=a\xff");
    place.run(&[std::ffi::OsStr::new("append"), std::ffi::OsStr::new("--type=T"), store]).ok();
    assert!(place.path("").join(std::ffi::OsStr::from_bytes(b"a\xff")).is_dir());
}

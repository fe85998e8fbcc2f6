//! The shared sample data: real histories in, the same histories out.
//!
//! The proof is the tree that git itself lists: whoever loses, doubles or swaps an event does not arrive at it.

use crate::support::Place;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// A file of the shared data; `None`, said aloud, where it is missing. Under CI it must be there.
pub(crate) fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
    if path.exists() {
        return Some(path);
    }
    assert!(std::env::var_os("CI").is_none(), "{} is missing", path.display());
    println!("skipped: {} is missing", path.display());
    None
}

/// A store with the real history in it; `None` where that is missing.
pub(crate) fn imported() -> Option<Place> {
    let history = shared("git-history.ndjson.gz")?;
    let place = Place::new();
    place.run(&["import", history.to_str().unwrap()]).ok();
    Some(place)
}

/// The tree that exported events lead to, a line `blob TAB path` each, in the order of git.
fn folded(export: &str) -> String {
    let mut tree = BTreeMap::new();
    for line in export.lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        let text = |key: &str| event["data"][key].as_str().unwrap().to_owned();
        match event["type"].as_str().unwrap() {
            "FileAdded" | "FileModified" | "FileTypeChanged" => {
                tree.insert(text("path"), text("blob"));
            }
            "FileDeleted" => {
                tree.remove(&text("path"));
            }
            "FileRenamed" => {
                tree.remove(&text("from"));
                tree.insert(text("path"), text("blob"));
            }
            other => panic!("an event of type {other}"),
        }
    }
    tree.iter().fold(String::new(), |mut lines, (path, blob)| {
        writeln!(lines, "{blob}\t{path}").unwrap();
        lines
    })
}

/// Imports what a place exports into another place, which must export the same bytes.
fn assert_export_survives_import(export: &str) {
    let other = Place::new();
    other.import(export);
    assert!(other.run(&["export"]).ok().stdout == export, "an export that was imported is exported differently");
}

#[test]
fn a_real_history_comes_out_as_it_went_in() {
    let (Some(history), Some(tree)) = (shared("git-history.ndjson.gz"), shared("git-history.tree")) else { return };
    let history = history.to_str().unwrap();
    let place = Place::new();

    let first = place.run(&["import", "--json", history]).json();
    assert_eq!(first, json!({"read": 17563, "added": 17563, "duplicate": 0, "failed": 0}));
    let stats = place.run(&["stats", "--json"]).json();
    assert_eq!((&stats["events"], &stats["streams"]), (&json!(17563), &json!(2062)));

    let second = place.run(&["import", "--json", history]).json();
    assert_eq!(second, json!({"read": 17563, "added": 0, "duplicate": 17563, "failed": 0}));
    assert_eq!(place.run(&["stats", "--json"]).json()["events"], json!(17563));

    let export = place.run(&["export"]).ok().stdout;
    let expected = std::fs::read_to_string(tree).unwrap();
    assert_eq!(expected.lines().count(), 1270);
    assert!(folded(&export) == expected, "the events lead to another tree than git lists");
    assert_export_survives_import(&export);

    let report = place.run(&["verify", "--deep", "--json"]).json();
    assert_eq!(report, json!({"ok": true, "events": 17563, "damage": []}));
}

#[test]
fn positions_and_revisions_have_no_gaps() {
    let Some(place) = imported() else { return };
    let mut revisions = BTreeMap::<String, u64>::new();
    for (position, event) in place.run(&["export"]).ok().events().iter().enumerate() {
        assert_eq!(event["position"], json!(position));
        let next = revisions.entry(event["stream"].as_str().unwrap().to_owned()).or_default();
        assert_eq!(event["revision"], json!(*next), "{event}");
        *next += 1;
    }
    assert_eq!(revisions.len(), 2062);
}

#[test]
fn large_payloads_keep_their_text() {
    let Some(webhooks) = shared("github-webhooks.ndjson.gz") else { return };
    let place = Place::new();
    let first = place.run(&["import", "--json", webhooks.to_str().unwrap()]).json();
    assert_eq!(first, json!({"read": 329, "added": 329, "duplicate": 0, "failed": 0}));
    let stats = place.run(&["stats", "--json"]).json();
    assert_eq!((&stats["events"], &stats["streams"]), (&json!(329), &json!(16)));

    let export = place.run(&["export"]).ok().stdout;
    let mut given = String::new();
    let packed = flate2::read::MultiGzDecoder::new(std::fs::File::open(&webhooks).unwrap());
    std::io::Read::read_to_string(&mut { packed }, &mut given).unwrap();
    let parse = |line| serde_json::from_str::<Value>(line).unwrap();
    for (given, kept) in given.lines().map(parse).zip(export.lines().map(parse)) {
        for key in ["id", "stream", "type", "tags", "data"] {
            assert_eq!(kept[key], given[key], "{}", given["id"]);
        }
    }
    assert_export_survives_import(&export);
}

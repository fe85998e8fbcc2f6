//! Queries and names over a real history: exactly what somebody finds who reads through all that `export` prints.

use crate::shared_data::imported;
use crate::support::Place;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The lines of an export, each with the event it holds.
fn exported(place: &Place) -> Vec<(String, Value)> {
    let export = place.run(&["export"]).ok().stdout;
    export.lines().map(|line| (line.to_owned(), serde_json::from_str(line).unwrap())).collect()
}

fn has_tag(event: &Value, tag: &str) -> bool {
    event["tags"].as_array().unwrap().contains(&json!(tag))
}

/// Queries, each beside a filter that is written by hand.
type Filter = (&'static str, fn(&Value) -> bool);
const FILTERS: [Filter; 6] = [
    ("tag=dir:openraft", |event| has_tag(event, "dir:openraft")),
    ("type=FileRenamed", |event| event["type"] == "FileRenamed"),
    ("type=FileAdded,FileDeleted tag=dir:openraft", |event| {
        has_tag(event, "dir:openraft") && (event["type"] == "FileAdded" || event["type"] == "FileDeleted")
    }),
    ("stream=file-Cargo.toml | type=FileDeleted tag=dir:tests", |event| {
        event["stream"] == "file-Cargo.toml" || (event["type"] == "FileDeleted" && has_tag(event, "dir:tests"))
    }),
    ("category=file type=FileRenamed", |event| event["type"] == "FileRenamed"),
    ("tag=dir:openraft tag=dir:tests", |_| false),
];

#[test]
fn a_query_gives_what_a_filter_over_the_export_gives() {
    let Some(place) = imported() else { return };
    let all = exported(&place);
    for (query, is_wanted) in FILTERS {
        let wanted: Vec<(u64, &str)> = all
            .iter()
            .filter(|(_, event)| is_wanted(event))
            .map(|(line, event)| (event["position"].as_u64().unwrap(), line.as_str()))
            .collect();
        assert!(wanted.len() > 100 || query.matches("tag=").count() == 2 || query.contains('|'), "{query}");
        // From nowhere, from the first and last event that match, from between, and from beyond both ends.
        let middle = wanted.get(wanted.len() / 2).map_or(9000, |(position, _)| *position);
        for from in [None, Some(0), Some(middle), Some(middle + 1), Some(17562), Some(17563), Some(u64::MAX)] {
            for limit in [None, Some(0), Some(1), Some(100)] {
                let mut arguments = vec!["read".to_owned(), "--json".into(), "--query".into(), query.into()];
                arguments.extend(from.iter().flat_map(|from| ["--from".to_owned(), from.to_string()]));
                arguments.extend(limit.iter().flat_map(|limit| ["--limit".to_owned(), limit.to_string()]));
                let count = limit.unwrap_or(usize::MAX);

                let forward = wanted.iter().filter(|(position, _)| *position >= from.unwrap_or(0)).take(count);
                let expected: String = forward.map(|(_, line)| format!("{line}\n")).collect();
                assert!(place.run(&arguments).ok().stdout == expected, "{arguments:?}");

                let backward = wanted.iter().rev().filter(|(position, _)| *position <= from.unwrap_or(u64::MAX));
                let expected: String = backward.take(count).map(|(_, line)| format!("{line}\n")).collect();
                arguments.push("--backwards".to_owned());
                assert!(place.run(&arguments).ok().stdout == expected, "{arguments:?}");
            }
        }
    }
}

#[test]
fn every_stream_is_found_whole() {
    let Some(place) = imported() else { return };
    let mut streams = BTreeMap::<String, Vec<String>>::new();
    for (line, event) in exported(&place) {
        streams.entry(event["stream"].as_str().unwrap().to_owned()).or_default().push(line);
    }
    // One program run each would take long; every fortieth is enough to go astray in.
    for (stream, lines) in streams.iter().step_by(40) {
        let run = place.run(&["read", "--json", "--stream", stream]).ok();
        assert!(run.stdout.lines().eq(lines), "{stream}");
        let revisions = run.events().into_iter().map(|event| event["revision"].as_u64().unwrap());
        assert!(revisions.eq(0..lines.len() as u64), "{stream}");
    }
}

/// What an export says of each name of a kind: how many events, the last position, and the last revision.
fn counted(all: &[(String, Value)], names_of: impl Fn(&Value) -> Vec<String>) -> BTreeMap<String, (u64, u64, Value)> {
    let mut names = BTreeMap::<String, (u64, u64, Value)>::new();
    for (_, event) in all {
        for name in names_of(event) {
            let known = names.entry(name).or_default();
            *known = (known.0 + 1, event["position"].as_u64().unwrap(), event["revision"].clone());
        }
    }
    names
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

#[test]
fn names_have_the_counts_that_the_export_gives() {
    let Some(place) = imported() else { return };
    let all = exported(&place);
    let streams = counted(&all, |event| vec![text(&event["stream"])]);
    assert_eq!(streams.len(), 2062);
    let expected: String = streams
        .iter()
        .map(|(name, (events, last, revision))| {
            // The last event's revision is one less than the number of events: none is missing, none is twice there.
            assert_eq!(*revision, json!(events - 1), "{name}");
            let name = json!(name);
            format!("{{\"stream\":{name},\"events\":{events},\"last\":{last},\"revision\":{revision}}}\n")
        })
        .collect();
    assert!(place.run(&["streams", "--json"]).ok().stdout == expected);

    let types = counted(&all, |event| vec![text(&event["type"])]);
    let tags = counted(&all, |event| event["tags"].as_array().unwrap().iter().map(text).collect());
    let categories = BTreeMap::from([("file".to_owned(), (17563, 17562, Value::Null))]);
    for (verb, key, names) in [("types", "type", types), ("tags", "tag", tags), ("categories", "category", categories)]
    {
        let line = |(name, (events, last, _)): (&String, &(u64, u64, Value))| {
            format!("{{\"{key}\":{},\"events\":{events},\"last\":{last}}}\n", json!(name))
        };
        let expected: String = names.iter().map(line).collect();
        assert!(place.run(&[verb, "--json"]).ok().stdout == expected, "{verb}");
    }
}

#[test]
fn a_prefix_keeps_the_names_that_begin_with_it() {
    let Some(place) = imported() else { return };
    let all = place.run(&["streams", "--json"]).ok().stdout;
    for prefix in ["file-openraft/src/core/", "file-C", "file-Cargo.toml", "file", "f", ""] {
        let begins = format!("{{\"stream\":\"{prefix}");
        let expected: String =
            all.lines().filter(|line| line.starts_with(&begins)).map(|line| line.to_owned() + "\n").collect();
        assert!(!expected.is_empty());
        assert!(place.run(&["streams", "--json", "--prefix", prefix]).ok().stdout == expected, "{prefix}");
        let rows = place.run(&["streams", "--prefix", prefix]).ok().stdout;
        assert_eq!(rows.lines().count(), expected.lines().count());
    }
    for prefix in ["ile-", "FILE", "file-Cargo.toml/", "\u{202e}"] {
        assert_eq!(place.run(&["streams", &format!("--prefix={prefix}")]).ok().stdout, "");
    }
    assert_eq!(place.run(&["types", "--prefix", "FileR"]).ok().stdout, "     526     16993  FileRenamed\n");
}

#[test]
fn people_get_one_row_a_name() {
    let place = Place::new();
    assert_eq!(place.run(&["streams"]).failure(4), place.run(&["types"]).failure(4));
    place.append(&["--stream", "b-1", "--tag", "k:v"]);
    place.append(&["--stream", "a-1"]);
    place.append(&["--stream", "b-1"]);
    place.append(&[]);
    let rows = |verb| place.run(&[verb]).ok().stdout;
    assert_eq!(rows("streams"), "       1         1         0  a-1\n       2         2         1  b-1\n");
    assert_eq!(rows("categories"), "       1         1  a\n       2         2  b\n");
    assert_eq!(rows("types"), "       4         3  Happened\n");
    assert_eq!(rows("tags"), "       1         0  k:v\n");
    assert_eq!(
        place.run(&["streams", "--json"]).ok().stdout,
        concat!(
            "{\"stream\":\"a-1\",\"events\":1,\"last\":1,\"revision\":0}\n",
            "{\"stream\":\"b-1\",\"events\":2,\"last\":2,\"revision\":1}\n",
        )
    );
    let nothing = Place::new();
    nothing.import("");
    for verb in ["streams", "types", "categories", "tags"] {
        assert_eq!(nothing.run(&[verb]).ok().stdout, "");
        assert_eq!(nothing.run(&[verb, "--json"]).ok().stdout, "");
    }
}

#[test]
fn an_explanation_follows_the_events_and_is_no_result() {
    let Some(place) = imported() else { return };
    let query = "type=FileRenamed tag=dir:openraft";
    let plain = place.run(&["read", "--json", "--query", query]).ok();
    let run = place.run(&["read", "--json", "--query", query, "--explain"]);
    assert!((run.status, &run.stdout) == (0, &plain.stdout), "{}", run.stderr);
    let cost: BTreeMap<String, u64> = serde_json::from_str(run.stderr.trim_end()).unwrap();
    let found = plain.stdout.lines().count() as u64;
    assert_eq!(cost.keys().map(String::as_str).collect::<Vec<_>>().join(" "), KEYS);
    assert!(cost["records_touched"] >= found && cost["records_touched"] < 17563, "{cost:?}");
    // Two lists a segment: one of the type, one of the tag.
    assert_eq!(cost["lists_read"], 2 * (cost["segments_asked"] - cost["segments_skipped"]), "{cost:?}");
    assert!(cost["segments_asked"] >= 2 && cost["head"] == 17563, "{cost:?}");

    let nowhere = place.run(&["read", "--query", "tag=no:where", "--explain"]);
    let expected = "gesta: lists read 0, segments asked 2 (skipped 2), records touched 0, head 17563\n";
    assert_eq!((nowhere.stdout.as_str(), nowhere.stderr.as_str()), ("", expected));
    // A read of everything asks no index.
    let all = place.run(&["read", "--limit", "1", "--explain", "--json"]);
    let expected =
        "{\"lists_read\":0,\"segments_asked\":0,\"segments_skipped\":0,\"records_touched\":0,\"head\":17563}\n";
    assert_eq!((all.stdout.lines().count(), all.stderr.as_str()), (1, expected));
    assert!(place.run(&["read", "--explain", "--follow"]).failure(2).contains("'--follow'"));
}

const KEYS: &str = "head lists_read records_touched segments_asked segments_skipped";

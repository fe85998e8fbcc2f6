//! `gesta append`: receipts, conditions, and the many ways to say what an event holds.

use crate::support::Place;
use serde_json::{Value, json};

#[test]
fn a_receipt_has_the_shape_of_the_contract() {
    let place = Place::new();
    let run = place.run(&["append", "--type", "T", "--stream", "order-1", "--json"]).ok();
    let expected = "{\"first\":0,\"last\":0,\"revisions\":{\"order-1\":0},\"head\":1,\"durability\":\"durable\"}\n";
    assert_eq!(run.stdout, expected);
    // Without --json too, when nobody looks at it on a terminal.
    let run = place.run(&["append", "--type", "T"]).ok();
    assert_eq!(run.stdout, "{\"first\":1,\"last\":1,\"revisions\":{},\"head\":2,\"durability\":\"durable\"}\n");
}

#[test]
fn every_form_of_expectation_lets_in_what_it_should() {
    let place = Place::new();
    for (expectation, revision) in
        [("no-stream", 0), ("stream-exists", 1), ("1", 2), ("any", 3), ("3", 4), ("stream-exists", 5)]
    {
        let receipt = place.append(&["--stream", "a-1", "--expect", expectation]);
        assert_eq!(receipt["revisions"], json!({"a-1": revision}), "{expectation}");
    }
    let receipt = place.append(&["--stream", "b-1", "--expect", "any"]);
    assert_eq!(receipt["revisions"], json!({"b-1": 0}));
}

#[test]
fn a_conflict_is_told_in_full_and_appends_nothing() {
    let place = Place::new();
    place.append(&["--stream", "a-1"]);
    let head = "\"head\":1,\"missed\":[]";
    for (stream, expectation, failed) in [
        ("a-1", "no-stream", r#""stream":"a-1","expected":"no-stream","actual":0"#),
        ("b-1", "stream-exists", r#""stream":"b-1","expected":"stream-exists","actual":null"#),
        ("a-1", "1", r#""stream":"a-1","expected":1,"actual":0"#),
        ("b-1", "0", r#""stream":"b-1","expected":0,"actual":null"#),
        ("a-1", "18446744073709551615", r#""stream":"a-1","expected":18446744073709551615,"actual":0"#),
    ] {
        let arguments = ["append", "--type", "T", "--stream", stream, "--expect", expectation];
        let run = place.run(&arguments);
        assert_eq!(run.stdout, format!("{{\"conflict\":{{\"failed\":[{{{failed}}}],{head}}}}}\n"));
        let line = run.failure(3);
        assert!(line.contains(&format!("stream {stream:?}")) && line.contains("read again, decide again"), "{line}");
        let run = place.run(&[&arguments[..], &["--json"]].concat());
        assert_eq!(run.error(3).0, "conflict");
    }
    assert_eq!(place.run(&["stats", "--json"]).json()["events"], json!(1));
}

#[test]
fn an_event_is_kept_out_by_what_a_query_finds_and_the_conflict_tells_what_was_missed() {
    let place = Place::new();
    place.append(&["--tag", "seat:1", "--data", "1"]);
    place.append(&["--tag", "seat:2", "--data", "2"]);
    let unless = |query, after| ["append", "--type", "Booked", "--unless", query, "--after", after, "--missed", "5"];
    place.run(&unless("tag=seat:3 | type=Booked", "0")).ok();
    place.run(&unless("tag=seat:1", "1")).ok();

    let run = place.run(&unless("type=\"Happened\" tag=seat:2|stream=\"a b\"", "1"));
    let answer: Value = serde_json::from_str(&run.stdout).unwrap();
    let failed = json!([{"query": "type=Happened tag=seat:2 | stream=\"a b\"", "after": 1, "found": 1}]);
    assert_eq!((&answer["conflict"]["failed"], &answer["conflict"]["head"]), (&failed, &json!(4)));
    let event = place.run(&["read", "--json", "--from", "1", "--limit", "1"]).ok().stdout.clone();
    assert!(run.stdout.ends_with(&format!("\"missed\":[{}]}}}}\n", event.trim_end())), "{}", run.stdout);
    assert!(run.failure(3).contains("the event at position 1 matches"));
    assert_eq!(place.run(&["stats", "--json"]).json()["events"], json!(4));
}

#[test]
fn an_append_made_again_under_its_request_id_adds_nothing() {
    let place = Place::new();
    let request = ["append", "--type", "T", "--stream", "a-1", "--request-id", "0190163d-8694-739b-aea5-966c26f8ad91"];
    let first = place.run(&request).json();
    place.append(&["--stream", "a-1"]);
    let again = place.run(&request).json();
    assert_eq!((&again["first"], &again["last"], &again["revisions"]), (&json!(0), &json!(0), &json!({"a-1": 0})));
    assert_eq!(first["revisions"], again["revisions"]);
    assert_eq!(place.run(&["stats", "--json"]).json()["events"], json!(2));
    // Other content under the same id is a mistake of the caller.
    place.run(&[&request[..], &["--data", "2"]].concat()).failure(5);
}

#[test]
fn a_mistake_in_an_argument_is_named_before_a_store_is_made() {
    let place = Place::new();
    for (arguments, expected) in [
        (&["--tag", "novalue"][..], "tag \"novalue\" is not key:value"),
        (&["--tag", ":v"], "is not key:value"),
        (&["--tag", "a:b\nc"], "control character"),
        (&["--id", "17"], "not a UUID"),
        (&["--id", "00000000-0000-0000-0000-000000000000"], "the nil UUID is not an id"),
        (&["--time", "noon"], "RFC 3339"),
        (&["--time", "2026-02-30T00:00:00Z"], "RFC 3339"),
        (&["--data", "{\"a\":"], "--data is not JSON"),
        (&["--data", "hello"], "quote text as \"text\""),
        (&["--data", ""], "--data is not JSON"),
        (&["--data", "@missing"], "missing"),
        (&["--metadata", "x"], "--metadata is not JSON"),
        (&["--expect", "no-stream"], "--stream"),
        (&["--stream", "a", "--expect", "newest"], "neither any, no-stream, stream-exists nor a revision"),
        (&["--stream", "a", "--expect", "-1"], "neither any, no-stream, stream-exists nor a revision"),
        (&["--stream", "a", "--expect", "18446744073709551616"], "nor a revision"),
        (&["--stream", ""], "stream name is empty"),
        (&["--unless", "type=T"], "--after"),
        (&["--after", "3"], "--unless"),
        (&["--unless", "type=T", "--after", "-1"], "not a whole number"),
        (&["--unless", "type=é tga=a:1", "--after", "0"], "column 8: \"tga\" is no term"),
        (&["--unless", "", "--after", "0"], "column 1: expected a term"),
        (&["--request-id", "17"], "not a UUID"),
        (&["--request-id", "00000000-0000-0000-0000-000000000000"], "nil"),
        (&["--missed", "-1"], "not a whole number"),
        (&["--durability", "fast"], "neither durable, written nor buffered"),
    ] {
        let arguments = [&["append", "--type", "T"], arguments].concat();
        let line = place.run(&arguments).failure(2).to_owned();
        assert!(line.contains(expected), "{arguments:?}: {line}");
        assert_eq!(place.run(&[&arguments[..], &["--json"]].concat()).error(2).0, "usage");
    }
    assert!(place.run(&["append"]).failure(2).contains("--type"));
    assert!(place.run(&["append", "--type", ""]).failure(2).contains("event type is empty"));
    assert!(place.run(&["append", "--type", &"t".repeat(256)]).failure(2).contains("at most 255"));
    assert!(!place.store().exists(), "a store was made for an event that was never appended");
}

/// The last event, as its line of JSON.
fn last(place: &Place) -> String {
    place.run(&["read", "--json", "--backwards", "--limit", "1"]).ok().stdout
}

#[test]
fn data_comes_from_the_argument_a_file_or_standard_input() {
    let place = Place::new();
    let file = place.file("data", b"{\n  \"b\": 1.50,\n  \"a\": [1, 2]\n}\n");
    place.append(&["--data", "{ \"b\": 1.50, \"a\": [1, 2] }"]);
    assert!(last(&place).ends_with(",\"data\":{\"b\":1.50,\"a\":[1,2]}}\n"), "{}", last(&place));
    place.append(&["--data", &format!("@{file}")]);
    assert!(last(&place).ends_with(",\"data\":{\"b\":1.50,\"a\":[1,2]}}\n"), "{}", last(&place));
    place.run_with(&["append", "--type", "T", "--data", "-"], "\"from input\"\n").ok();
    assert!(last(&place).ends_with(",\"data\":\"from input\"}\n"), "{}", last(&place));
    place.append(&["--data", "-17"]);
    assert!(last(&place).ends_with(",\"data\":-17}\n"), "{}", last(&place));
}

#[test]
fn data_that_is_not_json_is_kept_byte_for_byte() {
    let place = Place::new();
    for (content, base64) in [(&b"hello\n"[..], "aGVsbG8K"), (b"\0\xff\xfe", "AP/+"), (b"{\"a\":", "eyJhIjo=")] {
        let file = place.file("data", content);
        place.append(&["--data", &format!("@{file}")]);
        place.run_with(&["append", "--type", "T", "--data", "-"], content).ok();
        let events = place.run(&["read", "--json", "--backwards", "--limit", "2"]).ok().events();
        for event in events {
            assert_eq!((&event["data_base64"], event.get("data")), (&json!(base64), None), "{event}");
        }
    }
    let export = place.run(&["export"]).ok().stdout;
    let other = Place::new();
    other.import(export.clone());
    assert_eq!(other.run(&["export"]).ok().stdout, export);
}

#[test]
fn every_part_of_an_event_is_kept() {
    let place = Place::new();
    let id = "0198c0de-0000-7000-8000-00000000000A";
    place.append(&[
        "--stream",
        "order-1",
        "--id",
        id,
        "--time",
        "2026-01-31T13:00:00.25+01:00",
        "--tag",
        "b:2",
        "--tag",
        "a:1:x",
        "--metadata",
        "{\"by\": \"me\"}",
        "--data",
        "null",
    ]);
    let expected = "{\"position\":0,\"revision\":0,\"stream\":\"order-1\",\"type\":\"Happened\",\
                    \"id\":\"0198c0de-0000-7000-8000-00000000000a\",\"time\":\"2026-01-31T12:00:00.25Z\",\
                    \"tags\":[\"b:2\",\"a:1:x\"],\"metadata\":{\"by\":\"me\"},\"data\":null}\n";
    assert_eq!(last(&place), expected);
}

#[test]
fn every_class_of_durability_is_taken_and_reported() {
    let place = Place::new();
    for class in ["durable", "written", "buffered"] {
        assert_eq!(place.append(&["--durability", class])["durability"], json!(class));
    }
    // The program closes the store before it ends, which makes everything durable.
    assert_eq!(place.data(&[]), [Value::Null, Value::Null, Value::Null]);
}

#[test]
fn what_is_too_large_is_refused_with_the_limit() {
    let place = Place::new();
    let file = place.file("large", vec![b'x'; (16 << 20) + 1]);
    let run = place.run(&["append", "--type", "T", "--data", &format!("@{file}")]);
    assert!(run.failure(5).contains("16777216"), "{run:?}");
    let tags: Vec<String> = (0..256).flat_map(|tag| ["--tag".to_owned(), format!("k:{tag}")]).collect();
    let arguments: Vec<String> = ["append", "--type", "T"].map(str::to_owned).into_iter().chain(tags).collect();
    assert!(place.run(&arguments).failure(5).contains("255"));
    assert_eq!(place.run(&["stats", "--json"]).json()["events"], json!(0));
}

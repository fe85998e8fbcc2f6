//! `gesta read`: where it begins, which way it goes, where it ends, and what a line looks like.

use crate::support::Place;
use serde_json::{Value, json};

/// Six events, their data 0 to 5, the even ones in `even`, the odd ones in `odd`.
fn numbered() -> Place {
    let place = Place::new();
    let line = |number| {
        let stream = if number % 2 == 0 { "even" } else { "odd" };
        format!("{{\"type\":\"T\",\"stream\":\"{stream}\",\"data\":{number}}}\n")
    };
    place.import((0..6).map(line).collect::<String>());
    place
}

fn numbers(place: &Place, arguments: &[&str]) -> Vec<u64> {
    place.data(arguments).iter().map(|data| data.as_u64().unwrap()).collect()
}

#[test]
fn a_read_begins_ends_and_turns_where_it_is_told() {
    let place = numbered();
    for (arguments, expected) in [
        (&[][..], &[0, 1, 2, 3, 4, 5][..]),
        (&["--from", "0"], &[0, 1, 2, 3, 4, 5]),
        (&["--from", "4"], &[4, 5]),
        (&["--limit", "2"], &[0, 1]),
        (&["--limit", "0"], &[]),
        (&["--from", "1", "--limit", "3"], &[1, 2, 3]),
        (&["--backwards"], &[5, 4, 3, 2, 1, 0]),
        (&["--backwards", "--from", "2"], &[2, 1, 0]),
        (&["--backwards", "--from", "4", "--limit", "2"], &[4, 3]),
    ] {
        assert_eq!(numbers(&place, arguments), expected, "{arguments:?}");
    }
}

#[test]
fn a_stream_is_read_from_a_revision() {
    let place = numbered();
    for (arguments, expected) in [
        (&["--stream", "odd"][..], &[1, 3, 5][..]),
        (&["--stream", "even", "--from", "1"], &[2, 4]),
        (&["--stream", "odd", "--from", "2"], &[5]),
        (&["--stream", "odd", "--from", "1", "--limit", "1"], &[3]),
        (&["--stream", "odd", "--backwards"], &[5, 3, 1]),
        (&["--stream", "odd", "--backwards", "--from", "1"], &[3, 1]),
        (&["--stream", "odd", "--backwards", "--from", "9"], &[5, 3, 1]),
        (&["--stream", "odd", "--from", "3"], &[]),
        (&["--stream", "neither"], &[]),
    ] {
        assert_eq!(numbers(&place, arguments), expected, "{arguments:?}");
    }
}

#[test]
fn a_query_is_read_in_both_directions_and_from_a_position() {
    let place = numbered();
    place.append(&["--tag", "seat:1", "--data", "6"]);
    for (arguments, expected) in [
        (&["--query", "*"][..], &[0, 1, 2, 3, 4, 5, 6][..]),
        (&["--query", "stream=odd"], &[1, 3, 5]),
        (&["--query", "type=T stream=even"], &[0, 2, 4]),
        (&["--query", "category=odd | tag=seat:1"], &[1, 3, 5, 6]),
        (&["--query", "type=Happened,Other"], &[6]),
        (&["--query", "type=T tag=seat:1"], &[]),
        (&["--query", "stream=odd", "--from", "2"], &[3, 5]),
        (&["--query", "stream=\"odd\" | tag=seat:1", "--backwards", "--limit", "2"], &[6, 5]),
        (&["--query", "stream=odd", "--backwards", "--from", "4"], &[3, 1]),
    ] {
        assert_eq!(numbers(&place, arguments), expected, "{arguments:?}");
    }
}

#[test]
fn a_mistake_in_a_query_is_pointed_at() {
    let place = numbered();
    for verb in ["read", "tail"] {
        for (query, expected) in [
            ("tag=seat", "column 5: tag \"seat\" is not key:value"),
            ("type=A |", "column 9: expected a term"),
            ("stream=a\u{202e}b", "column 9: U+202E cannot stand here"),
        ] {
            let line = place.run(&[verb, "--query", query]).failure(2).to_owned();
            assert!(line.contains(expected), "{line}");
        }
        place.run(&[verb, "--query", "*", "--stream", "odd"]).failure(2);
    }
}

#[test]
fn a_read_from_beyond_the_head_is_empty_and_no_failure() {
    let place = numbered();
    for from in ["6", "7", "18446744073709551615"] {
        assert_eq!(numbers(&place, &["--from", from]), [0; 0], "{from}");
        assert_eq!(numbers(&place, &["--stream", "odd", "--from", from]), [0; 0], "{from}");
    }
    assert_eq!(numbers(&place, &["--backwards", "--from", "18446744073709551615"]), [5, 4, 3, 2, 1, 0]);
}

#[test]
fn since_goes_by_when_the_store_took_the_event() {
    let place = Place::new();
    let far = "2200-01-01T00:00:00Z";
    place.append(&["--data", "1", "--time", far]);
    let between = jiff::Timestamp::now().to_string();
    place.append(&["--data", "2", "--time", "1999-01-01T00:00:00Z"]);
    assert_eq!(numbers(&place, &["--since", &between]), [2]);
    assert_eq!(numbers(&place, &["--since", &between, "--backwards"]), [2]);
    assert_eq!(numbers(&place, &["--since", "1970-01-01T00:00:00Z"]), [1, 2]);
    assert_eq!(numbers(&place, &["--since", far]), [0; 0]);
}

#[test]
fn an_event_in_json_has_nine_keys_in_their_order() {
    let place = Place::new();
    let id = "11111111-1111-4111-8111-111111111111";
    let full = format!(
        "{{\"data\":{{\"z\":1, \"a\":[ 1.0 ,2e3]}},\"tags\":[\"k:v\"],\"metadata\":{{\"m\":null}},\"id\":\"{id}\",\
         \"time\":\"2026-01-31T12:00:00.123456789Z\",\"type\":\"Full\",\"stream\":\"s-1\"}}\n"
    );
    let bytes = format!(
        "{{\"type\":\"Bytes\",\"id\":\"{}\",\"data_base64\":\"AP8=\",\"metadata_base64\":\"/w==\"}}\n",
        id.replace('1', "2")
    );
    let bare = format!("{{\"type\":\"Bare\",\"id\":\"{}\"}}\n", id.replace('1', "3"));
    place.import(full + &bytes + &bare);
    let expected = "\
{\"position\":0,\"revision\":0,\"stream\":\"s-1\",\"type\":\"Full\",\"id\":\"11111111-1111-4111-8111-111111111111\",\"time\":\"2026-01-31T12:00:00.123456789Z\",\"tags\":[\"k:v\"],\"metadata\":{\"m\":null},\"data\":{\"z\":1,\"a\":[1.0,2e3]}}
{\"position\":1,\"revision\":null,\"stream\":null,\"type\":\"Bytes\",\"id\":\"22222222-2222-4222-8222-222222222222\",\"time\":null,\"tags\":[],\"metadata_base64\":\"/w==\",\"data_base64\":\"AP8=\"}
{\"position\":2,\"revision\":null,\"stream\":null,\"type\":\"Bare\",\"id\":\"33333333-3333-4333-8333-333333333333\",\"time\":null,\"tags\":[],\"metadata\":null,\"data\":null}
";
    assert_eq!(place.run(&["read", "--json"]).ok().stdout, expected);
    assert_eq!(place.run(&["export"]).ok().stdout, expected);
    assert_eq!(place.run(&["export", "--json"]).ok().stdout, expected);
}

#[test]
fn people_get_one_short_line_an_event() {
    let place = Place::new();
    let line =
        json!({"type": "T", "stream": "s-1", "time": "2026-01-31T12:00:00Z", "tags": ["k:v"], "data": "x".repeat(500)});
    place.import(line.to_string());
    let run = place.run(&["read"]).ok();
    let expected = format!("       0  2026-01-31T12:00:00Z  s-1@0  T  [k:v]  \"{}...\n", "x".repeat(99));
    assert_eq!(run.stdout, expected);
}

#[test]
fn a_mistake_in_an_argument_is_named() {
    let place = numbered();
    for (arguments, expected) in [
        (&["--from", "first"][..], "'first'"),
        (&["--from", "-1"], "'-1'"),
        (&["--from", "18446744073709551616"], "'18446744073709551616'"),
        (&["--limit", "-5"], "'-5'"),
        (&["--limit", "1.5"], "'1.5'"),
        (&["--since", "noon"], "RFC 3339"),
        (&["--since", "2026-01-31"], "RFC 3339"),
        (&["--stream", ""], "stream name is empty"),
        (&["--backwards", "--follow"], "'--backwards'"),
        (&["surplus"], "'surplus'"),
    ] {
        let run = place.run(&[&["read"], arguments].concat());
        assert!(run.failure(2).contains(expected), "{arguments:?}: {run:?}");
        assert_eq!(run.stdout, "");
    }
}

#[test]
fn stats_have_the_shape_of_the_contract() {
    let place = numbered();
    let stats = place.run(&["stats", "--json"]).json();
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    assert_eq!((&stats["events"], &stats["streams"]), (&json!(6), &json!(2)));
    assert_eq!(keys(&stats["event_bytes"]), "max min p50 p99");
    assert_eq!(keys(&stats["store_bytes"]), "index log reserved snapshots total");
    assert_eq!((keys(&stats["query_us"]), keys(&stats["command_us"])), ("p50 p99 p999".into(), "p50 p99 p999".into()));
    let bytes = |key: &str| stats["store_bytes"][key].as_u64().unwrap();
    let on_disk: u64 = crate::support::contents(&place.store()).iter().map(|(_, content)| content.len() as u64).sum();
    assert_eq!(bytes("total"), on_disk);
    assert_eq!(bytes("log") + bytes("index") + bytes("snapshots") + bytes("reserved"), on_disk);
    assert!(bytes("log") < 16 << 10, "{stats}");
}

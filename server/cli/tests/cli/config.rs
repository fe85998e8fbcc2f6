//! The settings of a server, shown and checked.

use crate::support::{Place, bare_command, finish};
use serde_json::{Value, json};

#[test]
fn what_is_shown_is_a_settings_file_that_gives_the_same_settings() {
    let place = Place::new();
    let first =
        place.file("first.toml", "http = \"127.0.0.1:9\"\n[limits]\nheartbeat_ms = 7\n[log]\nformat = \"json\"\n");
    let show = |file: &str, more: &[&str]| {
        finish(&mut bare_command(&[&["config", "show", "--config", file], more].concat())).ok()
    };
    let shown = show(&first, &["--dir", "/x \"y\"", "--set", "limits.stores_open_max=3"]).stdout;
    let second = place.file("second.toml", &shown);
    assert_eq!(show(&second, &[]).stdout, shown);
    let values = show(&second, &["--json"]).json();
    assert_eq!(values.as_object().unwrap().len(), shown.lines().count());
    assert_eq!(
        (
            &values["dir"],
            &values["http"],
            &values["limits.heartbeat_ms"],
            &values["limits.stores_open_max"],
            &values["tls.key"]
        ),
        (&json!("/x \"y\""), &json!("127.0.0.1:9"), &json!(7), &json!(3), &Value::Null)
    );
}

#[test]
fn every_value_says_where_it_came_from() {
    let place = Place::new();
    place.file("gesta.toml", "read = \"127.0.0.1:1\"\n\n[limits]\nheartbeat_ms = 7\nidle_timeout_ms = 9\n");
    let arguments =
        ["config", "show", "--origin", "--config", "gesta.toml", "--http", "127.0.0.1:2", "--set", "log.level=warn"];
    let command = |more: &[&str]| {
        let mut command = place.command(&[&arguments[..], more].concat());
        command.env("GESTA_LIMITS_IDLE_TIMEOUT_MS", "8");
        command
    };
    let shown = finish(&mut command(&[])).ok().stdout;
    for (setting, origin) in [
        ("append = \"127.0.0.1:4701\"", "default"),
        ("read = \"127.0.0.1:1\"", "gesta.toml:1"),
        ("http = \"127.0.0.1:2\"", "--http"),
        ("log.level = \"warn\"", "--set log.level"),
        ("limits.heartbeat_ms = 7", "gesta.toml:4"),
        ("limits.idle_timeout_ms = 8", "GESTA_LIMITS_IDLE_TIMEOUT_MS"),
    ] {
        let line = shown.lines().find(|line| line.starts_with(setting)).unwrap_or_else(|| panic!("{setting}: {shown}"));
        assert_eq!(line.strip_prefix(setting).unwrap().trim_start(), format!("# {origin}"));
    }
    let values = finish(&mut command(&["--json"])).json();
    assert_eq!(values["read"], json!({"value": "127.0.0.1:1", "origin": "gesta.toml:1"}));
    // With its origins it is a settings file all the same: they are comments.
    let again = place.file("again.toml", &shown);
    let without_origin =
        finish(place.command(&["config", "show", "--config", &again]).env_remove("GESTA_STORE")).ok().stdout;
    assert!(without_origin.lines().all(|line| shown.lines().any(|shown| shown.starts_with(line))), "{without_origin}");
}

#[test]
fn the_store_of_the_environment_is_the_directory_unless_it_is_an_address() {
    let place = Place::new();
    let dir = |store: &str, more: &[&str]| {
        let arguments = [&["config", "show", "--json"], more].concat();
        finish(place.command(&arguments).env("GESTA_STORE", store)).json()["dir"].take()
    };
    assert_eq!(dir("/srv/gesta", &[]), "/srv/gesta");
    assert_eq!(dir("/srv/gesta", &["--dir", "/other"]), "/other");
    assert_eq!(dir("/srv/gesta", &["--store", "/other"]), "/other");
    assert_eq!(dir("gesta://host", &[]), Value::Null);
}

#[test]
fn a_check_says_nothing_or_what_is_wrong_with_its_place() {
    let place = Place::new();
    let check = |arguments: &[&str]| finish(&mut bare_command(&[&["config", "check"], arguments].concat()));
    let run = check(&["--dir", "/srv/gesta"]);
    assert_eq!((run.status, run.stdout.as_str(), run.stderr.as_str()), (0, "", "gesta: the settings are good\n"));
    check(&["--dir", "/srv/gesta", "--json"]).ok();
    assert_eq!(
        check(&[]).failure(2),
        "gesta: no directory for the stores: say which with --dir DIR, in GESTA_DIR, or as `dir` in the settings file"
    );
    let file = place.file("gesta.toml", "dir = \"/srv/gesta\"\n[limits]\nheart_beat_ms = 7\n");
    let message = format!("{file}:3: there is no setting `limits.heart_beat_ms`: did you mean `limits.heartbeat_ms`?");
    assert_eq!(check(&["--config", &file]).failure(2), format!("gesta: {message}"));
    assert_eq!(check(&["--config", &file, "--json"]).error(2), ("settings".to_owned(), message));
}

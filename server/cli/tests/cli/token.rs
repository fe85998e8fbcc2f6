//! Tokens: made, listed and revoked in a file, their secrets shown once.

use crate::server::Server;
use crate::support::{Place, finish};
use gesta_protocol::Plane;
use rustix::process::Signal;
use serde_json::json;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;

/// Runs a `token` verb on the file `tokens` of the place.
fn token(place: &Place, arguments: &[&str]) -> crate::support::Run {
    place.run(&[&["token"], arguments, &["--tokens", "tokens"]].concat())
}

fn is_secret(text: &str) -> bool {
    text.strip_prefix("gesta_").is_some_and(|secret| secret.len() == 43 && !secret.contains(char::is_whitespace))
}

#[test]
fn a_secret_is_printed_once_and_its_hash_alone_is_kept() {
    let place = Place::new();
    let run = token(&place, &["create", "--role", "appender", "--store", "orders"]);
    let secret = run.stdout.strip_suffix('\n').unwrap();
    assert!(run.status == 0 && is_secret(secret), "{run:?}");
    assert!(run.stderr.contains("\"appender-orders\"") && run.stderr.contains("SIGHUP"), "{run:?}");
    assert!(!run.stderr.contains(secret));
    let kept = fs::read_to_string(place.path("tokens")).unwrap();
    assert!(kept.contains("\"appender-orders\"") && !kept.contains(&secret[6..]), "{kept}");
    assert_eq!(fs::metadata(place.path("tokens")).unwrap().permissions().mode() & 0o777, 0o600);
    let listed = token(&place, &["list"]).ok().stdout;
    assert!(listed.starts_with("appender-orders  appender  orders  since ") && listed.ends_with("  until revoked\n"));
}

#[test]
fn under_json_everything_that_is_known_stands_in_one_object() {
    let place = Place::new();
    let roles = ["--role", "projector", "--role", "appender"];
    let create = ["create", "--json", "--name", "all of it", "--store", "*", "--expires", "2090-01-31T13:00:00+01:00"];
    let mut made = token(&place, &[&create[..], &roles].concat()).json();
    assert!(is_secret(made["token"].take().as_str().unwrap()));
    let mut known = made.clone();
    known.as_object_mut().unwrap().remove("token");
    assert_eq!(
        known,
        json!({
            "name": "all of it", "roles": ["appender", "projector"], "stores": ["*"], "created": made["created"],
            "expires": "2090-01-31T12:00:00Z",
        })
    );
    assert_eq!(token(&place, &["list", "--json"]).json(), known);
    assert_eq!(token(&place, &["revoke", "all of it", "--json"]).json(), json!({"revoked": "all of it"}));
    assert_eq!(token(&place, &["list", "--json"]).ok().stdout, "");
}

#[test]
fn a_token_that_is_not_named_gets_a_name_that_is_free() {
    let place = Place::new();
    for _ in 0..2 {
        token(&place, &["create", "--role", "reader", "--store", "*", "--json"]).json();
        token(&place, &["create", "--role", "reader", "--store", "b", "--store", "a", "--json"]).json();
    }
    let names: Vec<_> =
        token(&place, &["list", "--json"]).ok().events().into_iter().map(|known| known["name"].clone()).collect();
    assert_eq!(names, ["reader", "reader-b-a", "reader-2", "reader-b-a-2"]);
}

#[test]
fn days_are_counted_from_now() {
    let place = Place::new();
    let made = token(&place, &["create", "--role", "reader", "--store", "a", "--expires", "30", "--json"]).json();
    let time = |key: &str| made[key].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert_eq!(time("expires").duration_since(time("created")), jiff::SignedDuration::from_hours(30 * 24));
}

#[test]
fn the_file_is_that_of_the_settings_unless_it_is_named() {
    let place = Place::new();
    let config = place.file("gesta.toml", format!("access.tokens = {:?}\n", place.path("of the file")));
    let create = ["token", "create", "--role", "reader", "--store", "a", "--json"];
    place.run(&[&create[..], &["--config", &config]].concat()).json();
    let variable = place.path("of the variable");
    finish(place.command(&create).env("GESTA_ACCESS_TOKENS", &variable)).json();
    let flag = format!("access.tokens={}", place.path("of the flag").display());
    place.run(&[&create[..], &["--config", &config, "--set", &flag]].concat()).json();
    place.run(&[&create[..], &["--config", &config, "--tokens", "named"]].concat()).json();
    for name in ["of the file", "of the variable", "of the flag", "named"] {
        assert_eq!(fs::read_to_string(place.path(name)).unwrap().lines().count(), 1, "{name}");
    }
    let run = place.run(&create[..6]);
    assert_eq!(
        run.failure(2),
        "gesta: no file of tokens: say which with --tokens FILE, or as access.tokens in the settings (--config FILE)"
    );
    let run = place.run(&["token", "list", "--set", "access.token=x"]);
    assert!(run.failure(2).contains("did you mean `access.tokens`?"), "{run:?}");
}

#[test]
fn what_cannot_be_made_or_revoked_is_refused_with_what_to_do() {
    let place = Place::new();
    token(&place, &["create", "--role", "reader", "--store", "a", "--name", "one", "--json"]).json();
    let before = fs::read(place.path("tokens")).unwrap();
    let table: [(&[&str], i32, &str); 12] = [
        (&["create", "--store", "a"], 2, "--role <ROLE>"),
        (&["create", "--role", "reader"], 2, "--store <NAME>"),
        (&["create", "--role", "admin", "--store", "a"], 2, "give appender, reader, projector or operator"),
        (&["create", "--role", "reader", "--store", "A b"], 2, "or '*' for every store"),
        (&["create", "--role", "reader", "--store", "*", "--store", "a"], 2, "give it alone"),
        (&["create", "--role", "reader", "--store", "a", "--name", ""], 2, "its name must be 1 to 255 bytes"),
        (&["create", "--role", "reader", "--store", "a", "--expires", "soon"], 2, "a number of days from 1 to 36500"),
        (&["create", "--role", "reader", "--store", "a", "--expires", "0"], 2, "a number of days from 1 to 36500"),
        (&["create", "--role", "reader", "--store", "a", "--expires", "2001-01-01T00:00:00Z"], 2, "give a later time"),
        (
            &["create", "--role", "reader", "--store", "a", "--name", "one"],
            5,
            "choose another name, or revoke that one",
        ),
        (&["revoke", "two"], 5, "there is no token \"two\": list them for the names"),
        (&["revoke"], 2, "<NAME>"),
    ];
    for (arguments, status, expected) in table {
        let run = token(&place, arguments);
        assert!(run.failure(status).contains(expected), "{run:?}");
        assert_eq!(run.stdout, "", "{arguments:?}");
        assert!(token(&place, &[arguments, &["--json"]].concat()).error(status).1.contains(expected), "{arguments:?}");
    }
    assert_eq!(fs::read(place.path("tokens")).unwrap(), before);
}

#[test]
fn the_store_of_the_environment_is_not_that_of_a_token() {
    // Every verb takes --store from the environment; here it would have made a token for a store of that name.
    let place = Place::new();
    let run = finish(
        place.command(&["token", "create", "--role", "reader", "--tokens", "tokens"]).env("GESTA_STORE", "other"),
    );
    assert!(run.failure(2).contains("--store <NAME>"), "{run:?}");
    let create = ["token", "create", "--role", "reader", "--store", "mine", "--tokens", "tokens", "--json"];
    let made = finish(place.command(&create).env("GESTA_STORE", "other")).json();
    assert_eq!(made["stores"], json!(["mine"]));
}

#[test]
fn a_file_that_cannot_be_used_is_left_as_it_is() {
    let place = Place::new();
    let create = ["create", "--role", "reader", "--store", "a"];
    place.file("tokens", "{\"name\":\"x\"}\n");
    fs::set_permissions(place.path("tokens"), Permissions::from_mode(0o600)).unwrap();
    for arguments in [&create[..], &["list"], &["revoke", "x"]] {
        let run = token(&place, arguments);
        assert!(run.failure(4).starts_with("gesta: tokens:1: not a token: "), "{run:?}");
    }
    fs::set_permissions(place.path("tokens"), Permissions::from_mode(0o644)).unwrap();
    let run = token(&place, &create);
    assert!(run.failure(4).ends_with("(mode 0644): run chmod 600 tokens"), "{run:?}");
    assert_eq!(fs::read_to_string(place.path("tokens")).unwrap(), "{\"name\":\"x\"}\n");
    let run = place.run(&["token", "list", "--tokens", "missing"]);
    assert!(run.failure(4).starts_with("gesta: missing: cannot read it "), "{run:?}");
    assert!(!place.path("missing").exists());
    let run = place.run(&[&["token"], &create[..], &["--tokens", "missing/tokens"]].concat());
    assert!(run.failure(5).contains("check the directory"), "{run:?}");
}

#[test]
fn a_secret_that_could_not_be_printed_is_no_token() {
    let place = Place::new();
    let command = || place.command(&["token", "create", "--role", "reader", "--store", "a", "--tokens", "tokens"]);
    let run = finish(command().stdout(File::options().write(true).open("/dev/full").unwrap()));
    assert!(run.failure(5).contains("cannot write to standard output"), "{run:?}");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let run = finish(command().stdout(writer));
    assert!(run.failure(5).contains("no token was made"), "{run:?}");
    assert_eq!(token(&place, &["list"]).ok().stdout, "");
}

#[test]
fn a_server_lets_in_who_has_a_token_of_its_file() {
    let place = Place::new();
    let create = |role| token(&place, &["create", "--role", role, "--store", "default", "--json"]).json();
    let (appender, reader) = (create("appender"), create("reader"));
    let server = Server::start(&place, &["--set", "access.tokens=tokens"]);
    let secret = |made: &serde_json::Value| made["token"].as_str().unwrap().to_owned();
    assert_eq!(server.connect(Plane::Append, &secret(&appender)).unwrap().append("1"), Ok(0));
    assert!(server.connect(Plane::Read, &secret(&reader)).is_ok());
    let refused = server.connect(Plane::Append, &secret(&reader)).and_then(|mut wire| wire.append("2"));
    assert!(refused.unwrap_err().contains("denied: present a token"));
    assert!(server.connect(Plane::Read, "").err().unwrap().contains("denied: present a token"));
    token(&place, &["revoke", "reader-default", "--json"]).json();
    assert!(server.connect(Plane::Read, &secret(&reader)).is_ok(), "the file has not been read again yet");
    server.signal(Signal::HUP);
    server.wait_for_log("were read again");
    assert!(server.connect(Plane::Read, &secret(&reader)).err().unwrap().contains("denied: present a token"));
    server.stop();
}

//! The files of `server/deploy` against the program that they start.

use crate::server::{PORTS, Server};
use crate::support::{Place, bare_command, eventually, finish, hide_settings};
use gesta_protocol::Plane;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn deployed(name: &str) -> String {
    std::fs::read_to_string(root().join("server/deploy").join(name)).unwrap()
}

/// The values of a line `Key=` of the unit, all together.
fn unit(key: &str) -> Vec<String> {
    let text = deployed("gesta.service");
    let values = text.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('=').map(str::to_owned));
    let values: Vec<String> = values.collect();
    assert!(!values.is_empty(), "the unit has no {key}");
    values
}

#[test]
fn the_settings_file_says_every_default_and_where_it_says_something_else() {
    let path = root().join("server/deploy/gesta.toml");
    let defaults = finish(&mut bare_command(&["config", "show", "--json"])).json();
    let shown = finish(bare_command(&["config", "show", "--json", "--origin", "--config"]).arg(&path)).json();
    let text = deployed("gesta.toml");
    let lines: Vec<&str> = text.lines().collect();
    for (key, default) in defaults.as_object().unwrap() {
        let Value::String(origin) = &shown[key]["origin"] else { panic!("{key} has no origin") };
        let (_, line) = origin.rsplit_once(':').unwrap_or_else(|| panic!("the file does not say {key}"));
        let line = lines[line.parse::<usize>().unwrap() - 1];
        let is_changed = line.contains("# changed: ");
        assert_eq!(shown[key]["value"] != *default, is_changed, "{key}, which is {default} by default: {line}");
    }
    finish(bare_command(&["config", "check", "--json", "--config"]).arg(&path)).ok();
}

#[test]
fn the_unit_starts_the_program_with_arguments_that_it_takes() {
    let [command] = &unit("ExecStart")[..] else { panic!("one command") };
    let arguments = command.strip_prefix("/usr/bin/gesta serve ").expect("it serves").split(' ');
    let path = root().join("server/deploy/gesta.toml").to_str().unwrap().to_owned();
    let arguments: Vec<String> = arguments.map(|argument| argument.replace("/etc/gesta/gesta.toml", &path)).collect();
    assert!(arguments.contains(&path), "{command}");
    let shown = finish(bare_command(&["config", "show", "--json"]).args(&arguments)).json();
    let state = format!("/var/lib/{}", unit("StateDirectory")[0]);
    assert_eq!(shown["dir"], Value::from(state));
    let stop_seconds = shown["limits.stop_timeout_ms"].as_u64().unwrap() / 1000;
    assert!(unit("TimeoutStopSec")[0].parse::<u64>().unwrap() > 2 * stop_seconds);
    assert_eq!(
        (unit("Type"), unit("ExecReload")),
        (vec!["notify".to_owned()], vec!["/bin/kill -HUP $MAINPID".to_owned()])
    );
    assert_eq!(unit("Restart"), ["on-failure"]);
    assert!(unit("LimitNOFILE")[0].parse::<u64>().unwrap() > 4 * 4096);
}

#[test]
fn systemd_finds_nothing_wrong_with_the_unit() {
    let place = Place::new();
    let text = deployed("gesta.service").replace("/usr/bin/gesta", env!("CARGO_BIN_EXE_gesta"));
    let copy = place.file("gesta.service", text);
    let Ok(output) = Command::new("systemd-analyze").args(["verify", &copy]).output() else {
        println!("skipped: there is no systemd-analyze");
        return;
    };
    let said = String::from_utf8_lossy(&output.stderr);
    let is_about_it = said.lines().any(|line| line.contains("gesta.service"));
    assert!(output.status.success() && !is_about_it, "{said}");
}

/// The system calls of a set such as `@system-service`, the sets that it is made of included.
fn system_calls(set: &str, found: &mut BTreeSet<String>) -> Option<()> {
    let output = Command::new("systemd-analyze").args(["syscall-filter", "--no-pager", set]).output().ok()?;
    assert!(output.status.success(), "{set}: {output:?}");
    for line in String::from_utf8_lossy(&output.stdout).lines().skip(1).map(str::trim) {
        match line.strip_prefix('@') {
            Some(_) => system_calls(line, found)?,
            None if line.starts_with('#') || line.is_empty() => {}
            None => drop(found.insert(line.to_owned())),
        }
    }
    Some(())
}

/// What the unit lets the server call; none where systemd is not there to say what its sets are.
fn allowed() -> Option<BTreeSet<String>> {
    let mut allowed = BTreeSet::new();
    for filter in unit("SystemCallFilter") {
        for set in filter.trim_start_matches('~').split(' ') {
            let mut calls = BTreeSet::new();
            system_calls(set, &mut calls)?;
            match filter.starts_with('~') {
                true => allowed.retain(|call| !calls.contains(call)),
                false => allowed.extend(calls),
            }
        }
    }
    Some(allowed)
}

#[test]
fn the_unit_allows_every_system_call_that_the_server_makes() {
    let place = Place::new();
    let trace = place.path("trace");
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-e", "signal=none", "-o"]).arg(&trace).arg(env!("CARGO_BIN_EXE_gesta"));
    hide_settings(command.args(["serve"]).args(PORTS).arg("--dir").arg(place.store()));
    let (Some(allowed), true) = (allowed(), Command::new("strace").arg("-V").output().is_ok()) else {
        println!("skipped: there is no systemd-analyze, or no strace");
        return;
    };
    let server = Server::start_as(command);
    let mut wire = server.connect(Plane::Append, "").unwrap();
    for number in 0..100 {
        wire.append(&format!("{number}")).unwrap();
    }
    assert!(server.connect(Plane::Read, "").is_ok());
    assert_eq!(server.page("/snapshot").0, 200);
    let pid = i32::try_from(server.ready["pid"].as_i64().unwrap()).unwrap();
    let pid = Pid::from_raw(pid).unwrap();
    kill_process(pid, Signal::HUP).unwrap();
    server.wait_for_log("were read again");
    kill_process(pid, Signal::TERM).unwrap();
    assert_eq!(server.end().status, 0);
    assert!(eventually(|| std::fs::read_to_string(&trace).unwrap().contains("exit_group")));
    let text = std::fs::read_to_string(&trace).unwrap();
    let calls: BTreeSet<&str> = text.lines().filter_map(call_of).collect();
    assert!(calls.contains("fdatasync") && calls.contains("accept4") && calls.len() > 20, "{calls:?}");
    let refused: Vec<_> = calls.iter().filter(|call| !allowed.contains(**call)).collect();
    assert!(refused.is_empty(), "{refused:?}");
}

/// The call of a line such as `1234 openat(AT_FDCWD, ...) = 3`.
fn call_of(line: &str) -> Option<&str> {
    let (call, _) = line.split_once(' ')?.1.trim_start().split_once('(')?;
    call.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_').then_some(call)
}

#[test]
fn the_image_is_built_from_what_is_there_and_starts_a_server_that_is_nobody() {
    let text = deployed("Dockerfile").replace("\\\n", "");
    let of = |word: &str| -> Vec<Vec<String>> {
        let lines = text.lines().filter_map(|line| line.strip_prefix(word)?.strip_prefix(' '));
        lines.map(|line| line.split_whitespace().map(str::to_owned).collect()).collect()
    };
    for source in of("COPY").into_iter().filter(|words| !words[0].starts_with("--from")) {
        assert!(root().join(&source[0]).exists(), "{source:?}");
    }
    let target = "x86_64-unknown-linux-musl";
    assert_eq!(text.matches(target).count(), 3, "added, built for, and copied from");
    let final_stage = text.split("FROM scratch").nth(1).expect("nothing but the binary is in the image");
    let user = of("USER")[0][0].clone();
    assert!(final_stage.contains(&format!("USER {user}\n")) && !user.starts_with('0'), "{user}");
    assert!(final_stage.contains(&format!("--chown={user} /state /var/lib/gesta")));
    assert_eq!(of("VOLUME"), [["/var/lib/gesta"]]);
    let version =
        Command::new("cargo").args(["metadata", "--no-deps", "--format-version=1"]).current_dir(root()).output();
    let metadata = String::from_utf8(version.unwrap().stdout).unwrap();
    let (_, rest) = metadata.split_once("\"rust_version\":\"").unwrap();
    let version = rest.split('"').next().unwrap();
    assert!(of("FROM")[0][0].contains(&format!("/rust:{version}-")), "{version}");
    let place = Place::new();
    let mut command = bare_command(&["config", "show", "--json", "--origin"]);
    for variable in &of("ENV")[1] {
        let (name, value) = variable.split_once('=').unwrap();
        command.env(name, value);
    }
    let shown = finish(command.current_dir(place.path(""))).json();
    for (key, value, variable) in [("dir", "/var/lib/gesta", "GESTA_DIR"), ("log.format", "json", "GESTA_LOG_FORMAT")] {
        assert_eq!((&shown[key]["value"], &shown[key]["origin"]), (&value.into(), &variable.into()));
    }
}

#[test]
fn the_images_health_check_says_whether_the_server_answers() {
    let text = deployed("Dockerfile").replace("\\\n", "");
    let (_, check) = text.split_once("HEALTHCHECK").unwrap();
    let (_, check) = check.lines().next().unwrap().split_once("CMD ").unwrap();
    let words: Vec<String> = serde_json::from_str(check).expect("a list of words");
    assert_eq!(words[0], "/usr/bin/gesta");
    let place = Place::new();
    let server = Server::start(&place, &[]);
    let http = server.address("http").to_string();
    let words = words[1..].iter().map(|word| if word == "127.0.0.1:4703" { http.clone() } else { word.clone() });
    let words: Vec<String> = words.collect();
    assert_eq!(finish(&mut bare_command(&words)).status, 0);
    server.stop();
    assert_eq!(finish(&mut bare_command(&words)).status, 4);
}

#[test]
fn what_is_left_out_of_the_images_context_is_not_needed_to_build() {
    let kept: BTreeSet<String> = deployed("Dockerfile.dockerignore")
        .lines()
        .filter_map(|line| line.strip_prefix('!').map(str::to_owned))
        .collect();
    let workspace = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let (_, members) = workspace.split_once("members = [").unwrap();
    let members = members.split(']').next().unwrap().lines().filter_map(|line| line.trim().strip_prefix('"'));
    let mut count = 0;
    for member in members.map(|line| line.trim_end_matches("\",")) {
        assert!(kept.iter().any(|kept| Path::new(member).starts_with(kept)), "{member}");
        count += 1;
    }
    assert!(count > 5);
    assert!(["Cargo.toml", "Cargo.lock", "rust-toolchain.toml"].iter().all(|file| kept.contains(*file)));
}

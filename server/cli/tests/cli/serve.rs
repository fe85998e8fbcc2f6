//! `gesta serve`: how it starts, and why it does not.

use crate::server::{PORTS, Server, Wire, line_of, page, serve_command};
use crate::support::{Place, Run, bare_command, eventually, finish, parse, wait};
use gesta_protocol::Plane;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::fs::{self, File, Permissions};
use std::io::{BufRead, BufReader, ErrorKind, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Runs a server that must not start.
fn refused(command: &mut Command) -> Run {
    wait(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
}

/// The last line on standard error, which says why it ended.
#[track_caller]
fn last_line(run: &Run, status: i32) -> &str {
    assert_eq!((run.status, run.stdout.as_str()), (status, ""), "{run:?}");
    run.stderr.lines().last().unwrap_or_else(|| panic!("nothing said: {run:?}"))
}

#[test]
fn when_it_is_ready_one_line_tells_where_it_listens() {
    let place = Place::new();
    let mut command = serve_command(&["--dir", place.store().to_str().unwrap()]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    output.read_line(&mut line).unwrap();
    let ready = parse(&line);
    let keys: Vec<&String> = ready.as_object().unwrap().keys().collect();
    assert_eq!((keys.len(), &ready["pid"]), (4, &json!(child.id())), "{line}");
    assert!(line.starts_with("{\"append\":\"127.0.0.1:") && !line.contains(":0\""), "{line}");
    let address = |port: &str| ready[port].as_str().unwrap().parse().unwrap();
    assert_eq!(page(address("http"), "/readyz"), (200, "ready\n".to_owned()));
    child.kill().unwrap();
    assert_eq!(std::io::read_to_string(output).unwrap(), "", "nothing but the one line");
    child.wait().unwrap();
}

#[test]
fn without_an_operators_port_the_line_says_so() {
    let place = Place::new();
    let server = Server::start_as(place.command(&["serve", "--append", "127.0.0.1:0", "--read", "127.0.0.1:0"]));
    assert_eq!(server.ready["http"], json!(null));
    assert!(place.store().join("default").is_dir(), "the directory is that of the environment");
    server.stop();
}

#[test]
fn wrong_settings_are_refused_in_one_exact_line() {
    let place = Place::new();
    let file = |name: &str, text: &str| place.file(name, text);
    let open = file("open", "");
    fs::set_permissions(&open, Permissions::from_mode(0o666)).unwrap();
    let unknown = file("unknown.toml", "dir = \"x\"\n\n[limit]\nframe_bytes_max = 1\n");
    let torn = file("torn.toml", "dir = \"x\"\nread = \n");
    let store = place.path("data");
    let store = store.to_str().unwrap();
    let text = |text: &str| text.to_owned();
    let table: [(&[&str], String); 10] = [
        (
            &[],
            text(
                "no directory for the stores: say which with --dir DIR, in GESTA_DIR, or as `dir` in the settings file",
            ),
        ),
        (&["--config", &unknown], format!("{unknown}:3: there is no setting `limit`: did you mean `limits`?")),
        (
            &["--config", &torn],
            format!("{torn}:2: not valid TOML: string values must be quoted, expected literal string"),
        ),
        (
            &["--config", "missing.toml"],
            text(
                "missing.toml: cannot read the settings (No such file or directory (os error 2)): check the path and its \
                 permissions",
            ),
        ),
        (
            &["--dir", store, "--append", "localhost"],
            text(
                "--append: append cannot be \"localhost\": give an IP address and a port, such as \"127.0.0.1:4701\" or \
                 \"[::1]:4701\"",
            ),
        ),
        (
            &["--dir", store, "--log-format", "xml"],
            text("--log-format: log.format cannot be \"xml\": give \"text\" or \"json\""),
        ),
        (
            &["--dir", store, "--set", "limits.heartbeat_ms=0"],
            text(
                "--set limits.heartbeat_ms: limits.heartbeat_ms cannot be \"0\": give a whole number of milliseconds from 1 \
                 to 86400000",
            ),
        ),
        (&["--dir", store, "--set", "insecure"], text("--set: write KEY=VALUE, such as limits.idle_timeout_ms=5000")),
        (
            &["--dir", store, "--set", &format!("access.tokens={open}")],
            format!(
                "--set access.tokens: access.tokens: {open}: holds secrets, but every user of this machine may use it \
                 (mode 0666): run chmod 600 {open}"
            ),
        ),
        (
            &["--dir", store, "--set", "access.tokens=missing"],
            text(
                "cannot start the server: missing: cannot read it (No such file or directory (os error 2)): check the path \
                 and its permissions",
            ),
        ),
    ];
    for (arguments, message) in table {
        let command = || {
            let mut command = bare_command(&[&["serve"], arguments].concat());
            command.current_dir(place.path(""));
            command
        };
        assert_eq!(refused(&mut command()).failure(2), format!("gesta: {message}"), "{arguments:?}");
        let (_, told) = refused(command().arg("--json")).error(2);
        assert_eq!(told, message, "{arguments:?}");
    }
    let run = refused(serve_command(&["--dir", store]).env("GESTA_LIMITS_HEARTBEAT", "1"));
    assert_eq!(
        run.failure(2),
        "gesta: environment: there is no setting `GESTA_LIMITS_HEARTBEAT`: did you mean `GESTA_LIMITS_HEARTBEAT_MS`?"
    );
    assert!(!place.path("data").exists(), "nothing is made before the settings are good");
}

#[test]
fn plain_text_and_strangers_stay_on_this_machine() {
    let place = Place::new();
    let run = refused(&mut place.command(&["serve", "--append", "0.0.0.0:0"]));
    assert!(last_line(&run, 2).contains("events and tokens would leave this machine in plain text"), "{run:?}");
    let run = refused(&mut place.command(&["serve", "--read", "0.0.0.0:0", "--insecure"]));
    assert!(last_line(&run, 2).contains("without tokens everyone who reaches this address could do everything"));
}

#[test]
fn a_port_that_is_taken_is_named() {
    let place = Place::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (port, what) in
        [("--append", "the append plane"), ("--read", "the read plane"), ("--http", "the operator's port")]
    {
        let mut arguments = PORTS.to_vec();
        let at = arguments.iter().position(|argument| *argument == port).unwrap();
        arguments[at + 1] = &address;
        let run = refused(&mut place.command(&[&["serve"], &arguments[..]].concat()));
        assert_eq!(
            last_line(&run, 4),
            format!(
                "gesta: cannot start the server: cannot listen on {address} for {what}: Address already in use (os error \
                 98): choose another port, or stop who has it"
            )
        );
    }
    Server::start(&place, &[]).stop();
}

#[test]
fn of_two_servers_on_one_directory_the_second_is_refused() {
    let place = Place::new();
    let server = Server::start(&place, &[]);
    let mut wire = server.connect(Plane::Append, "").unwrap();
    assert_eq!(wire.append("1"), Ok(0));
    let run = refused(&mut place.command(&[&["serve"], &PORTS[..]].concat()));
    assert_eq!(
        last_line(&run, 4),
        format!(
            "gesta: cannot start the server: {}: another server runs on this directory: stop it, or choose another directory",
            place.store().join("server.lock").display()
        )
    );
    let store = place.store().join("default");
    let store = store.to_str().unwrap();
    let run = place.run(&["append", "--type", "T", "--store", store]);
    assert!(run.failure(4).contains("another process has the store open for writing"), "{run:?}");
    assert_eq!(place.run(&["read", "--json", "--store", store]).ok().events().len(), 1, "readers work beside it");
    assert_eq!(wire.append("2"), Ok(1), "the first server does not mind");
    server.stop();
    let server = Server::start(&place, &[]);
    assert_eq!(server.connect(Plane::Append, "").unwrap().append("3"), Ok(2));
    server.stop();
}

#[test]
fn a_directory_that_is_a_store_or_cannot_be_used_is_refused() {
    let place = Place::new();
    place.append(&[]);
    let run = refused(&mut place.command(&[&["serve"], &PORTS[..]].concat()));
    assert!(
        last_line(&run, 4).contains("this directory is itself a store: a server keeps its stores in directories below")
    );
    let file = place.file("file", "");
    let run = refused(&mut place.command(&[&["serve", "--dir", &file], &PORTS[..]].concat()));
    assert!(last_line(&run, 4).contains("check the path, its permissions and the disk"), "{run:?}");
}

#[test]
fn in_a_log_of_json_every_line_is_an_object_the_last_words_too() {
    let place = Place::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let run = refused(&mut place.command(&["serve", "--log-format", "json", "--append", &address]));
    let lines: Vec<_> = run.stderr.lines().map(parse).collect();
    assert_eq!(lines.last().unwrap()["error"]["code"], "listen", "{run:?}");
    assert_eq!(run.status, 4);
}

#[test]
fn neither_tokens_nor_payloads_are_in_the_log_at_any_level() {
    let place = Place::new();
    let create = |role| line_of(&place, &["token", "create", "--role", role, "--store", "*", "--tokens", "tokens"]);
    let (appender, operator) = (create("appender"), create("operator"));
    let unknown = format!("gesta_{}", "x".repeat(43));
    let settings = ["--log-format", "json", "--set", "log.level=trace", "--set", "access.tokens=tokens"];
    let server = Server::start(&place, &settings);
    let payload = "a-payload-that-nobody-may-see";
    let data = format!("{{\"secret\":\"{payload}\"}}");
    let mut wire = server.connect(Plane::Append, &appender).unwrap();
    assert_eq!(wire.append(&data), Ok(0));
    assert!(server.connect(Plane::Read, &operator).is_ok());
    assert!(server.connect(Plane::Read, &unknown).is_err());
    for path in ["/livez", "/readyz", "/metrics", "/snapshot"] {
        let (status, page) = server.page(path);
        assert!(
            status == 200 && ![&appender, &operator, &unknown].iter().any(|secret| page.contains(*secret)),
            "{page}"
        );
    }
    let log = server.stop();
    assert!(log.lines().count() > 4, "{log}");
    for line in log.lines() {
        let line = parse(line);
        assert!(line["level"].is_string() && line["timestamp"].is_string(), "{line}");
    }
    assert!(log.contains("unknown token"), "the refusal itself is told: {log}");
    for secret in [&appender, &operator, &unknown, payload] {
        assert!(!log.contains(secret) && !log.contains(&secret[6..]), "{log}");
    }
}

#[test]
fn it_serves_on_when_nobody_takes_what_it_says() {
    let full = || File::options().write(true).open("/dev/full").unwrap();
    // Standard error is full; then standard output is full, or closed, before the ready line.
    let place = Place::new();
    let mut command = place.command(&[&["serve"], &PORTS[..]].concat());
    let mut child = command.stdout(Stdio::piped()).stderr(full()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    // As `gesta serve 2>/dev/full | head -1` would have it: whoever read the line has gone.
    let append = parse(&line)["append"].as_str().unwrap().parse().unwrap();
    assert_eq!(Wire::to(append).append("1"), Ok(0));
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert!(eventually(|| child.try_wait().unwrap().is_some()));
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let (reader, closed) = std::io::pipe().unwrap();
    drop(reader);
    for (number, stdout) in [(1, Stdio::from(full())), (2, Stdio::from(closed))] {
        let mut command = place.command(&[&["serve"], &PORTS[..], &["--log-format", "json"]].concat());
        let server = Server::start_unread(command.stdout(stdout));
        assert_eq!(server.connect(Plane::Append, "").unwrap().append("2"), Ok(number));
        assert!(server.stop().contains("nobody could be told on standard output"));
    }
}

#[test]
fn the_help_names_what_can_be_set() {
    let help = finish(&mut bare_command(&["serve", "--help"])).ok().stdout;
    for flag in ["--dir", "--append", "--read", "--http", "--config", "--insecure", "--log-format", "--set"] {
        assert!(help.contains(flag), "{flag}: {help}");
    }
}

/// What a metric with these labels says; none where there is no such series.
fn labelled(page: &str, series: &str) -> Option<f64> {
    page.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
}

#[test]
fn a_damaged_store_is_told_of_wherever_an_operator_looks() {
    // A server opened over damage refused every append, and yet said that it was ready, and counted no refusal.
    let place = Place::new();
    let server = Server::start(&place, &[]);
    let mut wire = server.connect(Plane::Append, "").unwrap();
    for number in 0..4 {
        wire.append(&format!("\"payload-{number}\"")).unwrap();
    }
    server.stop();
    let segment = place.store().join("default/0000000001-0000.log");
    let mut bytes = fs::read(&segment).unwrap();
    let at = bytes.windows(9).position(|window| window == b"payload-1").unwrap();
    bytes[at] ^= 1;
    fs::write(&segment, bytes).unwrap();
    let server = Server::start(&place, &[]);
    assert_eq!(server.page("/readyz").0, 200, "nobody has asked for the store yet");
    let last_error_age = || labelled(&server.page("/metrics").1, "gesta_last_error_age_seconds");
    assert_eq!(last_error_age(), None);
    let mut wire = server.connect(Plane::Append, "").unwrap();
    assert!(wire.append("1").unwrap_err().contains("damaged"));
    let (status, reasons) = server.page("/readyz");
    assert!(
        status == 503 && reasons.starts_with("store default takes no appends: durable events are damaged"),
        "{reasons}"
    );
    assert!(last_error_age().is_some(), "what is logged as an error is told as one");
    let (_, metrics) = server.page("/metrics");
    assert_eq!(labelled(&metrics, "gesta_store_failed{store=\"default\"}"), Some(1.0));
    let refused = "gesta_refusals_total{plane=\"append\",reason=\"store_failed\"}";
    assert_eq!(labelled(&metrics, refused), Some(1.0));
    assert!(server.connect(Plane::Read, "").is_ok(), "what is whole is read all the same");
    assert!(server.stop().contains("durable events are damaged"));
}

#[test]
fn whoever_guesses_tokens_is_counted_apart_once_it_is_too_often() {
    let place = Place::new();
    line_of(&place, &["token", "create", "--role", "reader", "--store", "*", "--tokens", "tokens"]);
    let server = Server::start(&place, &["--set", "access.tokens=tokens"]);
    for _ in 0..12 {
        assert!(server.connect(Plane::Read, "guessed").is_err());
    }
    let (_, metrics) = server.page("/metrics");
    let refused = |reason| labelled(&metrics, &format!("gesta_refusals_total{{plane=\"read\",reason=\"{reason}\"}}"));
    assert_eq!((refused("denied"), refused("too_many_failures")), (Some(10.0), Some(2.0)));
    server.stop();
}

#[test]
fn a_flood_of_garbage_is_told_of_in_a_line_a_second() {
    const FLOOD: u64 = 200;
    let place = Place::new();
    let server = Server::start(&place, &["--log-format", "json"]);
    let speak = |bytes: &[u8]| {
        let mut stream = TcpStream::connect(server.address("append")).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream.write_all(bytes).unwrap();
        // It is closed, without a word that it would not understand.
        let ended = stream.read_to_end(&mut Vec::new());
        assert!(ended.is_ok() || ended.is_err_and(|error| error.kind() == ErrorKind::ConnectionReset));
    };
    let tls_hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 and so on";
    let kinds = [&[0xff; 64][..], tls_hello, b"GET / HTTP/1.1\r\nhost: gesta\r\n\r\n"];
    let began = Instant::now();
    (0..FLOOD).zip(kinds.iter().cycle()).for_each(|(_, bytes)| speak(bytes));
    // Some seconds later somebody else comes: that line tells of those that had none.
    std::thread::sleep(Duration::from_millis(1500));
    speak(kinds[0]);
    let seconds = began.elapsed().as_secs();
    let log = server.stop();
    let is_it = |line: &Value| line["message"].as_str().unwrap().starts_with("connection ended");
    let lines: Vec<Value> = log.lines().map(parse).filter(is_it).collect();
    let suppressed: u64 = lines.iter().map(|line| line["suppressed"].as_u64().unwrap()).sum();
    assert!(lines.len() >= 2 && lines.len() as u64 <= seconds + 1, "{} lines in {seconds} s", lines.len());
    assert_eq!(lines.len() as u64 + suppressed, FLOOD + 1, "none is left untold: {log}");
    assert!(lines.iter().all(|line| line["reason"] == "protocol" && line["level"] == "WARN"), "{log}");
}

//! Who comes, and what must be true meanwhile.

use super::flood::{self, Flood};
use super::guest::Guest;
use crate::server::Server;
use crate::support::{Place, eventually};
use gesta_protocol::{FrameHeader, Kind, Plane};
use std::io::Write as _;
use std::net::TcpStream;
use std::time::Duration;

/// What the server may take up at most with its planes full: 3,000 connections, the buffers of all of them, and everything else.
const KIBIBYTES_MAX: u64 = 128 << 10;

fn refusals(server: &Server, plane: Plane, reason: &str) -> f64 {
    server.metric(&format!("gesta_refusals_total{{plane=\"{plane}\",reason=\"{reason}\"}}"))
}

fn open(server: &Server, plane: Plane) -> f64 {
    server.metric(&format!("gesta_connections_open{{plane=\"{plane}\"}}"))
}

/// A figure of the server's process, in KiB: what it takes up, or the most that it ever did.
fn kibibytes(server: &Server, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.ready["pid"])).unwrap();
    let figure = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap();
    figure.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn ten_thousand_connections_end_at_the_caps_and_whoever_was_inside_is_served() {
    const INSIDE: usize = 3_000;
    const OF_ADDRESS: usize = 2_000;
    const EACH: usize = 5_000;
    if flood::is_played() {
        return;
    }
    let descriptors = flood::raise_descriptors();
    if descriptors < EACH as u64 + 200 {
        return println!(
            "skipped: a process may have {descriptors} descriptors here, and {EACH} connections are to come"
        );
    }
    let test = "crowds::trials::ten_thousand_connections_end_at_the_caps_and_whoever_was_inside_is_served";
    let place = Place::new();
    let settings = [
        format!("limits.append_connections_max={INSIDE}"),
        format!("limits.connections_per_address_max={OF_ADDRESS}"),
        // The read plane leaves its descriptors to the other one; who has come in silence may stay.
        "limits.read_connections_max=64".to_owned(),
        "limits.handshake_timeout_ms=86400000".to_owned(),
    ];
    let arguments: Vec<&str> = settings.iter().flat_map(|setting| ["--set", setting]).collect();
    let server = Server::start(&place, &arguments);
    let target = server.address("append");
    let guest = Guest::arrive(target, server.address("read"));
    let alone = guest.is_served(100);
    let before = kibibytes(&server, "VmRSS");

    let one = Flood::start(test, "127.0.0.2", target, EACH);
    let of_address = || refusals(&server, Plane::Append, "too_many_from_address");
    let (turned_away, had_come) = ((EACH - OF_ADDRESS) as f64, (OF_ADDRESS + 1) as f64);
    assert!(eventually(|| of_address() == turned_away), "{} from one address were turned away", of_address());
    assert_eq!(open(&server, Plane::Append), had_come, "the guest and what one address may have");
    let other = Flood::start(test, "127.0.0.3", target, EACH);
    let of_all = || refusals(&server, Plane::Append, "too_many_connections");
    let turned_away = (EACH - (INSIDE - OF_ADDRESS - 1)) as f64;
    assert!(eventually(|| of_all() == turned_away), "{} of all were turned away", of_all());
    assert_eq!(open(&server, Plane::Append), INSIDE as f64);
    let meanwhile = guest.waits();
    let full = guest.is_served(100);
    let at_most = kibibytes(&server, "VmHWM");
    println!("alone: {alone}; while 10,000 connections came: {meanwhile}; beside those that stayed: {full}");
    println!("{before} KiB, and {at_most} KiB at most");
    assert!(at_most < KIBIBYTES_MAX, "{at_most} KiB");

    drop((one, other));
    assert!(eventually(|| open(&server, Plane::Append) == 1.0), "{} connections stay", open(&server, Plane::Append));
    guest.is_served(10);
    guest.leave();
    server.stop();
}

#[test]
fn a_thousand_that_send_byte_by_byte_are_gone_at_their_deadline_and_hold_nobody_up() {
    const EACH: usize = 500;
    flood::raise_descriptors();
    let place = Place::new();
    let server = Server::start(&place, &["--set", "limits.handshake_timeout_ms=3000"]);
    let guest = Guest::arrive(server.address("append"), server.address("read"));
    let alone = guest.is_served(100);
    let before = kibibytes(&server, "VmRSS");
    // Half of them never get to the end of their hello, the others are let in and stay in the middle of a frame.
    let mut slow = Vec::new();
    for _ in 0..EACH {
        // At once: where connecting takes long, the first ones would be gone for their silence.
        let mut stream = TcpStream::connect(server.address("append")).unwrap();
        stream.write_all(&FrameHeader { body_bytes: 4000, kind: Kind::Hello as u8, id: 0 }.encode()).unwrap();
        slow.push(stream);
    }
    for _ in 0..EACH {
        let mut stream = server.connect(Plane::Read, "").unwrap().into_stream();
        stream.write_all(&FrameHeader { body_bytes: 30 << 20, kind: Kind::Read as u8, id: 1 }.encode()).unwrap();
        slow.push(stream);
    }
    guest.waits();
    let planes = [Plane::Append, Plane::Read];
    let all_gone = || {
        for stream in &mut slow {
            // It may be closed already.
            let _ = stream.write_all(&[0]);
        }
        std::thread::sleep(Duration::from_millis(200));
        planes.iter().all(|plane| open(&server, *plane) == 1.0)
    };
    assert!(
        eventually(all_gone),
        "a byte now and then holds a connection open: {:?}",
        planes.map(|plane| open(&server, plane))
    );
    let meanwhile = guest.waits();
    println!("alone: {alone}; beside 1,000 slow ones: {meanwhile}");
    assert!(meanwhile.are_like(&alone), "a guest was held up");
    println!("{before} KiB, and {} KiB at most", kibibytes(&server, "VmHWM"));
    for plane in planes {
        assert_eq!(refusals(&server, plane, "handshake_timeout"), EACH as f64, "{plane}");
    }
    assert!(kibibytes(&server, "VmHWM") < KIBIBYTES_MAX);
    guest.is_served(10);
    guest.leave();
    server.stop();
}

//! Under the real server: a disk that is slow or hangs, a writer that panics, a file system that is not a disk.

use crate::mounted::{Mounted, skip};
use crate::server::{PORTS, Server, Wire};
use crate::support::{Place, eventually, wait};
use crate::tampering::{Tampering, is_possible, strace};
use gesta::{EventCursor as _, EventReader as _, Read};
use gesta_client::{Address, BlockingClient, ClientOptions};
use gesta_protocol::{Code, Plane};
use rustix::process::Signal;
use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const DEFAULT_STORE: &str = "{store=\"default\"}";

fn metric(server: &Server, name: &str) -> f64 {
    server.metric(&format!("{name}{DEFAULT_STORE}"))
}

fn client(server: &Server) -> BlockingClient {
    let [append, read] = ["append", "read"].map(|plane| server.address(plane));
    let address = Address::new(append.ip().to_string()).with_ports(append.port(), read.port());
    BlockingClient::connect(address, ClientOptions::default()).unwrap()
}

/// How many events are read from the first to the last.
fn event_count(client: &BlockingClient) -> u64 {
    let mut cursor = client.read(Read::all()).unwrap();
    let mut count = 0;
    while let Some(record) = cursor.next_record() {
        assert_eq!(record.unwrap().position().0, count);
        count += 1;
    }
    count
}

/// The most memory that the server has taken up so far, in KiB.
fn kibibytes_at_most(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.ready["pid"])).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn a_disk_that_takes_seconds_for_each_sync_costs_time_and_no_more_memory_than_is_allowed() {
    const CLIENTS: usize = 8;
    const APPENDS: usize = 40;
    const EVENT_BYTES: usize = 200_000;
    if !is_possible() {
        return;
    }
    let place = Place::new();
    let settings = [
        "limits.request_bytes_max=1048576",
        "limits.frame_bytes_max=2097152",
        "limits.append_bytes_in_flight_max=8388608",
    ];
    let settings: Vec<&str> = settings.iter().flat_map(|setting| ["--set", setting]).collect();
    let server = Server::start(&place, &settings);
    server.connect(Plane::Append, "").unwrap().append("0").unwrap();
    let (syncs, before) = (metric(&server, "gesta_commit_sync_seconds_count"), kibibytes_at_most(&server));
    let slow = Tampering::with(&server.ready["pid"], "fdatasync,fsync", "delay_exit=2000000");
    let data = format!("\"{}\"", "x".repeat(EVENT_BYTES));
    std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                let mut wire = server.connect(Plane::Append, "").unwrap();
                // All of them at once: what the server cannot take yet waits with the client.
                let mut asked: BTreeSet<u64> = (0..APPENDS).map(|_| wire.submit(&data).unwrap()).collect();
                while !asked.is_empty() {
                    assert!(asked.remove(&wire.receipt().unwrap().0));
                }
            });
        }
        let under_way = || metric(&server, "gesta_commit_under_way_seconds");
        assert!(eventually(|| under_way() > 1.0), "a sync that takes long is told of while it does");
    });
    drop(slow);
    let (syncs, after) = (metric(&server, "gesta_commit_sync_seconds_count") - syncs, kibibytes_at_most(&server));
    let seconds = metric(&server, "gesta_commit_sync_seconds_sum");
    println!("{syncs} syncs took {seconds:.1} s; {before} KiB before, {after} KiB at most");
    assert!(seconds > 2.0 * (syncs - 1.0), "they are in the histogram with the time that they took");
    // Eight times sixty-four megabytes would be there if everything were taken at once.
    let submitted = (CLIENTS * APPENDS * EVENT_BYTES / 1024) as u64;
    assert!(after - before < submitted / 2, "{} KiB for {submitted} KiB", after - before);
    assert_eq!(event_count(&client(&server)), 1 + (CLIENTS * APPENDS) as u64);
    server.stop();
}

#[test]
fn while_the_disk_hangs_nothing_is_acknowledged_reads_go_on_and_the_server_says_that_it_is_not_ready() {
    if !is_possible() {
        return;
    }
    let hang_ms: u64 = std::env::var("GESTA_HANG_MS").map_or(0, |hang| hang.parse().unwrap());
    let place = Place::new();
    let server = Server::start(&place, &[]);
    let reader = client(&server);
    let mut wire = server.connect(Plane::Append, "").unwrap();
    (0..3).for_each(|number| assert_eq!(wire.append(&number.to_string()), Ok(number)));
    assert_eq!(server.page("/readyz"), (200, "ready\n".to_owned()));
    let hanging = Tampering::with(&server.ready["pid"], "fdatasync,fsync", "delay_enter=3600000000");
    let id = wire.submit("3").unwrap();
    assert!(eventually(|| server.page("/readyz").0 == 503), "it says that it is ready");
    let (_, reasons) = server.page("/readyz");
    assert!(reasons.contains("store default"), "{reasons}");
    assert_eq!(server.page("/livez").0, 200, "to start it again would mend nothing");
    assert!(metric(&server, "gesta_commit_under_way_seconds") > 10.0);
    let hangs_since = Instant::now();
    while hangs_since.elapsed() < Duration::from_millis(hang_ms) {
        assert!(!wire.has_answer(), "nothing is acknowledged that is not durable");
        assert_eq!(event_count(&reader), 3, "what is durable is read, and nothing else");
        std::thread::sleep(Duration::from_secs(1));
    }
    assert_eq!(event_count(&reader), 3, "what is durable is read, and nothing else");
    assert_eq!(event_count(&client(&server)), 3, "by those who come now as well");
    assert!(!wire.has_answer(), "nothing is acknowledged that is not durable");
    assert_eq!(server.page("/readyz").0, 503);
    drop(hanging);
    // The sync that ended late is a good one.
    assert_eq!(wire.receipt(), Ok((id, 3)));
    assert!(eventually(|| server.page("/readyz").0 == 200));
    assert_eq!(event_count(&reader), 4);
    server.stop();
}

#[test]
fn when_the_writer_panics_the_server_refuses_appends_until_it_is_started_again() {
    if !is_possible() {
        return;
    }
    let place = Place::new();
    let server = Server::start(&place, &[]);
    let mut wire = server.connect(Plane::Append, "").unwrap();
    (0..3).for_each(|number| assert_eq!(wire.append(&number.to_string()), Ok(number)));
    // More was written than was to be: the thread that writes does not believe it.
    let mad = Tampering::with(&server.ready["pid"], "pwrite64", "retval=1000000000");
    let is_refused = |wire: &mut Wire| {
        let refused = wire.append("3").unwrap_err();
        assert!(refused.contains(&format!("code: {}", Code::Poisoned as u16)), "{refused}");
    };
    is_refused(&mut wire);
    drop(mad);
    server.wait_for_log("a panic interrupted a commit");
    is_refused(&mut wire);
    is_refused(&mut server.connect(Plane::Append, "").unwrap());
    let (status, reasons) = server.page("/readyz");
    assert!(status == 503 && reasons.contains("store default takes no appends"), "{reasons}");
    assert_eq!((server.page("/livez").0, metric(&server, "gesta_store_failed")), (200, 1.0));
    assert_eq!(event_count(&client(&server)), 3);
    // Whoever supervises it starts it again.
    server.signal(Signal::TERM);
    let run = server.end();
    assert_eq!(run.status, 5, "{run:?}");
    let server = Server::start(&place, &[]);
    assert_eq!(server.page("/readyz").0, 200);
    assert_eq!(event_count(&client(&server)), 3, "there is no half of what was under way");
    assert_eq!(server.connect(Plane::Append, "").unwrap().append("3"), Ok(3));
    server.stop();
    let store = place.store().join("default");
    place.run(&["verify", "--deep", "--json", "--store", store.to_str().unwrap()]).json();
}

#[test]
fn a_directory_in_memory_is_warned_of_once_and_one_on_a_disk_is_not() {
    let Some(mounted) = Mounted::in_memory("64m") else { return };
    let directory = mounted.path().join("stores");
    let place = Place::new();
    let on = |directory: &std::path::Path| {
        let server = Server::start(&place, &["--dir", directory.to_str().unwrap()]);
        assert_eq!(server.connect(Plane::Append, "").unwrap().append("0"), Ok(0));
        server.stop()
    };
    let log = on(&directory);
    assert_eq!(log.matches("the directory lies on tmpfs, which may not outlive this machine").count(), 1, "{log}");
    let image = place.file("image", []);
    std::fs::File::options().write(true).open(&image).unwrap().set_len(64 << 20).unwrap();
    let made = Command::new("mkfs.ext4").args(["-q", "-F", &image]).output();
    if !made.is_ok_and(|made| made.status.success()) {
        return skip("there is no mkfs.ext4 here");
    }
    let Some(disk) = Mounted::image(image.as_ref()) else { return };
    let log = on(&disk.path().join("stores"));
    assert!(!log.contains("the directory lies on"), "{log}");
}

#[test]
fn a_directory_on_another_machine_is_refused_unless_the_settings_allow_it() {
    if !is_possible() {
        return;
    }
    let place = Place::new();
    let serve = |settings: &[&str]| {
        // The kernel says that it is NFS, as it would of a directory there.
        let mut command = strace("statfs", "poke_exit=@arg2=6969000000000000");
        let server = place.command(&[&["serve"], &PORTS[..], settings].concat());
        // What is started is the server, and strace is a child of its own that ends with it.
        command.arg("-D").arg(server.get_program()).args(server.get_args()).current_dir(place.path(""));
        crate::support::hide_settings(&mut command);
        command.env("GESTA_DIR", place.store());
        command
    };
    let refused = wait(serve(&[]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
    assert_eq!((refused.status, refused.stdout.as_str()), (4, ""), "{refused:?}");
    assert!(refused.stderr.contains("lies on nfs, on another machine"), "{refused:?}");
    assert!(refused.stderr.contains("set allow_network_dir = true"), "{refused:?}");
    assert!(!place.store().exists(), "nothing was made there");
    let server = Server::start_as(serve(&["--set", "allow_network_dir=true"]));
    server.wait_for_log("the directory lies on nfs, on another machine: that machine decides");
    assert_eq!(server.connect(Plane::Append, "").unwrap().append("0"), Ok(0));
    server.stop();
}

//! Stopping: what was acknowledged is there afterwards, everybody is told, and nobody can hold it up.

use crate::abuse::subscription;
use crate::conversation::{append, event, read_all, read_request};
use crate::support::{Host, Wire, eventually, start};
use gesta::{AppendRequest, Limits, Position, Read, Uuid};
use gesta_protocol::{Answer, Append, Code, FrameHeader, Hello, Kind, Plane, Request};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Appends until the connection ends, some at a time; tells the places of what was acknowledged, by number.
fn append_until_stopped(
    mut wire: Wire,
    numbers: std::ops::RangeFrom<u64>,
    acknowledged: &AtomicU64,
) -> BTreeMap<u64, u64> {
    const AT_A_TIME: u64 = 20;
    let (mut places, mut was_told) = (BTreeMap::new(), false);
    let mut waiting = 0;
    for number in numbers {
        let encoded = AppendRequest::new().event(event(number));
        let encoded = encoded.encode(&Limits::default(), || Uuid::from_u128(u128::from(number) | 1 << 99)).unwrap();
        let mut frame = Vec::new();
        Request::Append(Append::Encoded(&encoded)).encode(number, &mut frame);
        wire.send_bytes(&frame);
        waiting += 1;
        while waiting >= AT_A_TIME {
            let goes_on = wire.receive(|id, answer| match answer {
                Answer::Receipt(receipt) => {
                    places.insert(id, receipt.positions.start.0);
                    acknowledged.fetch_add(1, Ordering::SeqCst);
                    waiting -= 1;
                }
                Answer::Closing => was_told = true,
                Answer::Refused(refusal) => {
                    assert!(refusal.may_retry, "{refusal:?}");
                    assert_eq!(refusal.code, Code::Stopping as u16);
                    was_told = true;
                }
                other => panic!("unexpected {other:?}"),
            });
            if goes_on.is_none() {
                assert!(was_told, "a connection ends without a word");
                return places;
            }
        }
    }
    unreachable!("the numbers do not end")
}

#[test]
fn what_was_acknowledged_before_a_stop_under_load_is_there_after_it() {
    let mut host = Host::new();
    let acknowledged = Arc::new(AtomicU64::new(0));
    let clients: Vec<_> = (1..=6_u64)
        .map(|client| {
            let (wire, acknowledged) = (host.connect(Plane::Append), Arc::clone(&acknowledged));
            std::thread::spawn(move || append_until_stopped(wire, client << 32.., &acknowledged))
        })
        .collect();
    let mut reader = host.connect(Plane::Read);
    reader.send(1, &subscription(0, u32::MAX));
    let reading = std::thread::spawn(move || {
        let mut last = None;
        while let Some(answer) = reader.receive(|_, answer| format!("{answer:?}")) {
            last = Some(answer);
        }
        last.unwrap()
    });
    assert!(eventually(|| acknowledged.load(Ordering::SeqCst) > 500));
    host.restart(&[]);
    let last = reading.join().unwrap();
    assert!(last.contains("the server is stopping"), "{last}");
    let all: BTreeMap<u64, String> =
        read_all(&mut host.connect(Plane::Read), 1, read_request(Read::all())).0.into_iter().collect();
    let mut count = 0;
    for client in clients {
        for (number, position) in client.join().unwrap() {
            assert_eq!(all.get(&position), Some(&format!("{{\"n\":{number}}}")));
            count += 1;
        }
    }
    assert!(count > 500 && all.len() >= count, "{count} of {}", all.len());
    // Nothing is there twice, whether it was acknowledged or not.
    assert_eq!(all.values().collect::<std::collections::BTreeSet<_>>().len(), all.len());
}

#[test]
fn nobody_holds_up_a_stop() {
    let forever = "86400000";
    let mut host = Host::with(&[
        ("limits.stop_timeout_ms", "1000"),
        ("limits.slow_reader_timeout_ms", forever),
        ("limits.handshake_timeout_ms", forever),
        ("limits.idle_timeout_ms", forever),
    ]);
    crate::abuse::fill(&host, 60, 1 << 20);
    let mut deaf = host.connect(Plane::Read);
    deaf.send(1, &Request::Read(Box::new(read_request(Read::all()))));
    let mut without_credit = host.connect(Plane::Read);
    without_credit.send(1, &subscription(0, 1));
    let (silent, mut halfway) = (Wire::open(host.address(Plane::Append)), host.connect(Plane::Append));
    halfway.send_bytes(&FrameHeader { body_bytes: 1000, kind: Kind::Append as u8, id: 1 }.encode());
    // More than any socket holds is on its way to the one that takes nothing.
    let mut figures = host.figures();
    let (mut sent, mut still_count) = (0, 0);
    let is_stuck = || {
        std::thread::sleep(Duration::from_millis(10));
        let before = std::mem::replace(&mut sent, figures.at("/server/planes/read/sent_events"));
        still_count = if sent > 0 && sent == before { still_count + 1 } else { 0 };
        still_count == 30
    };
    assert!(eventually(is_stuck));
    let server = host.server.take().unwrap();
    let stopping = std::thread::spawn(move || server.stop());
    assert!(eventually(|| stopping.is_finished()), "the stop waits for a client");
    let report = stopping.join().unwrap();
    assert!(report.has_cut_off, "the one that takes nothing is cut off");
    assert!(report.failed.is_empty(), "{report:?}");
    drop((silent, deaf, without_credit, halfway));
    host.server = Some(start(host.directory.path(), &[]).unwrap());
    assert_eq!(read_all(&mut host.connect(Plane::Read), 1, read_request(Read::all().limit(100))).0.len(), 60);
}

#[test]
fn whoever_listens_is_told_of_the_stop_and_not_cut_off() {
    let mut host = Host::with(&[("limits.stop_timeout_ms", "60000")]);
    let mut wires = [host.connect(Plane::Append), host.connect(Plane::Read)];
    let mut unknown = Wire::open(host.address(Plane::Append));
    let mut figures = host.figures();
    figures.wait_for("/server/planes/append/connections_open", 2);
    drop(figures);
    let server = host.server.take().unwrap();
    let stopping = std::thread::spawn(move || server.stop());
    for wire in &mut wires {
        let mut heard = Vec::new();
        while let Some(answer) = wire.receive(|_, answer| format!("{answer:?}")) {
            heard.push(answer);
        }
        assert_eq!((heard.len(), heard[0].as_str()), (2, "Closing"), "{heard:?}");
        assert!(heard[1].contains("the server is stopping"), "{heard:?}");
        wire.finish();
    }
    assert_eq!(unknown.refusal(), Code::Stopping as u16);
    drop((wires, unknown));
    assert!(!stopping.join().unwrap().has_cut_off);
}

#[test]
fn a_directory_has_one_server_at_a_time() {
    let mut host = Host::new();
    append(&mut host.connect(Plane::Append), 1, AppendRequest::new().event(event(1)));
    for _ in 0..3 {
        let second = start(host.directory.path(), &[]).map(|_| ()).unwrap_err().to_string();
        assert!(second.contains("another server runs on this directory"), "{second}");
    }
    // The first one did not notice, and the directory is free after it.
    append(&mut host.connect(Plane::Append), 2, AppendRequest::new().event(event(2)));
    host.restart(&[]);
    assert_eq!(read_all(&mut host.connect(Plane::Read), 1, read_request(Read::all())).0.len(), 2);
}

#[test]
fn a_stop_while_stores_are_being_opened_leaves_all_of_them_whole() {
    let names: Vec<String> = (0..8).map(|number| format!("store-{number}")).collect();
    let patient = [("limits.stop_timeout_ms", "60000")];
    let mut host = Host::with(&patient);
    let mut operator = host.connect(Plane::Append);
    for name in &names {
        operator.send(1, &Request::CreateStore(name));
        operator.receive(|_, answer| assert!(matches!(answer, Answer::Done), "{answer:?}")).unwrap();
        let mut wire = Wire::open(host.address(Plane::Append));
        wire.hello(Plane::Append, name, "");
        append(&mut wire, 1, AppendRequest::new().event(event(7)));
    }
    for round in 0..5 {
        host.restart(&patient);
        let addresses = [Plane::Append, Plane::Read].map(|plane| (plane, host.address(plane)));
        let clients: Vec<_> = names
            .iter()
            .flat_map(|name| addresses.map(|(plane, address)| (name.clone(), plane, address)))
            .map(|(name, plane, address)| {
                let mut wire = Wire::open(address);
                std::thread::spawn(move || {
                    let mut hello = Vec::new();
                    Request::Hello(Hello::new(plane, &name, "", "test")).encode(0, &mut hello);
                    wire.send_bytes(&hello);
                    // The end of the connection is no news here.
                    wire.receive(|_, answer| match answer {
                        Answer::Welcome(_) => {}
                        Answer::Refused(refusal) => assert_eq!(refusal.code, Code::Stopping as u16, "{refusal:?}"),
                        other => panic!("unexpected {other:?}"),
                    });
                })
            })
            .collect();
        // Before, while and after they are opened.
        std::thread::sleep(Duration::from_millis(4 * round));
        let report = host.server.take().unwrap().stop();
        assert!(report.failed.is_empty() && report.unfinished.is_empty(), "{report:?}");
        clients.into_iter().for_each(|client| client.join().unwrap());
        host.server = Some(start(host.directory.path(), &patient).unwrap());
    }
    for name in &names {
        let mut wire = Wire::open(host.address(Plane::Read));
        wire.hello(Plane::Read, name, "");
        assert_eq!(read_all(&mut wire, 1, read_request(Read::all())).0, [(0, "{\"n\":7}".to_owned())]);
    }
}

#[test]
fn a_subscription_that_a_stop_ends_is_told_and_goes_on_without_a_gap() {
    const EVENTS: u64 = 5_000;
    let mut host = Host::new();
    let mut commands = host.connect(Plane::Append);
    for id in 1..=EVENTS / 100 {
        let events = (100 * (id - 1)..100 * id).map(event);
        append(&mut commands, id, AppendRequest::new().events(events));
    }
    let mut next = 0;
    let mut stops = 0;
    while next < EVENTS {
        let mut wire = host.connect(Plane::Read);
        wire.send(1, &subscription(next, 100_000));
        let stopping = std::thread::spawn({
            let server = host.server.take().unwrap();
            move || server.stop()
        });
        let mut heard = Vec::new();
        while let Some(last) = wire.receive(|_, answer| match answer {
            Answer::Events(events) => {
                for event in events {
                    assert_eq!(event.unwrap().record.position().0, next, "nothing is left out and nothing comes twice");
                    next += 1;
                }
                None
            }
            Answer::Begun(_) | Answer::CaughtUp(_) => None,
            other => Some((other.kind(), format!("{other:?}"))),
        }) {
            heard.extend(last);
        }
        assert_eq!(heard.iter().map(|(kind, _)| *kind).collect::<Vec<_>>(), [Kind::Closing, Kind::Refused]);
        assert!(heard[1].1.contains("the server is stopping"), "{heard:?}");
        drop(wire);
        assert!(!stopping.join().unwrap().has_cut_off);
        host.server = Some(start(host.directory.path(), &[]).unwrap());
        stops += 1;
        if stops % 2 == 0 {
            // A server that stops at once may send nothing: now and then it is given the time.
            let rest = Read::all().from(Position(next)).limit(1_500);
            next += read_all(&mut host.connect(Plane::Read), 1, read_request(rest)).0.len() as u64;
        }
    }
    assert!(stops > 1);
}

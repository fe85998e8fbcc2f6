//! What is not the protocol, or not now: a typed refusal, or a plain close where none would be understood; and everybody
//! else is served all the while.

use crate::conversation::event;
use crate::support::{Host, Wire};
use crate::tls::{Files, ca, client};
use crate::witness::{Numbers, Witness};
use gesta::{AppendRequest, Event, EventType, Limits, NameKind, Read, StreamName, Uuid};
use gesta_protocol::{Answer, Append, Code, Frame, FrameHeader, Hello, Kind, Plane, Request};
use rustls_pki_types::ServerName;
use std::io::Read as _;
use std::sync::Arc;

const PLANES: [Plane; 2] = [Plane::Append, Plane::Read];
const REQUEST: u16 = Code::Request as u16;
const PROTOCOL: u16 = Code::Protocol as u16;
const TOO_LARGE: u16 = Code::FrameTooLarge as u16;
const WRONG_PLANE: u16 = Code::WrongPlane as u16;
/// No refusal: the connection is closed.
const CLOSED: u16 = 0;

fn frame(kind: u8, body: &[u8]) -> Vec<u8> {
    let header = FrameHeader { body_bytes: u32::try_from(body.len()).unwrap(), kind, id: 7 };
    [&header.encode(), body].concat()
}

/// A header with nothing behind it.
fn header(kind: Kind, body_bytes: u32) -> Vec<u8> {
    FrameHeader { body_bytes, kind: kind as u8, id: 7 }.encode().to_vec()
}

fn encoded(request: &Request<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    request.encode(7, &mut out);
    out
}

fn hello(plane: Plane, change: impl FnOnce(&mut Hello<'static>)) -> Vec<u8> {
    let mut hello = Hello::new(plane, "default", "", "test");
    change(&mut hello);
    encoded(&Request::Hello(hello))
}

/// A good hello with one byte of its body changed.
fn hello_with(plane: Plane, offset: usize, byte: u8) -> Vec<u8> {
    let mut hello = hello(plane, |_| {});
    hello[16 + offset] = byte;
    hello
}

/// A request to append events of these records, as an encoder without limits makes it.
fn append_of(events: Vec<Event>) -> Vec<u8> {
    let unlimited = Limits {
        data_bytes_max: 1 << 30,
        metadata_bytes_max: 1 << 30,
        request_events_max: 1 << 30,
        ..Limits::default()
    };
    let request = AppendRequest::new().events(events).encode(&unlimited, || Uuid::from_u128(1)).unwrap();
    encoded(&Request::Append(Append::Encoded(&request)))
}

/// Sends bytes, then nothing more, and demands this refusal and the end of the connection.
#[track_caller]
fn demand(wire: &mut Wire, name: &str, bytes: &[u8], code: u16) {
    wire.send_bytes(bytes);
    let refused = wire.receive(|_, answer| match answer {
        Answer::Refused(refusal) => {
            assert!(refusal.is_fatal, "{name}: {refusal:?}");
            refusal.code
        }
        other => panic!("{name}: no refusal but {other:?}"),
    });
    assert_eq!(refused.unwrap_or(CLOSED), code, "{name}");
    wire.finish();
    assert!(wire.is_closed(), "{name}: the connection goes on");
}

#[test]
fn whoever_does_not_begin_with_a_good_hello_is_told_why_and_closed() {
    let host = Host::new();
    let mut witness = Witness::new(&host);
    for plane in PLANES {
        let other = if plane == Plane::Append { Plane::Read } else { Plane::Append };
        let name = |store| hello(plane, |hello: &mut Hello<'static>| hello.store = store);
        let versions =
            |min, max| hello(plane, |hello: &mut Hello<'static>| (hello.version_min, hello.version_max) = (min, max));
        let good = hello(plane, |_| {});
        let cases: [(&str, Vec<u8>, u16); 24] = [
            ("a frame of 4 GiB", header(Kind::Hello, u32::MAX), TOO_LARGE),
            ("an append of 34 MiB", header(Kind::Append, 34 << 20), TOO_LARGE),
            ("a hello beyond its limit", header(Kind::Hello, 4097), TOO_LARGE),
            ("an empty hello", frame(Kind::Hello as u8, b""), PROTOCOL),
            ("the kind 0", frame(0, b""), PROTOCOL),
            ("an unknown kind", frame(0x55, b"what"), PROTOCOL),
            ("an answer", frame(Kind::Receipt as u8, &[0; 64]), PROTOCOL),
            ("a ping", encoded(&Request::Ping), PROTOCOL),
            ("a request before the hello", encoded(&Request::Statistics), PROTOCOL),
            ("an append before the hello", append_of(vec![event(1)]), PROTOCOL),
            ("another magic", hello_with(plane, 0, b'G'), PROTOCOL),
            ("an unknown plane", hello_with(plane, 5, 9), PROTOCOL),
            ("a name that is not UTF-8", hello_with(plane, 20, 0xff), PROTOCOL),
            ("a text beyond its frame", hello_with(plane, 19, 0xff), PROTOCOL),
            ("a byte too many", frame(Kind::Hello as u8, &[&good[16..], b"!"].concat()), PROTOCOL),
            ("a later version", versions(2, 9), Code::Version as u16),
            ("an earlier version", versions(0, 0), Code::Version as u16),
            ("versions the wrong way round", versions(9, 0), Code::Version as u16),
            ("the other plane", hello(other, |_| {}), WRONG_PLANE),
            ("an unknown store", name("nowhere"), Code::UnknownStore as u16),
            ("a path for a store", name("../../etc/passwd"), Code::StoreName as u16),
            ("no store", name(""), Code::StoreName as u16),
            ("HTTP", b"GET / HTTP/1.1\r\nhost: here\r\n\r\n".to_vec(), CLOSED),
            ("TLS", vec![0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3, 1, 2, 3, 4, 5, 6], CLOSED),
        ];
        for (name, bytes, code) in cases {
            demand(&mut Wire::open(host.address(plane)), name, &bytes, code);
        }
        for length in 0..good.len() {
            let mut wire = Wire::open(host.address(plane));
            wire.send_bytes(&good[..length]);
            wire.finish();
            assert!(wire.is_closed(), "a hello that ends after {length} bytes");
        }
        witness.is_served();
    }
}

#[test]
fn a_frame_that_is_none_ends_a_connection_after_its_hello() {
    let host = Host::new();
    let mut witness = Witness::new(&host);
    for plane in PLANES {
        let read = |flags: u8| {
            let mut read = encoded(&Request::Read(Box::new(crate::conversation::read_request(Read::all()))));
            read[16 + 2] = flags;
            read
        };
        let cases: [(&str, Vec<u8>, u16); 9] = [
            ("a frame of 4 GiB", header(Kind::Append, u32::MAX), TOO_LARGE),
            ("a byte more than is taken", header(Kind::Append, (34 << 20) + 1), TOO_LARGE),
            ("an unknown kind", frame(0x55, b"what"), PROTOCOL),
            ("an answer", frame(Kind::Welcome as u8, &[0; 64]), PROTOCOL),
            ("a second hello", hello(plane, |_| {}), PROTOCOL),
            ("an empty append", frame(Kind::Append as u8, b""), PROTOCOL),
            ("unknown flags of a read", read(0xff), PROTOCOL),
            ("credit that is cut off", frame(Kind::Credit as u8, &[1, 2]), PROTOCOL),
            ("no frame", vec![0x5a; 64], CLOSED),
        ];
        for (name, bytes, code) in cases {
            demand(&mut host.connect(plane), name, &bytes, code);
        }
        let mut cut_off = host.connect(plane);
        cut_off.send_bytes(&append_of(vec![event(1)])[..60]);
        cut_off.finish();
        assert!(cut_off.is_closed());
        witness.is_served();
    }
}

#[test]
fn what_no_store_takes_ends_its_request_and_not_the_connection() {
    let host = Host::with(&[("limits.data_bytes_max", "1000"), ("limits.request_events_max", "10")]);
    let placed = || Event::new(EventType::new("Placed").unwrap());
    let mut bad_checksum = append_of(vec![placed().data(vec![1; 100])]);
    let last = bad_checksum.len() - 8;
    bad_checksum[last] ^= 1;
    let good = append_of(vec![placed()]);
    let trailing = frame(Kind::Append as u8, &[&good[16..], &[0; 8]].concat());
    let mut more_than_there_are = good.clone();
    more_than_there_are[16 + 31] = 2;
    let appends = [
        ("more events than are taken", append_of(vec![placed(); 11])),
        ("an event larger than is taken", append_of(vec![placed().data(vec![1; 1001])])),
        ("a record whose checksum is wrong", bad_checksum),
        ("bytes after the last record", trailing),
        ("more events than there are", more_than_there_are),
    ];
    let mut commands = host.connect(Plane::Append);
    for (name, bytes) in appends {
        commands.send_bytes(&bytes);
        assert_eq!(commands.refusal(), REQUEST, "{name}");
    }
    let mut read = encoded(&Request::Read(Box::new(crate::conversation::read_request(Read::all()))));
    read[16] = 2;
    let query_of = |text: &str| {
        let mut body = read[16..read.len() - 4].to_vec();
        body.extend_from_slice(&u32::try_from(text.len()).unwrap().to_le_bytes());
        body.extend_from_slice(text.as_bytes());
        frame(Kind::Read as u8, &body)
    };
    let mut queries = host.connect(Plane::Read);
    for text in ["", "type=", "no query at all", "type=a type=b", &"*|".repeat(1000), &"x".repeat(1 << 20)] {
        queries.send_bytes(&query_of(text));
        assert_eq!(queries.refusal(), REQUEST, "{text:.20}");
    }
    // Both connections go on, and nothing of it is in the log.
    let receipt = crate::conversation::append(&mut commands, 8, AppendRequest::new().event(event(5)));
    assert_eq!(receipt.positions.start.0, 0);
    let all = crate::conversation::read_all(&mut queries, 9, crate::conversation::read_request(Read::all()));
    assert_eq!(all.0, [(0, "{\"n\":5}".to_owned())]);
}

/// A request to append one event whose record is changed, under a checksum that is right.
fn append_changed(event: Event, change: impl FnOnce(&mut [u8])) -> Vec<u8> {
    const RECORD: usize = 16 + 35;
    const COVERED: usize = 16;
    let mut bytes = append_of(vec![event]);
    let record = &mut bytes[RECORD..];
    change(record);
    let length = u32::from_le_bytes(record[COVERED..COVERED + 4].try_into().unwrap()) as usize;
    let crc = crc32fast::hash(&record[COVERED..length]);
    record[..4].copy_from_slice(&crc.to_le_bytes());
    bytes
}

#[test]
fn no_stream_name_that_is_none_comes_in_under_a_right_checksum() {
    const STREAM_LEN: usize = 48;
    const TYPE_LEN: usize = 50;
    const NAMES: usize = 56;
    let host = Host::new();
    let mut commands = host.connect(Plane::Append);
    let named = |name: &str| {
        let event = Event::new(EventType::new("Placed").unwrap()).data(vec![b'a'; 70_000]);
        event.stream(StreamName::new(name).unwrap())
    };
    // The helper alone changes nothing that matters.
    commands.send_bytes(&append_changed(named("ordinary"), |_| {}));
    let taken = commands.receive(|_, answer| matches!(answer, Answer::Receipt(_)));
    assert_eq!(taken, Some(true));
    let lengths = |record: &mut [u8], stream: u16, event_type: u16| {
        record[STREAM_LEN..TYPE_LEN].copy_from_slice(&stream.to_le_bytes());
        record[TYPE_LEN..TYPE_LEN + 2].copy_from_slice(&event_type.to_le_bytes());
    };
    let appends = [
        ("a byte that UTF-8 never has", append_changed(named("order"), |record| record[NAMES + 2] = 0xff)),
        ("a surrogate", append_changed(named("order"), |record| record[NAMES..][..3].copy_from_slice(b"\xed\xa0\x80"))),
        (
            "a slash in two bytes",
            append_changed(named("order"), |record| record[NAMES..][..2].copy_from_slice(b"\xc0\xaf")),
        ),
        ("half a character", append_changed(named("orderé"), |record| lengths(record, 6, 7))),
        ("a byte more than a name has", append_changed(named("order"), |record| lengths(record, 1025, 6))),
        ("64 KiB", append_changed(named("order"), |record| lengths(record, u16::MAX, 6))),
        ("64 KiB that are not there", append_changed(event(1), |record| lengths(record, u16::MAX, 6))),
    ];
    for (name, bytes) in appends {
        commands.send_bytes(&bytes);
        assert_eq!(commands.refusal(), REQUEST, "{name}");
    }
    let receipt = crate::conversation::append(&mut commands, 8, AppendRequest::new().event(event(5)));
    assert_eq!(receipt.positions.start.0, 1, "nothing of it is in the log");
}

#[test]
fn what_is_for_the_other_plane_is_refused_and_the_connection_goes_on() {
    let host = Host::new();
    let mut commands = host.connect(Plane::Append);
    let read = Request::Read(Box::new(crate::conversation::read_request(Read::all())));
    let names = Request::Names(NameKind::Type, "");
    let id = Request::FindEvent(Uuid::from_u128(1));
    let standing = Request::Standing(gesta_protocol::StandingRequest::default());
    for request in [
        read,
        names,
        id,
        standing,
        Request::Statistics,
        Request::Verify { is_deep: true },
        Request::VerifyIndex,
        Request::ListStores,
        Request::Credit(5),
        Request::Cancel,
    ] {
        commands.send(3, &request);
        assert_eq!(commands.refusal(), WRONG_PLANE, "{request:?}");
    }
    let mut queries = host.connect(Plane::Read);
    for bytes in [append_of(vec![event(1)]), encoded(&Request::CreateStore("a")), encoded(&Request::RebuildIndex)] {
        queries.send_bytes(&bytes);
        assert_eq!(queries.refusal(), WRONG_PLANE);
    }
    for mut wire in [commands, queries] {
        wire.send(4, &Request::Ping);
        assert_eq!(wire.receive(|id, answer| (id, matches!(answer, Answer::Pong))), Some((4, true)));
    }
}

#[test]
fn plain_bytes_on_an_encrypted_port_and_encrypted_ones_on_a_plain_port_are_closed() {
    let ca = ca();
    let files = Files::new(&ca, None);
    let path = |name| files.path(name).to_str().unwrap().to_owned();
    let (certificate, key) = (path("certificate"), path("key"));
    let encrypted =
        Host::with(&[("tls.certificate", &certificate), ("tls.key", &key), ("limits.handshake_timeout_ms", "500")]);
    let plain = Host::new();
    let mut witness = Witness::new(&plain);
    for plane in PLANES {
        for bytes in
            [hello(plane, |_| {}), b"GET / HTTP/1.1\r\n\r\n".to_vec(), vec![0; 4096], vec![0x16, 3, 1, 0xff, 0xff]]
        {
            let mut wire = Wire::open(encrypted.address(plane));
            wire.send_bytes(&bytes);
            // An alert of TLS may come, and nothing after it: whoever sent half a record is waited for to its deadline.
            let mut said = Vec::new();
            let _ = wire.stream.read_to_end(&mut said);
            assert!(said.is_empty() || said[0] == 21, "{said:?}");
        }
        let name = ServerName::try_from("localhost").unwrap();
        let mut tls = rustls::ClientConnection::new(Arc::new(client(&ca, None)), name).unwrap();
        let mut wire = Wire::open(plain.address(plane));
        tls.write_tls(&mut wire.stream).unwrap();
        let mut said = Vec::new();
        let _ = wire.stream.read_to_end(&mut said);
        assert!(said.is_empty(), "no answer, which TLS would not understand: {said:?}");
    }
    witness.is_served();
}

/// One way to be wrong, chosen by the numbers.
fn nonsense(numbers: &mut Numbers, plane: Plane) -> Vec<u8> {
    let good = [hello(plane, |_| {}), append_of(vec![event(1), event(2)]), encoded(&Request::Statistics)].concat();
    let mut bytes = match numbers.below(5) {
        0 => {
            return {
                let count = numbers.below(200);
                numbers.bytes(count)
            };
        }
        1 => {
            let kind = u8::try_from(numbers.below(256)).unwrap();
            let count = numbers.below(300);
            let body = numbers.bytes(count);
            [hello(plane, |_| {}), frame(kind, &body), encoded(&Request::Ping)].concat()
        }
        2 => {
            // A known kind, with a body that is nearly one.
            let kinds = [0x04, 0x05, 0x10, 0x11, 0x20, 0x21, 0x22, 0x23, 0x25];
            let mut body = vec![0; numbers.below(80)];
            for _ in 0..numbers.below(4) {
                let (offset, length) = (numbers.below(80), body.len());
                if let Some(byte) = body.get_mut(offset % length.max(1)) {
                    *byte = u8::try_from(numbers.below(256)).unwrap();
                }
            }
            [hello(plane, |_| {}), frame(kinds[numbers.below(kinds.len())], &body)].concat()
        }
        _ => good,
    };
    for _ in 0..numbers.below(3) {
        let offset = numbers.below(bytes.len());
        bytes[offset] ^= 1 << numbers.below(8);
    }
    let length = if numbers.below(4) == 0 { numbers.below(bytes.len()) } else { bytes.len() };
    bytes.truncate(length);
    bytes
}

#[test]
fn two_thousand_connections_of_nonsense_hurt_nobody_and_leave_nothing_behind() {
    crate::support::watch_for_panics();
    let host = Host::new();
    let mut figures = host.figures();
    let mut witness = Witness::new(&host);
    let mut numbers = Numbers::seeded(20_260_131);
    let mut waiting = Vec::new();
    for round in 0..2000 {
        let plane = PLANES[numbers.below(2)];
        let mut wire = Wire::open(host.address(plane));
        wire.send_bytes(&nonsense(&mut numbers, plane));
        match numbers.below(3) {
            // Gone without waiting for an answer, with a reset when there was one.
            0 => drop(wire),
            _ => {
                wire.finish();
                waiting.push(wire);
            }
        }
        if round % 50 == 49 {
            witness.is_served();
            for mut wire in waiting.drain(..) {
                let mut said = Vec::new();
                let _ = wire.stream.read_to_end(&mut said);
                are_answers(&said);
            }
        }
    }
    witness.is_served();
    figures.wait_for("/server/planes/append/connections_open", 1);
    figures.wait_for("/server/planes/read/connections_open", 2);
    figures.wait_for("/server/planes/append/requests_in_flight", 0);
    crate::support::assert_no_panics();
}

/// Everything that the server says is a frame of the protocol, whatever it was told.
fn are_answers(mut bytes: &[u8]) {
    while let Some((header, rest)) = bytes.split_first_chunk() {
        let FrameHeader { body_bytes, kind, id } = FrameHeader::decode(header, u32::MAX).unwrap();
        let (body, rest) = rest.split_at_checked(body_bytes as usize).unwrap_or((rest, &[]));
        if body.len() == body_bytes as usize {
            Answer::decode(&Frame { kind, id, body }).unwrap();
        }
        bytes = rest;
    }
}

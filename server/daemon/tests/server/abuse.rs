//! Clients that take too long, too much or too little: what they cost is bounded, and everybody else is served.

use crate::conversation::{append, event, read_request};
use crate::support::{Figures, Host, Line, Wire, eventually};
use crate::witness::Witness;
use gesta::{AppendRequest, Event, EventType, NameKind, Pace, Position, Read, StreamName};
use gesta_protocol::{Answer, Code, FrameHeader, Kind, Plane, ReadRequest, Request};
use std::io::Read as _;
use std::time::Duration;

const PLANES: [Plane; 2] = [Plane::Append, Plane::Read];

fn open(figures: &mut Figures, plane: Plane) -> u64 {
    figures.at(&format!("/server/planes/{plane}/connections_open"))
}

pub(crate) fn stream() -> StreamName {
    StreamName::new("wide-1").unwrap()
}

/// Appends so many events of so many bytes.
pub(crate) fn fill(host: &Host, events: u64, bytes: usize) {
    let mut commands = host.connect(Plane::Append);
    for id in 1..=events {
        let event = Event::new(EventType::new("Wide").unwrap()).stream(stream()).data(vec![b'x'; bytes]);
        append(&mut commands, id, AppendRequest::new().event(event));
    }
}

pub(crate) fn subscription(from: u64, credit: u32) -> Request<'static> {
    let follow = Some(Pace { progress_every: Duration::MAX, behind_after: u64::MAX });
    let read = Read::all().from(Position(from));
    Request::Read(Box::new(ReadRequest { follow, credit, ..read_request(read) }))
}

/// Sends a byte now and then on all connections until the server has closed each of them.
fn drip(wires: &mut [Wire], figures: &mut Figures, others: [u64; 2]) {
    let all_closed = || {
        for wire in &mut *wires {
            wire.send_bytes(&[0]);
        }
        PLANES.map(|plane| open(figures, plane)) == others
    };
    assert!(eventually(all_closed), "a byte at a time holds a connection open for ever");
}

#[test]
fn a_hello_that_comes_byte_by_byte_is_not_waited_for() {
    let host = Host::with(&[("limits.handshake_timeout_ms", "400")]);
    let (mut figures, mut witness) = (host.figures(), Witness::new(&host));
    let mut wires: Vec<Wire> = (0..60).map(|number| Wire::open(host.address(PLANES[number % 2]))).collect();
    for wire in &mut wires {
        wire.send_bytes(&FrameHeader { body_bytes: 4000, kind: Kind::Hello as u8, id: 0 }.encode());
    }
    witness.is_served();
    drip(&mut wires, &mut figures, [1, 2]);
    for wire in &mut wires {
        assert_eq!(wire.refusal(), Code::Timeout as u16);
    }
    witness.is_served();
    assert_eq!(figures.refusals(Plane::Append, "handshake_timeout"), 30);
}

#[test]
fn a_frame_that_comes_byte_by_byte_is_not_waited_for() {
    let host = Host::with(&[("limits.handshake_timeout_ms", "400")]);
    let (mut figures, mut witness) = (host.figures(), Witness::new(&host));
    let mut wires: Vec<Wire> = (0..20).map(|number| host.connect(PLANES[number % 2])).collect();
    for wire in &mut wires {
        wire.send_bytes(&FrameHeader { body_bytes: 30 << 20, kind: Kind::Append as u8, id: 1 }.encode());
    }
    drip(&mut wires, &mut figures, [1, 2]);
    witness.is_served();
}

#[test]
fn a_byte_of_the_next_frame_does_not_buy_the_time_of_an_idle_connection() {
    // A frame and the beginning of the next one come in one packet: the deadline of the second is that of a frame.
    let host = Host::with(&[("limits.handshake_timeout_ms", "300"), ("limits.idle_timeout_ms", "86400000")]);
    let mut wire = host.connect(Plane::Read);
    let mut bytes = Vec::new();
    Request::Ping.encode(5, &mut bytes);
    Request::Ping.encode(6, &mut bytes);
    wire.send_bytes(&bytes[..17]);
    wire.receive(|id, answer| assert!(matches!((id, answer), (5, Answer::Pong)))).unwrap();
    assert_eq!(wire.refusal(), Code::Timeout as u16);
}

#[test]
fn those_who_announce_large_appends_and_send_nothing_hold_nobody_up() {
    let host = Host::new();
    let mut witness = Witness::new(&host);
    let announced = FrameHeader { body_bytes: 34 << 20, kind: Kind::Append as u8, id: 1 }.encode();
    let mut wires: Vec<Wire> = (0..40).map(|_| host.connect(Plane::Append)).collect();
    for wire in &mut wires {
        wire.send_bytes(&announced);
    }
    // Every one of them is being waited for when the witness comes.
    for wire in &mut wires {
        wire.send_bytes(&[3; 4096]);
    }
    std::thread::sleep(Duration::from_millis(100));
    witness.is_served();
}

#[test]
fn a_flood_of_connections_ends_at_the_caps_and_those_inside_are_served() {
    let host = Host::with(&[
        ("limits.append_connections_max", "30"),
        ("limits.connections_per_address_max", "20"),
        ("limits.handshake_timeout_ms", "86400000"),
    ]);
    let (mut figures, mut witness) = (host.figures(), Witness::new(&host));
    let address = host.address(Plane::Append);
    let hello = |wire: &mut Wire| wire.try_hello(Plane::Append, "default", "").is_ok();
    let mut inside: Vec<Wire> = (0..19).map(|_| host.connect(Plane::Append)).collect();
    for _ in 0..200 {
        assert_eq!(Wire::open(address).refusal(), Code::TooManyConnections as u16);
    }
    // Another address has places of its own, up to the cap of all together.
    let mut others: Vec<Wire> = (0..10)
        .map(|_| Line::open(Some("127.0.0.2"), address).wire)
        .filter_map(|mut wire| hello(&mut wire).then_some(wire))
        .collect();
    assert_eq!(others.len(), 10);
    for _ in 0..200 {
        assert_eq!(Line::open(Some("127.0.0.3"), address).wire.refusal(), Code::TooManyConnections as u16);
    }
    witness.is_served();
    for wire in inside.iter_mut().chain(&mut others) {
        wire.send(1, &Request::Ping);
        assert!(wire.receive(|_, answer| matches!(answer, Answer::Pong)).unwrap());
    }
    assert_eq!(figures.refusals(Plane::Append, "too_many_from_address"), 200);
    assert_eq!(figures.refusals(Plane::Append, "too_many_connections"), 200);
    // Places come back.
    drop((inside, others));
    figures.wait_for("/server/planes/append/connections_open", 1);
    let again: Vec<Wire> = (0..19).map(|_| host.connect(Plane::Append)).collect();
    assert_eq!(again.len(), 19);
}

#[test]
fn whoever_is_over_the_cap_is_told_so_even_when_its_hello_was_on_the_way() {
    let host = Host::with(&[("limits.append_connections_max", "1")]);
    let _inside = host.connect(Plane::Append);
    for _ in 0..300 {
        let refused = Wire::open(host.address(Plane::Append)).try_hello(Plane::Append, "default", "");
        assert!(refused.as_ref().is_err_and(|answer| answer.contains("too many connections")), "{refused:?}");
    }
}

#[test]
fn a_subscriber_that_grants_no_credit_is_told_where_to_go_on_and_goes_on_there() {
    let host = Host::with(&[("limits.slow_reader_timeout_ms", "200")]);
    fill(&host, 300, 10_000);
    let (mut figures, mut witness) = (host.figures(), Witness::new(&host));
    let mut wire = host.connect(Plane::Read);
    let mut next = 0;
    let mut too_slow_count = 0;
    // The same connection begins again where it was told to, each time with a little credit.
    for id in 1.. {
        wire.send(id, &subscription(next, 700_000));
        let mut is_over = false;
        while !is_over && next < 300 {
            wire.receive(|answered, answer| match answer {
                Answer::Begun(_) => assert_eq!(answered, id),
                Answer::Events(events) => {
                    for event in events {
                        assert_eq!(event.unwrap().record.position(), Position(next));
                        next += 1;
                    }
                }
                Answer::TooSlow(position) => {
                    assert_eq!(position, Position(next), "nothing is left out and nothing comes twice");
                    is_over = true;
                    too_slow_count += 1;
                }
                other => panic!("unexpected {other:?}"),
            })
            .unwrap();
        }
        if next >= 300 {
            break;
        }
    }
    assert!(too_slow_count >= 3, "{too_slow_count}");
    assert!(figures.refusals(Plane::Read, "slow_reader") >= 3);
    witness.is_served();
}

#[test]
fn a_subscriber_without_credit_is_sent_no_event_until_it_grants_some() {
    let host = Host::new();
    fill(&host, 3, 100);
    let mut wire = host.connect(Plane::Read);
    wire.send(1, &subscription(0, 0));
    wire.receive(|_, answer| assert!(matches!(answer, Answer::Begun(_)), "{answer:?}")).unwrap();
    wire.send(2, &Request::Ping);
    wire.receive(|id, answer| assert!(matches!((id, &answer), (2, Answer::Pong)), "{answer:?}")).unwrap();
    wire.send(1, &Request::Credit(1));
    wire.receive(|_, answer| assert!(matches!(answer, Answer::Events(_)), "{answer:?}")).unwrap();
}

#[test]
fn readers_that_take_no_bytes_are_closed_and_their_buffers_are_freed() {
    let host = Host::with(&[("limits.slow_reader_timeout_ms", "300"), ("limits.read_bytes_buffered_max", "65536")]);
    fill(&host, 40, 1 << 20);
    let (mut figures, mut witness) = (host.figures(), Witness::new(&host));
    let mut wires: Vec<Wire> = (0..8).map(|_| host.connect(Plane::Read)).collect();
    for wire in &mut wires {
        wire.send(1, &subscription(0, u32::MAX));
        wire.send(2, &Request::Read(Box::new(read_request(Read::all()))));
    }
    witness.is_served();
    figures.wait_for("/server/planes/read/connections_open", 2);
    figures.wait_for("/server/planes/read/requests_in_flight", 1);
    figures.wait_for("/subscribers/count", 0);
    assert_eq!(figures.refusals(Plane::Read, "slow_reader"), 8);
    witness.is_served();
}

#[test]
fn a_subscriber_that_takes_a_byte_now_and_then_is_closed_and_goes_on_where_it_was() {
    // More than sockets hold; what is buffered for it is bounded by a setting.
    const EVENTS: u64 = 300;
    let host = Host::with(&[("limits.slow_reader_timeout_ms", "1000"), ("limits.read_bytes_buffered_max", "65536")]);
    fill(&host, EVENTS, 80_000);
    let (mut figures, mut witness) = (host.figures(), Witness::new(&host));
    let mut slow = Line::with_window(16 << 10, host.address(Plane::Read)).wire;
    slow.hello(Plane::Read, "default", "");
    slow.send(1, &subscription(0, u32::MAX));
    let refused = |figures: &mut Figures| figures.refusals(Plane::Read, "slow_reader");
    let is_closed = || {
        slow.take_a_byte();
        std::thread::sleep(Duration::from_millis(50));
        witness.is_served();
        refused(&mut figures) == 1
    };
    assert!(eventually(is_closed), "a byte at a time holds a connection and its buffers for ever");
    figures.wait_for("/server/planes/read/connections_open", 2);
    figures.wait_for("/subscribers/count", 0);
    // It gets what was on its way, and goes on after the last event of that.
    let mut next = 0;
    while hear_events(&mut slow, &mut next) {}
    assert!(next > 0 && next < EVENTS, "{next}");
    let mut again = host.connect(Plane::Read);
    again.send(1, &subscription(next, u32::MAX));
    while next < EVENTS {
        assert!(hear_events(&mut again, &mut next), "it is served");
    }
}

/// Takes a frame of a subscription, whose events go on at a position; `false` at the end of the connection.
fn hear_events(wire: &mut Wire, next: &mut u64) -> bool {
    let heard = wire.receive(|_, answer| match answer {
        Answer::Begun(_) => {}
        Answer::Events(events) => {
            for event in events {
                assert_eq!(event.unwrap().record.position(), Position(*next), "without a gap, and nothing twice");
                *next += 1;
            }
        }
        other => panic!("unexpected {other:?}"),
    });
    heard.is_some()
}

#[test]
fn a_reader_that_takes_a_large_answer_slowly_but_steadily_gets_all_of_it() {
    // One answer is so large that the client does not take it within the patience that is meant for silence.
    let host = Host::with(&[("limits.slow_reader_timeout_ms", "500"), ("limits.read_bytes_buffered_max", "65536")]);
    fill(&host, 1, 15 << 20);
    let mut wire = host.connect(Plane::Read);
    wire.send(1, &Request::Read(Box::new(read_request(Read::all()))));
    wire.pace = Duration::from_millis(1);
    let mut event_count = 0;
    let mut is_over = false;
    while !is_over {
        wire.receive(|_, answer| match answer {
            Answer::Begun(_) => {}
            Answer::Events(events) => event_count += events.map(Result::unwrap).count(),
            Answer::Ended(_) => is_over = true,
            other => panic!("unexpected {other:?}"),
        })
        .expect("the reader is not let go");
    }
    assert_eq!(event_count, 1);
}

#[test]
fn a_silent_client_is_let_go_and_one_that_answers_pings_stays() {
    let host = Host::with(&[("limits.idle_timeout_ms", "600"), ("limits.heartbeat_ms", "100")]);
    for plane in PLANES {
        let (mut silent, mut alive) = (host.connect(plane), host.connect(plane));
        // A half-open peer: the server's pings go nowhere.
        let silence = std::thread::spawn(move || {
            let mut said = Vec::new();
            silent.stream.read_to_end(&mut said).unwrap();
            assert!(said.ends_with(b"close the connection"), "{:?}", String::from_utf8_lossy(&said));
        });
        alive.stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        while !silence.is_finished() {
            alive.answer_pings();
        }
        silence.join().unwrap();
        alive.send(1, &Request::Ping);
        alive.stream.set_read_timeout(None).unwrap();
        while !alive.receive(|id, answer| matches!((id, answer), (1, Answer::Pong))).expect("it is still there") {}
    }
}

#[test]
fn a_subscriber_that_is_sent_events_all_the_time_is_not_taken_for_gone() {
    // Long enough that a machine which stalls for a while is not silence.
    let host = Host::with(&[("limits.idle_timeout_ms", "3000"), ("limits.heartbeat_ms", "500")]);
    let mut wire = host.connect(Plane::Read);
    wire.send(1, &subscription(0, u32::MAX));
    let mut commands = host.connect(Plane::Append);
    let mut next = 0;
    // Five seconds of events, each sooner than a ping would be due in silence.
    for id in 1..=100 {
        append(&mut commands, id, AppendRequest::new().event(event(id)));
        while next < id {
            wire.receive(|_, answer| {
                if let Answer::Events(events) = answer {
                    next += events.map(Result::unwrap).count() as u64;
                }
            })
            .expect("a subscriber that takes everything is let go");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// More names than sockets and buffers hold.
const NAME_COUNT: u64 = 20_000;

/// Appends an event to each of many streams with long names.
fn fill_with_names(host: &Host) {
    let mut commands = host.connect(Plane::Append);
    let event = |number| {
        let stream = StreamName::new(format!("many-{number:0>1000}")).unwrap();
        Event::new(EventType::new("Named").unwrap()).stream(stream)
    };
    for id in 1..=NAME_COUNT / 1000 {
        append(&mut commands, id, AppendRequest::new().events((1000 * (id - 1)..1000 * id).map(event)));
    }
}

#[test]
fn a_client_that_stops_reading_amid_names_is_closed_and_one_that_goes_on_gets_all() {
    let host = Host::with(&[("limits.slow_reader_timeout_ms", "1000"), ("limits.read_bytes_buffered_max", "65536")]);
    fill_with_names(&host);
    let (mut figures, mut witness) = (host.figures(), Witness::new(&host));
    let mut wires = [(); 3].map(|()| host.connect(Plane::Read));
    for wire in &mut wires {
        wire.send(1, &Request::Names(NameKind::Stream, "many-"));
        wire.receive(|_, answer| assert!(matches!(answer, Answer::Names(part) if part.has_more))).unwrap();
    }
    let [stops, mut goes_on, mut asks_again] = wires;
    // As long as its answer comes, a request has its id.
    asks_again.send(1, &Request::Statistics);
    let mut refused = None;
    while refused.is_none() {
        let refusal = asks_again.receive(|_, answer| match answer {
            Answer::Names(_) => None,
            Answer::Refused(refusal) => Some(refusal.code),
            other => panic!("unexpected {other:?}"),
        });
        refused = refusal.expect("it is told why it is closed");
    }
    assert_eq!(refused, Some(Code::Protocol as u16));
    let (mut count, mut has_more) = (1000, true);
    while has_more {
        goes_on
            .receive(|_, answer| match answer {
                Answer::Names(part) => {
                    count += part.names.len() as u64;
                    has_more = part.has_more;
                }
                other => panic!("unexpected {other:?}"),
            })
            .unwrap();
    }
    assert_eq!(count, NAME_COUNT);
    // Those that are left: who went on, the figures, the witness.
    figures.wait_for("/server/planes/read/connections_open", 3);
    figures.wait_for("/server/planes/read/requests_in_flight", 1);
    assert_eq!(figures.refusals(Plane::Read, "slow_reader"), 1);
    witness.is_served();
    drop(stops);
}

#[test]
fn whoever_is_turned_away_is_not_reset_although_it_has_spoken() {
    let host = Host::with(&[("limits.append_connections_max", "1")]);
    let _inside = host.connect(Plane::Append);
    for _ in 0..100 {
        let mut wire = Wire::open(host.address(Plane::Append));
        wire.send_bytes(&[7; 4096]);
        wire.finish();
        let mut said = Vec::new();
        // A reset would be an error here.
        wire.stream.read_to_end(&mut said).unwrap();
        assert!(said.ends_with(b"try again later"), "{:?}", String::from_utf8_lossy(&said));
    }
}

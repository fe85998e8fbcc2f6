//! Bounded reads, over connections that break at every byte.

use crate::events::{batches, begun, ended, events, time_of};
use crate::script::{Asked, Peer, Ports, encoded, follow, impatient};
use gesta_client::{BlockingClient, BlockingCursor, ClientOptions, Plane};
use gesta_model::{Damage, EventCursor, EventReader, Incarnation, Position, Read, ReadError, RemoteError, Timestamp};
use gesta_protocol::{Answer, Code, FRAME_HEADER_BYTES, Kind, Refusal, Request};
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

/// Everything that is left of a cursor: positions, or what went wrong.
fn rest(cursor: &mut BlockingCursor) -> Vec<Result<u64, String>> {
    let mut found = Vec::new();
    while let Some(record) = cursor.next_record() {
        found.push(record.map(|record| record.position().0).map_err(|error| error.to_string()));
        assert!(found.iter().filter(|found| found.is_err()).count() < 5, "{found:?}");
        if found.last().is_some_and(Result::is_ok) {
            let Some(Ok(position)) = found.last() else { unreachable!() };
            assert!(cursor.recorded_at().is_some_and(|time| time <= time_of(*position)));
        }
    }
    found
}

fn positions(cursor: &mut BlockingCursor) -> Vec<u64> {
    rest(cursor).into_iter().map(Result::unwrap).collect()
}

/// The whole answer to a forward read of a log of ten events, two in a frame, from where it is asked from.
fn answer_in_events(asked: &Asked) -> Vec<u8> {
    let read = asked.read().read;
    let until = read.until.map_or(10, |until| until.0.min(10));
    let limit = usize::try_from(read.limit).unwrap_or(usize::MAX);
    let wanted: Vec<_> = (read.from.unwrap_or_default().0..until).take(limit).collect();
    let frames = wanted.chunks(2).map(|chunk| events(asked.id, chunk.iter().copied()));
    [begun(asked.id, 10), frames.collect::<Vec<_>>().concat(), ended(asked.id, until)].concat()
}

/// The same in whole batches of three, as they lie in the log: with events that were not asked for on both sides.
fn answer_in_batches(asked: &Asked) -> Vec<u8> {
    let asked_for = asked.read();
    assert!(asked_for.takes_batches);
    let from = asked_for.read.from.unwrap_or_default().0 / 3 * 3;
    let ranges: Vec<_> = (from..10).step_by(3).map(|start| start..start + 3).collect();
    let frames: Vec<_> = ranges.chunks(2).map(|chunk| batches(asked.id, chunk.iter().cloned())).collect();
    [begun(asked.id, 10), frames.concat(), ended(asked.id, 10)].concat()
}

/// Serves each read twice over: first so many bytes of the answer and no more, then, over another connection, all that is asked
/// for then. With each round the first part is one byte longer; after each it is told whether there is another one.
fn cut_everywhere(ports: Ports, answer: fn(&Asked) -> Vec<u8>, has_more: Sender<bool>) -> JoinHandle<()> {
    follow(move || {
        for count in 0.. {
            let mut peer = ports.greet(Plane::Read);
            let asked = peer.next();
            let whole = answer(&asked);
            peer.send(&whole[..count.min(whole.len())]);
            if count >= whole.len() {
                assert!(count > 300, "the answer is of many frames");
                return has_more.send(false).unwrap();
            }
            drop(peer);
            let mut peer = ports.greet(Plane::Read);
            let again = peer.next();
            let has_begun = count >= begun(asked.id, 10).len();
            assert_eq!(again.read().given_in, has_begun.then_some(Incarnation(1)));
            peer.send(&answer(&again));
            assert!(peer.try_next().is_none(), "the next round is over a connection of its own");
            has_more.send(true).unwrap();
        }
    })
}

fn read_everywhere_cut(answer: fn(&Asked) -> Vec<u8>, read: &Read, expected: &[u64]) {
    let ports = Ports::open();
    let address = ports.address();
    let (sender, has_more) = channel();
    let server = cut_everywhere(ports, answer, sender);
    for round in 0.. {
        let client = BlockingClient::connect(address.clone(), ClientOptions::default()).unwrap();
        let mut cursor = client.read(read.clone()).unwrap();
        assert_eq!(cursor.head(), Position(10));
        assert_eq!(positions(&mut cursor), expected, "round {round}");
        drop((cursor, client));
        if !has_more.recv().unwrap() {
            break;
        }
    }
    server.join().unwrap();
}

#[test]
fn a_read_of_events_that_is_cut_anywhere_has_no_gap_and_no_duplicate() {
    read_everywhere_cut(answer_in_events, &Read::all().from(Position(1)).until(Position(7)), &[1, 2, 3, 4, 5, 6]);
}

#[test]
fn a_read_of_batches_that_is_cut_anywhere_has_no_gap_and_no_duplicate() {
    read_everywhere_cut(answer_in_batches, &Read::all().from(Position(1)), &(1..10).collect::<Vec<_>>());
}

#[test]
fn a_read_that_goes_backwards_goes_on_below_what_was_handed_out() {
    let ports = Ports::open();
    let client = ports.client();
    let server = follow(move || {
        let mut peer = ports.greet(Plane::Read);
        let asked = peer.next();
        peer.send(&[begun(asked.id, 9), events(asked.id, [8, 7, 6])].concat());
        drop(peer);
        let mut peer = ports.greet(Plane::Read);
        let again = peer.next();
        // The head has risen since; nothing of that is of this read.
        peer.send(&[begun(again.id, 12), events(again.id, [5, 1, 0])].concat());
        drop(peer);
        (asked.read(), again.read(), ports)
    });
    let mut cursor = client.read(Read::all().backwards().limit(7)).unwrap();
    assert_eq!(positions(&mut cursor), [8, 7, 6, 5, 1, 0]);
    assert_eq!(cursor.head(), Position(9));
    let (asked, again, ports) = server.join().unwrap();
    assert_eq!(asked.read, Read::all().backwards().limit(7));
    assert!(!asked.takes_batches);
    let left = Read::all().backwards().limit(4).from(Position(5)).until(Position(9));
    assert_eq!((again.read, again.given_in), (left, Some(Incarnation(1))));
    // Below position 0 there is nothing, and nobody is asked for it.
    assert!(ports.is_left_alone(Plane::Read));
}

#[test]
fn a_reader_that_was_too_slow_or_met_a_stopping_server_comes_again_from_its_position() {
    let ports = Ports::open();
    let client = ports.client();
    let server = follow(move || {
        let mut peer = ports.greet(Plane::Read);
        let asked = peer.next();
        let too_slow = encoded(asked.id, &Answer::TooSlow(Position(4)));
        peer.send(&[begun(asked.id, 9), events(asked.id, [0, 2]), too_slow].concat());
        let asked = peer.next();
        assert_eq!(asked.read().read.from, Some(Position(4)));
        let stopping = encoded(asked.id, &Answer::Refused(Refusal::new(Code::Stopping, "stopping")));
        peer.send(&[begun(asked.id, 9), events(asked.id, [5]), stopping].concat());
        let mut peer = ports.greet(Plane::Read);
        let asked = peer.next();
        assert_eq!(asked.read().read.from, Some(Position(6)));
        peer.send(&[begun(asked.id, 9), events(asked.id, [7]), ended(asked.id, 9)].concat());
        peer.try_next().is_none()
    });
    let mut cursor = client.read(Read::all()).unwrap();
    assert_eq!(positions(&mut cursor), [0, 2, 5, 7]);
    assert_eq!(cursor.explain().lists_read, 3);
    drop((cursor, client));
    assert!(server.join().unwrap());
}

#[test]
fn the_loss_of_what_was_read_is_told_when_the_read_goes_on() {
    let ports = Ports::open();
    let client = ports.client();
    let server = follow(move || {
        let mut peer = ports.greet(Plane::Read);
        let asked = peer.next();
        peer.send(&[begun(asked.id, 9), events(asked.id, [0, 1])].concat());
        drop(peer);
        let mut peer = ports.greet(Plane::Read);
        let again = peer.next();
        let (given_in, position) = (again.read().given_in.unwrap(), again.read().read.from.unwrap());
        let lost = ReadError::LostTail { given_in, position };
        peer.say(again.id, &Answer::Refused(Refusal::from(&lost)));
        peer.try_next().is_none()
    });
    let mut cursor = client.read(Read::all().unsynced()).unwrap();
    let [0, 1] = [(); 2].map(|()| cursor.next_record().unwrap().unwrap().position().0) else { panic!() };
    let lost = cursor.next_record().unwrap();
    assert!(matches!(lost, Err(ReadError::LostTail { given_in: Incarnation(1), position: Position(2) })));
    assert!(cursor.next_record().is_none());
    drop((cursor, client));
    assert!(server.join().unwrap());
}

#[test]
fn damage_is_told_and_the_next_call_goes_on_beyond_it() {
    let ports = Ports::open();
    let client = ports.client();
    let server = follow(move || {
        let damage = Damage { file: "x".into(), offset: 1, positions: Position(2)..Position(5), what: "y".into() };
        let mut peer = ports.greet(Plane::Read);
        let asked = peer.next();
        let damaged = encoded(asked.id, &Answer::Damaged(damage));
        peer.send(&[begun(asked.id, 9), events(asked.id, [0, 1]), damaged].concat());
        drop(peer);
        let mut peer = ports.greet(Plane::Read);
        let again = peer.next();
        // What is damaged is not asked for again.
        assert_eq!(again.read().read.from, Some(Position(5)));
        peer.send(&[begun(again.id, 9), events(again.id, [5]), ended(again.id, 9)].concat());
    });
    let mut cursor = client.read(Read::all()).unwrap();
    let found = rest(&mut cursor);
    assert_eq!((&found[..2], found[2].is_err(), &found[3..]), (&[Ok(0), Ok(1)][..], true, &[Ok(5)][..]));
    server.join().unwrap();
}

#[test]
fn a_dropped_cursor_ends_the_read_on_the_server() {
    let ports = Ports::open();
    let client = ports.client();
    let server = follow(move || {
        let mut peer = ports.greet(Plane::Read);
        let asked = peer.next();
        peer.send(&[begun(asked.id, 9), events(asked.id, [0, 1])].concat());
        let cancelled = peer.next();
        assert_eq!((cancelled.kind(), cancelled.id), (Kind::Cancel, asked.id));
        // What was under way comes nevertheless, and is for nobody.
        peer.send(&[events(asked.id, [2]), ended(asked.id, 9)].concat());
        let next = peer.next();
        peer.send(&[begun(next.id, 9), ended(next.id, 9)].concat());
        // A read that is complete is not cancelled.
        peer.try_next().is_none()
    });
    let mut cursor = client.read(Read::all()).unwrap();
    assert_eq!(cursor.next_record().unwrap().unwrap().position(), Position(0));
    drop(cursor);
    assert_eq!(positions(&mut client.read(Read::all()).unwrap()), []);
    drop(client);
    assert!(server.join().unwrap());
}

#[test]
fn credit_is_given_back_as_events_are_taken_and_not_before() {
    let ports = Ports::open();
    let window = 1 << 10;
    let client = ports.client_with(ClientOptions { window_bytes: window, ..ClientOptions::default() });
    let (may_take, wait) = channel();
    let server = follow(move || {
        let mut peer = ports.greet(Plane::Read);
        let asked = peer.next();
        assert_eq!(asked.read().credit, window);
        let mut credit = i64::from(window);
        peer.send(&begun(asked.id, 100));
        for position in 0..100 {
            while credit <= 0 {
                let given = peer.next();
                match given.request() {
                    Request::Credit(bytes) if given.id == asked.id => credit += i64::from(bytes),
                    other => panic!("{other:?}"),
                }
                assert!(credit <= i64::from(window), "no more than was taken is given back");
            }
            let frame = events(asked.id, [position]);
            credit -= i64::try_from(frame.len() - FRAME_HEADER_BYTES).unwrap();
            peer.send(&frame);
            if position == 7 {
                assert!(peer.is_quiet(), "nothing was taken yet");
                may_take.send(()).unwrap();
            }
        }
        peer.send(&ended(asked.id, 100));
        ports
    });
    let mut cursor = client.read(Read::all()).unwrap();
    wait.recv().unwrap();
    assert_eq!(positions(&mut cursor), (0..100).collect::<Vec<_>>());
    server.join().unwrap();
}

#[test]
fn a_server_that_sends_far_more_than_it_may_is_not_listened_to() {
    let ports = Ports::open();
    let client = ports.client_with(ClientOptions { window_bytes: 1, ..impatient() });
    let server = follow(move || {
        let mut peer = ports.greet(Plane::Read);
        let asked = peer.next();
        peer.send(&begun(asked.id, 1 << 30));
        let frame = batches(asked.id, (0..100).map(|batch| batch * 100..(batch + 1) * 100));
        let sent = (0..1000).take_while(|_| peer.send_all(&frame)).count();
        assert!(sent < 1000, "the client takes everything");
    });
    let mut cursor = client.read(Read::all()).unwrap();
    server.join().unwrap();
    let failed = rest_until_error(&mut cursor);
    assert!(matches!(failed, ReadError::Remote(RemoteError::Protocol { .. })), "{failed:?}");
}

fn rest_until_error(cursor: &mut BlockingCursor) -> ReadError {
    loop {
        match cursor.next_record() {
            Some(Ok(_)) => {}
            Some(Err(error)) => return error,
            None => panic!("no error came"),
        }
    }
}

#[test]
fn events_that_were_changed_on_the_way_are_not_handed_out() {
    for form in [events as fn(u64, _) -> Vec<u8>, |id, all: std::ops::Range<u64>| batches(id, [all])] {
        let ports = Ports::open();
        let client = ports.client();
        let server = follow(move || {
            let mut peer = ports.greet(Plane::Read);
            let asked = peer.next();
            let mut changed = form(asked.id, 0..3);
            let last = changed.len() - 9;
            changed[last] ^= 1;
            peer.send(&[begun(asked.id, 3), changed].concat());
            // The next call asks again for what was not had, over the same connection, and takes back the first read.
            let cancelled = peer.next();
            assert_eq!((cancelled.kind(), cancelled.id), (Kind::Cancel, asked.id));
            let again = peer.next();
            let from = again.read().read.from.unwrap_or_default().0;
            peer.send(&[begun(again.id, 3), form(again.id, from..3), ended(again.id, 3)].concat());
        });
        let mut cursor = client.read(Read::all()).unwrap();
        let found = rest(&mut cursor);
        let (good, bad): (Vec<_>, Vec<_>) = found.into_iter().partition(Result::is_ok);
        assert_eq!(good, [Ok(0), Ok(1), Ok(2)]);
        assert_eq!(bad.len(), 1, "{bad:?}");
        server.join().unwrap();
    }
}

#[test]
fn a_read_that_is_refused_says_why_at_once() {
    let ports = Ports::open();
    let client = ports.client();
    let server = follow(move || {
        let mut peer = ports.greet(Plane::Read);
        for code in [Code::Denied, Code::Internal] {
            let asked = peer.next();
            peer.say(asked.id, &Answer::Refused(Refusal::new(code, "no")));
        }
        peer.try_next().is_none()
    });
    let denied = client.read(Read::all()).err().unwrap();
    assert!(matches!(denied, ReadError::Remote(RemoteError::Denied { .. })));
    let refused = client.read(Read::all()).err().unwrap();
    assert!(matches!(refused, ReadError::Remote(RemoteError::Refused { code: 11, .. })), "{refused:?}");
    drop(client);
    assert!(server.join().unwrap());
}

#[test]
fn a_read_of_nothing_knows_its_head() {
    let ports = Ports::open();
    let client = ports.client();
    let server = follow(move || {
        let mut peer = ports.greet(Plane::Read);
        let asked = peer.next();
        peer.send(&[begun(asked.id, 9), ended(asked.id, 0)].concat());
    });
    let mut cursor = client.read(Read::all().limit(0)).unwrap();
    assert_eq!((cursor.head(), positions(&mut cursor)), (Position(9), Vec::new()));
    server.join().unwrap();
}

#[test]
fn batches_are_asked_for_where_a_whole_log_is_read_forward_and_nowhere_else() {
    let ports = Ports::open();
    let client = ports.client();
    let reads = [
        (Read::all(), true),
        (Read::all().from(Position(3)).until(Position(5)), true),
        (Read::all().backwards(), false),
        (Read::all().limit(3), false),
        (Read::all().since(Timestamp(3)), false),
        (Read::stream(gesta_model::StreamName::new("order-1").unwrap()), false),
    ];
    let expected: Vec<_> = reads.iter().map(|(_, takes_batches)| *takes_batches).collect();
    let server = follow(move || {
        let mut peer = ports.greet(Plane::Read);
        let takes_batches = expected.iter().map(|_| answer_with_nothing(&mut peer)).collect::<Vec<_>>();
        assert_eq!(takes_batches, expected);
    });
    for (read, _) in reads {
        assert_eq!(positions(&mut client.read(read).unwrap()), []);
    }
    server.join().unwrap();
}

fn answer_with_nothing(peer: &mut Peer) -> bool {
    let asked = peer.next();
    peer.send(&[begun(asked.id, 0), ended(asked.id, 0)].concat());
    asked.read().takes_batches
}

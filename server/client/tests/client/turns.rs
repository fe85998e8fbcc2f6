//! Whoever waits runs the connections, and nobody else is left waiting for that.

use crate::script::{Ports, follow, request};
use gesta_client::Plane;
use gesta_model::{AppendTicket, EventReader, EventStore, Incarnation, Position};
use gesta_protocol::{Answer, Kind, Standing};
use std::sync::mpsc::channel;
use std::thread;

#[test]
fn callers_who_ask_submit_and_walk_away_are_all_answered() {
    const EACH: u64 = 300;
    let ports = Ports::open();
    let client = ports.client();
    let server = follow(move || {
        let mut peer = ports.greet(Plane::Append);
        let mut count = 0;
        while let Some(asked) = peer.try_next() {
            peer.receipt(asked.id, count);
            count += 1;
        }
        count
    });
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| (0..EACH).for_each(|_| drop(client.append(request(1)).unwrap())));
        }
        scope.spawn(|| (0..EACH).for_each(|_| drop(client.submit(request(1)).unwrap().wait().unwrap())));
        scope.spawn(|| (0..EACH).for_each(|_| drop(client.submit(request(1)).unwrap())));
    });
    drop(client);
    assert_eq!(server.join().unwrap(), 4 * EACH, "nothing that was handed in is left behind");
}

#[test]
fn a_caller_who_waits_for_long_keeps_nobody_else_waiting() {
    let ports = Ports::open();
    let client = ports.client();
    let server = follow(move || {
        let mut reads = ports.greet(Plane::Read);
        let head = reads.next();
        let mut appends = ports.greet(Plane::Append);
        for position in 0..3 {
            let asked = appends.next();
            appends.receipt(asked.id, position);
        }
        let standing = Standing { incarnation: Incarnation(1), head: Position(3), revision: None, is_lost: false };
        reads.say(head.id, &Answer::Standing(standing));
    });
    thread::scope(|scope| {
        let waiting = scope.spawn(|| client.head());
        client.append(request(1)).unwrap();
        client.submit(request(1)).unwrap().wait().unwrap();
        client.append(request(1)).unwrap();
        assert_eq!(waiting.join().unwrap().unwrap(), Position(3), "it is answered last");
    });
    server.join().unwrap();
}

#[test]
fn after_a_caller_ran_the_connections_they_are_kept_while_nobody_asks() {
    let ports = Ports::open();
    let client = ports.client();
    let (has_ponged, left_alone) = channel();
    let server = follow(move || {
        let mut peer = ports.greet(Plane::Append);
        let asked = peer.next();
        peer.receipt(asked.id, 0);
        assert!(peer.is_quiet(), "whoever asked has gone");
        peer.say(0, &Answer::Ping);
        assert_eq!(peer.next().kind(), Kind::Pong);
        has_ponged.send(()).unwrap();
        let left = peer.next();
        assert_eq!(left.kind(), Kind::Append);
        peer.receipt(left.id, 1);
    });
    client.append(request(1)).unwrap();
    // Nobody asks until the pong has come; then something is handed in that nobody waits for.
    left_alone.recv().unwrap();
    drop(client.submit(request(1)).unwrap());
    server.join().unwrap();
}

#[test]
fn a_client_may_be_let_go_of_where_nothing_may_wait() {
    let ports = Ports::open();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for _ in 0..100 {
        let client = ports.client();
        runtime.block_on(async { drop(client) });
    }
}

//! The client and a server that is stopped and started again and again beneath it.

use crate::support::Host;
use gesta::{
    AppendRequest, AppendTicket, Event, EventCursor, EventReader, EventStore, EventSubscription, EventType, Notice,
    Pace, Read,
};
use gesta_client::{Address, BlockingClient, ClientOptions};
use gesta_protocol::Plane;
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const EVENTS: u64 = 3_000;
/// A server that is started again wants its ports back, so no other test may be given them meanwhile.
const HOST: &str = if cfg!(target_os = "linux") { "127.83.7.1" } else { "127.0.0.1" };

/// Appends of a few events each, many under way at a time; every one has to be answered.
fn append_all(client: &BlockingClient) {
    let counted = EventType::new("Counted").unwrap();
    let event = |number: u64| Event::new(counted.clone()).data(number.to_le_bytes().to_vec());
    let mut tickets = std::collections::VecDeque::new();
    for number in (0..EVENTS).step_by(3) {
        let request = AppendRequest::new().events((number..number + 3).map(event));
        tickets.push_back((number, client.submit(request).unwrap()));
        if tickets.len() > 20 {
            let (number, ticket) = tickets.pop_front().unwrap();
            let receipt = ticket.wait().unwrap_or_else(|error| panic!("append of {number}: {error}"));
            assert_eq!(receipt.positions.end.since(receipt.positions.start), 3);
        }
        std::thread::sleep(Duration::from_micros(300));
    }
    for (_, ticket) in tickets {
        ticket.wait().unwrap();
    }
}

fn number(data: &[u8]) -> u64 {
    u64::from_le_bytes(data.try_into().unwrap())
}

/// Hears every event that is appended, and returns their numbers in the order heard.
fn hear_all(client: &BlockingClient) -> Vec<u64> {
    let mut subscription = client.subscribe(Read::all(), Pace::default()).unwrap();
    let mut heard = Vec::new();
    while (heard.len() as u64) < EVENTS {
        let next = heard.len() as u64;
        if let Notice::Event(record) = subscription.next(Duration::from_secs(30)).unwrap() {
            assert_eq!(record.position().0, next, "no gap and no duplicate");
            heard.push(number(record.data().bytes()));
        }
    }
    heard
}

#[test]
fn nothing_is_lost_or_doubled_while_the_server_is_stopped_and_started() {
    let ports = [0, 1].map(|_| TcpListener::bind((HOST, 0)).unwrap());
    let [append, read] = ports.each_ref().map(|port| port.local_addr().unwrap().to_string());
    drop(ports);
    let flags = [("append", append.as_str()), ("read", read.as_str())];
    let mut host = Host::with(&flags);
    let address = Address::new(HOST).with_ports(host.address(Plane::Append).port(), host.address(Plane::Read).port());
    let client = BlockingClient::connect(address, ClientOptions::default()).unwrap();
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let appending = scope.spawn(|| append_all(&client));
        let hearing = scope.spawn(|| hear_all(&client));
        let reading = scope.spawn(|| {
            while !is_done.load(Ordering::Relaxed) {
                let mut cursor = client.read(Read::all()).unwrap();
                let (head, mut next) = (cursor.head().0, 0);
                while let Some(record) = cursor.next_record() {
                    assert_eq!(record.unwrap().position().0, next);
                    next += 1;
                }
                assert_eq!(next, head);
            }
        });
        for _ in 0..6 {
            std::thread::sleep(Duration::from_millis(150));
            host.restart(&flags);
        }
        appending.join().unwrap();
        let heard = hearing.join().unwrap();
        is_done.store(true, Ordering::Relaxed);
        reading.join().unwrap();
        let mut sorted = heard.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..EVENTS).collect::<Vec<_>>(), "each event is in the log once");
        // What the server did not take while it stopped may come after what it took from the next connection.
        assert!(heard.chunks(3).all(|request| request[1] == request[0] + 1 && request[2] == request[0] + 2));
    });
}

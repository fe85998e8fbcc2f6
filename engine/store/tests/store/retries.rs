//! Requests that are made again.

use crate::support::{event, open, request};
use gesta::disk::SimulatedDisk;
use gesta::{AppendRequest, Durability, Position, Uuid};

// Once an earlier try was found among what is readable, what is in flight was not searched: which of two tries a retry was
// told of depended on how far readers could see.
#[test]
fn of_two_tries_under_one_id_the_later_one_answers_wherever_readers_are() {
    let store = open(&SimulatedDisk::new(1));
    let request = || AppendRequest::new().event(event("a-1", "x")).request_id(Uuid::from_u128(1));
    assert_eq!(store.append(request()).unwrap().positions, Position(0)..Position(1));
    // The caller says that it was first made after the first try, so that is not looked for.
    let ticket = store.submit(request().since(Position(1))).unwrap();
    let in_flight = store.submit(request()).unwrap();
    assert_eq!(ticket.wait().unwrap().positions, Position(1)..Position(2));
    assert_eq!(in_flight.wait().unwrap().positions, Position(1)..Position(2));
    assert_eq!(store.append(request()).unwrap().positions, Position(1)..Position(2));
}

/// Summaries of many segments know nothing of request ids. Asked for one, they ruled out every segment that they speak of:
/// once eight segments were sealed, a retry was appended a second time.
#[test]
fn a_retry_is_found_however_many_segments_were_sealed_since() {
    let disk = SimulatedDisk::new(1);
    let store = open(&disk);
    let first = || request("a-1", &["first"], Durability::Durable).request_id(Uuid::from_u128(7));
    let receipt = store.append(first()).unwrap();
    while !disk.file_names().iter().any(|name| name.ends_with(".sum")) {
        store.append(request("b-1", &[&"x".repeat(1500)], Durability::Durable)).unwrap();
    }
    assert_eq!(store.append(first()).unwrap().positions, receipt.positions);
    store.close().unwrap();
    assert_eq!(open(&disk).append(first()).unwrap().positions, receipt.positions);
}

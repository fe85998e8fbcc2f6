//! Requests that are made again.

use crate::support::{event, open};
use gesta::disk::SimulatedDisk;
use gesta::{AppendRequest, Position, Uuid};

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

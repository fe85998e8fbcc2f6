//! The process that follows the log from its start, through all restarts.

use super::beliefs::tag_query;
use super::caller::is_without_answer;
use super::crew::{Part, now};
use gesta::{EventReader as _, EventSubscription as _, Notice, Pace, Position, Read, ReadError};
use gesta_client::{BlockingClient, ClientOptions};
use gesta_conformance::history::{Call, ReadCall};
use std::sync::OnceLock;
use std::time::Duration;

/// Follows everything, and a tag, until it has come to the head that it is dismissed with.
pub(super) fn play(mut part: Part) {
    let client = part.connect(ClientOptions::default());
    let last = OnceLock::new();
    let calls = std::thread::scope(|scope| {
        let (client, last) = (&client, &last);
        let reads = [Read::all(), Read::query(tag_query(7))];
        let follow = reads.map(|read| scope.spawn(move || follow(client, &read, last)));
        let head = loop {
            if let Some(head) = part.dismissed() {
                break head;
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        last.set(head).unwrap();
        follow.map(|follow| follow.join().unwrap())
    });
    for call in calls {
        part.note(&Call::Read(call));
    }
}

/// Hands on what one subscription gives, from the first event on.
///
/// It shows only what is durable, which no kill takes, so it never has to begin again.
fn follow(client: &BlockingClient, read: &Read, last: &OnceLock<Position>) -> ReadCall {
    let mut subscription = client.subscribe(read.clone(), Pace::default()).unwrap();
    let mut shown = Vec::new();
    let head = loop {
        match subscription.next(Duration::from_millis(50)) {
            Ok(Notice::Event(record)) => shown.push(record.id()),
            Ok(notice) if last.get().is_some_and(|last| notice.position() >= *last) => break notice.position(),
            Ok(_) => {}
            Err(ReadError::Remote(error)) if is_without_answer(&error) => {}
            Err(error) => panic!("{error}"),
        }
    };
    // What it says of its head is asked of the whole time.
    let (called, returned, from) = (0, now(), Position::START);
    ReadCall { called, returned, selection: read.selection.clone(), from, head, sees_unsynced: false, shown }
}

//! What the cases share: short ways to make requests and to see what a store says.

use gesta_model::{
    AppendError, AppendRequest, Conflict, Durability, Event, EventCursor, EventStore, EventSubscription, EventType,
    Notice, Pace, Position, Query, Read, Receipt, Record, StoredEvent, StreamName, Tag, Timestamp, Uuid,
};
use std::time::{Duration, Instant};

/// How long is waited for what must come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// How long is waited for what must not come.
pub(crate) const A_MOMENT: Duration = Duration::from_millis(20);

pub(crate) fn stream(name: &str) -> StreamName {
    StreamName::new(name).expect("a stream name")
}

pub(crate) fn tag(text: &str) -> Tag {
    Tag::new(text).expect("a tag")
}

pub(crate) fn query(text: &str) -> Query {
    text.parse().expect("a query")
}

pub(crate) fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// An event of a type, in no stream.
pub(crate) fn of_type(name: &str) -> Event {
    Event::new(EventType::new(name).expect("an event type"))
}

/// An event of a stream, which its data tells from others.
pub(crate) fn event(stream_name: &str, data: &str) -> Event {
    of_type("Happened").stream(stream(stream_name)).data(data)
}

/// An event with a tag, which its data tells from others.
pub(crate) fn tagged(text: &str, data: &str) -> Event {
    of_type("Happened").tag(tag(text)).data(data)
}

/// A request of events of one stream, durable.
pub(crate) fn request(stream_name: &str, data: &[&str]) -> AppendRequest {
    AppendRequest::new().events(data.iter().map(|data| event(stream_name, data)))
}

/// Appends events of one stream, durable.
#[track_caller]
pub(crate) fn put(store: &impl EventStore, stream_name: &str, data: &[&str]) -> Receipt {
    store.append(request(stream_name, data)).expect("it is taken")
}

/// Appends an event, durable.
#[track_caller]
pub(crate) fn put_event(store: &impl EventStore, event: Event) -> Receipt {
    store.append(AppendRequest::new().event(event)).expect("it is taken")
}

/// Appends an event that is written and, for all anybody knows, not synced.
#[track_caller]
pub(crate) fn write(store: &impl EventStore, event: Event) -> Receipt {
    store.append(AppendRequest::new().event(event).durability(Durability::Written)).expect("it is taken")
}

/// Makes durable what was accepted, and returns where the log ends.
#[track_caller]
pub(crate) fn settle(store: &impl EventStore) -> Position {
    store.append(AppendRequest::new()).expect("there is nothing to refuse").head
}

/// The conflict that a request ends in, which leaves nothing in the log.
#[track_caller]
pub(crate) fn conflict(store: &impl EventStore, request: AppendRequest) -> Conflict {
    let head = settle(store);
    match store.append(request) {
        Err(AppendError::Conflict(conflict)) => {
            assert_eq!(settle(store), head, "a conflict leaves nothing");
            conflict
        }
        outcome => panic!("no conflict, but {outcome:?}"),
    }
}

/// Everything that a cursor gives.
#[track_caller]
pub(crate) fn drain(mut cursor: impl EventCursor) -> Vec<StoredEvent> {
    let mut events = Vec::new();
    while let Some(record) = cursor.next_record() {
        let copy = StoredEvent::new(&record.expect("nothing is damaged"), Timestamp(0));
        let recorded_at = cursor.recorded_at().expect("an event was read");
        events.push(StoredEvent::new(&copy.record(), recorded_at));
    }
    assert!(cursor.next_record().is_none(), "a cursor that has ended goes on");
    events
}

#[track_caller]
pub(crate) fn read(store: &impl EventStore, read: Read) -> Vec<StoredEvent> {
    drain(store.read(read).expect("it can be read"))
}

/// The data of all events that a read gives.
#[track_caller]
pub(crate) fn texts(store: &impl EventStore, asked: Read) -> Vec<String> {
    read(store, asked).iter().map(|event| text(event.record())).collect()
}

/// The positions of all events that a read gives.
#[track_caller]
pub(crate) fn positions(store: &impl EventStore, asked: Read) -> Vec<u64> {
    read(store, asked).iter().map(|event| event.position().0).collect()
}

/// The data of an event, as text.
pub(crate) fn text(record: Record<'_>) -> String {
    String::from_utf8_lossy(record.data().bytes()).into_owned()
}

/// What a subscription said, without what it borrows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    Event(String),
    CaughtUp(u64),
    FellBehind(u64),
    Progress(u64),
    TimedOut(u64),
    Ended(u64),
}

/// A pace that says neither progress nor falling behind.
pub(crate) fn quiet() -> Pace {
    Pace { progress_every: Duration::MAX, behind_after: u64::MAX }
}

/// A pace that tells progress all the time.
pub(crate) fn eager() -> Pace {
    Pace { progress_every: Duration::from_millis(1), behind_after: u64::MAX }
}

#[track_caller]
pub(crate) fn subscribe<S: EventStore>(store: &S, read: Read, pace: Pace) -> S::Subscription {
    store.subscribe(read, pace).expect("it can be subscribed to")
}

/// What a subscription says next, within a time.
#[track_caller]
pub(crate) fn say_within(subscription: &mut impl EventSubscription, timeout: Duration) -> Said {
    let notice = subscription.next(timeout).expect("nothing is damaged");
    let position = notice.position();
    let said = match notice {
        Notice::Event(event) => Said::Event(text(event)),
        Notice::CaughtUp(position) => Said::CaughtUp(position.0),
        Notice::FellBehind(position) => Said::FellBehind(position.0),
        Notice::Progress(position) => Said::Progress(position.0),
        Notice::TimedOut(position) => Said::TimedOut(position.0),
        Notice::Ended(position) => Said::Ended(position.0),
        notice => panic!("{notice:?}"),
    };
    assert_eq!(subscription.position(), position, "{said:?}");
    said
}

/// What a subscription says next, and must.
#[track_caller]
pub(crate) fn say(subscription: &mut impl EventSubscription) -> Said {
    say_within(subscription, PATIENCE)
}

/// What a subscription says up to and including something.
#[track_caller]
pub(crate) fn say_until(subscription: &mut impl EventSubscription, last: &Said) -> Vec<Said> {
    let deadline = Instant::now() + PATIENCE;
    let mut all = Vec::new();
    while all.last() != Some(last) {
        assert!(Instant::now() < deadline, "{last:?} was not said, but {:?}", &all[all.len().saturating_sub(20)..]);
        all.push(say(subscription));
    }
    all
}

/// The events of these data, as said.
pub(crate) fn events(data: &[&str]) -> Vec<Said> {
    data.iter().map(|data| Said::Event((*data).to_owned())).collect()
}

/// The events of these data and one thing more, as said.
pub(crate) fn events_then(data: &[&str], last: Said) -> Vec<Said> {
    events(data).into_iter().chain([last]).collect()
}

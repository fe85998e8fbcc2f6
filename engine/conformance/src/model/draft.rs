//! What steps there are, and how they are drawn: few names, so that they meet.

use gesta_model::{Category, Durability, Event, EventType, NameKind, Query, QueryItem, StreamName, Tag, Uuid};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

/// The last of each list is one that no event has.
const STREAMS: [&str; 5] = ["order-1", "order-2", "user", "-odd", "order-9"];
const TYPES: [&str; 4] = ["Placed", "Paid", "Closed", "Never"];
const TAGS: [&str; 4] = ["a:1", "a:2", "b:1", "b:9"];
const CATEGORIES: [&str; 3] = ["order", "user", "odd"];

const DURABILITIES: [Durability; 3] = [Durability::Durable, Durability::Written, Durability::Buffered];

/// One thing that is done with a store.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Append(Draft),
    /// Several requests on their way together, waited for in the end.
    Submit(Vec<Draft>),
    /// One of the last requests is made again.
    Again {
        back: usize,
        change: Change,
        forgets_since: bool,
    },
    Read(ReadDraft),
    /// A subscription is followed until it has caught up, left and begun again on the way.
    Follow {
        read: ReadDraft,
        notice_count: u8,
        meanwhile: Draft,
    },
    Names {
        kind: NameKind,
        prefix: &'static str,
    },
    Reopen,
}

/// A request, before it is known where the log stands.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) events: Vec<EventDraft>,
    pub(super) checks: Vec<CheckDraft>,
    pub(super) durability: Durability,
    pub(super) is_named: bool,
    pub(super) missed_max: u32,
}

/// An event, without its id and data.
#[derive(Clone, Debug)]
pub(super) struct EventDraft {
    stream: Option<&'static str>,
    event_type: &'static str,
    tags: Vec<&'static str>,
}

/// A check; what it believes is so many steps behind or ahead of what is true.
#[derive(Clone, Debug)]
pub(super) enum CheckDraft {
    Any(&'static str),
    Exists(&'static str),
    Revision(&'static str, i8),
    NoEvents(Query, i8),
}

/// What differs when a request is made again.
#[derive(Clone, Copy, Debug)]
pub(super) enum Change {
    Nothing,
    FirstId,
    LastId,
    Data,
    NoRequestId,
}

/// A read; places are counted from the head backward.
#[derive(Clone, Debug)]
pub(super) struct ReadDraft {
    pub(super) of: Of,
    pub(super) from: Option<i8>,
    pub(super) from_revision: Option<u64>,
    /// Since the moment at which the event so far below the head was taken.
    pub(super) since: Option<i8>,
    pub(super) limit: Option<u64>,
    pub(super) is_backward: bool,
    pub(super) sees_unsynced: bool,
}

#[derive(Clone, Debug)]
pub(super) enum Of {
    Everything,
    Stream(&'static str),
    Query(Query),
}

impl EventDraft {
    /// The event, told from every other one by a number.
    pub(super) fn event(&self, number: u64) -> Event {
        let event = Event::new(EventType::new(self.event_type).expect("a type")).id(id(number));
        let event = event.data(number.to_string().repeat(1 + usize::try_from(number % 40).unwrap_or(0)));
        let tags = self.tags.iter().map(|tag| Tag::new(*tag).expect("a tag"));
        let streams = self.stream.into_iter().map(|name| StreamName::new(name).expect("a stream"));
        streams.fold(tags.fold(event, Event::tag), Event::stream)
    }
}

/// An id for a number.
pub(super) fn id(number: u64) -> Uuid {
    Uuid::from_u128(0x6e57_a000 << 64 | u128::from(number + 1))
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    use Change::{Data, FirstId, LastId, NoRequestId, Nothing};
    let change = select(&[Nothing, Nothing, Nothing, FirstId, LastId, LastId, Data, NoRequestId][..]);
    let kind = select(&[NameKind::Stream, NameKind::Category, NameKind::Type, NameKind::Tag][..]);
    let prefix = select(&["", "order-", "P", "a:", "none"][..]);
    prop_oneof![
        8 => draft().prop_map(Step::Append),
        2 => vec(draft(), 1..6).prop_map(Step::Submit),
        6 => (0..6_usize, change, any::<bool>())
            .prop_map(|(back, change, forgets_since)| Step::Again { back, change, forgets_since }),
        8 => read().prop_map(Step::Read),
        3 => (read(), 0..20_u8, draft())
            .prop_map(|(read, notice_count, meanwhile)| Step::Follow { read, notice_count, meanwhile }),
        2 => (kind, prefix).prop_map(|(kind, prefix)| Step::Names { kind, prefix }),
        1 => Just(Step::Reopen),
    ]
}

fn draft() -> impl Strategy<Value = Draft> {
    let durability = || (select(&DURABILITIES[..]), proptest::bool::weighted(0.6), 0..6_u32);
    // Retries are told by event ids where one stream is written under its expected revision.
    let of_one_stream = (stream(), vec(event(), 1..4), -2..2_i8, durability()).prop_map(
        |(stream, mut events, off, (durability, _, missed_max))| {
            events.iter_mut().for_each(|event| event.stream = Some(stream));
            let checks = vec![CheckDraft::Revision(stream, off.min(0))];
            Draft { events, checks, durability, is_named: false, missed_max }
        },
    );
    let of_any = (vec(event(), 0..5), vec(check(), 0..4), durability()).prop_map(
        |(events, checks, (durability, is_named, missed_max))| Draft {
            events,
            checks,
            durability,
            is_named,
            missed_max,
        },
    );
    prop_oneof![1 => of_one_stream, 2 => of_any]
}

fn stream() -> impl Strategy<Value = &'static str> {
    select(&STREAMS[..STREAMS.len() - 1])
}

fn event() -> impl Strategy<Value = EventDraft> {
    let types = select(&TYPES[..TYPES.len() - 1]);
    let tags = vec(select(&TAGS[..TAGS.len() - 1]), 0..3);
    (option::weighted(0.8, stream()), types, tags).prop_map(|(stream, event_type, tags)| EventDraft {
        stream,
        event_type,
        tags,
    })
}

fn check() -> impl Strategy<Value = CheckDraft> {
    let off = || prop_oneof![3 => Just(0), 1 => -4..3_i8];
    prop_oneof![
        1 => stream().prop_map(CheckDraft::Any),
        1 => stream().prop_map(CheckDraft::Exists),
        4 => (stream(), off()).prop_map(|(stream, off)| CheckDraft::Revision(stream, off)),
        4 => (query(), off()).prop_map(|(query, off)| CheckDraft::NoEvents(query, off)),
    ]
}

fn query() -> impl Strategy<Value = Query> {
    let types = prop_oneof![2 => Just(Vec::new()), 2 => vec(select(&TYPES[..]), 1..3)];
    let tags = prop_oneof![2 => Just(Vec::new()), 3 => vec(select(&TAGS[..]), 1..3)];
    let names = (option::weighted(0.2, select(&STREAMS[..])), option::weighted(0.2, select(&CATEGORIES[..])));
    let item = (types, tags, names).prop_map(|(types, tags, (stream, category))| QueryItem {
        types: types.into_iter().map(|name| EventType::new(name).expect("a type")).collect(),
        tags: tags.into_iter().map(|text| Tag::new(text).expect("a tag")).collect(),
        stream: stream.map(|name| StreamName::new(name).expect("a stream")),
        category: category.map(|name| Category::new(name).expect("a category")),
    });
    vec(item, 1..4).prop_map(|items| Query::new(items).expect("a few items"))
}

fn read() -> impl Strategy<Value = ReadDraft> {
    let of = prop_oneof![
        1 => Just(Of::Everything),
        2 => select(&STREAMS[..]).prop_map(Of::Stream),
        3 => query().prop_map(Of::Query),
    ];
    let place = || option::weighted(0.4, -2..40_i8);
    let bounds = (option::weighted(0.3, 0..9_u64), option::weighted(0.4, 0..9_u64));
    (of, place(), place(), bounds, any::<[bool; 2]>()).prop_map(
        |(of, from, since, (from_revision, limit), [is_backward, sees_unsynced])| ReadDraft {
            of,
            from,
            from_revision,
            since,
            limit,
            is_backward,
            sees_unsynced,
        },
    )
}

//! Every message there is, drawn at random.

use gesta_model::{
    AppendRequest, Category, Check, Damage, Durability, EncodedRequest, Event, EventType, ExpectedRevision,
    Incarnation, Limits, NameCount, NameKind, Pace, Position, ProjectionId, ProjectionReport, ProjectionState,
    ProjectionStatus, Query, QueryItem, Read, Revision, SnapshotInfo, SnapshotKey, StreamName, Tag, Timestamp, Uuid,
};
use gesta_protocol::{Code, Detail, ReadRequest, Refusal};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use std::time::Duration;

pub(crate) fn position() -> impl Strategy<Value = Position> {
    any::<u64>().prop_map(Position)
}

pub(crate) fn revision() -> impl Strategy<Value = Revision> {
    // All ones stand for no revision.
    (0..u64::MAX).prop_map(Revision)
}

pub(crate) fn incarnation() -> impl Strategy<Value = Incarnation> {
    (1..=u32::MAX).prop_map(Incarnation)
}

pub(crate) fn uuid() -> impl Strategy<Value = Uuid> {
    (1..=u128::MAX).prop_map(Uuid::from_u128)
}

pub(crate) fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[ -~]{0,40}", any::<String>()]
}

pub(crate) fn stream() -> impl Strategy<Value = StreamName> {
    prop_oneof!["[a-z]{1,8}(-[0-9]{1,3})?", any::<String>().prop_filter("no name", |text| !text.is_empty())]
        .prop_map(|name| StreamName::new(name).expect("a name"))
}

fn event_type() -> impl Strategy<Value = EventType> {
    "[ -~]{1,20}".prop_map(|name| EventType::new(name).expect("a type"))
}

fn tag() -> impl Strategy<Value = Tag> {
    "[ -9;-~]{1,8}:[ -~]{1,8}".prop_map(|tag| Tag::new(tag).expect("a tag"))
}

fn query_item() -> impl Strategy<Value = QueryItem> {
    let category = "[a-z ,|]{1,6}".prop_map(|name| Category::new(name).expect("a category"));
    (vec(event_type(), 0..3), vec(tag(), 0..3), option::of(stream()), option::of(category))
        .prop_map(|(types, tags, stream, category)| QueryItem { types, tags, stream, category })
}

pub(crate) fn query() -> impl Strategy<Value = Query> {
    vec(query_item(), 1..4).prop_map(|items| Query::new(items).expect("a query"))
}

pub(crate) fn expected() -> impl Strategy<Value = ExpectedRevision> {
    prop_oneof![
        Just(ExpectedRevision::Any),
        Just(ExpectedRevision::NoStream),
        Just(ExpectedRevision::StreamExists),
        any::<u64>().prop_map(|revision| ExpectedRevision::Exactly(Revision(revision))),
    ]
}

fn check() -> impl Strategy<Value = Check> {
    prop_oneof![
        (stream(), expected()).prop_map(|(stream, expected)| Check::Stream { stream, expected }),
        (query(), position()).prop_map(|(query, after)| Check::NoEvents { query, after }),
    ]
}

pub(crate) fn durability() -> impl Strategy<Value = Durability> {
    prop_oneof![Just(Durability::Buffered), Just(Durability::Written), Just(Durability::Durable)]
}

fn event() -> impl Strategy<Value = Event> {
    let payload = || (vec(any::<u8>(), 0..40), any::<bool>());
    let names = (event_type(), option::of(stream()), vec(tag(), 0..4));
    (names, uuid(), option::of(any::<i64>()), payload(), payload()).prop_map(
        |((event_type, stream, tags), id, time, (metadata, metadata_is_json), (data, data_is_json))| {
            let mut event = Event::new(event_type).id(id);
            event = stream.into_iter().fold(event, Event::stream);
            event = tags.into_iter().fold(event, Event::tag);
            event = time.map(Timestamp).into_iter().fold(event, Event::time);
            event = if metadata_is_json { event.metadata_json(metadata) } else { event.metadata(metadata) };
            if data_is_json { event.json(data) } else { event.data(data) }
        },
    )
}

pub(crate) fn append() -> impl Strategy<Value = EncodedRequest> {
    let parts = (vec(event(), 0..5), vec(check(), 0..5), durability(), option::of(uuid()), position(), any::<u32>());
    parts.prop_map(|(events, checks, durability, request_id, since, missed_max)| {
        let mut request = AppendRequest::new().events(events).since(since).return_missed(missed_max);
        request = request.durability(durability);
        for check in checks {
            request = match check {
                Check::Stream { stream, expected } => request.expect(stream, expected),
                Check::NoEvents { query, after } => request.unless(query, after),
                _ => unreachable!("no other check is drawn"),
            };
        }
        request = request_id.into_iter().fold(request, AppendRequest::request_id);
        request.encode(&Limits::default(), || unreachable!("all events have ids")).expect("within the limits")
    })
}

fn read() -> impl Strategy<Value = Read> {
    let selection = prop_oneof![Just(Read::all()), stream().prop_map(Read::stream), query().prop_map(Read::query)];
    let bounds = (option::of(position()), option::of(any::<u64>()), option::of(any::<i64>()), option::of(position()));
    (selection, bounds, any::<u64>(), any::<bool>(), any::<bool>()).prop_map(
        |(mut read, (from, from_revision, since, until), limit, is_backward, sees_unsynced)| {
            (read.from, read.from_revision) = (from, from_revision.map(Revision));
            (read.since, read.until, read.limit) = (since.map(Timestamp), until, limit);
            (read.is_backward, read.sees_unsynced) = (is_backward, sees_unsynced);
            read
        },
    )
}

pub(crate) fn snapshot_key() -> impl Strategy<Value = SnapshotKey> {
    stream().prop_map(|name| SnapshotKey::new(name.as_str()).expect("a key"))
}

pub(crate) fn snapshot_info() -> impl Strategy<Value = SnapshotInfo> {
    (snapshot_key(), any::<u32>(), position(), any::<u64>())
        .prop_map(|(key, schema, position, data_bytes)| SnapshotInfo { key, schema, position, data_bytes })
}

pub(crate) fn projection_name() -> impl Strategy<Value = String> {
    stream().prop_map(|name| name.as_str().to_owned())
}

fn projection_state() -> impl Strategy<Value = ProjectionState> {
    prop_oneof![
        Just(ProjectionState::Standby),
        Just(ProjectionState::CatchingUp),
        Just(ProjectionState::Building),
        Just(ProjectionState::Live),
        any::<u32>().prop_map(|by| ProjectionState::Superseded { by }),
        (text(), any::<u32>()).prop_map(|(error, failures)| ProjectionState::Retrying { error, failures }),
        text().prop_map(|error| ProjectionState::Failed { error }),
    ]
}

pub(crate) fn projection_status() -> impl Strategy<Value = ProjectionStatus> {
    // All ones stand for no estimate.
    let eta = option::of((0..u64::MAX).prop_map(Duration::from_millis));
    let id = (projection_name(), any::<u32>()).prop_map(|(name, version)| ProjectionId { name, version });
    (id, position(), any::<u64>(), any::<bool>(), any::<u64>(), eta, projection_state()).prop_map(
        |(projection, position, lag, is_serving, parked_count, eta, state)| ProjectionStatus {
            projection,
            position,
            lag,
            is_serving,
            parked_count,
            eta,
            state,
        },
    )
}

pub(crate) fn projection_report() -> impl Strategy<Value = ProjectionReport> {
    (projection_status(), any::<i64>(), any::<bool>()).prop_map(|(status, told_at, is_replay_due)| ProjectionReport {
        status,
        told_at: Timestamp(told_at),
        is_replay_due,
    })
}

pub(crate) fn read_request() -> impl Strategy<Value = ReadRequest> {
    let interval = prop_oneof![Just(Duration::MAX), (1..u32::MAX).prop_map(|ms| Duration::from_millis(ms.into()))];
    let pace =
        (interval, any::<u64>()).prop_map(|(progress_every, behind_after)| Pace { progress_every, behind_after });
    let snapshot = prop_oneof![3 => Just(None), 1 => (snapshot_key(), any::<u32>()).prop_map(Some)];
    (read(), option::of(pace), any::<bool>(), option::of(incarnation()), any::<u32>(), snapshot).prop_map(
        |(mut read, mut follow, takes_batches, mut given_in, credit, snapshot)| {
            if snapshot.is_some() {
                // Where such a read begins is for the server to say.
                (read.from, read.from_revision, read.since, read.is_backward) = (None, None, None, false);
                (follow, given_in) = (None, None);
            }
            ReadRequest { read, follow, takes_batches, given_in, credit, snapshot }
        },
    )
}

pub(crate) fn name_kind() -> impl Strategy<Value = NameKind> {
    prop_oneof![Just(NameKind::Stream), Just(NameKind::Category), Just(NameKind::Type), Just(NameKind::Tag)]
}

pub(crate) fn name_count() -> impl Strategy<Value = NameCount> {
    (text(), any::<u64>(), position(), option::of(revision()))
        .prop_map(|(name, count, last, last_revision)| NameCount { name, count, last, last_revision })
}

pub(crate) fn damage() -> impl Strategy<Value = Damage> {
    (text(), any::<u64>(), any::<u64>(), any::<u64>(), text()).prop_map(|(file, offset, one, other, what)| Damage {
        file,
        offset,
        positions: Position(one.min(other))..Position(one.max(other)),
        what,
    })
}

fn detail(code: Code) -> BoxedStrategy<Detail> {
    let detail = match code {
        Code::RequestIdReused => (uuid(), position()).prop_map(|(id, first)| Detail::RequestId { id, first }).boxed(),
        Code::PartialMatch => (stream(), revision(), position())
            .prop_map(|(stream, revision, position)| Detail::Partial { stream, revision, position })
            .boxed(),
        Code::StorageFull => any::<u64>().prop_map(Detail::Bytes).boxed(),
        Code::LostTail => {
            (incarnation(), position()).prop_map(|(given_in, position)| Detail::Lost { given_in, position }).boxed()
        }
        Code::SnapshotAhead => {
            (position(), position()).prop_map(|(position, head)| Detail::Ahead { position, head }).boxed()
        }
        Code::SnapshotTooLarge => {
            (any::<u64>(), any::<u64>()).prop_map(|(bytes, max)| Detail::Length { bytes, max }).boxed()
        }
        Code::ProjectionBehind => (position(), position(), any::<u64>())
            .prop_map(|(position, wanted, ms)| Detail::Behind { position, wanted, waited: Duration::from_millis(ms) })
            .boxed(),
        Code::ProjectionEnded => text().prop_map(Detail::Reason).boxed(),
        _ => Just(Detail::None).boxed(),
    };
    prop_oneof![1 => Just(Detail::None), 3 => detail].boxed()
}

/// Refusals of every code, known or not.
pub(crate) fn refusal() -> impl Strategy<Value = Refusal> {
    let known = proptest::sample::select(Code::ALL);
    let known = known.prop_flat_map(|code| detail(code).prop_map(move |detail| (code as u16, detail)));
    let unknown = any::<u16>().prop_filter("a known code", |code| Code::of(*code).is_none());
    let code = prop_oneof![9 => known, 1 => unknown.prop_map(|code| (code, Detail::None))];
    (code, any::<bool>(), any::<bool>(), text()).prop_map(|((code, detail), is_fatal, may_retry, message)| Refusal {
        code,
        is_fatal,
        may_retry,
        message,
        detail,
    })
}

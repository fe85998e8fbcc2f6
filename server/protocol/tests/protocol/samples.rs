//! One message of each kind and more of those that have forms.

use gesta_model::codec::{BatchHeader, BatchKind, HEADERS_BYTES, StoreKey, body_crc};
use gesta_model::{
    AppendRequest, Conflict, Damage, Durability, EncodedRequest, Event, EventType, ExpectedRevision, Explanation,
    FailedCheck, Incarnation, Limits, NameCount, NameKind, Pace, Position, ProjectionId, ProjectionReport,
    ProjectionState, ProjectionStatus, Query, Read, Receipt, Record, Revision, SnapshotInfo, SnapshotKey, StoredEvent,
    StreamName, Tag, Timestamp, Uuid,
};
use gesta_protocol::{
    Answer, Append, Batches, Begun, Code, Detail, Ended, Events, EventsEncoder, FRAME_HEADER_BYTES, Hello,
    IndexFindings, LogFindings, NamesPart, Plane, ProjectionsPart, ReadRequest, Refusal, Request, SaveSnapshot,
    SnapshotsPart, Standing, StandingRequest, WaitForProjection, Welcome, Work,
};
use std::borrow::Cow;
use std::time::Duration;

/// Which end sent a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Client,
    Server,
}

/// A frame, with a name that tells it from the others of its kind.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) end: End,
    pub(crate) name: &'static str,
    pub(crate) frame: Vec<u8>,
}

/// The request that all frames of an example belong to.
pub(crate) const ID: u64 = 7;
pub(crate) const RECORDED_AT: Timestamp = Timestamp(1_700_000_001_000_000_000);

pub(crate) fn stream(name: &str) -> StreamName {
    StreamName::new(name).unwrap()
}

pub(crate) fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// The event of the example in docs/FORMAT.md.
pub(crate) fn order_placed() -> Event {
    Event::new(EventType::new("OrderPlaced").unwrap())
        .stream(stream("order-17"))
        .id(id(0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10))
        .time(Timestamp(1_700_000_000_123_456_789))
        .tag(Tag::new("customer:4").unwrap())
        .tag(Tag::new("country:nl").unwrap())
        .metadata(vec![1, 2, 3])
        .json(r#"{"total":12}"#)
}

/// A request with every part: two events, all kinds of checks, a request id.
pub(crate) fn whole_append() -> EncodedRequest {
    let bare = Event::new(EventType::new("Counted").unwrap()).id(id(2));
    let request = AppendRequest::new()
        .events([order_placed(), bare])
        .expect(stream("order-17"), ExpectedRevision::Exactly(Revision(2)))
        .expect(stream("order-18"), ExpectedRevision::NoStream)
        .expect(stream("order-19"), ExpectedRevision::StreamExists)
        .expect(stream("order-20"), ExpectedRevision::Any)
        .unless("type=OrderPaid tag=customer:4 | stream=order-17".parse().unwrap(), Position(40))
        .request_id(id(0x6b1f_0c52_2f0e_4a53_9d0a_0f2c_5f1f_6a01))
        .since(Position(39))
        .return_missed(10)
        .durability(Durability::Written);
    request.encode(&Limits::default(), || unreachable!("the events have ids")).unwrap()
}

/// The request's bytes, with events that have their places from 41 on.
fn placed() -> EncodedRequest {
    let mut request = whole_append();
    request.place(Position(41), |stream| if stream.is_some() { 3 } else { u64::MAX });
    request
}

/// The body of a frame of two events.
pub(crate) fn events_frame() -> Vec<u8> {
    let (request, mut encoder) = (placed(), EventsEncoder::events(ID));
    for (_, record) in request.records(Position(41)) {
        encoder.event(RECORDED_AT, &record);
    }
    encoder.finish()
}

/// The body of a frame of one batch of two events.
pub(crate) fn batches_frame() -> Vec<u8> {
    let request = placed();
    let header = BatchHeader {
        previous: 0,
        durable: Position(41),
        incarnation: Incarnation(2),
        base: Position(41),
        reign: 0,
        index: 0,
        recorded_at: RECORDED_AT,
        count: 2,
        body_bytes: u32::try_from(request.bytes().len()).unwrap(),
        body_crc: body_crc(request.bytes()),
        kind: BatchKind::Events,
        flags: 0,
    };
    let mut headers = [0; HEADERS_BYTES];
    header.encode(&StoreKey([7; 16]), &mut headers);
    let mut encoder = EventsEncoder::batches(ID);
    encoder.batch(&[&BatchHeader::portable(&headers)[..], request.bytes()].concat());
    encoder.finish()
}

fn conflict() -> Conflict {
    let (request, query) = (placed(), "type=OrderPaid".parse::<Query>().unwrap());
    let missed =
        request.records(Position(41)).map(|(_, record): (_, Record<'_>)| StoredEvent::new(&record, RECORDED_AT));
    let failed = |expected, actual| FailedCheck::Stream { stream: stream("order-17"), expected, actual };
    Conflict {
        failed: vec![
            failed(ExpectedRevision::NoStream, Some(Revision(3))),
            failed(ExpectedRevision::Exactly(Revision(2)), None),
            FailedCheck::Query { query, after: Position(40), found: Position(41) },
        ],
        head: Position(43),
        missed: missed.collect(),
    }
}

fn damage() -> Damage {
    Damage {
        file: "0000000001-0000.log".to_owned(),
        offset: 4176,
        positions: Position(3)..Position(5),
        what: "batch body checksum does not match".to_owned(),
    }
}

fn welcome() -> Welcome {
    Welcome {
        version: 1,
        features: 0,
        store_id: id(0x1111_2222_3333_4444_5555_6666_7777_8888),
        incarnation: Incarnation(2),
        head: Position(41),
        frame_bytes_max: 34 << 20,
        limits: Limits::default(),
        requests_in_flight_max: 1024,
        heartbeat_ms: 15_000,
        idle_timeout_ms: 60_000,
        agent: "gesta 0.1.0".to_owned(),
    }
}

fn key(text: &str) -> SnapshotKey {
    SnapshotKey::new(text).unwrap()
}

fn reads() -> [(&'static str, ReadRequest); 4] {
    let plain = |read| ReadRequest {
        read,
        follow: None,
        takes_batches: false,
        given_in: None,
        credit: 1 << 20,
        snapshot: None,
    };
    let query = Read::query("type=OrderPlaced tag=customer:4".parse().unwrap());
    let pace = Pace { progress_every: Duration::from_secs(5), behind_after: 10_000 };
    let newest = Read::stream(stream("order-17")).from_revision(Revision(3)).limit(10).backwards().unsynced();
    [
        ("Read everything", ReadRequest { takes_batches: true, ..plain(Read::all().until(Position(43))) }),
        ("Read a stream", plain(newest)),
        (
            "Read a query and follow",
            ReadRequest {
                follow: Some(pace),
                given_in: Some(Incarnation(2)),
                ..plain(query.from(Position(41)).since(RECORDED_AT))
            },
        ),
        (
            "Read after a snapshot",
            ReadRequest { snapshot: Some((key("order-17"), 2)), ..plain(Read::stream(stream("order-17"))) },
        ),
    ]
}

/// How a projection is doing.
fn status(version: u32, state: ProjectionState) -> ProjectionStatus {
    ProjectionStatus {
        projection: ProjectionId { name: "orders".to_owned(), version },
        position: Position(41),
        lag: 2,
        is_serving: matches!(state, ProjectionState::Retrying { .. }),
        parked_count: 1,
        eta: matches!(state, ProjectionState::Building).then_some(Duration::from_millis(1500)),
        state,
    }
}

/// One status of each form.
fn statuses() -> Vec<ProjectionStatus> {
    let error = || "no table".to_owned();
    vec![
        status(1, ProjectionState::Superseded { by: 2 }),
        status(2, ProjectionState::Retrying { error: error(), failures: 3 }),
        status(3, ProjectionState::Building),
        status(4, ProjectionState::Failed { error: error() }),
    ]
}

/// Every kind of request.
fn requests(out: &mut Vec<Sample>) {
    let append = whole_append();
    let pure_check = AppendRequest::new().expect(stream("order-17"), ExpectedRevision::StreamExists);
    let pure_check = pure_check.encode(&Limits::default(), Uuid::nil).unwrap();
    let standing = StandingRequest { given: Some((Incarnation(1), Position(40))), stream: Some(stream("order-17")) };
    let snapshot = SaveSnapshot { key: key("order-17"), schema: 2, position: Position(43), data: b"{\"paid\":true}" };
    let wait = WaitForProjection { name: "orders", position: Position(43), timeout: Duration::from_secs(30) };
    let mut all = vec![
        ("Hello", Request::Hello(Hello::new(Plane::Append, "orders", "gesta_secret", "example 1.0"))),
        ("Hello without a token", Request::Hello(Hello::new(Plane::Read, "orders", "", ""))),
        ("Ping", Request::Ping),
        ("Pong", Request::Pong),
        ("Credit", Request::Credit(65_536)),
        ("Cancel", Request::Cancel),
        ("Append", Request::Append(Append::Encoded(&append))),
        ("Append a check alone", Request::Append(Append::Encoded(&pure_check))),
        ("CreateStore", Request::CreateStore("orders")),
        ("RebuildIndex", Request::RebuildIndex),
        ("AskStanding", Request::Standing(standing)),
        ("AskStanding of the head", Request::Standing(StandingRequest::default())),
        ("FindEvent", Request::FindEvent(id(2))),
        ("AskNames", Request::Names(NameKind::Stream, "order-")),
        ("AskStatistics", Request::Statistics),
        ("Verify", Request::Verify { is_deep: true }),
        ("VerifyIndex", Request::VerifyIndex),
        ("ListStores", Request::ListStores),
        ("FindReceipt", Request::FindReceipt(id(3))),
        ("SaveSnapshot", Request::SaveSnapshot(snapshot)),
        ("DropSnapshots", Request::DropSnapshots("order-")),
        ("AskSnapshots", Request::Snapshots("order-")),
        ("TellProjections", Request::TellProjections(Cow::Owned(statuses()))),
        ("AskProjections", Request::Projections("ord")),
        ("WaitForProjection", Request::WaitForProjection(wait)),
        ("ReplayParked", Request::ReplayParked("orders")),
    ];
    all.extend(reads().map(|(name, read)| (name, Request::Read(Box::new(read)))));
    for (name, request) in all {
        let mut frame = Vec::new();
        request.encode(ID, &mut frame);
        out.push(Sample { end: End::Client, name, frame });
    }
}

fn refusals() -> [(&'static str, Refusal); 9] {
    let with = |code, detail| Refusal { detail, ..Refusal::new(code, "a message") };
    [
        ("Refused", Refusal::new(Code::FrameTooLarge, "a frame of 101 bytes, at most 100 are taken").fatal()),
        ("Refused RequestIdReused", with(Code::RequestIdReused, Detail::RequestId { id: id(9), first: Position(4) })),
        (
            "Refused PartialMatch",
            with(
                Code::PartialMatch,
                Detail::Partial { stream: stream("order-17"), revision: Revision(3), position: Position(41) },
            ),
        ),
        ("Refused StorageFull", with(Code::StorageFull, Detail::Bytes(1 << 28))),
        (
            "Refused SnapshotAhead",
            with(Code::SnapshotAhead, Detail::Ahead { position: Position(44), head: Position(43) }),
        ),
        ("Refused SnapshotTooLarge", with(Code::SnapshotTooLarge, Detail::Length { bytes: 17 << 20, max: 16 << 20 })),
        (
            "Refused ProjectionBehind",
            with(
                Code::ProjectionBehind,
                Detail::Behind { position: Position(41), wanted: Position(43), waited: Duration::from_secs(30) },
            ),
        ),
        ("Refused ProjectionEnded", with(Code::ProjectionEnded, Detail::Reason("no table".to_owned()))),
        ("Refused LostTail", with(Code::LostTail, Detail::Lost { given_in: Incarnation(1), position: Position(40) })),
    ]
}

/// Every kind of answer.
fn answers(out: &mut Vec<Sample>) {
    let (events, batches) = (events_frame(), batches_frame());
    let explanation = Explanation { lists_read: 1, segments_asked: 2, segments_skipped: 3, records_touched: 4 };
    let receipt = Receipt {
        positions: Position(41)..Position(43),
        revisions: vec![(stream("order-17"), Revision(3))],
        head: Position(43),
        durability: Durability::Durable,
        incarnation: Incarnation(2),
    };
    let name =
        |name: &str, last_revision| NameCount { name: name.to_owned(), count: 4, last: Position(41), last_revision };
    let names = vec![name("order-17", Some(Revision(3))), name("order-18", None)];
    let index = IndexFindings {
        whole: 2,
        bytes: 65_536,
        damaged: vec![("0000000001-0000.idx".to_owned(), "a block is wrong".to_owned())],
        missing: vec!["0000000002-0000.idx".to_owned()],
    };
    let snapshot = |name: &str| SnapshotInfo { key: key(name), schema: 2, position: Position(43), data_bytes: 13 };
    let snapshots = vec![snapshot("order-17"), snapshot("order-18")];
    let states = [ProjectionState::Live, ProjectionState::CatchingUp, ProjectionState::Standby];
    let projections = states.into_iter().zip(1..).map(|(state, version)| ProjectionReport {
        status: status(version, state),
        told_at: RECORDED_AT,
        is_replay_due: version == 2,
    });
    let projections = projections.collect();
    let standing =
        Standing { head: Position(43), incarnation: Incarnation(2), is_lost: false, revision: Some(Revision(3)) };
    let mut all = vec![
        ("Welcome", Answer::Welcome(Box::new(welcome()))),
        ("Ping", Answer::Ping),
        ("Pong", Answer::Pong),
        ("Closing", Answer::Closing),
        ("Done", Answer::Done),
        ("Working", Answer::Working(Work { done: 3, total: 8 })),
        ("Receipt", Answer::Receipt(receipt)),
        ("Conflict", Answer::Conflict(conflict())),
        ("Begun", Answer::Begun(Begun { head: Position(43), incarnation: Incarnation(2) })),
        ("Events", Answer::Events(Events::new(&events[FRAME_HEADER_BYTES..]))),
        ("Batches", Answer::Batches(Batches::new(&batches[FRAME_HEADER_BYTES..]))),
        ("Damaged", Answer::Damaged(damage())),
        ("CaughtUp", Answer::CaughtUp(Position(43))),
        ("FellBehind", Answer::FellBehind(Position(44))),
        ("Progress", Answer::Progress(Position(45))),
        ("TooSlow", Answer::TooSlow(Position(46))),
        ("Ended", Answer::Ended(Ended { position: Position(43), explanation })),
        ("Standing", Answer::Standing(standing)),
        ("Standing of the head", Answer::Standing(Standing { is_lost: true, revision: None, ..standing })),
        ("Names", Answer::Names(NamesPart { has_more: true, names })),
        ("Statistics", Answer::Statistics(r#"{"events":43}"#)),
        ("LogFindings", Answer::LogFindings(LogFindings { events: 41, damage: vec![damage()] })),
        ("IndexFindings", Answer::IndexFindings(index)),
        ("Stores", Answer::Stores(vec!["default".to_owned(), "orders".to_owned()])),
        ("Dropped", Answer::Dropped(3)),
        ("Snapshot", Answer::Snapshot(Some((Position(43), b"{\"paid\":true}")))),
        ("Snapshot that is not there", Answer::Snapshot(None)),
        ("Snapshots", Answer::Snapshots(SnapshotsPart { has_more: false, snapshots })),
        ("Told", Answer::Told(vec!["orders".to_owned()])),
        ("Projections", Answer::Projections(ProjectionsPart { has_more: false, projections })),
    ];
    all.extend(refusals().map(|(name, refusal)| (name, Answer::Refused(refusal))));
    for (name, answer) in all {
        let mut frame = Vec::new();
        answer.encode(ID, &mut frame);
        out.push(Sample { end: End::Server, name, frame });
    }
}

/// A frame of every kind, and of every form that a kind has.
pub(crate) fn samples() -> Vec<Sample> {
    let mut samples = Vec::new();
    requests(&mut samples);
    answers(&mut samples);
    samples
}

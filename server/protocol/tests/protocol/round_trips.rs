//! What one end says is what the other one hears, whatever it is.

use crate::hearing::take;
use crate::samples::End;
use crate::strategies::*;
use gesta_model::{
    AppendRequest, Conflict, EncodedRequest, Event, EventType, Explanation, FailedCheck, Limits, Position, Receipt,
    Revision, StoredEvent, Timestamp, Uuid,
};
use gesta_protocol::{
    ANSWER_BYTES_MAX, Answer, Append, Begun, Ended, EventsEncoder, FrameBuffer, Hello, IndexFindings, Kind,
    LogFindings, NamesPart, Plane, ProjectionsPart, Request, SaveSnapshot, SnapshotsPart, Standing, StandingRequest,
    WaitForProjection, Welcome, Work,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use std::borrow::Cow;
use std::time::Duration;

/// What is said goes over whole: every field in words, and the same bytes when it is said again.
fn goes_over(end: End, id: u64, kind: Kind, words: &str, frame: &[u8]) -> Result<(), TestCaseError> {
    let said = take(end, frame).map_err(|fault| TestCaseError::fail(format!("{kind:?}: {fault:?}")))?;
    prop_assert_eq!((said.kind, said.id), (kind, id));
    prop_assert_eq!(said.words, words);
    prop_assert_eq!(said.again, frame);
    Ok(())
}

fn request_goes_over(id: u64, request: &Request<'_>) -> Result<(), TestCaseError> {
    let mut frame = Vec::new();
    request.encode(id, &mut frame);
    goes_over(End::Client, id, request.kind(), &format!("{request:?}"), &frame)
}

fn answer_goes_over(id: u64, answer: &Answer<'_>) -> Result<(), TestCaseError> {
    let mut frame = Vec::new();
    answer.encode(id, &mut frame);
    goes_over(End::Server, id, answer.kind(), &format!("{answer:?}"), &frame)
}

/// The events of a request, each at its place from 10 on.
fn stored(mut request: EncodedRequest) -> Vec<StoredEvent> {
    request.place(Position(10), |stream| if stream.is_some() { 4 } else { u64::MAX });
    request.records(Position(10)).map(|(_, record)| StoredEvent::new(&record, Timestamp(-5))).collect()
}

fn bare_request() -> impl Strategy<Value = Request<'static>> {
    prop_oneof![
        Just(Request::Ping),
        Just(Request::Pong),
        any::<u32>().prop_map(Request::Credit),
        Just(Request::Cancel),
        Just(Request::RebuildIndex),
        read_request().prop_map(|read| Request::Read(Box::new(read))),
        (option::of((incarnation(), position())), option::of(stream()))
            .prop_map(|(given, stream)| Request::Standing(StandingRequest { given, stream })),
        uuid().prop_map(Request::FindEvent),
        uuid().prop_map(Request::FindReceipt),
        Just(Request::Statistics),
        any::<bool>().prop_map(|is_deep| Request::Verify { is_deep }),
        Just(Request::VerifyIndex),
        Just(Request::ListStores),
    ]
}

fn welcome() -> impl Strategy<Value = Welcome> {
    let limits = any::<[u32; 4]>().prop_map(|[data, metadata, events, bytes]| Limits {
        data_bytes_max: data as usize,
        metadata_bytes_max: metadata as usize,
        request_events_max: events as usize,
        request_bytes_max: bytes as usize,
    });
    (any::<u16>(), any::<u64>(), uuid(), incarnation(), position(), limits, any::<[u32; 4]>(), text()).prop_map(
        |(version, features, store_id, incarnation, head, limits, numbers, agent)| {
            let [frame_bytes_max, requests_in_flight_max, heartbeat_ms, idle_timeout_ms] = numbers;
            Welcome {
                version,
                features,
                store_id,
                incarnation,
                head,
                frame_bytes_max,
                limits,
                requests_in_flight_max,
                heartbeat_ms,
                idle_timeout_ms,
                agent,
            }
        },
    )
}

fn receipt() -> impl Strategy<Value = Receipt> {
    let positions =
        (any::<u64>(), any::<u64>()).prop_map(|(one, other)| Position(one.min(other))..Position(one.max(other)));
    (positions, vec((stream(), any::<u64>().prop_map(Revision)), 0..4), position(), durability(), incarnation())
        .prop_map(|(positions, revisions, head, durability, incarnation)| Receipt {
            positions,
            revisions,
            head,
            durability,
            incarnation,
        })
}

fn conflict() -> impl Strategy<Value = Conflict> {
    let failed = prop_oneof![
        (stream(), expected(), option::of(revision())).prop_map(|(stream, expected, actual)| FailedCheck::Stream {
            stream,
            expected,
            actual
        }),
        (query(), position(), position()).prop_map(|(query, after, found)| FailedCheck::Query { query, after, found }),
    ];
    (vec(failed, 0..4), position(), append()).prop_map(|(failed, head, request)| Conflict {
        failed,
        head,
        missed: stored(request),
    })
}

fn ended() -> impl Strategy<Value = Ended> {
    (position(), any::<[u64; 4]>()).prop_map(|(position, numbers)| {
        let [lists_read, segments_asked, segments_skipped, records_touched] = numbers;
        Ended { position, explanation: Explanation { lists_read, segments_asked, segments_skipped, records_touched } }
    })
}

fn report() -> impl Strategy<Value = Answer<'static>> {
    let index = (any::<u64>(), any::<u64>(), vec((text(), text()), 0..4), vec(text(), 0..4));
    prop_oneof![
        (any::<u64>(), any::<u64>()).prop_map(|(done, total)| Answer::Working(Work { done, total })),
        damage().prop_map(Answer::Damaged),
        (any::<u64>(), vec(damage(), 0..4))
            .prop_map(|(events, damage)| Answer::LogFindings(LogFindings { events, damage })),
        index.prop_map(|(whole, bytes, damaged, missing)| {
            Answer::IndexFindings(IndexFindings { whole, bytes, damaged, missing })
        }),
        vec(text(), 0..4).prop_map(Answer::Stores),
        vec(text(), 0..4).prop_map(Answer::Told),
        (any::<bool>(), vec(projection_report(), 0..4))
            .prop_map(|(has_more, projections)| Answer::Projections(ProjectionsPart { has_more, projections })),
        any::<u64>().prop_map(Answer::Dropped),
        (any::<bool>(), vec(snapshot_info(), 0..4))
            .prop_map(|(has_more, snapshots)| Answer::Snapshots(SnapshotsPart { has_more, snapshots })),
        (any::<bool>(), vec(name_count(), 0..4))
            .prop_map(|(has_more, names)| Answer::Names(NamesPart { has_more, names })),
    ]
}

fn bare_answer() -> impl Strategy<Value = Answer<'static>> {
    prop_oneof![
        prop_oneof![Just(Answer::Ping), Just(Answer::Pong), Just(Answer::Closing), Just(Answer::Done)],
        welcome().prop_map(|welcome| Answer::Welcome(Box::new(welcome))),
        refusal().prop_map(Answer::Refused),
        receipt().prop_map(Answer::Receipt),
        conflict().prop_map(Answer::Conflict),
        (position(), incarnation()).prop_map(|(head, incarnation)| Answer::Begun(Begun { head, incarnation })),
        position().prop_map(Answer::CaughtUp),
        position().prop_map(Answer::FellBehind),
        position().prop_map(Answer::Progress),
        position().prop_map(Answer::TooSlow),
        ended().prop_map(Answer::Ended),
        (position(), incarnation(), any::<bool>(), option::of(revision())).prop_map(
            |(head, incarnation, is_lost, revision)| {
                Answer::Standing(Standing { head, incarnation, is_lost, revision })
            }
        ),
        report(),
    ]
}

proptest! {
    #[test]
    fn requests_are_heard_as_they_were_said(id in any::<u64>(), request in bare_request()) {
        request_goes_over(id, &request)?;
    }

    #[test]
    fn requests_that_borrow_are_heard_as_they_were_said(
        id in any::<u64>(), kind in name_kind(), text in text(), token in text(), versions in any::<[u16; 2]>(),
    ) {
        request_goes_over(id, &Request::Names(kind, &text))?;
        request_goes_over(id, &Request::CreateStore(&text))?;
        request_goes_over(id, &Request::DropSnapshots(&text))?;
        request_goes_over(id, &Request::Snapshots(&text))?;
        for plane in [Plane::Append, Plane::Read] {
            let [version_min, version_max] = versions;
            let hello = Hello { plane, version_min, version_max, features: id, store: &text, token: &token, agent: "a" };
            request_goes_over(id, &Request::Hello(hello.clone()))?;
            let mut frame = Vec::new();
            Request::Hello(hello.clone()).encode(id, &mut frame);
            let mut buffer = FrameBuffer::new(u32::MAX);
            buffer.extend(&frame);
            // The words for a hello keep its token secret, so they alone would not tell.
            let Ok(Request::Hello(heard)) = Request::decode(&buffer.next_frame().unwrap().unwrap()) else { panic!() };
            prop_assert_eq!(heard, hello);
        }
    }

    #[test]
    fn appends_are_heard_as_they_were_encoded(id in any::<u64>(), request in append()) {
        let mut frame = Vec::new();
        Request::Append(Append::Encoded(&request)).encode(id, &mut frame);
        let mut buffer = FrameBuffer::new(u32::MAX);
        buffer.extend(&frame);
        let heard = Request::decode(&buffer.next_frame().unwrap().unwrap()).unwrap();
        let mut again = Vec::new();
        heard.encode(id, &mut again);
        prop_assert_eq!(&again, &frame);
        let Request::Append(Append::Foreign(heard)) = heard else { panic!("{heard:?}") };
        prop_assert_eq!(heard.accept(&Limits::default()), Ok(request));
    }

    #[test]
    fn snapshots_are_heard_as_they_were_said(
        id in any::<u64>(), key in snapshot_key(), schema in any::<u32>(), position in position(),
        data in vec(any::<u8>(), 0..40),
    ) {
        request_goes_over(id, &Request::SaveSnapshot(SaveSnapshot { key, schema, position, data: &data }))?;
        answer_goes_over(id, &Answer::Snapshot(Some((position, &data))))?;
        answer_goes_over(id, &Answer::Snapshot(None))?;
    }

    #[test]
    fn what_is_asked_of_projections_is_heard_as_it_was_said(
        id in any::<u64>(), statuses in vec(projection_status(), 0..4), name in projection_name(), text in text(),
        position in position(), timeout_ms in any::<u64>(),
    ) {
        let wait = WaitForProjection { name: &name, position, timeout: Duration::from_millis(timeout_ms) };
        request_goes_over(id, &Request::WaitForProjection(wait))?;
        request_goes_over(id, &Request::TellProjections(Cow::Owned(statuses)))?;
        request_goes_over(id, &Request::Projections(&text))?;
        request_goes_over(id, &Request::ReplayParked(&name))?;
    }

    #[test]
    fn answers_are_heard_as_they_were_said(id in any::<u64>(), answer in bare_answer(), json in text()) {
        answer_goes_over(id, &answer)?;
        answer_goes_over(id, &Answer::Statistics(&json))?;
    }

    #[test]
    fn events_are_heard_as_they_were_said(id in any::<u64>(), request in append()) {
        let (events, mut encoder) = (stored(request), EventsEncoder::events(id));
        for event in &events {
            encoder.event(event.recorded_at(), &event.record());
        }
        let frame = encoder.finish();
        let mut buffer = FrameBuffer::new(u32::MAX);
        buffer.extend(&frame);
        let Ok(Answer::Events(heard)) = Answer::decode(&buffer.next_frame().unwrap().unwrap()) else { panic!() };
        let heard: Result<Vec<_>, _> = heard.map(|event| event.map(|event| StoredEvent::new(&event.record, event.recorded_at))).collect();
        prop_assert_eq!(heard.unwrap(), events);
    }
}

/// The number of missed events is bounded by what was asked, their size by nothing: a thousand events of 16 MiB are no frame.
#[test]
fn missed_events_end_before_a_conflict_outgrows_its_frame() {
    let event = |number: u128| {
        let event = Event::new(EventType::new("Large").unwrap()).id(Uuid::from_u128(number));
        event.data(vec![0; 15 << 20])
    };
    let limits = Limits { request_bytes_max: 64 << 20, ..Limits::default() };
    let request = AppendRequest::new().events((1..4).map(event)).encode(&limits, Uuid::nil).unwrap();
    let missed = stored(request);
    assert_eq!(missed.len(), 3);
    let mut frame = Vec::new();
    Answer::Conflict(Conflict { failed: Vec::new(), head: Position(9), missed }).encode(1, &mut frame);
    let mut buffer = FrameBuffer::new(ANSWER_BYTES_MAX);
    buffer.extend(&frame);
    let Ok(Answer::Conflict(heard)) = Answer::decode(&buffer.next_frame().unwrap().unwrap()) else { panic!() };
    assert_eq!(heard.missed.iter().map(StoredEvent::position).collect::<Vec<_>>(), [Position(10), Position(11)]);
}

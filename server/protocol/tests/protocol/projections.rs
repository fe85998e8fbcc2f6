//! Projections over the wire: what no honest end says of them, and what becomes of what is too long.

use crate::hearing::{Fault, Said, take};
use crate::samples::End;
use gesta_model::{Position, ProjectionId, ProjectionState, ProjectionStatus, ReadError, WaitError};
use gesta_protocol::{
    Answer, Code, FRAME_HEADER_BYTES, FieldError, FrameBuffer, Kind, Refusal, Request, TOLD_MAX, WaitForProjection,
};
use std::borrow::Cow;
use std::time::Duration;

fn status(name: &str, state: ProjectionState) -> ProjectionStatus {
    let projection = ProjectionId { name: name.to_owned(), version: 1 };
    ProjectionStatus { projection, position: Position(3), lag: 0, is_serving: true, parked_count: 0, eta: None, state }
}

fn asked(request: &Request<'_>) -> Result<Said, Fault> {
    let mut frame = Vec::new();
    request.encode(7, &mut frame);
    take(End::Client, &frame)
}

/// A refusal that ends its request and not the connection.
#[track_caller]
fn assert_unacceptable(taken: Result<Said, Fault>, field: &str) {
    let Err(Fault::Field(error)) = taken else { panic!("{taken:?}") };
    assert!(matches!(&error, FieldError::Unacceptable { field: found, .. } if *found == field), "{error:?}");
    let refusal = Refusal::from(&error);
    assert_eq!((refusal.known_code(), refusal.is_fatal), (Some(Code::Request), false), "{error}");
}

#[test]
fn names_and_tellings_have_a_length() {
    let longest = "p".repeat(1024);
    for (name, is_one) in [("p", true), (longest.as_str(), true), ("", true), (&"p".repeat(1025), false)] {
        let wait = WaitForProjection { name, position: Position(1), timeout: Duration::ZERO };
        for request in [
            Request::TellProjections(Cow::Owned(vec![status(name, ProjectionState::Live)])),
            Request::WaitForProjection(wait),
            Request::ReplayParked(name),
        ] {
            if is_one {
                asked(&request).unwrap();
            } else {
                assert_unacceptable(asked(&request), "name");
            }
        }
    }
    let statuses = vec![status("p", ProjectionState::Live); TOLD_MAX + 1];
    asked(&Request::TellProjections(Cow::Borrowed(&statuses[1..]))).unwrap();
    assert_unacceptable(asked(&Request::TellProjections(Cow::Borrowed(&statuses))), "count");
}

/// An error may be as long as the message of a database: what is sent of it is as much as is taken.
#[test]
fn an_error_is_cut_at_a_character() {
    let error = "é".repeat(4000);
    let statuses = [
        status("p", ProjectionState::Failed { error: error.clone() }),
        status("q", ProjectionState::Retrying { error: format!("-{error}"), failures: 2 }),
    ];
    let mut frame = Vec::new();
    Request::TellProjections(Cow::Borrowed(&statuses)).encode(7, &mut frame);
    let mut buffer = FrameBuffer::new(1 << 20);
    buffer.extend(&frame);
    let Ok(Request::TellProjections(heard)) = Request::decode(&buffer.next_frame().unwrap().unwrap()) else { panic!() };
    assert_eq!(heard[0].state, ProjectionState::Failed { error: "é".repeat(2048) });
    let cut = format!("-{}", "é".repeat(2047));
    assert_eq!(heard[1].state, ProjectionState::Retrying { error: cut, failures: 2 });
}

#[test]
fn a_state_says_what_belongs_to_it_and_nothing_else() {
    let told = |state: u8, number: u32, error: &[u8]| {
        let length = u16::try_from(error.len()).unwrap().to_le_bytes();
        let body = [&[1, 0, 0, 0, 1, 0, b'p'], &[0; 37][..], &[state], &number.to_le_bytes(), &length, error].concat();
        let bytes = u32::try_from(body.len()).unwrap().to_le_bytes();
        let frame = [&bytes[..], &[Kind::TellProjections as u8, 0, 0, 0], &7_u64.to_le_bytes(), &body].concat();
        match take(End::Client, &frame) {
            Ok(_) => "",
            Err(Fault::Field(FieldError::NotAllowed { field, .. })) => field,
            other => panic!("{other:?}"),
        }
    };
    for state in 0..=6 {
        assert_eq!(told(state, 0, b""), "", "{state}");
        assert_eq!(told(state, 2, b""), if [4, 5].contains(&state) { "" } else { "number" }, "{state}");
        assert_eq!(told(state, 0, b"no"), if [5, 6].contains(&state) { "" } else { "error" }, "{state}");
    }
    assert_eq!(told(7, 0, b""), "state");
    assert_eq!(told(6, 0, &[b'e'; 4096]), "");
    assert_eq!(told(6, 0, &[b'e'; 4097]), "error");
    assert_eq!(told(6, 0, &[0xff]), "error");
}

#[test]
fn a_duration_is_told_in_whole_milliseconds_and_one_without_end_is_the_longest() {
    let heard = |timeout| {
        let wait = WaitForProjection { name: "p", position: Position(1), timeout };
        asked(&Request::WaitForProjection(wait)).unwrap().again[FRAME_HEADER_BYTES + 11..].to_vec()
    };
    assert_eq!(heard(Duration::from_micros(2_500)), 2_u64.to_le_bytes());
    assert_eq!(heard(Duration::MAX), u64::MAX.to_le_bytes());
    let endless = ProjectionStatus { eta: Some(Duration::MAX), ..status("p", ProjectionState::CatchingUp) };
    let said = asked(&Request::TellProjections(Cow::Owned(vec![endless]))).unwrap();
    assert!(!said.words.contains("eta: None"), "{}", said.words);
}

#[test]
fn why_a_wait_ended_keeps_its_meaning() {
    let projection = || "orders".to_owned();
    let waited = Duration::from_millis(1500);
    for error in [
        WaitError::TimedOut { projection: projection(), position: Position(3), wanted: Position(9), waited },
        WaitError::Ended { projection: projection(), reason: "no table".to_owned() },
        WaitError::Unknown { projection: projection() },
        WaitError::Store(ReadError::NoEventIds),
    ] {
        let mut frame = Vec::new();
        Answer::Refused(Refusal::from(&error)).encode(7, &mut frame);
        let mut buffer = FrameBuffer::new(1 << 20);
        buffer.extend(&frame);
        let Ok(Answer::Refused(heard)) = Answer::decode(&buffer.next_frame().unwrap().unwrap()) else { panic!() };
        let meant = heard.to_wait_error("host:1", "default", "orders");
        assert_eq!(format!("{meant:?}"), format!("{error:?}"));
        assert_eq!(heard.may_retry, matches!(error, WaitError::TimedOut { .. }));
    }
    let denied = Refusal::new(Code::Denied, "denied").to_wait_error("host:1", "default", "orders");
    assert!(matches!(denied, WaitError::Store(ReadError::Remote(_))), "{denied:?}");
}

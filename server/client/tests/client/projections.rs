//! Projections behind a server: told, listed and waited for, also when connections break in between.

use crate::script::{Peer, Ports, follow};
use gesta_client::ClientOptions;
use gesta_model::{
    Position, ProjectionBoard, ProjectionId, ProjectionReport, ProjectionState, ProjectionStatus, ReadError,
    RemoteError, Timestamp, WaitError,
};
use gesta_protocol::{Answer, Code, Kind, Plane, ProjectionsPart, Refusal, Request};
use std::time::{Duration, Instant};

fn status(name: &str) -> ProjectionStatus {
    ProjectionStatus {
        projection: ProjectionId { name: name.to_owned(), version: 1 },
        position: Position(3),
        lag: 0,
        is_serving: true,
        parked_count: 1,
        eta: None,
        state: ProjectionState::Live,
    }
}

fn report(name: &str, is_replay_due: bool) -> ProjectionReport {
    ProjectionReport { status: status(name), told_at: Timestamp(5), is_replay_due }
}

fn listed(has_more: bool, projections: &[ProjectionReport]) -> Answer<'static> {
    Answer::Projections(ProjectionsPart { has_more, projections: projections.to_vec() })
}

/// Takes a request and answers it.
fn reply(peer: &mut Peer, look: impl FnOnce(&Request<'_>), answer: &Answer<'_>) {
    let asked = peer.next();
    look(&asked.request());
    peer.say(asked.id, answer);
}

fn is_telling(request: &Request<'_>) {
    assert!(matches!(request, Request::TellProjections(_)), "{request:?}");
}

#[test]
fn what_is_asked_of_projections_is_answered() {
    let ports = Ports::open();
    let client = ports.client();
    let server = follow(move || {
        let mut peer = ports.greet(Plane::Read);
        let is_all = |request: &Request<'_>| match request {
            Request::TellProjections(statuses) => assert_eq!(statuses[..], [status("a"), status("b")]),
            other => panic!("{other:?}"),
        };
        reply(&mut peer, is_all, &Answer::Told(vec!["b".to_owned()]));
        let asked = peer.next();
        assert!(matches!(asked.request(), Request::Projections("x")));
        peer.say(asked.id, &listed(true, &[report("a", false)]));
        drop(peer);
        let mut peer = ports.greet(Plane::Read);
        let asked = peer.next();
        peer.say(asked.id, &listed(true, &[report("a", false)]));
        peer.say(asked.id, &listed(false, &[report("b", true)]));
        let is_ask = |request: &Request<'_>| assert!(matches!(request, Request::ReplayParked("a")), "{request:?}");
        reply(&mut peer, is_ask, &Answer::Done);
        let unknown = WaitError::Unknown { projection: "a".to_owned() };
        reply(&mut peer, is_ask, &Answer::Refused(Refusal::from(&unknown)));
        reply(&mut peer, is_ask, &Answer::Refused(Refusal::new(Code::Denied, "denied")));
        reply(&mut peer, is_telling, &Answer::Done);
    });
    assert_eq!(client.tell_projections(&[status("a"), status("b")]).unwrap(), ["b"]);
    assert_eq!(client.tell_projections(&[]).unwrap(), [""; 0], "nothing is asked of the server");
    assert_eq!(client.projections("x").unwrap(), [report("a", false), report("b", true)]);
    assert!(client.ask_to_replay_parked("a").unwrap());
    assert!(!client.ask_to_replay_parked("a").unwrap());
    let denied = client.ask_to_replay_parked("a");
    assert!(matches!(denied, Err(ReadError::Remote(RemoteError::Denied { .. }))), "{denied:?}");
    let nonsense = client.tell_projections(&[status("c")]);
    assert!(matches!(nonsense, Err(ReadError::Remote(RemoteError::Protocol { .. }))), "{nonsense:?}");
    server.join().unwrap();
}

#[test]
fn more_projections_than_a_telling_takes_are_told_in_several_and_names_that_are_too_long_are_left_out() {
    let ports = Ports::open();
    let client = ports.client();
    let server = follow(move || {
        let mut peer = ports.greet(Plane::Read);
        for (count, name) in [(1000, "p1"), (1000, "p2"), (1, "p3")] {
            let is_part = |request: &Request<'_>| match request {
                Request::TellProjections(statuses) => assert_eq!(statuses.len(), count),
                other => panic!("{other:?}"),
            };
            reply(&mut peer, is_part, &Answer::Told(vec![name.to_owned()]));
        }
    });
    let mut statuses: Vec<_> = (0..2001).map(|number| status(&format!("p{number}"))).collect();
    statuses.insert(7, status(&"p".repeat(1025)));
    assert_eq!(client.tell_projections(&statuses).unwrap(), ["p1", "p2", "p3"]);
    server.join().unwrap();
}

/// An answer that asked for a replay and was lost: to tell again would say that the replay has been.
#[test]
fn a_replay_that_was_asked_for_in_a_lost_answer_is_still_carried_out() {
    let ports = Ports::open();
    let client = ports.client();
    let server = follow(move || {
        let mut peer = ports.greet(Plane::Read);
        is_telling(&peer.next().request());
        drop(peer);
        let mut peer = ports.greet(Plane::Read);
        reply(
            &mut peer,
            |asked| match asked {
                Request::TellProjections(statuses) => assert_eq!(statuses[0].projection.name, "other"),
                other => panic!("{other:?}"),
            },
            &Answer::Told(Vec::new()),
        );
        let is_list = |asked: &Request<'_>| assert!(matches!(asked, Request::Projections("")), "{asked:?}");
        reply(&mut peer, is_list, &listed(false, &[report("a", false), report("b", true), report("other", true)]));
        reply(&mut peer, is_telling, &Answer::Told(Vec::new()));
    });
    let all = [status("a"), status("b")];
    let lost = client.tell_projections(&all);
    assert!(matches!(lost, Err(ReadError::Remote(RemoteError::Unanswered { .. }))), "{lost:?}");
    assert_eq!(client.tell_projections(&[status("other")]).unwrap(), [""; 0], "of others nothing is unsure");
    assert_eq!(client.tell_projections(&all).unwrap(), ["b"]);
    assert_eq!(client.tell_projections(&all).unwrap(), [""; 0]);
    server.join().unwrap();
}

/// Whoever folds tells between two batches: a server that does not answer is not to hold that up for long.
#[test]
fn a_telling_is_given_up_soon_and_a_replay_in_its_answer_is_not_missed() {
    let ports = Ports::open();
    let client = ports.client();
    let server = follow(move || {
        let mut peer = ports.greet(Plane::Read);
        is_telling(&peer.next().request());
        let asked = loop {
            let asked = peer.next();
            if asked.kind() != Kind::Cancel {
                break asked;
            }
        };
        assert!(matches!(asked.request(), Request::Projections("")));
        peer.say(asked.id, &listed(false, &[report("a", true)]));
    });
    let lost = client.tell_projections(&[status("a")]);
    assert!(matches!(lost, Err(ReadError::Remote(RemoteError::Unanswered { .. }))), "{lost:?}");
    assert_eq!(client.tell_projections(&[status("a")]).unwrap(), ["a"]);
    server.join().unwrap();
}

#[test]
fn a_lost_answer_that_asked_for_nothing_delays_no_telling() {
    let ports = Ports::open();
    let client = ports.client();
    let server = follow(move || {
        let mut peer = ports.greet(Plane::Read);
        is_telling(&peer.next().request());
        drop(peer);
        let mut peer = ports.greet(Plane::Read);
        reply(&mut peer, |_| {}, &listed(false, &[report("a", false)]));
        reply(&mut peer, is_telling, &Answer::Told(vec!["a".to_owned()]));
    });
    let lost = client.tell_projections(&[status("a")]);
    assert!(matches!(lost, Err(ReadError::Remote(RemoteError::Unanswered { .. }))), "{lost:?}");
    assert_eq!(client.tell_projections(&[status("a")]).unwrap(), ["a"]);
    server.join().unwrap();
}

/// How long a wait asks the server to wait.
fn timeout_of(request: &Request<'_>) -> Duration {
    match request {
        Request::WaitForProjection(wait) => {
            assert_eq!((wait.name, wait.position), ("orders", Position(9)));
            wait.timeout
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_wait_outlasts_the_timeout_of_requests_and_broken_connections() {
    let ports = Ports::open();
    let options = ClientOptions { request_timeout: Some(Duration::from_millis(20)), ..ClientOptions::default() };
    let client = ports.client_with(options);
    const TIMEOUT: Duration = Duration::from_secs(600);
    let server = follow(move || {
        let mut peer = ports.greet(Plane::Read);
        assert!(timeout_of(&peer.next().request()) > TIMEOUT / 2, "all of the time is asked for");
        std::thread::sleep(Duration::from_millis(60));
        drop(peer);
        let mut peer = ports.greet(Plane::Read);
        let asked = peer.next();
        let left = timeout_of(&asked.request());
        assert!(left <= TIMEOUT - Duration::from_millis(60), "{left:?}");
        peer.say(asked.id, &Answer::Done);
    });
    client.wait_for_projection("orders", Position(9), TIMEOUT).unwrap();
    server.join().unwrap();
}

#[test]
fn a_wait_in_vain_keeps_its_meaning_and_ends_with_its_time() {
    let ports = Ports::open();
    let client = ports.client_with(ClientOptions { retry_for: Duration::from_millis(150), ..Default::default() });
    let errors = || {
        let (projection, waited) = (|| "orders".to_owned(), Duration::from_millis(5));
        [
            WaitError::TimedOut { projection: projection(), position: Position(3), wanted: Position(9), waited },
            WaitError::Ended { projection: projection(), reason: "no table".to_owned() },
            WaitError::Unknown { projection: projection() },
        ]
    };
    let server = follow(move || {
        let mut peer = ports.greet(Plane::Read);
        for error in errors() {
            reply(
                &mut peer,
                |asked| assert!(timeout_of(asked) <= Duration::from_millis(5)),
                &Answer::Refused(Refusal::from(&error)),
            );
        }
        reply(&mut peer, |_| {}, &Answer::Refused(Refusal::new(Code::Denied, "denied")));
        peer.next();
        // From here on there is no server.
    });
    let wait = |timeout| client.wait_for_projection("orders", Position(9), timeout).unwrap_err();
    for error in errors() {
        assert_eq!(format!("{:?}", wait(Duration::from_millis(5))), format!("{error:?}"));
    }
    let denied = wait(Duration::MAX);
    assert!(matches!(denied, WaitError::Store(ReadError::Remote(RemoteError::Denied { .. }))), "{denied:?}");
    let began = Instant::now();
    let gone = wait(Duration::MAX);
    assert!(matches!(gone, WaitError::Store(ReadError::Remote(RemoteError::Unreachable { .. }))), "{gone:?}");
    assert!(began.elapsed() >= Duration::from_millis(100), "it was tried again for a while");
    server.join().unwrap();
}

//! What is told of projections by one client and waited for by others.

use crate::conversation::{append, event, read_all, read_request};
use crate::support::{Host, Line, Wire, eventually};
use gesta::{AppendRequest, Position, ProjectionId, ProjectionState, ProjectionStatus, Read};
use gesta_protocol::{Answer, Code, Plane, Refusal, Request, WaitForProjection};
use std::borrow::Cow;
use std::time::{Duration, Instant};

/// Longer than any test may take.
const LONG: Duration = Duration::from_secs(3600);

fn status(position: u64, state: ProjectionState) -> ProjectionStatus {
    ProjectionStatus {
        projection: ProjectionId { name: "orders".to_owned(), version: 1 },
        position: Position(position),
        lag: 0,
        is_serving: true,
        parked_count: 2,
        eta: None,
        state,
    }
}

/// Tells how the projection is doing; returns whose parked events are to be tried again.
fn tell(wire: &mut Wire, id: u64, position: u64, state: ProjectionState) -> Vec<String> {
    wire.send(id, &Request::TellProjections(Cow::Owned(vec![status(position, state)])));
    wire.receive(|answered, answer| match answer {
        Answer::Told(names) if answered == id => names,
        other => panic!("not told but {other:?} for {answered}"),
    })
    .unwrap()
}

fn wait(wire: &mut Wire, id: u64, position: u64, timeout: Duration) {
    wire.send(
        id,
        &Request::WaitForProjection(WaitForProjection { name: "orders", position: Position(position), timeout }),
    );
}

/// How a wait ended that is the only thing under way: none when the projection has come there.
fn outcome(wire: &mut Wire, id: u64) -> Option<Refusal> {
    wire.receive(|answered, answer| match answer {
        Answer::Done if answered == id => None,
        Answer::Refused(refusal) if answered == id => Some(refusal),
        other => panic!("{other:?} for {answered}"),
    })
    .unwrap()
}

/// Waits until the figures show that as many requests are under way on the read plane, the asking itself included.
fn under_way(host: &Host, count: u64) {
    host.figures().wait_for("/server/planes/read/requests_in_flight", count + 1);
}

#[test]
fn a_client_waits_for_what_another_one_tells() {
    let host = Host::new();
    let (mut runner, mut waiting) = (host.connect(Plane::Read), host.connect(Plane::Read));
    tell(&mut runner, 1, 3, ProjectionState::Live);
    wait(&mut waiting, 1, 3, Duration::ZERO);
    assert_eq!(outcome(&mut waiting, 1), None, "it is there already");
    wait(&mut waiting, 2, 10, LONG);
    under_way(&host, 1);
    tell(&mut runner, 2, 9, ProjectionState::Live);
    under_way(&host, 1);
    tell(&mut runner, 3, 10, ProjectionState::Live);
    assert_eq!(outcome(&mut waiting, 2), None);
}

#[test]
fn a_wait_that_comes_before_the_first_telling_is_woken_by_it() {
    let host = Host::new();
    let (mut runner, mut waiting) = (host.connect(Plane::Read), host.connect(Plane::Read));
    wait(&mut waiting, 1, 1, LONG);
    under_way(&host, 1);
    tell(&mut runner, 1, 1, ProjectionState::Live);
    assert_eq!(outcome(&mut waiting, 1), None);
}

#[test]
fn a_wait_in_vain_says_why() {
    let host = Host::new();
    let (mut runner, mut waiting) = (host.connect(Plane::Read), host.connect(Plane::Read));
    wait(&mut waiting, 1, 5, Duration::from_millis(30));
    assert_eq!(outcome(&mut waiting, 1).unwrap().known_code(), Some(Code::UnknownProjection));
    tell(&mut runner, 1, 4, ProjectionState::CatchingUp);
    wait(&mut waiting, 2, 5, Duration::from_millis(30));
    let refusal = outcome(&mut waiting, 2).unwrap();
    assert_eq!(refusal.known_code(), Some(Code::ProjectionBehind));
    let said = format!("{:?}", refusal.detail);
    assert!(said.contains("position: Position(4), wanted: Position(5)"), "{said}");
    // One that is under way hears of the end, whenever that comes.
    wait(&mut waiting, 3, 5, LONG);
    under_way(&host, 1);
    tell(&mut runner, 2, 4, ProjectionState::Failed { error: "no table".to_owned() });
    let refusal = outcome(&mut waiting, 3).unwrap();
    assert_eq!(refusal.known_code(), Some(Code::ProjectionEnded));
    assert!(refusal.message.contains("no table"), "{refusal:?}");
}

#[test]
fn other_requests_go_on_beside_waits_and_waits_are_bounded() {
    let host = Host::with(&[("limits.requests_in_flight_max", "20")]);
    append(&mut host.connect(Plane::Append), 1, AppendRequest::new().event(event(1)));
    let (mut runner, mut wire) = (host.connect(Plane::Read), host.connect(Plane::Read));
    tell(&mut runner, 1, 0, ProjectionState::Live);
    (1..=19).for_each(|id| wait(&mut wire, id, 1, LONG));
    assert_eq!(read_all(&mut wire, 100, read_request(Read::all())).0.len(), 1);
    wait(&mut wire, 20, 1, LONG);
    wait(&mut wire, 21, 1, LONG);
    assert_eq!(outcome(&mut wire, 21).unwrap().known_code(), Some(Code::TooManyRequests));
    tell(&mut runner, 2, 1, ProjectionState::Live);
    let mut done: Vec<u64> = (1..=20)
        .map(|_| {
            wire.receive(|id, answer| if matches!(answer, Answer::Done) { id } else { panic!("{answer:?}") }).unwrap()
        })
        .collect();
    done.sort_unstable();
    assert_eq!(done, (1..=20).collect::<Vec<_>>());
}

#[test]
fn a_wait_is_ended_by_its_client_as_if_its_time_were_over() {
    let host = Host::new();
    let (mut runner, mut wire) = (host.connect(Plane::Read), host.connect(Plane::Read));
    tell(&mut runner, 1, 0, ProjectionState::Live);
    wait(&mut wire, 1, 1, LONG);
    wire.send(1, &Request::Cancel);
    assert_eq!(outcome(&mut wire, 1).unwrap().known_code(), Some(Code::ProjectionBehind));
}

#[test]
fn a_connection_that_ends_leaves_no_wait_behind() {
    let host = Host::new();
    let (mut polite, mut line) = (host.connect(Plane::Read), Line::open(None, host.address(Plane::Read)));
    line.wire.hello(Plane::Read, "default", "");
    (1..=30).for_each(|id| wait(&mut polite, id, 1, LONG));
    (1..=30).for_each(|id| wait(&mut line.wire, id, 1, LONG));
    under_way(&host, 60);
    drop(polite);
    under_way(&host, 30);
    drop(line);
    under_way(&host, 0);
}

#[test]
fn a_server_that_stops_tells_those_who_wait() {
    let mut host = Host::new();
    let mut waiting = host.connect(Plane::Read);
    wait(&mut waiting, 1, 1, LONG);
    under_way(&host, 1);
    let server = host.server.take().unwrap();
    let began = Instant::now();
    let stopping = std::thread::spawn(move || server.stop());
    waiting.receive(|_, answer| assert!(matches!(answer, Answer::Closing), "{answer:?}")).unwrap();
    assert_eq!(waiting.refusal(), Code::Stopping as u16);
    drop(waiting);
    assert!(eventually(|| stopping.is_finished()), "the stop waits for a wait");
    let report = stopping.join().unwrap();
    assert!(report.failed.is_empty() && report.unfinished.is_empty() && !report.has_cut_off, "{report:?}");
    assert!(began.elapsed() < LONG);
}

#[test]
fn what_was_told_is_listed_and_parked_events_are_asked_to_be_tried_again() {
    let host = Host::new();
    let (mut runner, mut operator) = (host.connect(Plane::Read), host.connect(Plane::Read));
    operator.send(1, &Request::ReplayParked("orders"));
    assert_eq!(outcome(&mut operator, 1).unwrap().known_code(), Some(Code::UnknownProjection));
    assert_eq!(tell(&mut runner, 1, 7, ProjectionState::Live), [""; 0]);
    let mut id = 1;
    let mut is_due = |operator: &mut Wire| {
        id += 1;
        operator.send(id, &Request::Projections("ord"));
        operator
            .receive(|_, answer| match answer {
                Answer::Projections(part) => {
                    let [report] = &part.projections[..] else { panic!("{part:?}") };
                    assert_eq!((&report.status, part.has_more), (&status(7, ProjectionState::Live), false));
                    report.is_replay_due
                }
                other => panic!("{other:?}"),
            })
            .unwrap()
    };
    assert!(!is_due(&mut operator));
    operator.send(100, &Request::ReplayParked("orders"));
    assert_eq!(outcome(&mut operator, 100), None);
    assert!(is_due(&mut operator));
    assert_eq!(tell(&mut runner, 2, 7, ProjectionState::Live), ["orders"]);
    assert!(is_due(&mut operator), "it is under way");
    assert_eq!(tell(&mut runner, 3, 7, ProjectionState::Live), [""; 0]);
    assert!(!is_due(&mut operator));
}

/// A runner that is linked into another process tells by files: no telling goes through the server.
#[test]
fn a_wait_sees_what_is_told_beside_the_server() {
    let host = Host::new();
    let mut waiting = host.connect(Plane::Read);
    wait(&mut waiting, 1, 5, LONG);
    under_way(&host, 1);
    let beside = gesta::Reader::open(host.directory.path().join("default")).unwrap();
    beside.tell_projections(&[status(5, ProjectionState::Live)]);
    assert_eq!(outcome(&mut waiting, 1), None);
}

#[test]
fn what_is_refused_of_a_telling_leaves_the_connection_open() {
    let host = Host::new();
    let mut runner = host.connect(Plane::Read);
    let mut long = status(5, ProjectionState::Live);
    long.projection.name = "p".repeat(1025);
    runner.send(1, &Request::TellProjections(Cow::Owned(vec![long])));
    assert_eq!(outcome(&mut runner, 1).unwrap().known_code(), Some(Code::Request));
    assert_eq!(tell(&mut runner, 2, 5, ProjectionState::Live), [""; 0]);
}

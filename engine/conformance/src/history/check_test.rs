//! Histories that are true are believed, and each way of not being true is caught.

use super::*;
use crate::support::{id, query, stream, tag};
use gesta_model::codec::encode_record;
use gesta_model::codec::{NO_REVISION, place_record};
use gesta_model::{Check, Event, EventType, ExpectedRevision, Record, Selection};

const DURABLE: Durability = Durability::Durable;

/// An event of the log: its id, its stream and its revision.
type Held = (u128, &'static str, u64);

/// A history and the log to it, before they are put together.
struct Forged {
    calls: Vec<Call>,
    held: Vec<Held>,
    /// The position of the first event.
    first: u64,
    kept: Durability,
}

fn acknowledged(range: Range<u64>) -> Answer {
    Answer::Acknowledged { positions: Position(range.start)..Position(range.end), durability: DURABLE }
}

fn conflict(head: u64) -> Answer {
    Answer::Conflict { head: Position(head), durability: DURABLE }
}

fn exactly(revision: u64) -> Check {
    Check::Stream { stream: stream("a-1"), expected: ExpectedRevision::Exactly(Revision(revision)) }
}

fn no_stream() -> Check {
    Check::Stream { stream: stream("a-1"), expected: ExpectedRevision::NoStream }
}

fn none_after(after: u64) -> Check {
    Check::NoEvents { query: query("tag=x:1 type=Happened"), after: Position(after) }
}

fn append(called: u64, ids: &[u128], check: Check, answer: Answer) -> Call {
    let ids = ids.iter().map(|number| id(*number)).collect();
    Call::Append(AppendCall { called, returned: called + 1, ids, checks: vec![check], answer })
}

fn read(called: u64, head: u64, shown: &[u128]) -> Call {
    let (selection, from) = (Selection::Query(query("tag=x:1")), Position(0));
    let shown = shown.iter().map(|number| id(*number)).collect();
    Call::Read(ReadCall {
        called,
        returned: called + 1,
        selection,
        from,
        head: Position(head),
        sees_unsynced: false,
        shown,
    })
}

/// 1 (of events 10 and 11) and 2 (of 20) were made, 3 conflicted in between, 4 was made without an answer, 5 was not.
fn true_history() -> Forged {
    let mut calls = vec![
        append(0, &[10, 11], no_stream(), acknowledged(0..2)),
        append(40, &[10, 11], no_stream(), acknowledged(0..2)),
        append(4, &[20], exactly(1), Answer::Unknown),
        append(6, &[20], exactly(1), acknowledged(2..3)),
        append(8, &[30], none_after(1), conflict(2)),
        append(10, &[40], none_after(3), Answer::Unknown),
        append(12, &[50], exactly(0), Answer::Unknown),
        append(13, &[60], exactly(0), Answer::Refused),
        append(14, &[], exactly(2), acknowledged(3..3)),
        append(16, &[], no_stream(), conflict(3)),
        read(2, 2, &[10, 11]),
        read(20, 3, &[10, 11, 20]),
    ];
    // The conflict was judged while 2 was on its way.
    let Call::Append(second) = &mut calls[3] else { unreachable!() };
    second.returned = 9;
    let held = vec![(10, "a-1", 0), (11, "a-1", 1), (20, "a-1", 2), (40, "b-1", 0)];
    Forged { calls, held, first: 0, kept: DURABLE }
}

impl Forged {
    fn call(&mut self, place: usize) -> &mut AppendCall {
        match &mut self.calls[place] {
            Call::Append(call) => call,
            Call::Read(_) => panic!("call {place} is a read"),
        }
    }

    fn judge(self) -> Result<Summary, Vec<Anomaly>> {
        let mut log = Log::new();
        for ((number, name, revision), position) in self.held.into_iter().zip((self.first..).map(Position)) {
            let event = Event::new(EventType::new("Happened").unwrap()).tag(tag("x:1"));
            let event = if name.is_empty() { event } else { event.stream(stream(name)) };
            let mut bytes = Vec::new();
            encode_record(&event, id(number), &mut bytes);
            place_record(&mut bytes, if name.is_empty() { NO_REVISION } else { revision }, position);
            log.push(&Record::decode(&bytes, position).unwrap().0);
        }
        let mut history = History::new();
        history.extend(self.calls);
        history.check(&log, self.kept)
    }
}

/// Forges the true history; of what is found then, one thing is as expected.
#[track_caller]
fn is_caught(forge: impl FnOnce(&mut Forged), is_expected: impl Fn(&Anomaly) -> bool) {
    let mut forged = true_history();
    forge(&mut forged);
    let found = forged.judge().expect_err("the forged history was believed");
    assert!(found.iter().any(is_expected), "{found:?}");
    assert!(found.iter().all(|anomaly| !anomaly.to_string().is_empty()));
}

#[test]
fn a_true_history_is_believed() {
    let summary = true_history().judge().unwrap();
    let expected = Summary { events: 4, requests: 6, acknowledged: 4, conflicts: 2, refused: 1, unknown: 3, reads: 2 };
    assert_eq!(summary, expected);
}

#[test]
fn an_event_that_nobody_appended_and_a_gap_are_caught() {
    is_caught(
        |forged| forged.held.push((90, "b-1", 1)),
        |anomaly| *anomaly == Anomaly::Unexplained { id: id(90), position: Position(4) },
    );
    is_caught(
        |forged| forged.first = 1,
        |anomaly| *anomaly == Anomaly::Gap { expected: Position(0), found: Position(1) },
    );
}

#[test]
fn a_wrong_revision_is_caught() {
    let (position, expected) = (Position(2), Revision(2));
    is_caught(
        |forged| forged.held[2].2 = 3,
        |anomaly| *anomaly == Anomaly::WrongRevision { position, expected, found: Some(Revision(3)) },
    );
}

#[test]
fn a_lost_a_torn_and_a_doubled_request_are_caught() {
    let told = Position(2)..Position(3);
    is_caught(
        |forged| forged.held.truncate(2),
        |anomaly| *anomaly == Anomaly::Lost { request: id(20), told: told.clone() },
    );
    let is_torn = |positions: &[u64]| {
        let positions: Vec<Position> = positions.iter().copied().map(Position).collect();
        move |anomaly: &Anomaly| *anomaly == Anomaly::Torn { request: id(10), positions: positions.clone() }
    };
    is_caught(|forged| forged.held.retain(|held| held.0 != 11), is_torn(&[0]));
    is_caught(|forged| forged.held.retain(|held| held.0 != 10), is_torn(&[0]));
    is_caught(|forged| forged.held.swap(1, 2), is_torn(&[0, 2]));
    is_caught(|forged| forged.held.swap(0, 1), is_torn(&[1, 0]));
    let is_doubled = |number, positions: [u64; 2]| {
        move |anomaly: &Anomaly| {
            *anomaly == Anomaly::Doubled { id: id(number), positions: positions.map(Position).into() }
        }
    };
    is_caught(|forged| forged.held.push((20, "a-1", 3)), is_doubled(20, [2, 4]));
    is_caught(|forged| forged.held.push((40, "b-1", 1)), is_doubled(40, [3, 4]));
}

#[test]
fn a_receipt_of_another_place_is_caught() {
    for (place, wrong) in [(3, 3..4), (1, 2..4), (3, 2..4), (3, 2..2)] {
        is_caught(
            |forged| forged.call(place).answer = acknowledged(wrong),
            |anomaly| matches!(anomaly, Anomaly::Misplaced { .. }),
        );
    }
}

#[test]
fn a_refused_request_that_was_made_and_a_forgotten_one_are_caught() {
    let made = |number| {
        move |anomaly: &Anomaly| *anomaly == Anomaly::MadeThoughRefused { request: id(number), found: Position(4) }
    };
    is_caught(|forged| forged.held.push((30, "b-1", 1)), made(30));
    is_caught(|forged| forged.held.push((60, "b-1", 1)), made(60));
    is_caught(
        |forged| forged.call(1).answer = conflict(4),
        |anomaly| *anomaly == Anomaly::ForgottenRepeat { request: id(10), called: 40 },
    );
}

#[test]
fn a_check_that_was_judged_wrongly_is_caught() {
    let is_wrong = |number: Option<u128>, place: u64| {
        move |anomaly: &Anomaly| {
            let Anomaly::AcceptedWrongly { request, at, .. } = anomaly else { return false };
            (*request, *at) == (number.map(id), Position(place))
        }
    };
    let replace = |places: &'static [usize], check: fn() -> Check| {
        move |forged: &mut Forged| places.iter().for_each(|place| forged.call(*place).checks = vec![check()])
    };
    is_caught(replace(&[2, 3], || exactly(0)), is_wrong(Some(20), 2));
    is_caught(replace(&[5], no_stream), is_wrong(Some(40), 3));
    is_caught(replace(&[5], || none_after(2)), is_wrong(Some(40), 3));
    is_caught(replace(&[8], || exactly(1)), is_wrong(None, 3));
    let is_in_vain = |number: Option<u128>, head: u64| {
        move |anomaly: &Anomaly| *anomaly == Anomaly::ConflictInVain { request: number.map(id), head: Position(head) }
    };
    is_caught(replace(&[4], || none_after(2)), is_in_vain(Some(30), 2));
    is_caught(replace(&[9], || exactly(2)), is_in_vain(None, 3));
    // Of two tries, the one whose checks were true may have made it.
    let mut believed = true_history();
    believed.call(2).checks = vec![no_stream()];
    believed.judge().unwrap();
}

#[test]
fn a_head_that_the_log_never_had_is_caught() {
    let beyond =
        |called, head| move |anomaly: &Anomaly| *anomaly == Anomaly::BeyondLog { called, head: Position(head) };
    is_caught(|forged| forged.call(4).answer = conflict(9), beyond(8, 9));
    is_caught(|forged| forged.call(8).answer = acknowledged(9..9), beyond(14, 9));
    is_caught(|forged| forged.calls.push(read(60, 5, &[10, 11, 20, 40])), beyond(60, 5));
}

#[test]
fn an_order_against_time_is_caught() {
    let late = |called, stands, reached| {
        let (stands, reached) = (Position(stands), Position(reached));
        move |anomaly: &Anomaly| *anomaly == Anomaly::OutOfOrder { called, stands, reached }
    };
    // 4 was over before the only try of 2 began, which stands before it.
    is_caught(
        |forged| {
            forged.call(5).answer = acknowledged(3..4);
            (forged.call(2).called, forged.call(2).returned) = (30, 31);
            (forged.call(3).called, forged.call(3).returned) = (32, 33);
        },
        late(30, 2, 4),
    );
    // Conflicts and pure checks that do not know of what was over.
    is_caught(|forged| forged.call(4).called = 30, late(30, 2, 3));
    is_caught(|forged| forged.call(8).answer = acknowledged(2..2), late(14, 2, 3));
    // What a read has shown is over as well.
    is_caught(|forged| forged.calls.push(read(2, 3, &[10, 11, 20])), late(4, 2, 3));
    is_caught(|forged| forged.calls.push(read(60, 2, &[10, 11])), late(60, 2, 3));
}

#[test]
fn a_read_that_is_not_what_the_log_holds_is_caught() {
    let differs = |place| move |anomaly: &Anomaly| matches!(anomaly, Anomaly::ReadDiffers { called: 60, first, .. } if first.0 == place);
    for (shown, place) in
        [(&[10, 20][..], 1), (&[11, 10, 20], 0), (&[10, 11, 20, 40], 3), (&[10, 11], 2), (&[10, 11, 20, 20], 3)]
    {
        is_caught(|forged| forged.calls.push(read(60, 3, shown)), differs(place));
    }
}

#[test]
fn tries_of_different_events_are_caught() {
    is_caught(|forged| forged.call(1).ids = vec![id(10)], |anomaly| *anomaly == Anomaly::Muddled { request: id(10) });
}

#[test]
fn weak_answers_are_not_held_to_their_word_after_a_power_cut() {
    let weak = |answer: &mut Answer| match answer {
        Answer::Acknowledged { durability, .. } | Answer::Conflict { durability, .. } => {
            *durability = Durability::Written
        }
        Answer::Refused | Answer::Unknown => {}
    };
    let forged = |kept| {
        let mut forged = true_history();
        forged.kept = kept;
        // 2 and 4 were lost, and with them what was judged against them.
        forged.held.truncate(2);
        for place in 2..10 {
            weak(&mut forged.call(place).answer);
        }
        let Call::Read(later) = &mut forged.calls[11] else { unreachable!() };
        later.sees_unsynced = true;
        forged.judge()
    };
    assert_eq!(forged(DURABLE).unwrap().events, 2);
    let found = forged(Durability::Written).unwrap_err();
    assert!(found.iter().any(|anomaly| matches!(anomaly, Anomaly::Lost { .. })), "{found:?}");
}

#[test]
fn a_call_that_was_noted_before_it_was_made_is_replaced_by_its_answer() {
    let mut forged = true_history();
    let mut noted = forged.call(4).clone();
    noted.answer = Answer::Unknown;
    noted.returned = u64::MAX;
    forged.calls.insert(0, Call::Append(noted));
    forged.held.push((30, "b-1", 1));
    let found = forged.judge().unwrap_err();
    assert!(found.iter().any(|anomaly| matches!(anomaly, Anomaly::MadeThoughRefused { .. })), "{found:?}");
}

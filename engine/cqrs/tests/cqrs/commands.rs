//! Commands: followed, refused, repeated, and in each other's way.

use super::bank::{AccountEvent, Bank, Command, Refusal};
use super::support::{PATIENCE, TestStore, stream};
use super::transfers::{Branch, open_accounts, transfer};
use gesta::{Event, EventType, Store, Uuid};
use gesta_cqrs::{Boundary, CommandHandler, Decider, DomainEvent, HandleError, given};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::sync::Arc;
use std::thread;

fn handler(test: &TestStore) -> CommandHandler<Arc<Store>, Bank> {
    CommandHandler::new(Arc::clone(&test.store))
}

fn open(handler: &CommandHandler<Arc<Store>, Bank>, accounts: std::ops::Range<u32>, cents: u64) {
    for account in accounts {
        handler.handle(&Command::Open { account }).unwrap();
        handler.handle(&Command::Deposit { account, cents }).unwrap();
    }
}

#[test]
fn the_rules_of_the_bank() {
    let opened = |account| AccountEvent::Opened { account };
    let deposited = |account, cents| AccountEvent::Deposited { account, cents };
    let withdrawn = |account, cents| AccountEvent::Withdrawn { account, cents };
    let transfer = || Command::Transfer { from: 1, to: 2, cents: 70 };
    given::<Bank>([]).when(Command::Open { account: 1 }).then([opened(1)]);
    given::<Bank>([opened(1)]).when(Command::Open { account: 1 }).then_refused(&Refusal::IsOpen(1));
    given::<Bank>([opened(1), opened(2), deposited(1, 100)])
        .when(transfer())
        .then([withdrawn(1, 70), deposited(2, 70)])
        .when(transfer())
        .then_refused(&Refusal::NotEnough { account: 1, cents: 30 });
}

#[test]
#[should_panic(expected = "should have been refused")]
fn a_scenario_that_does_not_hold_fails() {
    given::<Bank>([]).when(Command::Open { account: 1 }).then_refused(&Refusal::IsOpen(1));
}

#[test]
fn a_command_becomes_events_and_the_next_one_knows_of_them() {
    let test = TestStore::new();
    let handler = handler(&test);
    let handled = handler.handle(&Command::Open { account: 1 }).unwrap();
    assert_eq!(handled.events, [AccountEvent::Opened { account: 1 }]);
    assert_eq!(handled.position(), Some(gesta::Position(1)));
    assert_eq!(handled.receipt.unwrap().revisions, [(stream("account-1"), gesta::Revision(0))]);
    let refused = handler.handle(&Command::Open { account: 1 }).unwrap_err();
    assert!(matches!(refused, HandleError::Refused(Refusal::IsOpen(1))), "{refused}");
    handler.handle(&Command::Deposit { account: 1, cents: 5 }).unwrap();
    let of = |event_type: &str, data: &str| ("account-1".to_owned(), event_type.to_owned(), data.to_owned());
    assert_eq!(test.events(), [of("Opened", r#"{"account":1}"#), of("Deposited", r#"{"account":1,"cents":5}"#)]);
}

#[test]
fn commands_of_many_threads_lose_no_update() {
    const THREADS: u32 = 8;
    const TRANSFERS: u32 = 60;
    for missed_max in [0, 1, 100] {
        let test = TestStore::new();
        let handler = handler(&test).missed_max(missed_max).attempts_max(10_000);
        open(&handler, 0..4, 1_000);
        let attempts: usize = thread::scope(|scope| {
            let transfers = |thread: u32| {
                let handler = &handler;
                move || {
                    let mut attempts = 0;
                    for round in 0..TRANSFERS {
                        let (from, to) = ((thread + round) % 4, (thread + round * 3 + 1) % 4);
                        let transfer =
                            Command::Transfer { from, to: if to == from { (to + 1) % 4 } else { to }, cents: 90 };
                        match handler.handle(&transfer) {
                            Ok(handled) => attempts += handled.attempts as usize,
                            Err(HandleError::Refused(Refusal::NotEnough { .. })) => {}
                            Err(error) => panic!("{error}"),
                        }
                    }
                    attempts
                }
            };
            let threads: Vec<_> = (0..THREADS).map(|thread| scope.spawn(transfers(thread))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        let mut balances = [0_i64; 4];
        for (_, event_type, data) in test.events() {
            let fields: serde_json::Value = serde_json::from_str(&data).unwrap();
            let balance = &mut balances[usize::try_from(fields["account"].as_u64().unwrap()).unwrap()];
            let cents = fields["cents"].as_i64().unwrap_or(0);
            *balance += if event_type == "Withdrawn" { -cents } else { cents };
            assert!(*balance >= 0, "an account was overdrawn");
        }
        assert_eq!(balances.iter().sum::<i64>(), 4_000, "money is neither made nor lost");
        let followed = (test.events().len() - 8) / 2;
        assert!(attempts > followed, "nobody was ever in anybody's way: {attempts} attempts for {followed} transfers");
    }
}

#[test]
fn a_command_is_followed_once_under_its_id() {
    let test = TestStore::new();
    let handler = handler(&test);
    let (id, command) = (Uuid::from_u128(7), Command::Open { account: 1 });
    let first = handler.handle_once(id, &command).unwrap();
    // By now the domain would refuse it; but it is the very command that has been followed.
    let again = handler.handle_once(id, &command).unwrap();
    assert_eq!(again.receipt.as_ref().unwrap().positions, first.receipt.as_ref().unwrap().positions);
    assert_eq!((again.events.len(), test.events().len()), (0, 1));
    let other = handler.handle_once(Uuid::from_u128(8), &command).unwrap_err();
    assert!(matches!(other, HandleError::Refused(Refusal::IsOpen(1))), "{other}");
}

#[test]
fn a_command_that_could_be_followed_twice_is_followed_once() {
    let test = TestStore::new();
    let handler = handler(&test);
    open(&handler, 1..2, 100);
    let (id, command) = (Uuid::from_u128(7), Command::Deposit { account: 1, cents: 5 });
    let first = handler.handle_once(id, &command).unwrap();
    assert_eq!(first.events.len(), 1);
    let again = handler.handle_once(id, &command).unwrap();
    assert_eq!(again.receipt.unwrap().positions, first.receipt.unwrap().positions);
    assert_eq!((again.events.len(), test.events().len()), (0, 3), "nothing was appended, and nothing is said to be");
}

#[test]
fn a_command_whose_outcome_would_be_another_is_still_the_same_command() {
    let test = TestStore::new();
    let handler = handler(&test);
    open(&handler, 1..3, 100);
    let (id, command) = (Uuid::from_u128(7), Command::Deposit { account: 1, cents: 5 });
    let first = handler.handle_once(id, &command).unwrap();
    // The same id with another content: the id alone counts.
    let again = handler.handle_once(id, &Command::Deposit { account: 1, cents: 6 }).unwrap();
    assert_eq!(again.receipt.unwrap().positions, first.receipt.unwrap().positions);
    assert_eq!(test.events().len(), 5);
}

/// A decider that panics, in deciding or, once something has happened, in looking at that.
struct Nervous;

impl Decider for Nervous {
    type Command = bool;
    type Event = Counted;
    type State = u64;
    type Refusal = ();

    fn boundary(_: &bool) -> Boundary {
        Boundary::stream("counter", 1)
    }

    fn decide(_: &u64, panics: &bool) -> Result<Vec<Counted>, ()> {
        assert!(!panics, "told to");
        Ok(vec![Counted::Counted])
    }

    fn evolve(_: &mut u64, _: &Counted) {
        panic!("something happened");
    }
}

#[test]
fn a_decider_that_panics_changes_nothing() {
    let test = TestStore::new();
    let handler = CommandHandler::<_, Nervous>::new(Arc::clone(&test.store));
    let failed = handler.handle(&true).unwrap_err();
    assert!(matches!(&failed, HandleError::Panicked(said) if said == "told to"), "{failed}");
    assert_eq!(test.events(), []);
    handler.handle(&false).unwrap();
    let failed = handler.handle(&false).unwrap_err();
    assert!(matches!(&failed, HandleError::Panicked(said) if said == "something happened"), "{failed}");
    assert_eq!(test.events().len(), 1);
}

#[test]
fn an_event_of_the_boundary_that_cannot_be_read_is_named() {
    let test = TestStore::new();
    let handler = handler(&test);
    open(&handler, 1..2, 100);
    test.append(Event::new(EventType::new("Closed").unwrap()).stream(stream("account-1")).json("{}"));
    let failed = handler.handle(&Command::Deposit { account: 1, cents: 5 }).unwrap_err();
    let HandleError::Decode(error) = failed else { panic!("{failed}") };
    assert_eq!((error.position, error.event_type.as_str()), (gesta::Position(2), "Closed"));
}

/// A decider in whose way something comes each time that it decides, as often as it is told.
struct Disturbed;

#[derive(Debug, Serialize, Deserialize)]
enum Counted {
    Counted,
}

impl DomainEvent for Counted {}

thread_local! {
    static DISTURBANCE: RefCell<Option<Box<dyn Fn()>>> = const { RefCell::new(None) };
}

impl Decider for Disturbed {
    type Command = ();
    type Event = Counted;
    type State = u64;
    type Refusal = ();

    fn boundary((): &()) -> Boundary {
        Boundary::stream("counter", 1)
    }

    fn decide(_: &u64, (): &()) -> Result<Vec<Counted>, ()> {
        DISTURBANCE.with_borrow(|disturb| disturb.iter().for_each(|disturb| disturb()));
        Ok(vec![Counted::Counted])
    }

    fn evolve(count: &mut u64, _: &Counted) {
        *count += 1;
    }
}

#[test]
fn a_command_gives_up_after_as_many_conflicts_as_it_was_told() {
    let test = TestStore::new();
    let store = Arc::clone(&test.store);
    let disturb = move || {
        let counted = Event::new(EventType::new("Counted").unwrap()).stream(stream("counter-1"));
        store.append(gesta::AppendRequest::new().event(counted)).unwrap();
    };
    DISTURBANCE.set(Some(Box::new(disturb)));
    let handler = CommandHandler::<_, Disturbed>::new(Arc::clone(&test.store)).attempts_max(3);
    let failed = handler.handle(&()).unwrap_err();
    let HandleError::Conflict { attempts, conflict } = failed else { panic!("{failed}") };
    assert_eq!((attempts, conflict.head), (3, gesta::Position(3)));
    DISTURBANCE.set(None);
    assert_eq!(handler.handle(&()).unwrap().position(), Some(gesta::Position(4)));
}

/// A decider that forgets to say where its events belong.
struct Nameless;

impl Decider for Nameless {
    type Command = Boundary;
    type Event = Counted;
    type State = u64;
    type Refusal = ();

    fn boundary(boundary: &Boundary) -> Boundary {
        boundary.clone()
    }

    fn decide(_: &u64, _: &Boundary) -> Result<Vec<Counted>, ()> {
        Ok(vec![Counted::Counted])
    }

    fn evolve(_: &mut u64, _: &Counted) {}
}

#[test]
fn an_event_without_a_stream_goes_to_the_boundarys_only_one() {
    let test = TestStore::new();
    let handler = CommandHandler::<_, Nameless>::new(Arc::clone(&test.store));
    handler.handle(&Boundary::stream("counter", 1)).unwrap();
    handler.handle(&Boundary::tag("counter", 1)).unwrap();
    handler.handle(&Boundary::nothing()).unwrap();
    let streams: Vec<_> = test.events().into_iter().map(|(stream, ..)| stream).collect();
    assert_eq!(streams, ["counter-1", "", ""]);
    let failed = handler.handle(&Boundary::stream("counter", 1).and(Boundary::stream("counter", 2))).unwrap_err();
    assert!(matches!(failed, HandleError::NoStream { .. }), "{failed}");
    let failed = handler.handle(&Boundary::tag("counter", "\n")).unwrap_err();
    assert!(matches!(failed, HandleError::Boundary(_)), "{failed}");
}

#[test]
fn money_is_conserved_between_a_hundred_accounts_and_in_both_read_models() {
    let test = TestStore::new();
    let branch = Branch::open(Arc::clone(&test.store), test.directory.path());
    open_accounts(&branch.handler);
    transfer(&branch.handler, 7, 100);
    branch.check(test.directory.path(), PATIENCE);
}

//! The shop of the example: what was ordered is paid for and shipped once, whatever happens to the process.

#[path = "../../examples/fulfilment/shop.rs"]
mod shop;

use super::support::{PATIENCE, TestStore};
use gesta::Uuid;
use gesta_cqrs::sqlite::SqliteReadModel;
use gesta_cqrs::{
    Boundary, CommandHandler, MemoryReadModel, ProcessManager, ProjectError, Reactor, Runner, Running, TryLater, given,
    settled,
};
use shop::{Fulfilment, OrderCommand, OrderRefusal, Orders, ShopEvent, WalletCommand, Wallets, fund, place};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

fn run(test: &TestStore) -> Running {
    let checkpoints = SqliteReadModel::open(test.directory.path().join("fulfilment.sqlite")).unwrap();
    let process = Reactor::new(Fulfilment::new(&test.store), Arc::clone(&test.store));
    Runner::new(Arc::clone(&test.store)).project(process, checkpoints).start().unwrap()
}

/// How often each type of event stands in each stream.
fn counts(test: &TestStore) -> BTreeMap<(String, String), usize> {
    let mut counts = BTreeMap::new();
    for (stream, event_type, _) in test.events() {
        *counts.entry((stream, event_type)).or_default() += 1;
    }
    counts
}

/// Waits until every order has come to its end.
fn wait_until_done(test: &TestStore, order_count: usize) {
    let began = Instant::now();
    let done = |test: &TestStore| {
        let counts = counts(test);
        counts.iter().filter(|((_, kind), _)| kind == "Shipped" || kind == "Cancelled").count()
    };
    while done(test) < order_count {
        assert!(began.elapsed() < PATIENCE, "{:?}", counts(test));
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn the_rules_of_the_shop() {
    let placed = || ShopEvent::Placed { order: 1, customer: "ada".to_owned(), cents: 70 };
    let place = || OrderCommand::Place { order: 1, customer: "ada".to_owned(), cents: 70 };
    given::<Orders>([]).when(place()).then([placed()]).when(place()).then_refused(&OrderRefusal::AlreadyPlaced);
    given::<Orders>([]).when(OrderCommand::Ship { order: 1 }).then_refused(&OrderRefusal::NotPlaced);
    given::<Orders>([placed(), ShopEvent::Shipped { order: 1 }])
        .when(OrderCommand::Cancel { order: 1 })
        .then_refused(&OrderRefusal::Done);
    let charge = || WalletCommand::Charge { order: 1, customer: "ada".to_owned(), cents: 70 };
    let funded = ShopEvent::Funded { customer: "ada".to_owned(), cents: 100 };
    given::<Wallets>([funded])
        .when(charge())
        .then([ShopEvent::Charged { order: 1, customer: "ada".to_owned(), cents: 70 }])
        .when(charge())
        .then([ShopEvent::Declined { order: 1, customer: "ada".to_owned() }]);
}

#[test]
fn what_was_ordered_is_paid_for_and_shipped_or_else_cancelled() {
    let test = TestStore::new();
    let running = run(&test);
    fund(&test.store, "ada", 1_000).unwrap();
    for order in 0..20 {
        place(&test.store, order, "ada", 90).unwrap();
    }
    wait_until_done(&test, 20);
    running.stop().unwrap();
    let kinds = |kind: &str| test.events().iter().filter(|(_, event_type, _)| event_type == kind).count();
    // 11 times 90 cents are in a thousand.
    assert_eq!((kinds("Charged"), kinds("Shipped"), kinds("Declined"), kinds("Cancelled")), (11, 11, 9, 9));
}

#[test]
fn a_process_that_forgets_how_far_it_was_does_nothing_twice() {
    let test = TestStore::new();
    fund(&test.store, "ada", 1_000).unwrap();
    for order in 0..10 {
        place(&test.store, order, "ada", 10).unwrap();
    }
    let running = run(&test);
    wait_until_done(&test, 10);
    running.stop().unwrap();
    let before = counts(&test);
    for name in ["fulfilment.sqlite", "fulfilment.sqlite-wal", "fulfilment.sqlite-shm"] {
        let _ = std::fs::remove_file(test.directory.path().join(name));
    }
    // It begins at the beginning, and asks for everything again, under the same ids.
    let running = run(&test);
    let head = gesta::EventReader::head(&*test.store).unwrap();
    running.wait("fulfilment", head, PATIENCE).unwrap();
    running.stop().unwrap();
    assert_eq!(counts(&test), before);
    assert!(before.values().all(|count| *count == 1 || *count == 10), "{before:?}");
}

/// Gives something back after every third order that a customer has paid for. It fails twice before it does anything.
struct Loyalty {
    wallets: CommandHandler<Arc<gesta::Store>, Wallets>,
    failures_left: AtomicU32,
}

impl ProcessManager for Loyalty {
    type Event = ShopEvent;
    type State = u32; // orders paid for
    type Command = WalletCommand;

    fn name(&self) -> &str {
        "loyalty"
    }

    fn boundary(&self, event: &ShopEvent) -> Boundary {
        match event {
            ShopEvent::Charged { customer, .. } => Boundary::stream("wallet", customer),
            _ => Boundary::nothing(),
        }
    }

    fn evolve(&self, paid_count: &mut u32, event: &ShopEvent) {
        *paid_count += u32::from(matches!(event, ShopEvent::Charged { .. }));
    }

    fn react(&self, paid_count: &u32, event: &ShopEvent) -> Vec<WalletCommand> {
        match event {
            ShopEvent::Charged { customer, .. } if paid_count.is_multiple_of(3) => {
                vec![WalletCommand::Fund { customer: customer.clone(), cents: 1 }]
            }
            _ => Vec::new(),
        }
    }

    fn dispatch(&self, id: Uuid, command: &WalletCommand) -> Result<(), ProjectError> {
        if self.failures_left.load(Ordering::Relaxed) > 0 {
            self.failures_left.fetch_sub(1, Ordering::Relaxed);
            return Err(TryLater("not yet".into()).into());
        }
        drop(settled(self.wallets.handle_once(id, command))?);
        Ok(())
    }
}

#[test]
fn a_process_knows_what_had_happened_by_each_of_its_events_and_is_tried_again() {
    let test = TestStore::new();
    fund(&test.store, "ada", 1_000).unwrap();
    let wallets = || CommandHandler::<_, Wallets>::new(Arc::clone(&test.store));
    for order in 0..7 {
        wallets().handle(&WalletCommand::Charge { order, customer: "ada".to_owned(), cents: 10 }).unwrap();
    }
    let loyalty = Loyalty { wallets: wallets(), failures_left: AtomicU32::new(2) };
    let process = Reactor::new(loyalty, Arc::clone(&test.store));
    let running = Runner::new(Arc::clone(&test.store)).project(process, MemoryReadModel::<()>::new()).start().unwrap();
    running.wait("loyalty", gesta::Position(8), PATIENCE).unwrap();
    assert_eq!(running.statuses()[0].parked_count, 0, "what is tried later is not parked");
    running.stop().unwrap();
    let counts = counts(&test);
    let of = |kind: &str| counts.get(&("wallet-ada".to_owned(), kind.to_owned())).copied();
    // After the third and the sixth, though all seven were there when the process began.
    assert_eq!((of("Charged"), of("Funded")), (Some(7), Some(1 + 2)));
}

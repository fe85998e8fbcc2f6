//! Transfers between a hundred accounts by eight threads, on any store: money is neither made nor lost, in the log and in
//! the read models.

use super::bank::{AccountEvent, Bank, Command, Refusal};
use super::models::{Balances, InMemory, InSqlite, balances_in};
use gesta_cqrs::sqlite::SqliteReadModel;
use gesta_cqrs::{CommandHandler, HandleError, MemoryReadModel, Runner, Running, decode};
use gesta_model::{EventCursor, EventReader, EventStore, Position, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

const ACCOUNTS: u32 = 100;
const CENTS_EACH: u64 = 1_000;
const THREADS: u32 = 8;

/// Numbers that look random.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from((self.0 >> 33) % u64::from(end)).unwrap()
    }
}

/// The balances by the log's word up to a position, none of which was ever below nothing.
pub(crate) fn balances_of_log<S: EventReader>(store: &S, until: Position) -> Balances {
    let mut balances = Balances::new();
    let mut events = store.read(Read::all().until(until)).unwrap();
    while let Some(record) = events.next_record() {
        let event: AccountEvent = decode(&record.unwrap()).unwrap().unwrap();
        let balance = balances.entry(event.account()).or_default();
        *balance += event.cents();
        assert!(*balance >= 0, "account {} was overdrawn", event.account());
    }
    balances
}

/// Opens what accounts are not open yet and puts the same into each, in one command each, done once.
pub(crate) fn open_accounts<S: EventStore>(handler: &CommandHandler<Arc<S>, Bank>) {
    thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || {
                for account in (thread..ACCOUNTS).step_by(THREADS as usize) {
                    let [opening, deposit] = [1, 2].map(|step| gesta_model::Uuid::from_u64_pair(step, account.into()));
                    handler.handle_once(opening, &Command::Open { account }).unwrap();
                    handler.handle_once(deposit, &Command::Deposit { account, cents: CENTS_EACH }).unwrap();
                }
            });
        }
    });
}

/// Transfers at random until each thread has tried so often.
pub(crate) fn transfer<S: EventStore>(handler: &CommandHandler<Arc<S>, Bank>, seed: u64, times_each: u32) {
    thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || {
                let mut dice = Dice(seed ^ (u64::from(thread) << 32));
                for _ in 0..times_each {
                    let from = dice.below(ACCOUNTS);
                    let to = (from + 1 + dice.below(ACCOUNTS - 1)) % ACCOUNTS;
                    let command = Command::Transfer { from, to, cents: dice.below(500).into() };
                    match handler.handle(&command) {
                        Ok(_) | Err(HandleError::Refused(Refusal::NotEnough { .. })) => {}
                        Err(error) => panic!("{command:?}: {error}"),
                    }
                }
            });
        }
    });
}

/// A bank over a store, and both of its read models.
pub(crate) struct Branch<S> {
    pub(crate) store: Arc<S>,
    pub(crate) handler: CommandHandler<Arc<S>, Bank>,
    memory: MemoryReadModel<Balances>,
    running: Running,
}

impl<S: EventStore + 'static> Branch<S> {
    /// A bank whose tables are in a directory.
    pub(crate) fn open(store: Arc<S>, directory: &Path) -> Self {
        let memory = MemoryReadModel::new();
        let running = Runner::new(Arc::clone(&store))
            .project(InMemory, memory.clone())
            .project(InSqlite::default(), database(directory))
            .start()
            .unwrap();
        let handler = CommandHandler::new(Arc::clone(&store)).attempts_max(1_000);
        Self { store, handler, memory, running }
    }

    /// Waits for both read models, and looks that both agree with the log.
    pub(crate) fn check(self, directory: &Path, patience: Duration) {
        let head = self.store.head().unwrap();
        let began = std::time::Instant::now();
        while self.running.statuses().iter().any(|status| status.position < head) {
            assert!(began.elapsed() < patience, "{:?}", self.running.statuses());
            thread::sleep(Duration::from_millis(2));
        }
        let truth = balances_of_log(&*self.store, head);
        assert_eq!(truth.values().sum::<i64>(), i64::from(ACCOUNTS) * CENTS_EACH.cast_signed());
        self.memory.read(|balances, _| assert_eq!(*balances, truth));
        assert_eq!(balances_in(database(directory).reader().unwrap()), (truth, head.0));
        self.running.stop().unwrap();
    }
}

pub(crate) fn database(directory: &Path) -> SqliteReadModel {
    SqliteReadModel::open(file(directory)).unwrap()
}

pub(crate) fn file(directory: &Path) -> PathBuf {
    directory.join("balances.sqlite")
}

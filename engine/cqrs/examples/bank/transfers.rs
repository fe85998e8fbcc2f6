//! What customers do all day, by eight threads at once.

use super::Failure;
use super::account::{Bank, Command, Refusal};
use gesta::{Store, Uuid};
use gesta_cqrs::{CommandHandler, HandleError};
use std::sync::Arc;
use std::thread;

/// How many accounts there are.
pub(crate) const ACCOUNTS: u32 = 100;
/// What is paid into each when it is opened.
pub(crate) const CENTS_EACH: u64 = 1_000;
const THREADS: u64 = 8;
const TRANSFERS_EACH: u32 = 250;

/// What has come of the transfers.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) done: u32,
    pub(super) refused: u32,
    pub(super) conflicts: u32,
}

/// Opens the accounts and pays into each. Both have an id, under which a command is followed once, so that a bank which goes
/// on pays nobody twice.
pub(super) fn open_accounts(bank: &CommandHandler<Arc<Store>, Bank>) -> Result<(), Failure> {
    for account in 0..ACCOUNTS {
        let [opening, deposit] = [1, 2].map(|step| Uuid::from_u64_pair(step, account.into()));
        bank.handle_once(opening, &Command::Open { account })?;
        bank.handle_once(deposit, &Command::Deposit { account, cents: CENTS_EACH })?;
    }
    Ok(())
}

/// Moves money between accounts that are drawn at random.
pub(super) fn transfer_at_random(bank: &CommandHandler<Arc<Store>, Bank>, seed: u64) -> Result<Tally, Failure> {
    thread::scope(|scope| {
        let threads: Vec<_> =
            (0..THREADS).map(|thread| scope.spawn(move || customer(bank, Dice(seed * THREADS + thread)))).collect();
        let mut all = Tally::default();
        for thread in threads {
            let tally = thread.join().map_err(|_| "a customer panicked")??;
            all.done += tally.done;
            all.refused += tally.refused;
            all.conflicts += tally.conflicts;
        }
        Ok(all)
    })
}

fn customer(bank: &CommandHandler<Arc<Store>, Bank>, mut dice: Dice) -> Result<Tally, Failure> {
    let mut tally = Tally::default();
    for _ in 0..TRANSFERS_EACH {
        let from = dice.below(ACCOUNTS);
        let to = (from + 1 + dice.below(ACCOUNTS - 1)) % ACCOUNTS;
        match bank.handle(&Command::Transfer { from, to, cents: dice.below(800).into() }) {
            Ok(handled) => {
                tally.done += 1;
                tally.conflicts += handled.attempts - 1;
            }
            Err(HandleError::Refused(Refusal::NotEnough { .. })) => tally.refused += 1,
            Err(error) => return Err(format!("{error:?}").into()),
        }
    }
    Ok(tally)
}

/// Numbers that look random.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as u32 % end
    }
}

//! A bank: eight threads move money between a hundred accounts, and none is made or lost.
//!
//! ```text
//!  commands ──► command handler ──► event store: one stream an account
//!                                       │ projection
//!  questions ──► query handler ──► SQLite: the balances
//! ```
//!
//! Without a directory it works in one that is gone afterwards. With one, run it again: the bank goes on where it stood.
//!
//! ```sh
//! cargo run --release -p gesta-cqrs --example bank -- /tmp/bank
//! ```

pub(crate) mod account;
mod balances;
mod figures;
mod transfers;

use account::{Bank, Command, Refusal};
use balances::{BalanceOf, BalanceRows, Total};
use gesta::{EventReader, Options, Store};
use gesta_cqrs::sqlite::{SqliteReadModel, SqliteReader};
use gesta_cqrs::{CommandHandler, Figures, HandleError, QueryHandler, Runner};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use transfers::{ACCOUNTS, CENTS_EACH, open_accounts, transfer_at_random};

/// Why the program ends before its time.
type Failure = Box<dyn Error + Send + Sync>;

/// How long the read model is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

fn main() -> Result<(), Failure> {
    let temporary = tempfile::tempdir()?;
    let directory = std::env::args_os().nth(1).map_or_else(|| temporary.path().to_owned(), PathBuf::from);
    run(&directory)?;
    Ok(())
}

/// A day at the bank; returns what is on all accounts in the end.
pub(crate) fn run(directory: &Path) -> Result<i64, Failure> {
    std::fs::create_dir_all(directory)?;
    let figures = Arc::new(Figures::new());
    let store = Arc::new(Store::open(directory.join("store"), Options::default())?);
    println!("the event store in {} holds {} events", directory.display(), store.head()?);

    // Whoever meets a conflict rebuilds the state and decides again, up to so many times.
    let bank =
        CommandHandler::<_, Bank>::new(Arc::clone(&store)).attempts_max(1_000).figures("bank", Arc::clone(&figures));

    let database = directory.join("balances.sqlite");
    let running = Runner::new(Arc::clone(&store)).project(BalanceRows, SqliteReadModel::open(&database)?).start()?;
    let queries = QueryHandler::new(SqliteReader::open(&database)?, "balances").figures(Arc::clone(&figures));

    open_accounts(&bank)?;
    let tally = transfer_at_random(&bank, store.head()?.0)?;
    println!("{} transfers done, {} refused for want of money", tally.done, tally.refused);
    println!("{} conflicts, each of them decided again", tally.conflicts);

    // Read your writes: the answer holds what the command has just led to.
    let handled = bank.handle(&Command::Transfer { from: 0, to: 1, cents: 0 })?;
    let position = handled.position().ok_or("a transfer is two events")?;
    let balance = queries.ask_at(&BalanceOf(0), position, PATIENCE)?;
    println!("account 0 holds {} cents, as of position {}", balance.answer, balance.position);

    let too_much = Command::Transfer { from: 0, to: 1, cents: u64::from(ACCOUNTS) * CENTS_EACH + 1 };
    match bank.handle(&too_much) {
        Err(HandleError::Refused(Refusal::NotEnough { account, cents })) => {
            println!("an overdraft is refused: account {account} holds no more than {cents} cents");
        }
        other => return Err(format!("an overdraft is to be refused, and this came of it: {other:?}").into()),
    }

    let total = check_total(&queries)?;
    figures::print(&store, &figures)?;
    running.stop()?;
    Ok(total)
}

/// Asks for the total and for each balance, and compares both with what was once paid in.
fn check_total(queries: &QueryHandler<SqliteReader>) -> Result<i64, Failure> {
    let total = queries.ask(&Total)?.answer;
    let mut sum = 0;
    for account in 0..ACCOUNTS {
        sum += queries.ask(&BalanceOf(account))?.answer;
    }
    let paid_in = i64::from(ACCOUNTS) * i64::try_from(CENTS_EACH)?;
    println!("{total} cents are on {ACCOUNTS} accounts, and {paid_in} were paid in");
    if (total, sum) != (paid_in, paid_in) {
        return Err(format!("money was made or lost: {total} in total, {sum} account by account").into());
    }
    Ok(total)
}

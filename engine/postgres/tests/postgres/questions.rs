//! Questions to rows in PostgreSQL: an answer and its position are of one moment, whatever happens around them.

use super::cluster::{self, Cluster};
use super::models::{Balances, InPostgres, bank, deposit, fold, model, run, wait_until};
use super::support::PATIENCE;
use gesta::Position;
use gesta_cqrs::{AskError, QueryHandler, Question};
use gesta_postgres::{PostgresError, PostgresReader, PostgresRows};
use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

type Answer<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// A question that is a function.
struct Ask<F>(F);

impl<T, F: Fn(&PostgresRows) -> Answer<T>> Question<PostgresRows> for Ask<F> {
    type Answer = T;

    fn name(&self) -> &str {
        "ask"
    }

    fn answer(&self, rows: &PostgresRows) -> Answer<T> {
        (self.0)(rows)
    }
}

/// All balances, and of how many events they are.
fn balances(rows: &PostgresRows) -> Answer<(Balances, u64)> {
    let (mut balances, mut count) = (Balances::new(), 0);
    for row in rows.query("SELECT account, cents, events FROM balances", &[])? {
        balances.insert(u32::try_from(row.get::<_, i64>(0))?, row.get(1));
        count += row.get::<_, i64>(2).cast_unsigned();
    }
    Ok((balances, count))
}

/// The process of the server that answers.
fn process(rows: &PostgresRows) -> Answer<i32> {
    Ok(rows.query_one("SELECT pg_backend_pid()", &[])?.get(0))
}

fn handler(database: &str) -> QueryHandler<PostgresReader> {
    QueryHandler::new(PostgresReader::connect(database).unwrap(), "balances")
}

#[test]
fn every_answer_is_a_fold_of_the_log_up_to_its_position_while_rows_are_folded() {
    let Some(database) = cluster::database("moments") else { return };
    let (test, commands) = bank();
    let running = run(&test, &database, InPostgres::default());
    running.wait("balances", Position(4), PATIENCE).unwrap();
    let queries = handler(&database);
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                deposit(&commands, 1);
            }
        });
        let askers: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    let (mut last, mut moved) = (Position(0), 0);
                    while moved < 20 {
                        // Folding goes on between the two looks, and neither shows anything of it.
                        let twice = Ask(|rows: &PostgresRows| {
                            let first = balances(rows)?;
                            rows.query("SELECT pg_sleep(0.01)", &[])?;
                            Ok((first, balances(rows)?))
                        });
                        let answered = queries.ask(&twice).unwrap();
                        let (first, second) = answered.answer;
                        assert_eq!(first, second);
                        assert_eq!(first, fold(&test.store, answered.position), "at {}", answered.position);
                        assert!(answered.position >= last, "the rows went back");
                        moved += u32::from(answered.position > last);
                        last = answered.position;
                    }
                })
            })
            .collect();
        let outcomes: Vec<_> = askers.into_iter().map(thread::ScopedJoinHandle::join).collect();
        is_over.store(true, Ordering::Relaxed);
        assert!(outcomes.iter().all(Result::is_ok));
    });
}

#[test]
fn an_answer_holds_what_the_command_has_just_led_to() {
    let Some(database) = cluster::database("just_now") else { return };
    let (test, commands) = bank();
    let model = model(&database);
    let queries = QueryHandler::new(model.reader().unwrap(), "balances");
    assert_eq!(queries.ask(&Ask(process)).unwrap().position, Position(0), "before the first step");
    let running = run(&test, &database, InPostgres::default());
    let balance = |account: i64| {
        Ask(move |rows: &PostgresRows| {
            let row = rows.query_opt("SELECT cents FROM balances WHERE account = $1", &[&account])?;
            Ok(row.map(|row| row.get::<_, i64>(0)))
        })
    };
    for round in 1..=20 {
        let position = deposit(&commands, 1);
        let answered = queries.ask_at(&balance(1), position, PATIENCE).unwrap();
        assert_eq!((answered.answer, answered.position), (Some(100 + round), position));
    }
    assert_eq!(queries.ask(&balance(7)).unwrap().answer, None);
    let early = queries.ask_at(&balance(1), Position(1_000), Duration::from_millis(10)).unwrap_err();
    assert!(matches!(early, AskError::NotYet { position: Position(24), .. }), "{early}");
    running.stop().unwrap();
}

#[test]
fn a_server_that_is_started_again_between_questions_is_found_again() {
    let Some(mut cluster) = Cluster::start() else { return };
    let database = cluster.database("again");
    let (test, commands) = bank();
    let running = run(&test, &database, InPostgres::default());
    let position = deposit(&commands, 1);
    running.wait("balances", position, PATIENCE).unwrap();
    running.stop().unwrap();
    let queries = handler(&database);
    let before = queries.ask(&Ask(balances)).unwrap();
    cluster.kill();
    let down = queries.ask(&Ask(balances)).unwrap_err();
    assert!(matches!(down, AskError::Model(PostgresError::Connect { .. })), "{down}");
    cluster.restart();
    assert_eq!(queries.ask(&Ask(balances)).unwrap(), before);
    // It has not been asked meanwhile.
    cluster.kill();
    cluster.restart();
    assert_eq!(queries.ask(&Ask(balances)).unwrap(), before);
    assert_eq!(before.answer, fold(&test.store, position));
}

#[test]
fn what_cannot_be_asked_is_the_fault_of_the_question_and_the_connection_stays() {
    let Some(database) = cluster::database("faulty") else { return };
    drop(model(&database));
    let queries = handler(&database);
    let answering = queries.ask(&Ask(process)).unwrap().answer;
    for (text, said) in [
        ("SELECT * FROM nowhere", "relation \"nowhere\" does not exist"),
        ("DELETE FROM gesta_checkpoints", "read-only transaction"),
        ("SET TRANSACTION READ WRITE", "transaction read-write mode must be set before any query"),
        ("SELECT 13 / 0", "division by zero"),
    ] {
        let told = queries.ask(&Ask(|rows: &PostgresRows| Ok(rows.query(text, &[])?.len()))).unwrap_err();
        assert!(matches!(told, AskError::Question { .. }), "{text}: {told}");
        assert!(told.to_string().starts_with("ask: database faulty at "), "{text}: {told}");
        assert!(told.to_string().contains(said), "{text}: {told}");
        assert_eq!(queries.ask(&Ask(process)).unwrap().answer, answering, "{text}");
    }
}

#[test]
fn a_question_that_panics_leaves_no_transaction_open() {
    let Some(database) = cluster::database("panicking") else { return };
    drop(model(&database));
    let queries = handler(&database);
    let answering = queries.ask(&Ask(process)).unwrap().answer;
    let panicking = Ask(|rows: &PostgresRows| -> Answer<()> {
        rows.query("SELECT FROM gesta_checkpoints", &[])?;
        panic!("no answer");
    });
    assert!(catch_unwind(AssertUnwindSafe(|| queries.ask(&panicking))).is_err());
    let other = handler(&database);
    // The server takes note of the end of a connection a little later.
    wait_until(|| {
        let text = "SELECT FROM pg_stat_activity WHERE pid = $1";
        let is_gone = Ask(|rows: &PostgresRows| Ok(rows.query_opt(text, &[&answering])?.is_none()));
        other.ask(&is_gone).unwrap().answer
    });
    assert_ne!(queries.ask(&Ask(process)).unwrap().answer, answering);
}

#[test]
fn a_connection_that_breaks_under_a_question_is_no_fault_of_the_question() {
    let Some(database) = cluster::database("broken_question") else { return };
    drop(model(&database));
    let queries = handler(&database);
    let broken = queries.ask(&Ask(|rows: &PostgresRows| {
        // Somebody else ends it, and the question makes nothing of it.
        let _ = rows.query("SELECT pg_terminate_backend(pg_backend_pid(), 60000)", &[]);
        Ok(())
    }));
    assert!(matches!(broken, Err(AskError::Model(PostgresError::Database { .. }))), "{broken:?}");
    queries.ask(&Ask(process)).unwrap();
}

#[test]
fn tables_that_are_not_there_are_named_and_found_once_they_are() {
    let Some(database) = cluster::database("too_early") else { return };
    let reader = PostgresReader::connect_to_schema(&database, "later").unwrap();
    let queries = QueryHandler::new(reader, "balances");
    let early = queries.ask(&Ask(process)).unwrap_err();
    assert!(matches!(early, AskError::Model(PostgresError::Database { .. })), "{early}");
    assert!(early.to_string().contains("relation \"gesta_serving\" does not exist"), "{early}");
    drop(gesta_postgres::PostgresReadModel::connect_to_schema(&database, "later").unwrap());
    assert_eq!(queries.ask(&Ask(process)).unwrap().position, Position(0));
}

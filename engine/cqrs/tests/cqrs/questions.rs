//! Questions to read models, and how long they and commands take.

use super::bank::{Bank, Command};
use super::models::{Balances, InMemory, InSqlite};
use super::support::{PATIENCE, TestStore};
use gesta::Position;
use gesta_cqrs::sqlite::{SqliteReadModel, SqliteReader};
use gesta_cqrs::{AskError, CommandHandler, Figures, MemoryReadModel, QueryHandler, Question, Runner};
use rusqlite::Connection;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

/// What is on an account?
struct Balance(u32);

impl Question<Balances> for Balance {
    type Answer = Option<i64>;

    fn name(&self) -> &str {
        "balance"
    }

    fn answer(&self, rows: &Balances) -> Result<Option<i64>, Box<dyn Error + Send + Sync>> {
        Ok(rows.get(&self.0).copied())
    }
}

impl Question<Connection> for Balance {
    type Answer = i64;

    fn name(&self) -> &str {
        "balance"
    }

    fn answer(&self, rows: &Connection) -> Result<i64, Box<dyn Error + Send + Sync>> {
        let text = "SELECT cents FROM balances WHERE account = ?1";
        Ok(rows.prepare_cached(text)?.query_row([self.0], |row| row.get(0))?)
    }
}

#[test]
fn an_answer_holds_what_the_command_has_just_led_to() {
    let test = TestStore::new();
    let (memory, file) = (MemoryReadModel::new(), test.directory.path().join("balances.sqlite"));
    let running = Runner::new(Arc::clone(&test.store))
        .project(InMemory, memory.clone())
        .project(InSqlite::default(), SqliteReadModel::open(&file).unwrap())
        .start()
        .unwrap();
    let figures = Arc::new(Figures::new());
    let handler = CommandHandler::<_, Bank>::new(Arc::clone(&test.store)).figures("bank", Arc::clone(&figures));
    let in_memory = QueryHandler::new(memory, "balances").figures(Arc::clone(&figures));
    let in_sqlite = QueryHandler::new(SqliteReader::open(&file).unwrap(), "balances").figures(Arc::clone(&figures));
    handler.handle(&Command::Open { account: 1 }).unwrap();
    for cents in 1..=20 {
        let position = handler.handle(&Command::Deposit { account: 1, cents: 1 }).unwrap().position().unwrap();
        let answered = in_memory.ask_at(&Balance(1), position, PATIENCE).unwrap();
        assert_eq!((answered.answer, answered.position), (Some(cents), position));
        let answered = in_sqlite.ask_at(&Balance(1), position, PATIENCE).unwrap();
        assert_eq!((answered.answer, answered.position), (cents, position));
    }
    assert_eq!((figures.commands()["bank"].count, figures.queries()["balance"].count), (21, 40));
    let early = in_sqlite.ask_at(&Balance(1), Position(1_000), Duration::from_millis(10)).unwrap_err();
    assert!(matches!(early, AskError::NotYet { position: Position(21), .. }), "{early}");
    let unknown = in_sqlite.ask(&Balance(7)).unwrap_err();
    assert!(matches!(&unknown, AskError::Question { question, .. } if question == "balance"), "{unknown}");
    running.stop().unwrap();
}

#[test]
fn a_query_cannot_write() {
    let test = TestStore::new();
    let file = test.directory.path().join("rows.sqlite");
    assert!(SqliteReader::open(&file).is_err(), "who reads makes no file");
    drop(SqliteReadModel::open(&file).unwrap());
    let connection = SqliteReader::open(&file).unwrap().into_connection();
    let refused = connection.execute_batch("CREATE TABLE t (n)").unwrap_err();
    assert!(refused.to_string().contains("readonly"), "{refused}");
}

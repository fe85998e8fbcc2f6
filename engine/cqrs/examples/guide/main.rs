//! The program of docs/guide.md: `cargo run -p gesta-cqrs --example guide`.
//!
//! A library as an event store, from a command to the answer of a query, with the five figures n, s, S, t_q and t_c in the end.

use gesta::{EventReader, Options, Read, Store, StreamName};
use gesta_cqrs::sqlite::{SqliteReadModel, SqliteReader};
use gesta_cqrs::{
    Boundary, CommandHandler, Decider, DomainEvent, Figures, HandleError, Labels, ProjectError, Projection,
    QueryHandler, Question, Recorded, Runner, SnapshotPolicy, decode,
};
use rusqlite::{Connection, Transaction, params};
use serde::{Deserialize, Serialize};
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

/// What happens to a book of the library.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum BookEvent {
    Bought { book: String, title: String },
    Lent { book: String, to: String },
    Returned { book: String },
}

impl DomainEvent for BookEvent {
    fn describe(&self, labels: &mut Labels) {
        let (Self::Bought { book, .. } | Self::Lent { book, .. } | Self::Returned { book }) = self;
        labels.stream("book", book);
        if let Self::Lent { to, .. } = self {
            labels.tag("reader", to);
        }
    }
}

/// What can be asked for.
enum BookCommand {
    Buy { book: String, title: String },
    Lend { book: String, to: String },
    TakeBack { book: String },
}

/// Why it is not done.
#[derive(Debug, PartialEq)]
enum Refusal {
    NoSuchBook,
    IsThereAlready,
    IsLent,
    IsNotLent,
}

/// What has to be known of a book to decide.
#[derive(Debug, Default, Serialize, Deserialize)]
enum Book {
    #[default]
    Nowhere,
    OnTheShelf,
    Lent,
}

struct Library;

impl Decider for Library {
    type Command = BookCommand;
    type Event = BookEvent;
    type State = Book;
    type Refusal = Refusal;

    fn boundary(command: &BookCommand) -> Boundary {
        let (BookCommand::Buy { book, .. } | BookCommand::Lend { book, .. } | BookCommand::TakeBack { book }) = command;
        Boundary::stream("book", book)
    }

    fn decide(state: &Book, command: &BookCommand) -> Result<Vec<BookEvent>, Refusal> {
        let event = match (command, state) {
            (BookCommand::Buy { book, title }, Book::Nowhere) => {
                BookEvent::Bought { book: book.clone(), title: title.clone() }
            }
            (BookCommand::Buy { .. }, _) => return Err(Refusal::IsThereAlready),
            (_, Book::Nowhere) => return Err(Refusal::NoSuchBook),
            (BookCommand::Lend { book, to }, Book::OnTheShelf) => {
                BookEvent::Lent { book: book.clone(), to: to.clone() }
            }
            (BookCommand::Lend { .. }, Book::Lent) => return Err(Refusal::IsLent),
            (BookCommand::TakeBack { book }, Book::Lent) => BookEvent::Returned { book: book.clone() },
            (BookCommand::TakeBack { .. }, Book::OnTheShelf) => return Err(Refusal::IsNotLent),
        };
        Ok(vec![event])
    }

    fn evolve(state: &mut Book, event: &BookEvent) {
        *state = match event {
            BookEvent::Bought { .. } | BookEvent::Returned { .. } => Book::OnTheShelf,
            BookEvent::Lent { .. } => Book::Lent,
        };
    }
}

/// Who has which book.
struct Loans;

impl Projection for Loans {
    type Event = BookEvent;
    type Model = SqliteReadModel;

    fn name(&self) -> &str {
        "loans"
    }

    fn set_up(&self, rows: &mut Transaction<'_>) -> Result<(), ProjectError> {
        rows.execute_batch("CREATE TABLE books (book TEXT PRIMARY KEY, title TEXT NOT NULL, reader TEXT)")?;
        Ok(())
    }

    fn project(&self, rows: &mut Transaction<'_>, event: &Recorded<'_, BookEvent>) -> Result<(), ProjectError> {
        match &event.event {
            BookEvent::Bought { book, title } => {
                rows.execute("INSERT INTO books (book, title) VALUES (?1, ?2)", params![book, title])?
            }
            BookEvent::Lent { book, to } => {
                rows.execute("UPDATE books SET reader = ?2 WHERE book = ?1", params![book, to])?
            }
            BookEvent::Returned { book } => {
                rows.execute("UPDATE books SET reader = NULL WHERE book = ?1", params![book])?
            }
        };
        Ok(())
    }
}

/// Who has which book, and how often each was lent.
struct CountedLoans;

impl Projection for CountedLoans {
    type Event = BookEvent;
    type Model = SqliteReadModel;

    fn name(&self) -> &str {
        "loans"
    }

    fn version(&self) -> u32 {
        2
    }

    fn set_up(&self, rows: &mut Transaction<'_>) -> Result<(), ProjectError> {
        let columns = "book TEXT PRIMARY KEY, title TEXT NOT NULL, reader TEXT, loans INTEGER NOT NULL DEFAULT 0";
        rows.execute_batch(&format!("CREATE TABLE books_v2 ({columns})"))?;
        Ok(())
    }

    fn take_over(&self, rows: &mut Transaction<'_>) -> Result<(), ProjectError> {
        rows.execute_batch("DROP TABLE IF EXISTS books; CREATE VIEW books AS SELECT * FROM books_v2")?;
        Ok(())
    }

    fn project(&self, rows: &mut Transaction<'_>, event: &Recorded<'_, BookEvent>) -> Result<(), ProjectError> {
        match &event.event {
            BookEvent::Bought { book, title } => {
                rows.execute("INSERT INTO books_v2 (book, title) VALUES (?1, ?2)", params![book, title])?
            }
            BookEvent::Lent { book, to } => {
                let text = "UPDATE books_v2 SET reader = ?2, loans = loans + 1 WHERE book = ?1";
                rows.execute(text, params![book, to])?
            }
            BookEvent::Returned { book } => {
                rows.execute("UPDATE books_v2 SET reader = NULL WHERE book = ?1", params![book])?
            }
        };
        if event.is_news() {
            println!("told the readers of event {}", event.position());
        }
        Ok(())
    }
}

/// Which books does somebody have?
struct BooksOf(&'static str);

impl Question<Connection> for BooksOf {
    type Answer = Vec<String>;

    fn name(&self) -> &str {
        "books of"
    }

    fn answer(&self, rows: &Connection) -> Result<Vec<String>, Box<dyn Error + Send + Sync>> {
        let mut statement = rows.prepare_cached("SELECT title FROM books WHERE reader = ?1 ORDER BY title")?;
        let titles = statement.query_map([self.0], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(titles)
    }
}

pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let directory = tempfile::tempdir()?;
    let store = Arc::new(Store::open(directory.path().join("library"), Options::default())?);
    let figures = Arc::new(Figures::new());
    let library = CommandHandler::<_, Library>::new(Arc::clone(&store))
        .snapshots(SnapshotPolicy::new("book", 1).every_events(100))
        .figures("library", Arc::clone(&figures));

    let tables = directory.path().join("loans.sqlite");
    let running = Runner::new(Arc::clone(&store)).project(Loans, SqliteReadModel::open(&tables)?).start()?;

    library.handle(&BookCommand::Buy { book: "1".into(), title: "Middlemarch".into() })?;
    library.handle(&BookCommand::Buy { book: "2".into(), title: "Emma".into() })?;
    library.handle(&BookCommand::Lend { book: "2".into(), to: "ada".into() })?;
    library.handle(&BookCommand::TakeBack { book: "2".into() })?;
    let lent = library.handle(&BookCommand::Lend { book: "1".into(), to: "ada".into() })?;

    let again = library.handle(&BookCommand::Lend { book: "1".into(), to: "grace".into() });
    assert!(matches!(again, Err(HandleError::Refused(Refusal::IsLent))));

    let queries = QueryHandler::new(SqliteReader::open(&tables)?, "loans").figures(Arc::clone(&figures));
    let position = lent.position().ok_or("a loan is an event")?;
    let answered = queries.ask_at(&BooksOf("ada"), position, Duration::from_secs(5))?;
    println!("ada has {:?}, as of position {}", answered.answer, answered.position);
    assert_eq!(answered.answer, ["Middlemarch"]);

    let desk = CommandHandler::<_, Library>::new(Arc::clone(&store)).wait_for(["loans"], Duration::from_secs(5));
    desk.handle(&BookCommand::TakeBack { book: "1".into() })?.waited?;
    assert!(queries.ask(&BooksOf("ada"))?.answer.is_empty());

    // The state of one book, rebuilt by replay of its events: what the command handler does by itself.
    let mut book = Book::default();
    let mut events = EventReader::read(&*store, Read::stream(StreamName::new("book-1")?))?;
    while let Some(record) = events.next_record() {
        if let Some(event) = decode::<BookEvent>(&record?)? {
            Library::evolve(&mut book, &event);
        }
    }
    println!("book 1, by replay: {book:?}");

    let newer = Runner::new(Arc::clone(&store)).project(CountedLoans, SqliteReadModel::open(&tables)?).start()?;
    newer.wait("loans", store.reader().head(), Duration::from_secs(5))?;
    let rows = SqliteReader::open(&tables)?.into_connection();
    let loans: u32 = rows.query_row("SELECT sum(loans) FROM books", [], |row| row.get(0))?;
    assert_eq!(loans, 2);

    show_events(&store)?;
    show_figures(&store, &figures)?;
    running.stop()?;
    newer.stop()?;
    Ok(())
}

/// Prints each event: its time, its type and its payload.
fn show_events(store: &Store) -> Result<(), Box<dyn Error>> {
    let mut events = EventReader::read(store, Read::all())?;
    while let Some(event) = events.next_record() {
        let event = event?;
        let (event_type, payload) = (event.event_type().to_owned(), event.data().as_str().unwrap_or("-").to_owned());
        let time = events.recorded_at().ok_or("an event that was read has a time")?;
        println!("{} ns  {event_type}  {payload}", time.0);
    }
    Ok(())
}

/// Prints the five figures.
fn show_figures(store: &Store, figures: &Figures) -> Result<(), Box<dyn Error>> {
    let statistics = store.reader().statistics()?;
    println!("n: {} events", statistics.events);

    let mut sizes = Vec::new();
    let mut events = store.read(Read::all());
    while let Some(event) = events.next_record() {
        sizes.push(event?.bytes().len());
    }
    let (smallest, largest) = (sizes.iter().min().unwrap_or(&0), sizes.iter().max().unwrap_or(&0));
    println!("s: {smallest} to {largest} bytes an event");

    let written = statistics.log_bytes + statistics.index_bytes + statistics.snapshot_bytes;
    println!("S: {written} bytes, and {} that lie ready for events to come", statistics.reserved_bytes);

    for (name, t_q) in figures.queries() {
        println!("t_q of {name}: {} queries, half within {} us", t_q.count, t_q.p50_us);
    }
    for (name, t_c) in figures.commands() {
        println!("t_c of {name}: {} commands, half within {} us", t_c.count, t_c.p50_us);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use gesta_cqrs::given;

    #[test]
    fn a_book_is_lent_to_one_reader_at_a_time() {
        let bought = || BookEvent::Bought { book: "1".into(), title: "Emma".into() };
        let lend_to = |to: &str| BookCommand::Lend { book: "1".into(), to: to.into() };
        let lent_to = |to: &str| BookEvent::Lent { book: "1".into(), to: to.into() };
        given::<Library>([bought()])
            .when(lend_to("ada"))
            .then([lent_to("ada")])
            .when(lend_to("grace"))
            .then_refused(&Refusal::IsLent)
            .when(BookCommand::TakeBack { book: "1".into() })
            .then([BookEvent::Returned { book: "1".into() }])
            .when(lend_to("grace"))
            .then([lent_to("grace")]);
        given::<Library>([]).when(lend_to("ada")).then_refused(&Refusal::NoSuchBook);
    }
}

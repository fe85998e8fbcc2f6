//! Courses: a course is never overbooked, and no student takes too many. One decision rests on both, and on no stream: a
//! dynamic consistency boundary, as <https://dcb.events> tells it by this example.
//!
//! ```text
//!  subscribe ──► command handler ──► event store: events with the tags course:.. and student:..
//!                 boundary: tag course:logic or tag student:7     │ projection
//!  questions ──► query handler ──► SQLite: who is where ◄─────────┘
//! ```
//!
//! Without a directory it works in one that is gone afterwards. With one, run it again: it goes on where it stood.
//!
//! ```sh
//! cargo run --release -p gesta-cqrs --example courses -- /tmp/courses
//! ```

mod clerks;
pub(crate) mod course;
pub(crate) mod proof;
mod rosters;

use course::{COURSES_MAX, Command, Courses, Refusal};
use gesta::{EventReader, Options, Store};
use gesta_cqrs::sqlite::{SqliteReadModel, SqliteReader};
use gesta_cqrs::{CommandHandler, HandleError, QueryHandler, Runner};
use rosters::{Roster, RosterRows, Rosters};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Why the program ends before its time.
type Failure = Box<dyn Error + Send + Sync>;

/// The courses, and how many seats each begins with.
const COURSES: [(&str, usize); 4] = [("algebra", 20), ("history", 15), ("logic", 10), ("music", 5)];
/// How long the read model is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

fn main() -> Result<(), Failure> {
    let temporary = tempfile::tempdir()?;
    let directory = std::env::args_os().nth(1).map_or_else(|| temporary.path().to_owned(), PathBuf::from);
    run(&directory)?;
    Ok(())
}

/// Opens courses and has everybody rush in; returns who is where in the end.
pub(crate) fn run(directory: &Path) -> Result<Vec<Roster>, Failure> {
    std::fs::create_dir_all(directory)?;
    let store = Arc::new(Store::open(directory.join("store"), Options::default())?);
    println!("the event store in {} holds {} events", directory.display(), store.head()?);
    let courses = CommandHandler::<_, Courses>::new(Arc::clone(&store)).attempts_max(1_000);

    let database = directory.join("courses.sqlite");
    let running = Runner::new(Arc::clone(&store)).project(RosterRows, SqliteReadModel::open(&database)?).start()?;
    let queries = QueryHandler::new(SqliteReader::open(&database)?, "rosters");

    for (course, seats) in COURSES {
        match courses.handle(&Command::Define { course: course.to_owned(), seats }) {
            Ok(_) => println!("{course} is defined, with {seats} seats"),
            Err(HandleError::Refused(Refusal::IsDefined)) => println!("{course} is defined already"),
            Err(error) => return Err(format!("{course}: {error:?}").into()),
        }
    }

    let tally = clerks::subscribe_everybody(&courses)?;
    println!("{} subscriptions, {} conflicts, each of them decided again", tally.subscribed, tally.conflicts);
    println!("refused: {} as the course was full", tally.full);
    println!("         {} as the student takes {COURSES_MAX} courses already", tally.too_many);
    println!("         {} as the student is there already", tally.already);

    let rosters = queries.ask_at(&Rosters, store.head()?, PATIENCE)?;
    println!("who is where, as of position {}:", rosters.position);
    for Roster { course, seats, students } in &rosters.answer {
        let names: Vec<_> = students.iter().map(u32::to_string).collect();
        println!("  {course:<8} {:>2} of {seats:>2} seats: {}", students.len(), names.join(" "));
    }

    let proof = proof::replay(&store)?;
    println!("replayed all {} events; after each of them", proof.event_count);
    println!("  no course had more students than seats: {} at most, of {}", proof.fullest, proof.fullest_seats);
    println!("  no student took more than {COURSES_MAX} courses: {} at most", proof.busiest);
    running.stop()?;
    Ok(rosters.answer)
}

//! The read model: who is where, in tables of SQLite, and what can be asked of it.

use super::course::CourseEvent;
use gesta_cqrs::sqlite::SqliteReadModel;
use gesta_cqrs::{ProjectError, Projection, Question, Recorded};
use rusqlite::{Connection, Transaction, params};
use std::error::Error;

/// Folds events into rosters.
pub(super) struct RosterRows;

impl Projection for RosterRows {
    type Event = CourseEvent;
    type Model = SqliteReadModel;

    fn name(&self) -> &str {
        "rosters"
    }

    fn set_up(&self, rows: &mut Transaction<'_>) -> Result<(), ProjectError> {
        rows.execute_batch(
            "CREATE TABLE courses (course TEXT PRIMARY KEY, seats INTEGER NOT NULL);
             CREATE TABLE subscriptions (course TEXT, student INTEGER, PRIMARY KEY (course, student))",
        )?;
        Ok(())
    }

    fn project(&self, rows: &mut Transaction<'_>, event: &Recorded<'_, CourseEvent>) -> Result<(), ProjectError> {
        match &event.event {
            CourseEvent::Defined { course, seats } => {
                rows.execute("INSERT INTO courses VALUES (?1, ?2)", params![course, i64::try_from(*seats)?])?
            }
            CourseEvent::SeatsChanged { course, seats } => rows
                .execute("UPDATE courses SET seats = ?2 WHERE course = ?1", params![course, i64::try_from(*seats)?])?,
            CourseEvent::Subscribed { course, student } => {
                rows.execute("INSERT INTO subscriptions VALUES (?1, ?2)", params![course, student])?
            }
        };
        Ok(())
    }
}

/// A course and who takes it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Roster {
    pub(crate) course: String,
    pub(crate) seats: usize,
    pub(crate) students: Vec<u32>,
}

/// Who is where?
pub(super) struct Rosters;

impl Question<Connection> for Rosters {
    type Answer = Vec<Roster>;

    fn name(&self) -> &str {
        "rosters"
    }

    fn answer(&self, rows: &Connection) -> Result<Vec<Roster>, Box<dyn Error + Send + Sync>> {
        let mut courses = rows.prepare_cached("SELECT course, seats FROM courses ORDER BY course")?;
        let mut students =
            rows.prepare_cached("SELECT student FROM subscriptions WHERE course = ?1 ORDER BY student")?;
        let found = courses.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let found: Vec<(String, i64)> = found.collect::<Result<_, _>>()?;
        let mut rosters = Vec::new();
        for (course, seats) in found {
            let students = students.query_map([&course], |row| row.get(0))?.collect::<Result<_, _>>()?;
            rosters.push(Roster { course, seats: usize::try_from(seats)?, students });
        }
        Ok(rosters)
    }
}

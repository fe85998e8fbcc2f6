//! Who did how much, where and when.

use super::event::{FileEvent, author, seconds};
use gesta_cqrs::sqlite::SqliteReadModel;
use gesta_cqrs::{ProjectError, Projection, Recorded};
use rusqlite::{Transaction, params};

/// Folds the tables `commits`, `authors` and `churn`. Churn is lines that came and lines that went, by the calendar of UTC.
pub(crate) struct Activity;

impl Projection for Activity {
    type Event = FileEvent;
    type Model = SqliteReadModel;

    fn name(&self) -> &str {
        "activity"
    }

    fn set_up(&self, rows: &mut Transaction<'_>) -> Result<(), ProjectError> {
        rows.execute_batch(
            "CREATE TABLE commits (hash TEXT PRIMARY KEY, author TEXT NOT NULL, made_at INTEGER NOT NULL) WITHOUT ROWID;
             CREATE TABLE authors (
                author TEXT PRIMARY KEY,
                commits INTEGER NOT NULL,
                changes INTEGER NOT NULL,
                lines INTEGER NOT NULL
             ) WITHOUT ROWID;
             CREATE TABLE churn (
                folder TEXT NOT NULL,
                month TEXT NOT NULL,
                changes INTEGER NOT NULL,
                lines INTEGER NOT NULL,
                PRIMARY KEY (folder, month)
             ) WITHOUT ROWID;",
        )?;
        Ok(())
    }

    fn project(&self, rows: &mut Transaction<'_>, event: &Recorded<'_, FileEvent>) -> Result<(), ProjectError> {
        let (change, author, seconds) = (event.event.change(), author(event), seconds(event));
        let lines = i64::try_from(change.added.unwrap_or(0) + change.removed.unwrap_or(0))?;

        let text = "INSERT OR IGNORE INTO commits VALUES (?1, ?2, ?3)";
        let new_commits = rows.prepare_cached(text)?.execute(params![change.commit, author, seconds])?;
        let text = "INSERT INTO authors VALUES (?1, ?2, 1, ?3) ON CONFLICT (author) DO UPDATE SET
                    commits = commits + ?2, changes = changes + 1, lines = lines + ?3";
        rows.prepare_cached(text)?.execute(params![author, i64::try_from(new_commits)?, lines])?;
        let text = "INSERT INTO churn VALUES (?1, strftime('%Y-%m', ?2, 'unixepoch'), 1, ?3)
                    ON CONFLICT (folder, month) DO UPDATE SET changes = changes + 1, lines = lines + ?3";
        rows.prepare_cached(text)?.execute(params![change.folder(), seconds, lines])?;
        Ok(())
    }
}

//! How many events there are of each type and with each tag, which the store's own counts must equal.

use super::event::FileEvent;
use gesta_cqrs::sqlite::SqliteReadModel;
use gesta_cqrs::{ProjectError, Projection, Recorded};
use rusqlite::Transaction;

/// Folds the tables `types` and `tags`.
pub(crate) struct LabelCounts;

impl Projection for LabelCounts {
    type Event = FileEvent;
    type Model = SqliteReadModel;

    fn name(&self) -> &str {
        "labels"
    }

    fn set_up(&self, rows: &mut Transaction<'_>) -> Result<(), ProjectError> {
        rows.execute_batch(
            "CREATE TABLE types (name TEXT PRIMARY KEY, events INTEGER NOT NULL) WITHOUT ROWID;
             CREATE TABLE tags (name TEXT PRIMARY KEY, events INTEGER NOT NULL) WITHOUT ROWID;",
        )?;
        Ok(())
    }

    fn project(&self, rows: &mut Transaction<'_>, event: &Recorded<'_, FileEvent>) -> Result<(), ProjectError> {
        let record = event.record();
        let text = "INSERT INTO types VALUES (?1, 1) ON CONFLICT (name) DO UPDATE SET events = events + 1";
        rows.prepare_cached(text)?.execute([record.event_type()])?;
        let text = "INSERT INTO tags VALUES (?1, 1) ON CONFLICT (name) DO UPDATE SET events = events + 1";
        let mut statement = rows.prepare_cached(text)?;
        for tag in record.tags() {
            statement.execute([tag])?;
        }
        Ok(())
    }
}

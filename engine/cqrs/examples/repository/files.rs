//! The files that exist, each with what the history says of it.

use super::event::{Change, FileEvent, Rename, author, seconds};
use gesta_cqrs::sqlite::SqliteReadModel;
use gesta_cqrs::{ProjectError, Projection, Recorded};
use rusqlite::{Transaction, params};

/// Folds the table `files`.
pub(crate) struct Files;

impl Projection for Files {
    type Event = FileEvent;
    type Model = SqliteReadModel;

    fn name(&self) -> &str {
        "files"
    }

    fn set_up(&self, rows: &mut Transaction<'_>) -> Result<(), ProjectError> {
        rows.execute_batch(
            "CREATE TABLE files (
                path TEXT PRIMARY KEY,
                blob TEXT NOT NULL,
                changes INTEGER NOT NULL,
                last_author TEXT NOT NULL,
                last_commit TEXT NOT NULL,
                changed_at INTEGER NOT NULL
            ) WITHOUT ROWID",
        )?;
        Ok(())
    }

    fn project(&self, rows: &mut Transaction<'_>, event: &Recorded<'_, FileEvent>) -> Result<(), ProjectError> {
        match &event.event {
            FileEvent::FileAdded(change) | FileEvent::FileModified(change) | FileEvent::FileTypeChanged(change) => {
                set(rows, change, event)
            }
            FileEvent::FileDeleted(change) => {
                rows.prepare_cached("DELETE FROM files WHERE path = ?1")?.execute([&change.path])?;
                Ok(())
            }
            FileEvent::FileRenamed(Rename { from, change }) => {
                // The row moves with all that it counts, over whatever had the new path.
                let text = "UPDATE OR REPLACE files SET path = ?2 WHERE path = ?1";
                rows.prepare_cached(text)?.execute([from, &change.path])?;
                set(rows, change, event)
            }
        }
    }
}

/// The file has a new content.
fn set(rows: &Transaction<'_>, change: &Change, event: &Recorded<'_, FileEvent>) -> Result<(), ProjectError> {
    let text = "INSERT INTO files VALUES (?1, ?2, 1, ?3, ?4, ?5) ON CONFLICT (path) DO UPDATE SET
                blob = ?2, changes = changes + 1, last_author = ?3, last_commit = ?4, changed_at = ?5";
    let values = params![change.path, change.blob, author(event), change.commit, seconds(event)];
    rows.prepare_cached(text)?.execute(values)?;
    Ok(())
}

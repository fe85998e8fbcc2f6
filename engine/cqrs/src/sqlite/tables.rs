//! The tables that every database with read models has: how far projections have come, who serves, and what is parked.

use crate::{Checkpoint, Parked, Part, ProjectionId, Role, Scope, Serving, Step};
use gesta_model::{Position, Timestamp, Uuid};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

/// Committed steps survive the process at once, and a power cut from the next checkpoint of the database on: what it takes is
/// folded again.
pub(super) const SET_UP: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    CREATE TABLE IF NOT EXISTS gesta_checkpoints (
        projection TEXT NOT NULL,
        version INTEGER NOT NULL,
        store_id BLOB NOT NULL,
        position INTEGER NOT NULL,
        PRIMARY KEY (projection, version)
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS gesta_serving (
        projection TEXT PRIMARY KEY NOT NULL,
        version INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS gesta_parts (
        projection TEXT NOT NULL,
        version INTEGER NOT NULL,
        part INTEGER NOT NULL,
        part_count INTEGER NOT NULL,
        part_key INTEGER NOT NULL,
        store_id BLOB NOT NULL,
        position INTEGER NOT NULL,
        PRIMARY KEY (projection, version, part, part_count, part_key)
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS gesta_parked (
        projection TEXT NOT NULL,
        version INTEGER NOT NULL,
        position INTEGER NOT NULL,
        event_type TEXT NOT NULL,
        reason TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        recorded_at INTEGER NOT NULL,
        is_news INTEGER NOT NULL,
        PRIMARY KEY (projection, version, position)
    ) WITHOUT ROWID;
";

pub(super) fn checkpoint(connection: &Connection, projection: &ProjectionId) -> rusqlite::Result<Option<Checkpoint>> {
    let text = "SELECT store_id, position FROM gesta_checkpoints WHERE projection = ?1 AND version = ?2";
    let mut statement = connection.prepare_cached(text)?;
    statement.query_row(params![projection.name, projection.version], checkpoint_of).optional()
}

/// The parts of a rebuild, and how far they have come.
pub(super) fn parts(connection: &Connection, projection: &ProjectionId) -> rusqlite::Result<Vec<(Part, Checkpoint)>> {
    let text = "SELECT * FROM gesta_parts WHERE projection = ?1 AND version = ?2";
    let mut statement = connection.prepare_cached(text)?;
    let rows = statement.query_map(params![projection.name, projection.version], |row| {
        let part = Part { ordinal: row.get("part")?, count: row.get("part_count")?, key: row.get("part_key")? };
        Ok((part, checkpoint_of(row)?))
    })?;
    rows.collect()
}

/// Whether what a step moves stands where the step begins.
pub(super) fn is_due(connection: &Connection, step: &Step<'_>) -> rusqlite::Result<bool> {
    let whole = checkpoint(connection, step.projection)?;
    let Scope::Part(part) = step.scope else { return Ok(whole == step.from) };
    let begun = parts(connection, step.projection)?;
    let stands = begun.into_iter().find(|(begun, _)| *begun == part).map(|(_, checkpoint)| checkpoint);
    Ok(stands == step.from && whole.is_some_and(Checkpoint::is_start))
}

fn checkpoint_of(row: &Row<'_>) -> rusqlite::Result<Checkpoint> {
    Ok(Checkpoint {
        store_id: Uuid::from_bytes(row.get("store_id")?),
        position: Position(of_sql(row.get("position")?)),
    })
}

/// Which version of a projection serves, and how far it has come.
pub(super) fn serving(connection: &Connection, name: &str) -> rusqlite::Result<Option<Serving>> {
    let text = "SELECT version, store_id, position FROM gesta_serving JOIN gesta_checkpoints USING (projection, version) \
                WHERE projection = ?1";
    let found = connection
        .prepare_cached(text)?
        .query_row(params![name], |row| Ok(Serving { version: row.get("version")?, checkpoint: checkpoint_of(row)? }));
    found.optional()
}

pub(super) fn write_step(transaction: &Transaction<'_>, step: &Step<'_>, role: Role) -> rusqlite::Result<()> {
    let ProjectionId { name, version } = step.projection;
    for position in step.unparked {
        let text = "DELETE FROM gesta_parked WHERE projection = ?1 AND version = ?2 AND position = ?3";
        transaction.prepare_cached(text)?.execute(params![name, version, to_sql(position.0)])?;
    }
    for parked in step.parked {
        let text = "INSERT OR REPLACE INTO gesta_parked VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        let Parked { position, event_type, reason, attempts, recorded_at, is_news } = parked;
        let values = params![name, version, to_sql(position.0), event_type, reason, attempts, recorded_at.0, is_news];
        transaction.prepare_cached(text)?.execute(values)?;
    }
    let (store_id, position) = (step.to.store_id.into_bytes(), to_sql(step.to.position.0));
    if let Scope::Part(Part { ordinal, count, key }) = step.scope {
        let text = "INSERT OR REPLACE INTO gesta_parts VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        transaction.prepare_cached(text)?.execute(params![name, version, ordinal, count, key, store_id, position])?;
        return Ok(());
    }
    let text = "INSERT OR REPLACE INTO gesta_checkpoints VALUES (?1, ?2, ?3, ?4)";
    transaction.prepare_cached(text)?.execute(params![name, version, store_id, position])?;
    if step.scope == Scope::Join {
        let text = "DELETE FROM gesta_parts WHERE projection = ?1 AND version = ?2";
        transaction.prepare_cached(text)?.execute(params![name, version])?;
    }
    if role == Role::TakesOver {
        let text = "INSERT OR REPLACE INTO gesta_serving VALUES (?1, ?2)";
        transaction.prepare_cached(text)?.execute(params![name, version])?;
    }
    Ok(())
}

pub(super) fn parked(connection: &Connection, projection: &ProjectionId) -> rusqlite::Result<Vec<Parked>> {
    let text = "SELECT position, event_type, reason, attempts, recorded_at, is_news FROM gesta_parked \
                WHERE projection = ?1 AND version = ?2 ORDER BY position";
    let mut statement = connection.prepare_cached(text)?;
    let rows = statement.query_map(params![projection.name, projection.version], |row| {
        Ok(Parked {
            position: Position(of_sql(row.get(0)?)),
            event_type: row.get(1)?,
            reason: row.get(2)?,
            attempts: row.get(3)?,
            recorded_at: Timestamp(row.get(4)?),
            is_news: row.get(5)?,
        })
    })?;
    rows.collect()
}

/// SQLite's integers have a sign; positions keep their bits.
fn to_sql(position: u64) -> i64 {
    position.cast_signed()
}

fn of_sql(position: i64) -> u64 {
    position.cast_unsigned()
}

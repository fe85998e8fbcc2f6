//! The tables that every schema with read models has: how far projections have come, and what is parked.

use gesta_cqrs::{Checkpoint, Parked, Part, ProjectionId, Serving};
use gesta_model::{Position, Timestamp, Uuid};
use postgres::types::Type;
use postgres::{Client, GenericClient, Row, Transaction};

/// Whoever makes the tables holds this advisory lock: `IF NOT EXISTS` alone fails when two do so at once.
const SET_UP_LOCK: &str = "SELECT pg_advisory_xact_lock(hashtextextended('gesta set up', 0))";

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS gesta_checkpoints (
        projection text NOT NULL,
        version bigint NOT NULL,
        store_id uuid NOT NULL,
        position bigint NOT NULL,
        PRIMARY KEY (projection, version)
    );
    CREATE TABLE IF NOT EXISTS gesta_serving (
        projection text PRIMARY KEY NOT NULL,
        version bigint NOT NULL
    );
    CREATE TABLE IF NOT EXISTS gesta_parts (
        projection text NOT NULL,
        version bigint NOT NULL,
        part bigint NOT NULL,
        part_count bigint NOT NULL,
        part_key bigint NOT NULL,
        store_id uuid NOT NULL,
        position bigint NOT NULL,
        PRIMARY KEY (projection, version, part, part_count, part_key)
    );
    CREATE TABLE IF NOT EXISTS gesta_parked (
        projection text NOT NULL,
        version bigint NOT NULL,
        position bigint NOT NULL,
        event_type text NOT NULL,
        reason text NOT NULL,
        attempts bigint NOT NULL,
        recorded_at bigint NOT NULL,
        is_news boolean NOT NULL,
        PRIMARY KEY (projection, version, position)
    );
";

/// Makes the schema, given as its name and as SQL takes it, and the tables.
pub(crate) fn set_up(client: &mut Client, schema: Option<(&str, String)>) -> Result<(), postgres::Error> {
    let mut transaction = client.transaction()?;
    transaction.batch_execute(SET_UP_LOCK)?;
    if let Some((name, quoted)) = schema {
        // Asked first: making one wants a right that whoever owns the schema may lack.
        let text = "SELECT FROM pg_namespace WHERE nspname = $1";
        if transaction.query_typed(text, &[(&name, Type::TEXT)])?.is_empty() {
            transaction.batch_execute(&format!("CREATE SCHEMA {quoted}"))?;
        }
    }
    transaction.batch_execute(TABLES)?;
    transaction.commit()
}

/// How far a projection has come.
pub(crate) fn checkpoint(
    client: &mut Client,
    projection: &ProjectionId,
) -> Result<Option<Checkpoint>, postgres::Error> {
    let ProjectionId { name, version } = projection;
    let text = "SELECT store_id, position FROM gesta_checkpoints WHERE projection = $1 AND version = $2";
    let row = client.query_typed_opt(text, &[(name, Type::TEXT), (&i64::from(*version), Type::INT8)])?;
    row.as_ref().map(checkpoint_of).transpose()
}

/// How far a projection has come; nobody else moves it before the transaction ends.
pub(crate) fn lock_checkpoint(
    transaction: &mut Transaction<'_>,
    projection: &ProjectionId,
) -> Result<Option<Checkpoint>, postgres::Error> {
    let ProjectionId { name, version } = projection;
    let text = "SELECT store_id, position FROM gesta_checkpoints WHERE projection = $1 AND version = $2 FOR UPDATE";
    let row = transaction.query_typed_opt(text, &[(name, Type::TEXT), (&i64::from(*version), Type::INT8)])?;
    row.as_ref().map(checkpoint_of).transpose()
}

/// The parts of a rebuild, and how far they have come.
pub(crate) fn parts(
    client: &mut impl GenericClient,
    projection: &ProjectionId,
) -> Result<Vec<(Part, Checkpoint)>, postgres::Error> {
    let ProjectionId { name, version } = projection;
    let text = "SELECT store_id, position, part, part_count, part_key FROM gesta_parts
                WHERE projection = $1 AND version = $2";
    let rows = client.query_typed(text, &[(name, Type::TEXT), (&i64::from(*version), Type::INT8)])?;
    let of_sql = |number: i64| u32::try_from(number).unwrap_or(u32::MAX);
    let part = |row: &Row| {
        let part =
            Part { ordinal: of_sql(row.try_get(2)?), count: of_sql(row.try_get(3)?), key: of_sql(row.try_get(4)?) };
        Ok((part, checkpoint_of(row)?))
    };
    rows.iter().map(part).collect()
}

/// Whether a projection stands at the start, which it does not leave before the transaction ends.
pub(crate) fn stays_at_start(
    transaction: &mut Transaction<'_>,
    projection: &ProjectionId,
) -> Result<bool, postgres::Error> {
    let ProjectionId { name, version } = projection;
    let text = "SELECT position FROM gesta_checkpoints WHERE projection = $1 AND version = $2 FOR SHARE";
    let row = transaction.query_typed_opt(text, &[(name, Type::TEXT), (&i64::from(*version), Type::INT8)])?;
    Ok(row.map(|row| row.try_get::<_, i64>(0)).transpose()? == Some(0))
}

/// Moves the checkpoint of a part; `false` when it stands elsewhere.
pub(crate) fn move_part(
    transaction: &mut Transaction<'_>,
    (projection, part): (&ProjectionId, Part),
    from: Option<Checkpoint>,
    to: Checkpoint,
) -> Result<bool, postgres::Error> {
    let ProjectionId { name, version } = projection;
    let text = match from {
        Some(_) => {
            "UPDATE gesta_parts SET position = $7 WHERE projection = $1 AND version = $2 AND part = $3
             AND part_count = $4 AND part_key = $5 AND store_id = $6 AND position = $8"
        }
        None => {
            "INSERT INTO gesta_parts SELECT $1, $2, $3, $4, $5, $6, $7 WHERE $8::bigint IS NULL ON CONFLICT DO NOTHING"
        }
    };
    let moved = transaction.execute_typed(
        text,
        &[
            (name, Type::TEXT),
            (&i64::from(*version), Type::INT8),
            (&i64::from(part.ordinal), Type::INT8),
            (&i64::from(part.count), Type::INT8),
            (&i64::from(part.key), Type::INT8),
            (&to.store_id, Type::UUID),
            (&to_sql(to.position), Type::INT8),
            (&from.map(|from| to_sql(from.position)), Type::INT8),
        ],
    )?;
    Ok(moved == 1)
}

/// The parts of a rebuild are parts no longer.
pub(crate) fn drop_parts(transaction: &mut Transaction<'_>, projection: &ProjectionId) -> Result<(), postgres::Error> {
    let ProjectionId { name, version } = projection;
    let text = "DELETE FROM gesta_parts WHERE projection = $1 AND version = $2";
    transaction.execute_typed(text, &[(name, Type::TEXT), (&i64::from(*version), Type::INT8)])?;
    Ok(())
}

/// Which version of a projection serves, and how far it has come.
pub(crate) fn serving(client: &mut impl GenericClient, name: &str) -> Result<Option<Serving>, postgres::Error> {
    let text =
        "SELECT store_id, position, version FROM gesta_serving JOIN gesta_checkpoints USING (projection, version)
                WHERE projection = $1";
    let Some(row) = client.query_typed(text, &[(&name, Type::TEXT)])?.pop() else { return Ok(None) };
    let version: i64 = row.try_get(2)?;
    Ok(Some(Serving { version: u32::try_from(version).unwrap_or(u32::MAX), checkpoint: checkpoint_of(&row)? }))
}

/// Nobody else takes over from a version of the projection before the transaction ends.
pub(crate) fn lock_taking_over(transaction: &mut Transaction<'_>, name: &str) -> Result<(), postgres::Error> {
    let text = "SELECT pg_advisory_xact_lock(
                    hashtextextended('gesta takes over ' || coalesce(current_schema()::text, '') || ' ' || $1, 0))";
    transaction.query_typed(text, &[(&name, Type::TEXT)]).map(drop)
}

/// From now on, this version serves.
pub(crate) fn serve(transaction: &mut Transaction<'_>, projection: &ProjectionId) -> Result<(), postgres::Error> {
    let ProjectionId { name, version } = projection;
    let text = "INSERT INTO gesta_serving VALUES ($1, $2)
                ON CONFLICT (projection) DO UPDATE SET version = excluded.version";
    transaction.execute_typed(text, &[(name, Type::TEXT), (&i64::from(*version), Type::INT8)])?;
    Ok(())
}

/// Writes the first checkpoint of a projection; `false` when it has one, be it from a transaction that was waited for.
pub(crate) fn begin_checkpoint(
    transaction: &mut Transaction<'_>,
    projection: &ProjectionId,
    checkpoint: Checkpoint,
) -> Result<bool, postgres::Error> {
    let ProjectionId { name, version } = projection;
    let text = "INSERT INTO gesta_checkpoints VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    let added = transaction.execute_typed(
        text,
        &[
            (name, Type::TEXT),
            (&i64::from(*version), Type::INT8),
            (&checkpoint.store_id, Type::UUID),
            (&to_sql(checkpoint.position), Type::INT8),
        ],
    )?;
    Ok(added == 1)
}

/// Moves the checkpoint of a projection, which it has.
pub(crate) fn move_checkpoint(
    transaction: &mut Transaction<'_>,
    projection: &ProjectionId,
    checkpoint: Checkpoint,
) -> Result<(), postgres::Error> {
    let ProjectionId { name, version } = projection;
    let text = "UPDATE gesta_checkpoints SET store_id = $3, position = $4 WHERE projection = $1 AND version = $2";
    transaction.execute_typed(
        text,
        &[
            (name, Type::TEXT),
            (&i64::from(*version), Type::INT8),
            (&checkpoint.store_id, Type::UUID),
            (&to_sql(checkpoint.position), Type::INT8),
        ],
    )?;
    Ok(())
}

/// Parks an event, or says anew why it is parked.
pub(crate) fn park(
    transaction: &mut Transaction<'_>,
    projection: &ProjectionId,
    parked: &Parked,
) -> Result<(), postgres::Error> {
    let ProjectionId { name, version } = projection;
    let Parked { position, event_type, reason, attempts, recorded_at, is_news } = parked;
    let text = "INSERT INTO gesta_parked VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
                ON CONFLICT (projection, version, position) DO UPDATE SET
                    event_type = excluded.event_type, reason = excluded.reason,
                    attempts = excluded.attempts, recorded_at = excluded.recorded_at, is_news = excluded.is_news";
    transaction.execute_typed(
        text,
        &[
            (name, Type::TEXT),
            (&i64::from(*version), Type::INT8),
            (&to_sql(*position), Type::INT8),
            (&without_nul(event_type), Type::TEXT),
            (&without_nul(reason), Type::TEXT),
            (&i64::from(*attempts), Type::INT8),
            (&recorded_at.0, Type::INT8),
            (is_news, Type::BOOL),
        ],
    )?;
    Ok(())
}

/// An event is parked no longer.
pub(crate) fn unpark(
    transaction: &mut Transaction<'_>,
    projection: &ProjectionId,
    position: Position,
) -> Result<(), postgres::Error> {
    let ProjectionId { name, version } = projection;
    let text = "DELETE FROM gesta_parked WHERE projection = $1 AND version = $2 AND position = $3";
    transaction.execute_typed(
        text,
        &[(name, Type::TEXT), (&i64::from(*version), Type::INT8), (&to_sql(position), Type::INT8)],
    )?;
    Ok(())
}

/// The parked events of a projection, in their order.
pub(crate) fn parked(client: &mut Client, projection: &ProjectionId) -> Result<Vec<Parked>, postgres::Error> {
    let ProjectionId { name, version } = projection;
    let text = "SELECT position, event_type, reason, attempts, recorded_at, is_news FROM gesta_parked
                WHERE projection = $1 AND version = $2";
    let rows = client.query_typed(text, &[(name, Type::TEXT), (&i64::from(*version), Type::INT8)])?;
    let mut parked = rows.iter().map(parked_of).collect::<Result<Vec<_>, _>>()?;
    // Not by the database, to which the upper half of all positions is negative.
    parked.sort_by_key(|parked| parked.position);
    Ok(parked)
}

fn checkpoint_of(row: &Row) -> Result<Checkpoint, postgres::Error> {
    let store_id: Uuid = row.try_get(0)?;
    Ok(Checkpoint { store_id, position: of_sql(row.try_get(1)?) })
}

fn parked_of(row: &Row) -> Result<Parked, postgres::Error> {
    let attempts: i64 = row.try_get(3)?;
    Ok(Parked {
        position: of_sql(row.try_get(0)?),
        event_type: row.try_get(1)?,
        reason: row.try_get(2)?,
        attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
        recorded_at: Timestamp(row.try_get(4)?),
        is_news: row.try_get(5)?,
    })
}

/// PostgreSQL's integers have a sign; positions keep their bits.
fn to_sql(position: Position) -> i64 {
    position.0.cast_signed()
}

fn of_sql(position: i64) -> Position {
    Position(position.cast_unsigned())
}

/// PostgreSQL's text cannot hold a NUL, and what a projection says of an event may quote one.
fn without_nul(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

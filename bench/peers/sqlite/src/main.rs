//! SQLite: one table of events with an index of streams, in a write-ahead log.

use driver::{Batch, Failure, Peer, Seen, main as drive, table};
use parking_lot::Mutex;
use rusqlite::{Connection, params};
use std::path::Path;
use std::process::ExitCode;

struct Sqlite {
    connection: Mutex<Connection>,
}

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS event (
        position INTEGER PRIMARY KEY AUTOINCREMENT,
        stream TEXT NOT NULL,
        revision INTEGER NOT NULL,
        type TEXT NOT NULL,
        id BLOB NOT NULL,
        recorded_at INTEGER NOT NULL,
        data BLOB NOT NULL
    );
    CREATE UNIQUE INDEX IF NOT EXISTS event_by_stream ON event (stream, revision);
";

impl Peer for Sqlite {
    const NAME: &str = "sqlite";
    const VERSION: &str = "rusqlite 0.38";
    const KEEPS: &str = "streams, types, ids, times; revision check";

    fn open(directory: &Path, is_durable: bool) -> Result<Self, Failure> {
        let connection = Connection::open(directory.join("events.sqlite"))?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", if is_durable { "full" } else { "off" })?;
        connection.execute_batch(SCHEMA)?;
        Ok(Self { connection: Mutex::new(connection) })
    }

    fn append(&self, batch: &Batch) -> Result<(), Failure> {
        let mut connection = self.connection.lock();
        let transaction = connection.transaction()?;
        {
            let mut last = transaction.prepare_cached("SELECT max(revision) FROM event WHERE stream = ?1")?;
            let actual: Option<i64> = last.query_row([&batch.stream], |row| row.get(0))?;
            let actual = actual.map_or(0, |last| last.unsigned_abs() + 1);
            if actual != batch.first_revision {
                return Err(table::conflict(&batch.stream, batch.first_revision, actual));
            }
            let mut insert = transaction.prepare_cached(
                "INSERT INTO event (stream, revision, type, id, recorded_at, data) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?;
            let now = i64::try_from(table::now())?;
            for (revision, event) in (i64::try_from(batch.first_revision)?..).zip(&batch.events) {
                let id = event.id.to_be_bytes();
                insert.execute(params![batch.stream, revision, event.event_type, id, now, event.data])?;
            }
        }
        Ok(transaction.commit()?)
    }

    fn sync(&self) -> Result<(), Failure> {
        let connection = self.connection.lock();
        connection.pragma_update(None, "synchronous", "full")?;
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    }

    fn replay(&self, each: &mut dyn FnMut(Seen<'_>)) -> Result<(), Failure> {
        let connection = self.connection.lock();
        let mut statement = connection.prepare_cached("SELECT stream, type, data FROM event ORDER BY position")?;
        show(&mut statement.query([])?, each)
    }

    fn read_stream(&self, stream: &str, each: &mut dyn FnMut(Seen<'_>)) -> Result<(), Failure> {
        let connection = self.connection.lock();
        let mut statement =
            connection.prepare_cached("SELECT stream, type, data FROM event WHERE stream = ?1 ORDER BY revision")?;
        show(&mut statement.query([stream])?, each)
    }

    fn close(self) -> Result<(), Failure> {
        self.connection.into_inner().close().map_err(|(_, error)| error.into())
    }
}

fn show(rows: &mut rusqlite::Rows<'_>, each: &mut dyn FnMut(Seen<'_>)) -> Result<(), Failure> {
    while let Some(row) = rows.next()? {
        let (stream, event_type, data) = (row.get_ref(0)?, row.get_ref(1)?, row.get_ref(2)?);
        each(Seen { stream: stream.as_str()?, event_type: event_type.as_str()?, data: data.as_blob()? });
    }
    Ok(())
}

fn main() -> ExitCode {
    drive::<Sqlite>()
}

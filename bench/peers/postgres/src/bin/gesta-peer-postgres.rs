//! PostgreSQL: one table of events with an index of streams.

use driver::{Batch, Failure, Peer, Seen, main as drive};
use gesta_peer_postgres::Cluster;
use postgres::Client;
use postgres::fallible_iterator::FallibleIterator;
use postgres::types::ToSql;
use std::path::Path;
use std::process::ExitCode;

struct Postgres {
    cluster: Cluster,
}

const SCHEMA: &str = "
    CREATE TABLE event (
        position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        stream text NOT NULL,
        revision bigint NOT NULL,
        type text NOT NULL,
        recorded_at timestamptz NOT NULL DEFAULT now(),
        data bytea NOT NULL,
        UNIQUE (stream, revision)
    )";
/// One statement for all events: the index refuses a revision that is there, and the question one that would leave a gap.
const APPEND: &str = "
    INSERT INTO event (stream, revision, type, data)
    SELECT $1, $2 + row.number - 1, row.type, row.data
    FROM unnest($3::text[], $4::bytea[]) WITH ORDINALITY AS row (type, data, number)
    WHERE $2 = 0 OR EXISTS (SELECT FROM event WHERE stream = $1 AND revision = $2 - 1)
    ORDER BY row.number";

impl Peer for Postgres {
    const NAME: &str = "postgres";
    const VERSION: &str = "PostgreSQL of this machine";
    const KEEPS: &str = "streams, types, times; revision check; positions with gaps, seen out of order";

    fn open(directory: &Path, is_durable: bool) -> Result<Self, Failure> {
        let set_up = |client: &mut Client| Ok(client.batch_execute(SCHEMA)?);
        Ok(Self { cluster: Cluster::open(directory, is_durable, set_up, APPEND)? })
    }

    fn prepare(&self, threads: u64) -> Result<(), Failure> {
        self.cluster.sessions.fill(threads)
    }

    fn append(&self, batch: &Batch) -> Result<(), Failure> {
        let types: Vec<&str> = batch.events.iter().map(|event| event.event_type).collect();
        let data: Vec<&[u8]> = batch.events.iter().map(|event| event.data.as_slice()).collect();
        let first = i64::try_from(batch.first_revision)?;
        let count = self.cluster.sessions.with(|session| {
            let values: [&(dyn ToSql + Sync); 4] = [&batch.stream, &first, &types, &data];
            Ok(session.client.execute(&session.append, &values)?)
        })?;
        if count != batch.events.len() as u64 {
            return Err(format!("{} does not stand at {first}", batch.stream).into());
        }
        Ok(())
    }

    fn sync(&self) -> Result<(), Failure> {
        self.cluster.sync()
    }

    fn replay(&self, each: &mut dyn FnMut(Seen<'_>)) -> Result<(), Failure> {
        self.read("SELECT stream, type, data FROM event ORDER BY position", &[], each)
    }

    fn read_stream(&self, stream: &str, each: &mut dyn FnMut(Seen<'_>)) -> Result<(), Failure> {
        let of_stream = "SELECT stream, type, data FROM event WHERE stream = $1 ORDER BY revision";
        self.read(of_stream, &[&stream], each)
    }

    fn close(self) -> Result<(), Failure> {
        self.cluster.close()
    }

    fn crash(self) {
        self.cluster.crash();
    }
}

impl Postgres {
    fn read(
        &self,
        statement: &str,
        values: &[&(dyn ToSql + Sync)],
        each: &mut dyn FnMut(Seen<'_>),
    ) -> Result<(), Failure> {
        self.cluster.sessions.with(|session| {
            let mut rows = session.client.query_raw(statement, values.iter().copied())?;
            while let Some(row) = rows.next()? {
                each(Seen { stream: row.get(0), event_type: row.get(1), data: row.get(2) });
            }
            Ok(())
        })
    }
}

fn main() -> ExitCode {
    drive::<Postgres>()
}

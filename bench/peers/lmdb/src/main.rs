//! LMDB: two databases of one environment, one transaction a commit.

use driver::{Batch, Failure, Peer, Seen, main as drive, table};
use heed::byteorder::BigEndian;
use heed::types::{Bytes, U64};
use heed::{Database, Env, EnvFlags, EnvOpenOptions};
use std::path::Path;
use std::process::ExitCode;

/// Room for whatever a row appends; LMDB wants to know before.
const MAP_BYTES: usize = 64 << 30;

type Position = U64<BigEndian>;

struct Lmdb {
    environment: Env,
    events: Database<Position, Bytes>,
    streams: Database<Bytes, Position>,
}

impl Peer for Lmdb {
    const NAME: &str = "lmdb";
    const VERSION: &str = "heed 0.22";
    const KEEPS: &str = "streams, types, ids, times; revision check";

    #[allow(unsafe_code, reason = "a map of a file that nobody else changes")]
    fn open(directory: &Path, is_durable: bool) -> Result<Self, Failure> {
        let mut options = EnvOpenOptions::new();
        options.map_size(MAP_BYTES).max_dbs(2);
        if !is_durable {
            // SAFETY: of an environment that is not synced only a crash of the machine can lose anything.
            unsafe { options.flags(EnvFlags::NO_SYNC) };
        }
        // SAFETY: the directory is this process's own, and it is opened once.
        let environment = unsafe { options.open(directory)? };
        let mut transaction = environment.write_txn()?;
        let events = environment.create_database(&mut transaction, Some("events"))?;
        let streams = environment.create_database(&mut transaction, Some("streams"))?;
        transaction.commit()?;
        Ok(Self { environment, events, streams })
    }

    fn append(&self, batch: &Batch) -> Result<(), Failure> {
        let mut transaction = self.environment.write_txn()?;
        let last = table::stream_key(&batch.stream, u64::MAX);
        let last = self.streams.get_lower_than_or_equal_to(&transaction, &last)?;
        let start = table::stream_start(&batch.stream);
        let actual = match last {
            Some((key, _)) if key.starts_with(&start) => table::position(&key[start.len()..])? + 1,
            _ => 0,
        };
        if actual != batch.first_revision {
            return Err(table::conflict(&batch.stream, batch.first_revision, actual));
        }
        let next = self.events.last(&transaction)?.map_or(0, |(position, _)| position + 1);
        let now = table::now();
        for (number, event) in (0..).zip(&batch.events) {
            let row = table::encode(&batch.stream, event, now);
            self.events.put(&mut transaction, &(next + number), &row)?;
            let key = table::stream_key(&batch.stream, batch.first_revision + number);
            self.streams.put(&mut transaction, &key, &(next + number))?;
        }
        Ok(transaction.commit()?)
    }

    fn sync(&self) -> Result<(), Failure> {
        Ok(self.environment.force_sync()?)
    }

    fn replay(&self, each: &mut dyn FnMut(Seen<'_>)) -> Result<(), Failure> {
        let transaction = self.environment.read_txn()?;
        for row in self.events.iter(&transaction)? {
            each(table::decode(row?.1)?);
        }
        Ok(())
    }

    fn read_stream(&self, stream: &str, each: &mut dyn FnMut(Seen<'_>)) -> Result<(), Failure> {
        let transaction = self.environment.read_txn()?;
        for row in self.streams.prefix_iter(&transaction, &table::stream_start(stream))? {
            let event = self.events.get(&transaction, &row?.1)?.ok_or("an event that is not there")?;
            each(table::decode(event)?);
        }
        Ok(())
    }

    fn close(self) -> Result<(), Failure> {
        self.environment.prepare_for_closing().wait();
        Ok(())
    }
}

fn main() -> ExitCode {
    drive::<Lmdb>()
}

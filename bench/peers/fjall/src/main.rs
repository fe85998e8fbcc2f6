//! fjall: two keyspaces of one database, one batch a commit.

use driver::{Batch, Failure, Peer, Seen, main as drive, table};
use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};
use parking_lot::Mutex;
use std::path::Path;
use std::process::ExitCode;

struct Fjall {
    database: Database,
    events: Keyspace,
    streams: Keyspace,
    is_durable: bool,
    /// A batch checks nothing by itself: who appends looks first, and nobody may come between.
    next: Mutex<u64>,
}

impl Peer for Fjall {
    const NAME: &str = "fjall";
    const VERSION: &str = "3.1";
    const KEEPS: &str = "streams, types, ids, times; revision check";

    fn open(directory: &Path, is_durable: bool) -> Result<Self, Failure> {
        let database = Database::builder(directory.join("fjall")).open()?;
        let events = database.keyspace("events", KeyspaceCreateOptions::default)?;
        let streams = database.keyspace("streams", KeyspaceCreateOptions::default)?;
        let next = match events.last_key_value() {
            None => 0,
            Some(last) => table::position(&last.key()?)? + 1,
        };
        Ok(Self { database, events, streams, is_durable, next: Mutex::new(next) })
    }

    fn append(&self, batch: &Batch) -> Result<(), Failure> {
        let mut next = self.next.lock();
        let actual = match self.streams.prefix(table::stream_start(&batch.stream)).next_back() {
            None => 0,
            Some(last) => table::position(&last.key()?[batch.stream.len() + 1..])? + 1,
        };
        if actual != batch.first_revision {
            return Err(table::conflict(&batch.stream, batch.first_revision, actual));
        }
        let mut writes = self.database.batch().durability(self.is_durable.then_some(PersistMode::SyncData));
        let now = table::now();
        for (number, event) in (0..).zip(&batch.events) {
            let position = (*next + number).to_be_bytes();
            writes.insert(&self.events, position, table::encode(&batch.stream, event, now));
            let key = table::stream_key(&batch.stream, batch.first_revision + number);
            writes.insert(&self.streams, key, position);
        }
        writes.commit()?;
        *next += batch.events.len() as u64;
        Ok(())
    }

    fn sync(&self) -> Result<(), Failure> {
        Ok(self.database.persist(PersistMode::SyncData)?)
    }

    fn replay(&self, each: &mut dyn FnMut(Seen<'_>)) -> Result<(), Failure> {
        for row in self.events.iter() {
            each(table::decode(&row.value()?)?);
        }
        Ok(())
    }

    fn read_stream(&self, stream: &str, each: &mut dyn FnMut(Seen<'_>)) -> Result<(), Failure> {
        for row in self.streams.prefix(table::stream_start(stream)) {
            let event = self.events.get(row.value()?)?.ok_or("an event that is not there")?;
            each(table::decode(&event)?);
        }
        Ok(())
    }

    fn close(self) -> Result<(), Failure> {
        Ok(self.database.persist(PersistMode::SyncAll)?)
    }
}

fn main() -> ExitCode {
    drive::<Fjall>()
}

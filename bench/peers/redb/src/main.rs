//! redb: two tables, one transaction a commit.

use driver::{Batch, Failure, Peer, Seen, main as drive, table};
use redb::{Database, Durability, ReadableDatabase, ReadableTable, TableDefinition};
use std::path::Path;
use std::process::ExitCode;

const EVENTS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("events");
const STREAMS: TableDefinition<'_, &[u8], u64> = TableDefinition::new("streams");

struct Redb {
    database: Database,
    is_durable: bool,
}

impl Peer for Redb {
    const NAME: &str = "redb";
    const VERSION: &str = "4";
    const KEEPS: &str = "streams, types, ids, times; revision check";

    fn open(directory: &Path, is_durable: bool) -> Result<Self, Failure> {
        let database = Database::create(directory.join("events.redb"))?;
        let transaction = database.begin_write()?;
        transaction.open_table(EVENTS)?;
        transaction.open_table(STREAMS)?;
        transaction.commit()?;
        Ok(Self { database, is_durable })
    }

    fn append(&self, batch: &Batch) -> Result<(), Failure> {
        let mut transaction = self.database.begin_write()?;
        transaction.set_durability(if self.is_durable { Durability::Immediate } else { Durability::None })?;
        {
            let (mut events, mut streams) = (transaction.open_table(EVENTS)?, transaction.open_table(STREAMS)?);
            let all = table::stream_key(&batch.stream, 0)..=table::stream_key(&batch.stream, u64::MAX);
            let actual = match streams.range(all.start().as_slice()..=all.end().as_slice())?.next_back() {
                None => 0,
                Some(last) => table::position(&last?.0.value()[batch.stream.len() + 1..])? + 1,
            };
            if actual != batch.first_revision {
                return Err(table::conflict(&batch.stream, batch.first_revision, actual));
            }
            let next = events.last()?.map_or(0, |(position, _)| position.value() + 1);
            let now = table::now();
            for (number, event) in (0..).zip(&batch.events) {
                events.insert(next + number, table::encode(&batch.stream, event, now).as_slice())?;
                let key = table::stream_key(&batch.stream, batch.first_revision + number);
                streams.insert(key.as_slice(), next + number)?;
            }
        }
        Ok(transaction.commit()?)
    }

    fn sync(&self) -> Result<(), Failure> {
        let mut transaction = self.database.begin_write()?;
        transaction.set_durability(Durability::Immediate)?;
        Ok(transaction.commit()?)
    }

    fn replay(&self, each: &mut dyn FnMut(Seen<'_>)) -> Result<(), Failure> {
        let events = self.database.begin_read()?.open_table(EVENTS)?;
        for row in events.iter()? {
            each(table::decode(row?.1.value())?);
        }
        Ok(())
    }

    fn read_stream(&self, stream: &str, each: &mut dyn FnMut(Seen<'_>)) -> Result<(), Failure> {
        let transaction = self.database.begin_read()?;
        let (events, streams) = (transaction.open_table(EVENTS)?, transaction.open_table(STREAMS)?);
        let (first, last) = (table::stream_key(stream, 0), table::stream_key(stream, u64::MAX));
        for row in streams.range(first.as_slice()..=last.as_slice())? {
            let event = events.get(row?.1.value())?.ok_or("an event that is not there")?;
            each(table::decode(event.value())?);
        }
        Ok(())
    }

    fn close(self) -> Result<(), Failure> {
        Ok(())
    }
}

fn main() -> ExitCode {
    drive::<Redb>()
}

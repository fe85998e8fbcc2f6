//! gesta itself, with its defaults, driven as the others are.

use driver::{Batch, Failure, Peer, Seen, main as drive};
use gesta::disk::RealDisk;
use gesta::{
    AppendRequest, Durability, Event, EventType, ExpectedRevision, Options, Read, Revision, Store, StreamName, Uuid,
};
use std::path::Path;
use std::process::ExitCode;

struct Gesta {
    store: Store<RealDisk>,
    durability: Durability,
}

impl Peer for Gesta {
    const NAME: &str = "gesta";
    const VERSION: &str = "here";
    const KEEPS: &str = "streams, types, tags, ids, times; revision check";

    fn open(directory: &Path, is_durable: bool) -> Result<Self, Failure> {
        let durability = if is_durable { Durability::Durable } else { Durability::Written };
        Ok(Self { store: Store::open(directory.join("store"), Options::default())?, durability })
    }

    fn append(&self, batch: &Batch) -> Result<(), Failure> {
        let stream = StreamName::new(batch.stream.as_str())?;
        let expected = match batch.first_revision.checked_sub(1) {
            None => ExpectedRevision::NoStream,
            Some(last) => ExpectedRevision::Exactly(Revision(last)),
        };
        let mut request = AppendRequest::new().durability(self.durability).expect(stream.clone(), expected);
        for event in &batch.events {
            let event_type = EventType::new(event.event_type)?;
            let id = Uuid::from_u128(event.id + 1);
            request = request.event(Event::new(event_type).stream(stream.clone()).id(id).data(event.data.as_slice()));
        }
        self.store.append(request)?;
        Ok(())
    }

    fn sync(&self) -> Result<(), Failure> {
        self.store.sync()?;
        Ok(())
    }

    fn replay(&self, each: &mut dyn FnMut(Seen<'_>)) -> Result<(), Failure> {
        self.read(Read::all(), each)
    }

    fn read_stream(&self, stream: &str, each: &mut dyn FnMut(Seen<'_>)) -> Result<(), Failure> {
        self.read(Read::stream(StreamName::new(stream)?), each)
    }

    fn close(self) -> Result<(), Failure> {
        Ok(self.store.close()?)
    }
}

impl Gesta {
    fn read(&self, read: Read, each: &mut dyn FnMut(Seen<'_>)) -> Result<(), Failure> {
        let mut cursor = self.store.read(read);
        while let Some(record) = cursor.next_record() {
            let record = record?;
            let data = record.data();
            each(Seen { stream: record.stream().unwrap_or(""), event_type: record.event_type(), data: data.bytes() });
        }
        Ok(())
    }
}

fn main() -> ExitCode {
    drive::<Gesta>()
}

//! tephra: an event's stream is a tag, and the check of a revision a condition on that tag.

use driver::{Batch, Failure, Peer, Seen, main as drive};
use std::collections::HashMap;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;
use tephra::{
    AppendCondition, Event, EventType, Position, Query, QueryItem, SegmentConfig, SegmentSet, Tag, Tags,
    WriteCoordinator, WriteHandle, WriterConfig,
};

/// As in its own example.
const SEGMENT_BYTES: usize = 256 << 20;

struct Tephra {
    coordinator: WriteCoordinator,
    handle: WriteHandle,
    /// The last position of each stream, as a writer knows it that has read the stream before it decides.
    known: Mutex<HashMap<String, Position>>,
}

impl Peer for Tephra {
    const NAME: &str = "tephra";
    const VERSION: &str = "0.4";
    const KEEPS: &str = "types, tags; condition on a tag; no ids, times or revisions";
    const IS_UNSYNCED: bool = false;

    fn open(directory: &Path, _: bool) -> Result<Self, Failure> {
        let set = SegmentSet::open(directory.join("tephra"), SegmentConfig::new(SEGMENT_BYTES))?;
        let (coordinator, handle) = WriteCoordinator::start(set, WriterConfig::default())?;
        Ok(Self { coordinator, handle, known: Mutex::default() })
    }

    fn append(&self, batch: &Batch) -> Result<(), Failure> {
        let tags = Tags::new([Tag::new(batch.stream.as_str())?])?;
        let mut events = Vec::with_capacity(batch.events.len());
        for event in &batch.events {
            events.push(Event::new(&EventType::new(event.event_type)?, &tags, &event.data)?);
        }
        let mut condition = AppendCondition::new(of_stream(&batch.stream)?);
        let known = self.known.lock().map_err(|_| "a thread panicked")?.get(&batch.stream).copied();
        if let Some(known) = known {
            condition = condition.after(known);
        }
        let positions = self.handle.append(events, Some(condition))?;
        self.known.lock().map_err(|_| "a thread panicked")?.insert(batch.stream.clone(), positions.last);
        Ok(())
    }

    fn sync(&self) -> Result<(), Failure> {
        Ok(())
    }

    fn replay(&self, each: &mut dyn FnMut(Seen<'_>)) -> Result<(), Failure> {
        self.read(&Query::all(), each)
    }

    fn read_stream(&self, stream: &str, each: &mut dyn FnMut(Seen<'_>)) -> Result<(), Failure> {
        self.read(&of_stream(stream)?, each)
    }

    fn close(self) -> Result<(), Failure> {
        drop(self.coordinator.shutdown());
        Ok(())
    }
}

impl Tephra {
    fn read(&self, query: &Query, each: &mut dyn FnMut(Seen<'_>)) -> Result<(), Failure> {
        let mut events = self.handle.read(query, Position::ZERO, None);
        while let Some(event) = events.next() {
            let event = event?.event;
            let stream = event.tags().next().unwrap_or("");
            each(Seen { stream, event_type: event.event_type(), data: event.data() });
        }
        Ok(())
    }
}

fn of_stream(stream: &str) -> Result<Query, Failure> {
    Ok(Query::item(QueryItem::with_tags(Tags::new([Tag::new(stream)?])?)))
}

fn main() -> ExitCode {
    drive::<Tephra>()
}

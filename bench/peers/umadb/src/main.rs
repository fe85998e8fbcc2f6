//! UmaDB's core: an event's stream is a tag, and the check of a revision a condition on that tag.

use driver::{Batch, Failure, Peer, Seen, main as drive};
use std::collections::HashMap;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use umadb_core::db::UmaDb;
use umadb_core::mvcc::{Mvcc, StorageOptions};
use umadb_dcb::{DcbAppendCondition, DcbEvent, DcbEventStoreSync, DcbQuery, DcbQueryItem};

struct Uma {
    store: UmaDb,
    /// Its server has one thread that writes; the core leaves that to who embeds it.
    writing: Mutex<()>,
    /// The last position of each stream, as a writer knows it that has read the stream before it decides.
    known: Mutex<HashMap<String, u64>>,
}

impl Peer for Uma {
    const NAME: &str = "umadb-core";
    const VERSION: &str = "0.7";
    const KEEPS: &str = "types, tags; condition on a tag; no times or revisions";
    const IS_UNSYNCED: bool = false;

    fn open(directory: &Path, _: bool) -> Result<Self, Failure> {
        let options = StorageOptions::default().db_path(directory.join("uma.db"));
        Ok(Self {
            store: UmaDb::from_arc(Arc::new(Mvcc::new(false, options)?)),
            writing: Mutex::default(),
            known: Mutex::default(),
        })
    }

    fn append(&self, batch: &Batch) -> Result<(), Failure> {
        let tags = vec![batch.stream.clone()];
        let events = batch.events.iter().map(|event| DcbEvent {
            event_type: event.event_type.to_owned(),
            tags: tags.clone(),
            data: event.data.clone(),
            uuid: None,
            metadata: Vec::new(),
        });
        let after = self.known.lock().map_err(|_| "a thread panicked")?.get(&batch.stream).copied();
        let condition = DcbAppendCondition { fail_if_events_match: of_stream(&batch.stream), after };
        let writing = self.writing.lock().map_err(|_| "a thread panicked")?;
        let last = self.store.append(events.collect(), Some(condition), None)?;
        drop(writing);
        self.known.lock().map_err(|_| "a thread panicked")?.insert(batch.stream.clone(), last);
        Ok(())
    }

    fn sync(&self) -> Result<(), Failure> {
        Ok(())
    }

    fn replay(&self, each: &mut dyn FnMut(Seen<'_>)) -> Result<(), Failure> {
        self.read(None, each)
    }

    fn read_stream(&self, stream: &str, each: &mut dyn FnMut(Seen<'_>)) -> Result<(), Failure> {
        self.read(Some(of_stream(stream)), each)
    }

    fn close(self) -> Result<(), Failure> {
        Ok(())
    }
}

impl Uma {
    fn read(&self, query: Option<DcbQuery>, each: &mut dyn FnMut(Seen<'_>)) -> Result<(), Failure> {
        for event in self.store.read(query, None, false, None)? {
            let event = event?.event;
            let stream = event.tags.first().map_or("", String::as_str);
            each(Seen { stream, event_type: &event.event_type, data: &event.data });
        }
        Ok(())
    }
}

fn of_stream(stream: &str) -> DcbQuery {
    DcbQuery { items: vec![DcbQueryItem { types: Vec::new(), tags: vec![stream.to_owned()] }] }
}

fn main() -> ExitCode {
    drive::<Uma>()
}

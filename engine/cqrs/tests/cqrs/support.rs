//! Stores to try things on.

use gesta::{Event, EventReader, Options, Read, Store, StreamName};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

/// How long is waited for what comes by itself.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// A store in a directory of its own.
pub(super) struct TestStore {
    pub(super) store: Arc<Store>,
    pub(super) directory: TempDir,
}

impl TestStore {
    pub(super) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(directory.path().join("store"), Options::default()).unwrap());
        Self { store, directory }
    }

    /// Every event, as its stream, type and data.
    pub(super) fn events(&self) -> Vec<(String, String, String)> {
        let mut cursor = EventReader::read(&*self.store, Read::all()).unwrap();
        let mut events = Vec::new();
        while let Some(record) = cursor.next_record() {
            let record = record.unwrap();
            let data = String::from_utf8_lossy(record.data().bytes()).into_owned();
            events.push((record.stream().unwrap_or("").to_owned(), record.event_type().to_owned(), data));
        }
        events
    }

    /// Appends an event as somebody would who knows nothing of the domain.
    pub(super) fn append(&self, event: Event) {
        self.store.append(gesta::AppendRequest::new().event(event)).unwrap();
    }
}

pub(super) fn stream(name: &str) -> StreamName {
    StreamName::new(name).unwrap()
}

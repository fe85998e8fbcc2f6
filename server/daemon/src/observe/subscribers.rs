//! Who follows a store, and how far each has come.

use gesta::Position;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The subscribers of one store. The lock is taken when one comes or goes and at a look, never for an event.
#[derive(Debug, Default)]
pub(crate) struct Subscribers {
    list: Mutex<List>,
}

#[derive(Debug, Default)]
struct List {
    next: u64,
    entries: BTreeMap<u64, Arc<Entry>>,
}

#[derive(Debug)]
struct Entry {
    name: String,
    position: AtomicU64,
}

/// One subscription, until it is dropped.
#[derive(Debug)]
pub struct Subscriber {
    number: u64,
    entry: Arc<Entry>,
    subscribers: Arc<Subscribers>,
}

impl Subscribers {
    pub(crate) fn add(self: &Arc<Self>, name: String, position: Position) -> Subscriber {
        let entry = Arc::new(Entry { name, position: AtomicU64::new(position.0) });
        let mut list = self.list.lock();
        let number = list.next;
        list.next += 1;
        list.entries.insert(number, Arc::clone(&entry));
        Subscriber { number, entry, subscribers: Arc::clone(self) }
    }

    /// Name and position of each, the one furthest behind first.
    pub(crate) fn positions(&self) -> Vec<(String, u64)> {
        let list = self.list.lock();
        let look = |entry: &Arc<Entry>| (entry.name.clone(), entry.position.load(Ordering::Relaxed));
        let mut positions: Vec<_> = list.entries.values().map(look).collect();
        drop(list);
        positions.sort_by_key(|(_, position)| *position);
        positions
    }

    /// How many there are, and where the one furthest behind stands.
    pub(crate) fn summary(&self) -> (usize, Option<u64>) {
        let list = self.list.lock();
        let positions = list.entries.values().map(|entry| entry.position.load(Ordering::Relaxed));
        (list.entries.len(), positions.min())
    }
}

impl Subscriber {
    /// Everything below the position has been sent.
    pub fn reached(&self, position: Position) {
        self.entry.position.store(position.0, Ordering::Relaxed);
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        self.subscribers.list.lock().entries.remove(&self.number);
    }
}

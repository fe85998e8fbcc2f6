//! One filled store, and what the yard-sticks know of it.

use super::history::{History, Scale};
use crate::outcome::Outcome;
use crate::place::Place;
use crate::workload::Settings;
use crate::yardstick::Postings;
use gesta::{Options, Store};
use std::cell::OnceCell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

/// What the rows of one scale are measured on.
pub struct Subject {
    /// The store, which holds the whole history and perhaps some events more.
    pub store: Store,
    /// What it holds.
    pub history: History,
    /// How rounds are made.
    pub settings: Settings,
    postings: OnceCell<Postings>,
    next_number: AtomicU64,
    place: Place,
}

impl Subject {
    /// Opens the store in a place, and waits until nothing goes on behind the scenes.
    pub fn open(place: Place, history: History, settings: Settings) -> Outcome<Self> {
        let store = Store::open(place.path(), Options::default())?;
        assert!(store.reader().head().0 >= history.scale().event_count, "the store holds the whole history");
        let reader = store.reader();
        // What is missing is what the keeper will write; it has nothing else to do.
        while !reader.verify_index(&mut |_, _| {}).missing.is_empty() {
            thread::sleep(Duration::from_millis(50));
        }
        // That look has checked every block of the index. Opened again, the store has checked none, as in a new process.
        drop(reader);
        store.close()?;
        let store = Store::open(place.path(), Options::default())?;
        let next_number = AtomicU64::new(0);
        Ok(Self { store, history, settings, postings: OnceCell::new(), next_number, place })
    }

    /// How large the store is.
    #[must_use]
    pub fn scale(&self) -> Scale {
        self.history.scale()
    }

    /// A number that was not given out before.
    #[must_use]
    pub fn fresh_number(&self) -> u64 {
        // Relaxed: nothing but the number itself is shared.
        self.next_number.fetch_add(1, Ordering::Relaxed)
    }

    /// Everything about the history that a program could keep in maps in memory.
    #[must_use]
    pub fn postings(&self) -> &Postings {
        self.postings.get_or_init(|| {
            let mut postings = Postings::default();
            let mut cursor = self.store.read(gesta::Read::all());
            while let Some(record) = cursor.next_record() {
                postings.add(&record.expect("nothing is damaged"));
            }
            postings
        })
    }

    /// How many events a round appends.
    #[must_use]
    pub fn append_event_count(&self) -> u64 {
        const MAX: u64 = 200_000;
        self.scale().event_count.min(MAX)
    }

    /// Closes the store and removes its files.
    pub fn end(self) -> Outcome<()> {
        self.store.close()?;
        self.place.remove()
    }
}

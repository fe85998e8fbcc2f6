//! The store in real directories, with its threads, held to what every store of events must do.

use gesta::{Options, Store};
use gesta_conformance::{Harness, Placed, conformance, model_test};
use tempfile::TempDir;

/// Stores in directories of their own.
struct Directories;

fn open(place: TempDir, index_event_ids: bool) -> Placed<Store, TempDir> {
    let store = Store::open(place.path(), Options { index_event_ids, ..Options::default() }).unwrap();
    Placed { store, place }
}

impl Harness for Directories {
    type Store = Placed<Store, TempDir>;

    fn fresh(&self) -> Self::Store {
        open(tempfile::tempdir().unwrap(), false)
    }

    fn fresh_with_event_ids(&self) -> Self::Store {
        open(tempfile::tempdir().unwrap(), true)
    }

    fn reopen(&self, store: Self::Store) -> Self::Store {
        store.store.close().unwrap();
        // What the store was made with counts.
        open(store.place, false)
    }
}

conformance!(Directories);

#[test]
fn random_steps_are_answered_as_by_a_plain_list() {
    model_test(&Directories, 150, 40);
}

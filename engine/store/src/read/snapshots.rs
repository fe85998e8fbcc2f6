//! Snapshots, together with the events after them.

use super::cursor::Cursor;
use super::reader::Reader;
use crate::disk::Disk;
use crate::snapshots::{Kept, Witness};
use gesta_model::{Damage, Loaded, Position, Read, Selection, Snapshot, SnapshotError, SnapshotInfo, SnapshotKey};

impl<D: Disk> Reader<D> {
    /// The newest snapshot of a key and schema, and a cursor over the events of a selection from its position on. Without one
    /// that is whole and of this log, the events are those from the start.
    #[must_use]
    pub fn load(&self, key: &SnapshotKey, schema: u32, selection: Selection) -> Loaded<Cursor<D>> {
        let snapshots = &self.library().snapshots;
        let kept = snapshots.find(key, schema).filter(|kept| self.holds(kept));
        let snapshot = kept.and_then(|kept| {
            let data = snapshots.read(&kept)?;
            Some(Snapshot { key: key.clone(), schema, position: kept.position, data })
        });
        let mut read = match selection {
            Selection::Everything => Read::all(),
            Selection::Stream(stream) => Read::stream(stream),
            Selection::Query(query) => Read::query(query),
        };
        read.from = snapshot.as_ref().map(|snapshot| snapshot.position);
        Loaded { snapshot, events: self.read(read) }
    }

    /// All snapshots whose keys begin with `prefix`, in the order of their keys.
    #[must_use]
    pub fn snapshots(&self, prefix: &str) -> Vec<SnapshotInfo> {
        self.library().snapshots.list(prefix, |kept| self.holds(kept))
    }

    /// Keeps a snapshot, unless a later one of its key and schema is kept.
    pub(crate) fn save_snapshot(&self, snapshot: &Snapshot) -> Result<(), SnapshotError> {
        let head = self.head();
        if snapshot.position > head {
            return Err(SnapshotError::AheadOfHead { position: snapshot.position, head });
        }
        let witness = self.witness(snapshot.position).map_err(SnapshotError::Damaged)?;
        self.library().snapshots.save(snapshot, witness, |kept| self.holds(kept))
    }

    /// Changes no snapshots from now on: the next writer of the store may come in.
    pub(crate) fn close_snapshots(&self) {
        self.library().snapshots.close();
    }

    /// Drops all snapshots whose keys begin with `prefix`; returns how many.
    pub(crate) fn drop_snapshots(&self, prefix: &str) -> Result<u64, SnapshotError> {
        self.library().snapshots.drop_all(prefix)
    }

    /// Whether a snapshot is of this log: the last event that it holds still stands where it stood.
    fn holds(&self, kept: &Kept<D>) -> bool {
        kept.position <= self.head() && self.witness(kept.position).is_ok_and(|witness| witness == kept.witness)
    }

    /// The last event below a position.
    fn witness(&self, position: Position) -> Result<Witness, Damage> {
        let Some(last) = position.0.checked_sub(1) else { return Ok(Witness::default()) };
        let (event, recorded_at) = self.library().index.fetch(Position(last), position)?;
        Ok(Witness { id: event.record().id(), recorded_at })
    }
}

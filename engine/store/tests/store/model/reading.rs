//! Reads and listings, compared with the reference.

use super::answer::{Checked, fail};
use super::step::{ReadDraft, Selection};
use super::tally::{OBSERVED, READ};
use super::world::World;
use gesta::disk::SimulatedDisk;
use gesta::{
    AppendError, AppendRequest, Cursor, Durability, NameKind, Position, Read, ReadError, Reader, Record, Revision,
    StreamName, Timestamp,
};
use proptest::prelude::*;
use std::sync::atomic::Ordering;

/// An event as it was read.
struct Seen {
    position: Position,
    bytes: Vec<u8>,
    recorded_at: Timestamp,
}

impl World {
    /// Everything readable is what was accepted, in both directions.
    pub(super) fn read_everything(&mut self) -> Checked {
        let everything = |is_backward| ReadDraft {
            selection: Selection::Everything,
            from: None,
            since: None,
            limit: None,
            is_backward,
            sees_unsynced: false,
        };
        self.read(&everything(false))?;
        self.read(&everything(true))
    }

    pub(super) fn read(&mut self, draft: &ReadDraft) -> Checked {
        self.check_read(draft, |world, read| world.store().read(read))
    }

    /// Reads like another process, which looks at the files without the store's lock.
    pub(super) fn observe(&mut self, draft: &ReadDraft, kind: NameKind) -> Checked {
        let draft = ReadDraft { sees_unsynced: false, ..draft.clone() };
        let observer = match self.observer.clone() {
            Some(observer) => {
                let damage = observer.refresh().map_err(fail)?;
                prop_assert!(damage.is_empty(), "{:?}", damage);
                observer
            }
            None => Reader::open_on(self.disk.clone()).map_err(fail)?,
        };
        self.observer = Some(observer.clone());
        self.tally.add(OBSERVED, observer.head().0);
        self.check_read(&draft, |_, read| observer.read(read))?;
        self.check_names(&observer, kind, "")
    }

    /// Whatever is read is what a look at every accepted event finds.
    fn check_read(&mut self, draft: &ReadDraft, reader: impl Fn(&Self, Read) -> Cursor<SimulatedDisk>) -> Checked {
        if draft.since.is_some() {
            self.learn_times(draft.sees_unsynced)?;
        }
        let from = draft.from.map(|from| Position(u64::from(from) % (self.reference.len() + 3)));
        let since = draft.since.map(|ago| Timestamp(self.clock.load(Ordering::Relaxed) - i64::from(ago)));
        self.tally_summaries();
        let cursor = reader(self, read_of(draft, from, since));
        let head = cursor.head();
        self.check_head(head, draft.sees_unsynced)?;
        let seen = collect(cursor).map_err(fail)?;

        let meant = self.reference.below(head).iter().filter(|event| {
            let position = event.position();
            let is_on_the_way =
                from.is_none_or(|from| if draft.is_backward { position <= from } else { position >= from });
            let is_late = since.is_none_or(|since| self.reference.recorded_at(position) >= Some(since));
            is_on_the_way && is_late && is_meant(&event.record(), draft)
        });
        let mut expected: Vec<(Position, Vec<u8>)> =
            meant.map(|event| (event.position(), event.record().bytes().to_vec())).collect();
        if draft.is_backward {
            expected.reverse();
        }
        expected.truncate(draft.limit.map_or(usize::MAX, usize::from));
        let found: Vec<(Position, Vec<u8>)> = seen.iter().map(|seen| (seen.position, seen.bytes.clone())).collect();
        prop_assert!(
            found == expected,
            "{:?} gave {:?}",
            draft,
            seen.iter().map(|seen| seen.position).collect::<Vec<_>>()
        );
        if draft.limit.is_some() || !matches!(draft.selection, Selection::Everything) {
            self.tally.add(READ, seen.len() as u64);
        }
        for seen in &seen {
            let is_known = self.reference.note_recorded_at(seen.position, seen.recorded_at);
            prop_assert!(is_known, "{} was recorded at another time", seen.position);
        }
        Ok(())
    }

    /// Reads everything so that the reference knows when each event was taken; times never go back.
    pub(super) fn learn_times(&mut self, sees_unsynced: bool) -> Checked {
        let read = if sees_unsynced { Read::all().unsynced() } else { Read::all() };
        let seen = collect(self.store().read(read)).map_err(fail)?;
        let is_sorted = seen.is_sorted_by_key(|seen| seen.recorded_at);
        prop_assert!(is_sorted, "time goes back");
        for seen in seen {
            let is_known = self.reference.note_recorded_at(seen.position, seen.recorded_at);
            prop_assert!(is_known, "{} was recorded at another time", seen.position);
        }
        Ok(())
    }

    /// A head shows what is durable; whoever asks for unsynced events sees all that was accepted.
    fn check_head(&mut self, head: Position, sees_unsynced: bool) -> Checked {
        if !sees_unsynced {
            prop_assert!(head <= self.store().reader().head());
            return self.promise(head);
        }
        prop_assert!(head <= self.reference.head(), "{} of {}", head, self.reference.head());
        if head < self.reference.head() {
            let again = self.store().append(AppendRequest::new().durability(Durability::Written));
            prop_assert!(matches!(again, Err(AppendError::Poisoned { .. })), "head {}: {:?}", head, again);
            self.is_poisoned = true;
        }
        Ok(())
    }

    pub(super) fn list_names(&mut self, kind: NameKind, prefix: &str) -> Checked {
        self.check_names(&self.store().reader(), kind, prefix)
    }

    fn check_names(&mut self, reader: &Reader<SimulatedDisk>, kind: NameKind, prefix: &str) -> Checked {
        let head = reader.head();
        self.promise(head)?;
        let expected = self.reference.names(kind, prefix, head);
        prop_assert_eq!(reader.names(kind, prefix).map_err(fail)?, expected);
        let all = self.reference.names(kind, "", head);
        prop_assert_eq!(reader.name_count(kind), all.len() as u64);
        for stream in self.reference.names(NameKind::Stream, prefix, head) {
            let name = StreamName::new(stream.name).unwrap();
            prop_assert_eq!(reader.stream_revision(&name).map_err(fail)?, stream.last_revision);
        }
        Ok(())
    }
}

/// The read that a draft comes to.
pub(super) fn read_of(draft: &ReadDraft, from: Option<Position>, since: Option<Timestamp>) -> Read {
    let mut read = match &draft.selection {
        Selection::Everything => Read::all(),
        Selection::Stream { name, from_revision } => {
            let read = Read::stream(StreamName::new(*name).unwrap());
            match from_revision {
                Some(revision) => read.from_revision(Revision(u64::from(*revision))),
                None => read,
            }
        }
        Selection::Query(query) => Read::query(query.clone()),
    };
    read = from.into_iter().fold(read, Read::from);
    read = since.into_iter().fold(read, Read::since);
    read = draft.limit.into_iter().fold(read, |read, limit| read.limit(u64::from(limit)));
    read = if draft.is_backward { read.backwards() } else { read };
    if draft.sees_unsynced { read.unsynced() } else { read }
}

/// Whether an event is one that a read is about, wherever it begins.
pub(super) fn is_meant(record: &Record<'_>, draft: &ReadDraft) -> bool {
    match &draft.selection {
        Selection::Everything => true,
        Selection::Query(query) => query.matches(record),
        Selection::Stream { name, from_revision } => {
            let is_on_the_way = from_revision.is_none_or(|from| {
                let (from, revision) = (Some(Revision(u64::from(from))), record.revision());
                if draft.is_backward { revision <= from } else { revision >= from }
            });
            record.stream() == Some(name) && is_on_the_way
        }
    }
}

fn collect(mut cursor: Cursor<SimulatedDisk>) -> Result<Vec<Seen>, ReadError> {
    let mut all = Vec::new();
    while let Some(record) = cursor.next_record() {
        let record = record?;
        let (position, bytes) = (record.position(), record.bytes().to_vec());
        let recorded_at = cursor.recorded_at().expect("an event was read");
        all.push(Seen { position, bytes, recorded_at });
    }
    Ok(all)
}

//! The snapshots of a store: two files, and which snapshot of a key is the newest.

use super::entry::{Entry, FILE_HEAD_BYTES, Origin, Witness};
use super::file::SnapshotFile;
use crate::disk::{Access, Disk, DiskFile};
use crate::log::{parse_snapshot_name, snapshot_name};
use crate::sync::Mutex;
use gesta_model::codec::StoreKey;
use gesta_model::{Position, Snapshot, SnapshotError, SnapshotInfo, SnapshotKey, Uuid};
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

/// Files that are kept: the young one and the old one.
const FILES_MAX: usize = 2;
/// Entries of one file: their places are in memory.
const FILE_ENTRIES_MAX: usize = 1 << 17;

/// What is kept of fold states. Nothing is opened before it is first asked for.
pub(crate) struct Snapshots<D: Disk> {
    disk: D,
    origin: Origin,
    /// Bytes of one file.
    file_bytes_max: u64,
    /// Bytes of the data of one snapshot.
    data_bytes_max: u64,
    state: Mutex<State<D>>,
}

struct State<D: Disk> {
    mode: Mode,
    /// In the order of their numbers: the last one is the young one.
    files: Vec<SnapshotFile<D>>,
    kept: BTreeMap<(Box<str>, u32), Arc<Kept<D>>>,
    next_number: u64,
    /// Removing all files was begun and has failed: they may hold what was dropped.
    must_remove: bool,
}

/// Who changes the files.
enum Mode {
    /// This process, as the writer of the store.
    Writing {
        /// The files were looked at.
        is_opened: bool,
    },
    /// Somebody else, if anybody: they are looked at again each time. Whoever wants to change them is told this.
    Watching(SnapshotError),
}

/// A snapshot in a file.
pub(crate) struct Kept<D: Disk> {
    /// Everything below it is folded in.
    pub(crate) position: Position,
    /// The last event that is.
    pub(crate) witness: Witness,
    number: u64,
    file: Arc<D::File>,
    data_offset: u64,
    data_bytes: u64,
    data_check: u64,
}

impl<D: Disk> Snapshots<D> {
    /// The snapshots of a store that is open for writing.
    pub(crate) fn writing(disk: D, store: (Uuid, StoreKey), (bytes_max, data_bytes_max): (u64, usize)) -> Self {
        let mode = Mode::Writing { is_opened: false };
        Self::new(disk, store, mode, (bytes_max / FILES_MAX as u64, data_bytes_max as u64))
    }

    /// The snapshots of a store that this process does not write.
    pub(crate) fn watching(disk: D, store: (Uuid, StoreKey)) -> Self {
        Self::new(disk, store, Mode::Watching(SnapshotError::ReadOnly), (0, 0))
    }

    fn new(disk: D, (store_id, key): (Uuid, StoreKey), mode: Mode, bytes_max: (u64, u64)) -> Self {
        let state = State { mode, files: Vec::new(), kept: BTreeMap::new(), next_number: 1, must_remove: false };
        let (file_bytes_max, data_bytes_max) = bytes_max;
        Self { disk, origin: Origin { store_id, key }, file_bytes_max, data_bytes_max, state: Mutex::new(state) }
    }

    /// Changes nothing from now on: the next writer of the store may come in.
    pub(crate) fn close(&self) {
        let mut state = self.state.lock();
        if matches!(state.mode, Mode::Writing { .. }) {
            state.mode = Mode::Watching(SnapshotError::Closed);
            state.clear();
        }
    }

    /// The newest snapshot of a key and schema, to be believed once its witness was found.
    pub(crate) fn find(&self, key: &SnapshotKey, schema: u32) -> Option<Arc<Kept<D>>> {
        let mut state = self.state.lock();
        self.look(&mut state);
        state.kept.get(&(key.as_str().into(), schema)).cloned()
    }

    /// The data of a snapshot; `None` when it is not what was saved.
    pub(crate) fn read(&self, kept: &Kept<D>) -> Option<Vec<u8>> {
        let mut data = vec![0; usize::try_from(kept.data_bytes).ok()?];
        kept.file.read_at(&mut data, kept.data_offset).ok()?;
        (self.origin.check(&[&data]) == kept.data_check).then_some(data)
    }

    /// All snapshots whose keys begin with `prefix` and that `holds` believes, in the order of their keys.
    pub(crate) fn list(&self, prefix: &str, holds: impl Fn(&Kept<D>) -> bool) -> Vec<SnapshotInfo> {
        let mut state = self.state.lock();
        self.look(&mut state);
        let from = state.kept.range((prefix.into(), 0)..);
        let begins = from.take_while(|((key, _), _)| key.starts_with(prefix));
        let found: Vec<_> = begins.map(|(place, kept)| (place.clone(), Arc::clone(kept))).collect();
        // Believing each takes a look at the log, which nobody else waits for.
        drop(state);
        let believed = found.into_iter().filter(|(_, kept)| holds(kept));
        let info = |((key, schema), kept): ((Box<str>, u32), Arc<Kept<D>>)| {
            let key = SnapshotKey::new(key).ok()?;
            Some(SnapshotInfo { key, schema, position: kept.position, data_bytes: kept.data_bytes })
        };
        believed.filter_map(info).collect()
    }

    /// Keeps a snapshot, unless a later one that `holds` believes is kept.
    pub(crate) fn save(
        &self,
        snapshot: &Snapshot,
        witness: Witness,
        holds: impl Fn(&Kept<D>) -> bool,
    ) -> Result<(), SnapshotError> {
        let name = snapshot.key.as_str();
        let entry = Entry {
            is_drop: false,
            schema: snapshot.schema,
            position: snapshot.position,
            witness,
            data_bytes: snapshot.data.len() as u64,
            data_check: self.origin.check(&[&snapshot.data]),
            name_bytes: u32::try_from(name.len()).expect("a key is short"),
        };
        let room = self.file_bytes_max.saturating_sub(FILE_HEAD_BYTES as u64 + entry.data_offset());
        let max = self.data_bytes_max.min(room & !7);
        let mut state = self.state.lock();
        state.may_write()?;
        if entry.data_bytes > max || room == 0 {
            return Err(SnapshotError::TooLarge { bytes: entry.data_bytes, max });
        }
        self.look(&mut state);
        let place = (name.into(), snapshot.schema);
        if state.kept.get(&place).is_some_and(|kept| kept.position > snapshot.position && holds(kept)) {
            return Ok(());
        }
        let (number, file, offset) = self.add(&mut state, &entry, name, &snapshot.data).map_err(storage)?;
        let kept = Kept::new(&entry, number, file, offset);
        state.kept.insert(place, kept);
        Ok(())
    }

    /// Drops all snapshots whose keys begin with `prefix`, so that no power cut brings them back; returns how many.
    pub(crate) fn drop_all(&self, prefix: &str) -> Result<u64, SnapshotError> {
        let mut state = self.state.lock();
        state.may_write()?;
        self.look(&mut state);
        let count = state.kept.keys().filter(|(key, _)| key.starts_with(prefix)).count() as u64;
        if state.must_remove || prefix.is_empty() || self.void(&mut state, prefix, count).is_err() {
            // A failed sync is not tried again: what cannot be dropped in part is dropped as a whole.
            state.must_remove = true;
            self.remove_files(&mut state).map_err(storage)?;
            state.must_remove = false;
        }
        state.kept.retain(|(key, _), _| !key.starts_with(prefix));
        Ok(count)
    }

    /// Bytes of the files.
    pub(crate) fn bytes(&self) -> u64 {
        let length = |number| self.disk.open(&snapshot_name(number), Access::Read).and_then(|file| file.len());
        self.numbers().unwrap_or_default().into_iter().filter_map(|number| length(number).ok()).sum()
    }

    /// Makes it durable that what was kept under a prefix, `count` snapshots, is void.
    fn void(&self, state: &mut State<D>, prefix: &str, count: u64) -> io::Result<()> {
        if !self.numbers()?.into_iter().eq(state.files.iter().map(|file| file.number)) {
            return Err(io::Error::other("a file that could not be read may hold snapshots"));
        }
        if count == 0 {
            // They may have been in a file whose removal is not durable yet.
            return self.disk.sync_dir();
        }
        let entry = Entry {
            is_drop: true,
            schema: 0,
            position: Position::START,
            witness: Witness::default(),
            data_bytes: 0,
            data_check: 0,
            name_bytes: u32::try_from(prefix.len()).expect("a key begins with it"),
        };
        let (_, file, _) = self.add(state, &entry, prefix, &[])?;
        file.sync_data()?;
        self.disk.sync_dir()
    }

    /// Adds an entry to the young file, beginning another when it is full; tells the file and where in it.
    fn add(
        &self,
        state: &mut State<D>,
        entry: &Entry,
        name: &str,
        data: &[u8],
    ) -> io::Result<(u64, Arc<D::File>, u64)> {
        let has_room = |young: &SnapshotFile<D>| {
            young.end + entry.bytes() <= self.file_bytes_max && young.entry_count < FILE_ENTRIES_MAX
        };
        if !state.files.last().is_some_and(has_room) {
            self.begin_file(state)?;
        }
        let young = state.files.last_mut().expect("a file was begun");
        let offset = young.add(&self.origin, entry, (name, data), self.file_bytes_max)?;
        Ok((young.number, Arc::clone(&young.file), offset))
    }

    /// Makes the young file the old one, and a new file the young one.
    fn begin_file(&self, state: &mut State<D>) -> io::Result<()> {
        let number = state.next_number;
        state.next_number += 1;
        match SnapshotFile::create(&self.disk, &self.origin, number) {
            Ok(file) => state.files.push(file),
            Err(error) => {
                // It may be there in part. The first error is the one to tell of.
                let _ = self.disk.remove(&snapshot_name(number));
                return Err(error);
            }
        }
        if state.files.len() > FILES_MAX {
            let gone = state.files.remove(0).number;
            state.kept.retain(|_, kept| kept.number != gone);
            // One that is left over is removed by the next opening.
            let _ = self.disk.remove(&snapshot_name(gone));
        }
        Ok(())
    }

    /// Removes all files, durably.
    fn remove_files(&self, state: &mut State<D>) -> io::Result<()> {
        state.clear();
        for number in self.numbers()? {
            self.disk.remove(&snapshot_name(number))?;
        }
        self.disk.sync_dir()
    }

    /// Looks at the files: for the first time, or for what somebody else has written since. What cannot be read is passed
    /// over, and by the writer removed.
    fn look(&self, state: &mut State<D>) {
        let is_writer = match &mut state.mode {
            Mode::Writing { is_opened: true } => return,
            Mode::Writing { is_opened } => {
                *is_opened = true;
                true
            }
            Mode::Watching(_) => false,
        };
        let mut numbers = self.numbers().unwrap_or_default();
        state.next_number = numbers.last().map_or(1, |last| last.saturating_add(1));
        let surplus = numbers.len().saturating_sub(FILES_MAX);
        let mut useless: Vec<u64> = numbers.drain(..surplus).collect();
        if !state.files.iter().map(|file| file.number).eq(numbers.iter().copied()) {
            state.clear();
            let access = if is_writer { Access::Write } else { Access::Read };
            for number in numbers {
                match SnapshotFile::open(&self.disk, &self.origin, number, access) {
                    Some(file) => state.files.push(file),
                    None => useless.push(number),
                }
            }
        }
        useless.extend(state.walk(&self.origin));
        if is_writer {
            // One that cannot be removed is passed over by the next opening as well.
            useless.into_iter().for_each(|number| drop(self.disk.remove(&snapshot_name(number))));
        }
    }

    /// The numbers of the files that are there, in their order.
    fn numbers(&self) -> io::Result<Vec<u64>> {
        let names = self.disk.list()?;
        let mut numbers: Vec<u64> = names.iter().filter_map(|name| parse_snapshot_name(name)).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }
}

impl<D: Disk> State<D> {
    fn may_write(&self) -> Result<(), SnapshotError> {
        match &self.mode {
            Mode::Writing { .. } => Ok(()),
            Mode::Watching(why) => Err(why.clone()),
        }
    }

    fn clear(&mut self) {
        self.files.clear();
        self.kept.clear();
    }

    /// Takes in what the files hold beyond what is known, in their order; returns the numbers of those that the disk does
    /// not show.
    fn walk(&mut self, origin: &Origin) -> Vec<u64> {
        let Self { files, kept, .. } = self;
        let mut unreadable = Vec::new();
        files.retain_mut(|file| {
            let (number, handle) = (file.number, Arc::clone(&file.file));
            let walked = file.walk(origin, |entry, name, offset| {
                if entry.is_drop {
                    kept.retain(|(key, _), _| !key.starts_with(name));
                } else {
                    let place = (name.into(), entry.schema);
                    kept.insert(place, Kept::new(&entry, number, Arc::clone(&handle), offset));
                }
            });
            if walked.is_err() {
                unreadable.push(number);
            }
            walked.is_ok()
        });
        kept.retain(|_, kept| !unreadable.contains(&kept.number));
        unreadable
    }
}

impl<D: Disk> Kept<D> {
    fn new(entry: &Entry, number: u64, file: Arc<D::File>, offset: u64) -> Arc<Self> {
        Arc::new(Self {
            position: entry.position,
            witness: entry.witness,
            number,
            file,
            data_offset: offset + entry.data_offset(),
            data_bytes: entry.data_bytes,
            data_check: entry.data_check,
        })
    }
}

fn storage(error: io::Error) -> SnapshotError {
    SnapshotError::Storage { cause: Arc::new(error) }
}

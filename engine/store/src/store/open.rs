//! Opening a store for writing.

use super::handle::Store;
use crate::append::Appender;
use crate::disk::{Disk, RealDisk};
use crate::index::{Following, Index, Keyring, TailFill};
use crate::log::{
    Found, Identity, LOCK, Log, LogWriter, Manifest, OpenError, Recovered, Segments, are_of_a_store, create_store,
    keep_reserve, recover,
};
use crate::options::Options;
use crate::projections::Board;
use crate::read::{Library, Reader};
use crate::snapshots::Snapshots;
use crate::sync::Mutex;
use std::path::Path;
use std::sync::Arc;

impl Store<RealDisk> {
    /// Opens the store in a directory for writing, making both when they are not there.
    pub fn open(path: impl AsRef<Path>, options: Options) -> Result<Self, OpenError> {
        let path = path.as_ref();
        let failed = OpenError::io(path.display().to_string(), "cannot open or make the directory");
        let disk = RealDisk::create(path).map_err(failed)?;
        Self::open_on(disk, options)
    }
}

/// Whether there is a store in a directory, whole or damaged. What cannot be listed is none.
#[must_use]
pub fn is_store(path: impl AsRef<Path>) -> bool {
    let Ok(entries) = std::fs::read_dir(path) else { return false };
    are_of_a_store(entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()))
}

impl<D: Disk> Store<D> {
    /// Opens the store on a disk for writing, making it when there is none.
    pub fn open_on(disk: D, options: Options) -> Result<Self, OpenError> {
        let options = options.within_format();
        let path = disk.describe("");
        let manifest = Manifest::load(&disk)?;
        if manifest.is_none() {
            crate::log::check_vacant(&disk)?;
        }
        let lock = disk.lock(LOCK).map_err(OpenError::io(disk.describe(LOCK), "cannot lock the store"))?;
        let lock = lock.ok_or_else(|| OpenError::Locked { path: disk.describe(LOCK) })?;
        // Whoever held the lock until now may have changed the manifest.
        let manifest = match Manifest::load(&disk)? {
            Some(manifest) => manifest,
            None => create_store(&disk, &options.environment, options.index_event_ids)?,
        };
        let keyring = Keyring::new(&manifest.origin.key.0).with_event_ids(manifest.indexes_event_ids);
        let mut tail_fill = TailFill::new(keyring);
        let mut add = |base, batch: &Found, body: &[u8]| tail_fill.add(base, batch, body);
        let Recovered { manifest, segments, tail, spare, readable, mut report } = recover(&disk, manifest, &mut add)?;
        let log = Log::new((manifest.store_id, manifest.origin.clone()), Segments { list: segments }, readable);
        let log = Arc::new(log);
        let index = Arc::new(Index::new(Arc::clone(&log), manifest.indexes_event_ids));
        let recovered = tail_fill.finish().zip(tail.as_ref()).filter(|_| !report.is_degraded);
        let following = recovered.map_or_else(Following::default, |(memory, (header, scan))| {
            Following::recovered(header.number, memory, scan.offset, scan.position)
        });
        let damage = index.follow(&disk, &mut { following });
        report.is_degraded |= damage.iter().any(|damage| !damage.positions.is_empty());
        for found in damage {
            if !report.damage.iter().any(|known| known.offset == found.offset && known.file == found.file) {
                report.damage.push(found);
            }
        }
        if !report.is_degraded {
            keep_reserve(&disk);
        }
        let refusal = report.is_degraded.then(|| {
            let first = report.damage.iter().find(|damage| !damage.positions.is_empty());
            first.or(report.damage.first()).map_or_else(|| "unknown".to_owned(), ToString::to_string)
        });
        let identity = Identity {
            store_id: manifest.store_id,
            incarnation: manifest.incarnation,
            unsynced_bytes_max: options.unsynced_bytes_max(),
        };
        let writer = LogWriter::new(identity, Arc::clone(&log), tail);
        let tail_index = index.tail_part(writer.open_segment().unwrap_or(writer.next_number()), writer.position());
        let store = (manifest.store_id, manifest.origin.key);
        let snapshots = match &refusal {
            None => {
                let bytes_max = (options.snapshot_bytes_max, options.limits.data_bytes_max);
                Snapshots::writing(disk.clone(), store, bytes_max)
            }
            Some(_) => Snapshots::watching(disk.clone(), store),
        };
        let board = Board::writing(disk.clone(), store, options.environment.clone());
        let appender = Appender::new(
            disk.clone(),
            options,
            (Arc::clone(&log), Arc::clone(&index)),
            tail_index,
            manifest.incarnation,
            (writer, spare),
            refusal,
        );
        let library = Library {
            path: path.clone(),
            disk: disk.clone(),
            log,
            index,
            incarnation: manifest.incarnation,
            observed: None,
            scrubbed: appender.scrubbed(),
            snapshots,
            board,
            lock: Mutex::new(Some(lock)),
        };
        let appender = Arc::new(appender);
        let threads = appender.start_threads().map_err(OpenError::io(path, "cannot start the store's threads"))?;
        Ok(Self { disk, appender, reader: Reader::new(library), manifest, report, threads: Mutex::new(threads) })
    }
}

//! The bytes of one file: what a reader sees and what the device holds.
//!
//! Invariants:
//! - a sector that is neither dirty nor forgotten is equal in both images (zeros beyond the durable length);
//! - `durable.len() <= cached.len()`, and they differ only while the length is pending.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::crash::CrashPlan;
use super::random::Random;

/// What a device writes as a whole or not at all.
pub(super) const SECTOR_BYTES: usize = 512;

/// More versions of one dirty sector than this are not kept: the oldest gives way.
const VERSION_COUNT_MAX: usize = 8;

type Sector = [u8; SECTOR_BYTES];

/// One file's cached and durable image.
#[derive(Clone, Debug, Default)]
pub(super) struct Contents {
    cached: Vec<u8>,
    durable: Vec<u8>,
    /// Sectors written since they were last synced, each with the versions that were written over since then.
    dirty: BTreeMap<usize, Vec<Sector>>,
    /// Sectors that a failed sync marked clean: the cache shows bytes that the device does not hold.
    forgotten: BTreeSet<usize>,
}

/// What a sync set out to make durable: the bytes of the moment at which it began.
#[derive(Debug)]
pub(super) struct Flush {
    len: usize,
    sectors: Vec<(usize, Sector)>,
}

impl Contents {
    /// A file that is durable as it is.
    pub(super) fn settled(bytes: Vec<u8>) -> Self {
        Self { durable: bytes.clone(), cached: bytes, ..Self::default() }
    }

    pub(super) fn len(&self) -> usize {
        self.cached.len()
    }

    /// The bytes that a reader sees.
    pub(super) fn cached(&self) -> &[u8] {
        &self.cached
    }

    /// Grows to `len`; the length is pending until a sync.
    pub(super) fn grow(&mut self, len: usize) {
        if len > self.cached.len() {
            self.cached.resize(len, 0);
        }
    }

    pub(super) fn write(&mut self, bytes: &[u8], offset: usize) {
        let end = offset + bytes.len();
        self.grow(end);
        for sector in sectors(offset..end) {
            self.mark_dirty(sector);
        }
        self.cached[offset..end].copy_from_slice(bytes);
    }

    /// Begins a sync. What is written from now on is not covered by it.
    pub(super) fn begin_flush(&self) -> Flush {
        let sectors = self.dirty.keys().map(|sector| (*sector, self.cached_sector(*sector)));
        Flush { len: self.cached.len(), sectors: sectors.collect() }
    }

    /// Ends a sync that worked.
    pub(super) fn finish_flush(&mut self, flush: &Flush) {
        let len = flush.len.min(self.cached.len());
        if len > self.durable.len() {
            self.durable.resize(len, 0);
        }
        for (sector, bytes) in &flush.sectors {
            put(&mut self.durable, *sector, bytes);
            if self.cached_sector(*sector) == *bytes {
                self.dirty.remove(sector);
            } else if let Some(versions) = self.dirty.get_mut(sector) {
                // Written again meanwhile: no power cut may bring back a version older than the synced one.
                let synced = versions.iter().rposition(|version| version == bytes);
                versions.drain(..synced.map_or(0, |index| index + 1));
            }
        }
    }

    /// Ends a sync that failed the way Linux fails it: the cache still shows the bytes and calls them clean. A sector
    /// that was written again meanwhile is as dirty as before.
    pub(super) fn forget_flush(&mut self, flush: &Flush) {
        for (sector, bytes) in &flush.sectors {
            if self.cached_sector(*sector) == *bytes && self.dirty.remove(sector).is_some() {
                self.forgotten.insert(*sector);
            }
        }
    }

    /// Reads the clean sectors anew from the device.
    pub(super) fn drop_cache(&mut self) {
        for sector in std::mem::take(&mut self.forgotten) {
            let bytes = sector_of(&self.durable, sector);
            put(&mut self.cached, sector, &bytes);
        }
    }

    /// The power goes: some of what was pending reaches the device, the cache is gone.
    pub(super) fn power_cut(&mut self, plan: &CrashPlan, random: &mut Random) {
        if self.durable.len() < self.cached.len() {
            let len = plan.surviving_length(self.durable.len(), self.cached.len(), random);
            self.durable.resize(len, 0);
        }
        let sectors_per_unit = usize::try_from(plan.granularity.bytes()).expect("a page") / SECTOR_BYTES;
        let units: BTreeSet<usize> = self.dirty.keys().map(|sector| sector / sectors_per_unit).collect();
        let survivors = plan.survivors(units.len(), random);
        for (unit, _) in units.into_iter().zip(survivors).filter(|(_, survives)| *survives) {
            for sector in unit * sectors_per_unit..(unit + 1) * sectors_per_unit {
                self.settle(sector, plan, random);
            }
        }
        *self = Self::settled(std::mem::take(&mut self.durable));
    }

    /// Puts bytes into both images without any trace, as far as they reach.
    pub(super) fn damage(&mut self, offset: usize, bytes: &[u8]) {
        for image in [&mut self.cached, &mut self.durable] {
            if let Some(part) = image.get_mut(offset..) {
                let len = part.len().min(bytes.len());
                part[..len].copy_from_slice(&bytes[..len]);
            }
        }
    }

    /// Cuts both images.
    pub(super) fn truncate(&mut self, len: usize) {
        self.cached.truncate(len);
        self.durable.truncate(len);
        let sector_count = len.div_ceil(SECTOR_BYTES);
        self.dirty.retain(|sector, _| *sector < sector_count);
        self.forgotten.retain(|sector| *sector < sector_count);
    }

    fn mark_dirty(&mut self, sector: usize) {
        let current = self.cached_sector(sector);
        self.forgotten.remove(&sector);
        match self.dirty.get_mut(&sector) {
            None => {
                self.dirty.insert(sector, Vec::new());
            }
            Some(versions) => {
                if versions.len() == VERSION_COUNT_MAX {
                    versions.remove(0);
                }
                versions.push(current);
            }
        }
    }

    /// Moves a dirty sector to the device, in the version the plan picks.
    fn settle(&mut self, sector: usize, plan: &CrashPlan, random: &mut Random) {
        let Some(versions) = self.dirty.get(&sector) else { return };
        let version = plan.surviving_version(versions.len() + 1, random);
        let bytes = versions.get(version).copied().unwrap_or_else(|| self.cached_sector(sector));
        put(&mut self.durable, sector, &bytes);
    }

    fn cached_sector(&self, sector: usize) -> Sector {
        sector_of(&self.cached, sector)
    }
}

fn sectors(range: Range<usize>) -> Range<usize> {
    range.start / SECTOR_BYTES..range.end.div_ceil(SECTOR_BYTES)
}

/// The part of `image` that a sector covers.
fn extent(image: &[u8], sector: usize) -> Range<usize> {
    let start = (sector * SECTOR_BYTES).min(image.len());
    start..(start + SECTOR_BYTES).min(image.len())
}

/// A sector of `image`, with zeros for what lies beyond the end.
fn sector_of(image: &[u8], sector: usize) -> Sector {
    let mut bytes = [0; SECTOR_BYTES];
    let part = &image[extent(image, sector)];
    bytes[..part.len()].copy_from_slice(part);
    bytes
}

/// Writes a sector into `image`, as far as the image reaches.
fn put(image: &mut [u8], sector: usize, bytes: &Sector) {
    let extent = extent(image, sector);
    let len = extent.len();
    image[extent].copy_from_slice(&bytes[..len]);
}

#[cfg(test)]
mod test {
    use super::super::crash::{Granularity, Keep};
    use super::*;

    #[test]
    fn sync_covers_what_was_written_before_it_began_and_nothing_after() {
        let mut contents = Contents::default();
        contents.write(&[1; 600], 0);
        let flush = contents.begin_flush();
        contents.write(&[2; 10], 590);
        contents.finish_flush(&flush);
        assert_eq!(contents.durable, [1; 600]);
        assert_eq!(contents.dirty.keys().copied().collect::<Vec<_>>(), [1]);
        contents.finish_flush(&contents.begin_flush());
        assert_eq!(contents.durable, contents.cached);
        assert!(contents.dirty.is_empty());
    }

    #[test]
    fn power_cut_never_brings_back_a_version_older_than_the_synced_one() {
        let mut contents = Contents::settled(vec![0; 512]);
        contents.write(&[1; 512], 0);
        contents.write(&[2; 512], 0);
        let flush = contents.begin_flush();
        contents.write(&[3; 512], 0);
        contents.finish_flush(&flush);
        for seed in 0..100 {
            let mut crashed = contents.clone();
            let plan = CrashPlan { seed, keep: Keep::Some(900), granularity: Granularity::Sector };
            crashed.power_cut(&plan, &mut Random::new(seed));
            assert!(matches!(crashed.cached()[0], 2 | 3), "{}", crashed.cached()[0]);
        }
    }

    #[test]
    fn forgotten_sectors_are_shown_until_the_cache_is_dropped_and_never_become_durable() {
        let mut contents = Contents::settled(vec![0; 1024]);
        contents.write(&[1; 1024], 0);
        contents.forget_flush(&contents.begin_flush());
        contents.finish_flush(&contents.begin_flush());
        assert_eq!(contents.cached(), [1; 1024]);
        contents.drop_cache();
        assert_eq!(contents.cached(), [0; 1024]);
    }

    #[test]
    fn writing_a_forgotten_sector_again_makes_it_dirty_again() {
        let mut contents = Contents::settled(vec![0; 512]);
        contents.write(&[1; 512], 0);
        contents.forget_flush(&contents.begin_flush());
        contents.write(&[1; 512], 0);
        contents.finish_flush(&contents.begin_flush());
        contents.drop_cache();
        assert_eq!(contents.cached(), [1; 512]);
    }
}

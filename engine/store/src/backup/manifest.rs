//! The files `backup` and `backup.copy`: whose the backup is, how far it reaches, and what it consists of.
//!
//! ```text
//!   0  magic 8          89 'G' 'B' 'A' 'K' 0d 0a 1a
//!   8  version u32      1
//!  12  entries u32      how many follow
//!  16  head u64         the backup holds every position below it
//!  24  taken_at i64     when it was finished
//!  32  store_bytes u32  the length of the store's manifest
//!  36  zero u32
//!  40  store            the store's manifest, its floor at `head`
//!   .  entries, 64 each
//!   .  crc u32          CRC-32 of everything before
//! ```
//!
//! `backup.begun` has the same form and no entries: it says whose a first backup is that is not finished.

use super::entry::{ENTRY_BYTES, Entry};
use crate::disk::{Access, Disk, DiskFile};
use crate::log::{BACKUP_BEGUN, BACKUPS, Manifest, appear};
use gesta_model::{Position, Timestamp};
use std::io;

const MAGIC: [u8; 8] = *b"\x89GBAK\r\n\x1a";
const VERSION: u32 = 1;
const FIXED_BYTES: usize = 40;
const CRC_BYTES: usize = 4;
/// More than any backup will write; a longer file is not read into memory.
const MANIFEST_BYTES_MAX: u64 = 256 << 20;

/// What a backup says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BackupManifest {
    pub(super) store: Manifest,
    pub(super) head: Position,
    pub(super) taken_at: Timestamp,
    /// In the order of the log: segments, the tail, then index files.
    pub(super) entries: Vec<Entry>,
}

/// What a directory says of the backup in it.
#[derive(Debug)]
pub(super) enum Held {
    /// Nothing.
    Nothing,
    /// A first one was begun and is not finished.
    Begun(BackupManifest),
    /// A whole one.
    Whole(BackupManifest),
    /// The file of this name is not what was written, nor is there a whole copy of it.
    Damaged {
        /// The file.
        name: &'static str,
        /// What is wrong.
        what: String,
    },
}

impl BackupManifest {
    /// Looks what a directory holds. One whole copy is enough; of two, the first is as new as the second or newer.
    pub(super) fn load<D: Disk>(disk: &D) -> io::Result<Held> {
        let mut trouble = None;
        for name in BACKUPS {
            match Self::read(disk, name) {
                Ok(Some(Ok(manifest))) => return Ok(Held::Whole(manifest)),
                Ok(Some(Err(what))) => trouble = trouble.or(Some(Ok(Held::Damaged { name, what }))),
                Ok(None) => {}
                Err(error) => trouble = trouble.or(Some(Err(error))),
            }
        }
        if let Some(trouble) = trouble {
            return trouble;
        }
        Ok(match Self::read(disk, BACKUP_BEGUN)? {
            Some(Ok(manifest)) => Held::Begun(manifest),
            Some(Err(what)) => Held::Damaged { name: BACKUP_BEGUN, what },
            None => Held::Nothing,
        })
    }

    /// Whether the directory still says the same, as far as it can be read.
    pub(super) fn is_current<D: Disk>(&self, disk: &D) -> bool {
        !matches!(Self::load(disk), Ok(Held::Whole(now)) if now != *self)
    }

    /// What the file of a name says, or what is wrong with it; `None` where there is none.
    pub(super) fn read<D: Disk>(disk: &D, name: &str) -> io::Result<Option<Result<Self, String>>> {
        let file = match disk.open(name, Access::Read) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            outcome => outcome?,
        };
        let length = file.len()?.min(MANIFEST_BYTES_MAX);
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
        file.read_at(&mut bytes, 0)?;
        Ok(Some(Self::decode(&bytes)))
    }

    /// Says that a first backup is begun.
    pub(super) fn begin<D: Disk>(&self, disk: &D) -> io::Result<()> {
        self.write(disk, BACKUP_BEGUN)
    }

    /// Makes the backup consist of what this says, both copies durable, and with them every change of the directory before.
    pub(super) fn store<D: Disk>(&self, disk: &D) -> io::Result<()> {
        BACKUPS.iter().try_for_each(|name| self.write(disk, name))
    }

    fn write<D: Disk>(&self, disk: &D, name: &str) -> io::Result<()> {
        let bytes = self.encode();
        appear(disk, name, |file| {
            file.allocate(bytes.len() as u64)?;
            file.write_at(&bytes, 0)
        })?;
        Ok(())
    }

    fn encode(&self) -> Vec<u8> {
        let store = self.store.encode();
        let count = |count: usize| u32::try_from(count).expect("a backup has fewer than 2^32 files").to_le_bytes();
        let mut bytes = Vec::with_capacity(FIXED_BYTES + store.len() + self.entries.len() * ENTRY_BYTES + CRC_BYTES);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&count(self.entries.len()));
        bytes.extend_from_slice(&self.head.0.to_le_bytes());
        bytes.extend_from_slice(&self.taken_at.0.to_le_bytes());
        bytes.extend_from_slice(&count(store.len()));
        bytes.extend_from_slice(&[0; 4]);
        debug_assert_eq!(bytes.len(), FIXED_BYTES);
        bytes.extend_from_slice(&store);
        for entry in &self.entries {
            bytes.extend_from_slice(&entry.encode());
        }
        let crc = crc32fast::hash(&bytes);
        bytes.extend_from_slice(&crc.to_le_bytes());
        bytes
    }

    fn decode(bytes: &[u8]) -> Result<Self, String> {
        let (content, crc) = bytes.split_last_chunk::<CRC_BYTES>().ok_or("it is cut off")?;
        if !content.starts_with(&MAGIC) {
            return Err("it does not begin like the manifest of a backup".to_owned());
        }
        if crc32fast::hash(content) != u32::from_le_bytes(*crc) || content.len() < FIXED_BYTES {
            return Err("its checksum does not match".to_owned());
        }
        let u32_at = |at: usize| u32::from_le_bytes(content[at..at + 4].try_into().expect("four bytes"));
        let eight_at = |at: usize| -> [u8; 8] { content[at..at + 8].try_into().expect("eight bytes") };
        let version = u32_at(8);
        if version != VERSION {
            return Err(format!("its format version {version} is not known: use a newer gesta"));
        }
        let (entry_count, store_bytes) = (u32_at(12) as usize, u32_at(32) as usize);
        let rest = &content[FIXED_BYTES..];
        if rest.len() as u64 != store_bytes as u64 + entry_count as u64 * ENTRY_BYTES as u64 {
            return Err("its length does not match".to_owned());
        }
        let (store, entries) = rest.split_at(store_bytes);
        let entries: Option<Vec<Entry>> =
            entries.chunks_exact(ENTRY_BYTES).map(|entry| Entry::decode(entry.try_into().ok()?)).collect();
        Ok(Self {
            store: Manifest::from_bytes(store)?,
            head: Position(u64::from_le_bytes(eight_at(16))),
            taken_at: Timestamp(i64::from_le_bytes(eight_at(24))),
            entries: entries.ok_or("it names a file of an unknown kind: use a newer gesta")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::entry::Kind;
    use super::*;
    use gesta_model::Uuid;
    use gesta_model::codec::StoreKey;

    fn sample() -> BackupManifest {
        let entry = |kind, first| Entry { kind, generation: 0, first, last: first, length: 9, digest: 7, seal: 5 };
        BackupManifest {
            store: Manifest::new(Uuid::from_u128(1), StoreKey([2; 16]), true),
            head: Position(70),
            taken_at: Timestamp(80),
            entries: vec![entry(Kind::Segment, 1), entry(Kind::Tail, 2)],
        }
    }

    #[test]
    fn what_is_written_is_read_back_and_stands_where_the_page_says() {
        let bytes = sample().encode();
        assert_eq!(BackupManifest::decode(&bytes), Ok(sample()));
        assert_eq!(bytes.len(), 40 + 108 + 2 * 64 + 4);
        assert_eq!((bytes[8], bytes[12], bytes[16], bytes[24], bytes[32]), (1, 2, 70, 80, 108));
        assert_eq!(bytes[40..48], *b"\x89GMAN\r\n\x1a");
        assert_eq!((bytes[148], bytes[212]), (1, 2));
    }

    #[test]
    fn no_flipped_bit_and_no_missing_byte_is_taken() {
        let bytes = sample().encode();
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (at % 8);
            assert!(BackupManifest::decode(&flipped).is_err(), "byte {at}");
            assert!(BackupManifest::decode(&bytes[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn lengths_that_lie_are_refused_with_a_true_checksum() {
        for (at, value) in [(12, u32::MAX), (32, u32::MAX), (12, 3), (32, 0), (8, 2)] {
            let mut bytes = sample().encode();
            bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
            let content = bytes.len() - CRC_BYTES;
            let crc = crc32fast::hash(&bytes[..content]);
            bytes[content..].copy_from_slice(&crc.to_le_bytes());
            assert!(BackupManifest::decode(&bytes).is_err(), "{at} {value}");
        }
    }
}

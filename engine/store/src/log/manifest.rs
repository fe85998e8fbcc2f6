//! The manifest: who the store is. Two copies, each replaced as a whole.
//!
//! ```text
//!   0  magic 8                   89 'G' 'M' 'A' 'N' 0d 0a 1a
//!   8  version u32               1
//!  12  lives u32                 how many entries follow
//!  16  incompatible u64          features without which the store cannot be read
//!  24  read_only_compatible u64  features without which it cannot be written; 1: event ids are indexed
//!  32  compatible u64            features that may be ignored; kept as they are
//!  40  store_id 16
//!  56  key 16                    the secret that keys the checks of the store's batches
//!  72  edit u64                  grows with every edit; the copy with the higher one counts
//!  80  durable_floor u64         every position below it was durable at the last opening or clean close
//!  88  truncate_at u64           a truncation that must be finished; all ones: none
//!  96  incarnation u32
//! 100  zero u32
//! 104  lives: { incarnation u32, zero u32, first position u64 } each
//!   .  crc u32                   CRC-32 of everything before
//! ```
//!
//! A *life* is entered when an earlier one may have lost its tail: positions from `first position` on that were given out
//! in a life before `incarnation` are void. Entries grow in both numbers, so their count is bounded by the crashes that
//! followed on growth.

use super::error::OpenError;
use super::files::{MANIFESTS, appear};
use super::origin::Origin;
use super::reserve::with_reserve;
use crate::disk::{Access, Disk, DiskFile};
use gesta_model::codec::StoreKey;
use gesta_model::{Incarnation, Position, Uuid};
use std::io;

const MAGIC: [u8; 8] = *b"\x89GMAN\r\n\x1a";
const VERSION: u32 = 1;
/// The feature of a store whose index finds events by their ids.
const EVENT_IDS: u64 = 1;
const FIXED_BYTES: usize = 104;
const LIFE_BYTES: usize = 16;
const CRC_BYTES: usize = 4;
const NO_TRUNCATION: u64 = u64::MAX;
/// More than any store will write; a longer file is not read into memory.
const MANIFEST_BYTES_MAX: u64 = 64 << 20;

/// The store's identity, its secret and its lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Manifest {
    pub(crate) store_id: Uuid,
    /// Events are found by their ids; decided when the store is made.
    pub(crate) indexes_event_ids: bool,
    /// Features of later versions that may be ignored.
    compatible: u64,
    /// The secret, and the lives.
    pub(crate) origin: Origin,
    pub(crate) edit: u64,
    pub(crate) incarnation: Incarnation,
    /// Every position below it was durable when the store was last opened for writing, or closed cleanly.
    pub(crate) durable_floor: Position,
    /// A truncation to this position was begun and must be finished.
    pub(crate) truncate_at: Option<Position>,
}

/// What reading one copy came to.
enum Copy {
    Absent,
    /// The disk would not show it.
    Failed(io::Error),
    Unreadable(String),
    Unsupported(String),
    Valid(Manifest),
}

impl Manifest {
    /// The manifest of a new store.
    pub(crate) fn new(store_id: Uuid, key: StoreKey, indexes_event_ids: bool) -> Self {
        Self {
            store_id,
            indexes_event_ids,
            compatible: 0,
            origin: Origin { key, lives: Vec::new() },
            edit: 0,
            incarnation: Incarnation(1),
            durable_floor: Position::START,
            truncate_at: None,
        }
    }

    /// Reads the newer of the two copies; `None` when there is neither.
    ///
    /// A copy that is there but cannot be read is never taken for an absent one.
    pub(crate) fn load<D: Disk>(disk: &D) -> Result<Option<Self>, OpenError> {
        let mut newest: Option<Self> = None;
        let mut trouble = None;
        for name in MANIFESTS {
            match read_copy(disk, name) {
                Copy::Absent => {}
                Copy::Failed(error) => {
                    trouble = Some(OpenError::io(disk.describe(name), "cannot read the manifest")(error));
                }
                Copy::Unreadable(what) => {
                    let path = disk.describe(MANIFESTS[0]);
                    trouble = trouble.or(Some(OpenError::ManifestDamaged { path, what }));
                }
                Copy::Unsupported(what) => return Err(OpenError::Unsupported { path: disk.describe(name), what }),
                Copy::Valid(copy) => {
                    newest = newest.filter(|newest| newest.edit >= copy.edit).or(Some(copy));
                }
            }
        }
        match (newest, trouble) {
            (None, Some(trouble)) => Err(trouble),
            (newest, _) => Ok(newest),
        }
    }

    /// Replaces both copies, one after the other, so that one of them is whole at every moment. On a full disk it takes the room
    /// of the reserve.
    pub(crate) fn store<D: Disk>(&mut self, disk: &D) -> io::Result<()> {
        self.edit += 1;
        let bytes = self.encode();
        for name in MANIFESTS {
            let write = |file: &D::File| {
                file.allocate(bytes.len() as u64)?;
                file.write_at(&bytes, 0)
            };
            with_reserve(disk, || appear(disk, name, write))?;
        }
        Ok(())
    }

    /// Begins the next life at `first`; `may_have_lost` says whether the last one may have given out positions that are
    /// given out again.
    pub(crate) fn begin_life(&mut self, first: Position, may_have_lost: bool) {
        self.incarnation = Incarnation(self.incarnation.0 + 1);
        self.durable_floor = first;
        self.truncate_at = None;
        if may_have_lost {
            self.origin.lives.retain(|(_, earlier)| *earlier < first);
            self.origin.lives.push((self.incarnation, first));
        }
    }

    /// The manifest that these bytes are, or why they are none.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        match Self::decode(bytes) {
            Copy::Valid(manifest) => Ok(manifest),
            Copy::Unreadable(what) | Copy::Unsupported(what) => Err(what),
            Copy::Absent | Copy::Failed(_) => unreachable!("nothing was read from a disk"),
        }
    }

    /// The bytes of one copy.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(FIXED_BYTES + self.origin.lives.len() * LIFE_BYTES + CRC_BYTES);
        let lives = u32::try_from(self.origin.lives.len()).expect("a store has fewer than 2^32 lives");
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&lives.to_le_bytes());
        bytes.extend_from_slice(&0_u64.to_le_bytes());
        let read_only_compatible = if self.indexes_event_ids { EVENT_IDS } else { 0 };
        bytes.extend_from_slice(&read_only_compatible.to_le_bytes());
        bytes.extend_from_slice(&self.compatible.to_le_bytes());
        bytes.extend_from_slice(self.store_id.as_bytes());
        bytes.extend_from_slice(&self.origin.key.0);
        bytes.extend_from_slice(&self.edit.to_le_bytes());
        bytes.extend_from_slice(&self.durable_floor.0.to_le_bytes());
        let truncate_at = self.truncate_at.map_or(NO_TRUNCATION, |position| position.0);
        bytes.extend_from_slice(&truncate_at.to_le_bytes());
        bytes.extend_from_slice(&u64::from(self.incarnation.0).to_le_bytes());
        debug_assert_eq!(bytes.len(), FIXED_BYTES);
        for (incarnation, first) in &self.origin.lives {
            bytes.extend_from_slice(&u64::from(incarnation.0).to_le_bytes());
            bytes.extend_from_slice(&first.0.to_le_bytes());
        }
        let crc = crc32fast::hash(&bytes);
        bytes.extend_from_slice(&crc.to_le_bytes());
        bytes
    }

    fn decode(bytes: &[u8]) -> Copy {
        let unreadable = |what: &str| Copy::Unreadable(what.to_owned());
        let Some((content, crc)) = bytes.split_last_chunk::<CRC_BYTES>() else { return unreadable("cut off") };
        if !content.starts_with(&MAGIC) {
            return unreadable("not a gesta manifest");
        }
        if crc32fast::hash(content) != u32::from_le_bytes(*crc) || content.len() < FIXED_BYTES {
            return unreadable("its checksum does not match");
        }
        let mut fields = Fields(&content[MAGIC.len()..]);
        let version = fields.u32();
        if version != VERSION {
            let what = format!("store format version {version} is newer than this program knows: use a newer gesta");
            return Copy::Unsupported(what);
        }
        let lives = fields.u32() as usize;
        let (incompatible, read_only_compatible) = (fields.u64(), fields.u64());
        let unknown = incompatible | (read_only_compatible & !EVENT_IDS);
        if unknown != 0 {
            return Copy::Unsupported(format!("the store needs unknown features {unknown:#x}: use a newer gesta"));
        }
        let compatible = fields.u64();
        let mut manifest = Self {
            store_id: Uuid::from_bytes(fields.sixteen()),
            indexes_event_ids: read_only_compatible & EVENT_IDS != 0,
            compatible,
            origin: Origin { key: StoreKey(fields.sixteen()), lives: Vec::new() },
            edit: fields.u64(),
            durable_floor: Position(fields.u64()),
            truncate_at: Some(fields.u64()).filter(|position| *position != NO_TRUNCATION).map(Position),
            incarnation: Incarnation(fields.u32()),
        };
        let _zero = fields.u32();
        if content.len() != FIXED_BYTES + lives * LIFE_BYTES {
            return unreadable("its length does not match");
        }
        for _ in 0..lives {
            let incarnation = Incarnation(fields.u32());
            let _zero = fields.u32();
            manifest.origin.lives.push((incarnation, Position(fields.u64())));
        }
        Copy::Valid(manifest)
    }
}

/// Numbers off the front of checked bytes.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const BYTES: usize>(&mut self) -> [u8; BYTES] {
        let (field, rest) = self.0.split_first_chunk().expect("the length was checked");
        self.0 = rest;
        *field
    }

    fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.take())
    }

    fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.take())
    }

    fn sixteen(&mut self) -> [u8; 16] {
        self.take()
    }
}

fn read_copy<D: Disk>(disk: &D, name: &str) -> Copy {
    let read = || -> io::Result<Vec<u8>> {
        let file = disk.open(name, Access::Read)?;
        let length = file.len()?.min(MANIFEST_BYTES_MAX);
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
        file.read_at(&mut bytes, 0)?;
        Ok(bytes)
    };
    match read() {
        Ok(bytes) => Manifest::decode(&bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Copy::Absent,
        Err(error) => Copy::Failed(error),
    }
}

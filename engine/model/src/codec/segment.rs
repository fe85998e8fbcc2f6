//! The header page of a segment file.
//!
//! ```text
//!   0  magic 8                    89 'G' 'S' 'T' 'A' 0d 0a 1a
//!   8  endian u32                 0x0a0b0c0d
//!  12  version u32                1
//!  16  incompatible u64           features without which the file cannot be read
//!  24  read_only_compatible u64   features without which it cannot be written
//!  32  compatible u64             features that may be ignored
//!  40  store_id 16
//!  56  number u64                 from 1, in the order of the log
//!  64  generation u32             0 until the segment is rewritten
//!  68  incarnation u32            the life of the log that opened the segment
//!  72  base u64                   the first position the segment may hold
//!  80  previous u64               the check of the last batch of the segment before: the chain goes on
//!  88  previous_seal 16           the fingerprint of that segment's seal; 0 for the first segment
//! 104  unsynced_bytes_max u64     how far written may be ahead of durable in this segment
//! 112  segment_bytes u64          length of the file, from birth to unlink
//! 120  zero u32
//! 124  crc u32                    CRC-32 of bytes 0..124
//! ```
//!
//! The page is 4,096 bytes; the header stands at its start and again in its middle.

use super::bytes::{read_u32, read_u64, read_u128, write_u32, write_u64, write_u128};
use crate::{Incarnation, Position, Uuid};
use thiserror::Error;

const MAGIC: [u8; 8] = *b"\x89GSTA\r\n\x1a";
const ENDIAN_MARK: u32 = 0x0a0b_0c0d;
const VERSION_NOW: u32 = 1;

const ENDIAN: usize = MAGIC.len();
const VERSION: usize = ENDIAN + 4;
const INCOMPATIBLE: usize = VERSION + 4;
const READ_ONLY_COMPATIBLE: usize = INCOMPATIBLE + 8;
const COMPATIBLE: usize = READ_ONLY_COMPATIBLE + 8;
const STORE_ID: usize = COMPATIBLE + 8;
const NUMBER: usize = STORE_ID + 16;
const GENERATION: usize = NUMBER + 8;
const INCARNATION: usize = GENERATION + 4;
const BASE: usize = INCARNATION + 4;
const PREVIOUS: usize = BASE + 8;
const PREVIOUS_SEAL: usize = PREVIOUS + 8;
const UNSYNCED_BYTES_MAX: usize = PREVIOUS_SEAL + 16;
const SEGMENT_BYTES: usize = UNSYNCED_BYTES_MAX + 8;
const ZERO: usize = SEGMENT_BYTES + 8;
const CRC: usize = ZERO + 4;
const HEADER_COPY_BYTES: usize = CRC + 4;
const _: () = assert!(HEADER_COPY_BYTES == 128);

/// Bytes before the first batch of a segment.
pub const HEADER_PAGE_BYTES: usize = 4096;
/// Where the copies of the header stand.
const COPIES: [usize; 2] = [0, HEADER_PAGE_BYTES / 2];

/// Why a page is not the header page of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SegmentError {
    /// The page is all zeros: a spare.
    #[error("the header page was never written")]
    Unwritten,
    /// Neither copy can be read.
    #[error("both copies of the segment header are damaged")]
    Damaged,
    /// Another kind of file, or one made on a machine of another byte order.
    #[error("not a gesta segment file")]
    Foreign,
    /// A version of the format that is not known here.
    #[error("segment format version {0} is newer than this program reads (1): use a newer gesta")]
    Version(u32),
    /// Features that are not known here.
    #[error("segment needs unknown features {0:#x}: use a newer gesta")]
    Features(u64),
}

/// What a segment says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentHeader {
    /// The store it belongs to.
    pub store_id: Uuid,
    /// Its number, from 1, in the order of the log.
    pub number: u64,
    /// 0 until the segment is rewritten.
    pub generation: u32,
    /// The life of the log that opened it.
    pub incarnation: Incarnation,
    /// The first position it may hold.
    pub base: Position,
    /// The check of the last batch of the segment before.
    pub previous: u64,
    /// The fingerprint of the seal of the segment before; 0 for the first.
    pub previous_seal: u128,
    /// How far written may be ahead of durable in this segment, in bytes.
    pub unsynced_bytes_max: u64,
    /// The length of the file.
    pub segment_bytes: u64,
}

impl SegmentHeader {
    /// Reads a header page, taking the second copy where the first is damaged.
    pub fn decode(page: &[u8; HEADER_PAGE_BYTES]) -> Result<Self, SegmentError> {
        if page.iter().all(|byte| *byte == 0) {
            return Err(SegmentError::Unwritten);
        }
        let mut foreign = 0;
        for start in COPIES {
            match Self::decode_copy(&page[start..start + HEADER_COPY_BYTES]) {
                Err(SegmentError::Damaged) => {}
                Err(SegmentError::Foreign) => foreign += 1,
                verdict => return verdict,
            }
        }
        Err(if foreign == COPIES.len() { SegmentError::Foreign } else { SegmentError::Damaged })
    }

    /// The header page.
    #[must_use]
    pub fn encode(&self) -> [u8; HEADER_PAGE_BYTES] {
        let mut page = [0; HEADER_PAGE_BYTES];
        for start in COPIES {
            self.encode_copy(&mut page[start..start + HEADER_COPY_BYTES]);
        }
        page
    }

    fn decode_copy(copy: &[u8]) -> Result<Self, SegmentError> {
        if copy[..ENDIAN] != MAGIC || read_u32(copy, ENDIAN) != ENDIAN_MARK {
            return Err(SegmentError::Foreign);
        }
        if crc32fast::hash(&copy[..CRC]) != read_u32(copy, CRC) {
            return Err(SegmentError::Damaged);
        }
        let version = read_u32(copy, VERSION);
        if version != VERSION_NOW {
            return Err(SegmentError::Version(version));
        }
        let unknown = read_u64(copy, INCOMPATIBLE) | read_u64(copy, READ_ONLY_COMPATIBLE);
        if unknown != 0 {
            return Err(SegmentError::Features(unknown));
        }
        Ok(Self {
            store_id: Uuid::from_u128_le(read_u128(copy, STORE_ID)),
            number: read_u64(copy, NUMBER),
            generation: read_u32(copy, GENERATION),
            incarnation: Incarnation(read_u32(copy, INCARNATION)),
            base: Position(read_u64(copy, BASE)),
            previous: read_u64(copy, PREVIOUS),
            previous_seal: read_u128(copy, PREVIOUS_SEAL),
            unsynced_bytes_max: read_u64(copy, UNSYNCED_BYTES_MAX),
            segment_bytes: read_u64(copy, SEGMENT_BYTES),
        })
    }

    fn encode_copy(&self, copy: &mut [u8]) {
        copy[..ENDIAN].copy_from_slice(&MAGIC);
        write_u32(copy, ENDIAN, ENDIAN_MARK);
        write_u32(copy, VERSION, VERSION_NOW);
        write_u128(copy, STORE_ID, self.store_id.to_u128_le());
        write_u64(copy, NUMBER, self.number);
        write_u32(copy, GENERATION, self.generation);
        write_u32(copy, INCARNATION, self.incarnation.0);
        write_u64(copy, BASE, self.base.0);
        write_u64(copy, PREVIOUS, self.previous);
        write_u128(copy, PREVIOUS_SEAL, self.previous_seal);
        write_u64(copy, UNSYNCED_BYTES_MAX, self.unsynced_bytes_max);
        write_u64(copy, SEGMENT_BYTES, self.segment_bytes);
        let crc = crc32fast::hash(&copy[..CRC]);
        write_u32(copy, CRC, crc);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> SegmentHeader {
        SegmentHeader {
            store_id: Uuid::from_u128(0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10),
            number: 3,
            generation: 0,
            incarnation: Incarnation(2),
            base: Position(1000),
            previous: 0x1122_3344_5566_7788,
            previous_seal: 0x99,
            unsynced_bytes_max: 1 << 20,
            segment_bytes: 4 << 20,
        }
    }

    #[test]
    fn golden_bytes_of_a_segment_header() {
        let page = sample().encode();
        let hex: String = page[..HEADER_COPY_BYTES].iter().map(|byte| format!("{byte:02x}")).collect();
        let golden = "89475354410d0a1a0d0c0b0a01000000000000000000000000000000000000000000000000000000\
                      0102030405060708090a0b0c0d0e0f1003000000000000000000000002000000e803000000000000\
                      8877665544332211990000000000000000000000000000000000100000000000\
                      000040000000000000000000359773ef";
        assert_eq!(hex, golden);
    }

    #[test]
    fn either_copy_of_the_header_is_enough() {
        for start in COPIES {
            let mut page = sample().encode();
            page[start..start + HEADER_COPY_BYTES].fill(0xa5);
            assert_eq!(SegmentHeader::decode(&page), Ok(sample()));
        }
    }

    #[test]
    fn a_damaged_header_is_never_taken_for_an_unwritten_one() {
        assert_eq!(SegmentHeader::decode(&[0; HEADER_PAGE_BYTES]), Err(SegmentError::Unwritten));
        for bit in 0..HEADER_COPY_BYTES * 8 {
            let mut page = sample().encode();
            for start in COPIES {
                page[start + bit / 8] ^= 1 << (bit % 8);
            }
            let error = SegmentHeader::decode(&page).unwrap_err();
            assert!(matches!(error, SegmentError::Damaged | SegmentError::Foreign), "bit {bit}: {error}");
        }
    }

    #[test]
    fn a_later_version_and_unknown_features_are_refused_by_name() {
        let refused = |offset: usize, value: u8| {
            let mut page = sample().encode();
            for start in COPIES {
                let copy = &mut page[start..start + HEADER_COPY_BYTES];
                copy[offset] = value;
                let crc = crc32fast::hash(&copy[..CRC]);
                write_u32(copy, CRC, crc);
            }
            SegmentHeader::decode(&page).unwrap_err()
        };
        assert_eq!(refused(VERSION, 2), SegmentError::Version(2));
        assert_eq!(refused(INCOMPATIBLE, 4), SegmentError::Features(4));
        assert_eq!(refused(READ_ONLY_COMPATIBLE, 1), SegmentError::Features(1));
    }
}

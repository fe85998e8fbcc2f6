//! Lists of events, as they are read: no more of one than is asked for, and none of it believed before it is checked.

use super::blocks::Blocks;
use super::bytes::read_u32;
use super::postings::{CHUNK, Encoding, INLINE_MAX, SKIP_BYTES};
use super::rejected::Damaged;
use super::section::Section;
use super::varint::take_varint;
use crate::disk::Disk;
use roaring::RoaringBitmap;
use std::ops::Range;

const WRONG: Damaged = Damaged("a list of it makes no sense");
/// An encoding and a length.
const PREFIX_BYTES_MAX: u64 = 1 + 5;

/// What a row says of its list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extent {
    pub(super) count: u64,
    pub(super) first: u32,
    pub(super) last: u32,
}

/// The ordinals of one key.
pub(super) enum List<'f, D: Disk> {
    Inline(Extent),
    Deltas(Deltas<'f, D>),
    Roaring(RoaringBitmap),
}

impl<'f, D: Disk> List<'f, D> {
    /// The list at a place in the postings.
    pub(super) fn open(blocks: &'f Blocks<D>, postings: Section, place: u64, extent: Extent) -> Result<Self, Damaged> {
        if extent.count <= INLINE_MAX {
            return Ok(Self::Inline(extent));
        }
        let prefix_end = place.saturating_add(PREFIX_BYTES_MAX).min(postings.length);
        let prefix = blocks.within(postings, place..prefix_end)?;
        let (encoding, mut rest) = prefix.split_first().ok_or(WRONG)?;
        let length = u64::from(take_varint(&mut rest).ok_or(WRONG)?);
        let begin = prefix_end - rest.len() as u64;
        if length > postings.length - begin {
            return Err(WRONG);
        }
        let content = Section { offset: postings.offset + begin, length };
        if *encoding == Encoding::Deltas as u8 {
            Ok(Self::Deltas(Deltas::new(blocks, content, extent)?))
        } else if *encoding == Encoding::Roaring as u8 {
            Ok(Self::Roaring(read_bitmap(blocks.within(content, 0..length)?, extent)?))
        } else {
            Err(WRONG)
        }
    }

    /// The ordinals in a range.
    pub(super) fn within(self, within: Range<u32>) -> Result<RoaringBitmap, Damaged> {
        match self {
            Self::Inline(extent) => {
                Ok([extent.first, extent.last].into_iter().filter(|ordinal| within.contains(ordinal)).collect())
            }
            Self::Deltas(deltas) => deltas.within(within),
            Self::Roaring(mut bitmap) => {
                bitmap.remove_range(..within.start);
                bitmap.remove_range(within.end.max(within.start)..);
                Ok(bitmap)
            }
        }
    }

    /// At most `limit` ordinals, without the first `skip`.
    pub(super) fn from(self, skip: u64, limit: usize) -> Result<Vec<u32>, Damaged> {
        match self {
            Self::Inline(Extent { count, first, last }) => {
                let all = [first, last];
                let all = all.into_iter().take(usize::try_from(count).unwrap_or(0));
                Ok(all.skip(usize::try_from(skip).unwrap_or(usize::MAX)).take(limit).collect())
            }
            Self::Deltas(deltas) => deltas.from(skip, limit),
            Self::Roaring(bitmap) => {
                let Some(start) = u32::try_from(skip).ok().and_then(|skip| bitmap.select(skip)) else {
                    return Ok(Vec::new());
                };
                Ok(bitmap.range(start..).take(limit).collect())
            }
        }
    }
}

fn read_bitmap(mut content: &[u8], extent: Extent) -> Result<RoaringBitmap, Damaged> {
    let bitmap = RoaringBitmap::deserialize_from(&mut content).map_err(|_| WRONG)?;
    let is_right = content.is_empty()
        && bitmap.len() == extent.count
        && bitmap.min() == Some(extent.first)
        && bitmap.max() == Some(extent.last);
    if is_right { Ok(bitmap) } else { Err(WRONG) }
}

/// A list of deltas, read a chunk at a time.
pub(super) struct Deltas<'f, D: Disk> {
    blocks: &'f Blocks<D>,
    extent: Extent,
    skips: Section,
    deltas: Section,
}

impl<'f, D: Disk> Deltas<'f, D> {
    fn new(blocks: &'f Blocks<D>, content: Section, extent: Extent) -> Result<Self, Damaged> {
        // Each delta takes a byte at least, so a count that its list cannot hold goes no further.
        let skips_bytes = ((extent.count - 1) / CHUNK).checked_mul(SKIP_BYTES).ok_or(WRONG)?;
        let deltas_bytes = content.length.checked_sub(skips_bytes).ok_or(WRONG)?;
        if deltas_bytes < extent.count - 1 {
            return Err(WRONG);
        }
        let skips = Section { offset: content.offset, length: skips_bytes };
        let deltas = Section { offset: content.offset + skips_bytes, length: deltas_bytes };
        Ok(Self { blocks, extent, skips, deltas })
    }

    fn within(&self, within: Range<u32>) -> Result<RoaringBitmap, Damaged> {
        let mut bitmap = RoaringBitmap::new();
        if within.start > self.extent.last {
            return Ok(bitmap);
        }
        let mut ordinals = Vec::new();
        for chunk in self.chunk_before(within.start)?..self.chunk_count() {
            ordinals.clear();
            self.read_chunk(chunk, &mut ordinals)?;
            let inside = ordinals.iter().copied().filter(|ordinal| within.contains(ordinal));
            bitmap.append(inside).map_err(|_| WRONG)?;
            if ordinals.last().is_none_or(|last| *last >= within.end) {
                break;
            }
        }
        Ok(bitmap)
    }

    fn from(&self, skip: u64, limit: usize) -> Result<Vec<u32>, Damaged> {
        let wanted = self.extent.count.saturating_sub(skip).min(limit as u64);
        let mut ordinals = Vec::new();
        if wanted == 0 {
            return Ok(ordinals);
        }
        for chunk in skip / CHUNK..=(skip + wanted - 1) / CHUNK {
            self.read_chunk(chunk, &mut ordinals)?;
        }
        // A chunk's length is right by the count, and `wanted` lies in the chunks that were read.
        let surplus = usize::try_from(skip % CHUNK).map_err(|_| WRONG)?;
        ordinals.drain(..surplus);
        ordinals.truncate(usize::try_from(wanted).map_err(|_| WRONG)?);
        Ok(ordinals)
    }

    fn chunk_count(&self) -> u64 {
        self.extent.count.div_ceil(CHUNK)
    }

    /// The last chunk that begins at or before an ordinal.
    fn chunk_before(&self, ordinal: u32) -> Result<u64, Damaged> {
        let (mut low, mut high) = (0, self.chunk_count());
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if self.chunk_start(middle)?.0 <= ordinal { low = middle } else { high = middle }
        }
        Ok(low)
    }

    /// The ordinal that a chunk begins with, and where the delta after it begins.
    fn chunk_start(&self, chunk: u64) -> Result<(u32, u64), Damaged> {
        let Some(skip) = chunk.checked_sub(1) else { return Ok((self.extent.first, 0)) };
        let skip = self.blocks.within(self.skips, skip * SKIP_BYTES..(skip + 1) * SKIP_BYTES)?;
        Ok((read_u32(skip, 0), u64::from(read_u32(skip, 4))))
    }

    /// Appends the ordinals of one chunk, which must go on from what is there.
    fn read_chunk(&self, chunk: u64, ordinals: &mut Vec<u32>) -> Result<(), Damaged> {
        let is_last = chunk + 1 == self.chunk_count();
        let (mut ordinal, begin) = self.chunk_start(chunk)?;
        let end = if is_last { self.deltas.length } else { self.chunk_start(chunk + 1)?.1 };
        if begin > end || ordinals.last().is_some_and(|last| *last >= ordinal) {
            return Err(WRONG);
        }
        let mut bytes = self.blocks.within(self.deltas, begin..end)?;
        let count = if is_last { self.extent.count - chunk * CHUNK } else { CHUNK };
        ordinals.push(ordinal);
        for _ in 1..count {
            let delta = take_varint(&mut bytes).filter(|delta| *delta > 0).ok_or(WRONG)?;
            ordinal = ordinal.checked_add(delta).ok_or(WRONG)?;
            ordinals.push(ordinal);
        }
        let is_right = if is_last { ordinal == self.extent.last } else { ordinal < self.extent.last };
        if is_right { Ok(()) } else { Err(WRONG) }
    }
}

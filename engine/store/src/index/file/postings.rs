//! Lists of events, as they are written.
//!
//! A list holds ascending ordinals: events counted from the file's base. One or two need no list, for the row says the
//! first and the last. The others:
//!
//! ```text
//!  encoding u8   1: deltas, 2: roaring
//!  length varint bytes that follow
//!  content
//! ```
//!
//! - *Deltas*, for streams and for short lists: the first ordinal stands in the row, and each of the others is a varint
//!   of how far it is beyond the one before, never 0. In front of them stands, for every 128th event, its ordinal u32 and
//!   where the delta after it begins u32, so that a stream is read from any event on.
//! - *Roaring*, for the others: the portable serialization of a roaring bitmap, good for intersections.

use super::varint::push_varint;
use crate::index::key::Kind;
use roaring::RoaringBitmap;
use std::io;

/// Lists up to this length stand in their row.
pub(super) const INLINE_MAX: u64 = 2;
/// From this length on, lists of everything but streams are bitmaps.
const ROARING_MIN: usize = 64;
/// How many deltas one step over them spares.
pub(super) const CHUNK: u64 = 128;
/// Bytes of what is said of a chunk.
pub(super) const SKIP_BYTES: u64 = 8;

/// How a list is written.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Deltas = 1,
    Roaring = 2,
}

/// Appends the list of some ascending ordinals.
pub(super) fn encode_list(kind: Kind, ordinals: &[u32], into: &mut Vec<u8>) -> io::Result<()> {
    assert!(ordinals.len() as u64 > INLINE_MAX, "shorter lists stand in their row");
    let mut content = Vec::new();
    let encoding = if kind == Kind::Stream || ordinals.len() < ROARING_MIN {
        encode_deltas(ordinals, &mut content)?;
        Encoding::Deltas
    } else {
        let mut bitmap = RoaringBitmap::from_sorted_iter(ordinals.iter().copied()).expect("ordinals ascend");
        bitmap.optimize();
        bitmap.serialize_into(&mut content)?;
        Encoding::Roaring
    };
    into.push(encoding as u8);
    push_varint(into, short(content.len())?);
    into.append(&mut content);
    Ok(())
}

fn encode_deltas(ordinals: &[u32], content: &mut Vec<u8>) -> io::Result<()> {
    let mut deltas = Vec::with_capacity(ordinals.len());
    for (at, pair) in ordinals.windows(2).enumerate() {
        if at > 0 && (at as u64).is_multiple_of(CHUNK) {
            content.extend_from_slice(&pair[0].to_le_bytes());
            content.extend_from_slice(&short(deltas.len())?.to_le_bytes());
        }
        assert!(pair[0] < pair[1], "ordinals ascend");
        push_varint(&mut deltas, pair[1] - pair[0]);
    }
    // The last event begins a chunk of its own: nothing follows it.
    if ((ordinals.len() - 1) as u64).is_multiple_of(CHUNK) {
        content.extend_from_slice(&ordinals[ordinals.len() - 1].to_le_bytes());
        content.extend_from_slice(&short(deltas.len())?.to_le_bytes());
    }
    content.append(&mut deltas);
    Ok(())
}

fn short(length: usize) -> io::Result<u32> {
    u32::try_from(length).map_err(|_| io::Error::other("a list of the index is too long"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(kind: Kind, ordinals: &[u32]) -> String {
        let mut bytes = Vec::new();
        encode_list(kind, ordinals, &mut bytes).unwrap();
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn golden_bytes_of_a_list_of_deltas() {
        // Encoding, length, and three deltas: 2, 4, 300.
        assert_eq!(hex(Kind::Tag, &[1, 3, 7, 307]), "01040204ac02");
    }

    #[test]
    fn golden_bytes_of_a_list_with_a_chunk_to_skip_to() {
        let ordinals: Vec<u32> = (0..129).map(|number| 5 + number).collect();
        // Encoding, length 136, the event numbered 128 is 133 and the deltas after it begin at 128, 128 deltas of 1.
        assert_eq!(hex(Kind::Stream, &ordinals), format!("018801{}{}{}", "85000000", "80000000", "01".repeat(128)));
    }

    #[test]
    fn golden_bytes_of_a_bitmap() {
        let ordinals: Vec<u32> = (10..74).collect();
        // Encoding, length 15; one container with one run: cookie and flags, key 0 with 64 values, one run from 10 on.
        assert_eq!(hex(Kind::Type, &ordinals), "020f3b30000001".to_owned() + "00003f00" + "01000a003f00");
        assert!(hex(Kind::Stream, &ordinals).starts_with("013f"), "streams are deltas at any length");
    }
}

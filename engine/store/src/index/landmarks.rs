//! Where positions lie: for each segment, a batch every so many bytes.

use gesta_model::Position;
use parking_lot::RwLock;
use std::collections::HashMap;

/// A batch whose place is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Landmark {
    /// The position of its first event.
    pub(crate) position: Position,
    /// Where in the segment file it begins.
    pub(crate) offset: u64,
}

/// Landmarks of all segments: one every [`Landmarks::SPACING_BYTES`] at the most.
#[derive(Debug, Default)]
pub(crate) struct Landmarks {
    by_segment: RwLock<HashMap<u64, Vec<Landmark>>>,
}

impl Landmarks {
    /// How far two landmarks are apart at least, in bytes.
    const SPACING_BYTES: u64 = 64 << 10;

    /// Offers a batch as a landmark; batches are offered in the order of the log.
    pub(crate) fn offer(&self, segment: u64, landmark: Landmark) {
        let mut by_segment = self.by_segment.write();
        let landmarks = by_segment.entry(segment).or_default();
        if landmarks.last().is_none_or(|last| last.offset + Self::SPACING_BYTES <= landmark.offset) {
            landmarks.push(landmark);
        }
    }

    /// The last landmark of a segment at or before a position.
    pub(crate) fn before(&self, segment: u64, position: Position) -> Option<Landmark> {
        let by_segment = self.by_segment.read();
        let landmarks = by_segment.get(&segment)?;
        let after = landmarks.partition_point(|landmark| landmark.position <= position);
        after.checked_sub(1).map(|ordinal| landmarks[ordinal])
    }
}

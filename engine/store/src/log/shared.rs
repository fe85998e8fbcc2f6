//! What the writer and all readers of a log share.

use super::origin::Origin;
use super::segment::Segments;
use super::watermarks::Watermarks;
use crate::disk::Disk;
use crate::sync::ArcSwap;
use gesta_model::{Position, Uuid};
use std::sync::Arc;

/// A log as its readers see it.
pub(crate) struct Log<D: Disk> {
    pub(crate) store_id: Uuid,
    pub(crate) origin: Origin,
    pub(crate) segments: ArcSwap<Segments<D>>,
    pub(crate) watermarks: Watermarks,
}

impl<D: Disk> Log<D> {
    pub(crate) fn new((store_id, origin): (Uuid, Origin), segments: Segments<D>, readable: Position) -> Self {
        let watermarks = Watermarks::new(readable);
        Self { store_id, origin, segments: ArcSwap::new(Arc::new(segments)), watermarks }
    }
}

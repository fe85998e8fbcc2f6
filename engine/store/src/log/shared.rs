//! What the writer and all readers of a log share.

use super::segment::Segments;
use super::watermarks::Watermarks;
use crate::disk::Disk;
use arc_swap::ArcSwap;
use gesta_model::codec::StoreKey;
use gesta_model::{Position, Uuid};
use std::sync::Arc;

/// A log as its readers see it.
pub(crate) struct Log<D: Disk> {
    pub(crate) store_id: Uuid,
    pub(crate) key: StoreKey,
    pub(crate) segments: ArcSwap<Segments<D>>,
    pub(crate) watermarks: Watermarks,
}

impl<D: Disk> Log<D> {
    pub(crate) fn new((store_id, key): (Uuid, StoreKey), segments: Segments<D>, readable: Position) -> Self {
        let watermarks = Watermarks::new(readable);
        Self { store_id, key, segments: ArcSwap::new(Arc::new(segments)), watermarks }
    }
}

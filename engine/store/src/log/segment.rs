//! The segment files as readers see them.

use crate::disk::{Disk, DiskFile};
use crate::sync::atomic::{AtomicU64, Ordering};
use gesta_model::Position;
use std::io;
use std::sync::{Arc, OnceLock};

/// One segment file that holds batches.
pub(crate) struct Segment<D: Disk> {
    pub(crate) number: u64,
    /// The first position it may hold.
    pub(crate) base: Position,
    /// The file, as a person finds it.
    pub(crate) path: String,
    pub(crate) file: D::File,
    /// Bytes of the file when it was opened: it keeps its length.
    file_bytes: u64,
    /// The fingerprint of its seal, once it has one.
    seal: OnceLock<u128>,
    /// Bytes below it hold whole batches that are never written again. Grows in the tail segment only.
    published_bytes: AtomicU64,
}

impl<D: Disk> Segment<D> {
    pub(crate) fn new(number: u64, base: Position, path: String, file: D::File, published_bytes: u64) -> Self {
        let file_bytes = file.len().unwrap_or(published_bytes);
        let published_bytes = AtomicU64::new(published_bytes);
        Self { number, base, path, file, file_bytes, seal: OnceLock::new(), published_bytes }
    }

    /// The fingerprint of its seal; `None` of the tail.
    pub(crate) fn seal(&self) -> Option<u128> {
        self.seal.get().copied()
    }

    /// Notes the fingerprint of its seal.
    pub(crate) fn sealed_with(&self, seal: u128) {
        self.seal.get_or_init(|| seal);
    }

    /// Bytes that may be looked at in place.
    pub(crate) fn published_bytes(&self) -> u64 {
        // Acquire: pairs with the Release in `publish_bytes`.
        self.published_bytes.load(Ordering::Acquire)
    }

    /// Called by the one writer, after the bytes are in place and before their positions are published.
    pub(crate) fn publish_bytes(&self, bytes: u64) {
        // Release: pairs with the Acquire in `published_bytes`.
        self.published_bytes.store(bytes, Ordering::Release);
    }

    /// Bytes of the file; of one that cannot be asked, what may be looked at.
    pub(crate) fn file_length(&self) -> u64 {
        self.file.len().unwrap_or_else(|_| self.published_bytes())
    }

    /// Whether the file is shorter than it was when it was opened.
    pub(crate) fn is_cut(&self) -> bool {
        self.file.len().is_ok_and(|bytes| bytes < self.file_bytes)
    }

    /// Everything that may be looked at, in place.
    pub(crate) fn view(&self) -> io::Result<<D::File as DiskFile>::View> {
        self.file.view(0..self.published_bytes())
    }
}

/// All segments of a log, in order: an immutable set, replaced as a whole when one is added.
pub(crate) struct Segments<D: Disk> {
    /// Bases grow. Empty until the first append.
    pub(crate) list: Vec<Arc<Segment<D>>>,
}

impl<D: Disk> Segments<D> {
    /// Where in the list the segment stands that holds a position, if any does.
    pub(crate) fn ordinal_of(&self, position: Position) -> usize {
        self.list.partition_point(|segment| segment.base <= position).saturating_sub(1)
    }

    /// The set with one more segment at its end.
    pub(crate) fn with(&self, segment: Arc<Segment<D>>) -> Self {
        let mut list = self.list.clone();
        list.push(segment);
        Self { list }
    }
}

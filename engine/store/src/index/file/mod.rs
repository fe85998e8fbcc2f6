//! Stand-in until the file side is merged.
use crate::index::{BatchPlace, Key, Kind, Term};
use gesta_model::{Position, Timestamp};
use roaring::RoaringBitmap;
use std::marker::PhantomData;
use std::ops::Range;
pub(crate) struct Damaged;
pub(crate) struct Binding {
    pub store_id: gesta_model::Uuid,
    pub first_number: u64,
    pub last_number: u64,
    pub generation: u32,
    pub seal: u128,
    pub base: Position,
}
pub(crate) enum Rejected {
    Absent,
}
pub(crate) struct IndexFile<D>(PhantomData<D>);
impl<D> IndexFile<D> {
    pub(crate) fn open<K: crate::disk::Disk>(_: &K, _: &str, _: &Binding) -> Result<Self, Rejected> {
        Err(Rejected::Absent)
    }
    pub(crate) fn end(&self) -> Position {
        unimplemented!()
    }
    pub(crate) fn path(&self) -> &str {
        unimplemented!()
    }
    pub(crate) fn base(&self) -> Position {
        unimplemented!()
    }
    pub(crate) fn term(&self, _: Key) -> Result<Option<Term>, Damaged> {
        unimplemented!()
    }
    pub(crate) fn ordinals(&self, _: &Term, _: Range<u32>) -> Result<RoaringBitmap, Damaged> {
        unimplemented!()
    }
    pub(crate) fn offset_of(&self, _: u32) -> Result<u64, Damaged> {
        unimplemented!()
    }
    pub(crate) fn batch_of(&self, _: u32) -> Result<BatchPlace, Damaged> {
        unimplemented!()
    }
    pub(crate) fn first_batch_since(&self, _: Timestamp) -> Result<Option<BatchPlace>, Damaged> {
        unimplemented!()
    }
    pub(crate) fn terms(&self, _: Kind) -> std::vec::IntoIter<Result<Term, Damaged>> {
        unimplemented!()
    }
}

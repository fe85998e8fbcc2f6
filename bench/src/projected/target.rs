//! Where rows go: the same on both sides.

use super::account::AccountEvent;
use crate::outcome::Outcome;
use gesta_cqrs::Projection;
use std::path::Path;

/// How the projections are called.
pub(super) const NAME: &str = "deposits";
/// Events of a transaction: what the runner keeps at most.
pub(super) const EVENTS_EACH: usize = 4096;

/// What a projection of deposits makes of its rows.
pub(super) type Model<T> = <<T as Target>::Projection as Projection>::Model;

/// Rows, an entry each deposit. They are filled once, by one side.
pub(super) trait Target: Sized {
    /// Folds deposits into the rows.
    type Projection: Projection<Event = AccountEvent>;
    /// The backlog is so many times shorter than others: so much longer takes a row.
    const SHORTER: u32 = 1;

    /// A place for rows, where none is yet: in a directory, or somewhere that it makes itself.
    fn new(directory: &Path) -> Outcome<Self>;

    /// What a runner needs.
    fn projection(&self) -> Outcome<(Self::Projection, Model<Self>)>;

    /// Gets ready for [`Target::insert_all`].
    fn set_up(&mut self) -> Outcome<()>;

    /// Inserts events by themselves, [`EVENTS_EACH`] a transaction.
    fn insert_all(&mut self, events: impl Iterator<Item = Outcome<(u64, AccountEvent)>>) -> Outcome<()>;

    /// How many rows there are, whoever inserted them.
    fn count(&self) -> Outcome<usize>;
}

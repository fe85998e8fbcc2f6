//! Where streams stand, as the sequencer needs it: the tail's part first, then what it asked of older parts before.

use super::handle::Index;
use super::key::Key;
use super::memory::MemoryIndex;
use super::set::Head;
use crate::disk::Disk;
use gesta_model::Damage;
use std::collections::HashMap;

/// Heads of streams that were not written since the last roll. Bounded: what is forgotten is asked again.
#[derive(Debug, Default)]
pub(crate) struct Heads {
    known: HashMap<Key, Option<Head>>,
}

impl Heads {
    /// How many answers are remembered, some 64 bytes each.
    const COUNT_MAX: usize = 64 << 10;

    /// Where a stream stands, what was accepted but is not readable yet included; `None` when it has no events.
    pub(crate) fn of<D: Disk>(
        &mut self,
        stream: Key,
        (index, tail): (&Index<D>, &MemoryIndex),
    ) -> Result<Option<Head>, Damage> {
        if let Some(term) = tail.term(stream, u32::MAX) {
            return Ok(term.last_revision().map(|revision| Head { revision, last: term.last }));
        }
        if let Some(known) = self.known.get(&stream) {
            return Ok(*known);
        }
        let head = index.head_of(stream, tail.base())?;
        if self.known.len() >= Self::COUNT_MAX {
            self.known.clear();
        }
        self.known.insert(stream, head);
        Ok(head)
    }

    /// Forgets everything: the tail's part is another one.
    pub(crate) fn forget(&mut self) {
        self.known.clear();
    }
}

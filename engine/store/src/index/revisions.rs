//! The last revision of each stream among some events, as a receipt tells it.

use super::handle::Index;
use crate::disk::Disk;
use gesta_model::{Damage, Position, Revision, StreamName};
use std::collections::HashMap;
use std::ops::Range;

impl<D: Disk> Index<D> {
    /// The last revision of each stream that the events of a range below `below` are of, in the order first written.
    pub(crate) fn revisions_of(
        &self,
        positions: Range<Position>,
        below: Position,
    ) -> Result<Vec<(StreamName, Revision)>, Damage> {
        let mut revisions: Vec<(StreamName, Revision)> = Vec::new();
        let mut ordinals = HashMap::new();
        for position in positions.start.0..positions.end.0 {
            let (event, _) = self.fetch(Position(position), below)?;
            let record = event.record();
            let (Some(stream), Some(revision)) = (record.stream(), record.revision()) else { continue };
            let ordinal = *ordinals.entry(stream.to_owned()).or_insert(revisions.len());
            match revisions.get_mut(ordinal) {
                Some((_, last)) => *last = revision,
                None => revisions.extend(StreamName::new(stream).ok().map(|name| (name, revision))),
            }
        }
        Ok(revisions)
    }
}

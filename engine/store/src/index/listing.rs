//! What there is: all streams, categories, types or tags, with their counts.

use super::handle::Index;
use super::key::{Key, Kind};
use super::set::Span;
use super::term::Term;
use crate::disk::Disk;
use gesta_model::{Damage, Position};
use std::collections::HashMap;

impl<D: Disk> Index<D> {
    /// All keys of a kind that have events below a position, each with what is known of it, in no particular order.
    pub(crate) fn terms(&self, kind: Kind, below: Position) -> Vec<Term> {
        let mut merged: HashMap<Key, Term> = HashMap::new();
        for span in self.set.load().spans(Position::START..below) {
            let end = span.end_ordinal().min(span.ordinals().end);
            for term in span.part.ask(&self.reading(), span.end, |source| source.terms(kind, end)) {
                merged
                    .entry(term.key)
                    .and_modify(|known| {
                        known.count += term.count;
                        known.last = term.last;
                    })
                    .or_insert(term);
            }
        }
        merged.into_values().collect()
    }

    /// The first damage below a position: what stood there is missing from every list.
    pub(crate) fn first_gap(&self, below: Position) -> Option<Damage> {
        let set = self.set.load();
        let gaps_of =
            |span: Span<D>| span.part.ask(&self.reading(), span.end, |source| Ok(source.gaps_up_to(span.end)));
        let gaps = set.missing_start(below).into_iter().chain(set.spans(Position::START..below).flat_map(gaps_of));
        gaps.into_iter().find(|gap| gap.positions.start < below)
    }

    /// How many keys of a kind have events below a position.
    pub(crate) fn count(&self, kind: Kind, below: Position) -> u64 {
        self.terms(kind, below).len() as u64
    }
}

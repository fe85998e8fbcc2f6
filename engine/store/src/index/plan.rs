//! A query as the keys to look for: a union of intersections, each begun with its shortest list.

use super::file::Damaged;
use super::key::{Key, Keyring, Kind};
use super::part::Source;
use super::term::Term;
use crate::disk::Disk;
use gesta_model::{Query, QueryItem, Revision, StreamName};
use roaring::RoaringBitmap;
use std::ops::{Range, RangeInclusive};

/// What to look for in each part.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    items: Vec<PlanItem>,
}

/// The keys of one item of a query.
#[derive(Clone, Debug, Default)]
struct PlanItem {
    /// An event has all of these.
    all: Vec<Key>,
    /// And one of these, unless there are none.
    any: Vec<Key>,
}

/// What answering has cost so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Lists of positions that were read.
    pub(crate) lists: u64,
    /// Segments that were asked.
    pub(crate) asked_segments: u64,
    /// Of these, segments in which nothing could match, so that no list was read.
    pub(crate) skipped_segments: u64,
}

impl Plan {
    /// The keys of a query.
    pub(crate) fn of(query: &Query, keyring: &Keyring) -> Self {
        Self { items: query.items().iter().map(|item| PlanItem::of(item, keyring)).collect() }
    }

    /// The key of one stream.
    pub(crate) fn of_stream(stream: &StreamName, keyring: &Keyring) -> Self {
        Self { items: vec![PlanItem::of(&QueryItem::new().stream(stream.clone()), keyring)] }
    }

    /// One key.
    pub(crate) fn of_key(key: Key) -> Self {
        Self { items: vec![PlanItem { all: vec![key], any: Vec::new() }] }
    }

    /// Whether events may match where only these keys are present.
    pub(super) fn may_match<E>(&self, has: impl Fn(Key) -> Result<bool, E>) -> Result<bool, E> {
        for item in &self.items {
            let mut may = true;
            for key in &item.all {
                may = may && has(*key)?;
            }
            let mut any = item.any.is_empty();
            for key in &item.any {
                any = any || (may && has(*key)?);
            }
            if may && any {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Narrows a range to where a stream has these revisions; of a plan that asks for one stream.
    pub(crate) fn within_revisions<D: Disk>(
        &self,
        source: &Source<D>,
        revisions: &RangeInclusive<Revision>,
        within: Range<u32>,
        end: u32,
    ) -> Result<Range<u32>, Damaged> {
        let (first, last) = (revisions.start().0, revisions.end().0);
        let [PlanItem { all, .. }] = &*self.items else { return Ok(within) };
        if (first, last) == (0, u64::MAX) || all.len() != 1 || !all[0].is(Kind::Stream) {
            return Ok(within);
        }
        let Some(term) = source.term(all[0], end)? else { return Ok(within) };
        let stands = term.first_revision.map_or(0, |revision| revision.0);
        // The n-th event of the stream in this part has its n-th revision here.
        let start = match first.checked_sub(stands) {
            None | Some(0) => 0,
            Some(nth) => source.nth_ordinal(&term, nth, end)?.unwrap_or(end),
        };
        let after = match last.checked_sub(stands) {
            None => 0,
            Some(nth) => source.nth_ordinal(&term, nth, end)?.map_or(end, |ordinal| ordinal + 1),
        };
        Ok(within.start.max(start)..within.end.min(after))
    }

    /// The ordinals that match, within a range of a part of which the ordinals below `end` count.
    pub(crate) fn ordinals<D: Disk>(
        &self,
        source: &Source<D>,
        within: Range<u32>,
        end: u32,
        tally: &mut Tally,
    ) -> Result<RoaringBitmap, Damaged> {
        let lists_before = tally.lists;
        let mut matching = RoaringBitmap::new();
        for item in &self.items {
            matching |= item.ordinals(source, within.clone(), end, tally)?;
        }
        tally.asked_segments += 1;
        tally.skipped_segments += u64::from(tally.lists == lists_before);
        Ok(matching)
    }
}

impl PlanItem {
    fn of(item: &QueryItem, keyring: &Keyring) -> Self {
        let tags = item.tags.iter().map(|tag| keyring.key(Kind::Tag, tag.as_str().as_bytes()));
        let stream = item.stream.iter().map(|stream| keyring.key(Kind::Stream, stream.as_str().as_bytes()));
        let category = item.category.iter().map(|name| keyring.key(Kind::Category, name.as_str().as_bytes()));
        let types = item.types.iter().map(|name| keyring.key(Kind::Type, name.as_str().as_bytes()));
        Self { all: stream.chain(category).chain(tags).collect(), any: types.collect() }
    }

    fn ordinals<D: Disk>(
        &self,
        source: &Source<D>,
        within: Range<u32>,
        end: u32,
        tally: &mut Tally,
    ) -> Result<RoaringBitmap, Damaged> {
        let nothing = Ok(RoaringBitmap::new());
        let mut range = within;
        let mut all = Vec::with_capacity(self.all.len());
        for key in &self.all {
            let Some(term) = source.term(*key, end)? else { return nothing };
            narrow(&mut range, source, &[term]);
            all.push(term);
        }
        let mut any = Vec::with_capacity(self.any.len());
        for key in &self.any {
            any.extend(source.term(*key, end)?);
        }
        if !self.any.is_empty() {
            narrow(&mut range, source, &any);
        }
        if range.is_empty() || (any.is_empty() && !self.any.is_empty()) {
            return nothing;
        }
        all.sort_unstable_by_key(|term| term.count);
        let any_count = any.iter().map(|term| term.count).sum::<u64>();
        // The shortest list first: what it does not hold need not be looked for.
        let mut matching = None;
        if !any.is_empty() && all.first().is_none_or(|first| any_count < first.count) {
            matching = Some(union(source, &any, range.clone(), tally)?);
        }
        let is_any_done = matching.is_some();
        for term in &all {
            tally.lists += 1;
            let list = source.ordinals(term, range.clone())?;
            let found = match matching {
                Some(found) => found & list,
                None => list,
            };
            if found.is_empty() {
                return nothing;
            }
            matching = Some(found);
        }
        match matching {
            Some(found) if is_any_done || any.is_empty() => Ok(found),
            Some(found) => Ok(found & union(source, &any, range, tally)?),
            None => Ok(RoaringBitmap::from_iter(range)),
        }
    }
}

/// Narrows a range to where terms have events at all.
fn narrow<D: Disk>(range: &mut Range<u32>, source: &Source<D>, terms: &[Term]) {
    let first = terms.iter().map(|term| source.ordinal(term.first)).min();
    let last = terms.iter().map(|term| source.ordinal(term.last)).max();
    if let (Some(first), Some(last)) = (first, last) {
        *range = range.start.max(first)..range.end.min(last.saturating_add(1));
    }
}

fn union<D: Disk>(
    source: &Source<D>,
    terms: &[Term],
    range: Range<u32>,
    tally: &mut Tally,
) -> Result<RoaringBitmap, Damaged> {
    let mut all = RoaringBitmap::new();
    for term in terms {
        tally.lists += 1;
        all |= source.ordinals(term, range.clone())?;
    }
    Ok(all)
}

//! The events that the index finds: each looked up by its position and verified alone.

use super::cursor::Step;
use super::reader::Library;
use crate::disk::{Disk, DiskFile};
use crate::index::{IndexSet, Keyring, Plan, Source, Span, Tally, segment_of};
use crate::log::Segment;
use gesta_model::codec::Record;
use gesta_model::{Damage, Explanation, Position, Query, ReadError, Revision, Selection, Timestamp};
use roaring::bitmap::IntoIter;
use std::collections::VecDeque;
use std::ops::{Range, RangeInclusive};
use std::sync::Arc;

/// Every revision, of every stream and of none.
pub(super) const ALL_REVISIONS: RangeInclusive<Revision> = Revision(0)..=Revision(u64::MAX);

/// The events of a selection between two positions, in either direction.
pub(super) struct Pick<D: Disk> {
    library: Arc<Library<D>>,
    set: Arc<IndexSet<D>>,
    selection: Selection,
    plan: Plan,
    revisions: RangeInclusive<Revision>,
    is_backward: bool,
    /// The positions still to be read, half-open; shrinks from the end that is read.
    next: Position,
    end: Position,
    stretch: Option<Stretch<D>>,
    /// Damage within the stretch to be told before its events.
    damage: VecDeque<Damage>,
    /// The positions asked for that no part speaks of, because the first segments are missing.
    missing_start: Option<Damage>,
    standing: Option<Standing>,
    tally: Tally,
    /// Records that were looked at.
    touched: u64,
}

/// The part that is being read.
struct Stretch<D: Disk> {
    span: Span<D>,
    segment: Arc<Segment<D>>,
    view: <D::File as DiskFile>::View,
    source: Source<D>,
    ordinals: IntoIter,
    /// The next events, with where the index has them.
    ahead: VecDeque<(u32, Option<u64>)>,
    /// How many were looked up at once the last time.
    reach: usize,
}

impl<D: Disk> Stretch<D> {
    /// How many events are looked up at once at most.
    const REACH_MAX: usize = 32;
    /// How many bytes of each are touched, so that memory brings them while the ones before are read.
    const TOUCHED_BYTES: usize = 256;

    /// The record that was located at an offset; damage where the disk has lost it since.
    fn record_at(&self, offset: usize, position: Position) -> Result<Record<'_>, Damage> {
        let decoded = Record::decode(&self.view[offset..], position).ok();
        let is_whole = |record: &Record<'_>| self.segment.file.lost_pages() == 0 || record.verify().is_ok();
        decoded.map(|(record, _)| record).filter(is_whole).ok_or_else(|| Damage {
            file: self.segment.path.clone(),
            offset: offset as u64,
            positions: position..position.plus(1),
            what: "the disk can no longer read it".to_owned(),
        })
    }

    /// The next event, with where the index has it.
    fn next(&mut self, is_backward: bool) -> Option<(u32, Option<u64>)> {
        if self.ahead.is_empty() {
            self.look_ahead(is_backward);
        }
        self.ahead.pop_front()
    }

    /// Looks several events up at once. They lie anywhere in a segment, and waiting for memory one by one is what a read
    /// through the index costs most.
    fn look_ahead(&mut self, is_backward: bool) {
        self.reach = (2 * self.reach).clamp(1, Self::REACH_MAX);
        let mut touched = 0;
        for _ in 0..self.reach {
            let ordinal = if is_backward { self.ordinals.next_back() } else { self.ordinals.next() };
            let Some(ordinal) = ordinal else { break };
            let offset = self.source.offset_of(ordinal).ok().flatten();
            let start = offset.and_then(|offset| usize::try_from(offset).ok()).unwrap_or_default();
            let lines = (start..start.saturating_add(Self::TOUCHED_BYTES)).step_by(64);
            touched ^= lines.filter_map(|at| self.view.get(at)).fold(0, |touched, byte| touched ^ byte);
            self.ahead.push_back((ordinal, offset));
        }
        std::hint::black_box(touched);
    }
}

/// A verified record that is wanted.
#[derive(Clone, Copy, Debug)]
struct Standing {
    offset: usize,
    position: Position,
}

impl<D: Disk> Pick<D> {
    pub(super) fn new(
        library: Arc<Library<D>>,
        selection: Selection,
        revisions: RangeInclusive<Revision>,
        positions: Range<Position>,
        is_backward: bool,
    ) -> Self {
        let set = library.index.set.load_full();
        let plan = plan_of(&selection, &library.index.keyring);
        let missing_start = set.missing_start(positions.end).and_then(|missing| {
            let lost = missing.positions.start.max(positions.start)..missing.positions.end.min(positions.end);
            (!lost.is_empty()).then_some(Damage { file: library.path.clone(), positions: lost, ..missing })
        });
        Self {
            library,
            set,
            selection,
            plan,
            revisions,
            is_backward,
            next: positions.start.min(positions.end),
            end: positions.end,
            stretch: None,
            damage: VecDeque::new(),
            missing_start,
            standing: None,
            tally: Tally::default(),
            touched: 0,
        }
    }

    /// The positions still to be read.
    pub(super) fn remaining_positions(&self) -> Range<Position> {
        self.next..self.end
    }

    /// What reading has cost so far.
    pub(super) fn explain(&self) -> Explanation {
        Explanation {
            lists_read: self.tally.lists,
            segments_asked: self.tally.asked_segments,
            segments_skipped: self.tally.skipped_segments,
            records_touched: self.touched,
        }
    }

    /// When the store took the event that was read last.
    pub(super) fn recorded_at(&self) -> Option<Timestamp> {
        let (stretch, standing) = (self.stretch.as_ref()?, self.standing?);
        let index = &self.library.index;
        let ordinal = u32::try_from(standing.position.since(stretch.span.part.base)).ok()?;
        let ask_anew = |_| stretch.span.part.ask(&index.reading(), stretch.span.end, |source| source.batch_of(ordinal));
        let place = stretch.source.batch_of(ordinal);
        let place =
            place.and_then(|place| stretch.source.require_every_page().map(|()| place)).unwrap_or_else(ask_anew);
        place.map(|place| place.recorded_at)
    }

    /// Reads on to a later end, from a position on; all up to the end so far has been read, forward.
    pub(super) fn extend(&mut self, positions: &Range<Position>) {
        self.set = self.library.index.set.load_full();
        self.next = self.next.max(positions.start).min(positions.end);
        self.end = positions.end;
    }

    /// Goes on to the next record that is wanted, or past one part that holds none.
    pub(super) fn step(&mut self) -> Result<Step, ReadError> {
        if self.standing.is_some_and(|standing| (self.next..self.end).contains(&standing.position)) {
            return Ok(Step::Stands);
        }
        if let Some(damage) = self.damage.pop_front() {
            return Err(ReadError::Damaged(damage));
        }
        if self.stretch.is_none() {
            return Ok(if self.load_stretch()? { Step::Passed } else { Step::Over });
        }
        while let Some((ordinal, offset)) = self.next_ordinal() {
            if self.stands_at(ordinal, offset)? {
                return Ok(Step::Stands);
            }
        }
        if let Some(stretch) = self.stretch.take() {
            self.pass(&stretch.span.positions);
        }
        Ok(Step::Passed)
    }

    /// The record that [`Pick::step`] stands before.
    pub(super) fn take(&mut self) -> Result<Record<'_>, ReadError> {
        let (Some(stretch), Some(standing)) = (&self.stretch, self.standing) else {
            unreachable!("a step stands before a record")
        };
        if self.is_backward {
            self.end = standing.position;
        } else {
            self.next = standing.position.plus(1);
        }
        stretch.record_at(standing.offset, standing.position).map_err(ReadError::Damaged)
    }

    /// The next event of the stretch that is wanted by the index's word.
    fn next_ordinal(&mut self) -> Option<(u32, Option<u64>)> {
        self.stretch.as_mut()?.next(self.is_backward)
    }

    /// Looks at the event of an ordinal: it must be whole, and must be what was asked for by its own word.
    fn stands_at(&mut self, ordinal: u32, offset: Option<u64>) -> Result<bool, ReadError> {
        let Some(stretch) = &self.stretch else { return Ok(false) };
        let position = stretch.span.position(ordinal);
        if !(self.next..self.end).contains(&position) {
            return Ok(false);
        }
        self.touched += 1;
        let place = (&stretch.span, &*stretch.segment, &*stretch.view);
        let located = self.library.index.locate(place, position, offset);
        let offset = match located {
            Ok(offset) => offset,
            Err(damage) => {
                // Events of the same batch that were handed out already are whole by their own checksums.
                let positions = damage.positions.start.max(self.next)..damage.positions.end.min(self.end);
                self.pass(&positions);
                return Err(ReadError::Damaged(Damage { positions, ..damage }));
            }
        };
        let record = match stretch.record_at(offset, position) {
            Ok(record) => record,
            Err(damage) => {
                self.pass(&damage.positions);
                return Err(ReadError::Damaged(damage));
            }
        };
        let is_wanted = self.selection.matches(&record) && self.is_within_revisions(&record);
        if !is_wanted && let Err(damage) = stretch.record_at(offset, position) {
            self.pass(&damage.positions);
            return Err(ReadError::Damaged(damage));
        }
        if is_wanted {
            self.standing = Some(Standing { offset, position });
            // What was passed on the way is not wanted.
            if self.is_backward {
                self.end = position.plus(1);
            } else {
                self.next = position;
            }
        }
        Ok(is_wanted)
    }

    fn is_within_revisions(&self, record: &Record<'_>) -> bool {
        self.revisions == ALL_REVISIONS || record.revision().is_some_and(|revision| self.revisions.contains(&revision))
    }

    /// Finds what is wanted in the next part; `false` when no part is left.
    fn load_stretch(&mut self) -> Result<bool, ReadError> {
        let mut rest = self.next..self.end;
        let Some(span) = self.set.next_span(&mut rest, self.is_backward, &self.plan) else {
            self.next = self.end;
            return self.missing_start.take().map_or(Ok(false), |damage| Err(ReadError::Damaged(damage)));
        };
        let (library, plan, revisions) = (Arc::clone(&self.library), &self.plan, &self.revisions);
        let index = &library.index;
        let (ordinals, gaps, tally) = span.part.ask(&index.reading(), span.end, |source| {
            let mut tally = self.tally;
            let end = span.end_ordinal();
            let within = plan.within_revisions(source, revisions, span.ordinals(), end)?;
            let ordinals = plan.ordinals(source, within, end, &mut tally)?;
            Ok((ordinals, source.gaps_up_to(span.end), tally))
        });
        self.tally = tally;
        let asked = span.positions.clone();
        let touches = |gap: &Damage| gap.positions.start < asked.end && asked.start < gap.positions.end;
        self.damage.extend(gaps.into_iter().filter(touches));
        if ordinals.is_empty() {
            self.pass(&asked);
            return Ok(true);
        }
        let Some(segment) = segment_of(&library.log, span.part.number) else {
            self.pass(&asked);
            let what = "the segment that held these positions is missing".to_owned();
            return Err(ReadError::Damaged(Damage { file: library.path.clone(), offset: 0, positions: asked, what }));
        };
        let view = segment.view().map_err(|error| ReadError::Io { path: segment.path.clone(), error })?;
        let source = span.part.source(&index.reading(), span.end);
        let (ordinals, ahead) = (ordinals.into_iter(), VecDeque::new());
        self.stretch = Some(Stretch { span, segment, view, source, ordinals, ahead, reach: 0 });
        Ok(true)
    }

    /// Leaves positions behind.
    fn pass(&mut self, positions: &Range<Position>) {
        if self.is_backward {
            self.end = self.end.min(positions.start).max(self.next);
        } else {
            self.next = self.next.max(positions.end).min(self.end);
        }
    }
}

/// What to look for in the index.
fn plan_of(selection: &Selection, keyring: &Keyring) -> Plan {
    match selection {
        Selection::Everything => Plan::of(&Query::everything(), keyring),
        Selection::Stream(stream) => Plan::of_stream(stream, keyring),
        Selection::Query(query) => Plan::of(query, keyring),
    }
}

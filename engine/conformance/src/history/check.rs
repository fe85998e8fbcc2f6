//! Every question, asked once of each call.

use super::known::Known;
use super::{Anomaly, Answer, AppendCall, Call, History, Log, ReadCall};
use gesta_model::{Durability, Position, Revision, Uuid};
use std::collections::HashMap;
use std::fmt;
use std::ops::Range;

/// What a history held in which nothing contradicts the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Events of the log.
    pub events: usize,
    /// Requests with events; their tries are counted below.
    pub requests: usize,
    /// Tries and pure checks that were acknowledged.
    pub acknowledged: usize,
    /// Tries and pure checks that conflicted.
    pub conflicts: usize,
    /// Tries and pure checks that were refused for another reason.
    pub refused: usize,
    /// Tries and pure checks without an answer.
    pub unknown: usize,
    /// Reads.
    pub reads: usize,
}

/// All tries of one request that has events.
struct Request<'h> {
    tries: Vec<&'h AppendCall>,
    /// Where it begins, once that is known.
    start: Option<Position>,
}

/// A history beside its log, while it is judged.
struct Judge<'h> {
    log: &'h Log,
    kept: Durability,
    requests: Vec<Request<'h>>,
    /// Requests without events.
    pure: Vec<&'h AppendCall>,
    reads: Vec<&'h ReadCall>,
    anomalies: Vec<Anomaly>,
}

impl History {
    /// Tells everything that cannot be true of it, `log` being what the store holds in the end.
    ///
    /// `kept` is how safe an answer must have been to be held to its word: [`Durability::Durable`] when the power was cut,
    /// [`Durability::Written`] when processes were killed, [`Durability::Buffered`] when neither happened.
    pub fn check(&self, log: &Log, kept: Durability) -> Result<Summary, Vec<Anomaly>> {
        let mut judge = Judge::new(self, log, kept);
        judge.judge_log();
        judge.judge_presence();
        judge.judge_checks();
        judge.judge_order();
        judge.judge_reads();
        if judge.anomalies.is_empty() { Ok(judge.summary()) } else { Err(judge.anomalies) }
    }
}

impl<'h> Judge<'h> {
    fn new(history: &'h History, log: &'h Log, kept: Durability) -> Self {
        let (requests, pure, reads, anomalies) = Default::default();
        let mut judge = Self { log, kept, requests, pure, reads, anomalies };
        let mut known: HashMap<Uuid, usize> = HashMap::new();
        for call in &history.calls {
            match call {
                Call::Read(read) => judge.reads.push(read),
                Call::Append(call) => match call.ids.first() {
                    None => judge.pure.push(call),
                    Some(id) => {
                        let number = *known.entry(*id).or_insert(judge.requests.len());
                        if number == judge.requests.len() {
                            judge.requests.push(Request { tries: Vec::new(), start: None });
                        }
                        judge.requests[number].add(call);
                    }
                },
            }
        }
        judge
    }

    fn end(&self) -> Position {
        Position(self.log.len() as u64)
    }

    /// Positions have no gaps, and neither have the revisions of a stream.
    fn judge_log(&mut self) {
        let log = self.log;
        self.anomalies
            .extend(log.gaps.iter().map(|(expected, found)| Anomaly::Gap { expected: *expected, found: *found }));
        for places in log.streams() {
            for (place, expected) in places.iter().zip((0..).map(Revision)) {
                let found = usize::try_from(*place).ok().and_then(|place| log.events[place].revision);
                if found != Some(expected) {
                    self.anomalies.push(Anomaly::WrongRevision { position: Position(*place), expected, found });
                }
            }
        }
    }

    /// Finds where each request stands: once, whole, and as its tries were told.
    fn judge_presence(&mut self) {
        let mut places: HashMap<Uuid, Vec<Position>> = HashMap::new();
        for (event, position) in self.log.events.iter().zip((0..).map(Position)) {
            places.entry(event.id).or_default().push(position);
        }
        for request in &mut self.requests {
            let first = request.tries[0];
            if request.tries.iter().any(|call| call.ids != first.ids) {
                self.anomalies.push(Anomaly::Muddled { request: first.ids[0] });
            }
            let held: Vec<(Uuid, Vec<Position>)> =
                first.ids.iter().filter_map(|id| Some((*id, places.remove(id)?))).collect();
            let positions: Vec<Position> = held.iter().map(|(_, positions)| positions[0]).collect();
            let start = positions.first().copied();
            let is_whole = |start: Position| {
                positions.len() == first.ids.len()
                    && positions.iter().copied().eq((start.0..).map(Position).take(positions.len()))
            };
            if let Some((id, positions)) = held.iter().find(|(_, positions)| positions.len() > 1) {
                self.anomalies.push(Anomaly::Doubled { id: *id, positions: positions.clone() });
            } else if start.is_some_and(|start| !is_whole(start)) {
                self.anomalies.push(Anomaly::Torn { request: first.ids[0], positions });
            } else {
                request.start = start;
                request.judge_answers(self.kept, &mut self.anomalies);
            }
        }
        let mut unexplained: Vec<(Position, Uuid)> = places.iter().map(|(id, places)| (places[0], *id)).collect();
        unexplained.sort_unstable();
        self.anomalies.extend(unexplained.into_iter().map(|(position, id)| Anomaly::Unexplained { id, position }));
    }

    /// What was checked was true just before what was accepted, and not true where there was a conflict.
    fn judge_checks(&mut self) {
        let made = self.requests.iter().filter_map(|request| {
            let at = request.start?;
            let mut objections = request.made().map(|call| self.accepted_wrongly(call, at));
            // Nobody knows which of several tries made it; one without an objection is enough.
            let first = objections.next()?;
            first.filter(|_| objections.all(|objection| objection.is_some()))
        });
        let pure = self.pure.iter().filter_map(|call| {
            let at = call.acknowledged(self.kept)?.start;
            self.accepted_wrongly(call, at)
        });
        let conflicts = self.appends().filter_map(|call| {
            let head = call.conflict(self.kept)?;
            if head > self.end() {
                return Some(Anomaly::BeyondLog { called: call.called, head });
            }
            let is_in_vain = call.checks.iter().all(|check| self.log.holds(check, head));
            is_in_vain.then(|| Anomaly::ConflictInVain { request: call.ids.first().copied(), head })
        });
        let found: Vec<Anomaly> = made.chain(pure).chain(conflicts).collect();
        self.anomalies.extend(found);
    }

    /// The objection to accepting a call at a place.
    fn accepted_wrongly(&self, call: &AppendCall, at: Position) -> Option<Anomaly> {
        if at > self.end() {
            return Some(Anomaly::BeyondLog { called: call.called, head: at });
        }
        let check = call.checks.iter().find(|check| !self.log.holds(check, at))?.clone();
        Some(Anomaly::AcceptedWrongly { request: call.ids.first().copied(), at, check })
    }

    /// Nothing stands before what was over when it was called; and what durable reads show never goes back.
    fn judge_order(&mut self) {
        let (mut shown, mut shown_durable) = (Vec::new(), Vec::new());
        for call in self.appends() {
            if let Some(positions) = call.acknowledged(self.kept) {
                shown.push((call.returned, positions.end));
                if matches!(call.answer, Answer::Acknowledged { durability: Durability::Durable, .. }) {
                    shown_durable.push((call.returned, positions.end));
                }
            }
            shown.extend(call.conflict(self.kept).map(|head| (call.returned, head)));
        }
        for read in self.kept_reads() {
            shown.push((read.returned, read.head));
            if !read.sees_unsynced {
                shown_durable.push((read.returned, read.head));
            }
        }
        let (known, known_durable) = (Known::new(shown), Known::new(shown_durable));
        let out_of_order = |known: &Known, called: u64, stands: Position| {
            let reached = known.before(called);
            (reached > stands).then_some(Anomaly::OutOfOrder { called, stands, reached })
        };
        let made = self.requests.iter().filter_map(|request| {
            let called = request.made().map(|call| call.called).min()?;
            out_of_order(&known, called, request.start?)
        });
        let pure =
            self.pure.iter().filter_map(|call| out_of_order(&known, call.called, call.acknowledged(self.kept)?.start));
        let conflicts = self.appends().filter_map(|call| out_of_order(&known, call.called, call.conflict(self.kept)?));
        let reads = self.kept_reads().filter_map(|read| {
            let known = if read.sees_unsynced { &known } else { &known_durable };
            out_of_order(known, read.called, read.head)
        });
        let found: Vec<Anomaly> = made.chain(pure).chain(conflicts).chain(reads).collect();
        self.anomalies.extend(found);
    }

    /// Each read shows what is meant of the log up to its head.
    fn judge_reads(&mut self) {
        let found = self.kept_reads().filter_map(|read| {
            let ReadCall { called, from, head, .. } = *read;
            if head > self.end() {
                return Some(Anomaly::BeyondLog { called, head });
            }
            let meant = self.log.meant(&read.selection, &(from.0..head.0));
            let count = meant.len().max(read.shown.len());
            let place = (0..count).find(|place| meant.get(*place) != read.shown.get(*place))?;
            let first = (place, meant.get(place).copied(), read.shown.get(place).copied());
            Some(Anomaly::ReadDiffers { called, range: from..head, first })
        });
        let found: Vec<Anomaly> = found.collect();
        self.anomalies.extend(found);
    }

    fn appends(&self) -> impl Iterator<Item = &'h AppendCall> {
        self.requests.iter().flat_map(|request| &request.tries).chain(&self.pure).copied()
    }

    /// Reads that showed only what was kept.
    fn kept_reads(&self) -> impl Iterator<Item = &'h ReadCall> {
        self.reads.iter().copied().filter(|read| read.durability() >= self.kept)
    }

    fn summary(&self) -> Summary {
        let count = |is_meant: fn(&Answer) -> bool| self.appends().filter(|call| is_meant(&call.answer)).count();
        Summary {
            events: self.log.len(),
            requests: self.requests.len(),
            acknowledged: count(|answer| matches!(answer, Answer::Acknowledged { .. })),
            conflicts: count(|answer| matches!(answer, Answer::Conflict { .. })),
            refused: count(|answer| matches!(answer, Answer::Refused)),
            unknown: count(|answer| matches!(answer, Answer::Unknown)),
            reads: self.reads.len(),
        }
    }
}

impl<'h> Request<'h> {
    /// Adds a try, in place of the one that noted the same call before.
    fn add(&mut self, call: &'h AppendCall) {
        match self.tries.iter_mut().find(|known| known.called == call.called) {
            Some(known) => *known = call,
            None => self.tries.push(call),
        }
    }

    /// The tries that may have made it.
    fn made(&self) -> impl Iterator<Item = &'h AppendCall> {
        self.tries.iter().copied().filter(|call| !call.was_not_made())
    }

    /// Where it stands, if anywhere, is what its tries were told.
    fn judge_answers(&self, kept: Durability, anomalies: &mut Vec<Anomaly>) {
        let request = self.tries[0].ids[0];
        let count = self.tries[0].ids.len() as u64;
        let range = |start: Position| -> Range<Position> { start..start.plus(count) };
        let mut acknowledged_by = u64::MAX;
        for call in &self.tries {
            let Some(told) = call.acknowledged(kept) else { continue };
            acknowledged_by = acknowledged_by.min(call.returned);
            match self.start.map(range) {
                None => anomalies.push(Anomaly::Lost { request, told: told.clone() }),
                Some(found) if found != *told => {
                    anomalies.push(Anomaly::Misplaced { request, told: told.clone(), found });
                }
                Some(_) => {}
            }
        }
        if let Some(found) = self.start.filter(|_| self.made().next().is_none()) {
            anomalies.push(Anomaly::MadeThoughRefused { request, found });
        }
        let is_forgotten = |call: &&&AppendCall| call.conflict(kept).is_some() && call.called > acknowledged_by;
        if let Some(call) = self.tries.iter().find(is_forgotten) {
            anomalies.push(Anomaly::ForgottenRepeat { request, called: call.called });
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { events, requests, acknowledged, conflicts, refused, unknown, reads } = self;
        write!(
            formatter,
            "{requests} requests: {acknowledged} acknowledged, {conflicts} in conflict, {refused} refused, "
        )?;
        write!(formatter, "{unknown} without an answer; {events} events, {reads} reads, 0 anomalies")
    }
}

#[cfg(test)]
#[path = "check_test.rs"]
mod tests;

//! Judges what concurrent callers were told against what the log holds: is there one order in which all of it is true?
//!
//! The log itself is the order, so each question is asked of one place in it:
//!
//! - an acknowledged append stands there once, whole, where its receipt says; a refused one does not; of one without an
//!   answer nobody knows;
//! - what an accepted append believed was true just before its first event, what a refused one believed was not true at
//!   the head it was told;
//! - whatever was over before a call began stands before what the call did;
//! - a read shows exactly what matches of the log up to its head.

use gesta::Durability;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

/// An event as the judge knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fact {
    /// Which operation it is of.
    pub(crate) operation: u64,
    /// Which of the operation's events it is.
    pub(crate) ordinal: u64,
    pub(crate) stream: Option<u64>,
    pub(crate) tag: u64,
}

/// What an append believed.
#[derive(Clone, Debug)]
pub(crate) enum Belief {
    NoStream(u64),
    Exactly(u64, u64),
    NoneOfTag { tag: u64, after: u64 },
}

/// What a caller was told.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    Acknowledged { positions: Range<u64>, durability: Durability },
    Refused { head: u64 },
    Unknown,
}

/// One call. Moments are ticks of one clock, each given out once.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub(crate) called: u64,
    pub(crate) returned: u64,
    pub(crate) answer: Answer,
}

/// One append, tried once or more.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) events: Vec<Fact>,
    pub(crate) belief: Belief,
    pub(crate) attempts: Vec<Attempt>,
}

/// What a read is about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Subject {
    Everything,
    Stream(u64),
    Tag(u64),
}

/// One read, from a position to its head.
#[derive(Clone, Debug)]
pub(crate) struct Observation {
    pub(crate) called: u64,
    pub(crate) returned: u64,
    pub(crate) subject: Subject,
    pub(crate) from: u64,
    pub(crate) head: u64,
    pub(crate) sees_unsynced: bool,
    /// The operation and ordinal of each event that was shown.
    pub(crate) shown: Vec<(u64, u64)>,
}

/// Everything that was done and seen, and what the log holds in the end.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    pub(crate) operations: BTreeMap<u64, Operation>,
    pub(crate) observations: Vec<Observation>,
    /// The events in order, each with its revision.
    pub(crate) log: Vec<(Fact, Option<u64>)>,
}

type Judgement = Result<(), String>;

/// Something that was over at a moment, and shows how far the log had come by then.
type Proof = (u64, u64);

impl History {
    /// Tells the first thing that cannot be true.
    pub(crate) fn judge(&self) -> Judgement {
        let starts = self.judge_presence()?;
        self.judge_beliefs(&starts)?;
        self.judge_order(&starts)?;
        self.observations.iter().try_for_each(|observation| self.judge_observation(observation))
    }

    /// Returns where each operation that is in the log begins.
    fn judge_presence(&self) -> Result<HashMap<u64, u64>, String> {
        let mut places: HashMap<u64, Vec<u64>> = HashMap::new();
        for (position, (fact, _)) in self.log.iter().enumerate() {
            places.entry(fact.operation).or_default().push(position as u64);
        }
        if let Some(number) = places.keys().find(|number| !self.operations.contains_key(number)) {
            return Err(format!("operation {number} is in the log and was never called"));
        }
        let mut starts = HashMap::new();
        for (number, operation) in &self.operations {
            let held = places.get(number);
            if let Some(held) = held {
                let start = held[0];
                let range = start..start + operation.events.len() as u64;
                let found = self.log.get(index(start)..index(range.end)).unwrap_or(&[]);
                let is_whole = found.iter().map(|(fact, _)| fact).eq(&operation.events);
                if !is_whole || held.len() != operation.events.len() {
                    return Err(format!("operation {number} is not once and whole in the log: {held:?}"));
                }
                starts.insert(*number, start);
            }
            operation.judge_answers(*number, held.map(|held| held[0]))?;
        }
        Ok(starts)
    }

    /// Goes through the log once, and asks each belief where it was judged.
    fn judge_beliefs(&self, starts: &HashMap<u64, u64>) -> Judgement {
        let mut judged: Vec<(u64, bool, u64)> = starts.iter().map(|(number, start)| (*start, true, *number)).collect();
        for (number, operation) in &self.operations {
            judged.extend(operation.refusals().map(|(_, _, head)| (head, false, *number)));
        }
        judged.sort_unstable();
        let mut judged = judged.into_iter().peekable();
        let (mut counts, mut last_of_tag) = (HashMap::new(), HashMap::new());
        for position in 0..=self.log.len() as u64 {
            while let Some((_, is_accepted, number)) = judged.next_if(|(at, ..)| *at == position) {
                let belief = &self.operations[&number].belief;
                if belief.holds(&counts, &last_of_tag) != is_accepted {
                    let answer = if is_accepted { "accepted" } else { "refused" };
                    return Err(format!("operation {number} was {answer} wrongly at {position}: {belief:?}"));
                }
            }
            let Some((fact, revision)) = self.log.get(index(position)) else { break };
            let expected =
                fact.stream.map(|stream| *counts.entry(stream).and_modify(|count| *count += 1).or_insert(1) - 1);
            if *revision != expected {
                return Err(format!("the event at {position} has revision {revision:?} instead of {expected:?}"));
            }
            last_of_tag.insert(fact.tag, position);
        }
        match judged.next() {
            Some((head, _, number)) => Err(format!("operation {number} was refused at {head}, beyond the log")),
            None => Ok(()),
        }
    }

    fn judge_order(&self, starts: &HashMap<u64, u64>) -> Judgement {
        let (mut proofs, mut durable_proofs): (Vec<Proof>, Vec<Proof>) = Default::default();
        for attempt in self.operations.values().flat_map(|operation| &operation.attempts) {
            match &attempt.answer {
                Answer::Acknowledged { positions, durability } => {
                    proofs.push((attempt.returned, positions.end));
                    if *durability == Durability::Durable {
                        durable_proofs.push((attempt.returned, positions.end));
                    }
                }
                Answer::Refused { head } => proofs.push((attempt.returned, *head)),
                Answer::Unknown => {}
            }
        }
        for observation in &self.observations {
            proofs.push((observation.returned, observation.head));
            if !observation.sees_unsynced {
                durable_proofs.push((observation.returned, observation.head));
            }
        }
        let (known, known_durable) = (Known::new(proofs), Known::new(durable_proofs));
        for (number, operation) in &self.operations {
            let called = operation.attempts.iter().map(|attempt| attempt.called).min().unwrap_or_default();
            if let Some(start) = starts.get(number) {
                known.judge(called, *start, &format!("operation {number}"))?;
            }
            for (called, _, head) in operation.refusals() {
                known.judge(called, head, &format!("the refusal of operation {number}"))?;
            }
        }
        for observation in &self.observations {
            let known = if observation.sees_unsynced { &known } else { &known_durable };
            known.judge(observation.called, observation.head, "a read")?;
        }
        Ok(())
    }

    fn judge_observation(&self, observation: &Observation) -> Judgement {
        let Observation { from, head, shown, subject, .. } = observation;
        let held = self.log.get(index(*from.min(head))..index(*head));
        let held = held.ok_or_else(|| format!("a read has head {head}, beyond the log"))?;
        let is_meant = |fact: &&Fact| match subject {
            Subject::Everything => true,
            Subject::Stream(stream) => fact.stream == Some(*stream),
            Subject::Tag(tag) => fact.tag == *tag,
        };
        let expected = held.iter().map(|(fact, _)| fact).filter(is_meant).map(|fact| (fact.operation, fact.ordinal));
        if expected.eq(shown.iter().copied()) {
            return Ok(());
        }
        Err(format!("a read of {subject:?} from {from} to {head} did not show what the log holds, but {shown:?}"))
    }
}

impl Operation {
    fn judge_answers(&self, number: u64, start: Option<u64>) -> Judgement {
        let mut acknowledged_by = u64::MAX;
        for attempt in &self.attempts {
            if let Answer::Acknowledged { positions, .. } = &attempt.answer {
                let expected = start.map(|start| start..start + self.events.len() as u64);
                if Some(positions) != expected.as_ref() {
                    return Err(format!(
                        "operation {number} was acknowledged at {positions:?}, and is at {expected:?}"
                    ));
                }
                acknowledged_by = acknowledged_by.min(attempt.returned);
            }
        }
        let refusals = || self.attempts.iter().filter(|attempt| matches!(attempt.answer, Answer::Refused { .. }));
        if start.is_some() && refusals().count() == self.attempts.len() {
            return Err(format!("operation {number} was refused and is in the log"));
        }
        if refusals().any(|attempt| attempt.called > acknowledged_by) {
            return Err(format!("operation {number} was acknowledged, and refused when it was tried again"));
        }
        Ok(())
    }

    /// When each refusal was asked for and told, and the head it names.
    fn refusals(&self) -> impl Iterator<Item = (u64, u64, u64)> {
        self.attempts.iter().filter_map(|attempt| match attempt.answer {
            Answer::Refused { head } => Some((attempt.called, attempt.returned, head)),
            Answer::Acknowledged { .. } | Answer::Unknown => None,
        })
    }
}

impl Belief {
    /// Whether it is true of a log with so many events in each stream and the last event of each tag there.
    fn holds(&self, counts: &HashMap<u64, u64>, last_of_tag: &HashMap<u64, u64>) -> bool {
        match self {
            Self::NoStream(stream) => !counts.contains_key(stream),
            Self::Exactly(stream, revision) => counts.get(stream) == Some(&(revision + 1)),
            Self::NoneOfTag { tag, after } => last_of_tag.get(tag).is_none_or(|last| last < after),
        }
    }
}

/// How far the log must have come by each moment.
struct Known {
    /// Moments in order, and the furthest position that was proven by then.
    proofs: Vec<Proof>,
}

impl Known {
    fn new(mut proofs: Vec<Proof>) -> Self {
        proofs.sort_unstable();
        let mut furthest = 0;
        for (_, position) in &mut proofs {
            furthest = furthest.max(*position);
            *position = furthest;
        }
        Self { proofs }
    }

    /// What was called at a moment may not stand before what was over by then.
    fn judge(&self, called: u64, position: u64, what: &str) -> Judgement {
        let before = self.proofs.partition_point(|(returned, _)| *returned < called);
        match before.checked_sub(1).map(|last| self.proofs[last].1) {
            Some(known) if known > position => {
                Err(format!("{what} stands at {position}, and {known} had been reached before it was called"))
            }
            _ => Ok(()),
        }
    }
}

fn index(position: u64) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fact(operation: u64, ordinal: u64) -> Fact {
        Fact { operation, ordinal, stream: Some(1), tag: 1 }
    }

    fn attempt(called: u64, answer: Answer) -> Attempt {
        Attempt { called, returned: called + 1, answer }
    }

    fn acknowledged(positions: Range<u64>) -> Answer {
        Answer::Acknowledged { positions, durability: Durability::Durable }
    }

    fn operation(number: u64, count: u64, belief: Belief, attempts: Vec<Attempt>) -> (u64, Operation) {
        (number, Operation { events: (0..count).map(|ordinal| fact(number, ordinal)).collect(), belief, attempts })
    }

    fn observation(called: u64, head: u64, shown: &[(u64, u64)]) -> Observation {
        let (returned, shown) = (called + 1, shown.to_vec());
        Observation { called, returned, subject: Subject::Tag(1), from: 0, head, sees_unsynced: false, shown }
    }

    /// A history that is true: 1 and 2 were made, 3 was refused in between, 4 made it without an answer, 5 did not.
    fn true_history() -> History {
        let stream = |revision| Belief::Exactly(1, revision);
        let operations = BTreeMap::from([
            operation(1, 2, Belief::NoStream(1), vec![attempt(0, acknowledged(0..2)), attempt(40, acknowledged(0..2))]),
            operation(2, 1, stream(1), vec![attempt(4, Answer::Unknown), attempt(6, acknowledged(2..3))]),
            operation(3, 1, Belief::NoneOfTag { tag: 1, after: 1 }, vec![attempt(8, Answer::Refused { head: 2 })]),
            operation(4, 1, Belief::NoneOfTag { tag: 1, after: 3 }, vec![attempt(10, Answer::Unknown)]),
            operation(5, 1, stream(0), vec![attempt(12, Answer::Unknown)]),
        ]);
        let mut history = History { operations, ..History::default() };
        // The refusal was judged while 2 was on its way.
        history.attempt(2, 1).returned = 9;
        let facts = [fact(1, 0), fact(1, 1), fact(2, 0), fact(4, 0)];
        history.log = facts.into_iter().zip(0..).map(|(fact, revision)| (fact, Some(revision))).collect();
        history.observations =
            vec![observation(2, 2, &[(1, 0), (1, 1)]), observation(20, 3, &[(1, 0), (1, 1), (2, 0)])];
        history
    }

    impl History {
        fn attempt(&mut self, number: u64, ordinal: usize) -> &mut Attempt {
            &mut self.operations.get_mut(&number).unwrap().attempts[ordinal]
        }
    }

    #[track_caller]
    fn is_caught(forge: impl FnOnce(&mut History), expected: &str) {
        let mut history = true_history();
        forge(&mut history);
        let caught = history.judge().expect_err("the forged history was believed");
        assert!(caught.contains(expected), "{caught}");
    }

    #[test]
    fn a_true_history_is_believed() {
        true_history().judge().unwrap();
    }

    #[test]
    fn a_lost_a_torn_and_a_doubled_append_are_caught() {
        is_caught(|history| history.log.truncate(2), "operation 2 was acknowledged");
        is_caught(|history| history.log.retain(|(fact, _)| fact.ordinal != 1), "operation 1 is not once and whole");
        is_caught(|history| history.log.insert(1, (fact(4, 0), Some(1))), "is not once and whole");
        is_caught(|history| history.log.push((fact(2, 0), Some(4))), "operation 2 is not once and whole");
        is_caught(|history| history.log.push((fact(4, 0), Some(4))), "operation 4 is not once and whole");
        is_caught(|history| history.log.push((fact(9, 0), Some(4))), "never called");
        is_caught(|history| history.log[3].0.stream = None, "operation 4 is not once and whole");
    }

    #[test]
    fn a_wrong_receipt_and_a_wrong_revision_are_caught() {
        is_caught(|history| history.attempt(2, 1).answer = acknowledged(3..4), "operation 2 was acknowledged at 3..4");
        is_caught(|history| history.attempt(1, 1).answer = acknowledged(3..5), "operation 1 was acknowledged at 3..5");
        is_caught(|history| history.log[3].1 = Some(2), "revision");
    }

    #[test]
    fn a_refused_append_that_was_made_and_a_refused_retry_are_caught() {
        is_caught(|history| history.log.push((fact(3, 0), Some(4))), "operation 3 was refused and is in the log");
        is_caught(
            |history| history.attempt(1, 1).answer = Answer::Refused { head: 4 },
            "refused when it was tried again",
        );
    }

    #[test]
    fn a_belief_that_was_judged_wrongly_is_caught() {
        let believes =
            |number, belief| move |history: &mut History| history.operations.get_mut(&number).unwrap().belief = belief;
        is_caught(believes(2, Belief::Exactly(1, 0)), "operation 2 was accepted wrongly");
        is_caught(believes(4, Belief::NoStream(1)), "operation 4 was accepted wrongly");
        is_caught(believes(4, Belief::NoneOfTag { tag: 1, after: 2 }), "operation 4 was accepted wrongly");
        is_caught(believes(3, Belief::NoneOfTag { tag: 1, after: 2 }), "operation 3 was refused wrongly");
        is_caught(|history| history.attempt(3, 0).answer = Answer::Refused { head: 9 }, "beyond the log");
    }

    #[test]
    fn an_order_against_time_is_caught() {
        is_caught(
            |history| {
                history.attempt(4, 0).answer = acknowledged(3..4);
                history.attempt(4, 0).returned = 11;
                history.operations.get_mut(&2).unwrap().attempts = vec![attempt(30, acknowledged(2..3))];
                history.observations.clear();
            },
            "operation 2 stands at 2, and 4 had been reached",
        );
        // A refusal that does not know of what was over before it was asked for.
        is_caught(|history| history.attempt(3, 0).called = 30, "the refusal of operation 3");
    }

    #[test]
    fn a_read_that_is_stale_incomplete_disordered_or_ahead_is_caught() {
        let shows = |head, shown: &'static [(u64, u64)]| {
            move |history: &mut History| history.observations.push(observation(60, head, shown))
        };
        is_caught(shows(2, &[(1, 0), (1, 1)]), "a read stands at 2, and 3 had been reached");
        is_caught(shows(3, &[(1, 0), (2, 0)]), "did not show");
        is_caught(shows(3, &[(1, 1), (1, 0), (2, 0)]), "did not show");
        is_caught(shows(3, &[(1, 0), (1, 1), (2, 0), (4, 0)]), "did not show");
        is_caught(shows(5, &[(1, 0), (1, 1), (2, 0), (4, 0)]), "beyond the log");
    }
}

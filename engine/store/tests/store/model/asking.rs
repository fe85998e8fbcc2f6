//! Requests made of the store: alone, in flight together, during a sync, once more.

use super::answer::{Answer, Checked};
use super::step::{After, Belief, CheckDraft, Draft, Since};
use super::wish::{Change, Wish};
use super::world::World;
use crate::vocabulary::{EventDraft, id};
use gesta::disk::SimulatedDisk;
use gesta::{
    AppendError, Check, Durability, ExpectedRevision, Position, Receipt, RequestError, Revision, Store, StreamName,
    Ticket,
};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

/// A request whose outcome is still to come.
pub(super) struct Pending {
    ticket: Ticket<SimulatedDisk>,
    expected: Expected,
}

/// What a request must be answered, and how things stood when it was made.
#[derive(Clone, Debug)]
struct Expected {
    answer: Answer,
    asked: Durability,
    is_named: bool,
    readable: Position,
}

/// How many requests are remembered to be made again.
const REMEMBERED: usize = 6;

impl World {
    /// The request that a draft comes to where the store stands now.
    pub(super) fn wish(&mut self, draft: &Draft) -> Wish {
        let events = draft.events.iter().map(|event| event.event(self.fresh())).collect();
        let checks = draft.checks.iter().map(|check| self.check_of(check)).collect();
        let wish = Wish {
            checks,
            request_id: draft.is_named.then(|| id(self.fresh())),
            since: if draft.tells_since { self.store().reader().head() } else { Position::START },
            missed_max: u32::from(draft.missed_max),
            ..Wish::of(events, draft.durability)
        };
        self.remember(&wish);
        wish
    }

    /// Remembers a request that can be told from others when it is made again.
    fn remember(&mut self, wish: &Wish) {
        if wish.events.is_empty() || (wish.request_id.is_none() && wish.checks.is_empty()) {
            return;
        }
        self.wishes.push(wish.clone());
        let surplus = self.wishes.len().saturating_sub(REMEMBERED);
        self.wishes.drain(..surplus);
    }

    fn check_of(&self, draft: &CheckDraft) -> Check {
        match draft {
            CheckDraft::Stream { stream, belief } => {
                let last = self.reference.last_revision(stream);
                let exactly = |revision| ExpectedRevision::Exactly(Revision(revision));
                let expected = match (*belief, last) {
                    (Belief::Any, _) => ExpectedRevision::Any,
                    (Belief::Exists, _) => ExpectedRevision::StreamExists,
                    (Belief::Absent, _) | (Belief::True, None) => ExpectedRevision::NoStream,
                    (Belief::True, Some(last)) => exactly(last.0),
                    (Belief::Behind(by), last) => {
                        let known = last.and_then(|last| last.0.checked_sub(u64::from(by)));
                        known.map_or(ExpectedRevision::NoStream, exactly)
                    }
                    (Belief::Ahead(by), last) => exactly(last.map_or(0, |last| last.0) + u64::from(by)),
                };
                Check::Stream { stream: StreamName::new(*stream).unwrap(), expected }
            }
            CheckDraft::Query { query, after } => {
                let head = self.reference.head();
                let after = match after {
                    After::Start => Position::START,
                    After::Behind(by) => Position(head.0.saturating_sub(u64::from(*by))),
                    After::Head => head,
                    After::Ahead(by) => head.plus(u64::from(*by)),
                };
                Check::NoEvents { query: query.clone(), after }
            }
        }
    }

    /// What a request must be answered when it is made now.
    fn expect(&self, wish: &Wish) -> Expected {
        let (answer, readable) = (self.reference.judge(wish), self.store().reader().head());
        Expected { answer, asked: wish.durability, is_named: wish.request_id.is_some(), readable }
    }

    /// Makes a request and waits for its answer.
    pub(super) fn append(&mut self, wish: &Wish) -> Checked {
        let expected = self.expect(wish);
        let outcome = self.store().append(wish.request());
        let may_be_in_log = match &outcome {
            Err(AppendError::Request(error)) => return self.check_refusal(wish, error),
            // It may be in the log, after all that was accepted; what comes after it is not.
            Err(AppendError::Poisoned { .. }) => !self.is_poisoned,
            outcome => outcome.is_ok(),
        };
        if may_be_in_log && expected.answer.is_new() {
            self.reference.take(wish);
        }
        self.check_outcome(&outcome, &expected)
    }

    /// Makes a request whose answer is asked for later.
    pub(super) fn submit(&mut self, wish: &Wish) -> Checked {
        let expected = self.expect(wish);
        match self.store().submit(wish.request()) {
            Ok(ticket) => {
                if expected.answer.is_new() {
                    self.reference.take(wish);
                }
                self.tickets.lock().unwrap().push(Pending { ticket, expected });
                Ok(())
            }
            Err(AppendError::Request(error)) => self.check_refusal(wish, &error),
            Err(error) => self.check_outcome(&Err(error), &expected),
        }
    }

    /// Makes one of the last requests again: at once, while it is in flight, or in a later life of the store.
    pub(super) fn again(&mut self, which: u8, change: Change, since: Since, is_submitted: bool) -> Checked {
        let Some(back) = usize::from(which).checked_rem(self.wishes.len()) else { return Ok(()) };
        let wish = self.wishes[self.wishes.len() - 1 - back].clone();
        let mut wish = wish.changed(change, || self.fresh());
        match since {
            Since::Said => {}
            Since::Start => wish.since = Position::START,
            Since::Head => wish.since = self.reference.head(),
        }
        if is_submitted { self.submit(&wish) } else { self.append(&wish) }
    }

    /// Hands the disk a hook that submits a request while the next sync is under way.
    pub(super) fn submit_during_sync(&mut self, drafts: &[EventDraft]) -> Checked {
        let wish = Wish::of(drafts.iter().map(|draft| draft.event(self.fresh())).collect(), Durability::Durable);
        let trigger = Wish::of(vec![drafts[0].event(self.fresh())], Durability::Durable);
        if self.is_too_large(&wish) || self.is_too_large(&trigger) {
            return Ok(());
        }
        let store: Weak<Store<SimulatedDisk>> = Arc::downgrade(&self.store());
        let (tickets, expected) = (Arc::clone(&self.tickets), self.expect(&wish));
        let was_submitted = Arc::new(AtomicBool::new(false));
        let submitted = Arc::clone(&was_submitted);
        let mut request = Some(wish.request());
        self.disk.on_sync(Some(Box::new(move || {
            if let (Some(store), Some(request)) = (store.upgrade(), request.take())
                && let Ok(ticket) = store.submit(request)
            {
                submitted.store(true, Ordering::Relaxed);
                tickets.lock().unwrap().push(Pending { ticket, expected: expected.clone() });
            }
        })));
        let before = self.reference.len();
        let triggered = self.store().append(trigger.request());
        self.disk.on_sync(None);
        let was_submitted = was_submitted.load(Ordering::Relaxed);
        let Ok(receipt) = &triggered else {
            prop_assert!(!was_submitted, "{:?}", triggered);
            return self.check_outcome(&triggered, &self.expect(&trigger));
        };
        // A sync may have come before the trigger had its place: to make room for it, or a segment.
        let is_hook_first = was_submitted && receipt.positions.start.0 != before;
        if is_hook_first {
            self.reference.take(&wish);
        }
        let expected = self.expect(&trigger);
        self.reference.take(&trigger);
        if was_submitted && !is_hook_first {
            let expected = self.expect(&wish);
            self.tickets.lock().unwrap().last_mut().expect("it was submitted").expected = expected;
            self.reference.take(&wish);
        }
        self.check_outcome(&triggered, &expected)
    }

    pub(super) fn wait_for_tickets(&mut self) -> Checked {
        let tickets = std::mem::take(&mut *self.tickets.lock().unwrap());
        for Pending { ticket, expected } in tickets {
            self.check_outcome(&ticket.wait(), &expected)?;
        }
        Ok(())
    }

    pub(super) fn sync(&mut self) -> Checked {
        match self.store().sync() {
            Ok(()) => {
                let head = self.store().reader().head();
                prop_assert_eq!(head, self.reference.head());
                self.promise(head)
            }
            Err(error) => self.check_trouble(&error),
        }
    }

    /// Appends large events, so that segments fill up and are sealed.
    pub(super) fn grow(&mut self, request_count: u8) -> Checked {
        for number in 0..request_count {
            let stream = ["order-1", "order-2", "user-1"][usize::from(number % 3)];
            let draft = EventDraft { stream: Some(stream), event_type: "Placed", tags: vec!["b:1"], size: 1300 };
            self.append(&Wish::of(vec![draft.event(self.fresh())], Durability::Durable))?;
        }
        Ok(())
    }

    /// What happens while a fault waits for its moment.
    pub(super) fn append_on_the_way(&mut self) -> Checked {
        let draft = |stream, size| EventDraft { stream: Some(stream), event_type: "Placed", tags: vec!["a:1"], size };
        for round in 0..4 {
            let events = vec![draft("order-1", 40).event(self.fresh()), draft("user-1", 40).event(self.fresh())];
            self.append(&Wish::of(events, Durability::Durable))?;
            let expected = CheckDraft::Stream { stream: "order-2", belief: Belief::True };
            let checks = vec![self.check_of(&expected)];
            let events = vec![draft("order-2", 500).event(self.fresh())];
            let wish = Wish { checks, request_id: Some(id(self.fresh())), ..Wish::of(events, Durability::Written) };
            if round == 0 {
                self.remember(&wish);
            }
            self.append(&wish)?;
            let events = vec![draft("user", 30).event(self.fresh())];
            self.submit(&Wish::of(events, Durability::Durable))?;
        }
        Ok(())
    }

    /// Checks an outcome; what a receipt says must be so, and what it says is durable must stay.
    fn check_outcome(&mut self, outcome: &Result<Receipt, AppendError>, expected: &Expected) -> Checked {
        match outcome {
            Err(error) if is_trouble(error) => return self.check_trouble(error),
            outcome => expected.answer.check(outcome)?,
        }
        let Expected { answer, readable, is_named, .. } = expected;
        self.tally.add_answer(answer, *readable, self.opened_head, *is_named);
        let Ok(receipt) = outcome else { return Ok(()) };
        prop_assert!(receipt.durability >= expected.asked, "{:?}", receipt);
        if receipt.durability == Durability::Durable {
            prop_assert!(receipt.head >= receipt.positions.end);
            self.promise(receipt.positions.end)?;
        } else if !receipt.positions.is_empty() {
            let last = Position(receipt.positions.end.0 - 1);
            let id = self.reference.at(last).expect("it was accepted").record().id();
            self.weak.push((receipt.incarnation, last, id));
        }
        self.promise(receipt.head)
    }

    /// The store may only be in a trouble that the test has made.
    fn check_trouble(&mut self, error: &AppendError) -> Checked {
        self.is_poisoned |= matches!(error, AppendError::Poisoned { .. });
        let is_expected = match error {
            AppendError::Degraded { .. } => self.may_lack_power,
            error => is_trouble(error),
        };
        prop_assert!(is_expected, "unexpected: {:?}", error);
        Ok(())
    }

    /// A request is refused for its size, and only then.
    fn check_refusal(&self, wish: &Wish, error: &RequestError) -> Checked {
        let is_expected = matches!(error, RequestError::TooLarge { .. }) && self.is_too_large(wish);
        if is_expected { Ok(()) } else { Err(TestCaseError::fail(format!("unexpected: {error:?}"))) }
    }

    fn is_too_large(&self, wish: &Wish) -> bool {
        wish.encoded().bytes().len() > self.opened_request_bytes_max
    }
}

/// Whether an error says something of the store, and nothing of the request.
fn is_trouble(error: &AppendError) -> bool {
    matches!(
        error,
        AppendError::Poisoned { .. }
            | AppendError::StorageFull { .. }
            | AppendError::NoSegment { .. }
            | AppendError::Degraded { .. }
    )
}

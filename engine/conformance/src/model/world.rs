//! A store beside its reference: each step is made of both, and compared.

use super::draft::{CheckDraft, Draft, Of, ReadDraft, Step, id};
use super::reference::{Answer, Reference, Wish};
use crate::Harness;
use crate::support::{PATIENCE, drain, eager};
use gesta_model::{
    AppendError, AppendRequest, AppendTicket, Check, Durability, EventCursor, EventReader, EventStore,
    EventSubscription, ExpectedRevision, Notice, Position, Read, Receipt, Revision, StoredEvent, StreamName, Timestamp,
};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

type Checked = Result<(), TestCaseError>;

/// How many requests are remembered to be made again.
const REMEMBERED: usize = 6;

pub(super) struct World<'h, H: Harness> {
    harness: &'h H,
    /// Away only while it is reopened.
    store: Option<H::Store>,
    reference: Reference,
    /// Everything below it is durable, as far as was told.
    durable: Position,
    /// The last requests.
    wishes: Vec<Wish>,
    /// How many numbers were given out.
    numbers: u64,
}

impl<'h, H: Harness> World<'h, H> {
    pub(super) fn new(harness: &'h H) -> Self {
        Self {
            harness,
            store: Some(harness.fresh()),
            reference: Reference::default(),
            durable: Position::START,
            wishes: Vec::new(),
            numbers: 0,
        }
    }

    pub(super) fn run(&mut self, step: &Step) -> Checked {
        match step {
            Step::Append(draft) => {
                let wish = self.wish(draft);
                self.append(&wish)
            }
            Step::Submit(drafts) => self.submit(drafts),
            Step::Again { back, change, forgets_since } => {
                let Some(place) = self.wishes.len().checked_sub(1 + back) else { return Ok(()) };
                let mut wish = self.wishes[place].clone().changed(*change, self.fresh());
                wish.since = if *forgets_since { Position::START } else { wish.since };
                self.append(&wish)
            }
            Step::Read(draft) => self.read(draft),
            Step::Follow { read, notice_count, meanwhile } => self.follow(read, *notice_count, meanwhile),
            Step::Names { kind, prefix } => {
                self.settle()?;
                prop_assert_eq!(self.store().names(*kind, prefix).map_err(fail)?, self.reference.names(*kind, prefix));
                self.check_revisions()
            }
            Step::Reopen => {
                self.store = self.store.take().map(|store| self.harness.reopen(store));
                self.durable = self.reference.head();
                prop_assert_eq!(self.store().head().map_err(fail)?, self.durable);
                self.check_revisions()
            }
        }
    }

    /// In the end everything is there, also in the next life.
    pub(super) fn finish(mut self) -> Checked {
        self.run(&Step::Reopen)?;
        self.learn_times().map(drop)
    }

    fn store(&self) -> &H::Store {
        self.store.as_ref().expect("it is away only while it is reopened")
    }

    fn fresh(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    /// The request that a draft comes to where the log stands now.
    fn wish(&mut self, draft: &Draft) -> Wish {
        let wish = Wish {
            events: draft.events.iter().map(|event| event.event(self.fresh())).collect(),
            checks: draft.checks.iter().map(|check| self.check_of(check)).collect(),
            durability: draft.durability,
            request_id: draft.is_named.then(|| id(self.fresh())),
            since: if draft.missed_max.is_multiple_of(2) { self.reference.head() } else { Position::START },
            missed_max: draft.missed_max,
        };
        self.wishes.push(wish.clone());
        let surplus = self.wishes.len().saturating_sub(REMEMBERED);
        self.wishes.drain(..surplus);
        wish
    }

    fn check_of(&self, draft: &CheckDraft) -> Check {
        let of = |name: &str, expected| Check::Stream { stream: StreamName::new(name).expect("a name"), expected };
        match draft {
            CheckDraft::Any(name) => of(name, ExpectedRevision::Any),
            CheckDraft::Exists(name) => of(name, ExpectedRevision::StreamExists),
            CheckDraft::Revision(name, off) => {
                let count = self.reference.last_revision(name).map_or(0, |last| last.0 + 1);
                let last = count.saturating_add_signed(i64::from(*off)).checked_sub(1);
                let exactly = |last| ExpectedRevision::Exactly(Revision(last));
                of(name, last.map_or(ExpectedRevision::NoStream, exactly))
            }
            CheckDraft::NoEvents(query, off) => {
                let after = Position(self.reference.head().0.saturating_add_signed(i64::from(*off)));
                Check::NoEvents { query: query.clone(), after }
            }
        }
    }

    fn append(&mut self, wish: &Wish) -> Checked {
        let outcome = self.store().append(wish.request());
        let expected = self.reference.append(wish);
        self.compare(wish, outcome, &expected)
    }

    fn submit(&mut self, drafts: &[Draft]) -> Checked {
        let mut pending = Vec::new();
        for draft in drafts {
            let wish = self.wish(draft);
            let ticket = self.store().submit(wish.request());
            let expected = self.reference.append(&wish);
            pending.push((wish, ticket, expected));
        }
        for (wish, ticket, expected) in pending {
            self.compare(&wish, ticket.and_then(AppendTicket::wait), &expected)?;
        }
        Ok(())
    }

    /// What was answered is what the reference answers, and what a receipt says of safety holds.
    fn compare(&mut self, wish: &Wish, outcome: Result<Receipt, AppendError>, expected: &Answer) -> Checked {
        if let Ok(receipt) = &outcome {
            prop_assert!(receipt.durability >= wish.durability, "{:?} for {:?}", receipt, wish);
            prop_assert!(receipt.durability < Durability::Durable || receipt.positions.end <= receipt.head);
            self.note_durable(receipt.head)?;
        }
        prop_assert_eq!(&Answer::of(outcome), expected, "{:?}", wish);
        Ok(())
    }

    /// What was once told to be durable stays so.
    fn note_durable(&mut self, head: Position) -> Checked {
        prop_assert!(head <= self.reference.head(), "head {} of {}", head, self.reference.head());
        self.durable = self.durable.max(head);
        let now = self.store().head().map_err(fail)?;
        prop_assert!(now >= self.durable, "the head went back from {} to {}", self.durable, now);
        Ok(())
    }

    /// Makes everything durable, so that every way of asking sees it.
    fn settle(&mut self) -> Checked {
        let head = self.store().append(AppendRequest::new()).map_err(fail)?.head;
        prop_assert_eq!(head, self.reference.head());
        self.note_durable(head)
    }

    fn check_revisions(&self) -> Checked {
        for name in ["order-1", "order-2", "user", "-odd", "order-9"] {
            let told = self.store().stream_revision(&StreamName::new(name).expect("a name")).map_err(fail)?;
            prop_assert_eq!(told, self.reference.last_revision(name), "{}", name);
        }
        Ok(())
    }

    /// Reads everything: it is what was accepted, and tells when each event was taken.
    fn learn_times(&mut self) -> Result<Vec<Timestamp>, TestCaseError> {
        self.settle()?;
        let all = drain(self.store().read(Read::all()).map_err(fail)?);
        prop_assert!(is_same(&all, self.reference.events.iter()), "{:?}", all);
        let times: Vec<Timestamp> = all.iter().map(StoredEvent::recorded_at).collect();
        prop_assert!(times.is_sorted(), "time goes back: {:?}", times);
        Ok(times)
    }

    /// The read that a draft comes to, and whether an event is one of it, be it appended later.
    fn read_of(&mut self, draft: &ReadDraft) -> Result<(Read, impl Fn(&StoredEvent) -> bool + use<H>), TestCaseError> {
        let times = if draft.since.is_some() { self.learn_times()? } else { Vec::new() };
        let head = self.reference.head().0;
        let place = |below: i8| head.saturating_add_signed(-i64::from(below));
        let mut read = match &draft.of {
            Of::Everything => Read::all(),
            Of::Stream(name) => Read::stream(StreamName::new(*name).expect("a name")),
            Of::Query(query) => Read::query(query.clone()),
        };
        read.from = draft.from.map(|below| Position(place(below)));
        read.from_revision = draft.from_revision.map(Revision);
        read.since = draft.since.map(|below| {
            let time = usize::try_from(place(below)).ok().and_then(|place| times.get(place));
            time.copied().unwrap_or(Timestamp(i64::MAX))
        });
        read.limit = draft.limit.unwrap_or(u64::MAX);
        (read.is_backward, read.sees_unsynced) = (draft.is_backward, draft.sees_unsynced);
        let asked = read.clone();
        let is_of_stream = matches!(draft.of, Of::Stream(_));
        let is_meant = move |event: &StoredEvent| {
            let (record, position) = (event.record(), event.position());
            let is_beyond =
                |ordering: std::cmp::Ordering| if asked.is_backward { ordering.is_le() } else { ordering.is_ge() };
            let time = || usize::try_from(position.0).ok().and_then(|place| times.get(place));
            asked.selection.matches(&record)
                && asked.from.is_none_or(|from| is_beyond(position.cmp(&from)))
                && asked.from_revision.is_none_or(|from| !is_of_stream || is_beyond(record.revision().cmp(&Some(from))))
                && asked.since.is_none_or(|since| time().map_or(since < Timestamp(i64::MAX), |time| *time >= since))
        };
        Ok((read, is_meant))
    }

    fn read(&mut self, draft: &ReadDraft) -> Checked {
        let (asked, is_meant) = self.read_of(draft)?;
        let cursor = self.store().read(asked.clone()).map_err(fail)?;
        let head = cursor.head();
        let (low, high) = (self.durable, self.reference.head());
        prop_assert!(low <= head && head <= high, "head {}, not in {}..={}", head, low, high);
        let shown = drain(cursor);
        let below = &self.reference.events[..usize::try_from(head.0).map_err(fail)?];
        let mut meant: Vec<&StoredEvent> = below.iter().filter(|event| is_meant(event)).collect();
        if asked.is_backward {
            meant.reverse();
        }
        meant.truncate(usize::try_from(asked.limit).unwrap_or(usize::MAX));
        prop_assert!(is_same(&shown, meant.iter().copied()), "{:?} to {} gave {:?}", asked, head, shown);
        if !asked.sees_unsynced {
            self.note_durable(head)?;
        }
        Ok(())
    }

    /// Follows a subscription for a while, appends, begins again where it stood, and follows it until it has caught up.
    fn follow(&mut self, draft: &ReadDraft, notice_count: u8, meanwhile: &Draft) -> Checked {
        let draft = ReadDraft { is_backward: false, sees_unsynced: false, limit: None, ..draft.clone() };
        let (mut asked, is_meant) = self.read_of(&draft)?;
        let from = asked.from.unwrap_or_default();
        let mut given = Vec::new();
        self.settle()?;
        for (round, count) in [usize::from(notice_count), usize::MAX].into_iter().enumerate() {
            let mut subscription = self.store().subscribe(asked.clone(), eager()).map_err(fail)?;
            for _ in 0..count {
                let notice = subscription.next(PATIENCE).map_err(fail)?;
                let position = notice.position();
                match notice {
                    Notice::Event(event) => given.push(StoredEvent::new(&event, Timestamp(0))),
                    Notice::CaughtUp(position) => prop_assert!(position >= self.reference.head()),
                    Notice::Progress(_) => {}
                    notice => return Err(fail(format!("unexpected: {notice:?}"))),
                }
                let below = self.reference.events.iter().filter(|event| event.position() < position && is_meant(event));
                prop_assert!(is_same(&given, below), "{:?}, at {} gave {:?}", asked, position, given);
                prop_assert_eq!(subscription.position(), position);
                if position >= self.reference.head() && round == 1 {
                    break;
                }
            }
            asked.from = Some(subscription.position().max(from));
            if round == 0 {
                let wish = self.wish(meanwhile);
                self.append(&wish)?;
                self.settle()?;
            }
        }
        Ok(())
    }
}

fn is_same<'e>(shown: &[StoredEvent], meant: impl Iterator<Item = &'e StoredEvent>) -> bool {
    shown
        .iter()
        .map(|event| (event.position(), event.record().bytes().to_vec()))
        .eq(meant.map(|event| (event.position(), event.record().bytes().to_vec())))
}

fn fail(error: impl std::fmt::Display) -> TestCaseError {
    TestCaseError::fail(error.to_string())
}

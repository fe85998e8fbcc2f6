//! A subscription that lives across steps, compared with the reference at every notice.

use super::answer::{Checked, fail};
use super::reading::{is_meant, read_of};
use super::reference::usize_of;
use super::step::{Draft, FollowDraft};
use super::tally::FOLLOWED;
use super::world::World;
use gesta::disk::SimulatedDisk;
use gesta::{Notice, Position, Reader, Subscription, Timestamp};
use proptest::prelude::*;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// A subscription, or how far one had come that went with its store.
pub(super) struct Follower {
    draft: FollowDraft,
    since: Option<Timestamp>,
    /// Everything below it was handed out, or is not of the subscription.
    checkpoint: Position,
    open: Option<Open>,
    has_begun: bool,
}

struct Open {
    reader: Reader<SimulatedDisk>,
    subscription: Subscription<SimulatedDisk>,
    /// It has caught up, and not fallen behind since.
    is_live: bool,
}

/// What a subscription said, without what it borrows.
#[derive(Debug)]
enum Said {
    Event(Vec<u8>),
    CaughtUp,
    FellBehind,
    Progress,
    TimedOut,
}

impl Follower {
    /// The subscription goes with the store that it reads.
    pub(super) fn lay_down(&mut self) {
        self.open = None;
    }
}

impl World {
    /// Begins a subscription, which is first asked when somebody follows it.
    pub(super) fn subscribe(&mut self, draft: &FollowDraft) {
        let from = draft.read.from.unwrap_or_default();
        self.follower = Some(Follower {
            since: draft.read.since.map(|ago| Timestamp(self.clock.load(Ordering::Relaxed) - i64::from(ago))),
            checkpoint: Position(u64::from(from) % (self.store().reader().head().0 + 1)),
            draft: draft.clone(),
            open: None,
            has_begun: false,
        });
    }

    /// Asks the subscription for what comes next, and once more if something is appended meanwhile.
    pub(super) fn follow_twice(&mut self, notice_count: u8, meanwhile: Option<&Draft>) -> Checked {
        self.follow(notice_count)?;
        let Some(draft) = meanwhile else { return Ok(()) };
        let wish = self.wish(draft);
        self.append(&wish)?;
        self.follow(notice_count)
    }

    /// Asks the subscription for what comes next, until it has nothing to say or has said enough.
    fn follow(&mut self, notice_count: u8) -> Checked {
        let Some(mut follower) = self.follower.take() else { return Ok(()) };
        let followed = self.follow_with(&mut follower, notice_count);
        self.follower = Some(follower);
        followed
    }

    fn follow_with(&mut self, follower: &mut Follower, notice_count: u8) -> Checked {
        if follower.since.is_some() {
            self.learn_times(false)?;
        }
        let mut open = match follower.open.take() {
            Some(open) => open,
            None => self.begin(follower)?,
        };
        for _ in 0..notice_count {
            let before = follower.checkpoint;
            let notice = open.subscription.next(Duration::ZERO).map_err(fail)?;
            let position = notice.position();
            let said = match notice {
                Notice::Event(event) => Said::Event(event.bytes().to_vec()),
                Notice::CaughtUp(_) => Said::CaughtUp,
                Notice::FellBehind(_) => Said::FellBehind,
                Notice::Progress(_) => Said::Progress,
                Notice::TimedOut(_) => Said::TimedOut,
                notice => return Err(TestCaseError::fail(format!("unexpected: {notice:?}"))),
            };
            prop_assert_eq!(open.subscription.position(), position, "{:?}", said);
            self.check_place(follower, &said, position)?;
            self.check_liveness(follower, &mut open, &said)?;
            let is_idle = matches!(said, Said::Progress) && before == position && open.is_live;
            if is_idle || matches!(said, Said::TimedOut) {
                break;
            }
        }
        follower.open = Some(open);
        Ok(())
    }

    fn begin(&mut self, follower: &mut Follower) -> Result<Open, TestCaseError> {
        let draft = &follower.draft;
        let reader =
            if draft.is_observer { Reader::open_on(self.disk.clone()).map_err(fail)? } else { self.store().reader() };
        let read = read_of(&draft.read, Some(follower.checkpoint), follower.since);
        let mut subscription = reader.subscribe(read).behind_after(u64::from(draft.behind_after));
        if draft.is_eager {
            subscription = subscription.progress_every(Duration::ZERO);
        }
        self.tally.add("subscriptions begun again", u64::from(follower.has_begun));
        follower.has_begun = true;
        Ok(Open { reader, subscription, is_live: false })
    }

    /// Everything up to where it has come was handed out, once and in order, or is not meant; it never goes back, and
    /// nowhere beyond what is readable.
    fn check_place(&mut self, follower: &mut Follower, said: &Said, position: Position) -> Checked {
        let before = std::mem::replace(&mut follower.checkpoint, position);
        prop_assert!(before <= position, "{:?} goes back from {} to {}", said, before, position);
        prop_assert!(position <= self.store().reader().head(), "{:?} beyond the head: {}", said, position);
        self.promise(position)?;
        let passed = &self.reference.below(position)[usize_of(before.0)..];
        let is_late = |position| follower.since.is_none_or(|since| self.reference.recorded_at(position) >= Some(since));
        let read = &follower.draft.read;
        let meant = passed.iter().filter(|event| is_late(event.position()) && is_meant(&event.record(), read));
        let meant: Vec<(Position, &[u8])> = meant.map(|event| (event.position(), event.record().bytes())).collect();
        match said {
            Said::Event(bytes) => {
                prop_assert_eq!(
                    meant,
                    [(Position(position.0 - 1), bytes.as_slice())],
                    "from {} to {}",
                    before,
                    position
                );
                self.tally.add(FOLLOWED, 1);
            }
            said => prop_assert!(meant.is_empty(), "{:?} at {} left out {:?}", said, position, meant),
        }
        Ok(())
    }

    /// It says that it has caught up once, when nothing is left; and that it fell behind when it has.
    fn check_liveness(&mut self, follower: &Follower, open: &mut Open, said: &Said) -> Checked {
        let position = follower.checkpoint;
        let head = open.reader.head();
        match said {
            Said::CaughtUp => {
                prop_assert!(!open.is_live && position >= head, "caught up at {} of {}", position, head);
                open.is_live = true;
                self.tally.add("subscriptions that caught up", 1);
            }
            Said::FellBehind => {
                let is_behind = head.0 - position.0 > u64::from(follower.draft.behind_after);
                prop_assert!(open.is_live && is_behind, "fell behind at {} of {}", position, head);
                open.is_live = false;
                self.tally.add("subscriptions that fell behind", 1);
            }
            Said::TimedOut => prop_assert!(open.is_live && position >= head, "idle at {} of {}", position, head),
            Said::Progress => self.tally.add("subscriptions that made progress", 1),
            Said::Event(_) => {}
        }
        Ok(())
    }
}

//! The store under test on its disk: opened, crashed, and opened again.

use super::answer::{Checked, fail};
use super::asking::Pending;
use super::following::Follower;
use super::reference::Reference;
use super::step::Step;
use super::tally::{CRASHES, Tally};
use super::upkeep::IndexState;
use super::wish::Wish;
use crate::support::small_options;
use gesta::disk::{CrashPlan, Fault, SimulatedDisk};
use gesta::environment::{Clock, Entropy, Environment};
use gesta::{Incarnation, Options, Position, Reader, Store, Timestamp, Uuid};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// The store under test, and what it must hold.
pub(super) struct World {
    pub(super) disk: SimulatedDisk,
    store: Option<Arc<Store<SimulatedDisk>>>,
    /// Looks on from another process; it lives until the power goes.
    pub(super) observer: Option<Reader<SimulatedDisk>>,
    pub(super) reference: Reference,
    /// Positions below it must survive everything.
    promised: u64,
    pub(super) tickets: Arc<Mutex<Vec<Pending>>>,
    /// What the next opening limits requests to, and what this one does.
    request_bytes_max: usize,
    pub(super) opened_request_bytes_max: usize,
    index_bytes_max: usize,
    segment_bytes_max: u64,
    /// The last requests, to be made again.
    pub(super) wishes: Vec<Wish>,
    /// Receipts of weak appends, with the id of the last event that they were given for.
    pub(super) weak: Vec<(Incarnation, Position, Uuid)>,
    /// The writer has failed: it takes nothing until the store is opened again.
    pub(super) is_poisoned: bool,
    /// The power may be off, so that nothing can be read either.
    pub(super) may_lack_power: bool,
    pub(super) clock: Arc<AtomicI64>,
    /// Told apart by it: events, requests, random bytes.
    numbers: Arc<AtomicU64>,
    /// A subscription that lives as long as the store it reads, and is begun again where it had come to.
    pub(super) follower: Option<Follower>,
    pub(super) index_state: IndexState,
    /// Index files as they once were.
    pub(super) old_indexes: BTreeMap<String, Vec<u8>>,
    /// The head when the store was opened last.
    pub(super) opened_head: Position,
    pub(super) tally: Tally,
}

/// The length of segments, unless they are to be twice as long: so that many are sealed.
const SHORT_SEGMENT_BYTES: u64 = 8192;

/// A clock that the test sets.
struct SetClock(Arc<AtomicI64>);

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }
}

/// Bytes that are never the same twice, and the same in every run.
struct Counted(Arc<AtomicU64>);

impl Entropy for Counted {
    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes.chunks_mut(8) {
            let drawn = mixed(self.0.fetch_add(1, Ordering::Relaxed));
            byte.copy_from_slice(&drawn.to_le_bytes()[..byte.len()]);
        }
    }
}

impl World {
    pub(super) fn new() -> Self {
        let mut world = Self {
            disk: SimulatedDisk::new(7),
            store: None,
            observer: None,
            reference: Reference::default(),
            promised: 0,
            tickets: Arc::default(),
            request_bytes_max: 3072,
            opened_request_bytes_max: 3072,
            index_bytes_max: usize::from(u16::MAX),
            segment_bytes_max: SHORT_SEGMENT_BYTES,
            wishes: Vec::new(),
            weak: Vec::new(),
            is_poisoned: false,
            may_lack_power: false,
            clock: Arc::new(AtomicI64::new(1_000)),
            numbers: Arc::default(),
            follower: None,
            index_state: IndexState::Whole,
            old_indexes: BTreeMap::new(),
            opened_head: Position::START,
            tally: Tally::default(),
        };
        world.open().unwrap();
        world
    }

    pub(super) fn store(&self) -> Arc<Store<SimulatedDisk>> {
        Arc::clone(self.store.as_ref().unwrap())
    }

    /// A number that was never given out before.
    pub(super) fn fresh(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn run(&mut self, step: &Step) -> Checked {
        self.clock.fetch_add(1, Ordering::Relaxed);
        match step {
            Step::Append(draft) => {
                let wish = self.wish(draft);
                self.append(&wish)
            }
            Step::Submit(draft) => {
                let wish = self.wish(draft);
                self.submit(&wish)
            }
            Step::SubmitDuringSync(events) => self.submit_during_sync(events),
            Step::Again { which, change, since, is_submitted } => self.again(*which, *change, *since, *is_submitted),
            Step::WaitForTickets => self.wait_for_tickets(),
            Step::Sync => self.sync(),
            Step::Mark => {
                self.store().mark();
                Ok(())
            }
            Step::Read(draft) => self.read(draft),
            Step::Observe(draft, kind) => self.observe(draft, *kind),
            Step::Names { kind, prefix } => self.list_names(*kind, prefix),
            Step::Subscribe(draft) => {
                self.subscribe(draft);
                Ok(())
            }
            Step::Follow { notice_count, meanwhile } => self.follow_twice(*notice_count, meanwhile.as_ref()),
            Step::Replay(draft) => self.replay(draft),
            Step::Grow { request_count } => self.grow(*request_count),
            Step::RebuildIndex => self.rebuild_index(),
            Step::SetClock { by } => {
                self.clock.fetch_add(i64::from(*by), Ordering::Relaxed);
                Ok(())
            }
            Step::Reopen => {
                self.close();
                self.reopen()
            }
            Step::LoseIndex { seed } => {
                self.close();
                self.lose_index(*seed);
                self.reopen()
            }
            Step::PowerCut { seed } => self.power_cut(*seed),
            Step::PowerFailsAt { call, seed } => {
                self.disk.inject(Fault::PowerFailsAt { call: u64::from(*call) });
                self.may_lack_power = true;
                self.append_on_the_way()?;
                self.power_cut(*seed)
            }
            Step::FailSyncAndReopen { sync } => {
                self.disk.inject(Fault::FailSync { sync: u64::from(*sync), persistent: false });
                self.append_on_the_way()?;
                self.disk.clear_faults();
                self.kill_process();
                self.reopen()
            }
            Step::CutRecovery { calls, seed } => self.cut_recovery(*calls, *seed),
            Step::Limits { request_bytes_max, index_bytes_max, has_long_segments } => {
                self.request_bytes_max = usize::from(*request_bytes_max);
                self.index_bytes_max = usize::from(*index_bytes_max);
                self.segment_bytes_max = SHORT_SEGMENT_BYTES << u32::from(*has_long_segments);
                Ok(())
            }
        }
    }

    /// Everything below a position was acknowledged as durable or shown to a reader.
    pub(super) fn promise(&mut self, end: Position) -> Checked {
        prop_assert!(end <= self.reference.head(), "{} of {}", end, self.reference.head());
        self.promised = self.promised.max(end.0);
        Ok(())
    }

    pub(super) fn power_cut(&mut self, seed: u64) -> Checked {
        self.cut_power(seed);
        self.reopen()
    }

    fn cut_power(&mut self, seed: u64) {
        self.disk.on_sync(None);
        self.disk.power_cut(&CrashPlan::random(seed));
        self.observer = None;
        self.disk.clear_faults();
        self.kill_process();
        self.tally.add(CRASHES, 1);
    }

    fn cut_recovery(&mut self, calls: [u8; 2], seed: u64) -> Checked {
        self.cut_power(seed);
        for call in calls {
            self.disk.inject(Fault::PowerFailsAt { call: u64::from(call % 12) + 1 });
            let opened = Store::open_on(self.disk.clone(), self.options());
            self.disk.power_cut(&CrashPlan::random(seed ^ u64::from(call)));
            drop(opened);
            self.tally.add(CRASHES, 1);
        }
        self.disk.clear_faults();
        self.reopen()
    }

    fn kill_process(&mut self) {
        self.disk.on_sync(None);
        self.follower.iter_mut().for_each(Follower::lay_down);
        self.index_state = self.index_state.max(IndexState::MayLack);
        self.store = None;
        self.tickets.lock().unwrap().clear();
    }

    fn close(&mut self) {
        self.disk.on_sync(None);
        self.follower.iter_mut().for_each(Follower::lay_down);
        self.tickets.lock().unwrap().clear();
        let store = Arc::into_inner(self.store.take().unwrap()).expect("nobody else holds the store");
        if store.close().is_ok() {
            self.promised = self.reference.len();
        } else {
            self.index_state = self.index_state.max(IndexState::MayLack);
        }
    }

    fn options(&self) -> Options {
        let mut options = small_options();
        options.limits.request_bytes_max = self.request_bytes_max;
        options.index_bytes_max = self.index_bytes_max;
        options.segment_bytes_max = self.segment_bytes_max;
        options.environment = Environment::new(SetClock(Arc::clone(&self.clock)), Counted(Arc::clone(&self.numbers)));
        options
    }

    fn open(&mut self) -> Result<(), gesta::OpenError> {
        self.is_poisoned = false;
        self.may_lack_power = false;
        self.opened_request_bytes_max = self.request_bytes_max;
        self.store = Some(Arc::new(Store::open_on(self.disk.clone(), self.options())?));
        Ok(())
    }

    /// Opens the store again: what survived must be a prefix of what was accepted, and hold all that was promised.
    fn reopen(&mut self) -> Checked {
        self.open().map_err(fail)?;
        let store = self.store();
        prop_assert!(!store.recovery().is_degraded, "{:?}", store.recovery());
        let head = store.reader().head();
        prop_assert!(head.0 >= self.promised, "lost: {} of {} promised events are left", head, self.promised);
        prop_assert!(head <= self.reference.head(), "{} of {} events", head, self.reference.head());
        prop_assert!(self.reference.truncate(head), "a part of a request survived: {} events", head);
        self.opened_head = head;
        for (incarnation, position, id) in std::mem::take(&mut self.weak) {
            let stands = self.reference.at(position).is_some_and(|event| event.record().id() == id);
            let is_lost = store.is_lost(incarnation, position);
            prop_assert!(stands != is_lost, "{:?} {} stands: {}, lost: {}", incarnation, position, stands, is_lost);
            if stands {
                self.weak.push((incarnation, position, id));
            }
        }
        self.promise(head)?;
        self.check_index()?;
        self.read_everything()
    }
}

/// A number that looks like a random one (the finalizer of SplitMix64).
pub(super) fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ number >> 31
}

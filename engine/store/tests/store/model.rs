//! The model test: random steps against a plain list of events, through crashes, failed syncs and reopenings.
//!
//! long: the model, its steps and its oracle are one argument, read from top to bottom.
//!
//! The oracle: what is read is what was accepted, in order, without gaps; what was acknowledged as durable, or shown to a
//! reader, survives every power cut; what survives is a prefix of what was accepted.

use crate::support::{actual_revision, small_options, stream, texts};
use gesta::disk::{CrashPlan, Fault, SimulatedDisk};
use gesta::{
    AppendError, AppendRequest, Durability, Event, EventType, ExpectedRevision, Incarnation, Position, Read, Receipt,
    Revision, Store, Ticket,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};

/// One thing that happens to a store.
#[derive(Clone, Debug)]
enum Step {
    Append {
        stream: u8,
        count: u8,
        size: u16,
        durability: Durability,
        expected: Belief,
    },
    Submit {
        stream: u8,
        count: u8,
        durability: Durability,
    },
    /// Requests that arrive while the next sync is under way.
    SubmitDuringSync {
        stream: u8,
        count: u8,
    },
    WaitForTickets,
    Sync,
    Mark,
    ReadAll,
    ReadStream {
        stream: u8,
        from: u8,
        limit: u8,
    },
    Reopen,
    PowerCut {
        seed: u64,
    },
    /// The power fails at a call from now on; what follows happens until then.
    PowerFailsAt {
        call: u8,
        seed: u64,
    },
    /// A sync fails, and the process starts again with the operating system's cache as it is.
    FailSyncAndReopen {
        sync: u8,
    },
    /// Recovery itself is cut off, twice.
    CutRecovery {
        calls: [u8; 2],
        seed: u64,
    },
    /// The options of the next openings are narrower or wider.
    Limits {
        request_bytes_max: u16,
    },
}

/// What the appending side believes of the stream.
#[derive(Clone, Copy, Debug)]
enum Belief {
    Any,
    True,
    Wrong,
}

const STREAMS: u8 = 4;

fn durability() -> impl Strategy<Value = Durability> {
    prop_oneof![3 => Just(Durability::Durable), 2 => Just(Durability::Written), 2 => Just(Durability::Buffered)]
}

fn step() -> impl Strategy<Value = Step> {
    let belief = prop_oneof![2 => Just(Belief::Any), 2 => Just(Belief::True), 1 => Just(Belief::Wrong)];
    let size = prop_oneof![4 => 0_u16..60, 1 => 300_u16..900];
    prop_oneof![
        12 => (0..STREAMS, 0_u8..4, size, durability(), belief).prop_map(|(stream, count, size, durability, expected)| {
            Step::Append { stream, count, size, durability, expected }
        }),
        4 => (0..STREAMS, 1_u8..3, durability())
            .prop_map(|(stream, count, durability)| Step::Submit { stream, count, durability }),
        2 => (0..STREAMS, 1_u8..3).prop_map(|(stream, count)| Step::SubmitDuringSync { stream, count }),
        2 => Just(Step::WaitForTickets),
        1 => Just(Step::Sync),
        2 => Just(Step::Mark),
        1 => Just(Step::ReadAll),
        1 => (0..STREAMS, 0_u8..20, 0_u8..20).prop_map(|(stream, from, limit)| Step::ReadStream { stream, from, limit }),
        1 => Just(Step::Reopen),
        5 => any::<u64>().prop_map(|seed| Step::PowerCut { seed }),
        4 => (1_u8..40, any::<u64>()).prop_map(|(call, seed)| Step::PowerFailsAt { call, seed }),
        1 => (1_u8..6).prop_map(|sync| Step::FailSyncAndReopen { sync }),
        1 => (any::<[u8; 2]>(), any::<u64>()).prop_map(|(calls, seed)| Step::CutRecovery { calls, seed }),
        1 => (1500_u16..4000).prop_map(|request_bytes_max| Step::Limits { request_bytes_max }),
    ]
}

type Check = Result<(), TestCaseError>;

/// The store under test, and what it must hold.
struct World {
    disk: SimulatedDisk,
    store: Option<Arc<Store<SimulatedDisk>>>,
    /// Everything accepted, in order: (stream, data).
    accepted: Vec<(u8, String)>,
    /// Positions below it must survive everything.
    promised: u64,
    tickets: Arc<Mutex<Vec<Pending>>>,
    request_bytes_max: usize,
    next_data: u64,
    /// Receipts of weak appends, with what they were given for.
    weak: Vec<(Incarnation, Position, String)>,
    crashes: u64,
}

/// A ticket, and the positions its receipt must tell.
type Pending = (Ticket<SimulatedDisk>, std::ops::Range<u64>);

impl World {
    fn new() -> Self {
        let mut world = Self {
            disk: SimulatedDisk::new(7),
            store: None,
            accepted: Vec::new(),
            promised: 0,
            tickets: Arc::default(),
            request_bytes_max: 3072,
            next_data: 0,
            weak: Vec::new(),
            crashes: 0,
        };
        world.open().unwrap();
        world
    }

    fn store(&self) -> Arc<Store<SimulatedDisk>> {
        Arc::clone(self.store.as_ref().unwrap())
    }

    fn run(&mut self, step: &Step) -> Check {
        match step {
            Step::Append { stream, count, size, durability, expected } => {
                self.append(*stream, *count, *size, *durability, *expected)
            }
            Step::Submit { stream, count, durability } => self.submit(*stream, *count, *durability),
            Step::SubmitDuringSync { stream, count } => self.submit_during_sync(*stream, *count),
            Step::WaitForTickets => self.wait_for_tickets(),
            Step::Sync => match self.store().sync() {
                Ok(()) => self.promise(self.store().reader().head().0),
                Err(error) => self.after_failure(&error),
            },
            Step::Mark => {
                self.store().mark();
                Ok(())
            }
            Step::ReadAll => self.read_all(),
            Step::ReadStream { stream, from, limit } => self.read_stream(*stream, *from, *limit),
            Step::Reopen => {
                self.settle_hook();
                let closed = Arc::into_inner(self.store.take().unwrap()).unwrap().close();
                if closed.is_ok() {
                    self.promised = self.accepted.len() as u64;
                }
                self.tickets.lock().unwrap().clear();
                self.reopen()
            }
            Step::PowerCut { seed } => self.power_cut(*seed),
            Step::PowerFailsAt { call, seed } => {
                self.disk.inject(Fault::PowerFailsAt { call: u64::from(*call) });
                for _ in 0..4 {
                    self.append(0, 2, 40, Durability::Durable, Belief::Any)?;
                    self.append(1, 1, 500, Durability::Written, Belief::True)?;
                }
                self.power_cut(*seed)
            }
            Step::FailSyncAndReopen { sync } => {
                self.disk.inject(Fault::FailSync { sync: u64::from(*sync), persistent: false });
                for _ in 0..3 {
                    self.append(2, 1, 30, Durability::Durable, Belief::Any)?;
                    self.submit(3, 1, Durability::Durable)?;
                }
                self.disk.clear_faults();
                self.settle_hook();
                self.store = None;
                self.tickets.lock().unwrap().clear();
                self.reopen()
            }
            Step::CutRecovery { calls, seed } => {
                self.kill(*seed);
                for call in calls {
                    self.disk.inject(Fault::PowerFailsAt { call: u64::from(call % 12) + 1 });
                    let opened = Store::open_on(self.disk.clone(), self.options());
                    self.disk.power_cut(&CrashPlan::random(seed ^ u64::from(*call)));
                    drop(opened);
                    self.crashes += 1;
                }
                self.disk.clear_faults();
                self.reopen()
            }
            Step::Limits { request_bytes_max } => {
                self.request_bytes_max = usize::from(*request_bytes_max);
                Ok(())
            }
        }
    }

    fn append(&mut self, to: u8, count: u8, size: u16, durability: Durability, belief: Belief) -> Check {
        let last = self.last_revision(to);
        let expected = match (belief, last) {
            (Belief::Any, _) => ExpectedRevision::Any,
            (Belief::True, None) => ExpectedRevision::NoStream,
            (Belief::True, Some(last)) => ExpectedRevision::Exactly(Revision(last)),
            (Belief::Wrong, last) => ExpectedRevision::Exactly(Revision(last.unwrap_or(0) + 1)),
        };
        let data = self.make_data(count, size);
        let request = request(to, &data, durability).expect(stream(&name(to)), expected);
        let outcome = self.store().append(request);
        match (outcome, belief) {
            (Ok(receipt), Belief::Any | Belief::True) => {
                self.accept(to, &data);
                self.check_receipt(&receipt, data.len() as u64, durability)
            }
            (Err(AppendError::Conflict(conflict)), Belief::Wrong) => {
                prop_assert_eq!(conflict.failed.len(), 1);
                prop_assert_eq!(actual_revision(&conflict.failed[0]), last.map(Revision));
                Ok(())
            }
            // Refused before anything was taken.
            (Err(AppendError::Request(_) | AppendError::NoSegment { .. }), _) => Ok(()),
            (Err(error @ AppendError::Poisoned { .. }), belief) => {
                // Whether it reached the log is not known: it may come after everything accepted.
                if !matches!(belief, Belief::Wrong) && !self.is_poisoned_before() {
                    self.accept(to, &data);
                }
                self.after_failure(&error)
            }
            (outcome, belief) => Err(TestCaseError::fail(format!("{outcome:?} for {belief:?}"))),
        }
    }

    /// What a receipt says must be so, and what it says is durable must stay.
    fn check_receipt(&mut self, receipt: &Receipt, count: u64, asked: Durability) -> Check {
        let end = self.accepted.len() as u64;
        prop_assert_eq!(&receipt.positions, &(Position(end - count)..Position(end)));
        prop_assert!(receipt.durability >= asked, "{:?}", receipt);
        if receipt.durability == Durability::Durable {
            prop_assert!(receipt.head >= receipt.positions.end);
            self.promise(end)?;
        } else if count > 0 {
            let data = self.accepted.last().unwrap().1.clone();
            self.weak.push((receipt.incarnation, Position(end - 1), data));
        }
        self.promise(receipt.head.0)
    }

    fn submit(&mut self, to: u8, count: u8, durability: Durability) -> Check {
        let data = self.make_data(count, 20);
        match self.store().submit(request(to, &data, durability)) {
            Ok(ticket) => {
                let from = self.accepted.len() as u64;
                self.accept(to, &data);
                self.tickets.lock().unwrap().push((ticket, from..self.accepted.len() as u64));
                Ok(())
            }
            Err(error) => self.after_failure(&error),
        }
    }

    /// Hands the disk a hook that submits requests while the next sync is under way.
    fn submit_during_sync(&mut self, to: u8, count: u8) -> Check {
        let data = self.make_data(count, 10);
        let store: Weak<Store<SimulatedDisk>> = Arc::downgrade(self.store.as_ref().unwrap());
        let tickets = Arc::clone(&self.tickets);
        let request = request(to, &data, Durability::Durable);
        let submitted = Arc::new(Mutex::new(false));
        let flag = Arc::clone(&submitted);
        let mut request = Some(request);
        self.disk.on_sync(Some(Box::new(move || {
            if let (Some(store), Some(request)) = (store.upgrade(), request.take())
                && let Ok(ticket) = store.submit(request)
            {
                *flag.lock().unwrap() = true;
                tickets.lock().unwrap().push((ticket, 0..0));
            }
        })));
        let before = self.accepted.len() as u64;
        let triggered = self.store().append(AppendRequest::new().event(event(to, "trigger")));
        self.disk.on_sync(None);
        let was_submitted = *submitted.lock().unwrap();
        let trigger = ["trigger".to_owned()];
        match triggered {
            Ok(receipt) => {
                // A sync may have come before the trigger had its place: to make room for it, or a segment.
                let hook_was_first = was_submitted && receipt.positions.start.0 == before + data.len() as u64;
                let mut parts = [(trigger.as_slice(), false), (data.as_slice(), true)];
                if hook_was_first {
                    parts.reverse();
                }
                for (part, is_hook) in parts.into_iter().filter(|(_, is_hook)| was_submitted || !is_hook) {
                    let from = self.accepted.len() as u64;
                    self.accept(to, part);
                    let range = from..self.accepted.len() as u64;
                    if is_hook {
                        self.tickets.lock().unwrap().last_mut().unwrap().1 = range;
                    } else {
                        prop_assert_eq!(&receipt.positions, &(Position(range.start)..Position(range.end)));
                        self.promise(range.end)?;
                    }
                }
                Ok(())
            }
            Err(error) => {
                prop_assert!(!was_submitted, "{:?}", error);
                self.after_failure(&error)
            }
        }
    }

    fn wait_for_tickets(&mut self) -> Check {
        let tickets = std::mem::take(&mut *self.tickets.lock().unwrap());
        for (ticket, range) in tickets {
            match ticket.wait() {
                Ok(receipt) => {
                    prop_assert_eq!(&receipt.positions, &(Position(range.start)..Position(range.end)));
                    if receipt.durability == Durability::Durable {
                        self.promise(range.end)?;
                    }
                }
                Err(error) => self.after_failure(&error)?,
            }
        }
        Ok(())
    }

    /// Everything below a position was acknowledged as durable or shown to a reader.
    fn promise(&mut self, end: u64) -> Check {
        prop_assert!(end <= self.accepted.len() as u64, "{} of {}", end, self.accepted.len());
        self.promised = self.promised.max(end);
        Ok(())
    }

    fn after_failure(&self, error: &AppendError) -> Check {
        match error {
            AppendError::Poisoned { .. } | AppendError::NoSegment { .. } | AppendError::Closed => Ok(()),
            other => Err(TestCaseError::fail(format!("unexpected: {other:?}"))),
        }
    }

    /// Whether the writer had failed before the last call already, so that the call took nothing.
    fn is_poisoned_before(&mut self) -> bool {
        let position = self.accepted.len() as u64;
        // The first failure is remembered: a second one takes nothing.
        let known = POISONED_AT.with(|poisoned| poisoned.replace(Some(position)));
        known.is_some()
    }

    fn read_all(&mut self) -> Check {
        let store = self.store();
        let head = store.reader().head().0;
        self.promise(head)?;
        let expected: Vec<&str> = self.accepted.iter().map(|(_, data)| data.as_str()).take(usize_of(head)).collect();
        let forward = texts(store.read(Read::all())).map_err(fail)?;
        prop_assert_eq!(&forward, &expected);
        let mut backward = texts(store.read(Read::all().backwards())).map_err(fail)?;
        backward.reverse();
        prop_assert_eq!(&backward, &expected);
        Ok(())
    }

    fn read_stream(&mut self, which: u8, from: u8, limit: u8) -> Check {
        let store = self.store();
        let head = usize_of(store.reader().head().0);
        let all = || self.accepted[..head].iter().filter(|(stream, _)| *stream == which).map(|(_, data)| data.clone());
        let read = Read::stream(stream(&name(which))).from_revision(Revision(u64::from(from))).limit(u64::from(limit));
        let expected: Vec<String> = all().skip(usize::from(from)).take(usize::from(limit)).collect();
        prop_assert_eq!(texts(store.read(read.clone())).map_err(fail)?, expected);
        let expected: Vec<String> = all().take(usize::from(from) + 1).collect();
        let expected: Vec<String> = expected.into_iter().rev().take(usize::from(limit)).collect();
        prop_assert_eq!(texts(store.read(read.backwards())).map_err(fail)?, expected);
        Ok(())
    }

    fn power_cut(&mut self, seed: u64) -> Check {
        self.kill(seed);
        self.reopen()
    }

    fn kill(&mut self, seed: u64) {
        self.settle_hook();
        self.disk.power_cut(&CrashPlan::random(seed));
        self.disk.clear_faults();
        self.store = None;
        self.tickets.lock().unwrap().clear();
        self.crashes += 1;
    }

    fn settle_hook(&self) {
        self.disk.on_sync(None);
    }

    fn options(&self) -> gesta::Options {
        let mut options = small_options();
        options.limits.request_bytes_max = self.request_bytes_max;
        options
    }

    fn open(&mut self) -> Result<(), gesta::OpenError> {
        POISONED_AT.set(None);
        self.store = Some(Arc::new(Store::open_on(self.disk.clone(), self.options())?));
        Ok(())
    }

    /// Opens the store again: what survived must be a prefix of what was accepted, and hold all that was promised.
    fn reopen(&mut self) -> Check {
        self.open().map_err(fail)?;
        let store = self.store();
        prop_assert!(!store.recovery().is_degraded, "{:?}", store.recovery());
        let head = store.reader().head().0;
        prop_assert!(head >= self.promised, "lost: {} of {} promised events are left", head, self.promised);
        prop_assert!(head <= self.accepted.len() as u64, "{} of {} events", head, self.accepted.len());
        self.accepted.truncate(usize_of(head));
        for (incarnation, position, data) in std::mem::take(&mut self.weak) {
            let stands = self.accepted.get(usize_of(position.0)).is_some_and(|(_, found)| *found == data);
            let is_lost = store.is_lost(incarnation, position);
            prop_assert!(stands != is_lost, "{:?} {} stands: {}, lost: {}", incarnation, position, stands, is_lost);
            if stands {
                self.weak.push((incarnation, position, data));
            }
        }
        self.promise(head)?;
        self.read_all()
    }

    fn accept(&mut self, to: u8, data: &[String]) {
        self.accepted.extend(data.iter().map(|data| (to, data.clone())));
    }

    fn last_revision(&self, of: u8) -> Option<u64> {
        let count = self.accepted.iter().filter(|(stream, _)| *stream == of).count() as u64;
        count.checked_sub(1)
    }

    fn make_data(&mut self, count: u8, size: u16) -> Vec<String> {
        let mut make = || {
            self.next_data += 1;
            format!("{}:{}", self.next_data, "x".repeat(usize::from(size)))
        };
        (0..count).map(|_| make()).collect()
    }
}

thread_local! {
    static POISONED_AT: std::cell::Cell<Option<u64>> = const { std::cell::Cell::new(None) };
}

fn name(stream: u8) -> String {
    format!("stream-{stream}")
}

fn event(to: u8, data: &str) -> Event {
    Event::new(EventType::new("Happened").unwrap()).stream(stream(&name(to))).data(data)
}

fn request(to: u8, data: &[String], durability: Durability) -> AppendRequest {
    AppendRequest::new().events(data.iter().map(|data| event(to, data))).durability(durability)
}

fn usize_of(number: u64) -> usize {
    usize::try_from(number).unwrap()
}

fn fail(error: impl std::fmt::Display) -> TestCaseError {
    TestCaseError::fail(error.to_string())
}

static CRASHES: AtomicU64 = AtomicU64::new(0);

/// Runs sequences of steps; returns how many crashes they went through, or what failed.
pub(crate) fn run_sequences(cases: u32, steps: usize) -> Result<u64, Box<TestError<impl std::fmt::Debug>>> {
    let before = CRASHES.load(Ordering::Relaxed);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 2000, ..Config::default() };
    let mut runner = TestRunner::new(config);
    let sequences = proptest::collection::vec(step(), 1..steps);
    let outcome = runner.run(&sequences, |steps| {
        let mut world = World::new();
        for step in &steps {
            world.run(step)?;
        }
        world.power_cut(steps.len() as u64)?;
        CRASHES.fetch_add(world.crashes, Ordering::Relaxed);
        Ok(())
    });
    outcome.map(|()| CRASHES.load(Ordering::Relaxed) - before).map_err(Box::new)
}

/// How many sequences to run: more with `GESTA_MODEL_SEQUENCES`.
#[cfg(not(gesta_sabotage))]
fn sequences() -> u32 {
    std::env::var("GESTA_MODEL_SEQUENCES").ok().and_then(|count| count.parse().ok()).unwrap_or(2_500)
}

#[cfg(not(gesta_sabotage))]
#[test]
fn nothing_acknowledged_is_lost_whatever_happens() {
    let crashes = run_sequences(sequences(), 60).unwrap_or_else(|failure| panic!("{failure}"));
    println!("{} sequences, {crashes} simulated crashes, 0 acknowledged events lost", sequences());
    assert!(crashes >= 8 * u64::from(sequences()), "only {crashes} crashes: the sequences are too tame");
}

#[cfg(gesta_sabotage)]
#[test]
fn sabotage_acknowledging_before_the_sync_is_caught() {
    gesta::sabotage::put_in(Some(gesta::sabotage::Bug::AcknowledgeBeforeSync));
    let outcome = run_sequences(2_000, 60);
    gesta::sabotage::put_in(None);
    let failure = outcome.expect_err("a writer that acknowledges before the sync loses events").to_string();
    // Either events are missing, or what is left of them proves that some are.
    assert!(failure.contains("lost") || failure.contains("is_degraded: true"), "{failure}");
}

//! When a store scrubs, and what is done about what it finds.

use super::ledger::Ledger;
use super::observer::ScrubObserver;
use super::pass::{Ground, Outcome, Pass};
use crate::disk::Disk;
use crate::environment::Environment;
use crate::index::Index;
use crate::log::Log;
use crate::options::{Options, ScrubOptions};
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicBool, Ordering};
use gesta_model::Timestamp;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

/// The scrub of one store.
pub(crate) struct Scrub<D: Disk> {
    options: ScrubOptions,
    observer: Option<Arc<dyn ScrubObserver>>,
    environment: Environment,
    log: Arc<Log<D>>,
    index: Arc<Index<D>>,
    ledger: Arc<Ledger>,
    ends: AtomicBool,
    state: Mutex<State<D>>,
}

struct State<D: Disk> {
    pass: Option<Pass<D>>,
    /// When the pass that is under way began, or the last one.
    began_at: Option<Timestamp>,
    buffer: Vec<u8>,
}

/// What is to be done after a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Due {
    /// When the next step is due.
    pub(crate) wait: Duration,
    /// An index file was found damaged: it is to be made anew.
    pub(crate) has_lost_index: bool,
}

impl<D: Disk> Scrub<D> {
    /// The scrub of a store, if the options ask for one. The first pass begins with the first step.
    pub(crate) fn of(options: &Options, log: &Arc<Log<D>>, index: &Arc<Index<D>>) -> Option<Self> {
        let scrub = options.scrub.clone()?;
        Some(Self {
            options: scrub,
            observer: options.scrub_observer.clone(),
            environment: options.environment.clone(),
            log: Arc::clone(log),
            index: Arc::clone(index),
            ledger: Arc::default(),
            ends: AtomicBool::new(false),
            state: Mutex::new(State { pass: None, began_at: None, buffer: Vec::new() }),
        })
    }

    /// What it has done and found.
    pub(crate) fn ledger(&self) -> Arc<Ledger> {
        Arc::clone(&self.ledger)
    }

    /// Does one step, if one is due.
    pub(crate) fn step(&self) -> Due {
        let mut state = self.state.lock();
        let State { pass, began_at, buffer } = &mut *state;
        let now = self.environment.now();
        let wait = |wait| Due { wait, has_lost_index: false };
        let ground = Ground { log: &self.log, index: &self.index, ends: &self.ends };
        if pass.is_none() {
            let until_next = until_next_pass(began_at, now, self.options.interval);
            if !until_next.is_zero() {
                return wait(until_next);
            }
            *began_at = Some(now);
        }
        let rate = &self.options.rate;
        let until_next = rate.wait(now);
        if !until_next.is_zero() {
            return wait(until_next);
        }
        let current = pass.get_or_insert_with(|| Pass::begin(&ground, u64::from_le_bytes(self.environment.random())));
        let (read_bytes, outcome) = current.step(&ground, rate.stretch_bytes(), buffer);
        if self.is_ending() {
            // What could not be read any more is no damage.
            return wait(self.options.interval);
        }
        rate.spent(read_bytes);
        self.ledger.went_on(read_bytes, current.progress());
        if matches!(outcome, Outcome::Over) {
            *pass = None;
            *buffer = Vec::new();
        }
        drop(state);
        let has_lost_index = matches!(outcome, Outcome::IndexFile { .. });
        self.tell(outcome, now);
        Due { wait: rate.wait(now), has_lost_index }
    }

    /// Ends it, at once: a step that is under way reads no further.
    pub(crate) fn end(&self) {
        // Relaxed: nothing is handed over with it.
        self.ends.store(true, Ordering::Relaxed);
    }

    fn is_ending(&self) -> bool {
        self.ends.load(Ordering::Relaxed)
    }

    /// Notes what was come upon, and tells the observer of it.
    fn tell(&self, outcome: Outcome, now: Timestamp) {
        match outcome {
            Outcome::GoesOn => {}
            Outcome::Segment(number, found) => {
                for damage in self.ledger.looked_at(number, found) {
                    self.observe(|observer| observer.damaged(&damage));
                }
            }
            Outcome::IndexFile { file, what } => {
                self.ledger.index_file_damaged();
                self.observe(|observer| observer.index_file_damaged(&file, &what));
            }
            Outcome::Over => {
                self.ledger.ended(now);
                self.observe(|observer| observer.pass_ended(&self.ledger.status()));
            }
        }
    }

    /// The observer is somebody else's code: its panic must not end the thread that keeps the store.
    fn observe(&self, call: impl FnOnce(&dyn ScrubObserver)) {
        if let Some(observer) = &self.observer {
            let _ = catch_unwind(AssertUnwindSafe(|| call(&**observer)));
        }
    }
}

/// How long it is until the next pass begins. A clock that was set back begins the interval anew.
fn until_next_pass(began_at: &mut Option<Timestamp>, now: Timestamp, interval: Duration) -> Duration {
    let Some(began) = began_at else { return Duration::ZERO };
    *began = (*began).min(now);
    let since = u64::try_from(now.0.saturating_sub(began.0)).unwrap_or(0);
    interval.saturating_sub(Duration::from_nanos(since))
}

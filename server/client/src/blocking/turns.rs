//! Who runs the connections of a blocking client: its own thread, or whoever waits for an answer.
//!
//! One thread at a time runs them. Callers who ask one thing after another run them while they wait, which saves the way to the
//! client's thread and back. That thread takes over
//!
//! - at once, when something is under way that nobody runs the connections for: a submitted append, a read that goes on
//!   while its reader works;
//! - after a while in which nobody asked, for the server wants to hear from a client that is there.
//!
//! It keeps them for as long at least. What it decides by is the state, not who woke it: a wish may be older than a need.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// How long nobody asks before the client's thread takes over.
const GRACE: Duration = Duration::from_millis(20);

/// Who runs the connections, and who wants what of them.
#[derive(Default)]
pub(super) struct Turns {
    state: Mutex<State>,
    /// The client's thread is needed.
    needed: Condvar,
    /// Somebody would run the connections in its place.
    wanted: Notify,
}

#[derive(Default)]
struct State {
    /// Callers who run the connections while they wait, or would.
    asking: usize,
    /// How many there have been.
    asked: u64,
    /// Callers who wait and leave the connections to the client's thread.
    relying: usize,
    /// When something was handed in last that nobody may be waiting for.
    called_at: Option<Instant>,
    /// The client's thread stands by.
    stands_by: bool,
}

impl State {
    /// Whether callers can do without the client's thread: nobody relies on it, and what was handed in lately had its time.
    fn may_stand_by(&self) -> bool {
        self.relying == 0 && self.called_at.is_none_or(|called_at| called_at.elapsed() >= GRACE)
    }
}

/// Somebody waits; no longer when it is dropped.
pub(super) struct Waiting<'a> {
    turns: &'a Turns,
    count: fn(&mut State) -> &mut usize,
}

impl Turns {
    /// The caller is going to run the connections while it waits.
    pub(super) fn ask(&self) -> Waiting<'_> {
        let mut state = self.state();
        state.asked += 1;
        if !state.stands_by && state.may_stand_by() {
            self.wanted.notify_one();
        }
        self.wait(state, |state| &mut state.asking)
    }

    /// The caller is going to wait for what the client's thread does.
    pub(super) fn rely(&self) -> Waiting<'_> {
        let state = self.state();
        if state.stands_by {
            self.needed.notify_one();
        }
        self.wait(state, |state| &mut state.relying)
    }

    /// Something was handed in.
    pub(super) fn call(&self) {
        let mut state = self.state();
        state.called_at = Some(Instant::now());
        if state.stands_by {
            self.needed.notify_one();
        }
    }

    fn wait(&self, mut state: MutexGuard<'_, State>, count: fn(&mut State) -> &mut usize) -> Waiting<'_> {
        *count(&mut state) += 1;
        Waiting { turns: self, count }
    }

    /// Waits until somebody would run the connections in place of the client's thread, and it can let go of them.
    pub(super) async fn wanted(&self) {
        loop {
            self.wanted.notified().await;
            let state = self.state();
            if state.asking > 0 && state.may_stand_by() {
                return;
            }
        }
    }

    /// Leaves the connections to the callers until the client's thread is needed.
    pub(super) fn stand_by(&self) {
        let mut state = self.state();
        state.stands_by = true;
        while state.may_stand_by() {
            let asked = state.asked;
            let (after, waited) = self.needed.wait_timeout(state, GRACE).unwrap_or_else(PoisonError::into_inner);
            state = after;
            if waited.timed_out() && state.asking == 0 && state.asked == asked {
                break;
            }
        }
        state.stands_by = false;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Counts are whole whenever somebody panics.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        *(self.count)(&mut self.turns.state()) -= 1;
    }
}

//! The place where one waiter finds its outcome, and is woken for it alone.

use crate::sync::Mutex;
use crate::sync::thread::{self, Thread};
use gesta_model::{AppendError, Receipt};
use std::task::{Context, Poll, Waker};

/// What an append comes to.
pub(super) type Outcome = Result<Receipt, AppendError>;

/// Filled once, taken once.
#[derive(Debug, Default)]
pub(super) struct Slot {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    outcome: Option<Outcome>,
    sleeper: Option<Sleeper>,
}

#[derive(Debug)]
enum Sleeper {
    Thread(Thread),
    Task(Waker),
}

impl Slot {
    /// A slot that is filled already.
    pub(super) fn filled(outcome: Outcome) -> Self {
        Self { state: Mutex::new(State { outcome: Some(outcome), sleeper: None }) }
    }

    /// Fills the slot and wakes whoever waits for it.
    pub(super) fn fill(&self, outcome: Outcome) {
        let mut state = self.state.lock();
        state.outcome = Some(outcome);
        let sleeper = state.sleeper.take();
        drop(state);
        match sleeper {
            Some(Sleeper::Thread(thread)) => thread.unpark(),
            Some(Sleeper::Task(waker)) => waker.wake(),
            None => {}
        }
    }

    /// Takes the outcome, if it is there.
    pub(super) fn take(&self) -> Option<Outcome> {
        self.state.lock().outcome.take()
    }

    /// Takes the outcome, sleeping until it is there.
    pub(super) fn wait(&self) -> Outcome {
        loop {
            let mut state = self.state.lock();
            if let Some(outcome) = state.outcome.take() {
                return outcome;
            }
            state.sleeper = Some(Sleeper::Thread(thread::current()));
            drop(state);
            thread::park();
        }
    }

    /// Takes the outcome, or leaves word whom to wake.
    pub(super) fn poll(&self, context: &mut Context<'_>) -> Poll<Outcome> {
        let mut state = self.state.lock();
        match state.outcome.take() {
            Some(outcome) => Poll::Ready(outcome),
            None => {
                state.sleeper = Some(Sleeper::Task(context.waker().clone()));
                Poll::Pending
            }
        }
    }
}

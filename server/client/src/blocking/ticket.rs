//! The outcome of a submitted append, waited for by a thread.

use super::worker::Hold;
use crate::core::Outcome;
use gesta_model::{AppendError, AppendTicket, Receipt};

/// A promise of a receipt. Dropping it does not undo the append.
pub struct BlockingTicket {
    outcome: Outcome,
    hold: Hold,
}

impl BlockingTicket {
    pub(super) fn new(outcome: Outcome, hold: Hold) -> Self {
        Self { outcome, hold }
    }
}

impl AppendTicket for BlockingTicket {
    fn wait(self) -> Result<Receipt, AppendError> {
        let Self { outcome, hold } = self;
        if hold.core.target.options.request_timeout.is_some() {
            return hold.wait_for(hold.core.outcome(outcome));
        }
        let _relying = hold.rely();
        hold.core.told(outcome.blocking_recv())
    }
}

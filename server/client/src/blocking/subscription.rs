//! An unbounded read by a thread.

use super::worker::Hold;
use crate::Subscription;
use gesta_model::{EventSubscription, Notice, Position, ReadError, Timestamp};
use std::time::Duration;

/// Events from a place on, without end. Only waiting for a frame goes by way of the client's own thread.
pub struct BlockingSubscription {
    subscription: Subscription,
    hold: Hold,
}

impl BlockingSubscription {
    pub(super) fn new(subscription: Subscription, hold: Hold) -> Self {
        Self { subscription, hold }
    }
}

impl EventSubscription for BlockingSubscription {
    fn next(&mut self, timeout: Duration) -> Result<Notice<'_>, ReadError> {
        let said = match self.subscription.ready() {
            Some(said) => Some(said),
            None => self.hold.wait_up_to(timeout, self.subscription.said()),
        };
        self.subscription.hand_out(said)
    }

    fn position(&self) -> Position {
        self.subscription.position()
    }

    fn recorded_at(&self) -> Option<Timestamp> {
        self.subscription.recorded_at()
    }
}

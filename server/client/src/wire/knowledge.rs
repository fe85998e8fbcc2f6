//! What a client has learnt of its store, from whatever connection.

use gesta_model::{Incarnation, Limits, Position, Uuid};
use gesta_protocol::Welcome;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a client has learnt of its store.
#[derive(Debug, Default)]
pub(crate) struct Knowledge {
    learnt: Mutex<Learnt>,
}

#[derive(Debug, Default)]
struct Learnt {
    store_id: Option<Uuid>,
    incarnation: Incarnation,
    /// The last head of this incarnation that was heard of.
    head: Position,
    limits: Option<Limits>,
}

impl Knowledge {
    /// Takes note of a welcome; the error says that it is not of the same store.
    pub(super) fn welcome(&self, welcome: &Welcome) -> Result<(), String> {
        let mut learnt = self.lock();
        match learnt.store_id {
            Some(id) if id != welcome.store_id => {
                return Err(format!(
                    "the store here was {id} and is {} now: positions mean nothing in it",
                    welcome.store_id
                ));
            }
            _ => learnt.store_id = Some(welcome.store_id),
        }
        learnt.limits = Some(welcome.limits);
        learnt.head(welcome.incarnation, welcome.head);
        Ok(())
    }

    /// Takes note of a head.
    pub(crate) fn head(&self, incarnation: Incarnation, head: Position) {
        self.lock().head(incarnation, head);
    }

    /// The last head heard of, and the life of the log that it is of.
    pub(crate) fn last_head(&self) -> (Incarnation, Position) {
        let learnt = self.lock();
        (learnt.incarnation, learnt.head)
    }

    /// The name that the store was given, once a server has told.
    pub(crate) fn store_id(&self) -> Option<Uuid> {
        self.lock().store_id
    }

    /// What an append may hold, once a server has told.
    pub(crate) fn limits(&self) -> Option<Limits> {
        self.lock().limits
    }

    fn lock(&self) -> MutexGuard<'_, Learnt> {
        self.learnt.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Learnt {
    /// A head of an earlier life says nothing about this one: the log may have lost its end.
    fn head(&mut self, incarnation: Incarnation, head: Position) {
        if incarnation > self.incarnation {
            (self.incarnation, self.head) = (incarnation, head);
        } else if incarnation == self.incarnation {
            self.head = self.head.max(head);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_head_grows_within_a_life_and_begins_anew_with_the_next() {
        let knowledge = Knowledge::default();
        for ((incarnation, head), last) in
            [((1, 5), (1, 5)), ((1, 3), (1, 5)), ((1, 9), (1, 9)), ((2, 4), (2, 4)), ((1, 99), (2, 4))]
        {
            knowledge.head(Incarnation(incarnation), Position(head));
            assert_eq!(knowledge.last_head(), (Incarnation(last.0), Position(last.1)));
        }
    }
}

//! What tells the batches of a log from all other bytes: the store's secret, and which lives lost their tail.

use crate::sabotage::{Bug, has};
use gesta_model::codec::{BatchHeader, StoreKey};
use gesta_model::{Incarnation, Position};

/// The origin that every batch of a log must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The secret that keys the checks of the store's batches.
    pub(crate) key: StoreKey,
    /// (incarnation, its first position), growing in both: what earlier lives gave out from there on is void.
    pub(crate) lives: Vec<(Incarnation, Position)>,
}

impl Origin {
    /// Whether a position that was given out in a life no longer stands for the event it was given to.
    pub(crate) fn is_lost(&self, given_in: Incarnation, position: Position) -> bool {
        let later = self.lives.partition_point(|(life, _)| *life <= given_in);
        self.lives.get(later).is_some_and(|(_, first)| *first <= position)
    }

    /// Whether the events of a batch were lost by the life that wrote it: a stale sector or an old copy brought it back.
    pub(crate) fn is_void(&self, header: &BatchHeader) -> bool {
        !has(Bug::TakeVoidBatches) && header.count > 0 && self.is_lost(header.incarnation, header.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_lost_from_the_first_of_the_next_life_on() {
        let lives = vec![(Incarnation(3), Position(10)), (Incarnation(5), Position(20))];
        let origin = Origin { key: StoreKey([0; 16]), lives };
        let lost = |life, position| origin.is_lost(Incarnation(life), Position(position));
        assert!(!lost(2, 9) && lost(2, 10) && lost(2, 25));
        assert!(!lost(3, 19) && lost(3, 20) && lost(4, 20));
        assert!(!lost(5, 20) && !lost(6, 100));
    }
}

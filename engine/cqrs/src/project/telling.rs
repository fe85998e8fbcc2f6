//! Telling the store how projections are doing: for those who wait for them there, or look on.

use gesta_model::{ProjectionBoard, ProjectionState, ProjectionStatus};
use std::time::{Duration, Instant};

/// How soon it is told again while only positions change.
const POSITIONS_EVERY: Duration = Duration::from_millis(10);
/// How soon it is told again when nothing has changed, or the store could not be told.
const ANYHOW_EVERY: Duration = Duration::from_secs(1);

/// What the store was told last, and when.
#[derive(Debug, Default)]
pub(super) struct Telling {
    told: Vec<ProjectionStatus>,
    told_at: Option<Instant>,
    /// The store has handed out replays, which have been carried out by the next telling.
    owes_answer: bool,
    has_failed: bool,
}

impl Telling {
    /// Tells the store when it is time; returns the names of the projections whose parked events are to be tried again before
    /// it is told the next time.
    ///
    /// What stands by is told by whoever folds it. That a store cannot be told stops nobody.
    pub(super) fn tell<S>(&mut self, store: &S, mut statuses: Vec<ProjectionStatus>) -> Vec<String>
    where
        S: ProjectionBoard + ?Sized,
    {
        statuses.retain(|status| status.state != ProjectionState::Standby);
        // Of one that is folded into several read models, the one that has not come as far is told of.
        statuses.sort_by(|a, b| (&a.projection, a.position).cmp(&(&b.projection, b.position)));
        statuses.dedup_by(|next, first| next.projection == first.projection);
        let now = Instant::now();
        if statuses.is_empty() || !self.is_due(&statuses, now) {
            return Vec::new();
        }
        let outcome = store.tell_projections(&statuses);
        (self.told, self.told_at, self.has_failed) = (statuses, Some(now), outcome.is_err());
        let names = outcome.unwrap_or_default();
        self.owes_answer = !names.is_empty();
        names
    }

    fn is_due(&self, statuses: &[ProjectionStatus], now: Instant) -> bool {
        let Some(told_at) = self.told_at else { return true };
        let elapsed = now.saturating_duration_since(told_at);
        if elapsed >= ANYHOW_EVERY {
            return true;
        }
        let is_alike = |(now, told): (&ProjectionStatus, &ProjectionStatus)| {
            (&now.projection, &now.state, now.parked_count) == (&told.projection, &told.state, told.parked_count)
        };
        let are_alike = statuses.len() == self.told.len() && statuses.iter().zip(&self.told).all(is_alike);
        let have_moved = elapsed >= POSITIONS_EVERY && statuses != self.told;
        !self.has_failed && (self.owes_answer || !are_alike || have_moved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gesta_model::{Position, ProjectionId, ProjectionReport, ReadError, WaitError};
    use std::sync::Mutex;

    /// Takes down what it is told, hands out a replay once, or refuses everything.
    #[derive(Default)]
    struct Board {
        told: Mutex<Vec<Vec<ProjectionStatus>>>,
        replays: Mutex<Vec<String>>,
        is_broken: bool,
    }

    impl Board {
        fn told_count(&self) -> usize {
            self.told.lock().unwrap().len()
        }
    }

    impl ProjectionBoard for Board {
        fn tell_projections(&self, statuses: &[ProjectionStatus]) -> Result<Vec<String>, ReadError> {
            self.told.lock().unwrap().push(statuses.to_vec());
            if self.is_broken {
                Err(ReadError::NoEventIds)
            } else {
                Ok(std::mem::take(&mut self.replays.lock().unwrap()))
            }
        }

        fn projections(&self, _: &str) -> Result<Vec<ProjectionReport>, ReadError> {
            unreachable!("whoever tells does not ask")
        }

        fn wait_for_projection(&self, _: &str, _: Position, _: Duration) -> Result<(), WaitError> {
            unreachable!("whoever tells does not wait")
        }

        fn ask_to_replay_parked(&self, _: &str) -> Result<bool, ReadError> {
            unreachable!("whoever tells does not ask")
        }
    }

    fn status(position: u64, parked_count: u64, state: ProjectionState) -> ProjectionStatus {
        let projection = ProjectionId { name: "a".to_owned(), version: 1 };
        let is_serving = !matches!(state, ProjectionState::Building | ProjectionState::Superseded { .. });
        ProjectionStatus {
            projection,
            position: Position(position),
            lag: 0,
            is_serving,
            parked_count,
            eta: None,
            state,
        }
    }

    fn live(position: u64) -> ProjectionStatus {
        status(position, 0, ProjectionState::Live)
    }

    #[test]
    fn of_several_read_models_the_last_one_is_told_of() {
        let (mut telling, board) = (Telling::default(), Board::default());
        telling.tell(&board, vec![live(7), live(3), live(5)]);
        assert_eq!(*board.told.lock().unwrap(), [[live(3)]]);
    }

    #[test]
    fn a_change_is_told_at_once_and_positions_now_and_then() {
        let (mut telling, board) = (Telling::default(), Board::default());
        telling.tell(&board, vec![live(1)]);
        let told_at = telling.told_at.unwrap();
        let is_due = |statuses: &[ProjectionStatus], ms| telling.is_due(statuses, told_at + Duration::from_millis(ms));
        assert!(is_due(&[status(1, 1, ProjectionState::Live)], 0));
        assert!(is_due(&[status(1, 0, ProjectionState::CatchingUp)], 0));
        assert!(is_due(&[live(1), live(1)], 0));
        assert!(!is_due(&[live(2)], 9));
        assert!(is_due(&[live(2)], 10));
        assert!(!is_due(&[live(1)], 999));
        assert!(is_due(&[live(1)], 1000));
    }

    #[test]
    fn what_stands_by_is_not_told() {
        let (mut telling, board) = (Telling::default(), Board::default());
        let standby = || status(0, 0, ProjectionState::Standby);
        telling.tell(&board, vec![standby()]);
        telling.tell(&board, vec![standby(), live(3)]);
        assert_eq!(*board.told.lock().unwrap(), [[live(3)]]);
    }

    #[test]
    fn that_a_replay_was_carried_out_is_told_at_once() {
        let board = Board { replays: Mutex::new(vec!["a".to_owned()]), ..Board::default() };
        let mut telling = Telling::default();
        assert_eq!(telling.tell(&board, vec![live(1)]), ["a"]);
        assert_eq!(telling.tell(&board, vec![live(1)]), Vec::<String>::new());
        assert_eq!(board.told_count(), 2);
        assert!(!telling.is_due(&[live(1)], telling.told_at.unwrap()));
    }

    #[test]
    fn a_store_that_cannot_be_told_is_told_again_later() {
        let (mut telling, board) = (Telling::default(), Board { is_broken: true, ..Board::default() });
        assert_eq!(telling.tell(&board, vec![live(1)]), Vec::<String>::new());
        let told_at = telling.told_at.unwrap();
        let changed = [status(1, 0, ProjectionState::CatchingUp)];
        assert!(!telling.is_due(&changed, told_at + Duration::from_millis(999)));
        assert!(telling.is_due(&changed, told_at + Duration::from_secs(1)));
    }
}

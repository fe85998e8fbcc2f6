//! How far projections have come, for those who wait for them.

use gesta_model::{Position, ProjectionState, ProjectionStatus, WaitError};
use parking_lot::{Condvar, Mutex};
use std::cmp::Reverse;
use std::time::{Duration, Instant};

/// How far the projections of a runner have come.
#[derive(Debug, Default)]
pub(super) struct Progress {
    board: Mutex<Board>,
    moved: Condvar,
}

#[derive(Debug, Default)]
struct Board {
    statuses: Vec<ProjectionStatus>,
    /// Why nothing moves any more.
    ended: Option<String>,
}

impl Progress {
    /// Writes down how a projection is doing.
    pub(super) fn tell(&self, ordinal: usize, status: ProjectionStatus) {
        let mut board = self.board.lock();
        match board.statuses.get_mut(ordinal) {
            Some(place) => *place = status,
            None => board.statuses.push(status),
        }
        drop(board);
        self.moved.notify_all();
    }

    /// Nothing moves any more.
    pub(super) fn end(&self, reason: String) {
        self.board.lock().ended = Some(reason);
        self.moved.notify_all();
    }

    /// How all of them are doing.
    pub(super) fn statuses(&self) -> Vec<ProjectionStatus> {
        self.board.lock().statuses.clone()
    }

    /// Waits until the version of a projection that serves has reached a position.
    pub(super) fn wait(&self, name: &str, wanted: Position, timeout: Duration) -> Result<(), WaitError> {
        let projection = name.to_owned();
        let deadline = Instant::now().checked_add(timeout);
        let mut board = self.board.lock();
        loop {
            let named = board.statuses.iter().filter(|status| status.projection.name == name);
            // One version may be folded into several read models: the one that has not come as far is waited for, and one
            // that will never serve only when there is no other.
            let rank = |status: &&ProjectionStatus| {
                let is_over =
                    matches!(status.state, ProjectionState::Failed { .. } | ProjectionState::Superseded { .. });
                let order = Reverse((status.is_serving, status.projection.version));
                (is_over && !status.is_serving, order, status.position)
            };
            let Some(status) = named.min_by_key(rank) else {
                return Err(WaitError::Unknown { projection });
            };
            let position = status.position;
            if status.is_serving && position >= wanted {
                return Ok(());
            }
            if let ProjectionState::Failed { error } = &status.state {
                return Err(WaitError::Ended { projection, reason: error.clone() });
            }
            if let ProjectionState::Superseded { by } = &status.state {
                let reason = format!("version {by} has taken over, which another runner folds");
                return Err(WaitError::Ended { projection, reason });
            }
            if let Some(reason) = &board.ended {
                return Err(WaitError::Ended { projection, reason: reason.clone() });
            }
            match deadline {
                Some(deadline) if Instant::now() >= deadline => {
                    return Err(WaitError::TimedOut { projection, position, wanted, waited: timeout });
                }
                Some(deadline) => {
                    self.moved.wait_until(&mut board, deadline);
                }
                None => self.moved.wait(&mut board),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gesta_model::ProjectionId;

    #[test]
    fn one_that_failed_before_it_served_ends_no_wait_for_another() {
        let progress = Progress::default();
        let tell = |ordinal, position, state| {
            let projection = ProjectionId { name: "a".to_owned(), version: 1 };
            let (lag, parked_count, eta, is_serving) = (0, 0, None, ordinal == 2);
            let position = Position(position);
            progress
                .tell(ordinal, ProjectionStatus { projection, position, lag, is_serving, parked_count, eta, state });
        };
        let failed = || ProjectionState::Failed { error: "no table".to_owned() };
        let wait = || progress.wait("a", Position(3), Duration::from_millis(1));
        tell(0, 0, failed());
        tell(1, 2, ProjectionState::Live);
        assert!(matches!(wait(), Err(WaitError::TimedOut { position: Position(2), .. })));
        tell(2, 3, ProjectionState::Live);
        wait().unwrap();
        tell(1, 2, failed());
        tell(2, 2, failed());
        assert!(matches!(wait(), Err(WaitError::Ended { reason, .. }) if reason == "no table"));
    }

    #[test]
    fn all_read_models_of_the_version_that_serves_are_waited_for() {
        let progress = Progress::default();
        let tell = |ordinal, version, position, is_serving| {
            let projection = ProjectionId { name: "a".to_owned(), version };
            let (position, state) = (Position(position), ProjectionState::Live);
            let (lag, parked_count, eta) = (0, 0, None);
            progress
                .tell(ordinal, ProjectionStatus { projection, position, lag, is_serving, parked_count, eta, state });
        };
        let wait = |position| progress.wait("a", Position(position), Duration::from_millis(1));
        tell(0, 2, 5, true);
        tell(1, 2, 3, true);
        tell(2, 3, 9, false);
        wait(3).unwrap();
        assert!(matches!(wait(4), Err(WaitError::TimedOut { position: Position(3), .. })));
        tell(1, 2, 5, true);
        wait(5).unwrap();
        assert!(matches!(wait(6), Err(WaitError::TimedOut { position: Position(5), .. })));
        tell(2, 3, 9, true);
        wait(9).unwrap();
    }
}

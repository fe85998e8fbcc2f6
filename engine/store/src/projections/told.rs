//! One projection on the board.

use crate::sync::Instant;
use gesta_model::limits::PROJECTION_ERROR_BYTES_MAX;
use gesta_model::{ProjectionReport, ProjectionState, ProjectionStatus, Timestamp};
use std::time::Duration;

/// How often the file of a projection is replaced at most while only its figures change.
const WRITE_EVERY: Duration = Duration::from_secs(1);
/// Whoever folds tells every second: for so long what was told is the newest that there is.
pub(super) const FRESH_FOR: Duration = Duration::from_secs(5);

/// What was told of a projection, by whoever folds it through this process.
pub(super) struct Told {
    status: ProjectionStatus,
    told_at: Timestamp,
    told: Instant,
    replay: Replay,
    written: Option<Written>,
}

/// How far the trying again of parked events has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Replay {
    /// Nobody asked.
    None,
    /// It is handed out by the next telling.
    Asked,
    /// It was handed out; the next telling says that it has come to an end.
    UnderWay,
    /// It was handed out, and asked for again since.
    AskedAgain,
}

/// What the file was last meant to hold, whether or not that worked.
struct Written {
    report: ProjectionReport,
    at: Instant,
}

impl Told {
    pub(super) fn new(status: ProjectionStatus, told_at: Timestamp) -> Self {
        Self { status: bounded(status), told_at, told: Instant::now(), replay: Replay::None, written: None }
    }

    /// Takes the place of what was told before.
    pub(super) fn tell(&mut self, status: ProjectionStatus, told_at: Timestamp) {
        (self.status, self.told_at, self.told) = (bounded(status), told_at, Instant::now());
    }

    /// A telling has come: a replay that was under way has ended. Whether one is handed out now.
    pub(super) fn hand_out_replay(&mut self) -> bool {
        let (is_due, folds) = (self.is_replay_asked(), self.folds());
        match self.replay {
            Replay::Asked | Replay::AskedAgain if folds => self.replay = Replay::UnderWay,
            Replay::AskedAgain => self.replay = Replay::Asked,
            Replay::UnderWay => self.replay = Replay::None,
            Replay::None | Replay::Asked => {}
        }
        is_due && folds
    }

    /// Asks for its parked events to be tried again.
    pub(super) fn ask_to_replay(&mut self) {
        self.replay = match self.replay {
            Replay::None | Replay::Asked => Replay::Asked,
            Replay::UnderWay | Replay::AskedAgain => Replay::AskedAgain,
        };
    }

    pub(super) fn status(&self) -> &ProjectionStatus {
        &self.status
    }

    pub(super) fn told_at(&self) -> Timestamp {
        self.told_at
    }

    pub(super) fn report(&self) -> ProjectionReport {
        let is_replay_due = self.replay != Replay::None;
        ProjectionReport { status: self.status.clone(), told_at: self.told_at, is_replay_due }
    }

    /// Whether nobody else can have told anything newer.
    pub(super) fn is_fresh(&self) -> bool {
        !self.is_standby() && self.told.elapsed() < FRESH_FOR
    }

    /// Whether something was told at that moment or later.
    pub(super) fn was_told_since(&self, moment: Instant) -> bool {
        self.told >= moment
    }

    /// Whether its runner waits for another to end, and nothing else was ever told.
    pub(super) fn is_standby(&self) -> bool {
        self.status.state == ProjectionState::Standby
    }

    /// Whether its file was never written by this process.
    pub(super) fn is_unwritten(&self) -> bool {
        self.written.is_none()
    }

    /// Whether its file is to be replaced. What stands by leaves it to whoever folds.
    pub(super) fn is_write_due(&self) -> bool {
        self.is_write_due_at(Instant::now())
    }

    fn is_write_due_at(&self, now: Instant) -> bool {
        !self.is_standby()
            && self.written.as_ref().is_none_or(|written| {
                let (before, report) = (&written.report, self.report());
                now.saturating_duration_since(written.at) >= WRITE_EVERY
                    || before.is_replay_due != report.is_replay_due
                    || before.status.parked_count != report.status.parked_count
                    || before.status.state != report.status.state
            })
    }

    /// Whether its file does not hold what was told last.
    pub(super) fn is_unsaved(&self) -> bool {
        !self.is_standby() && self.written.as_ref().is_none_or(|written| written.report != self.report())
    }

    /// What its file is to hold now.
    pub(super) fn write(&mut self) -> ProjectionReport {
        let report = self.report();
        self.written = Some(Written { report: report.clone(), at: Instant::now() });
        report
    }

    fn is_replay_asked(&self) -> bool {
        matches!(self.replay, Replay::Asked | Replay::AskedAgain)
    }

    /// Whether a replay can be carried out: it is not, while the read model fails.
    fn folds(&self) -> bool {
        matches!(self.status.state, ProjectionState::CatchingUp | ProjectionState::Building | ProjectionState::Live)
    }
}

/// The same, with an error text that is not too long.
fn bounded(mut status: ProjectionStatus) -> ProjectionStatus {
    if let ProjectionState::Retrying { error, .. } | ProjectionState::Failed { error } = &mut status.state {
        error.truncate(error.floor_char_boundary(PROJECTION_ERROR_BYTES_MAX));
    }
    status
}

#[cfg(test)]
mod tests {
    use super::*;
    use gesta_model::{Position, ProjectionId};

    fn status(state: ProjectionState) -> ProjectionStatus {
        let projection = ProjectionId { name: "a".to_owned(), version: 1 };
        let is_serving = !matches!(state, ProjectionState::Building | ProjectionState::Superseded { .. });
        ProjectionStatus { projection, position: Position(3), lag: 0, is_serving, parked_count: 0, eta: None, state }
    }

    fn tell(told: &mut Told, state: ProjectionState) -> (bool, bool) {
        told.tell(status(state), Timestamp(0));
        let is_handed_out = told.hand_out_replay();
        (is_handed_out, told.report().is_replay_due)
    }

    #[test]
    fn a_replay_is_handed_out_once_and_due_until_the_telling_after() {
        let mut told = Told::new(status(ProjectionState::Live), Timestamp(0));
        assert_eq!(tell(&mut told, ProjectionState::Live), (false, false));
        told.ask_to_replay();
        told.ask_to_replay();
        assert!(told.report().is_replay_due);
        assert_eq!(tell(&mut told, ProjectionState::Live), (true, true));
        assert_eq!(tell(&mut told, ProjectionState::Live), (false, false));
    }

    #[test]
    fn a_replay_that_is_asked_for_while_one_is_under_way_is_handed_out_again() {
        let mut told = Told::new(status(ProjectionState::Live), Timestamp(0));
        told.ask_to_replay();
        assert_eq!(tell(&mut told, ProjectionState::Live), (true, true));
        told.ask_to_replay();
        assert_eq!(tell(&mut told, ProjectionState::Live), (true, true));
        assert_eq!(tell(&mut told, ProjectionState::Live), (false, false));
    }

    #[test]
    fn a_replay_waits_for_a_projection_that_can_carry_it_out() {
        let mut told = Told::new(status(ProjectionState::Live), Timestamp(0));
        told.ask_to_replay();
        let failing = || ProjectionState::Retrying { error: "locked".to_owned(), failures: 1 };
        assert_eq!(tell(&mut told, failing()), (false, true));
        assert_eq!(tell(&mut told, ProjectionState::CatchingUp), (true, true));
        told.ask_to_replay();
        assert_eq!(tell(&mut told, failing()), (false, true));
        assert_eq!(tell(&mut told, ProjectionState::Live), (true, true));
        assert_eq!(tell(&mut told, failing()), (false, false));
    }

    #[test]
    fn a_file_is_replaced_at_once_when_more_than_figures_has_changed() {
        let mut told = Told::new(status(ProjectionState::Live), Timestamp(0));
        let began = Instant::now();
        assert!(told.is_write_due_at(began) && told.is_unsaved());
        told.write();
        assert!(!told.is_write_due_at(began) && !told.is_unsaved());
        told.tell(ProjectionStatus { position: Position(9), ..status(ProjectionState::Live) }, Timestamp(1));
        assert!(!told.is_write_due_at(began) && told.is_unsaved());
        assert!(told.is_write_due_at(Instant::now() + WRITE_EVERY));
        told.tell(ProjectionStatus { parked_count: 1, ..status(ProjectionState::Live) }, Timestamp(2));
        assert!(told.is_write_due_at(began));
        told.write();
        told.ask_to_replay();
        assert!(told.is_write_due_at(began));
    }

    #[test]
    fn an_error_is_cut_between_characters() {
        let error = "ä".repeat(PROJECTION_ERROR_BYTES_MAX);
        let told = Told::new(status(ProjectionState::Failed { error }), Timestamp(0));
        let ProjectionState::Failed { error } = &told.status().state else { panic!("{:?}", told.status()) };
        assert_eq!(error.len(), PROJECTION_ERROR_BYTES_MAX);
        assert!(error.chars().all(|letter| letter == 'ä'));
    }
}

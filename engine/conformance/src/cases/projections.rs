//! What a store is told of projections, and who waits for them.

use crate::Harness;
use crate::support::{A_MOMENT, PATIENCE};
use gesta_model::limits::{PROJECTION_ERROR_BYTES_MAX, PROJECTION_NAME_BYTES_MAX};
use gesta_model::{
    EventStore, Position, ProjectionBoard, ProjectionId, ProjectionReport, ProjectionState, ProjectionStatus, WaitError,
};
use std::thread;
use std::time::{Duration, Instant};

fn status(name: &str, version: u32, position: u64, state: ProjectionState) -> ProjectionStatus {
    let projection = ProjectionId { name: name.to_owned(), version };
    let is_serving = !matches!(state, ProjectionState::Building | ProjectionState::Superseded { .. });
    ProjectionStatus { projection, position: Position(position), lag: 0, is_serving, parked_count: 0, eta: None, state }
}

fn live(name: &str, position: u64) -> ProjectionStatus {
    status(name, 1, position, ProjectionState::Live)
}

fn failed(name: &str, version: u32, position: u64) -> ProjectionStatus {
    status(name, version, position, ProjectionState::Failed { error: "no rows".to_owned() })
}

/// Tells, and returns the names whose parked events are to be tried again.
#[track_caller]
fn tell(store: &impl EventStore, statuses: &[ProjectionStatus]) -> Vec<String> {
    store.tell_projections(statuses).expect("it can be told")
}

#[track_caller]
fn reports(store: &impl EventStore, prefix: &str) -> Vec<ProjectionReport> {
    store.projections(prefix).expect("they can be listed")
}

#[track_caller]
fn statuses(store: &impl EventStore, prefix: &str) -> Vec<ProjectionStatus> {
    reports(store, prefix).into_iter().map(|report| report.status).collect()
}

/// The names whose parked events are still to be tried again.
#[track_caller]
fn due(store: &impl EventStore) -> Vec<String> {
    let due = reports(store, "").into_iter().filter(|report| report.is_replay_due);
    due.map(|report| report.status.projection.name).collect()
}

fn wait(store: &impl EventStore, name: &str, position: u64, timeout: Duration) -> Result<(), WaitError> {
    store.wait_for_projection(name, Position(position), timeout)
}

/// What is told comes back as it was, in the order of names and versions.
pub fn what_was_told_is_listed_by_its_beginnings<H: Harness>(harness: &H) {
    let store = harness.fresh();
    assert_eq!(reports(&store, ""), []);
    let retrying = ProjectionState::Retrying { error: "locked".to_owned(), failures: 3 };
    let figures = ProjectionStatus {
        lag: 12,
        parked_count: 2,
        eta: Some(Duration::from_secs(90)),
        ..status("ab", 1, 7, ProjectionState::CatchingUp)
    };
    let told = [
        status("a", 2, u64::MAX, retrying),
        figures,
        status("ab", 2, 3, ProjectionState::Building),
        status("ab", 10, 0, ProjectionState::Standby),
        status("b", 0, 5, ProjectionState::Superseded { by: 1 }),
        failed("b", 1, 5),
        live("c", 1),
    ];
    let mut mixed = told.to_vec();
    mixed.reverse();
    assert_eq!(tell(&store, &mixed), Vec::<String>::new());
    assert_eq!(statuses(&store, ""), told);
    assert_eq!(statuses(&store, "a"), told[..4]);
    assert_eq!(statuses(&store, "ab"), told[1..4]);
    assert_eq!(statuses(&store, "abc"), []);
}

/// A projection is listed as it was told last; those that are not told of again stay.
pub fn the_last_telling_counts<H: Harness>(harness: &H) {
    let store = harness.fresh();
    tell(&store, &[live("a", 1), live("b", 1)]);
    let before = reports(&store, "a")[0].told_at;
    tell(&store, &[failed("a", 1, 4)]);
    tell(&store, &[]);
    assert_eq!(statuses(&store, ""), [failed("a", 1, 4), live("b", 1)]);
    assert!(reports(&store, "a")[0].told_at >= before);
    // The rows were dropped, and are folded anew.
    tell(&store, &[live("a", 2)]);
    assert_eq!(statuses(&store, "a"), [live("a", 2)]);
    wait(&store, "a", 4, A_MOMENT).unwrap_err();
}

/// What was told already is not waited for.
pub fn what_has_come_so_far_is_not_waited_for<H: Harness>(harness: &H) {
    let store = harness.fresh();
    tell(&store, &[live("a", 4)]);
    for position in [0, 3, 4] {
        wait(&store, "a", position, PATIENCE).unwrap();
    }
}

/// Whoever waits goes on when it is told, be it the first that is told at all.
pub fn a_wait_ends_when_it_is_told<H: Harness>(harness: &H)
where
    H::Store: Sync,
{
    let store = harness.fresh();
    thread::scope(|scope| {
        let waits = [1, 5, 9].map(|position| {
            let store = &store;
            scope.spawn(move || wait(store, "a", position, PATIENCE))
        });
        thread::sleep(A_MOMENT);
        for position in [2, 9] {
            tell(&store, &[live("b", 20), live("a", position)]);
            thread::sleep(A_MOMENT);
        }
        for wait in waits {
            wait.join().expect("a wait does not panic").unwrap();
        }
    });
}

/// A wait ends at its timeout, and says how far the projection has come.
pub fn a_wait_in_vain_says_how_far_it_has_come<H: Harness>(harness: &H) {
    let store = harness.fresh();
    tell(&store, &[live("a", 4)]);
    let began = Instant::now();
    match wait(&store, "a", 5, A_MOMENT) {
        Err(WaitError::TimedOut { projection, position, wanted, waited }) => {
            assert_eq!((projection.as_str(), position, wanted), ("a", Position(4), Position(5)));
            assert!(waited >= A_MOMENT && began.elapsed() >= A_MOMENT, "{waited:?}");
        }
        outcome => panic!("{outcome:?}"),
    }
}

/// Of what nobody has told, nothing is known, whatever its name begins with.
pub fn a_projection_that_nobody_told_of_is_unknown<H: Harness>(harness: &H) {
    let store = harness.fresh();
    tell(&store, &[live("aa", 4)]);
    for name in ["a", "aaa", ""] {
        match wait(&store, name, 0, A_MOMENT) {
            Err(WaitError::Unknown { projection }) => assert_eq!(projection, name),
            outcome => panic!("{outcome:?}"),
        }
        assert!(!store.ask_to_replay_parked(name).unwrap());
    }
}

/// A projection that has failed is waited for no longer; what it has folded is there.
pub fn a_projection_that_has_failed_is_not_waited_for<H: Harness>(harness: &H) {
    let store = harness.fresh();
    tell(&store, &[failed("a", 1, 4)]);
    match wait(&store, "a", 5, PATIENCE) {
        Err(WaitError::Ended { projection, reason }) => {
            assert_eq!((projection.as_str(), reason.as_str()), ("a", "no rows"));
        }
        outcome => panic!("{outcome:?}"),
    }
    wait(&store, "a", 4, PATIENCE).unwrap();
    // It may be looked after, and goes on.
    let retrying = ProjectionState::Retrying { error: "locked".to_owned(), failures: 1 };
    tell(&store, &[status("a", 1, 4, retrying)]);
    assert!(matches!(wait(&store, "a", 5, A_MOMENT), Err(WaitError::TimedOut { .. })));
}

/// Of several versions the highest that serves counts.
pub fn the_version_that_serves_is_waited_for<H: Harness>(harness: &H) {
    let store = harness.fresh();
    tell(&store, &[live("a", 5), status("a", 2, 9, ProjectionState::Building)]);
    assert!(matches!(wait(&store, "a", 6, A_MOMENT), Err(WaitError::TimedOut { position: Position(5), .. })));
    let superseded = status("a", 1, 10, ProjectionState::Superseded { by: 2 });
    tell(&store, &[superseded.clone(), status("a", 2, 9, ProjectionState::Live)]);
    wait(&store, "a", 9, PATIENCE).unwrap();
    assert!(matches!(wait(&store, "a", 10, A_MOMENT), Err(WaitError::TimedOut { position: Position(9), .. })));
    tell(&store, &[superseded, failed("a", 2, 9)]);
    assert!(matches!(wait(&store, "a", 10, PATIENCE), Err(WaitError::Ended { .. })));
    // One that has failed before it ever served.
    let never = |position| ProjectionStatus { is_serving: false, ..failed("b", 1, position) };
    tell(&store, &[never(0)]);
    assert!(matches!(wait(&store, "b", 1, PATIENCE), Err(WaitError::Ended { .. })));
    tell(&store, &[never(5)]);
    assert!(
        matches!(wait(&store, "b", 1, PATIENCE), Err(WaitError::Ended { .. })),
        "rows that do not serve are not waited for"
    );
}

/// A replay is handed out with one telling, and due until the next.
pub fn a_replay_is_handed_out_once<H: Harness>(harness: &H) {
    let store = harness.fresh();
    tell(&store, &[live("a", 1), live("b", 1)]);
    for _ in 0..2 {
        assert!(store.ask_to_replay_parked("a").unwrap());
        assert_eq!(due(&store), ["a"]);
        assert_eq!(tell(&store, &[live("b", 1)]), Vec::<String>::new());
        assert_eq!(tell(&store, &[live("a", 1), live("b", 1)]), ["a"]);
        assert_eq!(tell(&store, &[live("b", 1)]), Vec::<String>::new());
        assert_eq!(due(&store), ["a"]);
        assert_eq!(tell(&store, &[live("a", 2)]), Vec::<String>::new());
        assert_eq!(due(&store), Vec::<String>::new());
    }
}

/// Whoever cannot carry out a replay now is not asked; it stays due.
pub fn a_replay_waits_for_whoever_folds<H: Harness>(harness: &H) {
    let store = harness.fresh();
    tell(&store, &[live("a", 1)]);
    assert!(store.ask_to_replay_parked("a").unwrap());
    let retrying = ProjectionState::Retrying { error: "locked".to_owned(), failures: 1 };
    for state in [ProjectionState::Standby, retrying] {
        assert_eq!(tell(&store, &[status("a", 1, 1, state)]), Vec::<String>::new());
        assert_eq!(due(&store), ["a"]);
    }
    assert_eq!(tell(&store, &[status("a", 1, 1, ProjectionState::CatchingUp)]), ["a"]);
}

/// Whoever stands by hides nothing that was told by whoever folds.
pub fn who_stands_by_hides_nothing<H: Harness>(harness: &H) {
    let store = harness.fresh();
    let standby = status("a", 1, 0, ProjectionState::Standby);
    tell(&store, std::slice::from_ref(&standby));
    assert_eq!(statuses(&store, ""), std::slice::from_ref(&standby));
    tell(&store, &[live("a", 3)]);
    tell(&store, &[standby]);
    assert_eq!(statuses(&store, ""), [live("a", 3)]);
    wait(&store, "a", 3, PATIENCE).unwrap();
}

/// Any text is a name, up to a length beyond which nothing is kept.
pub fn a_projection_may_have_any_name<H: Harness>(harness: &H) {
    let store = harness.fresh();
    let long = "x".repeat(PROJECTION_NAME_BYTES_MAX);
    let mut names = ["", "..", "a/b", "lock", "Konten ☃", "\0\n\"", "A", "a", &long];
    names.sort_unstable();
    tell(&store, &names.map(|name| live(name, 1)));
    assert_eq!(statuses(&store, ""), names.map(|name| live(name, 1)));
    for name in names {
        wait(&store, name, 1, PATIENCE).unwrap();
    }
    let too_long = format!("{long}x");
    tell(&store, &[live(&too_long, 1), live("b", 1)]);
    assert_eq!(statuses(&store, &long), [live(&long, 1)]);
    assert_eq!(statuses(&store, "b"), [live("b", 1)]);
}

/// Of a long error the beginning is kept.
pub fn a_long_error_is_kept_in_part<H: Harness>(harness: &H) {
    let store = harness.fresh();
    let error = "ä".repeat(PROJECTION_ERROR_BYTES_MAX);
    tell(&store, &[status("a", 1, 1, ProjectionState::Failed { error: error.clone() })]);
    match &statuses(&store, "a")[0].state {
        ProjectionState::Failed { error: kept } => {
            assert!(kept.len() <= PROJECTION_ERROR_BYTES_MAX && kept.len() > 1000, "{} bytes", kept.len());
            assert!(error.starts_with(kept.as_str()));
        }
        state => panic!("{state:?}"),
    }
}

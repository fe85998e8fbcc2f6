//! A projection as it is shown: as a row, as a page and as JSON.

use crate::failure::{Failure, OneLine};
use crate::json::write_time;
use crate::output::Output;
use gesta::{ProjectionReport, ProjectionState, ProjectionStatus, Timestamp};
use serde::Serialize;
use std::io::Write as _;
use std::time::Duration;

/// Whoever folds tells every second: one that has not told for longer may have ended.
const SILENT_AFTER: Duration = Duration::from_secs(5);
const IN_MEMORY: &str = "writing to memory does not fail";

/// A projection in its JSON form. The keys are always there; what is absent is `null`.
#[derive(Serialize)]
pub(super) struct Shown<'a> {
    name: &'a str,
    version: u32,
    state: &'static str,
    serving: bool,
    position: u64,
    lag: u64,
    parked: u64,
    eta_ms: Option<u64>,
    superseded_by: Option<u32>,
    failures: Option<u32>,
    error: Option<&'a str>,
    replay_due: bool,
    told_at: String,
    told_ms_ago: u64,
}

impl<'a> Shown<'a> {
    /// The form of what was told.
    pub(super) fn of(report: &'a ProjectionReport, now: Timestamp) -> Self {
        let ProjectionStatus { projection, position, lag, is_serving, parked_count, eta, state } = &report.status;
        let (superseded_by, failures, error) = match state {
            ProjectionState::Superseded { by } => (Some(*by), None, None),
            ProjectionState::Retrying { error, failures } => (None, Some(*failures), Some(error.as_str())),
            ProjectionState::Failed { error } => (None, None, Some(error.as_str())),
            _ => (None, None, None),
        };
        let mut told_at = Vec::new();
        write_time(&mut told_at, report.told_at);
        Self {
            name: &projection.name,
            version: projection.version,
            state: word(state),
            serving: *is_serving,
            position: position.0,
            lag: *lag,
            parked: *parked_count,
            eta_ms: eta.map(milliseconds),
            superseded_by,
            failures,
            error,
            replay_due: report.is_replay_due,
            told_at: String::from_utf8(told_at).expect("a time is ASCII"),
            told_ms_ago: milliseconds(age(report, now)),
        }
    }
}

/// What the columns of the rows are; names take `width` characters.
pub(super) fn columns(width: usize) -> String {
    let width = width.max(4);
    format!("{:<width$}  version  {:<11}  position       lag  parked     eta  told", "name", "state")
}

/// One projection as a row.
pub(super) fn print_row(
    output: &mut Output,
    width: usize,
    report: &ProjectionReport,
    now: Timestamp,
) -> Result<(), Failure> {
    let ProjectionStatus { projection, position, lag, parked_count, eta, state, .. } = &report.status;
    let (name, width) = (OneLine(&projection.name).to_string(), width.max(4));
    let (version, state_word) = (projection.version, people(state));
    let eta = eta.map_or_else(|| "-".to_owned(), short);
    let mut row = format!(
        "{name:<width$}  {version:>7}  {state_word:<11}  {:>8}  {lag:>8}  {parked_count:>6}  {eta:>6}  {}",
        position.0,
        told(report, now)
    );
    if let Some(note) = note(report) {
        row.push_str("  ");
        row.push_str(&OneLine(&note).to_string());
    }
    output.text(&row)
}

/// One projection as a page of its own.
pub(super) fn print_page(output: &mut Output, report: &ProjectionReport, now: Timestamp) -> Result<(), Failure> {
    let ProjectionStatus { projection, position, lag, is_serving, parked_count, eta, state } = &report.status;
    let mut lines =
        vec![("state", people(state).to_owned()), ("position", format!("{}, {lag} behind the head", position.0))];
    lines.push(("serves", if *is_serving { "yes" } else { "no" }.to_owned()));
    lines.push(("parked", parked_count.to_string()));
    lines.extend(eta.map(|eta| ("eta", short(eta))));
    lines.push(("told", told(report, now)));
    lines.extend(note(report).map(|note| ("note", note)));
    output.text(&format!("{}, version {}", OneLine(&projection.name), projection.version))?;
    lines
        .iter()
        .try_for_each(|(what, text)| output.line(|out| write!(out, "  {what:<8}  {}", OneLine(text)).expect(IN_MEMORY)))
}

/// The same in a sentence.
pub(super) fn heard(report: &ProjectionReport, now: Timestamp) -> String {
    let told = told(report, now);
    if told.ends_with("ago") { format!("told {told}") } else { told }
}

/// How long ago it was told, and whether that is too long.
fn told(report: &ProjectionReport, now: Timestamp) -> String {
    let age = age(report, now);
    if age > SILENT_AFTER { format!("silent for {}", short(age)) } else { format!("{} ago", short(age)) }
}

/// What else there is to know.
pub(super) fn note(report: &ProjectionReport) -> Option<String> {
    let state = match &report.status.state {
        ProjectionState::Superseded { by } => Some(format!("version {by} serves")),
        ProjectionState::Retrying { error, failures } => Some(format!("failed {failures} times in a row: {error}")),
        ProjectionState::Failed { error } => Some(error.clone()),
        _ => None,
    };
    let replay = report.is_replay_due.then(|| "parked events are to be tried again".to_owned());
    let notes: Vec<String> = replay.into_iter().chain(state).collect();
    (!notes.is_empty()).then(|| notes.join("; "))
}

/// The state in words for people.
pub(super) fn people(state: &ProjectionState) -> &'static str {
    match state {
        ProjectionState::CatchingUp => "catching up",
        state => word(state),
    }
}

/// The state in words for programs.
fn word(state: &ProjectionState) -> &'static str {
    match state {
        ProjectionState::Standby => "standby",
        ProjectionState::CatchingUp => "catching_up",
        ProjectionState::Building => "building",
        ProjectionState::Live => "live",
        ProjectionState::Superseded { .. } => "superseded",
        ProjectionState::Retrying { .. } => "retrying",
        ProjectionState::Failed { .. } => "failed",
    }
}

/// How long ago it was told; clocks of two machines may differ.
fn age(report: &ProjectionReport, now: Timestamp) -> Duration {
    Duration::from_nanos(u64::try_from(now.0.saturating_sub(report.told_at.0)).unwrap_or(0))
}

/// A duration in one unit.
fn short(duration: Duration) -> String {
    match duration.as_secs() {
        seconds @ ..120 => format!("{seconds} s"),
        seconds @ ..7200 => format!("{} min", seconds / 60),
        seconds @ ..172_800 => format!("{} h", seconds / 3600),
        seconds => format!("{} d", seconds / 86_400),
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use gesta::{Position, ProjectionId};

    fn report(state: ProjectionState) -> ProjectionReport {
        ProjectionReport {
            status: ProjectionStatus {
                projection: ProjectionId { name: "orders".to_owned(), version: 2 },
                position: Position(41),
                lag: 2,
                is_serving: true,
                parked_count: 1,
                eta: Some(Duration::from_millis(90_500)),
                state,
            },
            told_at: Timestamp(1_000_000_000),
            is_replay_due: false,
        }
    }

    #[test]
    fn silence_is_told_as_silence_and_a_clock_that_is_ahead_as_now() {
        let at = |seconds: i64| told(&report(ProjectionState::Live), Timestamp(seconds * 1_000_000_000));
        assert_eq!(
            [-5, 1, 4, 13, 301, 9000, 999_999].map(at),
            [
                "0 s ago",
                "0 s ago",
                "3 s ago",
                "silent for 12 s",
                "silent for 5 min",
                "silent for 2 h",
                "silent for 11 d"
            ]
        );
    }

    #[test]
    fn every_form_has_the_same_keys() {
        let error = || "no table".to_owned();
        for (state, tail) in [
            (ProjectionState::CatchingUp, r#""superseded_by":null,"failures":null,"error":null"#),
            (ProjectionState::Superseded { by: 3 }, r#""superseded_by":3,"failures":null,"error":null"#),
            (
                ProjectionState::Retrying { error: error(), failures: 4 },
                r#""superseded_by":null,"failures":4,"error":"no table""#,
            ),
            (ProjectionState::Failed { error: error() }, r#""superseded_by":null,"failures":null,"error":"no table""#),
        ] {
            let report = report(state);
            let json = serde_json::to_string(&Shown::of(&report, Timestamp(3_500_000_000))).expect("JSON");
            let state = word(&report.status.state);
            assert_eq!(
                json,
                format!(
                    r#"{{"name":"orders","version":2,"state":"{state}","serving":true,"position":41,"lag":2,"parked":1,"eta_ms":90500,{tail},"#
                ) + r#""replay_due":false,"told_at":"1970-01-01T00:00:01Z","told_ms_ago":2500}"#
            );
        }
    }
}

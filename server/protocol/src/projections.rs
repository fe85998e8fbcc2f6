//! Projections: how they are doing as it is told, as it is listed, and what is waited for.
//!
//! ```text
//!  status    name text16 | version u32 | position u64 | lag u64 | parked_count u64 | eta_ms u64, all ones: none |
//!            is_serving bool | state u8 | number u32 | error text16
//!  state     0 standby, 1 catching up, 2 building, 3 live, 4 superseded, 5 retrying, 6 failed
//!  number    of 4 the version that serves, of 5 how often it failed in a row; else 0
//!  error     of 5 and 6 what went wrong; else empty
//!
//!  tell      count u32 | { status }
//!  told      count u32 | { name text16 }
//!  wait      name text16 | position u64 | timeout_ms u64
//!  list      has_more bool | count u32 | { status | told_at i64 | is_replay_due bool }
//! ```
//!
//! A name has at most 1,024 bytes, an error at most 4,096, a telling at most 1,000 statuses. Listed projections come in the order
//! of names and versions, in as many frames as they take.

use crate::fields::{FieldError, FieldReader, FieldWriter};
use gesta_model::limits::{PROJECTION_ERROR_BYTES_MAX, PROJECTION_NAME_BYTES_MAX};
use gesta_model::{Position, ProjectionId, ProjectionReport, ProjectionState, ProjectionStatus, Timestamp};
use std::time::Duration;

/// How many statuses one telling may have.
pub const TOLD_MAX: usize = 1000;
const NONE: u64 = u64::MAX;

/// What is waited for: that a projection has folded everything below a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitForProjection<'a> {
    /// The projection's name.
    pub name: &'a str,
    /// Where it is to be.
    pub position: Position,
    /// How long that is waited for, to the millisecond.
    pub timeout: Duration,
}

/// Some of the projections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectionsPart {
    /// Whether another frame follows.
    pub has_more: bool,
    /// What was told of them.
    pub projections: Vec<ProjectionReport>,
}

impl<'a> WaitForProjection<'a> {
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.put_text16(self.name);
        out.put_u64(self.position.0);
        out.put_u64(milliseconds(self.timeout));
    }

    pub(crate) fn read(fields: &mut FieldReader<'a>) -> Result<Self, FieldError> {
        Ok(Self {
            name: read_name(fields)?,
            position: Position(fields.u64("position")?),
            timeout: Duration::from_millis(fields.u64("timeout_ms")?),
        })
    }
}

impl ProjectionsPart {
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.put_bool(self.has_more);
        out.put_count(self.projections.len());
        for ProjectionReport { status, told_at, is_replay_due } in &self.projections {
            write_status(out, status);
            out.put_i64(told_at.0);
            out.put_bool(*is_replay_due);
        }
    }

    pub(crate) fn read(fields: &mut FieldReader<'_>) -> Result<Self, FieldError> {
        let has_more = fields.bool("has_more")?;
        let mut projections = Vec::new();
        for _ in 0..fields.u32("count")? {
            projections.push(ProjectionReport {
                status: read_status(fields)?,
                told_at: Timestamp(fields.i64("told_at")?),
                is_replay_due: fields.bool("is_replay_due")?,
            });
        }
        Ok(Self { has_more, projections })
    }
}

pub(crate) fn write_statuses(out: &mut Vec<u8>, statuses: &[ProjectionStatus]) {
    out.put_count(statuses.len());
    statuses.iter().for_each(|status| write_status(out, status));
}

pub(crate) fn read_statuses(fields: &mut FieldReader<'_>) -> Result<Vec<ProjectionStatus>, FieldError> {
    let count = fields.u32("count")? as usize;
    if count > TOLD_MAX {
        return Err(FieldError::unacceptable("count", format!("{count} statuses in one telling, at most {TOLD_MAX}")));
    }
    let mut statuses = Vec::new();
    for _ in 0..count {
        statuses.push(read_status(fields)?);
    }
    Ok(statuses)
}

/// A name that a projection can have.
pub(crate) fn read_name<'a>(fields: &mut FieldReader<'a>) -> Result<&'a str, FieldError> {
    let name = fields.text16("name")?;
    if name.len() > PROJECTION_NAME_BYTES_MAX {
        let what = format!("a projection's name has at most {PROJECTION_NAME_BYTES_MAX} bytes, not {}", name.len());
        return Err(FieldError::unacceptable("name", what));
    }
    Ok(name)
}

fn write_status(out: &mut Vec<u8>, status: &ProjectionStatus) {
    let ProjectionStatus { projection, position, lag, is_serving, parked_count, eta, state } = status;
    let (code, number, error) = match state {
        ProjectionState::Standby => (0, 0, ""),
        ProjectionState::CatchingUp => (1, 0, ""),
        ProjectionState::Building => (2, 0, ""),
        ProjectionState::Live => (3, 0, ""),
        ProjectionState::Superseded { by } => (4, *by, ""),
        ProjectionState::Retrying { error, failures } => (5, *failures, error.as_str()),
        ProjectionState::Failed { error } => (6, 0, error.as_str()),
    };
    out.put_text16(&projection.name);
    out.put_u32(projection.version);
    for number in [position.0, *lag, *parked_count, eta.map_or(NONE, |eta| milliseconds(eta).min(NONE - 1))] {
        out.put_u64(number);
    }
    out.put_bool(*is_serving);
    out.put_u8(code);
    out.put_u32(number);
    out.put_text16(&error[..error.floor_char_boundary(PROJECTION_ERROR_BYTES_MAX)]);
}

fn read_status(fields: &mut FieldReader<'_>) -> Result<ProjectionStatus, FieldError> {
    Ok(ProjectionStatus {
        projection: ProjectionId { name: read_name(fields)?.to_owned(), version: fields.u32("version")? },
        position: Position(fields.u64("position")?),
        lag: fields.u64("lag")?,
        parked_count: fields.u64("parked_count")?,
        eta: Some(fields.u64("eta_ms")?).filter(|eta| *eta != NONE).map(Duration::from_millis),
        is_serving: fields.bool("is_serving")?,
        state: read_state(fields)?,
    })
}

fn read_state(fields: &mut FieldReader<'_>) -> Result<ProjectionState, FieldError> {
    let (code, number, error) = (fields.u8("state")?, fields.u32("number")?, fields.text16("error")?);
    if error.len() > PROJECTION_ERROR_BYTES_MAX {
        return Err(FieldError::not_allowed("error", format!("{} bytes", error.len())));
    }
    if number != 0 && !matches!(code, 4 | 5) {
        return Err(FieldError::not_allowed("number", number));
    }
    if !error.is_empty() && !matches!(code, 5 | 6) {
        return Err(FieldError::not_allowed("error", "a text beside a state that has none"));
    }
    Ok(match code {
        0 => ProjectionState::Standby,
        1 => ProjectionState::CatchingUp,
        2 => ProjectionState::Building,
        3 => ProjectionState::Live,
        4 => ProjectionState::Superseded { by: number },
        5 => ProjectionState::Retrying { error: error.to_owned(), failures: number },
        6 => ProjectionState::Failed { error: error.to_owned() },
        unknown => return Err(FieldError::not_allowed("state", unknown)),
    })
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

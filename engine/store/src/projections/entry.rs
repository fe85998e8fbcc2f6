//! The bytes of a file about a projection.
//!
//! ```text
//!   0  magic 8            89 'G' 'P' 'R' 'J' 0d 0a 1a
//!   8  version u32        1
//!  12  kind u32           1 a report; 2 its parked events are to be tried again, which has a name alone
//!  16  store_id 16
//!  32  position u64       everything below it is folded, parked, or not of the projection
//!  40  lag u64            positions between it and the head
//!  48  parked u64         events
//!  56  eta u64            nanoseconds; all ones when there is none
//!  64  told_at i64        nanoseconds since the Unix epoch
//!  72  projection u32     its version
//!  76  state u32          1 standby, 2 catching up, 3 building, 4 live, 5 superseded, 6 retrying, 7 failed
//!  80  number u32         of superseded: the version that serves; of retrying: the failures in a row
//!  84  flags u32          1: is_replay_due; 2: is_serving
//!  88  name_bytes u32
//!  92  error_bytes u32    of retrying and failed
//!  96  name, then error
//!   .  check u64          of all bytes before
//! ```
//!
//! The check is SipHash-1-3 under the store's key: what is torn or of another store is no file of ours.

use gesta_model::codec::StoreKey;
use gesta_model::limits::{PROJECTION_ERROR_BYTES_MAX, PROJECTION_NAME_BYTES_MAX};
use gesta_model::{Position, ProjectionId, ProjectionReport, ProjectionState, ProjectionStatus, Timestamp, Uuid};
use siphasher::sip::SipHasher13;
use std::hash::Hasher;
use std::time::Duration;

const MAGIC: [u8; 8] = *b"\x89GPRJ\r\n\x1a";
const VERSION: u32 = 1;
const HEAD_BYTES: usize = 96;
const CHECK_BYTES: usize = 8;
const NO_ETA: u64 = u64::MAX;
/// Bytes of a whole file.
pub(super) const FILE_BYTES_MAX: usize =
    HEAD_BYTES + PROJECTION_NAME_BYTES_MAX + PROJECTION_ERROR_BYTES_MAX + CHECK_BYTES;

/// Whose files they are.
#[derive(Clone)]
pub(super) struct Origin {
    pub(super) store_id: Uuid,
    pub(super) key: StoreKey,
}

/// What a file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// How a projection was doing.
    Report(ProjectionReport),
    /// The parked events of the projections of a name are to be tried again.
    Ask(String),
}

impl Origin {
    /// A keyed hash of bytes.
    pub(super) fn check(&self, bytes: &[u8]) -> u64 {
        let mut hasher = SipHasher13::new_with_key(&self.key.0);
        hasher.write(bytes);
        hasher.finish()
    }
}

impl Entry {
    pub(super) fn encode(&self, origin: &Origin) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEAD_BYTES + CHECK_BYTES);
        bytes.extend(MAGIC);
        bytes.extend(VERSION.to_le_bytes());
        match self {
            Self::Report(report) => {
                bytes.extend(1_u32.to_le_bytes());
                bytes.extend(origin.store_id.as_bytes());
                encode_report(report, &mut bytes);
            }
            Self::Ask(name) => {
                bytes.extend(2_u32.to_le_bytes());
                bytes.extend(origin.store_id.as_bytes());
                bytes.resize(88, 0);
                push_texts(name, "", &mut bytes);
            }
        }
        bytes.extend(origin.check(&bytes).to_le_bytes());
        bytes
    }

    /// What a file says; `None` when it is not whole, or not of this store.
    pub(super) fn decode(origin: &Origin, bytes: &[u8]) -> Option<Self> {
        let (content, check) = bytes.split_last_chunk::<CHECK_BYTES>()?;
        if content.len() < HEAD_BYTES || origin.check(content).to_le_bytes() != *check {
            return None;
        }
        if content[..8] != MAGIC || u32_at(content, 8) != VERSION || content[16..32] != *origin.store_id.as_bytes() {
            return None;
        }
        let (name_bytes, error_bytes) = (u32_at(content, 88) as usize, u32_at(content, 92) as usize);
        let (name, rest) = content[HEAD_BYTES..].split_at_checked(name_bytes)?;
        if rest.len() != error_bytes || name_bytes > PROJECTION_NAME_BYTES_MAX {
            return None;
        }
        let name = str::from_utf8(name).ok()?.to_owned();
        match u32_at(content, 12) {
            1 => decode_report(content, name, str::from_utf8(rest).ok()?.to_owned()).map(Self::Report),
            2 => Some(Self::Ask(name)),
            _ => None,
        }
    }
}

/// Flags of a report: its parked events are to be tried again.
const REPLAY_DUE: u32 = 1;
/// Queries are answered from its rows.
const SERVING: u32 = 2;

/// The bytes of a report after the store's id, up to the check.
fn encode_report(report: &ProjectionReport, bytes: &mut Vec<u8>) {
    let ProjectionReport { status, told_at, is_replay_due } = report;
    let eta = status.eta.map_or(NO_ETA, |eta| u64::try_from(eta.as_nanos()).unwrap_or(NO_ETA - 1));
    let (state, number, error) = match &status.state {
        ProjectionState::Standby => (1_u32, 0, ""),
        ProjectionState::CatchingUp => (2, 0, ""),
        ProjectionState::Building => (3, 0, ""),
        ProjectionState::Live => (4, 0, ""),
        ProjectionState::Superseded { by } => (5, *by, ""),
        ProjectionState::Retrying { error, failures } => (6, *failures, error.as_str()),
        ProjectionState::Failed { error } => (7, 0, error.as_str()),
    };
    bytes.extend(status.position.0.to_le_bytes());
    bytes.extend(status.lag.to_le_bytes());
    bytes.extend(status.parked_count.to_le_bytes());
    bytes.extend(eta.to_le_bytes());
    bytes.extend(told_at.0.to_le_bytes());
    bytes.extend(status.projection.version.to_le_bytes());
    bytes.extend(state.to_le_bytes());
    bytes.extend(number.to_le_bytes());
    let flags = (u32::from(*is_replay_due) * REPLAY_DUE) | (u32::from(status.is_serving) * SERVING);
    bytes.extend(flags.to_le_bytes());
    push_texts(&status.projection.name, error, bytes);
}

/// Both lengths and both texts.
fn push_texts(name: &str, error: &str, bytes: &mut Vec<u8>) {
    for text in [name, error] {
        bytes.extend(u32::try_from(text.len()).expect("names and errors are short").to_le_bytes());
    }
    debug_assert_eq!(bytes.len(), HEAD_BYTES);
    bytes.extend(name.as_bytes());
    bytes.extend(error.as_bytes());
}

fn decode_report(content: &[u8], name: String, error: String) -> Option<ProjectionReport> {
    let (number, flags) = (u32_at(content, 80), u32_at(content, 84));
    let state = match u32_at(content, 76) {
        1 => ProjectionState::Standby,
        2 => ProjectionState::CatchingUp,
        3 => ProjectionState::Building,
        4 => ProjectionState::Live,
        5 => ProjectionState::Superseded { by: number },
        6 => ProjectionState::Retrying { error, failures: number },
        7 => ProjectionState::Failed { error },
        _ => return None,
    };
    let eta = Some(u64_at(content, 56)).filter(|eta| *eta != NO_ETA).map(Duration::from_nanos);
    let status = ProjectionStatus {
        projection: ProjectionId { name, version: u32_at(content, 72) },
        position: Position(u64_at(content, 32)),
        lag: u64_at(content, 40),
        is_serving: flags & SERVING != 0,
        parked_count: u64_at(content, 48),
        eta,
        state,
    };
    let told_at = Timestamp(u64_at(content, 64).cast_signed());
    Some(ProjectionReport { status, told_at, is_replay_due: flags & REPLAY_DUE != 0 })
}

/// A number of the head, whose bytes are there.
fn u32_at(content: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(*content[at..].first_chunk().expect("within the head"))
}

/// A number of the head, whose bytes are there.
fn u64_at(content: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(*content[at..].first_chunk().expect("within the head"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin() -> Origin {
        Origin { store_id: Uuid::from_u128(7), key: StoreKey([3; 16]) }
    }

    fn report(state: ProjectionState) -> ProjectionReport {
        let projection = ProjectionId { name: "Konten/☃".to_owned(), version: 3 };
        let (position, eta) = (Position(40), Some(Duration::from_millis(5)));
        let status = ProjectionStatus { projection, position, lag: 2, is_serving: true, parked_count: 1, eta, state };
        ProjectionReport { status, told_at: Timestamp(-4), is_replay_due: true }
    }

    #[test]
    fn every_state_comes_back_as_it_was_written() {
        let error = || "disk full".to_owned();
        let states = [
            ProjectionState::Standby,
            ProjectionState::CatchingUp,
            ProjectionState::Building,
            ProjectionState::Live,
            ProjectionState::Superseded { by: 4 },
            ProjectionState::Retrying { error: error(), failures: 9 },
            ProjectionState::Failed { error: error() },
        ];
        for state in states {
            let mut entry = report(state);
            let read =
                |entry: &ProjectionReport| Entry::decode(&origin(), &Entry::Report(entry.clone()).encode(&origin()));
            assert_eq!(read(&entry), Some(Entry::Report(entry.clone())));
            (entry.status.eta, entry.status.is_serving, entry.is_replay_due) = (None, false, false);
            assert_eq!(read(&entry), Some(Entry::Report(entry)));
        }
        let ask = Entry::Ask("Konten".to_owned());
        assert_eq!(Entry::decode(&origin(), &ask.encode(&origin())), Some(ask));
    }

    #[test]
    fn what_is_torn_changed_or_of_another_store_is_none() {
        let bytes = Entry::Report(report(ProjectionState::Failed { error: "no".to_owned() })).encode(&origin());
        for length in 0..bytes.len() {
            assert_eq!(Entry::decode(&origin(), &bytes[..length]), None, "{length}");
        }
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert_eq!(Entry::decode(&origin(), &changed), None, "{at}");
        }
        let other = Origin { store_id: Uuid::from_u128(8), ..origin() };
        assert_eq!(Entry::decode(&other, &bytes), None);
    }
}

//! Events as rows of a table, for stores of keys and values: an event under its position, a position under stream and revision.
//!
//! ```text
//!  stream length u16 | stream | type length u16 | type | id u128 | recorded at u64 | data
//! ```

use crate::event::{Event, Seen};
use crate::peer::Failure;
use std::time::{SystemTime, UNIX_EPOCH};

/// An event as the value of its row.
#[must_use]
pub fn encode(stream: &str, event: &Event, recorded_at: u64) -> Vec<u8> {
    let mut row = Vec::with_capacity(2 + stream.len() + 2 + event.event_type.len() + 24 + event.data.len());
    for name in [stream, event.event_type] {
        row.extend_from_slice(&u16::try_from(name.len()).expect("a short name").to_le_bytes());
        row.extend_from_slice(name.as_bytes());
    }
    row.extend_from_slice(&event.id.to_le_bytes());
    row.extend_from_slice(&recorded_at.to_le_bytes());
    row.extend_from_slice(&event.data);
    row
}

/// The event of a row.
pub fn decode(row: &[u8]) -> Result<Seen<'_>, Failure> {
    let (stream, row) = name(row)?;
    let (event_type, row) = name(row)?;
    Ok(Seen { stream, event_type, data: row.get(24..).ok_or("a row without an id")? })
}

fn name(row: &[u8]) -> Result<(&str, &[u8]), Failure> {
    let (length, row) = row.split_first_chunk().ok_or("a row without a name")?;
    let (name, row) = row.split_at_checked(u16::from_le_bytes(*length).into()).ok_or("a row that ends in a name")?;
    Ok((std::str::from_utf8(name)?, row))
}

/// The key of a stream's event: its name, an end that no name has, its revision.
#[must_use]
pub fn stream_key(stream: &str, revision: u64) -> Vec<u8> {
    let mut key = stream_start(stream);
    key.extend_from_slice(&revision.to_be_bytes());
    key
}

/// What all keys of a stream begin with.
#[must_use]
pub fn stream_start(stream: &str) -> Vec<u8> {
    [stream.as_bytes(), &[0]].concat()
}

/// The position that a value holds.
pub fn position(value: &[u8]) -> Result<u64, Failure> {
    Ok(u64::from_be_bytes(value.try_into()?))
}

/// The time as rows keep it, in microseconds.
#[must_use]
pub fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

/// Says that a stream does not stand where a batch believes.
pub fn conflict(stream: &str, expected: u64, actual: u64) -> Failure {
    format!("{stream} has {actual} events and not {expected}").into()
}

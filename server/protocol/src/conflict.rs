//! The answer to an append whose checks did not hold.
//!
//! ```text
//!  head u64
//!  failed_count u16   then each failed check, in the order asked
//!    1 u8 | stream text16 | expected u8 | revision u64 | actual u64, all ones: no events
//!    2 u8 | after u64 | found u64 | query text32
//!  missed             as in an Events frame
//! ```
//!
//! Missed events end early rather than make the body longer than 32 MiB.

use crate::append::{read_expected, read_query, write_expected};
use crate::events::{Events, sent_bytes, write_event};
use crate::fields::{FieldError, FieldReader, FieldWriter};
use gesta_model::{Conflict, FailedCheck, Position, Revision, StoredEvent};

/// How long a body may become by missed events: their number is bounded by what was asked, their size only by this.
const BODY_BYTES_MAX: usize = 32 << 20;

/// The number that stands for no revision.
const NONE: u64 = u64::MAX;

pub(crate) fn write(out: &mut Vec<u8>, conflict: &Conflict) {
    let start = out.len();
    out.put_u64(conflict.head.0);
    out.put_u16(u16::try_from(conflict.failed.len()).expect("a request has at most a thousand checks"));
    for failed in &conflict.failed {
        match failed {
            FailedCheck::Stream { stream, expected, actual } => {
                out.put_u8(1);
                write_expected(out, stream, *expected);
                out.put_u64(actual.map_or(NONE, |revision| revision.0));
            }
            FailedCheck::Query { query, after, found } => {
                out.put_u8(2);
                out.put_u64(after.0);
                out.put_u64(found.0);
                out.put_text32(&query.to_string());
            }
            _ => unreachable!("no other check is known in this version"),
        }
    }
    for event in &conflict.missed {
        if out.len() - start + sent_bytes(&event.record()) > BODY_BYTES_MAX {
            break;
        }
        write_event(out, event.recorded_at(), &event.record());
    }
}

pub(crate) fn read(fields: &mut FieldReader<'_>) -> Result<Conflict, FieldError> {
    let head = Position(fields.u64("head")?);
    let mut failed = Vec::new();
    for _ in 0..fields.u16("failed_count")? {
        failed.push(read_failed(fields)?);
    }
    let mut missed = Vec::new();
    for event in Events::new(fields.rest()) {
        let event = event?;
        missed.push(StoredEvent::new(&event.record, event.recorded_at));
    }
    Ok(Conflict { failed, head, missed })
}

fn read_failed(fields: &mut FieldReader<'_>) -> Result<FailedCheck, FieldError> {
    match fields.u8("check")? {
        1 => {
            let (stream, expected) = read_expected(fields)?;
            let actual = fields.u64("actual")?;
            let actual = (actual != NONE).then_some(Revision(actual));
            Ok(FailedCheck::Stream { stream, expected, actual })
        }
        2 => {
            let (after, found) = (Position(fields.u64("after")?), Position(fields.u64("found")?));
            Ok(FailedCheck::Query { query: read_query(fields)?, after, found })
        }
        unknown => Err(FieldError::not_allowed("check", unknown)),
    }
}

//! Events to append, and the conditions for it.
//!
//! ```text
//!  durability u8     1 buffered, 2 written, 3 durable
//!  missed_max u32    how many events that the client does not know of a conflict may bring
//!  request_id uuid   all zeros: none
//!  since u64         the head when the request was first made
//!  check_count u16   then the checks
//!    1 u8 | stream text16 | expected u8 (0 any, 1 no stream, 2 exists, 3 exactly) | revision u64, 0 unless exactly
//!    2 u8 | after u64 | query text32
//!  event_count u32
//!  records           one after another, each padded to 8 bytes, revision and place_crc zero (docs/FORMAT.md)
//! ```

use crate::fields::{FieldError, FieldReader, FieldWriter};
use gesta_model::limits::{QUERY_TERMS_MAX, REQUEST_CHECKS_MAX};
use gesta_model::{
    Check, Durability, EncodedRequest, ExpectedRevision, ForeignRequest, Position, Query, Revision, StreamName, Uuid,
};

/// An append request on its way.
#[derive(Clone, Debug)]
pub enum Append<'a> {
    /// As it is sent: encoded here.
    Encoded(&'a EncodedRequest),
    /// As it comes: to be checked.
    Foreign(ForeignRequest<'a>),
}

impl<'a> Append<'a> {
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Encoded(request) => write(
                out,
                &ForeignRequest {
                    records: request.record_bytes(),
                    event_count: request.event_count(),
                    checks: request.checks().to_vec(),
                    durability: request.durability(),
                    request_id: request.request_id(),
                    since: request.since(),
                    missed_max: request.missed_max(),
                },
            ),
            Self::Foreign(request) => write(out, request),
        }
    }

    pub(crate) fn read(fields: &mut FieldReader<'a>) -> Result<Self, FieldError> {
        let durability = read_durability(fields)?;
        let missed_max = fields.u32("missed_max")?;
        let request_id = fields.uuid("request_id")?;
        let since = Position(fields.u64("since")?);
        let check_count = usize::from(fields.u16("check_count")?);
        if check_count > REQUEST_CHECKS_MAX {
            let what = format!("{check_count} checks, at most {REQUEST_CHECKS_MAX} are allowed");
            return Err(FieldError::unacceptable("check_count", what));
        }
        let checks = read_checks(fields, check_count)?;
        let event_count = fields.u32("event_count")?;
        Ok(Self::Foreign(ForeignRequest {
            records: fields.rest(),
            event_count,
            checks,
            durability,
            request_id: (!request_id.is_nil()).then_some(request_id),
            since,
            missed_max,
        }))
    }
}

fn write(out: &mut Vec<u8>, request: &ForeignRequest<'_>) {
    write_durability(out, request.durability);
    out.put_u32(request.missed_max);
    out.put_uuid(request.request_id.unwrap_or(Uuid::nil()));
    out.put_u64(request.since.0);
    out.put_u16(u16::try_from(request.checks.len()).expect("a request has at most a thousand checks"));
    for check in &request.checks {
        match check {
            Check::Stream { stream, expected } => {
                out.put_u8(1);
                write_expected(out, stream, *expected);
            }
            Check::NoEvents { query, after } => {
                out.put_u8(2);
                out.put_u64(after.0);
                out.put_text32(&query.to_string());
            }
            _ => unreachable!("no other check is known in this version"),
        }
    }
    out.put_u32(request.event_count);
    out.put(request.records);
}

fn read_checks(fields: &mut FieldReader<'_>, check_count: usize) -> Result<Vec<Check>, FieldError> {
    let mut checks = Vec::new();
    let mut item_count = 0;
    for _ in 0..check_count {
        let check = read_check(fields)?;
        // The limit of terms does not bound items that have none: two bytes of text each, and forty times that in memory.
        if let Check::NoEvents { query, .. } = &check {
            item_count += query.items().len();
        }
        if item_count > QUERY_TERMS_MAX {
            let what = format!("more than {QUERY_TERMS_MAX} items in all checks together");
            return Err(FieldError::unacceptable("query", what));
        }
        checks.push(check);
    }
    Ok(checks)
}

fn read_check(fields: &mut FieldReader<'_>) -> Result<Check, FieldError> {
    match fields.u8("check")? {
        1 => read_expected(fields).map(|(stream, expected)| Check::Stream { stream, expected }),
        2 => {
            let after = Position(fields.u64("after")?);
            Ok(Check::NoEvents { query: read_query(fields)?, after })
        }
        unknown => Err(FieldError::not_allowed("check", unknown)),
    }
}

pub(crate) fn read_query(fields: &mut FieldReader<'_>) -> Result<Query, FieldError> {
    fields.text32("query")?.parse().map_err(|error| FieldError::unacceptable("query", error))
}

pub(crate) fn read_stream(fields: &mut FieldReader<'_>) -> Result<StreamName, FieldError> {
    StreamName::new(fields.text16("stream")?).map_err(|error| FieldError::unacceptable("stream", error))
}

pub(crate) fn write_expected(out: &mut Vec<u8>, stream: &StreamName, expected: ExpectedRevision) {
    out.put_text16(stream.as_str());
    let (code, revision) = match expected {
        ExpectedRevision::Any => (0, 0),
        ExpectedRevision::NoStream => (1, 0),
        ExpectedRevision::StreamExists => (2, 0),
        ExpectedRevision::Exactly(revision) => (3, revision.0),
    };
    out.put_u8(code);
    out.put_u64(revision);
}

pub(crate) fn read_expected(fields: &mut FieldReader<'_>) -> Result<(StreamName, ExpectedRevision), FieldError> {
    let stream = read_stream(fields)?;
    let expected = match (fields.u8("expected")?, fields.u64("revision")?) {
        (0, 0) => ExpectedRevision::Any,
        (1, 0) => ExpectedRevision::NoStream,
        (2, 0) => ExpectedRevision::StreamExists,
        (3, revision) => ExpectedRevision::Exactly(Revision(revision)),
        (0..=2, revision) => return Err(FieldError::not_allowed("revision", revision)),
        (code, _) => return Err(FieldError::not_allowed("expected", code)),
    };
    Ok((stream, expected))
}

pub(crate) fn write_durability(out: &mut Vec<u8>, durability: Durability) {
    out.put_u8(match durability {
        Durability::Buffered => 1,
        Durability::Written => 2,
        Durability::Durable => 3,
    });
}

pub(crate) fn read_durability(fields: &mut FieldReader<'_>) -> Result<Durability, FieldError> {
    match fields.u8("durability")? {
        1 => Ok(Durability::Buffered),
        2 => Ok(Durability::Written),
        3 => Ok(Durability::Durable),
        unknown => Err(FieldError::not_allowed("durability", unknown)),
    }
}

//! The answer to an append that was made.
//!
//! ```text
//!  first u64 | end u64 | head u64 | durability u8 | incarnation u32 | stream_count u32 | { stream text16 | revision u64 }
//! ```

use crate::append::{read_durability, read_stream, write_durability};
use crate::fields::{FieldError, FieldReader, FieldWriter};
use gesta_model::{Incarnation, Position, Receipt, Revision};

pub(crate) fn write(out: &mut Vec<u8>, receipt: &Receipt) {
    out.put_u64(receipt.positions.start.0);
    out.put_u64(receipt.positions.end.0);
    out.put_u64(receipt.head.0);
    write_durability(out, receipt.durability);
    out.put_u32(receipt.incarnation.0);
    out.put_count(receipt.revisions.len());
    for (stream, revision) in &receipt.revisions {
        out.put_text16(stream.as_str());
        out.put_u64(revision.0);
    }
}

pub(crate) fn read(fields: &mut FieldReader<'_>) -> Result<Receipt, FieldError> {
    let positions = fields.positions("first, end")?;
    let head = Position(fields.u64("head")?);
    let durability = read_durability(fields)?;
    let incarnation = Incarnation(fields.u32("incarnation")?);
    let mut revisions = Vec::new();
    for _ in 0..fields.u32("stream_count")? {
        revisions.push((read_stream(fields)?, Revision(fields.u64("revision")?)));
    }
    Ok(Receipt { positions, revisions, head, durability, incarnation })
}

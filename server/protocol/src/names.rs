//! The names that events have.
//!
//! ```text
//!  request   kind u8 (0 streams, 1 categories, 2 types, 3 tags) | prefix text16
//!  answer    has_more bool | count u32 | { name text16 | events u64 | last u64 | last_revision u64, all ones: none }
//! ```
//!
//! Names come in the order of their bytes, in as many frames as they take.

use crate::fields::{FieldError, FieldReader, FieldWriter};
use gesta_model::{NameCount, NameKind, Position, Revision};

/// Some of the names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamesPart {
    /// Whether another frame follows.
    pub has_more: bool,
    /// The names.
    pub names: Vec<NameCount>,
}

const NONE: u64 = u64::MAX;

pub(crate) fn write_kind(out: &mut Vec<u8>, kind: NameKind) {
    out.put_u8(match kind {
        NameKind::Stream => 0,
        NameKind::Category => 1,
        NameKind::Type => 2,
        NameKind::Tag => 3,
    });
}

pub(crate) fn read_kind(fields: &mut FieldReader<'_>) -> Result<NameKind, FieldError> {
    match fields.u8("kind")? {
        0 => Ok(NameKind::Stream),
        1 => Ok(NameKind::Category),
        2 => Ok(NameKind::Type),
        3 => Ok(NameKind::Tag),
        unknown => Err(FieldError::not_allowed("kind", unknown)),
    }
}

impl NamesPart {
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.put_bool(self.has_more);
        out.put_count(self.names.len());
        for name in &self.names {
            out.put_text16(&name.name);
            out.put_u64(name.count);
            out.put_u64(name.last.0);
            out.put_u64(name.last_revision.map_or(NONE, |revision| revision.0));
        }
    }

    pub(crate) fn read(fields: &mut FieldReader<'_>) -> Result<Self, FieldError> {
        let has_more = fields.bool("has_more")?;
        let mut names = Vec::new();
        for _ in 0..fields.u32("count")? {
            names.push(NameCount {
                name: fields.text16("name")?.to_owned(),
                count: fields.u64("events")?,
                last: Position(fields.u64("last")?),
                last_revision: Some(fields.u64("last_revision")?).filter(|revision| *revision != NONE).map(Revision),
            });
        }
        Ok(Self { has_more, names })
    }
}

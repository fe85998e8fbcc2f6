//! Saved fold states: one as it is saved, one as it is loaded, and what is known of many.
//!
//! ```text
//!  save      schema u32 | position u64 | key text16 | data_bytes u32 | data
//!  loaded    is_there bool | position u64 | data_bytes u32 | data; zeros and no data when there is none
//!  list      has_more bool | count u32 | { key text16 | schema u32 | position u64 | data_bytes u64 }
//! ```
//!
//! Listed snapshots come in the order of their keys' bytes, in as many frames as they take.

use crate::fields::{FieldError, FieldReader, FieldWriter};
use gesta_model::{Position, SnapshotInfo, SnapshotKey};

/// A snapshot to be saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SaveSnapshot<'a> {
    /// What it is of.
    pub key: SnapshotKey,
    /// The version of the data's shape.
    pub schema: u32,
    /// Everything below it is folded in.
    pub position: Position,
    /// The state.
    pub data: &'a [u8],
}

/// Some of the snapshots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotsPart {
    /// Whether another frame follows.
    pub has_more: bool,
    /// The snapshots.
    pub snapshots: Vec<SnapshotInfo>,
}

pub(crate) fn read_key(fields: &mut FieldReader<'_>) -> Result<SnapshotKey, FieldError> {
    SnapshotKey::new(fields.text16("key")?).map_err(|error| FieldError::unacceptable("key", error))
}

impl<'a> SaveSnapshot<'a> {
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.put_u32(self.schema);
        out.put_u64(self.position.0);
        out.put_text16(self.key.as_str());
        put_data(out, self.data);
    }

    pub(crate) fn read(fields: &mut FieldReader<'a>) -> Result<Self, FieldError> {
        let (schema, position) = (fields.u32("schema")?, Position(fields.u64("position")?));
        Ok(Self { key: read_key(fields)?, schema, position, data: read_data(fields)? })
    }
}

/// What a load found.
pub(crate) fn write_loaded(out: &mut Vec<u8>, found: Option<(Position, &[u8])>) {
    let (position, data) = found.unwrap_or_default();
    out.put_bool(found.is_some());
    out.put_u64(position.0);
    put_data(out, data);
}

pub(crate) fn read_loaded<'a>(fields: &mut FieldReader<'a>) -> Result<Option<(Position, &'a [u8])>, FieldError> {
    let is_there = fields.bool("is_there")?;
    let found = (Position(fields.u64("position")?), read_data(fields)?);
    if !is_there && found != (Position::START, &[][..]) {
        return Err(FieldError::not_allowed("is_there", "0 beside a snapshot"));
    }
    Ok(is_there.then_some(found))
}

impl SnapshotsPart {
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.put_bool(self.has_more);
        out.put_count(self.snapshots.len());
        for snapshot in &self.snapshots {
            out.put_text16(snapshot.key.as_str());
            out.put_u32(snapshot.schema);
            out.put_u64(snapshot.position.0);
            out.put_u64(snapshot.data_bytes);
        }
    }

    pub(crate) fn read(fields: &mut FieldReader<'_>) -> Result<Self, FieldError> {
        let has_more = fields.bool("has_more")?;
        let mut snapshots = Vec::new();
        for _ in 0..fields.u32("count")? {
            snapshots.push(SnapshotInfo {
                key: read_key(fields)?,
                schema: fields.u32("schema")?,
                position: Position(fields.u64("position")?),
                data_bytes: fields.u64("data_bytes")?,
            });
        }
        Ok(Self { has_more, snapshots })
    }
}

fn put_data(out: &mut Vec<u8>, data: &[u8]) {
    out.put_count(data.len());
    out.put(data);
}

fn read_data<'a>(fields: &mut FieldReader<'a>) -> Result<&'a [u8], FieldError> {
    let length = fields.u32("data_bytes")?;
    fields.bytes("data", length as usize)
}

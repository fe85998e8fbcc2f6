//! What long work finds, and how far it has come.
//!
//! ```text
//!  Working         done u64 | total u64
//!  Damaged         offset u64 | start u64 | end u64 | file text16 | what text16
//!  LogFindings     events u64 | count u32 | { as in Damaged }
//!  IndexFindings   whole u64 | bytes u64 | damaged_count u32 | { file text16 | what text16 } | missing_count u32 |
//!                  { file text16 }
//!  Stores, Told    count u32 | { name text16 }
//! ```
//!
//! No list is longer than 1,048,576; what is beyond is not told.

use crate::fields::{FieldError, FieldReader, FieldWriter, within_list};
use gesta_model::Damage;

/// How far long work has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Work {
    /// What is done, in the work's own unit.
    pub done: u64,
    /// What there is to do.
    pub total: u64,
}

/// What reading every byte of the log found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogFindings {
    /// Events that are whole.
    pub events: u64,
    /// What is damaged.
    pub damage: Vec<Damage>,
}

/// What reading every byte of the index files found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IndexFindings {
    /// Files that are whole.
    pub whole: u64,
    /// Bytes of these files.
    pub bytes: u64,
    /// Files that are damaged, with what is wrong.
    pub damaged: Vec<(String, String)>,
    /// Files that are missing, or were not believed.
    pub missing: Vec<String>,
}

impl Work {
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.put_u64(self.done);
        out.put_u64(self.total);
    }

    pub(crate) fn read(fields: &mut FieldReader<'_>) -> Result<Self, FieldError> {
        Ok(Self { done: fields.u64("done")?, total: fields.u64("total")? })
    }
}

pub(crate) fn write_damage(out: &mut Vec<u8>, damage: &Damage) {
    out.put_u64(damage.offset);
    out.put_u64(damage.positions.start.0);
    out.put_u64(damage.positions.end.0);
    out.put_text16(&damage.file);
    out.put_text16(&damage.what);
}

pub(crate) fn read_damage(fields: &mut FieldReader<'_>) -> Result<Damage, FieldError> {
    Ok(Damage {
        offset: fields.u64("offset")?,
        positions: fields.positions("start, end")?,
        file: fields.text16("file")?.to_owned(),
        what: fields.text16("what")?.to_owned(),
    })
}

impl LogFindings {
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.put_u64(self.events);
        let told = within_list(&self.damage);
        out.put_count(told.len());
        for damage in told {
            write_damage(out, damage);
        }
    }

    pub(crate) fn read(fields: &mut FieldReader<'_>) -> Result<Self, FieldError> {
        let events = fields.u64("events")?;
        let mut damage = Vec::new();
        for _ in 0..fields.list_length("count")? {
            damage.push(read_damage(fields)?);
        }
        Ok(Self { events, damage })
    }
}

impl IndexFindings {
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.put_u64(self.whole);
        out.put_u64(self.bytes);
        let told = within_list(&self.damaged);
        out.put_count(told.len());
        for (file, what) in told {
            out.put_text16(file);
            out.put_text16(what);
        }
        write_texts(out, &self.missing);
    }

    pub(crate) fn read(fields: &mut FieldReader<'_>) -> Result<Self, FieldError> {
        let mut findings =
            Self { whole: fields.u64("whole")?, bytes: fields.u64("bytes")?, damaged: Vec::new(), missing: Vec::new() };
        for _ in 0..fields.list_length("damaged_count")? {
            findings.damaged.push((fields.text16("file")?.to_owned(), fields.text16("what")?.to_owned()));
        }
        findings.missing = read_texts(fields)?;
        Ok(findings)
    }
}

pub(crate) fn write_texts(out: &mut Vec<u8>, texts: &[String]) {
    let told = within_list(texts);
    out.put_count(told.len());
    for text in told {
        out.put_text16(text);
    }
}

pub(crate) fn read_texts(fields: &mut FieldReader<'_>) -> Result<Vec<String>, FieldError> {
    let mut texts = Vec::new();
    for _ in 0..fields.list_length("count")? {
        texts.push(fields.text16("text")?.to_owned());
    }
    Ok(texts)
}

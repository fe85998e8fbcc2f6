//! The settings file: TOML, as keys with values and lines.
//!
//! What must stay true: keys come in the order of their lines, so that the first mistake that is reported is the first in
//! the file; and nothing of a file that cannot be read is repeated in a message, because it may be a file of secrets.

use super::error::SettingsError;
use super::key::Key;
use super::slot::Given;
use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::Path;
use toml::de::{DeInteger, DeTable, DeValue};

/// Longer than any settings; the length of a file is not believed.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// What one line says.
pub(super) struct Entry {
    /// The key, its section before a dot.
    pub(super) key: String,
    pub(super) given: Given,
    /// Counted from 1.
    pub(super) line: usize,
}

/// All that the file says.
pub(super) fn entries(path: &Path) -> Result<Vec<Entry>, SettingsError> {
    let text = read(path)?;
    let table = DeTable::parse(&text).map_err(|error| SettingsError::NotToml {
        path: path.display().to_string(),
        line: line_of(&text, error.span().as_ref()),
        what: error.message().to_owned(),
    })?;
    let mut entries = Vec::new();
    collect(&text, "", table.get_ref(), &mut entries);
    entries.sort_by_key(|entry| entry.line);
    Ok(entries)
}

fn read(path: &Path) -> Result<String, SettingsError> {
    let name = || path.display().to_string();
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes));
    read.map_err(|source| SettingsError::Unreadable { path: name(), source })?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(SettingsError::TooLarge { path: name(), bytes_max: FILE_BYTES_MAX });
    }
    String::from_utf8(bytes).map_err(|error| SettingsError::NotToml {
        path: name(),
        line: 1 + count_lines(&error.as_bytes()[..error.utf8_error().valid_up_to()]),
        what: "the line is not text in UTF-8".to_owned(),
    })
}

/// Adds what a table says; of a section, what the section says.
fn collect(text: &str, section: &str, table: &DeTable<'_>, entries: &mut Vec<Entry>) {
    for (key, value) in table {
        let name = if section.is_empty() { key.get_ref().to_string() } else { format!("{section}.{}", key.get_ref()) };
        match value.get_ref() {
            DeValue::Table(table) if section.is_empty() && Key::is_section(&name) => {
                collect(text, &name, table, entries)
            }
            other => {
                entries.push(Entry { given: given(other), line: line_of(text, Some(&key.span())), key: name });
            }
        }
    }
}

fn given(value: &DeValue<'_>) -> Given {
    match value {
        DeValue::String(text) => Given::Text(text.to_string()),
        DeValue::Integer(integer) => Given::Integer { text: integer.to_string(), value: number(integer) },
        DeValue::Boolean(switch) => Given::Switch(*switch),
        DeValue::Float(_) => Given::Other("a fraction"),
        DeValue::Datetime(_) => Given::Other("a date"),
        DeValue::Array(_) => Given::Other("a list"),
        DeValue::Table(_) => Given::Other("a section"),
    }
}

fn number(integer: &DeInteger<'_>) -> Option<u64> {
    u64::from_str_radix(integer.as_str(), integer.radix()).ok()
}

fn line_of(text: &str, span: Option<&Range<usize>>) -> usize {
    let start = span.map_or(0, |span| span.start).min(text.len());
    1 + count_lines(&text.as_bytes()[..start])
}

fn count_lines(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte == b'\n').count()
}

//! A file that remembers every shape that events were ever written in, and fails the test when one changes unnoticed.

use super::decode::Stored;
use super::encode::split;
use super::{DecodeFailure, DomainEvent, EncodeError, event_types};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why the events of today are not those that the golden file remembers.
#[derive(Debug, Error)]
pub enum GoldenError {
    /// The file cannot be read or written.
    #[error("{}: {error}", file.display())]
    File {
        /// The golden file.
        file: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// A line of the file is not what was written there.
    #[error("{}:{line}: {error}", file.display())]
    Line {
        /// The golden file.
        file: PathBuf,
        /// The number of the line, from 1.
        line: usize,
        /// What is wrong with it.
        error: serde_json::Error,
    },
    /// A sample cannot be written.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// Events look otherwise than their schema number says.
    #[error(
        "{event_type:?} (schema {schema}) has changed its shape from {before} to {now}: raise its number in \
         DomainEvent::schema and write the step in upcast"
    )]
    Changed {
        /// The type of event.
        event_type: String,
        /// Its schema number.
        schema: u32,
        /// The sample in the file.
        before: String,
        /// The sample of today.
        now: String,
    },
    /// An event that was once written cannot be read any more.
    #[error("{event_type:?} as it was written under schema {schema} cannot be read any more: {failure}")]
    Unreadable {
        /// The type of event.
        event_type: String,
        /// Its schema number.
        schema: u32,
        /// Why not.
        failure: DecodeFailure,
    },
    /// A type of event has no sample.
    #[error("{event_type:?} has no sample: give one to check_golden")]
    NoSample {
        /// The type of event.
        event_type: String,
    },
    /// The file does not know a shape yet.
    #[error("{} does not know {event_type:?} (schema {schema}) yet: run the test once with GESTA_GOLDEN=write, and commit the file", file.display())]
    New {
        /// The golden file.
        file: PathBuf,
        /// The type of event.
        event_type: String,
        /// Its schema number.
        schema: u32,
    },
}

/// One line of the file.
#[derive(Serialize, Deserialize)]
struct Sample {
    #[serde(rename = "type")]
    event_type: String,
    schema: u32,
    data: Value,
}

/// Compares the events of today with the shapes that a golden file remembers.
///
/// The file holds a sample of each type and schema number, one a line. The check fails when a type looks otherwise than its
/// sample without a new number, when an old sample cannot be read any more, and when a type has no sample. With
/// `GESTA_GOLDEN=write` in the environment new shapes are added to the file; what stands there is never changed.
pub fn check_golden<E: DomainEvent>(file: impl AsRef<Path>, samples: &[E]) -> Result<(), GoldenError> {
    let is_writing = std::env::var_os("GESTA_GOLDEN").is_some_and(|value| value == "write");
    check_golden_file(file.as_ref(), samples, is_writing)
}

fn check_golden_file<E: DomainEvent>(file: &Path, samples: &[E], is_writing: bool) -> Result<(), GoldenError> {
    let mut known = read(file)?;
    for ((event_type, schema), data) in &known {
        let text = data.to_string();
        let stored = Stored { event_type, schema: *schema, data: text.as_bytes() };
        stored.decode::<E>().map_err(|failure| GoldenError::Unreadable {
            event_type: event_type.clone(),
            schema: *schema,
            failure,
        })?;
    }
    let known_count = known.len();
    for sample in samples {
        let (event_type, data) = split(serde_json::to_vec(sample).map_err(EncodeError::Json)?)?;
        let now: Value =
            serde_json::from_slice(if data.is_empty() { b"null" } else { &data }).map_err(EncodeError::Json)?;
        let schema = E::schema(&event_type);
        match known.get(&(event_type.clone(), schema)) {
            Some(before) if is_alike(before, &now) => {}
            Some(before) => {
                let (before, now) = (before.to_string(), now.to_string());
                return Err(GoldenError::Changed { event_type, schema, before, now });
            }
            None if is_writing => {
                known.insert((event_type, schema), now);
            }
            None => return Err(GoldenError::New { file: file.to_owned(), event_type, schema }),
        }
    }
    let types = event_types::<E>().ok_or(EncodeError::NotAnEnum)?;
    if let Some(event_type) = types.iter().find(|name| !known.keys().any(|(known, _)| known == *name)) {
        return Err(GoldenError::NoSample { event_type: (*event_type).to_owned() });
    }
    if known.len() > known_count { write(file, known) } else { Ok(()) }
}

type Known = BTreeMap<(String, u32), Value>;

fn read(file: &Path) -> Result<Known, GoldenError> {
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(GoldenError::File { file: file.to_owned(), error }),
    };
    let mut known = Known::new();
    for (index, line) in text.lines().enumerate() {
        let sample: Sample = serde_json::from_str(line).map_err(|error| GoldenError::Line {
            file: file.to_owned(),
            line: index + 1,
            error,
        })?;
        known.insert((sample.event_type, sample.schema), sample.data);
    }
    Ok(known)
}

fn write(file: &Path, known: Known) -> Result<(), GoldenError> {
    let mut text = String::new();
    for ((event_type, schema), data) in known {
        text += &serde_json::to_string(&Sample { event_type, schema, data }).map_err(EncodeError::Json)?;
        text.push('\n');
    }
    fs::write(file, text).map_err(|error| GoldenError::File { file: file.to_owned(), error })
}

/// Whether two values have the same shape: the same fields of the same kinds. What is absent in one, as `null` or in an
/// empty list, may be anything in the other.
fn is_alike(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Null, _) | (_, Value::Null) => true,
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, value)| other.get(key).is_some_and(|other| is_alike(value, other)))
        }
        (Value::Array(one), Value::Array(other)) => match (one.first(), other.first()) {
            (Some(one), Some(other)) => is_alike(one, other),
            _ => true,
        },
        _ => std::mem::discriminant(one) == std::mem::discriminant(other),
    }
}

#[cfg(test)]
#[path = "golden_test.rs"]
mod tests;

//! Why an event cannot be written or read.

use gesta_model::{NameError, Position};
use thiserror::Error;

/// Why an event of the domain does not become an event of the store.
#[derive(Debug, Error)]
pub enum EncodeError {
    /// Its stream, a tag or its type cannot be a name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// Its type is no enum, or one that serde writes without the variant's name.
    #[error("the events of a domain are an enum, derived without #[serde(tag)] or #[serde(untagged)]: this is none")]
    NotAnEnum,
    /// serde cannot write it as JSON.
    #[error("the event cannot be written as JSON: {0}")]
    Json(serde_json::Error),
}

/// Why an event of the store does not become an event of the domain.
#[derive(Debug, Error)]
#[error("the event at position {position} (type {event_type:?}) cannot be read: {failure}")]
pub struct DecodeError {
    /// Which event.
    pub position: Position,
    /// Its type.
    pub event_type: String,
    /// What is wrong.
    pub failure: DecodeFailure,
}

/// What is wrong with an event that cannot be read.
#[derive(Debug, Error)]
pub enum DecodeFailure {
    /// No variant has the name of its type.
    #[error("no variant has that name: add one, rename with #[serde(alias)], or let UNKNOWN be Skip")]
    UnknownType,
    /// It was written by a later version of the program.
    #[error("it is of schema {found}, this program knows them up to {known}: run the newer program")]
    NewerSchema {
        /// Its number.
        found: u32,
        /// The number that is written today.
        known: u32,
    },
    /// An older shape could not be brought to the present one.
    #[error("it is of schema {schema}, and upcasting failed: {why}")]
    Upcast {
        /// The number that it could not be brought beyond.
        schema: u32,
        /// What the step said.
        why: String,
    },
    /// Its data is not the JSON of that variant.
    #[error("its data is not what the variant holds: {0}; if the shape changed, raise its schema number and upcast")]
    Data(serde_json::Error),
    /// Its metadata is no JSON object, or the schema number in there is none.
    #[error("its metadata does not say its schema number: {0}")]
    Metadata(serde_json::Error),
    /// The type to read into is no enum.
    #[error("the events of a domain are an enum, derived without #[serde(tag)] or #[serde(untagged)]: this is none")]
    NotAnEnum,
}

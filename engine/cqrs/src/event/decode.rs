//! From an event of the store to an event of the domain.

use super::variant::Variant;
use super::{DecodeError, DecodeFailure, DomainEvent, OldEvent, UnknownType, event_types};
use gesta_model::Record;
use serde::Deserialize;
use serde_json::Value;

/// The event of the domain that a record holds; `None` when its type is unknown and
/// [`UNKNOWN`](DomainEvent::UNKNOWN) passes such events by.
pub fn decode<E: DomainEvent>(record: &Record<'_>) -> Result<Option<E>, DecodeError> {
    let stored = Stored::of(record);
    stored.and_then(Stored::decode).map_err(|failure| DecodeError {
        position: record.position(),
        event_type: record.event_type().to_owned(),
        failure,
    })
}

/// An event as it was stored.
pub(super) struct Stored<'a> {
    pub(super) event_type: &'a str,
    pub(super) schema: u32,
    /// JSON.
    pub(super) data: &'a [u8],
}

/// What the metadata may say.
#[derive(Deserialize)]
struct Metadata {
    #[serde(default = "first")]
    schema: u32,
}

const fn first() -> u32 {
    1
}

impl<'a> Stored<'a> {
    fn of(record: &Record<'a>) -> Result<Self, DecodeFailure> {
        let metadata = record.metadata();
        let schema = if metadata.is_json() {
            let metadata: Metadata = serde_json::from_slice(metadata.bytes()).map_err(DecodeFailure::Metadata)?;
            metadata.schema
        } else {
            first()
        };
        let data = record.data();
        let data = if data.is_empty() { b"null" } else { data.bytes() };
        Ok(Self { event_type: record.event_type(), schema, data })
    }

    pub(super) fn decode<E: DomainEvent>(self) -> Result<Option<E>, DecodeFailure> {
        let known = E::schema(self.event_type);
        if self.schema > known {
            return Err(DecodeFailure::NewerSchema { found: self.schema, known });
        }
        if self.schema < known {
            return self.upcast::<E>(known);
        }
        if !is_known::<E>(self.event_type)? {
            return Ok(None);
        }
        let mut content = serde_json::Deserializer::from_slice(self.data);
        let event = E::deserialize(Variant { name: self.event_type, content: &mut content });
        event.and_then(|event| content.end().map(|()| Some(event))).map_err(DecodeFailure::Data)
    }

    /// Reads an event of an older shape, brought up one number at a time.
    fn upcast<E: DomainEvent>(self, mut known: u32) -> Result<Option<E>, DecodeFailure> {
        let data: Value = serde_json::from_slice(self.data).map_err(DecodeFailure::Data)?;
        let mut old = OldEvent { event_type: self.event_type.to_owned(), schema: self.schema, data };
        while old.schema < known {
            let schema = old.schema;
            E::upcast(&mut old).map_err(|why| DecodeFailure::Upcast { schema, why })?;
            old.schema = schema + 1;
            known = E::schema(&old.event_type);
        }
        if !is_known::<E>(&old.event_type)? {
            return Ok(None);
        }
        E::deserialize(Variant { name: &old.event_type, content: old.data }).map(Some).map_err(DecodeFailure::Data)
    }
}

/// Whether a variant has this name; what is not known may be an error.
fn is_known<E: DomainEvent>(event_type: &str) -> Result<bool, DecodeFailure> {
    let known = event_types::<E>().ok_or(DecodeFailure::NotAnEnum)?;
    match (known.contains(&event_type), E::UNKNOWN) {
        (true, _) => Ok(true),
        (false, UnknownType::Skip) => Ok(false),
        (false, UnknownType::Refuse) => Err(DecodeFailure::UnknownType),
    }
}

#[cfg(test)]
#[path = "decode_test.rs"]
mod tests;

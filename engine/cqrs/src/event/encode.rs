//! From an event of the domain to an event of the store.

use super::{DomainEvent, EncodeError, Labels, event_types};
use gesta_model::{Event, EventType};

/// The event of the store that an event of the domain becomes.
pub fn encode<E: DomainEvent>(event: &E) -> Result<Event, EncodeError> {
    let known = event_types::<E>().ok_or(EncodeError::NotAnEnum)?;
    let (name, data) = split(serde_json::to_vec(event).map_err(EncodeError::Json)?)?;
    if !known.contains(&name.as_str()) {
        return Err(EncodeError::NotAnEnum);
    }
    let mut labels = Labels::default();
    event.describe(&mut labels);
    let Labels { stream, tags, time, error } = labels;
    if let Some(error) = error {
        return Err(error.into());
    }
    let schema = E::schema(&name);
    let mut encoded = Event::new(EventType::new(name)?);
    if !data.is_empty() {
        encoded = encoded.json(data);
    }
    if schema != 1 {
        encoded = encoded.metadata_json(format!(r#"{{"schema":{schema}}}"#));
    }
    if let Some(stream) = stream {
        encoded = encoded.stream(stream);
    }
    if let Some(time) = time {
        encoded = encoded.time(time);
    }
    Ok(tags.into_iter().fold(encoded, Event::tag))
}

/// Takes what serde writes of an enum, `{"Name":content}` or `"Name"`, apart into the name and the content.
pub(super) fn split(mut json: Vec<u8>) -> Result<(String, Vec<u8>), EncodeError> {
    let has_content = json.first() == Some(&b'{');
    let name_start = usize::from(has_content);
    let mut names = serde_json::Deserializer::from_slice(&json[name_start..]).into_iter::<String>();
    let name = names.next().and_then(Result::ok).ok_or(EncodeError::NotAnEnum)?;
    let name_end = name_start + names.byte_offset();
    if !has_content {
        return Ok((name, Vec::new()));
    }
    json.pop();
    json.drain(..=name_end);
    Ok((name, json))
}

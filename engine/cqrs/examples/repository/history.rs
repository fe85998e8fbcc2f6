//! Filling an empty store with a history, as `gesta import` does with any.

use super::outcome::Outcome;
use flate2::read::MultiGzDecoder;
use gesta::{AppendRequest, Event, EventReader, EventType, Position, Store, StreamName, Tag, Timestamp, Uuid};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

/// Events of one append.
const EVENTS_EACH: usize = 256;

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    stream: Cow<'a, str>,
    #[serde(borrow, rename = "type")]
    event_type: Cow<'a, str>,
    tags: Vec<String>,
    time: Option<String>,
    #[serde(borrow)]
    data: &'a RawValue,
}

/// Appends all events of a file of JSON lines, packed by gzip; how many.
pub(crate) fn import(store: &Store, file: &Path) -> Outcome<u64> {
    if EventReader::head(store)? > Position::START {
        return Err("the store has events already: leave --history out".into());
    }
    let unpacked = BufReader::new(MultiGzDecoder::new(File::open(file)?));
    let mut events = Vec::new();
    for line in unpacked.lines() {
        events.push(event_of(&line?)?);
        if events.len() == EVENTS_EACH {
            store.append(AppendRequest::new().events(events.drain(..)))?;
        }
    }
    if !events.is_empty() {
        store.append(AppendRequest::new().events(events))?;
    }
    Ok(EventReader::head(store)?.0)
}

fn event_of(line: &str) -> Outcome<Event> {
    let Line { id, stream, event_type, tags, time, data } = serde_json::from_str(line)?;
    let mut event = Event::new(EventType::new(event_type)?)
        .id(Uuid::try_parse(&id)?)
        .stream(StreamName::new(stream)?)
        .json(data.get());
    if let Some(time) = time {
        let time: jiff::Timestamp = time.parse()?;
        event = event.time(Timestamp(i64::try_from(time.as_nanosecond())?));
    }
    for tag in tags {
        event = event.tag(Tag::new(tag)?);
    }
    Ok(event)
}

//! Which keys an event is found by.

use super::key::{Key, Keyring, Kind};
use gesta_model::codec::RequestHeader;
use gesta_model::{Category, Record};

/// Makes the keys of one event after another of one body; names that stay the same are hashed once.
#[derive(Debug)]
pub(crate) struct RecordKeys<'k, 'b> {
    keyring: &'k Keyring,
    event_type: Option<(&'b str, Key)>,
    category: Option<(&'b str, Key)>,
}

impl<'k, 'b> RecordKeys<'k, 'b> {
    /// Before the first event.
    pub(crate) fn new(keyring: &'k Keyring) -> Self {
        Self { keyring, event_type: None, category: None }
    }

    /// Adds the keys of an event to `keys`, that of its stream first; `request` is the header of the request it is the
    /// first event of.
    pub(crate) fn add(&mut self, record: &Record<'b>, request: Option<&RequestHeader>, keys: &mut Vec<Key>) {
        let keyring = self.keyring;
        if let Some(stream) = record.stream() {
            keys.push(keyring.key(Kind::Stream, stream.as_bytes()));
            if let Some(category) = Category::of(stream) {
                keys.push(remembered(&mut self.category, keyring, Kind::Category, category));
            }
        }
        keys.push(remembered(&mut self.event_type, keyring, Kind::Type, record.event_type()));
        keys.extend(record.tags().map(|tag| keyring.key(Kind::Tag, tag.as_bytes())));
        if let Some(request) = request.filter(|request| request.request_id != 0) {
            keys.push(keyring.key(Kind::Request, &request.request_id.to_le_bytes()));
        }
        if keyring.has_event_ids() {
            keys.push(keyring.key(Kind::Event, record.id().as_bytes()));
        }
    }
}

fn remembered<'b>(last: &mut Option<(&'b str, Key)>, keyring: &Keyring, kind: Kind, name: &'b str) -> Key {
    match *last {
        Some((known, key)) if known == name => key,
        _ => {
            let key = keyring.key(kind, name.as_bytes());
            *last = Some((name, key));
            key
        }
    }
}

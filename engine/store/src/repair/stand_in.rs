//! The event that stands for a lost one.
//!
//! It has the type [`LOST_EVENT_TYPE`], an id of its own, no time, and as data what is known of the loss:
//!
//! ```text
//! {"file": "0000000003-0000.log", "offset": 8192, "positions": [70, 73], "what": "batch body checksum does not match"}
//! ```

use super::placement::Placement;
use crate::environment::Environment;
use gesta_model::codec::{NO_REVISION, REQUEST_HEADER_BYTES, RequestHeader, encode_record, place_record};
use gesta_model::{Damage, Event, EventType, Position, StreamName};
use std::fmt::Write;
use std::ops::Range;

/// The type of the events that stand for lost ones in a store that was repaired. No other event should have it.
pub const LOST_EVENT_TYPE: &str = "gesta.lost";

/// Bytes of what is said of the damage: what a disk says has no bound.
const WHAT_BYTES_MAX: usize = 1024;

/// The bytes of a request with one stand-in for each of these positions, placed; and how many of them have a stream.
pub(super) fn stand_ins(
    positions: &Range<Position>,
    damage: &Damage,
    placement: &mut Placement<'_>,
    environment: &Environment,
) -> (Vec<u8>, u64) {
    let event_type = EventType::new(LOST_EVENT_TYPE).expect("the type is one");
    let event = Event::new(event_type).json(describe(damage));
    let mut ids = environment.id_maker();
    let mut bytes = vec![0; REQUEST_HEADER_BYTES];
    let (mut count, mut in_streams) = (0, 0);
    let mut position = positions.start;
    while position < positions.end {
        let offset = bytes.len();
        let place = placement.place(position);
        let revision = match place {
            Some((stream, revision)) => {
                let stream = StreamName::new(stream).expect("an event of the stream was read");
                encode_record(&event.clone().stream(stream), ids.make_id(), &mut bytes);
                in_streams += 1;
                revision
            }
            None => {
                encode_record(&event, ids.make_id(), &mut bytes);
                NO_REVISION
            }
        };
        place_record(&mut bytes[offset..], revision, position);
        position = position.plus(1);
        count += 1;
    }
    let length = u32::try_from(bytes.len()).expect("a request of stand-ins is small");
    let header = RequestHeader { record_count: count, bytes: length, request_id: 0, fingerprint: 0 };
    bytes[..REQUEST_HEADER_BYTES].copy_from_slice(&header.encode());
    (bytes, in_streams)
}

fn describe(damage: &Damage) -> String {
    let Damage { file, offset, positions: Range { start, end }, what } = damage;
    let file = file.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let what = &what[..what.floor_char_boundary(WHAT_BYTES_MAX)];
    let (file, what) = (json_string(file), json_string(what));
    format!("{{\"file\":{file},\"offset\":{offset},\"positions\":[{start},{end}],\"what\":{what}}}")
}

/// Text as a JSON string (RFC 8259).
fn json_string(text: &str) -> String {
    let mut string = String::with_capacity(text.len() + 2);
    string.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => string.extend(['\\', character]),
            control if control < ' ' => {
                write!(string, "\\u{:04x}", u32::from(control)).expect("writing to memory does not fail");
            }
            character => string.push(character),
        }
    }
    string.push('"');
    string
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stand_in_says_what_is_missing_in_json_whatever_the_disk_said() {
        let damage = Damage {
            file: "/of/a \"store\"/0000000003-0000.log".to_owned(),
            offset: 8192,
            positions: Position(70)..Position(73),
            what: format!("cannot be read:\n\\{}", "\u{e9}".repeat(WHAT_BYTES_MAX)),
        };
        let text = describe(&damage);
        let head = r#"{"file":"0000000003-0000.log","offset":8192,"positions":[70,73],"what":"cannot be read:\u000a\\"#;
        assert!(text.starts_with(head) && text.ends_with("\u{e9}\"}") && text.len() < 1200, "{text}");
    }
}

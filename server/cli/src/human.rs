//! An event as one line for people.
//!
//! `position  time  stream@revision  type  [tags]  the first characters of the data`, with every character escaped that
//! could leave the line or steer a terminal.

use crate::failure::OneLine;
use crate::json::write_time;
use gesta::{Payload, Record};
use std::io::Write;

/// Characters of data that are shown.
const DATA_CHARACTERS: usize = 100;

/// Appends the event to `out`, without a line break.
pub(crate) fn write_line(out: &mut Vec<u8>, record: &Record<'_>) {
    const IN_MEMORY: &str = "writing to memory does not fail";
    write!(out, "{:>8}  ", record.position()).expect(IN_MEMORY);
    match record.time() {
        Some(time) => write_time(out, time),
        None => out.push(b'-'),
    }
    match (record.stream(), record.revision()) {
        (Some(stream), Some(revision)) => write!(out, "  {}@{revision}", OneLine(stream)).expect(IN_MEMORY),
        _ => out.extend_from_slice(b"  -"),
    }
    write!(out, "  {}", OneLine(record.event_type())).expect(IN_MEMORY);
    let tags: Vec<&str> = record.tags().collect();
    if !tags.is_empty() {
        write!(out, "  [{}]", OneLine(&tags.join(" "))).expect(IN_MEMORY);
    }
    write!(out, "  {}", excerpt(record.data())).expect(IN_MEMORY);
}

/// The first characters of JSON; of anything else the length.
fn excerpt(data: Payload<'_>) -> String {
    if data.is_empty() {
        return String::new();
    }
    if !data.is_json() {
        return format!("({} bytes)", data.bytes().len());
    }
    // Four bytes a character at most; the cut may fall into one, which is then not among those shown.
    let head = &data.bytes()[..data.bytes().len().min(4 * (DATA_CHARACTERS + 1))];
    let text = String::from_utf8_lossy(head);
    let shown: String = text.chars().take(DATA_CHARACTERS).collect();
    let more = if shown.len() < data.bytes().len() { "..." } else { "" };
    format!("{}{more}", OneLine(&shown))
}

#[cfg(test)]
mod tests {
    use super::*;
    use gesta::codec::{encode_record, place_record};
    use gesta::{Event, EventType, Position, StreamName, Tag, Timestamp, Uuid};

    fn line(event: &Event) -> String {
        let mut bytes = Vec::new();
        encode_record(event, Uuid::from_u128(1), &mut bytes);
        place_record(&mut bytes, 3, Position(7));
        let (record, _) = Record::decode(&bytes, Position(7)).expect("the record was just made");
        let mut out = Vec::new();
        write_line(&mut out, &record);
        String::from_utf8(out).expect("a line is UTF-8")
    }

    #[test]
    fn an_event_is_one_line_that_cannot_steer_the_terminal() {
        let event = Event::new(EventType::new("T\u{1b}[2J").expect("a good name"))
            .stream(StreamName::new("s\n1").expect("a good name"))
            .time(Timestamp(0))
            .tag(Tag::new("k:v").expect("a good tag"))
            .json(format!("\"{}\"", "\u{e9}".repeat(200)));
        let shown = "\u{e9}".repeat(99);
        let expected = format!("       7  1970-01-01T00:00:00Z  s\\n1@3  T\\u{{1b}}[2J  [k:v]  \"{shown}...");
        assert_eq!(line(&event), expected);
    }

    #[test]
    fn what_is_not_json_is_told_by_its_length() {
        let event = Event::new(EventType::new("T").expect("a good name")).data(*b"\0\x01");
        assert_eq!(line(&event), "       7  -  -  T  (2 bytes)");
    }
}

//! Events as a server sends them.

use gesta_model::codec::{BatchHeader, BatchKind, HEADERS_BYTES, StoreKey, body_crc};
use gesta_model::{AppendRequest, EncodedRequest, Event, EventType, Incarnation, Limits, Position, Timestamp, Uuid};
use gesta_protocol::{Answer, Begun, Ended, EventsEncoder};
use std::ops::Range;

use crate::script::encoded;

/// When the store took an event.
pub(crate) fn time_of(position: u64) -> Timestamp {
    Timestamp(1_000 + i64::try_from(position).unwrap())
}

/// Placed events whose ids are their positions.
fn placed(positions: Range<u64>) -> EncodedRequest {
    let event = |position: u64| {
        let event = Event::new(EventType::new("Counted").unwrap()).id(Uuid::from_u128(u128::from(position) + 1));
        event.data(position.to_le_bytes().to_vec())
    };
    let request = AppendRequest::new().events(positions.clone().map(event));
    let mut encoded = request.encode(&Limits::default(), || unreachable!("each has an id")).unwrap();
    encoded.place(Position(positions.start), |_| 0);
    encoded
}

/// A frame of events, in the order given.
pub(crate) fn events(id: u64, positions: impl IntoIterator<Item = u64>) -> Vec<u8> {
    let mut encoder = EventsEncoder::events(id);
    for position in positions {
        let request = placed(position..position + 1);
        let (_, record) = request.records(Position(position)).next().unwrap();
        encoder.event(time_of(position), &record);
    }
    encoder.finish()
}

/// A frame of batches, one for each range.
pub(crate) fn batches(id: u64, ranges: impl IntoIterator<Item = Range<u64>>) -> Vec<u8> {
    let mut encoder = EventsEncoder::batches(id);
    for range in ranges {
        let request = placed(range.clone());
        let body = request.bytes();
        let header = BatchHeader {
            previous: 0,
            durable: Position(0),
            incarnation: Incarnation(1),
            base: Position(range.start),
            reign: 0,
            index: 0,
            recorded_at: time_of(range.start),
            count: request.event_count(),
            body_bytes: u32::try_from(body.len()).unwrap(),
            body_crc: body_crc(body),
            kind: BatchKind::Events,
            flags: 0,
        };
        let mut headers = [0; HEADERS_BYTES];
        header.encode(&StoreKey([0; 16]), &mut headers);
        encoder.batch(&BatchHeader::portable(&headers));
        encoder.batch(body);
    }
    encoder.finish()
}

pub(crate) fn begun(id: u64, head: u64) -> Vec<u8> {
    encoded(id, &Answer::Begun(Begun { head: Position(head), incarnation: Incarnation(1) }))
}

pub(crate) fn ended(id: u64, position: u64) -> Vec<u8> {
    let explanation = gesta_model::Explanation { lists_read: 3, ..Default::default() };
    encoded(id, &Answer::Ended(Ended { position: Position(position), explanation }))
}

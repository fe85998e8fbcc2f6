//! What a batch promises: nothing of it is believed before all of it is checked.

use super::*;
use crate::codec::{HEADERS_BYTES, StoreKey};
use crate::{AppendRequest, Event, EventType, Incarnation, Limits, StreamName, Timestamp, Uuid};
use proptest::prelude::*;

const KEY: StoreKey = StoreKey([7; 16]);

fn request(count: usize) -> Vec<u8> {
    let event = |number: usize| {
        Event::new(EventType::new("Counted").unwrap())
            .stream(StreamName::new("counter-1").unwrap())
            .json(format!("{{\"number\":{number}}}"))
    };
    let mut id = 0;
    let request = AppendRequest::new().events((0..count).map(event));
    let mut request = request
        .encode(&Limits::default(), || {
            id += 1;
            Uuid::from_u128(id)
        })
        .unwrap();
    let mut revision = 0;
    request.place(Position(10), |_| {
        revision += 1;
        revision - 1
    });
    request.bytes().to_vec()
}

fn batch() -> Vec<u8> {
    let mut bytes = vec![0; HEADERS_BYTES];
    bytes.extend(request(3));
    let body = &bytes[HEADERS_BYTES..];
    let header = BatchHeader {
        previous: 0x1122_3344_5566_7788,
        durable: Position(9),
        incarnation: Incarnation(2),
        base: Position(10),
        term: 0,
        index: 0,
        recorded_at: Timestamp(1_700_000_000_000_000_000),
        count: 3,
        body_bytes: u32::try_from(body.len()).unwrap(),
        body_crc: body_crc(body, Position(10), 3).unwrap(),
        kind: BatchKind::Events,
        flags: 0,
    };
    header.encode(&KEY, bytes.first_chunk_mut().unwrap());
    bytes
}

fn read(bytes: &[u8]) -> Result<Vec<(Position, Vec<u8>)>, String> {
    let headers = bytes.first_chunk().ok_or("short")?;
    let (header, _) = BatchHeader::decode(headers, &KEY).map_err(|error| error.to_string())?;
    let body = bytes.get(HEADERS_BYTES..header.bytes()).ok_or("short body")?;
    verify_body(&header, body).map_err(|error| error.to_string())?;
    verify_places(&header, body).map_err(|error| error.to_string())?;
    Records::new(&header, body)
        .map(|record| record.map(|record| (record.position(), record.data().bytes().to_vec())))
        .collect::<Result<_, _>>()
        .map_err(|error| error.to_string())
}

#[test]
fn golden_bytes_of_a_batch() {
    let golden: [u64; 10] = [
        0x4fb2f4d38abf1d4f,        // check
        0x1122_3344_5566_7788,     // previous
        9,                         // durable
        2,                         // incarnation
        10,                        // base
        0,                         // term
        0,                         // index
        1_700_000_000_000_000_000, // recorded at
        0x0000012800000003,        // body bytes, count
        0x000000014f889886,        // flags, kind, body crc
    ];
    let words: Vec<u64> =
        batch()[..HEADERS_BYTES].chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().unwrap())).collect();
    assert_eq!(words, golden);
}

#[test]
fn a_batch_comes_back_as_it_was_written() {
    let events = read(&batch()).unwrap();
    let positions: Vec<u64> = events.iter().map(|(position, _)| position.0).collect();
    assert_eq!(positions, [10, 11, 12]);
    assert_eq!(events[2].1, br#"{"number":2}"#);
}

#[test]
fn every_flipped_bit_of_a_batch_is_seen() {
    let bytes = batch();
    for bit in 0..bytes.len() * 8 {
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(read(&damaged).is_err(), "bit {bit}");
    }
}

#[test]
fn a_batch_of_another_store_is_refused() {
    let bytes = batch();
    let verdict = BatchHeader::decode(bytes.first_chunk().unwrap(), &StoreKey([8; 16]));
    assert!(verdict.is_err());
}

#[test]
fn requests_that_do_not_fill_the_body_are_refused() {
    let body = request(3);
    assert!(body_crc(&body, Position(10), 3).is_ok());
    assert_eq!(body_crc(&body, Position(10), 2), Err(BodyError::Structure));
    assert_eq!(body_crc(&body, Position(10), 4), Err(BodyError::Structure));
    assert!(body_crc(&body[..body.len() - 8], Position(10), 3).is_err());
}

proptest! {
    #[test]
    fn hostile_bodies_never_panic(noise in proptest::collection::vec((0_usize..600, any::<u8>()), 0..6), cut in 0_usize..600) {
        let mut body = request(3);
        for (offset, byte) in noise {
            let length = body.len();
            body[offset % length] = byte;
        }
        body.truncate(cut & !7);
        let header = BatchHeader {
            previous: 0, durable: Position(0), incarnation: Incarnation(1), base: Position(10), term: 0, index: 0,
            recorded_at: Timestamp(0), count: 3, body_bytes: u32::try_from(body.len()).unwrap(),
            body_crc: body_crc(&body, Position(10), 3).unwrap_or(0), kind: BatchKind::Events, flags: 0,
        };
        let _ = verify_body(&header, &body);
        prop_assert!(Records::new(&header, &body).count() <= body.len());
    }
}

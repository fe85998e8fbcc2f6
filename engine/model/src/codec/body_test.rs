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
        reign: 0,
        index: 0,
        recorded_at: Timestamp(1_700_000_000_000_000_000),
        count: 3,
        body_bytes: u32::try_from(body.len()).unwrap(),
        body_crc: body_crc(body),
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
    verify_records(&header, body).map_err(|error| error.to_string())?;
    Records::new(&header, body)
        .map(|record| record.map(|record| (record.position(), record.data().bytes().to_vec())))
        .collect::<Result<_, _>>()
        .map_err(|error| error.to_string())
}

#[test]
fn golden_bytes_of_a_batch() {
    let golden: [u64; 10] = [
        0x6728387deb889610,        // check
        0x1122_3344_5566_7788,     // previous
        9,                         // durable
        2,                         // incarnation
        10,                        // base
        0,                         // reign
        0,                         // index
        1_700_000_000_000_000_000, // recorded at
        0x0000012800000003,        // body bytes, count
        0x00000001be62b1fd,        // flags, kind, body crc
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

/// The headers of a batch of events whose body is `body`, whatever it is.
fn header_for(body: &[u8], count: u32) -> BatchHeader {
    BatchHeader {
        previous: 0,
        durable: Position(0),
        incarnation: Incarnation(1),
        base: Position(10),
        reign: 0,
        index: 0,
        recorded_at: Timestamp(0),
        count,
        body_bytes: u32::try_from(body.len()).unwrap(),
        body_crc: body_crc(body),
        kind: BatchKind::Events,
        flags: 0,
    }
}

#[test]
fn a_body_that_does_not_hold_what_its_header_says_is_found_by_the_deep_check() {
    let body = request(3);
    assert_eq!(verify_records(&header_for(&body, 3), &body), Ok(()));
    for count in [2, 4] {
        assert_eq!(verify_records(&header_for(&body, count), &body), Err(BodyError::Structure));
    }
    let cut = &body[..body.len() - 8];
    assert!(verify_records(&header_for(cut, 3), cut).is_err());
    for bit in 0..body.len() * 8 {
        let mut damaged = body.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        let is_request_id_or_fingerprint = (8..REQUEST_HEADER_BYTES).contains(&(bit / 8));
        let verdict = verify_records(&header_for(&damaged, 3), &damaged);
        assert_eq!(verdict.is_err(), !is_request_id_or_fingerprint, "bit {bit}: only the body's checksum covers these");
    }
}

#[test]
fn a_walk_that_skips_comes_by_the_same_records() {
    let body = [request(3), request(2)].concat();
    let header = header_for(&body, 5);
    let mut walk = RecordWalk::new(&header);
    for expected in Records::new(&header, &body) {
        let expected = expected.unwrap();
        assert_eq!(walk.position(), expected.position());
        let place = { walk }.next_place(&body).unwrap().unwrap();
        assert_eq!(place.record.bytes(), expected.bytes());
        assert_eq!(&body[place.offset..place.offset + expected.bytes().len()], expected.bytes());
        assert_eq!(place.request.is_some(), [Position(10), Position(13)].contains(&expected.position()));
        walk.skip(&body).unwrap().unwrap();
    }
    assert!(walk.skip(&body).is_none());
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
        let header = header_for(&body, 3);
        prop_assert_eq!(verify_body(&header, &body), Ok(()));
        let _ = verify_records(&header, &body);
        prop_assert!(Records::new(&header, &body).count() <= body.len());
    }
}

//! No body makes the walk over its requests and records panic, or give more than its header says.
#![no_main]

use gesta_fuzz::{look_at, repair_body};
use gesta_model::codec::{BatchHeader, BatchKind, Records, body_crc, verify_body, verify_places};
use gesta_model::{Incarnation, Position, Timestamp};
use libfuzzer_sys::fuzz_target;

const BASE: Position = Position(10);

fuzz_target!(|bytes: &[u8]| {
    let Some((count, body)) = bytes.split_first() else { return };
    let mut body = body.to_vec();
    walk(&body, u32::from(*count));
    let count = repair_body(&mut body, BASE);
    walk(&body, count);
});

fn walk(body: &[u8], count: u32) {
    let crc = body_crc(body, BASE, count);
    let header = BatchHeader {
        previous: 0,
        durable: BASE,
        incarnation: Incarnation(1),
        base: BASE,
        term: 0,
        index: 0,
        recorded_at: Timestamp(0),
        count,
        body_bytes: u32::try_from(body.len()).expect("inputs are small"),
        body_crc: crc.unwrap_or(0),
        kind: BatchKind::Events,
        flags: 0,
    };
    let records: Vec<_> = Records::new(&header, body).collect();
    records.iter().flatten().for_each(look_at);
    if verify_body(&header, body).is_ok() {
        assert!(records.len() <= count as usize);
        let all_decode = records.iter().all(Result::is_ok);
        assert!(!all_decode || records.len() == count as usize);
        assert!(all_decode || verify_places(&header, body).is_err());
    }
}

//! No body makes the walk over its requests and records panic, or give more than its header says.
#![no_main]

use gesta_fuzz::{look_at, repair_body};
use gesta_model::codec::{BatchHeader, BatchKind, RecordWalk, Records, body_crc, verify_body, verify_records};
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
    let header = BatchHeader {
        previous: 0,
        durable: BASE,
        incarnation: Incarnation(1),
        base: BASE,
        reign: 0,
        index: 0,
        recorded_at: Timestamp(0),
        count,
        body_bytes: u32::try_from(body.len()).expect("inputs are small"),
        body_crc: body_crc(body),
        kind: BatchKind::Events,
        flags: 0,
    };
    assert_eq!(verify_body(&header, body), Ok(()));
    let records: Vec<_> = Records::new(&header, body).collect();
    records.iter().flatten().for_each(look_at);
    if verify_records(&header, body).is_ok() {
        assert_eq!(records.len(), count as usize);
        assert!(records.iter().flatten().all(|record| record.verify().is_ok() && record.verify_content().is_ok()));
    }
    let mut walk = RecordWalk::from(BASE);
    let mut passed = 0;
    while let Some(Ok(_)) = walk.skip(body) {
        passed += 1;
    }
    assert!(records.iter().flatten().count() <= passed, "passing by reads less, so it goes no less far");
}

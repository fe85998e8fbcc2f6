//! No bytes make the reading of a batch panic, and headers that are accepted encode to the same bytes.
#![no_main]

use gesta_fuzz::{KEY, look_at, repair_body, repair_headers};
use gesta_model::Position;
use gesta_model::codec::{BatchHeader, HEADERS_BYTES, Records, body_crc, verify_body, verify_records};
use libfuzzer_sys::fuzz_target;

/// Where the fields stand that bind headers and body together.
const BASE: usize = 32;
const COUNT: usize = 64;
const BODY_BYTES: usize = 68;
const BODY_CRC: usize = 72;

fuzz_target!(|bytes: &[u8]| {
    read(bytes);
    let Some((headers, body)) = bytes.split_first_chunk::<HEADERS_BYTES>() else { return };
    let (mut headers, mut body) = (*headers, body.to_vec());
    repair_headers(&mut headers);
    read(&[&headers[..], &body].concat());
    bind(&mut headers, &mut body);
    read(&[&headers[..], &body].concat());
});

/// Makes the headers speak of this body, and all checksums true.
fn bind(headers: &mut [u8; HEADERS_BYTES], body: &mut [u8]) {
    let base = Position(u64::from_le_bytes(*headers[BASE..].first_chunk().expect("headers have a base")));
    let count = repair_body(body, base);
    let crc = body_crc(body);
    let body_bytes = u32::try_from(body.len()).expect("inputs are small");
    for (field, number) in [(COUNT, count), (BODY_BYTES, body_bytes), (BODY_CRC, crc)] {
        headers[field..field + 4].copy_from_slice(&number.to_le_bytes());
    }
    repair_headers(headers);
}

fn read(bytes: &[u8]) {
    let Some(headers) = bytes.first_chunk::<HEADERS_BYTES>() else { return };
    let Ok((header, check)) = BatchHeader::decode(headers, &KEY) else { return };
    let mut again = [0; HEADERS_BYTES];
    assert_eq!(header.encode(&KEY, &mut again), check);
    assert_eq!(again, *headers);
    assert!(header.bytes() >= HEADERS_BYTES && header.end() >= header.base);
    let Some(body) = bytes.get(HEADERS_BYTES..header.bytes()) else { return };
    if verify_body(&header, body).is_ok() {
        let records: Vec<_> = Records::new(&header, body).collect();
        records.iter().flatten().for_each(look_at);
        if verify_records(&header, body).is_ok() {
            assert_eq!(records.len(), header.count as usize);
        }
    }
}

//! No bytes make the reading of a batch panic, and headers that are accepted encode to the same bytes.
#![no_main]

use gesta_fuzz::{KEY, bind, look_at, repair_headers};
use gesta_model::codec::{BatchHeader, HEADERS_BYTES, Records, verify_body, verify_records};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    read(bytes);
    let Some((headers, body)) = bytes.split_first_chunk::<HEADERS_BYTES>() else { return };
    let (mut headers, mut body) = (*headers, body.to_vec());
    repair_headers(&mut headers);
    read(&[&headers[..], &body].concat());
    bind(&mut headers, &mut body);
    read(&[&headers[..], &body].concat());
});

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

//! No page makes the reading of a segment's header panic, and what is read is written as it was.
#![no_main]

use gesta_model::codec::{HEADER_PAGE_BYTES, SegmentHeader};
use libfuzzer_sys::fuzz_target;

/// Bytes of one copy of the header, and of its crc at the end.
const COPY_BYTES: usize = 128;
const CRC_BYTES: usize = 4;

fuzz_target!(|bytes: &[u8]| {
    let (first, second) = bytes.split_at(bytes.len().min(COPY_BYTES));
    let mut page = [0; HEADER_PAGE_BYTES];
    for (copy, given) in page.chunks_exact_mut(HEADER_PAGE_BYTES / 2).zip([first, second]) {
        let length = given.len().min(copy.len());
        copy[..length].copy_from_slice(&given[..length]);
    }
    read(&page);
    repair(&mut page[..COPY_BYTES]);
    read(&page);
    repair(&mut page[HEADER_PAGE_BYTES / 2..][..COPY_BYTES]);
    read(&page);
});

fn repair(copy: &mut [u8]) {
    let (covered, crc) = copy.split_at_mut(COPY_BYTES - CRC_BYTES);
    crc.copy_from_slice(&crc32fast::hash(covered).to_le_bytes());
}

fn read(page: &[u8; HEADER_PAGE_BYTES]) {
    if let Ok(header) = SegmentHeader::decode(page) {
        assert_eq!(SegmentHeader::decode(&header.encode()), Ok(header));
    }
}

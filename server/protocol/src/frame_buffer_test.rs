//! Frames come whole, however the bytes are cut, and what is no frame costs nothing.

use super::*;
use crate::frame::put_frame;
use proptest::prelude::*;

proptest! {
    #[test]
    fn frames_come_out_as_they_went_in(
        bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40_000), 1..6),
        cuts in prop::collection::vec(1..50_000_usize, 1..20),
    ) {
        let mut bytes = Vec::new();
        for (id, body) in bodies.iter().enumerate() {
            put_frame(&mut bytes, 7, id as u64, |out| out.extend_from_slice(body));
        }
        let mut buffer = FrameBuffer::new(1 << 20);
        let mut found = Vec::new();
        let (mut rest, mut cuts) = (&bytes[..], cuts.iter().cycle());
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(*cuts.next().unwrap()));
            buffer.extend(now);
            rest = later;
            while let Some(frame) = buffer.next_frame().unwrap() {
                prop_assert_eq!((frame.kind, frame.id), (7, found.len() as u64));
                found.push(frame.body.to_vec());
            }
        }
        prop_assert_eq!(found, bodies);
        prop_assert_eq!(buffer.held_bytes(), 0);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut buffer = FrameBuffer::new(64);
        buffer.extend(&bytes);
        while let Ok(Some(frame)) = buffer.next_frame() {
            prop_assert!(frame.body.len() <= 64);
        }
    }
}

#[test]
fn an_announced_length_costs_no_memory() {
    let mut buffer = FrameBuffer::new(u32::MAX);
    buffer.extend(&FrameHeader { body_bytes: u32::MAX, kind: 1, id: 1 }.encode());
    assert_eq!(buffer.next_frame(), Ok(None));
    assert!(buffer.room().len() <= 2 * ROOM_BYTES);
}

#[test]
fn a_frame_beyond_the_limit_is_refused_by_its_header_alone() {
    let mut buffer = FrameBuffer::new(100);
    buffer.extend(&FrameHeader { body_bytes: 101, kind: 1, id: 1 }.encode());
    assert_eq!(buffer.next_frame(), Err(FrameError::TooLarge { body_bytes: 101, max: 100 }));
}

/// A body of 790 bytes begins its frame with 22, 3, 0, as TLS does, and was refused as that. What tells them apart is the
/// bytes that are zero in a frame.
#[test]
fn no_length_is_taken_for_another_protocol() {
    let starts = [[22, 3, 0, 0], [22, 3, 1, 0], [21, 3, 3, 0], *b"GET ", *b"PRI ", *b"HTTP"];
    for start in starts {
        let header = FrameHeader { body_bytes: u32::from_le_bytes(start), kind: 0x10, id: 7 };
        assert_eq!(FrameHeader::decode(&header.encode(), u32::MAX), Ok(header));
    }
}

/// A TLS server answers plain text with an alert of seven bytes, and no header's worth ever comes.
#[test]
fn a_tls_alert_is_known_although_it_is_shorter_than_a_header() {
    let mut buffer = FrameBuffer::new(u32::MAX);
    buffer.extend(b"\x15\x03\x03\x00\x02\x02\x28");
    assert_eq!(buffer.next_frame(), Err(FrameError::Tls));
}

#[test]
fn the_first_bytes_of_a_frame_are_waited_on() {
    let header = FrameHeader { body_bytes: 0x1603, kind: 0xff, id: u64::MAX }.encode();
    for length in 0..FRAME_HEADER_BYTES {
        let mut buffer = FrameBuffer::new(u32::MAX);
        buffer.extend(&header[..length]);
        assert_eq!(buffer.next_frame(), Ok(None), "{length} bytes");
    }
}

#[test]
fn other_protocols_are_known_by_their_first_bytes() {
    for (bytes, error) in [
        (&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00\x00\x00\x00\x00"[..], FrameError::Tls),
        (b"GET / HTTP/1.1\r\nHost: a\r\n", FrameError::Http),
        (b"HTTP/1.1 400 Bad Request\r\n", FrameError::Http),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", FrameError::Http),
        (b"SSH-2.0-OpenSSH_9.9\r\n", FrameError::NotAFrame),
    ] {
        let mut buffer = FrameBuffer::new(u32::MAX);
        buffer.extend(bytes);
        assert_eq!(buffer.next_frame(), Err(error));
    }
}

#[test]
fn a_large_buffer_is_given_back() {
    let mut buffer = FrameBuffer::new(u32::MAX);
    let mut bytes = Vec::new();
    put_frame(&mut bytes, 1, 1, |out| out.resize(8 << 20, 0));
    buffer.extend(&bytes);
    assert!(buffer.next_frame().unwrap().is_some());
    buffer.room();
    assert!(buffer.bytes.len() <= KEPT_BYTES);
}

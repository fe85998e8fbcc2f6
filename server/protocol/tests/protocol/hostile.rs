//! Bytes that no honest end sends: refused or read, and never believed about how much will come.

use crate::hearing::{Fault, take};
use crate::samples::{End, Sample, samples};
use gesta_protocol::{ANSWER_BYTES_MAX, Code, FRAME_HEADER_BYTES, FieldError, FrameError, Kind, Refusal};
use proptest::collection::vec;
use proptest::prelude::*;

/// A frame of an end with another body.
fn frame(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap();
    [&length.to_le_bytes()[..], &[kind, 0, 0, 0], &7_u64.to_le_bytes(), body].concat()
}

/// Where a frame's parts stand.
const KIND: usize = 4;
const ZEROS: std::ops::Range<usize> = 5..8;

/// The same frame with its length set to what is there.
fn with_true_length(mut frame: Vec<u8>) -> Vec<u8> {
    let length = u32::try_from(frame.len() - FRAME_HEADER_BYTES).unwrap();
    frame[..KIND].copy_from_slice(&length.to_le_bytes());
    frame
}

#[test]
fn a_frame_that_is_cut_off_is_waited_for() {
    for Sample { end, name, frame } in samples() {
        for length in 0..frame.len() {
            assert_eq!(take(end, &frame[..length]), Err(Fault::CutOff), "{name}, {length} bytes");
        }
    }
}

/// A body that is cut off and says so is refused, or what it says is what its bytes say: texts and lists of records end with
/// their frame.
#[test]
fn a_body_that_is_cut_off_is_refused_or_says_less() {
    for Sample { end, name, frame } in samples() {
        let whole = take(end, &frame).unwrap();
        for length in FRAME_HEADER_BYTES..frame.len() {
            let cut = with_true_length(frame[..length].to_vec());
            match take(end, &cut) {
                Err(Fault::Field(_)) => {}
                Ok(said) => {
                    assert_eq!(said.again, cut, "{name}, {length} bytes");
                    assert_ne!(said.words, whole.words, "{name}, {length} bytes");
                }
                other => panic!("{name}, {length} bytes: {other:?}"),
            }
        }
    }
}

#[test]
fn bytes_after_the_last_field_are_refused() {
    for Sample { end, name, frame } in samples() {
        let kind = Kind::of(frame[KIND]).unwrap();
        let longer = with_true_length([&frame[..], &[0]].concat());
        match (kind, take(end, &longer)) {
            // Their last field ends with the frame: what it holds is refused by whoever takes the events.
            (Kind::Append, Ok(said)) => assert_eq!(said.again, longer),
            (Kind::Events | Kind::Batches | Kind::Conflict, Err(Fault::Field(FieldError::CutOff { .. }))) => {}
            (Kind::Refused, Err(Fault::Field(FieldError::TooLong { .. } | FieldError::CutOff { .. }))) => {}
            (_, Err(Fault::Field(FieldError::TooLong { bytes: 1 }))) => {}
            (_, other) => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn every_flipped_bit_is_refused_or_is_what_its_bytes_say() {
    for Sample { end, name, frame } in samples() {
        for bit in 0..frame.len() * 8 {
            let mut flipped = frame.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            if let Ok(said) = take(end, &flipped) {
                // What is not looked at is not kept: fields whose flag is not set, unknown codes' details, padding.
                let again = take(end, &said.again).unwrap_or_else(|fault| panic!("{name}, bit {bit}: {fault:?}"));
                assert_eq!(
                    (again.kind, again.id, &again.words),
                    (said.kind, said.id, &said.words),
                    "{name}, bit {bit}"
                );
            }
        }
    }
}

#[test]
fn no_flipped_bit_of_an_event_changes_what_is_read() {
    for Sample { end, name, frame } in samples() {
        let what_is_covered = match name {
            // The position and what the checksums cover; when it was recorded is the server's word alone.
            "Events" => {
                (FRAME_HEADER_BYTES..FRAME_HEADER_BYTES + 8).chain(FRAME_HEADER_BYTES + 16..FRAME_HEADER_BYTES + 127)
            }
            // The body of a batch, and not its header.
            "Batches" => (FRAME_HEADER_BYTES + 48..frame.len()).chain(0..0),
            _ => continue,
        };
        for byte in what_is_covered {
            for bit in 0..8 {
                let mut flipped = frame.clone();
                flipped[byte] ^= 1 << bit;
                assert!(matches!(take(end, &flipped), Err(Fault::Field(_))), "{name}, byte {byte} bit {bit} was taken");
            }
        }
    }
}

#[test]
fn zeros_of_the_header_are_zeros() {
    for Sample { end, name, frame } in samples() {
        for byte in ZEROS {
            let mut other = frame.clone();
            other[byte] = 1;
            let fault = take(end, &other);
            assert!(matches!(fault, Err(Fault::Frame(_))), "{name}: {fault:?}");
        }
    }
}

#[test]
fn kinds_of_the_other_end_and_unknown_ones_are_refused_by_name() {
    for (end, is_sent) in [(End::Client, 0..0x80_u8), (End::Server, 0x80..0xff)] {
        for kind in 0..=u8::MAX {
            let by_either = [Kind::Ping as u8, Kind::Pong as u8].contains(&kind);
            let is_known = Kind::of(kind).is_some() && (is_sent.contains(&kind) || by_either);
            let fault = take(end, &frame(kind, &[]));
            let unknown = Err(Fault::Field(FieldError::UnknownKind { kind }));
            assert_eq!(fault == unknown, !is_known, "{kind:#04x} by a {end:?}: {fault:?}");
        }
    }
}

#[test]
fn a_refusal_of_a_later_version_is_understood_as_far_as_it_goes() {
    let body = [&0xfffe_u16.to_le_bytes()[..], &[1], &4_u16.to_le_bytes(), b"what", &[1, 2, 3]].concat();
    let said = take(End::Server, &frame(Kind::Refused as u8, &body)).unwrap();
    assert!(
        said.words.contains("code: 65534, is_fatal: true, may_retry: false, message: \"what\", detail: None"),
        "{}",
        said.words
    );
}

#[test]
fn a_name_or_query_that_is_none_ends_its_request_and_not_the_connection() {
    let read = |selection: u8, text: &str| {
        let mut body = vec![selection];
        body.extend([0; 62]);
        body.extend(u32::try_from(text.len()).unwrap().to_le_bytes());
        body.extend(text.bytes());
        take(End::Client, &frame(Kind::Read as u8, &body))
    };
    assert!(read(0, "").is_ok() && read(1, "order-17").is_ok() && read(2, "type=OrderPaid").is_ok());
    for (selection, text) in [(1, ""), (1, &*"a".repeat(1025)), (2, ""), (2, "typo=OrderPaid")] {
        let Err(Fault::Field(error)) = read(selection, text) else { panic!("{text:?} was taken") };
        let refusal = Refusal::from(&error);
        assert_eq!((refusal.known_code(), refusal.is_fatal), (Some(Code::Request), false), "{error}");
    }
    for (selection, text) in [(0, "a"), (3, "")] {
        let Err(Fault::Field(error)) = read(selection, text) else { panic!("{text:?} was taken") };
        let refusal = Refusal::from(&error);
        assert_eq!((refusal.known_code(), refusal.is_fatal), (Some(Code::Protocol), true), "{error}");
    }
}

#[test]
fn a_snapshot_is_asked_for_and_saved_under_a_key_that_is_one() {
    let read = |flags: u16, key: &str| {
        let key_bytes = u16::try_from(key.len()).unwrap().to_le_bytes();
        let body = [&[0], &flags.to_le_bytes()[..], &[0; 64], &[7, 0, 0, 0], &key_bytes, key.as_bytes()].concat();
        take(End::Client, &frame(Kind::Read as u8, &body))
    };
    let save = |key: &str| {
        let key_bytes = u16::try_from(key.len()).unwrap().to_le_bytes();
        let body = [&[0; 12][..], &key_bytes, key.as_bytes(), &[1, 0, 0, 0, 9]].concat();
        take(End::Client, &frame(Kind::SaveSnapshot as u8, &body))
    };
    assert!(read(512, "order-17").is_ok() && save("order-17").is_ok());
    for key in ["", &"k".repeat(1025)] {
        for taken in [read(512, key), save(key)] {
            let Err(Fault::Field(error)) = taken else { panic!("{key:?} was taken") };
            let refusal = Refusal::from(&error);
            assert_eq!((refusal.known_code(), refusal.is_fatal), (Some(Code::Request), false), "{error}");
        }
    }
    // Where such a read begins is for the server to say; and without the flag nothing follows.
    for flags in [1, 4, 16, 32, 64, 256].map(|flag| 512 | flag) {
        let refused = read(flags, "order-17");
        assert!(matches!(refused, Err(Fault::Field(FieldError::NotAllowed { field: "flags", .. }))), "{refused:?}");
    }
    assert!(matches!(read(0, "order-17"), Err(Fault::Field(FieldError::TooLong { bytes: 14 }))));
    let claims_more = [&[0; 12][..], &[1, 0, b'k'], &u32::MAX.to_le_bytes()].concat();
    let refused = take(End::Client, &frame(Kind::SaveSnapshot as u8, &claims_more));
    assert!(matches!(refused, Err(Fault::Field(FieldError::CutOff { field: "data" }))), "{refused:?}");
    let none_with_data = [&[0; 9][..], &[1, 0, 0, 0, 9]].concat();
    let refused = take(End::Server, &frame(Kind::Snapshot as u8, &none_with_data));
    assert!(matches!(refused, Err(Fault::Field(FieldError::NotAllowed { field: "is_there", .. }))), "{refused:?}");
}

/// Progress that is always due was sent for ever, in one frame after another that no credit holds back.
#[test]
fn what_goes_on_has_an_interval_of_progress() {
    let body = |flags: u16| [&[0], &flags.to_le_bytes()[..], &[0; 64]].concat();
    assert!(take(End::Client, &frame(Kind::Read as u8, &body(0))).is_ok());
    let refused = take(End::Client, &frame(Kind::Read as u8, &body(4)));
    assert!(matches!(refused, Err(Fault::Field(FieldError::Unacceptable { field: "progress_every_ms", .. }))));
}

/// A thousand checks of a thousand items without a term are two megabytes in a frame and eighty in memory.
#[test]
fn items_without_terms_are_counted_over_all_checks() {
    let append = |check_count: u16| {
        let items = ["*"; 1000].join("|");
        let mut body = vec![3];
        body.extend([0; 28]);
        body.extend(check_count.to_le_bytes());
        for _ in 0..check_count {
            body.push(2);
            body.extend([0; 8]);
            body.extend(u32::try_from(items.len()).unwrap().to_le_bytes());
            body.extend(items.bytes());
        }
        body.extend([0; 4]);
        take(End::Client, &frame(Kind::Append as u8, &body))
    };
    assert!(append(16).is_ok());
    assert!(matches!(append(17), Err(Fault::Field(FieldError::Unacceptable { field: "query", .. }))));
}

#[test]
fn ranges_do_not_go_backwards() {
    for name in ["Receipt", "Damaged"] {
        let Sample { end, mut frame, .. } = samples().into_iter().find(|sample| sample.name == name).unwrap();
        let start = FRAME_HEADER_BYTES + if name == "Damaged" { 8 } else { 0 };
        frame[start..start + 8].fill(0xff);
        assert!(matches!(take(end, &frame), Err(Fault::Field(FieldError::NotAllowed { .. }))), "{name}");
    }
}

/// How much address space this process has ever had, in bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmPeak:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

/// Every field in turn says "a great many": whoever made room for them would need gigabytes.
#[test]
fn no_count_or_length_makes_room_before_the_bytes_are_there() {
    let before = peak();
    for Sample { end, frame, .. } in samples() {
        for start in FRAME_HEADER_BYTES..frame.len() {
            for width in [2, 4, 8] {
                for value in [0xff, 0x7f, 0x0f] {
                    let mut many = frame.clone();
                    let range = start..(start + width).min(frame.len());
                    many[range.clone()].fill(0xff);
                    many[range.end - 1] = value;
                    let _ = take(end, &many);
                }
            }
        }
    }
    let grown = peak() - before;
    assert!(grown < 256 << 20, "{grown} bytes for frames of less than a kilobyte");
}

/// The smallest things that make up lists, as many as a megabyte holds.
#[test]
fn lists_of_nothings_are_bounded() {
    let list = |kind: Kind, head: usize, part: &[u8], count: u32| {
        let mut body = vec![0; head];
        body.extend(count.to_le_bytes());
        body.extend(part.repeat(count as usize));
        body.extend(if kind == Kind::IndexFindings { &[0; 4][..] } else { &[] });
        let bytes = frame(kind as u8, &body);
        let mut buffer = gesta_protocol::FrameBuffer::new(ANSWER_BYTES_MAX);
        buffer.extend(&bytes);
        gesta_protocol::Answer::decode(&buffer.next_frame().unwrap().unwrap()).map(|_| ())
    };
    for (kind, head, part) in [(Kind::Stores, 0, 2), (Kind::LogFindings, 8, 28), (Kind::IndexFindings, 16, 4)] {
        assert_eq!(list(kind, head, &vec![0; part], 1 << 20), Ok(()), "{kind:?}");
        let longer = list(kind, head, &vec![0; part], (1 << 20) + 1);
        assert!(matches!(longer, Err(FieldError::NotAllowed { .. })), "{kind:?}: {longer:?}");
    }
}

#[test]
fn the_first_frame_is_not_trusted_with_more_than_its_limit() {
    let header = frame(Kind::Hello as u8, &[0; 4097]);
    let mut buffer = gesta_protocol::FrameBuffer::new(4096);
    buffer.extend(&header[..FRAME_HEADER_BYTES]);
    assert_eq!(buffer.next_frame(), Err(FrameError::TooLarge { body_bytes: 4097, max: 4096 }));
}

proptest! {
    #[test]
    fn no_body_breaks_a_decoder(kind in any::<u8>(), body in vec(any::<u8>(), 0..300)) {
        for end in [End::Client, End::Server] {
            if let Ok(said) = take(end, &frame(kind, &body)) {
                let again = take(end, &said.again);
                prop_assert_eq!(again.map(|again| again.words), Ok(said.words));
            }
        }
    }

    #[test]
    fn no_bytes_break_a_decoder(bytes in vec(any::<u8>(), 0..300)) {
        for end in [End::Client, End::Server] {
            let _ = take(end, &bytes);
        }
    }

    #[test]
    fn no_changed_bytes_break_a_decoder(
        sample in any::<prop::sample::Index>(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let samples = samples();
        let Sample { end, frame, .. } = sample.get(&samples);
        let mut frame = frame.clone();
        for (at, byte) in changes {
            let at = at.index(frame.len());
            frame[at] = byte;
        }
        let _ = take(*end, &with_true_length(frame));
    }
}

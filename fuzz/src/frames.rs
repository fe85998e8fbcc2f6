//! Bytes as they may come off a connection, and frames with what no chance would make true.

use crate::repair::{repair_body, repair_record};
use gesta_model::Position;
use gesta_model::codec::{PORTABLE_BYTES, body_crc};
use gesta_protocol::{FRAME_HEADER_BYTES, Frame, FrameBuffer, FrameError, Kind};

/// The largest body that is taken.
const BODY_BYTES_MAX: u32 = 1 << 20;
/// Where a batch's portable header says what its body must be.
const BASE: usize = 0;
const BODY_BYTES: usize = 36;
const BODY_CRC: usize = 40;
/// Where the position stands before each event, and where its record begins.
const EVENT_RECORD: usize = 16;

/// The lengths of the pieces that the rest of an input comes in, less one each: as many as its first byte says, seven at most.
pub fn split_cuts(input: &[u8]) -> Option<(&[u8], &[u8])> {
    let (count, rest) = input.split_first()?;
    rest.split_at_checked(usize::from(count % 8))
}

/// Hands out the frames of bytes that come in pieces, whose lengths `cuts` says, and sees that the pieces do not matter.
pub fn each_frame(cuts: &[u8], bytes: &[u8], mut take: impl FnMut(&Frame<'_>)) {
    let mut frames = Vec::new();
    let end = gather(cuts, bytes, |frame| {
        frames.push((frame.kind, frame.id, frame.body.to_vec()));
        take(frame);
    });
    let mut whole = frames.iter();
    let end_of_whole = gather(&[], bytes, |frame| {
        let (kind, id, body) = whole.next().expect("pieces make no frames fewer");
        assert_eq!((*kind, *id, &body[..]), (frame.kind, frame.id, frame.body));
    });
    assert!(whole.next().is_none(), "pieces make no more frames");
    assert_eq!(end, end_of_whole);
}

fn gather(cuts: &[u8], bytes: &[u8], mut take: impl FnMut(&Frame<'_>)) -> Option<FrameError> {
    let mut buffer = FrameBuffer::new(BODY_BYTES_MAX);
    let mut cuts = cuts.iter().cycle();
    let mut rest = bytes;
    while !rest.is_empty() {
        let length = cuts.next().map_or(rest.len(), |cut| usize::from(*cut) + 1).min(rest.len());
        let (now, later) = rest.split_at(length);
        buffer.extend(now);
        rest = later;
        loop {
            match buffer.next_frame() {
                Ok(Some(frame)) => take(&frame),
                Ok(None) => break,
                Err(error) => return Some(error),
            }
        }
    }
    None
}

/// One frame of these bytes: the first is its kind, the rest its body, whose checksums are made true.
pub fn repair_frame(bytes: &[u8]) -> Option<Vec<u8>> {
    let (kind, body) = bytes.split_first()?;
    let mut body = body.to_vec();
    match Kind::of(*kind) {
        Some(Kind::Events) => repair_events(&mut body),
        Some(Kind::Batches) => repair_batch(&mut body),
        _ => {}
    }
    let length = u32::try_from(body.len()).ok()?;
    let mut frame = Vec::with_capacity(FRAME_HEADER_BYTES + body.len());
    frame.extend(length.to_le_bytes());
    frame.extend([*kind, 0, 0, 0]);
    frame.extend(7_u64.to_le_bytes());
    frame.extend(body);
    Some(frame)
}

/// Makes the checksums of all events true, as far as they can be followed.
fn repair_events(mut rest: &mut [u8]) {
    while let Some(position) = rest.first_chunk() {
        let position = Position(u64::from_le_bytes(*position));
        let Some(taken) = rest.get_mut(EVENT_RECORD..).and_then(|record| repair_record(record, position)) else {
            return;
        };
        rest = &mut rest[EVENT_RECORD + taken..];
    }
}

/// Makes all that follows the first portable header its body.
fn repair_batch(bytes: &mut [u8]) {
    let Some((header, body)) = bytes.split_at_mut_checked(PORTABLE_BYTES) else { return };
    let base = u64::from_le_bytes(*header[BASE..].first_chunk().expect("a header has a base"));
    repair_body(body, Position(base));
    let body_bytes = u32::try_from(body.len()).expect("inputs are small");
    header[BODY_BYTES..][..4].copy_from_slice(&body_bytes.to_le_bytes());
    header[BODY_CRC..][..4].copy_from_slice(&body_crc(body).to_le_bytes());
}

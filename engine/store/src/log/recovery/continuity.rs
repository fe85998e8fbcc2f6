//! Whether the segments of a log continue each other, from the first to the tail, without reading their events.
//!
//! A sealed segment ends with its seal, which the header of the next one repeats. So each pair is judged by the end of one
//! file and the header page of the other, however long they are.

use super::files::SegmentFile;
use crate::disk::{Disk, DiskFile};
use crate::log::batch_source::{BatchSource, Found, Window, is_zero};
use crate::log::error::OpenError;
use crate::log::origin::Origin;
use crate::log::walk::{SegmentWalk, Step};
use crate::sabotage::{Bug, has};
use gesta_model::codec::{BatchKind, HEADER_PAGE_BYTES, HEADERS_BYTES, SEAL_BODY_BYTES, Seal, SegmentHeader};
use gesta_model::{Damage, Position};

/// Names what is missing between the segments. Refuses segments that do not continue each other: nothing tells which of
/// them is of another time.
pub(crate) fn check_continuity<D: Disk>(files: &[SegmentFile<D>], origin: &Origin) -> Result<Vec<Damage>, OpenError> {
    let mut damage = Vec::new();
    let readable = files.iter().filter_map(|file| file.header.ok().map(|header| (file, header)));
    let readable: Vec<(&SegmentFile<D>, SegmentHeader)> = readable.collect();
    if let Some((first, header)) = readable.first()
        && (first.number > 1 || header.base > Position::START)
    {
        let what = "the segments before this one are missing".to_owned();
        damage.push(Damage { file: first.path.clone(), offset: 0, positions: Position::START..header.base, what });
    }
    for pair in readable.windows(2) {
        let [(file, _), (next_file, next)] = pair else { continue };
        let end = match find_seal(file, origin) {
            None => {
                let what = "the seal at the end of the segment is damaged or missing".to_owned();
                damage.push(Damage {
                    file: file.path.clone(),
                    offset: file.length,
                    positions: next.base..next.base,
                    what,
                });
                continue;
            }
            Some((found, seal)) if next_file.number == file.number + 1 => {
                let is_next = found.check == next.previous && seal.fingerprint() == next.previous_seal;
                if !is_next && !has(Bug::NoSealCheck) {
                    let what = format!("the segment does not continue {}", file.path);
                    return Err(OpenError::Foreign { path: next_file.path.clone(), what });
                }
                continue;
            }
            Some((found, _)) => found.header.base,
        };
        let what = format!("the segment file with number {} is missing or its header is damaged", file.number + 1);
        damage.push(Damage { file: next_file.path.clone(), offset: 0, positions: end..next.base, what });
    }
    Ok(damage)
}

/// The seal of a segment: at the end of what is written in its file, or else found by walking over its batches.
pub(super) fn find_seal<D: Disk>(file: &SegmentFile<D>, origin: &Origin) -> Option<(Found, Seal)> {
    const SEAL_BYTES: u64 = (HEADERS_BYTES + SEAL_BODY_BYTES) as u64;
    let mut source = BatchSource::new(Window::new(&file.file).ok()?, origin);
    let at_end = written_end(&file.file, file.length).and_then(|end| end.next_multiple_of(8).checked_sub(SEAL_BYTES));
    if let Some(seal) = at_end.and_then(|offset| seal_at(&mut source, offset)) {
        return Some(seal);
    }
    let header = file.header.ok()?;
    let start = (HEADER_PAGE_BYTES as u64, header.base);
    let mut walk = SegmentWalk::new(Window::new(&file.file).ok()?, origin, &file.path, start, Position::MAX);
    while let Some(step) = walk.next() {
        if let Step::Batch(found) = step
            && found.header.kind == BatchKind::Seal
        {
            return seal_at(&mut source, found.offset);
        }
    }
    None
}

fn seal_at<F: DiskFile>(source: &mut BatchSource<'_, Window<'_, F>>, offset: u64) -> Option<(Found, Seal)> {
    let found = source.batch_at(offset).ok().filter(|found| found.header.kind == BatchKind::Seal)?;
    let body = source.verified_body(&found).ok()?;
    Some((found, Seal::decode(body.first_chunk()?)))
}

/// The end of the last bytes of a file that are not zero.
fn written_end<F: DiskFile>(file: &F, length: u64) -> Option<u64> {
    const PIECE_BYTES: u64 = 64 << 10;
    let mut end = length;
    let mut piece = Vec::new();
    while end > HEADER_PAGE_BYTES as u64 {
        let start = end.saturating_sub(PIECE_BYTES);
        piece.resize(usize::try_from(end - start).ok()?, 0);
        file.read_at(&mut piece, start).ok()?;
        if !is_zero(&piece) {
            let last = piece.iter().rposition(|byte| *byte != 0)?;
            return Some(start + last as u64 + 1);
        }
        end = start;
    }
    None
}

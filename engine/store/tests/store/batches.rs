//! Batches as they travel: whole, true by themselves, and nothing of the store's secret with them.

use crate::misplaced::{batches, written_segments};
use crate::support::{open, request, small_options, texts};
use gesta::codec::{BatchHeader, HEADERS_BYTES, PORTABLE_BYTES, RecordWalk, verify_body, verify_records};
use gesta::disk::SimulatedDisk;
use gesta::{Damage, Durability, Position, Read, ReadError, Reader, Store};
use std::ops::Range;

fn filled(disk: &SimulatedDisk, requests: usize) -> Store<SimulatedDisk> {
    let store = open(disk);
    for number in 0..requests {
        let data = [format!("{number}-a"), format!("{number}-b")];
        let data: Vec<&str> = data.iter().map(String::as_str).collect();
        store.append(request(&format!("s-{}", number % 3), &data, Durability::Durable)).unwrap();
    }
    store
}

/// The data of everything that batches carry, with the positions of each, and the damage on the way.
fn unpacked(reader: &Reader<SimulatedDisk>, range: Range<Position>) -> (Vec<(Position, String)>, Vec<Damage>) {
    let (mut events, mut damage) = (Vec::new(), Vec::new());
    let mut batches = reader.batches(range);
    while let Some(batch) = batches.next_batch() {
        let batch = match batch {
            Ok(batch) => batch,
            Err(ReadError::Damaged(found)) => {
                damage.push(found);
                continue;
            }
            Err(error) => panic!("{error}"),
        };
        let (portable, body) = batch.split_first_chunk::<PORTABLE_BYTES>().unwrap();
        let header = BatchHeader::decode_portable(portable).unwrap();
        verify_body(&header, body).unwrap();
        verify_records(&header, body).unwrap();
        let mut walk = RecordWalk::new(&header);
        while let Some(record) = walk.next(body) {
            let record = record.unwrap();
            events.push((record.position(), String::from_utf8_lossy(record.data().bytes()).into_owned()));
        }
    }
    (events, damage)
}

#[test]
fn batches_hold_every_event_of_a_range_once_and_whole_batches_around_it() {
    let disk = SimulatedDisk::new(7);
    let store = filled(&disk, 300);
    assert!(written_segments(&disk).len() > 2, "the range goes over segments");
    let all = texts(store.read(Read::all())).unwrap();
    for (start, end) in [(0, 600), (0, u64::MAX), (1, 599), (17, 18), (400, 400), (600, 700), (5, 2)] {
        let (events, damage) = unpacked(&store.reader(), Position(start)..Position(end));
        assert_eq!(damage, []);
        // Each request was a commit of two events: a batch begins at an even position.
        let (first, end) = (start / 2 * 2, end.min(600).next_multiple_of(2));
        let expected: Vec<_> = if start >= end.min(600) { Vec::new() } else { (first..end).collect() };
        let positions: Vec<u64> = events.iter().map(|(position, _)| position.0).collect();
        assert_eq!(positions, expected, "{start}..{end}");
        assert!(events.iter().all(|(position, text)| *text == all[usize::try_from(position.0).unwrap()]));
    }
}

#[test]
fn a_damaged_batch_is_told_and_never_handed_out() {
    let disk = SimulatedDisk::new(7);
    filled(&disk, 300).close().unwrap();
    let name = &written_segments(&disk)[0];
    let (offset, _) = batches(&disk, name)[3];
    disk.flip_bit(name, offset + HEADERS_BYTES as u64 + 100, 0);
    let store = Store::open_on(disk, small_options()).unwrap();
    let (events, damage) = unpacked(&store.reader(), Position::START..Position::MAX);
    assert_eq!(damage.len(), 1, "{damage:?}");
    assert_eq!(damage[0].positions, Position(6)..Position(8));
    assert_eq!(events.len(), 598);
}

//! What streams and requests keep over a repair.

use super::ground::{events, repaired, segments};
use crate::misplaced::batches;
use crate::support::{open, request, small_options, stream};
use gesta::disk::SimulatedDisk;
use gesta::{
    AppendRequest, Durability, LOST_EVENT_TYPE, Options, Position, Revision, Store, StoredEvent, Uuid, repair_on,
};

/// A store of one batch for each of these streams, in order; all in one segment.
fn store_of(names: &[&str]) -> (SimulatedDisk, Vec<StoredEvent>) {
    let disk = SimulatedDisk::new(3);
    let store = open(&disk);
    for name in names {
        store.append(request(name, &["data"], Durability::Durable)).unwrap();
    }
    store.close().unwrap();
    let events = events(&disk);
    (disk, events)
}

fn lose(disk: &SimulatedDisk, position: usize) {
    let name = &segments(disk)[0];
    let (offset, bytes) = batches(disk, name)[position];
    disk.flip_bit(name, offset + bytes - 9, 0);
}

fn shown(events: &[StoredEvent]) -> Vec<String> {
    let show = |event: &StoredEvent| {
        let record = event.record();
        let lost = if record.event_type() == LOST_EVENT_TYPE { " lost" } else { "" };
        match (record.stream(), record.revision()) {
            (Some(stream), Some(Revision(revision))) => format!("{stream}@{revision}{lost}"),
            _ => format!("-{lost}"),
        }
    };
    events.iter().map(show).collect()
}

#[test]
fn a_stream_that_goes_on_after_the_loss_has_stand_ins_in_it_and_one_that_does_not_has_none() {
    let (disk, before) = store_of(&["a", "b", "a", "b", "c", "a", "c"]);
    [1, 2, 4, 6].into_iter().for_each(|position| lose(&disk, position));
    let repaired = repaired(&disk, &before, "").unwrap();
    // Of c nothing is left, so nobody knows that it was.
    assert_eq!(shown(&repaired.events), ["a@0", "b@0 lost", "a@1 lost", "b@1", "- lost", "a@2", "- lost"]);
    assert_eq!((repaired.report.missing, repaired.report.in_streams), (4, 2));
}

#[test]
fn the_soonest_needed_comes_first_wherever_it_was() {
    let (disk, before) = store_of(&["a", "b", "a", "b", "b", "a"]);
    [1, 2].into_iter().for_each(|position| lose(&disk, position));
    let repaired = repaired(&disk, &before, "").unwrap();
    assert_eq!(shown(&repaired.events), ["a@0", "b@0 lost", "a@1 lost", "b@1", "b@2", "a@2"]);
    let (disk, before) = store_of(&["x", "a", "b", "b", "a"]);
    [1, 2].into_iter().for_each(|position| lose(&disk, position));
    let repaired = super::ground::repaired(&disk, &before, "").unwrap();
    // Which of the two was first, nothing tells.
    assert_eq!(shown(&repaired.events), ["x@0", "b@0 lost", "a@0 lost", "b@1", "a@1"]);
}

#[test]
fn a_request_made_again_is_found_in_the_new_store_and_one_that_was_lost_is_not() {
    let disk = SimulatedDisk::new(3);
    let store = open(&disk);
    let named = |number: u64| request("a", &["data"], Durability::Durable).request_id(Uuid::from_u128(number.into()));
    for number in 1..=3 {
        store.append(named(number)).unwrap();
    }
    store.close().unwrap();
    let before = events(&disk);
    lose(&disk, 1);
    let repaired = repaired(&disk, &before, "").unwrap();
    let store = open(&repaired.disk);
    assert_eq!(store.append(named(1)).unwrap().positions, Position(0)..Position(1));
    assert_eq!(store.append(named(3)).unwrap().positions, Position(2)..Position(3));
    let again = store.append(named(2)).unwrap();
    assert_eq!((again.positions, again.revisions), (Position(3)..Position(4), vec![(stream("a"), Revision(3))]));
}

#[test]
fn a_store_that_finds_events_by_their_ids_still_does() {
    let disk = SimulatedDisk::new(3);
    let options = || Options { index_event_ids: true, ..small_options() };
    let store = Store::open_on(disk.clone(), options()).unwrap();
    for _ in 0..3 {
        store.append(AppendRequest::new().event(crate::support::event("a", "data"))).unwrap();
    }
    store.close().unwrap();
    let before = events(&disk);
    lose(&disk, 1);
    let new = SimulatedDisk::new(9);
    repair_on(&disk, &new, &mut |_, _| {}).unwrap();
    let store = Store::open_on(new, options()).unwrap();
    let reader = store.reader();
    for position in [0, 2] {
        let id = before[position].record().id();
        assert_eq!(reader.event(id).unwrap().unwrap().position(), Position(position as u64));
    }
    assert!(reader.event(before[1].record().id()).unwrap().is_none());
}

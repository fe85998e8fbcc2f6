//! Events by their ids, in stores that were made for it.

use crate::support::{event, open, request, small_options, stream};
use gesta::disk::SimulatedDisk;
use gesta::{AppendRequest, Durability, Options, Position, ReadError, Reader, Store, Uuid};

#[test]
fn an_event_is_found_by_its_id_wherever_it_is_and_only_where_the_store_was_made_for_it() {
    let disk = SimulatedDisk::new(1);
    let options = || Options { index_event_ids: true, ..small_options() };
    let store = Store::open_on(disk.clone(), options()).unwrap();
    for number in 1..=200 {
        let event = event("a-1", &format!("event {number}")).id(Uuid::from_u128(number));
        store.append(AppendRequest::new().event(event)).unwrap();
    }
    let check = |reader: &Reader<SimulatedDisk>| {
        for number in 1..=200 {
            let found = reader.event(Uuid::from_u128(number)).unwrap().unwrap();
            assert_eq!(found.record().data().bytes(), format!("event {number}").as_bytes());
        }
        assert_eq!(reader.event(Uuid::from_u128(201)).unwrap(), None);
    };
    check(&store.reader());
    store.close().unwrap();
    assert!(disk.file_names().iter().any(|name| name.ends_with(".idx")), "some are found through files");
    // What the store was made with counts, not what it is opened with.
    check(&open(&disk).reader());
    check(&Reader::open_on(disk.clone()).unwrap());
    for name in disk.file_names().iter().filter(|name| name.ends_with(".idx")) {
        disk.delete(name);
    }
    check(&Reader::open_on(disk).unwrap());

    let plain = SimulatedDisk::new(2);
    drop(open(&plain));
    let store = Store::open_on(plain, options()).unwrap();
    assert!(matches!(store.reader().event(Uuid::from_u128(1)), Err(ReadError::NoEventIds)));
}

#[test]
fn of_several_events_with_one_id_the_last_is_found() {
    let store = Store::open_on(SimulatedDisk::new(1), Options { index_event_ids: true, ..small_options() }).unwrap();
    let id = Uuid::from_u128(5);
    for data in ["first", "second"] {
        store.append(AppendRequest::new().event(event("a-1", data).id(id))).unwrap();
    }
    store.append(request("b-1", &["other"], Durability::Durable)).unwrap();
    let found = store.reader().event(id).unwrap().unwrap();
    assert_eq!((found.position(), found.record().stream()), (Position(1), Some(stream("a-1").as_str())));
}

//! Parts that move into files, files that are lost, summaries that become whole: with queries beside all of it.

use crate::explore::explore;
use crate::scene::{SimulatedStore, all, large_request, open, stream, told};
use gesta::disk::SimulatedDisk;
use gesta::{Query, QueryItem, Read, Tag};
use shuttle::thread;
use std::sync::Arc;

/// So many events fill nine segments, of which eight are summed up.
const EVENTS: usize = 54;
const STREAMS: usize = 3;

fn name_of(number: usize) -> String {
    format!("a-{}", number % STREAMS)
}

fn fill(store: &SimulatedStore, events: usize) {
    for number in 0..events {
        store.append(large_request(&name_of(number), &number.to_string())).unwrap();
    }
}

/// A query and a stream give what a look at every event gives, as of the same head.
fn ask(store: &SimulatedStore) {
    let large = || Query::from(QueryItem::new().tag(Tag::new("large:1").unwrap()));
    for turn in 0..STREAMS {
        let head = store.reader().head();
        let there = all(store);
        let there: Vec<_> = there.into_iter().filter(|(position, _)| *position < head).collect();
        assert_eq!(told(store.read(Read::query(large()).until(head))), there);
        let of_stream = there.into_iter().filter(|(_, text)| text.parse::<usize>().unwrap() % STREAMS == turn);
        let of_stream: Vec<_> = of_stream.collect();
        let name = stream(&name_of(turn));
        let revision = store.reader().stream_revision(&name).unwrap().map(|revision| revision.0);
        assert!(revision.map_or(0, |revision| revision + 1) >= of_stream.len() as u64);
        assert_eq!(told(store.read(Read::stream(name).until(head))), of_stream);
    }
}

fn count(disk: &SimulatedDisk, ending: &str) -> usize {
    disk.file_names().iter().filter(|name| name.ends_with(ending)).count()
}

fn files_that_are_written_beside_queries() {
    let disk = SimulatedDisk::new(1);
    let store = open(&disk);
    let filling = Arc::clone(&store);
    let appender = thread::spawn(move || fill(&filling, EVENTS));
    let asking = Arc::clone(&store);
    let questions = thread::spawn(move || ask(&asking));
    ask(&store);
    appender.join().unwrap();
    questions.join().unwrap();
    ask(&store);
    drop(store);
    assert!(count(&disk, ".sum") >= 1, "no summary was written: {:?}", disk.file_names());
    ask(&open(&disk));
}

#[test]
fn queries_find_the_same_while_index_files_and_summaries_are_written() {
    explore(files_that_are_written_beside_queries);
}

fn files_that_are_lost_beside_queries() {
    let disk = SimulatedDisk::new(1);
    let store = open(&disk);
    fill(&store, 30);
    drop(store);
    for name in disk.file_names().iter().filter(|name| name.ends_with(".idx")) {
        let middle = disk.image(name).len() as u64 / 2;
        disk.flip_bit(name, middle, 3);
        disk.flip_bit(name, 4096, 1);
    }
    let store = open(&disk);
    let others: Vec<_> = (0..2)
        .map(|_| {
            let store = Arc::clone(&store);
            thread::spawn(move || ask(&store))
        })
        .collect();
    store.rebuild_index(&mut |_, _| {}).unwrap();
    ask(&store);
    others.into_iter().for_each(|other| other.join().unwrap());
    ask(&store);
}

#[test]
fn queries_find_the_same_while_damaged_index_files_are_made_anew() {
    explore(files_that_are_lost_beside_queries);
}

//! Few events among many, found by the index: one stream in both directions, and a query with two tags.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gesta::{AppendRequest, Durability, Options, Query, QueryItem, Read, Revision, Store, StreamName, Tag};
use gesta_bench::events::Events;
use gesta_bench::outcome::Outcome;
use gesta_bench::place::Place;
use std::env;
use std::time::Duration;

/// Events of the stream and of the query.
const WANTED_COUNT: u64 = 1_000;
/// Every so many events there is one that is wanted.
const EVERY: u64 = 50;

/// A store with a stream of its own among the others; its events, and no others, have both tags.
fn fill(place: &Place) -> Outcome<Store> {
    let store = Store::open(place.path(), Options::default())?;
    let mut events = Events::starting_at(0)?;
    let tags = tags();
    for _ in 0..WANTED_COUNT {
        let wanted = events.event().stream(stream()).tag(tags[0].clone()).tag(tags[1].clone());
        let others = (1..EVERY).map(|number| events.event().tag(tags[usize::from(number % 2 == 0)].clone()));
        let request = AppendRequest::new().event(wanted).events(others.collect::<Vec<_>>());
        store.append(request.durability(Durability::Buffered))?;
    }
    store.sync()?;
    Ok(store)
}

fn stream() -> StreamName {
    StreamName::new("ledger-1").expect("the name is short")
}

fn tags() -> [Tag; 2] {
    ["region:north", "customer:17"].map(|tag| Tag::new(tag).expect("a key and a value"))
}

fn read_stream(criterion: &mut Criterion) {
    let place = Place::new(&env::temp_dir()).expect("a directory");
    let store = fill(&place).expect("the store takes the events");
    assert_eq!(store.reader().head().0, WANTED_COUNT * EVERY);
    let mut group = criterion.benchmark_group("read-stream");
    group.throughput(Throughput::Elements(WANTED_COUNT));
    group.bench_function("forward", |bencher| {
        bencher.iter(|| {
            let mut expected = 0;
            let mut cursor = store.read(Read::stream(stream()));
            while let Some(record) = cursor.next_record() {
                assert_eq!(record.expect("nothing is damaged").revision(), Some(Revision(expected)));
                expected += 1;
            }
            assert_eq!(expected, WANTED_COUNT);
        });
    });
    group.bench_function("backward", |bencher| {
        bencher.iter(|| {
            let mut left = WANTED_COUNT;
            let mut cursor = store.read(Read::stream(stream()).backwards());
            while let Some(record) = cursor.next_record() {
                left -= 1;
                assert_eq!(record.expect("nothing is damaged").revision(), Some(Revision(left)));
            }
            assert_eq!(left, 0);
        });
    });
    group.bench_function("two-tags", |bencher| {
        let [first, second] = tags();
        let query = Query::from(QueryItem::new().tag(first).tag(second));
        bencher.iter(|| {
            let mut count = 0;
            let mut cursor = store.read(Read::query(query.clone()));
            while let Some(record) = cursor.next_record() {
                assert_eq!(record.expect("nothing is damaged").position().0, count * EVERY);
                count += 1;
            }
            assert_eq!(count, WANTED_COUNT);
        });
    });
    group.finish();
    store.close().expect("the store closes");
    place.remove().expect("the directory goes");
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(500));
    targets = read_stream
}
criterion_main!(benches);

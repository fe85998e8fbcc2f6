//! Appends one after another by one thread: unsynced and durable, alone and under a condition.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gesta::{AppendRequest, Durability, Options, Position, Query, QueryItem, Store, Tag};
use gesta_bench::events::Events;
use gesta_bench::place::Place;
use std::env;
use std::time::Duration;

/// How far before the end of the log a condition begins: what a writer that has just read would ask.
const RECENT_COUNT: u64 = 100;

fn append(criterion: &mut Criterion) {
    let cases = [
        ("buffered-1", Durability::Buffered, 1),
        ("buffered-100", Durability::Buffered, 100),
        ("durable-1", Durability::Durable, 1),
    ];
    let mut group = criterion.benchmark_group("append");
    for (name, durability, events_each) in cases {
        group.throughput(Throughput::Elements(events_each as u64));
        for has_condition in [false, true] {
            let what = if has_condition { "conditional" } else { "plain" };
            group.bench_function(BenchmarkId::new(name, what), |bencher| {
                let place = Place::new(&env::temp_dir()).expect("a directory");
                let store = Store::open(place.path(), Options::default()).expect("a new store opens");
                let mut events = Events::starting_at(0).expect("the names are short");
                let mut end = Position::START;
                bencher.iter(|| {
                    let request = events.request(events_each, durability);
                    let request = if has_condition { condition(request, end) } else { request };
                    let receipt = store.append(request).expect("nothing speaks against it");
                    assert_eq!(receipt.positions.end, end.plus(events_each as u64));
                    end = receipt.positions.end;
                });
                store.sync().expect("the disk takes it");
                assert_eq!(store.reader().head(), end, "every receipt stands for its events");
                store.close().expect("the store closes");
                place.remove().expect("the directory goes");
            });
        }
    }
    group.finish();
}

/// The request, unless an event of late has a tag that none has.
fn condition(request: AppendRequest, end: Position) -> AppendRequest {
    let tag = Tag::new("seat:17").expect("a key and a value");
    let after = Position(end.0.saturating_sub(RECENT_COUNT));
    request.unless(Query::from(QueryItem::new().tag(tag)), after)
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(300));
    targets = append
}
criterion_main!(benches);

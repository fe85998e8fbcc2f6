//! What it costs to judge a condition: an expected revision, and a query that nothing may match, beside a request without.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gesta::{
    AppendRequest, Durability, Event, ExpectedRevision, Options, Position, Query, QueryItem, Store, StreamName, Tag,
};
use gesta_bench::events::Events;
use gesta_bench::outcome::Outcome;
use gesta_bench::place::Place;
use std::env;
use std::time::Duration;

const EVENT_COUNT: u64 = 50_000;

fn fill(place: &Place) -> Outcome<Store> {
    let store = Store::open(place.path(), Options::default())?;
    Events::fill(&store, EVENT_COUNT, Durability::Buffered)?;
    Ok(store)
}

/// A request of one event, under a condition that holds or under none.
type MakeRequest = fn(Event, Position) -> AppendRequest;

fn customer() -> Query {
    Query::from(QueryItem::new().tag(Tag::new("customer:17").expect("a key and a value")))
}

fn new_stream() -> StreamName {
    StreamName::new("order-of-nobody").expect("the name is short")
}

fn condition(criterion: &mut Criterion) {
    let place = Place::new(&env::temp_dir()).expect("a directory");
    let store = fill(&place).expect("the store takes the events");
    let mut events = Events::starting_at(0).expect("the names are short");
    let cases: [(&str, MakeRequest); 4] = [
        ("none", |event, _| AppendRequest::new().event(event)),
        ("no-stream", |event, _| AppendRequest::new().event(event).expect(new_stream(), ExpectedRevision::NoStream)),
        ("no-events", |event, _| AppendRequest::new().event(event).unless(customer(), Position::START)),
        ("no-events-since", |event, head| AppendRequest::new().event(event).unless(customer(), head)),
    ];
    let mut group = criterion.benchmark_group("condition");
    group.throughput(Throughput::Elements(1));
    for (name, make) in cases {
        group.bench_function(BenchmarkId::new("buffered", name), |bencher| {
            bencher.iter(|| {
                let before = store.reader().head();
                let request = make(events.event(), before).durability(Durability::Buffered);
                let receipt = store.append(request).expect("the condition holds");
                assert!(receipt.positions.start >= before);
            });
        });
    }
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
    targets = condition
}
criterion_main!(benches);

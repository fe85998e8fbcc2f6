//! What a query costs by how much it finds: few events by a rare tag, by two tags together, and nearly all by their type.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gesta::{AppendRequest, Durability, EventType, Options, Query, QueryItem, Read, Store, Tag};
use gesta_bench::events::Events;
use gesta_bench::outcome::Outcome;
use gesta_bench::place::Place;
use std::env;
use std::time::Duration;

const EVENT_COUNT: u64 = 50_000;
const EVENTS_EACH: u64 = 100;
/// Every so many events one is of the customer that is asked for.
const CUSTOMER_EVERY: u64 = 500;
/// Every so many events one is of the region that is asked for.
const REGION_EVERY: u64 = 8;

fn tag(text: &str) -> Tag {
    Tag::new(text).expect("a key and a value")
}

fn fill(place: &Place) -> Outcome<Store> {
    let store = Store::open(place.path(), Options::default())?;
    let mut events = Events::starting_at(0)?;
    let regions: Vec<Tag> = (0..REGION_EVERY).map(|number| tag(&format!("region:{number}"))).collect();
    let customers: Vec<Tag> = (0..CUSTOMER_EVERY).map(|number| tag(&format!("customer:{number}"))).collect();
    for first in (0..EVENT_COUNT).step_by(100) {
        let tagged = (first..first + EVENTS_EACH).map(|number| {
            let region = regions[usize::try_from(number % REGION_EVERY).expect("few regions")].clone();
            let customer = customers[usize::try_from(number % CUSTOMER_EVERY).expect("few customers")].clone();
            events.event().tag(region).tag(customer)
        });
        let tagged: Vec<_> = tagged.collect();
        store.append(AppendRequest::new().events(tagged).durability(Durability::Buffered))?;
    }
    store.sync()?;
    Ok(store)
}

fn query(criterion: &mut Criterion) {
    let place = Place::new(&env::temp_dir()).expect("a directory");
    let store = fill(&place).expect("the store takes the events");
    assert_eq!(store.reader().head().0, EVENT_COUNT);
    let placed = EventType::new("OrderPlaced").expect("the name is short");
    let cases = [
        ("rare-tag", QueryItem::new().tag(tag("customer:17")), EVENT_COUNT / CUSTOMER_EVERY),
        // 17 is 1 beyond a multiple of 8, 500 half of one: every second event of the customer is of the region.
        ("two-tags", QueryItem::new().tag(tag("customer:17")).tag(tag("region:1")), EVENT_COUNT / CUSTOMER_EVERY / 2),
        ("type", QueryItem::new().event_type(placed), EVENT_COUNT),
    ];
    let mut group = criterion.benchmark_group("query");
    for (name, item, expected) in cases {
        let query = Query::from(item);
        group.throughput(Throughput::Elements(expected));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let mut count = 0;
                let mut cursor = store.read(Read::query(query.clone()));
                while let Some(record) = cursor.next_record() {
                    record.expect("nothing is damaged");
                    count += 1;
                }
                assert_eq!(count, expected);
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
    targets = query
}
criterion_main!(benches);

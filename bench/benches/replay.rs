//! Every event of a store, verified and decoded.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gesta::{Durability, Options, Read, Store};
use gesta_bench::events::{DATA_BYTES, Events};
use gesta_bench::place::Place;
use std::env;
use std::hint::black_box;
use std::time::Duration;

const EVENT_COUNT: u64 = 100_000;

fn replay(criterion: &mut Criterion) {
    let place = Place::new(&env::temp_dir()).expect("a directory");
    let store = Store::open(place.path(), Options::default()).expect("a new store opens");
    Events::fill(&store, EVENT_COUNT, Durability::Written).expect("nothing speaks against it");

    let mut group = criterion.benchmark_group("replay");
    group.throughput(Throughput::Elements(EVENT_COUNT));
    group.bench_function("all", |bencher| {
        bencher.iter(|| {
            let (mut event_count, mut data_bytes) = (0, 0);
            let mut cursor = store.read(Read::all());
            while let Some(record) = cursor.next_record() {
                data_bytes += black_box(record.expect("nothing is damaged").data().bytes()).len();
                event_count += 1;
            }
            assert_eq!((event_count, data_bytes as u64), (EVENT_COUNT, EVENT_COUNT * DATA_BYTES as u64));
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
    targets = replay
}
criterion_main!(benches);

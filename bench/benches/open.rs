//! Opening a store of a few segments that was closed cleanly.

use criterion::{Criterion, criterion_group, criterion_main};
use gesta::{Durability, Options, Reader, Store};
use gesta_bench::events::Events;
use gesta_bench::place::Place;
use gesta_bench::yardstick::log_files;
use std::env;
use std::time::{Duration, Instant};

const EVENT_COUNT: u64 = 60_000;

fn open(criterion: &mut Criterion) {
    let place = Place::new(&env::temp_dir()).expect("a directory");
    let open = || Store::open(place.path(), Options::default()).expect("the store opens");
    let store = open();
    Events::fill(&store, EVENT_COUNT, Durability::Buffered).expect("nothing speaks against it");
    store.close().expect("the store closes");
    let segment_count = log_files(place.path(), EVENT_COUNT).expect("the files can be read").len();
    assert!(segment_count >= 3, "{segment_count} segments are not a few");

    let mut group = criterion.benchmark_group("open");
    group.bench_function("store", |bencher| {
        bencher.iter_custom(|round_count| {
            let mut elapsed = Duration::ZERO;
            for _ in 0..round_count {
                let start = Instant::now();
                let store = open();
                elapsed += start.elapsed();
                assert!(store.recovery().closed_cleanly && store.reader().head().0 == EVENT_COUNT);
                // Closing is not part of it.
                store.close().expect("the store closes");
            }
            elapsed
        });
    });
    group.bench_function("reader", |bencher| {
        bencher.iter(|| {
            let reader = Reader::open(place.path()).expect("the store can be read");
            assert_eq!(reader.head().0, EVENT_COUNT);
        });
    });
    group.finish();
    place.remove().expect("the directory goes");
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(500));
    targets = open
}
criterion_main!(benches);

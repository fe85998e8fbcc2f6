//! Events to bytes and back: what every append and every read is made of.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use gesta_bench::events::{DATA_BYTES, Events};
use gesta_model::codec::{Record, body_crc, encode_record, place_record};
use gesta_model::{AppendRequest, Durability, Event, Limits, Position, Tag, Uuid};
use std::hint::black_box;
use std::time::Duration;

/// Bytes of the body whose checksum is made.
const BODY_BYTES: usize = 256 << 10;

fn event() -> Event {
    let event = Events::starting_at(0).expect("the names are short").event();
    event.tag(Tag::new("customer:17").expect("a tag")).tag(Tag::new("region:north").expect("a tag"))
}

fn record(criterion: &mut Criterion) {
    let (event, id) = (event(), Uuid::from_u128(7));
    let mut encoded = Vec::new();
    encode_record(&event, id, &mut encoded);
    assert_eq!(place_record(&mut encoded, 4, Position(9)), encoded.len(), "one record fills its bytes");

    let mut group = criterion.benchmark_group("codec");
    group.throughput(Throughput::Elements(1));
    group.bench_function("encode", |bencher| {
        let mut bytes = Vec::with_capacity(encoded.len());
        bencher.iter(|| {
            bytes.clear();
            encode_record(black_box(&event), id, &mut bytes);
        });
        place_record(&mut bytes, 4, Position(9));
        assert_eq!(bytes, encoded, "the same event makes the same bytes");
    });
    group.bench_function("decode", |bencher| {
        bencher.iter(|| {
            let (record, taken) = Record::decode(black_box(&encoded), Position(9)).expect("it was encoded here");
            assert_eq!((record.data().bytes().len(), taken), (DATA_BYTES, encoded.len()));
        });
    });
    group.bench_function("verify", |bencher| {
        let (record, _) = Record::decode(&encoded, Position(9)).expect("it was encoded here");
        bencher.iter(|| assert_eq!(black_box(&record).verify(), Ok(())));
        let (elsewhere, _) = Record::decode(&encoded, Position(8)).expect("a place is not looked at");
        assert!(elsewhere.verify().is_err(), "a verification looks at the place");
    });
    group.finish();
}

fn body(criterion: &mut Criterion) {
    let body: Vec<u8> = (0..=u8::MAX).cycle().take(BODY_BYTES).collect();
    let crc = body_crc(&body);
    let mut group = criterion.benchmark_group("codec");
    group.throughput(Throughput::Bytes(BODY_BYTES as u64));
    group.bench_function("body-crc", |bencher| bencher.iter(|| assert_eq!(body_crc(black_box(&body)), crc)));
    group.finish();
    assert_ne!(body_crc(&body[1..]), crc, "every byte counts");
}

/// A request with an id is hashed as a whole; the one without shows what that costs.
fn fingerprint(criterion: &mut Criterion) {
    const EVENTS_EACH: usize = 100;
    let mut group = criterion.benchmark_group("codec");
    group.throughput(Throughput::Elements(EVENTS_EACH as u64));
    for (name, request_id) in [("request", None), ("request-fingerprint", Some(Uuid::from_u128(3)))] {
        group.bench_function(name, |bencher| {
            let request = || {
                let mut events = Events::starting_at(0).expect("the names are short");
                let request = events.request(EVENTS_EACH, Durability::Durable);
                if let Some(id) = request_id { request.request_id(id) } else { request }
            };
            let encode = |request: AppendRequest| {
                let encoded = request.encode(&Limits::default(), || Uuid::from_u128(1)).expect("within the limits");
                assert_eq!(encoded.fingerprint() == 0, request_id.is_none());
                encoded
            };
            bencher.iter_batched(request, encode, BatchSize::SmallInput);
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(500));
    targets = record, body, fingerprint
}
criterion_main!(benches);

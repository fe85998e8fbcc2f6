//! The store's time: when it took an event, which never goes back.

use crate::support::{request, small_options};
use gesta::disk::{CrashPlan, Fault, Keep, SimulatedDisk};
use gesta::environment::{Clock, Entropy, Environment};
use gesta::{Durability, Options, Read, Store, Timestamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

struct SetClock(Arc<AtomicI64>);

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }
}

struct Sevens;

impl Entropy for Sevens {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

/// When a power cut left the header of a new segment and took its first batch, the next life knew no time: with a clock that
/// was set back, events were recorded before the ones in front of them.
#[test]
fn time_goes_on_after_a_power_cut_took_all_that_the_tail_held() {
    let mut lost = 0;
    for seed in 0..200 {
        let clock = Arc::new(AtomicI64::new(1_000));
        let environment = Environment::new(SetClock(Arc::clone(&clock)), Sevens);
        let open = |disk: &SimulatedDisk| {
            let options = Options { environment: environment.clone(), ..small_options() };
            Store::open_on(disk.clone(), options).unwrap()
        };
        let disk = SimulatedDisk::new(seed);
        let store = open(&disk);
        store.append(request("a-1", &[&"x".repeat(1900)], Durability::Durable)).unwrap();
        // The next one opens another segment, and the power fails before it is synced.
        disk.inject(Fault::PowerFailsAt { call: seed % 20 + 1 });
        let _ = store.append(request("a-1", &[&"y".repeat(2000)], Durability::Durable));
        disk.power_cut(&CrashPlan { keep: Keep::Some(700), ..CrashPlan::random(seed) });
        disk.clear_faults();
        drop(store);
        clock.store(10, Ordering::Relaxed);
        let store = open(&disk);
        lost += u64::from(store.reader().head().0 == 1);
        store.append(request("a-1", &["after"], Durability::Durable)).unwrap();
        let (mut last, mut cursor) = (i64::MIN, store.read(Read::all()));
        while let Some(record) = cursor.next_record() {
            record.unwrap();
            let recorded_at = cursor.recorded_at().unwrap().0;
            assert!(recorded_at >= last, "seed {seed}: {recorded_at} after {last}");
            last = recorded_at;
        }
    }
    assert!(lost > 20, "{lost}");
}

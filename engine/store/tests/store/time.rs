//! The store's time: when it took an event, which never goes back.

use crate::snapshot_history::key;
use crate::support::{event, request, small_options, texts};
use gesta::disk::{CrashPlan, Fault, Keep, SimulatedDisk};
use gesta::environment::{Clock, Entropy, Environment};
use gesta::{AppendRequest, Durability, Options, Position, Read, Reader, Selection, Snapshot, Store, Timestamp};
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

const SECOND: i64 = 1_000_000_000;
const HOUR: i64 = 3600 * SECOND;
const YEAR: i64 = 8766 * HOUR;
/// Midnight after the second of 2016 that the clock of a machine shows twice.
const LEAP: i64 = 1_483_228_800 * SECOND;
/// A day in November 2026.
const NOW: i64 = 1_795_000_000 * SECOND;

/// When the store took each event, by reading all of them. They stand at every position, and no time goes back.
fn recorded_times(reader: &Reader<SimulatedDisk>, what: &str) -> Vec<i64> {
    let (mut times, mut cursor) = (Vec::new(), reader.read(Read::all()));
    while let Some(record) = cursor.next_record() {
        assert_eq!(record.unwrap().position().0, times.len() as u64, "{what}");
        times.push(cursor.recorded_at().unwrap().0);
    }
    assert!(times.is_sorted(), "{what}: {times:?}");
    times
}

/// A read from a time on finds what was taken then or later, at and around every time that there is.
fn check_since(reader: &Reader<SimulatedDisk>, times: &[i64], what: &str) {
    let mut asked = vec![i64::MIN, -1, 0, 1, i64::MAX];
    asked.extend(times.iter().flat_map(|time| [time.saturating_sub(1), *time, time.saturating_add(1)]));
    asked.sort_unstable();
    asked.dedup();
    for time in asked {
        let expected = times.iter().filter(|taken| **taken >= time).count();
        for read in [Read::all(), Read::all().backwards()] {
            let found = texts(reader.read(read.since(Timestamp(time)))).unwrap().len();
            assert_eq!(found, expected, "{what}: since {time}");
        }
    }
}

/// Lives through these readings of the clock, with rolls under each of them and another opening after each.
fn live_through(readings: &[i64]) {
    let disk = SimulatedDisk::new(1);
    let clock = Arc::new(AtomicI64::new(0));
    let environment = Environment::new(SetClock(Arc::clone(&clock)), Sevens);
    let (mut latest, mut expected, mut ids) = (i64::MIN, Vec::new(), Vec::new());
    for (ordinal, now) in readings.iter().enumerate() {
        let what = format!("{now} in {readings:?}");
        clock.store(*now, Ordering::Relaxed);
        latest = latest.max(*now);
        let store = Store::open_on(disk.clone(), Options { environment: environment.clone(), ..small_options() });
        let store = store.unwrap_or_else(|error| panic!("{what}: {error}"));
        assert!(!store.recovery().is_degraded, "{what}: {:?}", store.recovery());
        for durability in [Durability::Buffered, Durability::Written, Durability::Durable].into_iter().cycle().take(9) {
            let event = event("a-1", &"x".repeat(1500)).time(Timestamp(*now));
            let receipt = store.append(AppendRequest::new().event(event).durability(durability)).unwrap();
            assert_eq!(receipt.positions.start.0, expected.len() as u64, "{what}");
            expected.push(latest);
        }
        store.mark();
        store.sync().unwrap();
        let head = store.reader().head();
        store.save_snapshot(&Snapshot { key: key("a-1"), schema: 1, position: head, data: vec![1] }).unwrap();
        for reader in [store.reader(), Reader::open_on(disk.clone()).unwrap()] {
            let times = recorded_times(&reader, &what);
            assert_eq!(times, expected, "{what}");
            check_since(&reader, &times, &what);
            let loaded = reader.load(&key("a-1"), 1, Selection::Everything);
            assert_eq!(
                loaded.snapshot.map(|snapshot| snapshot.position),
                Some(Position(expected.len() as u64)),
                "{what}"
            );
            ids.extend(
                reader
                    .read(Read::all().from(Position(expected.len() as u64 - 1)))
                    .next_record()
                    .map(|record| record.unwrap().id()),
            );
            assert_eq!(reader.verify(true, &mut |_, _| {}).damage, [], "{what}");
        }
        if ordinal % 2 == 0 {
            store.close().unwrap();
        } else {
            drop(store);
            disk.power_cut(&CrashPlan { keep: Keep::None, ..CrashPlan::random(1) });
        }
    }
    let segments = disk.file_names().iter().filter(|name| name.ends_with(".log")).count();
    assert!(segments > readings.len(), "{segments} segments: each reading of the clock met a roll");
    assert!(ids.iter().all(|id| !id.is_nil()));
}

#[test]
fn positions_go_on_and_times_never_go_back_while_the_wall_clock_jumps() {
    live_through(&[NOW, NOW - HOUR, NOW + HOUR, NOW + 10 * YEAR, NOW, NOW - HOUR, NOW + 11 * YEAR]);
    live_through(&[NOW, NOW + 10 * YEAR, NOW + 10 * YEAR - HOUR, NOW + 20 * YEAR]);
}

#[test]
fn a_clock_at_1970_at_either_end_of_time_or_in_a_leap_second_overflows_nothing() {
    for alone in [i64::MIN, i64::MIN + 1, -YEAR, -1, 0, 1, SECOND, i64::MAX - 1, i64::MAX] {
        live_through(&[alone, alone]);
        live_through(&[alone, NOW, alone]);
    }
    live_through(&[i64::MIN, -1, 0, 1, NOW, i64::MAX, 0, i64::MIN]);
    // The machine shows the last second of 2016 twice.
    live_through(&[LEAP - 1, LEAP - SECOND, LEAP - 1, LEAP]);
}

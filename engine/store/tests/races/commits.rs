//! Group commit: several appenders, one write and one sync for whoever came meanwhile.

use crate::explore::explore;
use crate::scene::{SimulatedStore, all, open, request};
use gesta::disk::{CrashPlan, Fault, SimulatedDisk};
use gesta::{Durability, Position, Read, Reader, Receipt};
use shuttle::rand::Rng;
use shuttle::thread;
use std::sync::Arc;

const APPENDERS: usize = 3;
const APPENDS: usize = 3;

/// What one appender was told, request after request, until the store took no more.
type Told = Vec<(String, Receipt)>;

/// Appends in one of the ways that there are: alone, by a ticket, or weakly.
fn append(store: &Arc<SimulatedStore>, appender: usize) -> Told {
    let mut told = Told::new();
    for number in 0..APPENDS {
        let text = format!("{appender}/{number}");
        let request = request(&format!("a-{appender}"), &text);
        let outcome = match (appender + number) % 4 {
            0 | 1 => store.append(request),
            2 => store.submit(request).and_then(|ticket| ticket.wait()),
            _ => store.append(request.durability(Durability::Written)),
        };
        let Ok(receipt) = outcome else { break };
        told.push((text, receipt));
    }
    told
}

fn append_together(store: &Arc<SimulatedStore>) -> Vec<Told> {
    let appenders: Vec<_> = (0..APPENDERS)
        .map(|appender| {
            let store = Arc::clone(store);
            thread::spawn(move || append(&store, appender))
        })
        .collect();
    appenders.into_iter().map(|appender| appender.join().unwrap()).collect()
}

/// Every position is given once, without a gap, and each appender's rise with its revisions.
fn assert_receipts(told: &[Told]) {
    let mut given: Vec<u64> = Vec::new();
    for told in told {
        assert!(told.is_sorted_by(|one, other| one.1.positions.end <= other.1.positions.start), "{told:?}");
        for (number, (_, receipt)) in told.iter().enumerate() {
            assert_eq!(receipt.positions.end.since(receipt.positions.start), 1);
            assert_eq!(receipt.revisions[0].1.0, number as u64, "{told:?}");
            given.push(receipt.positions.start.0);
        }
    }
    given.sort_unstable();
    assert!(given.windows(2).all(|pair| pair[0] < pair[1]), "a position was given twice: {given:?}");
}

/// Everything durable that was told is there, where it was told, once.
fn assert_kept(told: &[Told], there: &[(Position, String)]) {
    for (text, receipt) in told.iter().flatten() {
        let found: Vec<Position> =
            there.iter().filter(|(_, other)| other == text).map(|(position, _)| *position).collect();
        match receipt.durability {
            Durability::Durable => assert_eq!(found, [receipt.positions.start], "lost or twice: {text} in {there:?}"),
            _ => assert!(found.len() <= 1, "twice: {text} in {there:?}"),
        }
    }
    let positions = there.iter().map(|(position, _)| position.0);
    assert!(positions.eq(0..there.len() as u64), "a gap: {there:?}");
}

fn appenders_together() {
    let disk = SimulatedDisk::new(1);
    let store = open(&disk);
    let told = append_together(&store);
    assert_eq!(told.iter().flatten().count(), APPENDERS * APPENDS);
    assert_receipts(&told);
    store.sync().unwrap();
    let before = all(&store);
    assert_eq!(before.len(), APPENDERS * APPENDS);
    assert_kept(&told, &before);
    drop(store);
    disk.power_cut(&CrashPlan::random(1));
    assert_eq!(all(&open(&disk)), before);
}

#[test]
fn what_several_appenders_were_told_is_there_once_and_in_order() {
    explore(appenders_together);
}

/// How many events a reader is shown, one after another.
fn shown(reader: &Reader<SimulatedDisk>) -> usize {
    let mut cursor = reader.read(Read::all());
    std::iter::from_fn(|| cursor.next_record().filter(|record| record.is_ok()).map(|_| ())).count()
}

pub(crate) fn a_power_cut_under_appenders() {
    let disk = SimulatedDisk::new(1);
    let store = open(&disk);
    let call = shuttle::rand::thread_rng().gen_range(1..24);
    disk.inject(Fault::PowerFailsAt { call });
    let reader = store.reader();
    let seen = thread::spawn(move || (0..8).map(|_| shown(&reader)).max());
    let told = append_together(&store);
    let seen = seen.join().unwrap().unwrap_or_default();
    drop(store);
    let seed = shuttle::rand::thread_rng().r#gen();
    disk.power_cut(&CrashPlan::random(seed));
    let store = open(&disk);
    assert!(!store.recovery().is_degraded, "{:?}", store.recovery());
    let there = all(&store);
    assert!(there.len() >= seen, "{seen} events were shown and {} are left", there.len());
    assert_receipts(&told);
    assert_kept(&told, &there);
}

#[test]
fn nothing_acknowledged_is_lost_when_the_power_fails_under_appenders() {
    explore(a_power_cut_under_appenders);
}

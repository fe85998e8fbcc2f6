//! The five figures of an event store: n, s, S, t_q and t_c.

use super::Failure;
use gesta::{Read, Store};
use gesta_cqrs::Figures;

/// Prints the five figures.
pub(super) fn print(store: &Store, figures: &Figures) -> Result<(), Failure> {
    let statistics = store.reader().statistics()?;
    println!("n    {} events in {} streams", statistics.events, statistics.streams);

    let mut sizes = Vec::new();
    let mut events = store.read(Read::all());
    while let Some(event) = events.next_record() {
        sizes.push(event?.bytes().len());
    }
    sizes.sort_unstable();
    if let [smallest, .., largest] = sizes[..] {
        println!("s    {smallest} to {largest} bytes an event, half of them within {}", sizes[sizes.len() / 2]);
    }

    let written = statistics.log_bytes + statistics.index_bytes + statistics.snapshot_bytes;
    println!("S    {written} bytes of log, index and snapshots, and {} reserved ahead", statistics.reserved_bytes);

    for (name, t_q) in figures.queries() {
        println!("t_q  {name}: {} queries, half within {} us, 99 % within {} us", t_q.count, t_q.p50_us, t_q.p99_us);
    }
    for (name, t_c) in figures.commands() {
        println!("t_c  {name}: {} commands, half within {} us, 99 % within {} us", t_c.count, t_c.p50_us, t_c.p99_us);
    }
    Ok(())
}

//! What was hoped for beside the other stores.

use super::figures::Figures;

/// One hope, and what came.
#[derive(Clone, Debug)]
pub(super) struct Judged {
    /// What was hoped for.
    pub(super) hope: String,
    /// What came, in the same unit.
    pub(super) came: f64,
    /// Whether it is met.
    pub(super) is_met: bool,
}

/// Rates: the row, the other store, and how many times as fast gesta should be.
const RATES: [(&str, &str, f64); 8] = [
    ("durable-1", "plain", 0.95),
    ("durable-64", "plain", 0.8),
    ("durable-64", "tephra", 1.5),
    ("durable-64", "umadb", 10.0),
    ("durable-1x100", "plain", 0.8),
    ("unsynced-1x100", "lmdb", 3.0),
    ("replay", "lmdb", 2.0),
    ("replay", "tephra", 2.0),
];
/// Stores that read their log, or part of it, to open after a crash.
const REBUILDING: [&str; 3] = ["tephra", "redb", "fjall"];
/// Stores here that keep what gesta keeps of an event, without its tags.
const KEEPING_AS_MUCH: [&str; 4] = ["sqlite", "lmdb", "redb", "fjall"];

/// The hopes whose rows were measured.
#[must_use]
pub(super) fn judge(figures: &Figures) -> Vec<Judged> {
    let rates = RATES.iter().filter_map(|&(row, peer, goal)| {
        let came = figures.times("gesta", peer, row)?;
        Some(Judged { hope: format!("{row}: {goal} times {peer}"), came, is_met: came >= goal })
    });
    let opening = REBUILDING.iter().filter_map(|peer| {
        let seconds = |peer: &str| Some(figures.median(peer, "grown-open-killed")?.seconds);
        let came = seconds(peer)? / seconds("gesta")?;
        let hope = format!("open after a crash, {} events: 10 times as fast as {peer}", figures.extent.grown_events);
        Some(Judged { hope, came, is_met: came >= 10.0 })
    });
    let size = |peer: &str| figures.median(peer, "grown-fill")?.bytes_an_event;
    let smallest = KEEPING_AS_MUCH.iter().filter_map(|peer| size(peer)).min_by(f64::total_cmp);
    let bytes = size("gesta").zip(smallest).map(|(gesta, smallest)| Judged {
        hope: format!(
            "bytes an event, {} events: at most {smallest:.0}, the least of those that keep as much",
            figures.extent.grown_events
        ),
        came: gesta,
        is_met: gesta <= smallest,
    });
    rates.chain(opening).chain(bytes).collect()
}

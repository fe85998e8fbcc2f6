//! Each goal of gesta beside its yard-stick, by the rows of `local`, `served` and `index`, in the order of the goals; and the
//! best of the peers where a row of theirs is the same work.

use super::figures::Figures;
use super::peer::{Kind, PEERS};
use super::tour::Extent;
use crate::comparison::{Comparison, Side};
use crate::indexed::{Figure, Measurements, Scale};
use crate::outcome::Outcome;
use crate::report::{Measured, describe, digits, short, verdict, waits};
use crate::rows::{Goal, ROWS, Row};
use crate::served;
use crate::workload::Settings;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

/// A row of gesta's own, and the row of the peers that is the same work.
type Line = (&'static str, Option<&'static str>);

const LOCAL: [Line; 8] = [
    ("durable-1", Some("durable-1")),
    ("durable-64", Some("durable-64")),
    ("tickets-64", None),
    ("tickets-512", None),
    ("durable-batch", Some("durable-1x100")),
    ("buffered-1", None),
    ("written-100", Some("unsynced-1x100")),
    ("replay", Some("replay")),
];
const SERVED: [Line; 1] = [("served-replay", Some("replay"))];
const INDEXED: [Line; 8] = [
    ("read-stream", None),
    ("append-if", None),
    ("check-hot", None),
    ("check-new", None),
    ("check-cold", None),
    ("open", Some("open-killed")),
    ("memory", None),
    ("overhead", Some("fill")),
];

/// Measures all of them; `tell` hears of each row when it begins.
pub fn measure_goals(directory: &Path, extent: Extent, tell: &mut dyn FnMut(&str)) -> Outcome<Measurements> {
    let settings = Settings {
        round: Duration::from_secs_f64(extent.seconds),
        round_count: extent.rounds,
        replay_event_count: extent.events,
        ..Settings::new(directory.to_owned(), false)
    };
    let mut measured = Measurements::default();
    let local = LOCAL.iter().map(|line| row(&ROWS, line));
    for row in local.chain(SERVED.iter().map(|line| row(&served::ROWS, line))) {
        let row = row?;
        tell(&format!("goal: {}", row.title.name));
        let comparison = Comparison::measure(row, &settings, settings.round_count)?;
        measured.rows.push(Measured { title: row.title, scale: None, comparison });
    }
    let names = INDEXED.map(|(name, _)| name.to_owned());
    for &event_count in extent.indexed {
        tell(&format!("goals of the index: {event_count} events"));
        measured.measure(Scale { event_count, stream_count: 1_000 }, &settings, &names)?;
    }
    let place = |name: &str| LOCAL.iter().chain(&SERVED).chain(&INDEXED).position(|(known, _)| *known == name);
    measured.rows.sort_by_key(|row| place(row.title.name));
    measured.figures.sort_by_key(|figure| place(figure.name));
    Ok(measured)
}

fn row<'r>(rows: &'r [Row<Settings>], (name, _): &Line) -> Outcome<&'r Row<Settings>> {
    rows.iter().find(|row| row.title.name == *name).ok_or_else(|| format!("there is no row {name}").into())
}

/// The section of the page.
pub(super) fn goals(page: &mut String, figures: &Figures) {
    let Measurements { rows, figures: own } = &figures.goals;
    if rows.is_empty() {
        return;
    }
    let Extent { rounds, seconds, events, .. } = figures.extent;
    page.push_str("#### Each goal beside its yard-stick\n\n");
    let _ = writeln!(
        page,
        "By the rows of `local`, `served` and `index`, medians of {rounds} rounds of {seconds} s, replays of {events} events. Rates are events a second, waits are \
         p50 / p99 in us; the ratio is of what the goal speaks of. Beside it the best of the other stores that did the same work \
         further up, and in brackets how many times as well gesta did there.\n"
    );
    page.push_str("| row | what is done | goal | yard-stick | gesta | ratio | | best of the others |\n|---|---|---|---|---|---|---|---|\n");
    for row in rows {
        let Some(goal) = row.title.goal else { continue };
        let Comparison { yardstick, gesta } = &row.comparison;
        let [beside, came] = [yardstick, gesta].map(|side| shown(goal, side));
        let (ratio, verdict) = (digits(ratio(goal, &row.comparison)), verdict(row.comparison.reaches(goal)));
        let best = best(row.title.name, figures);
        let _ = writeln!(
            page,
            "| {} | {} | {} | {beside} | {came} | {ratio} | {verdict} | {best} |",
            row.label(),
            row.title.work,
            describe(goal)
        );
    }
    for figure in own {
        let Figure { what, unit, yardstick, gesta, gesta_max, .. } = figure;
        let (ratio, verdict) = (digits(gesta / yardstick), verdict(gesta <= gesta_max));
        let [goal, beside, came] = [gesta_max, yardstick, gesta].map(|value| format!("{} {unit}", digits(*value)));
        let best = best(figure.name, figures);
        let _ = writeln!(
            page,
            "| {} | {what} | <= {goal} | {beside} | {came} | {ratio} | {verdict} | {best} |",
            figure.label()
        );
    }
    page.push('\n');
}

/// A side in the unit of its goal.
fn shown(goal: Goal, side: &Side) -> String {
    match goal {
        Goal::Ratio(_) | Goal::Rate(_) => short(side.rate()),
        Goal::Seconds(_) => format!("{:.3} s", side.elapsed().as_secs_f64()),
        Goal::Microseconds(_) | Goal::Times(_) => waits(side),
    }
}

/// gesta in multiples of the yard-stick: its rate, its time or its longest waits.
fn ratio(goal: Goal, comparison: &Comparison) -> f64 {
    let of = |value: fn(&Side) -> f64| value(&comparison.gesta) / value(&comparison.yardstick);
    match goal {
        Goal::Ratio(_) | Goal::Rate(_) => comparison.ratio(),
        Goal::Seconds(_) => of(|side| side.elapsed().as_secs_f64()),
        Goal::Microseconds(_) | Goal::Times(_) => of(|side| side.latency.microseconds_at(0.99).unwrap_or(f64::NAN)),
    }
}

/// The peer that did the same work best; empty where none did.
fn best(name: &str, figures: &Figures) -> String {
    let kind = if SERVED.iter().any(|(served, _)| *served == name) { Kind::Served } else { Kind::Embedded };
    let line = LOCAL.iter().chain(&SERVED).chain(&INDEXED).find(|(known, _)| *known == name);
    let Some(row) = line.and_then(|(_, row)| *row) else { return String::new() };
    // Less is better: seconds an event, seconds of opening, bytes an event.
    let cost = |peer: &str| {
        let said = figures.median(peer, row)?;
        match row {
            "fill" => said.bytes_an_event,
            "open-killed" => Some(said.seconds),
            _ => Some(1.0 / said.rate()),
        }
    };
    let others = PEERS.iter().filter(|peer| peer.kind == kind && peer.name != kind.gesta() && peer.name != "plain");
    let costs = others.filter_map(|peer| Some((peer.name, cost(peer.name)?)));
    let Some((peer, least)) = costs.min_by(|(_, one), (_, other)| one.total_cmp(other)) else { return String::new() };
    let told = match row {
        "fill" => format!("{} B in all", digits(least)),
        "open-killed" => format!("{} s", digits(least)),
        _ => short(1.0 / least),
    };
    let times = cost(kind.gesta()).map_or_else(String::new, |gesta| format!(" (x {})", digits(least / gesta)));
    format!("{peer} {told}{times}")
}

#[cfg(test)]
mod tests {
    use super::super::peer::Peer;
    use super::super::rows::APPENDS;
    use super::super::work::Said;
    use super::*;

    #[test]
    fn every_goal_has_a_row_that_carries_it_and_every_row_of_the_peers_is_one() {
        let own = LOCAL.iter().map(|line| row(&ROWS, line)).chain(SERVED.iter().map(|line| row(&served::ROWS, line)));
        assert!(own.into_iter().all(|row| row.unwrap().title.goal.is_some()));
        for (name, _) in INDEXED {
            let title = Measurements::titles().find(|title| title.name == name);
            assert!(Measurements::names().any(|known| known == name), "{name}");
            assert!(title.is_none_or(|title| title.goal.is_some()), "{name}");
        }
        let read = ["replay", "open-killed", "fill"];
        for row in LOCAL.iter().chain(&SERVED).chain(&INDEXED).filter_map(|(_, row)| *row) {
            assert!(read.contains(&row) || APPENDS.iter().any(|append| append.name == row), "{row}");
        }
    }

    #[test]
    fn the_best_of_the_others_is_told_in_the_unit_of_its_row_and_the_yardstick_is_none_of_them() {
        let mut figures = Figures::new(Extent::QUICK);
        let mut add = |name: &str, row, seconds, bytes_an_event| {
            let peer: Peer = PEERS.into_iter().find(|peer| peer.name == name).unwrap();
            let said = serde_json::json!({
                "version": "", "keeps": "", "commits": 1, "events": 1_000, "seconds": seconds,
                "bytes_an_event": bytes_an_event, "anonymous_bytes_max": 0,
            });
            figures.add(peer, row, Ok(serde_json::from_value::<Said>(said).unwrap()));
        };
        for (name, seconds) in [("gesta", 1.0), ("plain", 0.1), ("tephra", 2.0), ("lmdb", 4.0), ("redis", 0.5)] {
            add(name, "replay", seconds, None);
        }
        add("gesta-server", "replay", 1.0, None);
        for (name, seconds) in [("gesta", 0.4), ("tephra", 1.0), ("lmdb", 0.1)] {
            add(name, "open-killed", seconds, None);
            add(name, "fill", 1.0, Some(seconds * 1_000.0));
        }
        assert_eq!(best("replay", &figures), "tephra 500 (x 2.00)");
        assert_eq!(best("served-replay", &figures), "redis 2.00 k (x 0.50)");
        assert_eq!(best("open", &figures), "lmdb 0.10 s (x 0.25)");
        assert_eq!(best("overhead", &figures), "lmdb 100 B in all (x 0.25)");
        assert_eq!(best("durable-1", &figures), "", "nobody did it");
        assert_eq!(best("tickets-64", &figures), "", "nobody can");
    }
}

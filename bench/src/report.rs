//! The table that a run prints, or the same as JSON.

use crate::comparison::{Comparison, Side};
use crate::machine::Machine;
use crate::outcome::Outcome;
use crate::rows::{Goal, Row};
use crate::sample::SYNC_MICROSECONDS_MIN;
use serde::Serialize;

/// The head of the table, as Markdown.
#[must_use]
pub fn head(machine: &Machine) -> String {
    let Machine { processor, kernel, file_system, commit, command, date, load } = machine;
    format!(
        "machine  {processor}\nkernel   {kernel}, {file_system}, load {load}\ncommit   {commit}\ncommand  {command}\n\
         date     {date}\n\n{COLUMNS}\n{RULE}"
    )
}

const COLUMNS: &str = "| row | yard-stick, events/s | gesta, events/s (slowest to fastest) | ratio | goal | expected now \
                       | p50 / p99 us, yard-stick | p50 / p99 us, gesta |";
const RULE: &str = "|---|---|---|---|---|---|---|---|";

/// One line of the table.
#[must_use]
pub fn line(row: &Row, comparison: &Comparison) -> String {
    let Comparison { yardstick, gesta } = comparison;
    let (slowest, fastest) = gesta.spread();
    let gesta_rate = match row.goal {
        Some(Goal::Seconds(_)) => format!("{} in {:.3} s", short(gesta.rate()), gesta.elapsed().as_secs_f64()),
        _ => format!("{} ({}-{})", short(gesta.rate()), short(slowest), short(fastest)),
    };
    let yardstick_rate = match row.goal {
        Some(Goal::Seconds(_)) => format!("{} in {:.3} s", short(yardstick.rate()), yardstick.elapsed().as_secs_f64()),
        _ => short(yardstick.rate()),
    };
    let verdict = |goal: Option<Goal>| {
        goal.map_or_else(String::new, |goal| {
            let verdict = if comparison.reaches(goal) { "met" } else { "**missed**" };
            format!("{} {verdict}", describe(goal))
        })
    };
    format!(
        "| {} | {yardstick_rate} | {gesta_rate} | {:.2} | {} | {} | {} | {} |",
        row.name,
        comparison.ratio(),
        verdict(row.goal),
        verdict(row.expected),
        waits(yardstick),
        waits(gesta),
    )
}

/// What must be said of a row beside its figures.
#[must_use]
pub fn warnings(row: &Row, comparison: &Comparison) -> Vec<String> {
    let sides = [("yard-stick", &comparison.yardstick), ("gesta", &comparison.gesta)];
    let short = sides.into_iter().filter(|(_, side)| side.latency.too_short_count() > 0);
    let warning = |(name, side): (&str, &Side)| {
        format!(
            "SUSPICIOUS: {}, {name}: {} of {} waits took less than {SYNC_MICROSECONDS_MIN} us: was that a sync?",
            row.name,
            side.latency.too_short_count(),
            side.latency.count()
        )
    };
    short.map(warning).collect()
}

/// What the rows do and what they are measured against.
#[must_use]
pub fn legend(rows: &[Row]) -> String {
    let lines = rows.iter().map(|row| format!("{:14} {}; yard-stick: {}\n", row.name, row.work, row.yardstick));
    lines.collect()
}

/// The whole run as JSON.
pub fn json(machine: &Machine, measured: &[(Row, Comparison)]) -> Outcome<String> {
    #[derive(Serialize)]
    struct Report<'a> {
        machine: &'a Machine,
        rows: Vec<JsonRow>,
    }
    #[derive(Serialize)]
    struct JsonRow {
        name: &'static str,
        work: &'static str,
        yardstick: &'static str,
        ratio: f64,
        is_goal_met: Option<bool>,
        is_expectation_met: Option<bool>,
        yardstick_side: JsonSide,
        gesta_side: JsonSide,
        warnings: Vec<String>,
    }
    #[derive(Serialize)]
    struct JsonSide {
        events_per_second: f64,
        slowest: f64,
        fastest: f64,
        event_count: u64,
        seconds: f64,
        p50_us: Option<f64>,
        p99_us: Option<f64>,
    }
    let side = |side: &Side| JsonSide {
        events_per_second: side.rate(),
        slowest: side.spread().0,
        fastest: side.spread().1,
        event_count: side.median().event_count,
        seconds: side.elapsed().as_secs_f64(),
        p50_us: side.latency.microseconds_at(0.5),
        p99_us: side.latency.microseconds_at(0.99),
    };
    let rows = measured.iter().map(|(row, comparison)| JsonRow {
        name: row.name,
        work: row.work,
        yardstick: row.yardstick,
        ratio: comparison.ratio(),
        is_goal_met: row.goal.map(|goal| comparison.reaches(goal)),
        is_expectation_met: row.expected.map(|goal| comparison.reaches(goal)),
        yardstick_side: side(&comparison.yardstick),
        gesta_side: side(&comparison.gesta),
        warnings: warnings(row, comparison),
    });
    Ok(serde_json::to_string_pretty(&Report { machine, rows: rows.collect() })?)
}

fn describe(goal: Goal) -> String {
    match goal {
        Goal::Ratio(ratio) => format!(">= {ratio}"),
        Goal::Rate(rate) => format!(">= {}/s", short(rate)),
        Goal::Seconds(seconds) => format!("<= {seconds} s"),
    }
}

fn waits(side: &Side) -> String {
    match (side.latency.microseconds_at(0.5), side.latency.microseconds_at(0.99)) {
        (Some(median), Some(high)) => format!("{median:.0} / {high:.0}"),
        _ => String::new(),
    }
}

/// A rate with three digits.
fn short(rate: f64) -> String {
    let (value, unit) = match rate {
        rate if rate >= 1e6 => (rate / 1e6, " M"),
        rate if rate >= 1e3 => (rate / 1e3, " k"),
        rate => (rate, ""),
    };
    match value {
        value if value >= 100.0 => format!("{value:.0}{unit}"),
        value if value >= 10.0 => format!("{value:.1}{unit}"),
        value => format!("{value:.2}{unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_shown_with_three_digits() {
        assert_eq!([7.0, 7_249.0, 147_280.0, 1.97e6].map(short), ["7.00", "7.25 k", "147 k", "1.97 M"]);
    }
}

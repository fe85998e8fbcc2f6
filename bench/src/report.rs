//! The table that a run prints, or the same as JSON.

use crate::comparison::{Comparison, Side};
use crate::indexed::{Figure, Scale};
use crate::machine::Machine;
use crate::outcome::Outcome;
use crate::rows::{Goal, Title};
use crate::sample::SYNC_MICROSECONDS_MIN;
use serde::Serialize;

/// A line of the table, measured.
#[derive(Clone, Debug)]
pub struct Measured {
    /// What was measured.
    pub title: Title,
    /// How large the store was, where that is what is looked at.
    pub scale: Option<Scale>,
    /// What it came to.
    pub comparison: Comparison,
}

impl Measured {
    /// What the line is called.
    pub(crate) fn label(&self) -> String {
        self.scale.map_or_else(|| self.title.name.to_owned(), |scale| format!("{}, {}", self.title.name, scaled(scale)))
    }
}

/// All of a run, as Markdown.
#[must_use]
pub fn tables(machine: &Machine, rows: &[Measured], figures: &[Figure]) -> String {
    let lines = [head(machine)].into_iter().chain(rows.iter().map(line));
    let head = (!figures.is_empty()).then(|| format!("\n{FIGURES_HEAD}"));
    let lines = lines.chain(head).chain(figures.iter().map(figure_line));
    lines.map(|line| line + "\n").collect()
}

/// What stands above the lines of the table, as Markdown.
#[must_use]
pub fn head(machine: &Machine) -> String {
    format!("{}\n\n{COLUMNS}\n{RULE}", machine.line())
}

const COLUMNS: &str = "| row | yard-stick, events/s | gesta, events/s (slowest to fastest) | ratio | goal | expected now \
                       | p50 / p99 us, yard-stick | p50 / p99 us, gesta |";
const RULE: &str = "|---|---|---|---|---|---|---|---|";

/// One line of the table.
#[must_use]
pub fn line(measured: &Measured) -> String {
    let Measured { title, comparison, .. } = measured;
    let Comparison { yardstick, gesta } = comparison;
    let (slowest, fastest) = gesta.spread();
    let gesta_rate = match title.goal {
        Some(Goal::Seconds(_)) => format!("{} in {:.3} s", short(gesta.rate()), gesta.elapsed().as_secs_f64()),
        _ => format!("{} ({}-{})", short(gesta.rate()), short(slowest), short(fastest)),
    };
    let yardstick_rate = match title.goal {
        Some(Goal::Seconds(_)) => format!("{} in {:.3} s", short(yardstick.rate()), yardstick.elapsed().as_secs_f64()),
        _ => short(yardstick.rate()),
    };
    let judged = |goal: Option<Goal>| {
        goal.map_or_else(String::new, |goal| format!("{} {}", describe(goal), verdict(comparison.reaches(goal))))
    };
    format!(
        "| {} | {yardstick_rate} | {gesta_rate} | {:.2} | {} | {} | {} | {} |",
        measured.label(),
        comparison.ratio(),
        judged(title.goal),
        judged(title.expected),
        waits(yardstick),
        waits(gesta),
    )
}

const FIGURES_HEAD: &str = "| figure | yard-stick | gesta | goal |\n|---|---|---|---|";

/// One line of the table of figures.
fn figure_line(figure: &Figure) -> String {
    let Figure { unit, yardstick, gesta, gesta_max, .. } = figure;
    let goal = format!("<= {} {}", digits(*gesta_max), verdict(gesta <= gesta_max));
    format!("| {} | {} {unit} | {} {unit} | {goal} |", figure.label(), digits(*yardstick), digits(*gesta))
}

/// Whether a goal is met, as all tables say it.
pub(crate) fn verdict(is_met: bool) -> &'static str {
    if is_met { "met" } else { "**missed**" }
}

/// What the figures are.
#[must_use]
pub fn figure_legend(figures: &[Figure]) -> String {
    let mut lines: Vec<String> = Vec::new();
    for Figure { name, what, yardstick_is, .. } in figures {
        let line = format!("{name:16} {what}; yard-stick: {yardstick_is}\n");
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines.concat()
}

/// What must be said of a row beside its figures.
#[must_use]
pub fn warnings(measured: &Measured) -> Vec<String> {
    let Comparison { yardstick, gesta } = &measured.comparison;
    let sides = [("yard-stick", yardstick), ("gesta", gesta)];
    let short = sides.into_iter().filter(|(_, side)| side.latency.too_short_count() > 0);
    let warning = |(name, side): (&str, &Side)| {
        format!(
            "SUSPICIOUS: {}, {name}: {} of {} waits took less than {SYNC_MICROSECONDS_MIN} us: was that a sync?",
            measured.label(),
            side.latency.too_short_count(),
            side.latency.count()
        )
    };
    short.map(warning).collect()
}

/// What the rows do and what they are measured against.
#[must_use]
pub fn legend(titles: impl IntoIterator<Item = Title>) -> String {
    let line = |title: Title| format!("{:16} {}; yard-stick: {}\n", title.name, title.work, title.yardstick);
    titles.into_iter().map(line).collect()
}

/// The whole run as JSON.
pub fn json(machine: &Machine, measured: &[Measured], figures: &[Figure]) -> Outcome<String> {
    #[derive(Serialize)]
    struct Report<'a, R> {
        machine: &'a Machine,
        rows: R,
        #[serde(skip_serializing_if = "<[Figure]>::is_empty")]
        figures: &'a [Figure],
    }
    Ok(serde_json::to_string_pretty(&Report { machine, rows: json_rows(measured), figures })?)
}

/// Rows as JSON shows them.
pub(crate) fn json_rows(measured: &[Measured]) -> impl Serialize + use<> {
    #[derive(Serialize)]
    struct JsonRow {
        name: &'static str,
        #[serde(flatten)]
        scale: Option<Scale>,
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
    let rows = measured.iter().map(|measured @ Measured { title, scale, comparison }| JsonRow {
        name: title.name,
        scale: *scale,
        work: title.work,
        yardstick: title.yardstick,
        ratio: comparison.ratio(),
        is_goal_met: title.goal.map(|goal| comparison.reaches(goal)),
        is_expectation_met: title.expected.map(|goal| comparison.reaches(goal)),
        yardstick_side: side(&comparison.yardstick),
        gesta_side: side(&comparison.gesta),
        warnings: warnings(measured),
    });
    rows.collect::<Vec<_>>()
}

/// A goal in a few signs.
pub(crate) fn describe(goal: Goal) -> String {
    match goal {
        Goal::Ratio(ratio) => format!(">= {ratio}"),
        Goal::Rate(rate) => format!(">= {}/s", short(rate)),
        Goal::Seconds(seconds) => format!("<= {seconds} s"),
        Goal::Microseconds(microseconds) => format!("p99 <= {microseconds} us"),
        Goal::Times(times) => format!("p99 <= {times} x"),
    }
}

/// Half of the waits, and ninety-nine of a hundred, took no longer, in microseconds; empty when nobody waited.
pub(crate) fn waits(side: &Side) -> String {
    match (side.latency.microseconds_at(0.5), side.latency.microseconds_at(0.99)) {
        (Some(median), Some(high)) => format!("{} / {}", digits(median), digits(high)),
        _ => String::new(),
    }
}

/// A rate with three digits.
pub(crate) fn short(rate: f64) -> String {
    let (value, unit) = match rate {
        rate if rate >= 1e6 => (rate / 1e6, " M"),
        rate if rate >= 1e3 => (rate / 1e3, " k"),
        rate => (rate, ""),
    };
    format!("{}{unit}", digits(value))
}

/// A figure with three digits, or more where it is larger.
pub(crate) fn digits(value: f64) -> String {
    match value {
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}

/// The events of a scale, and the streams where they are many.
pub(crate) fn scaled(scale: Scale) -> String {
    let streams =
        if scale.stream_count > 1_000 { format!(" in {} streams", counted(scale.stream_count)) } else { String::new() };
    format!("{}{streams}", counted(scale.event_count))
}

/// A round count, without zeros that say nothing.
#[allow(clippy::cast_precision_loss, reason = "a count is shown with three digits")]
pub(crate) fn counted(count: u64) -> String {
    short(count as f64).replace(".00", "").replace(".0", "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_shown_with_three_digits() {
        assert_eq!([7.0, 7_249.0, 147_280.0, 1.97e6].map(short), ["7.00", "7.25 k", "147 k", "1.97 M"]);
    }

    #[test]
    fn a_scale_is_told_without_zeros_that_say_nothing() {
        let scale = |event_count, stream_count| scaled(Scale { event_count, stream_count });
        assert_eq!(scale(20_000, 1_000), "20 k");
        assert_eq!(scale(2_000_000, 1_000_000), "2 M in 1 M streams");
    }
}

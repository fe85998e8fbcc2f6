//! What the same operation costs while the store grows, in multiples of what it costs on the smallest store: what does not
//! grow is a flat line. Both axes are logarithmic.

use super::rows::OPEN;
use crate::machine::Machine;
use crate::outcome::Outcome;
use crate::report::{Measured, counted};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::path::Path;

/// The rows that are drawn, each in a colour of its own.
const ROWS: [(&str, RGBColor); 8] = [
    (OPEN.name, RGBColor(40, 40, 40)),
    ("check-hot", RGBColor(31, 119, 180)),
    ("check-new", RGBColor(23, 160, 173)),
    ("check-cold", RGBColor(44, 140, 60)),
    ("read-stream", RGBColor(160, 120, 20)),
    ("append-written", RGBColor(220, 120, 30)),
    ("append-durable", RGBColor(196, 50, 44)),
    ("append-if", RGBColor(130, 80, 170)),
];
/// What may stand beside the upper axis.
const MULTIPLES: [f64; 13] = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0];
const SIZE: (u32, u32) = (860, 480);
/// The corners of what is drawn: left, top, right and bottom.
const FRAME: (i32, i32, i32, i32) = (50, 76, 620, 440);
/// From one name at the right to the next.
const LINE: i32 = 16;

/// The costs of one row in stores of the same streams, by their events.
struct Growth {
    name: &'static str,
    colour: RGBColor,
    stream_count: u64,
    points: Vec<(u64, f64)>,
}

/// Draws what was measured on two sizes at least.
pub fn draw_growth(path: &Path, machine: &Machine, rows: &[Measured]) -> Outcome<()> {
    let all = growths(rows);
    let points = || all.iter().flat_map(|growth| growth.points.iter().copied());
    let least = points().map(|(event_count, _)| event_count).min().ok_or("a chart takes two sizes at least")?;
    let most = points().map(|(event_count, _)| event_count).max().unwrap_or(least);
    let costs = points().map(|(_, cost)| cost);
    let (cheapest, dearest) = costs.fold((0.5, 2.0), |(low, high): (f64, f64), cost| (low.min(cost), high.max(cost)));
    let low = MULTIPLES.into_iter().rfind(|multiple| *multiple <= cheapest).unwrap_or(cheapest);
    let high = MULTIPLES.into_iter().find(|multiple| *multiple >= dearest).unwrap_or(dearest);
    let (left, top, right, bottom) = FRAME;
    #[allow(clippy::cast_precision_loss, reason = "counts become places in a picture")]
    let x = |event_count: u64| along(event_count as f64, least as f64, most as f64, left, right);
    let y = |cost: f64| along(cost, low, high, bottom, top);

    let area = SVGBackend::new(path, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let font = |size: i32| ("sans-serif", size).into_font();
    area.draw(&Text::new("What an operation costs while the store grows", (10, 12), font(18)))?;
    let Machine { processor, date, commit, .. } = machine;
    area.draw(&Text::new(format!("{processor}; {date}; commit {commit}"), (10, 36), font(12)))?;
    area.draw(&Text::new("times its cost on the smallest store; flat is good", (10, 54), font(12)))?;
    let grey = RGBColor(215, 215, 215);
    for multiple in MULTIPLES.into_iter().filter(|multiple| (low..=high).contains(multiple)) {
        let at_right = font(12).color(&BLACK).pos(Pos::new(HPos::Right, VPos::Center));
        let width = if multiple == 1.0 { 2 } else { 1 };
        area.draw(&PathElement::new([(left, y(multiple)), (right, y(multiple))], grey.stroke_width(width)))?;
        area.draw(&Text::new(format!("{multiple}"), (left - 10, y(multiple)), at_right))?;
    }
    let mut event_counts: Vec<u64> = points().map(|(event_count, _)| event_count).collect();
    event_counts.sort_unstable();
    event_counts.dedup();
    for event_count in event_counts {
        let below = font(12).color(&BLACK).pos(Pos::new(HPos::Center, VPos::Top));
        let name = format!("{} events", counted(event_count));
        area.draw(&PathElement::new([(x(event_count), top), (x(event_count), bottom)], grey.stroke_width(1)))?;
        area.draw(&Text::new(name, (x(event_count), bottom + 8), below))?;
    }
    for growth in &all {
        let places: Vec<(i32, i32)> = growth.points.iter().map(|(count, cost)| (x(*count), y(*cost))).collect();
        growth.draw(&area, &places)?;
    }
    let mut ends: Vec<_> = all.iter().filter_map(|growth| Some((growth, y(growth.points.last()?.1)))).collect();
    ends.sort_by_key(|(_, end)| *end);
    // Names that would lie on one another move down; where there would be no room for those below them, up.
    let mut room = i32::try_from(ends.len())? * LINE;
    let mut free = top - LINE;
    for (growth, end) in ends {
        let at = end.max(free).min((bottom + LINE - room).max(free));
        (free, room) = (at + LINE, room - LINE);
        let style = font(13).color(&growth.colour).pos(Pos::new(HPos::Left, VPos::Center));
        area.draw(&PathElement::new([(right + 5, end), (right + 18, at)], growth.colour.stroke_width(1)))?;
        area.draw(&Text::new(growth.label(), (right + 22, at), style))?;
    }
    area.present()?;
    Ok(())
}

impl Growth {
    /// A line with a dot at each size; with many streams the dots are hollow.
    fn draw(&self, area: &DrawingArea<SVGBackend<'_>, Shift>, places: &[(i32, i32)]) -> Outcome<()> {
        area.draw(&PathElement::new(places, self.colour.stroke_width(2)))?;
        for place in places {
            let inside = if self.has_many_streams() { WHITE } else { self.colour };
            area.draw(&Circle::new(*place, 4, inside.filled()))?;
            area.draw(&Circle::new(*place, 4, self.colour.stroke_width(2)))?;
        }
        Ok(())
    }

    fn label(&self) -> String {
        match self.has_many_streams() {
            true => format!("{}, {} streams", self.name, counted(self.stream_count)),
            false => self.name.to_owned(),
        }
    }

    fn has_many_streams(&self) -> bool {
        self.stream_count > 1_000
    }
}

/// The rows that are drawn, each relative to itself on the smallest store.
fn growths(rows: &[Measured]) -> Vec<Growth> {
    let mut growths: Vec<Growth> = Vec::new();
    for (name, colour) in ROWS {
        let costs = rows.iter().filter(|row| row.title.name == name).filter_map(|row| Some((row.scale?, cost(row))));
        let mut costs: Vec<_> = costs.collect();
        costs.sort_by_key(|(scale, _)| (scale.stream_count, scale.event_count));
        let Some((_, base)) = costs.first().copied() else { continue };
        for (scale, cost) in costs {
            let point = (scale.event_count, cost / base);
            match growths.last_mut().filter(|last| (last.name, last.stream_count) == (name, scale.stream_count)) {
                Some(growth) => growth.points.push(point),
                None => growths.push(Growth { name, colour, stream_count: scale.stream_count, points: vec![point] }),
            }
        }
    }
    // One size shows no growth.
    growths.retain(|growth| growth.points.len() > 1);
    growths
}

/// What opening took, or an event of any other row.
fn cost(row: &Measured) -> f64 {
    match row.title.name == OPEN.name {
        true => row.comparison.gesta.elapsed().as_secs_f64(),
        false => 1.0 / row.comparison.gesta.rate(),
    }
}

/// Where a value lies between two places, by its logarithm.
#[allow(clippy::cast_possible_truncation, reason = "a place within the picture")]
fn along(value: f64, low: f64, high: f64, first: i32, last: i32) -> i32 {
    first + (f64::from(last - first) * (value / low).ln() / (high / low).ln()).round() as i32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::comparison::{Comparison, Side};
    use crate::indexed::{INDEXED_ROWS, Scale};
    use crate::sample::Sample;
    use std::time::Duration;

    fn measured(name: &str, event_count: u64, stream_count: u64, events: u64, milliseconds: u64) -> Measured {
        let titles = INDEXED_ROWS.iter().map(|row| row.title).chain([OPEN]);
        let sample = Sample::without_latency(events, Duration::from_millis(milliseconds));
        let side = Side::new(vec![sample]);
        Measured {
            title: titles.into_iter().find(|title| title.name == name).unwrap(),
            scale: Some(Scale { event_count, stream_count }),
            comparison: Comparison { yardstick: side.clone(), gesta: side },
        }
    }

    #[test]
    fn a_name_stands_at_the_end_of_every_line_and_within_the_picture() {
        let named = ROWS.iter().flat_map(|(name, _)| {
            let at =
                |event_count, stream_count, milliseconds| measured(name, event_count, stream_count, 100, milliseconds);
            [at(20_000, 1_000, 10), at(2_000_000, 1_000, 9), at(2_000_000, 1_000_000, 7), at(20_000_000, 1_000_000, 5)]
        });
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("growth.svg");
        draw_growth(&path, &Machine::here(directory.path()), &named.collect::<Vec<_>>()).unwrap();
        let svg = std::fs::read_to_string(path).unwrap();
        for (name, _) in ROWS {
            assert_eq!(svg.matches(&format!("\n{name}\n")).count(), 1, "{name}");
            assert_eq!(svg.matches(&format!("\n{name}, 1 M streams\n")).count(), 1, "{name}");
        }
        let places = svg.split(" y=\"").skip(1).filter_map(|rest| rest.split_once('"')?.0.parse::<u32>().ok());
        assert!(places.max().unwrap() < SIZE.1, "every text stands within the picture");
    }

    #[test]
    fn costs_are_told_in_multiples_of_those_on_the_smallest_store() {
        let rows = [
            measured("check-new", 20_000, 1_000, 100, 10),
            measured("check-new", 2_000_000, 1_000, 100, 20),
            measured("check-new", 2_000_000, 1_000_000, 100, 30),
            measured("check-new", 20_000_000, 1_000_000, 100, 40),
            measured("open", 20_000, 1_000, 20_000, 10),
            measured("open", 2_000_000, 1_000, 2_000_000, 30),
            measured("query-type", 20_000, 1_000, 1, 1),
            measured("append-if", 20_000, 1_000, 1, 1),
        ];
        let found: Vec<_> = growths(&rows).into_iter().map(|growth| (growth.label(), growth.points)).collect();
        let close = |points: &[(u64, f64)], expected: &[(u64, f64)]| {
            points.len() == expected.len()
                && points.iter().zip(expected).all(|(one, other)| one.0 == other.0 && (one.1 - other.1).abs() < 1e-9)
        };
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[0].0 == "open" && close(&found[0].1, &[(20_000, 1.0), (2_000_000, 3.0)]), "{found:?}");
        assert!(found[1].0 == "check-new" && close(&found[1].1, &[(20_000, 1.0), (2_000_000, 2.0)]), "{found:?}");
        assert!(found[2].0 == "check-new, 1 M streams", "{found:?}");
        assert!(close(&found[2].1, &[(2_000_000, 3.0), (20_000_000, 4.0)]), "{found:?}");
    }
}

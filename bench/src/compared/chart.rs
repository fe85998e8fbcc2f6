//! Charts of rates. The bars of a row are to scale among themselves, and each carries its figure.

use super::figures::Figures;
use super::peer::Program;
use crate::outcome::Outcome;
use crate::report::short;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::path::Path;

const WIDTH: u32 = 860;
const BAR: i32 = 18;
const TOP: i32 = 62;
const NAME_WIDTH: i32 = 130;
const FIGURE_WIDTH: i32 = 90;
const GESTA: RGBColor = RGBColor(196, 77, 44);
const YARDSTICK: RGBColor = RGBColor(150, 150, 150);
const OTHERS: RGBColor = RGBColor(84, 116, 150);

/// What stands above the bars.
pub(super) struct Head<'a> {
    pub(super) title: &'a str,
    /// Where and when it was measured.
    pub(super) below: &'a str,
}

/// Draws a group of bars for each row, a bar for each store that has it.
pub(super) fn bars(
    path: &Path,
    head: &Head<'_>,
    rows: &[&str],
    programs: &[Program],
    figures: &Figures,
) -> Outcome<()> {
    let groups = rows.iter().map(|row| (*row, rates(row, programs, figures)));
    let groups: Vec<_> = groups.filter(|(_, rates)| !rates.is_empty()).collect();
    let lines = groups.iter().map(|(_, rates)| rates.len() + 2).sum::<usize>();
    let height = u32::try_from(TOP)? + u32::try_from(lines)? * u32::try_from(BAR)?;
    let area = SVGBackend::new(path, (WIDTH, height)).into_drawing_area();
    area.fill(&WHITE)?;
    let font = |size: i32| ("sans-serif", size).into_font();
    area.draw(&Text::new(head.title, (10, 12), font(18)))?;
    area.draw(&Text::new(head.below, (10, 36), font(12)))?;
    let room = f64::from(i32::try_from(WIDTH)? - NAME_WIDTH - FIGURE_WIDTH);
    let mut top = TOP;
    for (row, rates) in groups {
        if rows.len() > 1 {
            area.draw(&Text::new(row, (10, top), font(14)))?;
            top += BAR;
        }
        let most = rates.first().map_or(1.0, |(_, rate)| *rate);
        for (name, rate) in rates {
            #[allow(clippy::cast_possible_truncation, reason = "a length within the picture")]
            let right = NAME_WIDTH + ((room * rate / most) as i32).max(1);
            let colour = match name {
                "gesta" | "gesta-server" => GESTA,
                "plain" => YARDSTICK,
                _ => OTHERS,
            };
            let at_right = font(13).color(&BLACK).pos(Pos::new(HPos::Right, VPos::Top));
            area.draw(&Text::new(name, (NAME_WIDTH - 6, top), at_right))?;
            area.draw(&Rectangle::new([(NAME_WIDTH, top), (right, top + BAR - 4)], colour.filled()))?;
            area.draw(&Text::new(short(rate), (right + 5, top), font(13)))?;
            top += BAR;
        }
        top += BAR;
    }
    area.present()?;
    Ok(())
}

/// The stores that have the row, the fastest first.
fn rates(row: &str, programs: &[Program], figures: &Figures) -> Vec<(&'static str, f64)> {
    let measured = programs.iter().filter_map(|program| {
        let name = program.peer.name;
        Some((name, figures.median(name, row)?.rate()))
    });
    let mut rates: Vec<_> = measured.collect();
    rates.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    rates
}

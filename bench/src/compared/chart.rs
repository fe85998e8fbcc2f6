//! Charts of rates, on a scale of tens: what is twice as long is not twice as fast, so each bar carries its figure.

use super::figures::Figures;
use super::peer::Program;
use crate::outcome::Outcome;
use crate::report::short;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::path::Path;

const WIDTH: u32 = 860;
const BAR: i32 = 16;
const NAME_WIDTH: i32 = 110;
const FIGURE_WIDTH: i32 = 80;
const GESTA: RGBColor = RGBColor(196, 77, 44);
const YARDSTICK: RGBColor = RGBColor(150, 150, 150);
const OTHERS: RGBColor = RGBColor(84, 116, 150);

/// Draws a group of bars for each row, a bar for each store.
pub(super) fn bars(
    path: &Path,
    title: &str,
    rows: &[&'static str],
    programs: &[Program],
    figures: &Figures,
) -> Outcome<()> {
    let rates: Vec<_> = rows.iter().map(|row| (*row, rates(row, programs, figures))).collect();
    let all = || rates.iter().flat_map(|(_, rates)| rates.iter().map(|(_, rate)| *rate));
    let (least, most) = (all().fold(f64::MAX, f64::min) / 2.0, all().fold(1.0, f64::max));
    let lines = rates.iter().map(|(_, rates)| rates.len() + 2).sum::<usize>();
    let height = 40 + u32::try_from(lines)? * u32::try_from(BAR)?;
    let area = SVGBackend::new(path, (WIDTH, height)).into_drawing_area();
    area.fill(&WHITE)?;
    let font = |size: i32| ("sans-serif", size).into_font();
    area.draw(&Text::new(title, (10, 10), font(16)))?;
    let room = f64::from(i32::try_from(WIDTH)? - NAME_WIDTH - FIGURE_WIDTH);
    let mut top = 40;
    for (row, rates) in rates {
        area.draw(&Text::new(row, (10, top), font(13)))?;
        top += BAR;
        for (name, rate) in rates {
            let share = (rate / least).log10() / (most / least).log10();
            #[allow(clippy::cast_possible_truncation, reason = "a length within the picture")]
            let right = NAME_WIDTH + (room * share) as i32;
            let colour = match name {
                "gesta" => GESTA,
                "plain" => YARDSTICK,
                _ => OTHERS,
            };
            let at_right = font(12).color(&BLACK).pos(Pos::new(HPos::Right, VPos::Top));
            area.draw(&Text::new(name, (NAME_WIDTH - 6, top), at_right))?;
            area.draw(&Rectangle::new([(NAME_WIDTH, top + 1), (right, top + BAR - 3)], colour.filled()))?;
            area.draw(&Text::new(short(rate), (right + 5, top), font(12)))?;
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

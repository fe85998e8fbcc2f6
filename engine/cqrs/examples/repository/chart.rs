//! A chart of the churn, month by month.

use super::outcome::Outcome;
use plotters::prelude::*;
use std::path::Path;

const PIXELS: (u32, u32) = (1200, 480);
const LINE: RGBColor = RGBColor(31, 119, 180);

/// Draws changed lines by month, a point each, as SVG.
pub(crate) fn draw(file: &Path, months: &[(String, i64)]) -> Outcome<()> {
    let area = SVGBackend::new(file, PIXELS).into_drawing_area();
    area.fill(&WHITE)?;
    let highest = months.iter().map(|(_, lines)| *lines).max().unwrap_or(0).max(1);
    let mut chart = ChartBuilder::on(&area)
        .caption("lines added and removed, by month", ("sans-serif", 20))
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(72)
        .build_cartesian_2d(0..months.len(), 0..highest)?;
    let name = |ordinal: &usize| months.get(*ordinal).map_or_else(String::new, |(month, _)| month.clone());
    chart.configure_mesh().disable_x_mesh().x_labels(12).x_label_formatter(&name).draw()?;
    let points = months.iter().enumerate().map(|(ordinal, (_, lines))| (ordinal, *lines));
    chart.draw_series([PathElement::new(points.clone().collect::<Vec<_>>(), LINE)])?;
    chart.draw_series(points.map(|point| Circle::new(point, 3, LINE.filled())))?;
    area.present()?;
    Ok(())
}

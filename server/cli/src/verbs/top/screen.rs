//! Figures as characters: what stands where, and what is red.
//!
//! Pure: the same view gives the same cells. Everything has its place in 80 columns and 24 rows; a taller screen shows more
//! stores and followers. What strangers have named is escaped.

use super::figures::{Figures, Plane, Store};
use super::numbers::{age, bytes, interval, short, time};
use gesta_server::observe::Shown;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Style, Stylize};
use ratatui::text::{Line, Text};
use ratatui::widgets::{Cell, Row, Table, Widget};
use std::time::Duration;

/// One drawing of the screen.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'a> {
    /// The server, for people.
    pub(super) server: &'a str,
    pub(super) every: Duration,
    pub(super) figures: &'a Figures,
    /// Why the figures are not of now.
    pub(super) problem: Option<&'a str>,
}

/// Rows that followers keep when there are many stores: a blank one, a title and three.
const FOLLOWERS_ROWS_MIN: u16 = 5;

impl Widget for View<'_> {
    fn render(self, area: Rect, buffer: &mut Buffer) {
        let Figures { planes, stores, .. } = self.figures;
        let warnings = warnings(stores);
        let store_rows = rows(stores.len() + 1);
        let warning_rows = rows(warnings.len()).min(area.height / 4);
        let [head, trouble, _, plane_table, refused, _, store_table, warned, _, followers] = Layout::vertical([
            Constraint::Length(1),
            Constraint::Length(1),
            Constraint::Length(1),
            Constraint::Length(3),
            Constraint::Length(1),
            Constraint::Length(1),
            Constraint::Max(store_rows),
            Constraint::Length(warning_rows),
            Constraint::Length(1),
            Constraint::Min(FOLLOWERS_ROWS_MIN - 1),
        ])
        .areas(area);
        self.head().render(head, buffer);
        self.trouble().render(trouble, buffer);
        plane_rows(&[("append", &planes.append), ("read", &planes.read)]).render(plane_table, buffer);
        refusals(&[("append", &planes.append), ("read", &planes.read)]).render(refused, buffer);
        stores_that_fit(stores, store_table).render(store_table, buffer);
        Text::from(warnings).red().render(warned, buffer);
        follower_rows(stores).render(followers, buffer);
    }
}

impl View<'_> {
    fn head(&self) -> Line<'_> {
        let (up, every) = (age(self.figures.uptime_seconds), interval(self.every));
        Line::from(format!("gesta top  {}  up {up}  every {every}  q: quit", self.server)).bold()
    }

    fn trouble(&self) -> Line<'_> {
        let Figures { last_error_age_seconds, reload_failures, .. } = self.figures;
        if let Some(problem) = self.problem {
            return Line::from(Shown(problem).to_string()).red();
        }
        let mut parts = Vec::new();
        parts.extend(last_error_age_seconds.map(|seconds| format!("last error {} ago", age(seconds))));
        parts.extend((*reload_failures > 0).then(|| format!("reloads that failed: {reload_failures}")));
        Line::from(parts.join("  ")).yellow()
    }
}

fn plane_rows<'a>(planes: &[(&'a str, &Plane); 2]) -> Table<'a> {
    let titles = ["plane", "open", "busy", "req/s", "in ev/s", "out ev/s", "in/s", "out/s", "refused/s"];
    let row = |(name, plane): &(&'a str, &Plane)| {
        let cells = [
            count(plane.connections_open),
            count(plane.requests_in_flight),
            rate(plane.requests_per_second),
            rate(plane.received_events_per_second),
            rate(plane.sent_events_per_second),
            plane.received_bytes_per_second.map_or_else(absent, bytes),
            plane.sent_bytes_per_second.map_or_else(absent, bytes),
            rate(plane.refusals_per_second),
        ];
        table_row((*name).to_owned(), cells)
    };
    table(titles, [7, 6, 6, 7, 8, 8, 9, 9, 9], planes.iter().map(row).collect())
}

/// All refusals since the start, of which there is no more than a dozen kinds.
fn refusals<'a>(planes: &[(&str, &Plane); 2]) -> Line<'a> {
    let of_plane = |(name, plane): &(&str, &Plane)| -> Vec<String> {
        plane.refusals.iter().map(|(why, n)| format!("{name} {} {}", Shown(why), count(*n))).collect()
    };
    let all: Vec<String> = planes.iter().flat_map(of_plane).collect();
    match all.is_empty() {
        true => Line::from("refused since the start: nothing").dim(),
        false => Line::from(format!("refused since the start: {}", all.join(", "))).yellow(),
    }
}

/// The stores for which there is room, and how many more there are.
fn stores_that_fit<'a>(stores: &[Store], area: Rect) -> Table<'a> {
    let titles = ["store", "events", "in/s", "t_c p50", "p99", "t_q p50", "p99", "disk", "subs", "lag"];
    let room = usize::from(area.height.saturating_sub(1));
    let shown = if stores.len() > room { room.saturating_sub(1) } else { stores.len() };
    let mut rows: Vec<Row<'a>> = stores[..shown].iter().map(store_row).collect();
    if shown < stores.len() {
        rows.push(Row::new([Cell::from(format!("{} more", stores.len() - shown))]).dim());
    }
    table(titles, [14, 6, 6, 7, 6, 7, 6, 8, 5, 6], rows)
}

fn store_row<'a>(store: &Store) -> Row<'a> {
    let cells = [
        store.events.map_or_else(absent, count),
        rate(store.committed_events_per_second),
        time(store.command_us.p50),
        time(store.command_us.p99),
        time(store.query_us.p50),
        time(store.query_us.p99),
        store.bytes.map_or_else(absent, |count| bytes(float(count))),
        count(store.subscribers),
        count(store.lag_max),
    ];
    let row = table_row(Shown(&store.store).to_string(), cells);
    if store.failure.is_some() { row.red() } else { row }
}

/// What is wrong with which store.
fn warnings(stores: &[Store]) -> Vec<Line<'static>> {
    let mut warnings = Vec::new();
    for store in stores {
        let name = Shown(&store.store);
        if let Some(failure) = &store.failure {
            warnings.push(Line::from(format!("{name} takes no appends: {}", Shown(failure))));
        }
        if let Some(microseconds) = store.commit_under_way_us.filter(|us| *us >= SYNC_TELLING_US) {
            warnings.push(Line::from(format!(
                "{name}: a write or sync has been under way for {}",
                time(Some(microseconds))
            )));
        }
    }
    warnings
}

/// A write or sync is told of when it has been under way for a second.
const SYNC_TELLING_US: u64 = 1_000_000;

/// Who is furthest behind, of all stores.
fn follower_rows<'a>(stores: &[Store]) -> Table<'a> {
    let mut all: Vec<_> = stores
        .iter()
        .flat_map(|store| store.furthest_behind.iter().map(move |follower| (follower, store.store.as_str())))
        .collect();
    all.sort_by_key(|(follower, store)| (std::cmp::Reverse(follower.lag), *store));
    let row = |(follower, store): &(&super::figures::Follower, &str)| {
        Row::new([
            Cell::from(Text::from(count(follower.lag)).right_aligned()),
            Cell::from(Shown(store).to_string()),
            Cell::from(Shown(&follower.name).to_string()),
        ])
    };
    let rows: Vec<Row<'a>> = all.iter().map(row).collect();
    let title = Row::new(if rows.is_empty() { vec![] } else { vec!["   lag", "store", "subscriber"] }).style(title());
    Table::new(rows, [Constraint::Length(6), Constraint::Length(14), Constraint::Fill(1)]).header(title)
}

/// A table whose first column is of names and grows, and whose others are numbers.
fn table<'a, const N: usize>(titles: [&'a str; N], widths: [u16; N], rows: Vec<Row<'a>>) -> Table<'a> {
    let cells = titles.iter().enumerate().map(|(column, title)| {
        let text = Text::from(*title);
        Cell::from(if column == 0 { text } else { text.right_aligned() })
    });
    let constraint = |(column, width): (usize, u16)| match column {
        0 => Constraint::Min(width),
        _ => Constraint::Length(width),
    };
    Table::new(rows, widths.into_iter().enumerate().map(constraint)).header(Row::new(cells).style(title()))
}

fn table_row<'a>(name: String, numbers: impl IntoIterator<Item = String>) -> Row<'a> {
    let numbers = numbers.into_iter().map(|number| Cell::from(Text::from(number).right_aligned()));
    Row::new([Cell::from(name)].into_iter().chain(numbers))
}

fn title() -> Style {
    Style::new().bold().underlined()
}

fn rate(rate: Option<f64>) -> String {
    rate.map_or_else(absent, short)
}

fn absent() -> String {
    "-".to_owned()
}

fn count(count: u64) -> String {
    short(float(count))
}

#[allow(clippy::cast_precision_loss, reason = "three digits are shown")]
fn float(count: u64) -> f64 {
    count as f64
}

fn rows(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}

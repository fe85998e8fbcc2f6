//! One size after another, each in a store of its own.

use super::figures::{self, Figure};
use super::history::{History, Scale};
use super::rows::{INDEXED_ROWS, OPEN};
use super::subject::Subject;
use crate::comparison::Comparison;
use crate::outcome::Outcome;
use crate::report::Measured;
use crate::rows::Title;
use crate::workload::{Opened, OpenedAfterKill, Settings, fill_with};
use std::path::Path;

/// How far a run goes.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// The small sizes only.
    pub is_quick: bool,
    /// The largest size as well.
    pub is_full: bool,
    /// A million streams as well.
    pub has_many_streams: bool,
}

impl Extent {
    /// The sizes of the run, smallest first.
    #[must_use]
    pub fn scales(self) -> Vec<Scale> {
        let event_counts: &[u64] = match self {
            Self { is_quick: true, .. } => &[20_000, 200_000],
            Self { is_full: false, .. } => &[20_000, 200_000, 2_000_000],
            Self { is_full: true, .. } => &[20_000, 200_000, 2_000_000, 20_000_000],
        };
        let stream_counts: &[u64] = if self.has_many_streams { &[1_000, 1_000_000] } else { &[1_000] };
        let of = |stream_count: u64| {
            let scales = event_counts.iter().map(move |event_count| Scale { event_count: *event_count, stream_count });
            scales.filter(|scale| scale.event_count >= scale.stream_count)
        };
        stream_counts.iter().copied().flat_map(of).collect()
    }
}

/// What a run came to.
#[derive(Clone, Debug, Default)]
pub struct Measurements {
    /// The rows, by size.
    pub rows: Vec<Measured>,
    /// The figures, by size.
    pub figures: Vec<Figure>,
}

impl Measurements {
    /// Measures the rows and figures with these names, or all, on a store of a size.
    pub fn measure(&mut self, scale: Scale, settings: &Settings, names: &[String]) -> Outcome<()> {
        let is_chosen = |name: &str| names.is_empty() || names.iter().any(|chosen| chosen == name);
        let history = History::new(scale)?;
        if is_chosen(figures::OVERHEAD) {
            self.figures.push(figures::overhead(&history, settings)?);
        }
        let filler = vec!["--stream-count".to_owned(), scale.stream_count.to_string()];
        let mut killed = OpenedAfterKill::filled_by(settings, Opened::Store, scale.event_count, filler)?;
        if is_chosen(OPEN.name) {
            let comparison = Comparison::of(&mut killed, settings.round_count)?;
            self.rows.push(Measured { title: OPEN, scale: Some(scale), comparison });
        }
        if is_chosen(figures::MEMORY) {
            self.figures.push(figures::memory(killed.path(), scale)?);
        }
        let subject = Subject::open(killed.into_place(), history, settings.clone())?;
        for row in INDEXED_ROWS.iter().filter(|row| is_chosen(row.title.name)) {
            let comparison = Comparison::measure(row, &subject, settings.round_count)?;
            self.rows.push(Measured { title: row.title, scale: Some(scale), comparison });
        }
        subject.end()
    }

    /// Brings the sizes of each row together.
    pub fn sort(&mut self) {
        let names: Vec<&str> = Self::names().collect();
        let place = |name: &str| names.iter().position(|known| *known == name);
        self.rows.sort_by_key(|row| place(row.title.name));
        self.figures.sort_by_key(|figure| place(figure.name));
    }

    /// What the rows are called.
    pub fn titles() -> impl Iterator<Item = Title> {
        [OPEN].into_iter().chain(INDEXED_ROWS.iter().map(|row| row.title))
    }

    /// The names of all rows and figures.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::titles().map(|title| title.name).chain([figures::MEMORY, figures::OVERHEAD])
    }
}

/// What the filling process does: appends the history of a scale, and goes on until it is killed.
pub fn fill_until_killed(directory: &Path, event_count: u64, stream_count: u64) -> Outcome<()> {
    // A store that is filled already gets events that nothing looks for.
    let is_filled = event_count == 0;
    let history = History::new(Scale { event_count: event_count.max(20_000), stream_count })?;
    let beyond = if is_filled { history.scale().event_count } else { 0 };
    fill_with(directory, event_count, |positions| positions.map(|position| history.event(beyond + position)).collect())
}

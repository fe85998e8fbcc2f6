//! What all workloads of a run share.

use crate::outcome::Outcome;
use crate::place::Place;
use gesta::{Options, Store};
use std::path::PathBuf;
use std::time::Duration;

/// Where, how long and how much.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Below it every round makes its own directory.
    pub directory: PathBuf,
    /// How long a round appends.
    pub round: Duration,
    /// How many rounds each side has.
    pub round_count: usize,
    /// Events of the log that is replayed.
    pub replay_event_count: u64,
    /// Events of the backlog that is projected.
    pub projected_event_count: u32,
    /// Events of the store that a projection is rebuilt from.
    pub rebuilt_event_count: u32,
    /// Events that all streams of commands have together at least: many short streams, none of which grows much meanwhile.
    pub commanded_event_count: u32,
    /// Events of the logs that are opened: a small one and a large one.
    pub opened_event_counts: [u64; 2],
}

impl Settings {
    /// A run whose figures may be quoted, or a quick one that only shows that all is well.
    #[must_use]
    pub fn new(directory: PathBuf, is_quick: bool) -> Self {
        let (round, round_count) = if is_quick { (500, 1) } else { (2_000, 3) };
        Self {
            directory,
            round: Duration::from_millis(round),
            round_count,
            replay_event_count: if is_quick { 200_000 } else { 1_000_000 },
            projected_event_count: if is_quick { 20_000 } else { 200_000 },
            rebuilt_event_count: if is_quick { 40_000 } else { 2_000_000 },
            commanded_event_count: if is_quick { 200_000 } else { 1_000_000 },
            opened_event_counts: if is_quick { [20_000, 200_000] } else { [200_000, 2_000_000] },
        }
    }

    /// A store with the options that users get, in a directory of its own.
    pub(crate) fn new_store(&self) -> Outcome<(Place, Store)> {
        let place = Place::new(&self.directory)?;
        let store = Store::open(place.path(), Options::default())?;
        Ok((place, store))
    }
}

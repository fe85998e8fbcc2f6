//! Figures that are no rates: memory after opening, and bytes on disk.

use super::history::{History, Scale};
use crate::outcome::Outcome;
use crate::report::scaled;
use crate::workload::Settings;
use crate::yardstick::log_files;
use gesta::{AppendRequest, Durability, Options, Read, Reader, Store};
use serde::Serialize;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

/// One figure of a store, beside what it is held against.
#[derive(Clone, Debug, Serialize)]
pub struct Figure {
    /// What it is called on the command line.
    pub name: &'static str,
    /// How large the store is.
    #[serde(flatten)]
    pub scale: Scale,
    /// What it counts.
    pub what: &'static str,
    /// In which unit.
    pub unit: &'static str,
    /// What it is held against.
    pub yardstick_is: &'static str,
    /// How much that is.
    pub yardstick: f64,
    /// How much it is for gesta.
    pub gesta: f64,
    /// How much it should be at most.
    pub gesta_max: f64,
}

impl Figure {
    /// What the line is called.
    pub(crate) fn label(&self) -> String {
        format!("{}, {}", self.name, scaled(self.scale))
    }
}

/// The names of the figures.
pub(super) const MEMORY: &str = "memory";
pub(super) const OVERHEAD: &str = "overhead";

/// The anonymous memory of a process of its own that opens a store, before and after. Nearly all of it is the index of the
/// tail segment, which grows with that segment and is begun anew with the next; the options say how far.
#[allow(clippy::cast_precision_loss, reason = "a figure is shown with three digits")]
pub(super) fn memory(directory: &Path, scale: Scale) -> Outcome<Figure> {
    let output = Command::new(env::current_exe()?).arg("--tell-memory").arg(directory).output()?;
    let text = String::from_utf8(output.stdout)?;
    let bytes: Vec<u64> = text.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    let [before, after] = bytes[..] else {
        return Err(format!("the opening process ended early: {}", String::from_utf8_lossy(&output.stderr)).into());
    };
    Ok(Figure {
        name: MEMORY,
        scale,
        what: "anonymous memory of a process after it has opened a store that was killed",
        unit: "MB",
        yardstick_is: "the same process before",
        yardstick: before as f64 / 1e6,
        gesta: after as f64 / 1e6,
        gesta_max: Options::default().index_bytes_max as f64 / 1e6,
    })
}

/// What the opening process does: opens a store and prints its anonymous bytes before and after.
pub fn tell_memory(directory: &Path) -> Outcome<()> {
    let before = anonymous_bytes()?;
    let store = Store::open(directory, Options::default())?;
    let after = anonymous_bytes()?;
    println!("{before} {after}");
    Ok(store.close()?)
}

fn anonymous_bytes() -> Outcome<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).ok_or("the system tells no RssAnon")?;
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kibibytes * 1024)
}

/// The bytes of each event on disk beyond its data, metadata and names, at 100 events a commit.
///
/// The index files are those of the sealed segments, and are shared out among the events there.
#[allow(clippy::cast_precision_loss, reason = "a figure is shown with three digits")]
pub(super) fn overhead(history: &History, settings: &Settings) -> Outcome<Figure> {
    const EVENTS_EACH: usize = 100;
    let scale = history.scale();
    let (place, store) = settings.new_store()?;
    for start in (0..scale.event_count).step_by(EVENTS_EACH) {
        let events = (start..start + EVENTS_EACH as u64).map(|position| history.event(position));
        store.append(AppendRequest::new().events(events).durability(Durability::Written))?;
    }
    store.sync()?;
    store.rebuild_index(&mut |_, _| {})?;
    store.close()?;

    let reader = Reader::open(place.path())?;
    let mut own_bytes = 0;
    let mut cursor = reader.read(Read::all());
    while let Some(record) = cursor.next_record() {
        let record = record?;
        let names = record.stream().map_or(0, str::len) + record.event_type().len();
        let tags: usize = record.tags().map(str::len).sum();
        own_bytes += (names + tags + record.metadata().bytes().len() + record.data().bytes().len()) as u64;
    }
    let files = log_files(place.path(), scale.event_count)?;
    let log_bytes: u64 = files.iter().map(|file| file.written_bytes).sum();
    let sealed_bytes = log_bytes - files.last().map_or(0, |tail| tail.written_bytes);
    let sealed_event_count = scale.event_count as f64 * sealed_bytes as f64 / log_bytes as f64;
    let index_bytes = reader.statistics()?.index_bytes as f64;
    let log_overhead = (log_bytes - own_bytes) as f64 / scale.event_count as f64;
    let index_overhead = if index_bytes > 0.0 { index_bytes / sealed_event_count } else { 0.0 };
    drop((cursor, reader));
    place.remove()?;
    Ok(Figure {
        name: OVERHEAD,
        scale,
        what: "bytes on disk an event beyond its data, metadata and names, at 100 a commit, log and index",
        unit: "B",
        yardstick_is: "the log alone",
        yardstick: log_overhead,
        gesta: log_overhead + index_overhead,
        gesta_max: 100.0,
    })
}

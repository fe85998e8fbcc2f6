//! Opening a store whose process was killed while it appended.

use super::{Settings, Workload};
use crate::events::Events;
use crate::outcome::Outcome;
use crate::place::Place;
use crate::sample::Sample;
use crate::yardstick::{hash_by_pread, log_files};
use gesta::{AppendRequest, Durability, Event, Options, Position, Reader, Store};
use std::env;
use std::io::{BufRead, BufReader, Write};
use std::ops::Range;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// What is timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opened {
    /// Opening for writing, recovery included.
    Store,
    /// Opening for reading, beside whatever is there.
    Reader,
}

/// The time until a store that was killed can be used.
#[derive(Debug)]
pub struct OpenedAfterKill {
    place: Place,
    opened: Opened,
    event_count: u64,
    filler: Vec<String>,
}

impl OpenedAfterKill {
    /// Has another process fill a store, and kills it while it appends.
    pub fn new(settings: &Settings, opened: Opened, event_count: u64) -> Outcome<Self> {
        Self::filled_by(settings, opened, event_count, Vec::new())
    }

    /// The same, where this program fills a store in a way of its own when it is called with these arguments as well.
    pub fn filled_by(settings: &Settings, opened: Opened, event_count: u64, filler: Vec<String>) -> Outcome<Self> {
        let place = Place::new(&settings.directory)?;
        fill_and_kill(place.path(), event_count, &filler)?;
        Ok(Self { place, opened, event_count, filler })
    }

    /// Where the store is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.place.path()
    }

    /// The directory of the store.
    #[must_use]
    pub fn into_place(self) -> Place {
        self.place
    }

    /// How many events the store has, without changing it.
    fn head(&self) -> Outcome<Position> {
        let head = Reader::open(self.place.path())?.head();
        assert!(head.0 >= self.event_count, "what was acknowledged before the kill is there");
        Ok(head)
    }
}

impl Workload for OpenedAfterKill {
    fn yardstick(&mut self) -> Outcome<Sample> {
        let event_count = self.head()?.0;
        let files = log_files(self.place.path(), event_count)?;
        let start = Instant::now();
        hash_by_pread(&files)?;
        Ok(Sample::without_latency(event_count, start.elapsed()))
    }

    fn gesta(&mut self) -> Outcome<Sample> {
        let before = self.head()?;
        let start = Instant::now();
        if self.opened == Opened::Reader {
            let reader = Reader::open(self.place.path())?;
            let elapsed = start.elapsed();
            return Ok(Sample::without_latency(reader.head().0, elapsed));
        }
        let store = Store::open(self.place.path(), Options::default())?;
        let elapsed = start.elapsed();
        let head = store.reader().head();
        assert!(!store.recovery().closed_cleanly && head >= before, "a killed store was recovered");
        store.close()?;
        fill_and_kill(self.place.path(), 0, &self.filler)?;
        Ok(Sample::without_latency(head.0, elapsed))
    }
}

/// The word of the filling process that as many events as asked for are durable.
const FILLED: &str = "filled";

/// Starts this program again to append `event_count` events, and kills it while it goes on appending.
fn fill_and_kill(directory: &Path, event_count: u64, filler: &[String]) -> Outcome<()> {
    let mut child = Command::new(env::current_exe()?)
        .arg("--fill")
        .arg(directory)
        .args(["--fill-count", &event_count.to_string()])
        .args(filler)
        .stdout(Stdio::piped())
        .spawn()?;
    let mut line = String::new();
    let read = child.stdout.take().map(|output| BufReader::new(output).read_line(&mut line));
    thread::sleep(Duration::from_millis(100));
    // SIGKILL: the process gets no chance to write or sync anything more.
    child.kill()?;
    child.wait()?;
    read.transpose()?;
    if line.trim() == FILLED { Ok(()) } else { Err("the filling process ended early".into()) }
}

/// What the filling process does: appends so many events of the usual kind, and goes on until it is killed.
pub fn fill_until_killed(directory: &Path, event_count: u64) -> Outcome<()> {
    let mut events = Events::starting_at(0)?;
    fill_with(directory, event_count, |positions| {
        let event_count = positions.end - positions.start;
        (0..event_count).map(|_| events.event()).collect()
    })
}

/// Appends so many events, 100 a request, says so, and goes on one durable event at a time until it is killed. After a
/// minute it gives up, in case nobody is left to kill it. `make` makes the events of a range.
pub fn fill_with(directory: &Path, event_count: u64, mut make: impl FnMut(Range<u64>) -> Vec<Event>) -> Outcome<()> {
    const EVENTS_EACH: usize = 100;
    let store = Store::open(directory, Options::default())?;
    for start in (0..event_count).step_by(EVENTS_EACH) {
        let events = make(start..event_count.min(start + EVENTS_EACH as u64));
        store.append(AppendRequest::new().events(events).durability(Durability::Buffered))?;
    }
    store.sync()?;
    println!("{FILLED}");
    std::io::stdout().flush()?;
    let start = Instant::now();
    let mut next = event_count;
    while start.elapsed() < Duration::from_secs(60) {
        store.append(AppendRequest::new().events(make(next..next + 1)))?;
        next += 1;
    }
    Err("nobody killed the filling process".into())
}

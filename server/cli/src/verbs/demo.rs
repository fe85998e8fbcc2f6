//! `gesta demo`: the history of a repository into a temporary store and back, and the result compared with git.
//!
//! The proof is not ours to fake: the events are folded into a tree, and git itself lists the tree that it must be.

use super::import_git::add_history;
use super::sample;
use crate::context::Context;
use crate::failure::{Failure, Status, remark};
use crate::git::{Fold, Repository, Tree, read_tree};
use crate::intake::Loader;
use crate::json::read_event;
use crate::output::Output;
use gesta::{EventStore, Options, Read, Reader, Store};
use indicatif::{HumanBytes, HumanCount};
use serde::Serialize;
use std::path::Path;
use std::time::{Duration, Instant};

/// What is to be stored, and what must come out.
enum Origin {
    Repository { repository: Repository, head: String },
    Sample,
}

/// What came of it, in the order of its JSON form.
#[derive(Serialize)]
struct Demonstration {
    source: String,
    events: u64,
    streams: u64,
    events_per_second_in: u64,
    events_per_second_out: u64,
    store_bytes: u64,
    reserved_bytes: u64,
    matching: usize,
    files: usize,
}

/// Shows that what goes in comes out.
pub(crate) fn run(context: &Context) -> Result<Status, Failure> {
    let origin = Origin::find(context.is_json)?;
    let directory = tempfile::Builder::new().prefix("gesta-demo-").tempdir().map_err(|error| {
        Failure::new(Status::Refused, "temporary", format!("cannot make a temporary directory: {error}: set TMPDIR"))
    })?;
    let store = Store::open(directory.path().join("store"), Options::default())?;
    let (event_count, time_in) = origin.import(&store)?;
    let reader = store.reader();
    let (fold, time_out) = replay(&reader)?;
    let statistics = reader.statistics()?;
    let (matching, files) = fold.compare(&origin.tree()?);
    store.close()?;
    let demonstration = Demonstration {
        source: origin.name(),
        events: event_count,
        streams: statistics.streams,
        events_per_second_in: per_second(event_count, time_in),
        events_per_second_out: per_second(event_count, time_out),
        store_bytes: statistics.log_bytes,
        reserved_bytes: statistics.reserved_bytes,
        matching,
        files,
    };
    let mut output = Output::lock();
    if context.is_json {
        output.json(&demonstration)?
    } else {
        demonstration.print(&mut output)?
    }
    output.flush()?;
    let is_proven = matching == files && statistics.events == event_count;
    Ok(if is_proven { Status::Done } else { Status::Damage })
}

impl Origin {
    fn find(is_json: bool) -> Result<Self, Failure> {
        let why = match Repository::find(Path::new(".")) {
            Ok(Ok(repository)) => match repository.head()? {
                Some(head) => return Ok(Self::Repository { repository, head }),
                None => "this repository has no commits yet".to_owned(),
            },
            Ok(Err(what)) => what,
            Err(Failure::Told { message, .. }) => message,
            Err(failure) => return Err(failure),
        };
        remark(is_json, &format!("{why}: using the sample that comes with gesta"));
        Ok(Self::Sample)
    }

    fn name(&self) -> String {
        match self {
            Self::Repository { head, .. } => format!("the git history of this repository up to {head}"),
            Self::Sample => "the bundled sample: some files of openraft's public git history".to_owned(),
        }
    }

    /// Stores every event, durably; tells how many, and how long it took.
    fn import(&self, store: &Store) -> Result<(u64, Duration), Failure> {
        let started = Instant::now();
        let mut loader = Loader::new(store)?;
        let added = match self {
            Self::Repository { repository, head } => add_history(repository, head, &mut loader),
            Self::Sample => add_sample(&mut loader),
        };
        let (tally, finished) = loader.finish();
        added.and(finished)?;
        Ok((tally.added, started.elapsed()))
    }

    fn tree(&self) -> Result<Tree, Failure> {
        match self {
            Self::Repository { repository, head } => read_tree(repository, head),
            Self::Sample => Ok(sample::tree()),
        }
    }
}

fn add_sample(loader: &mut Loader<'_, impl EventStore>) -> Result<(), Failure> {
    for line in sample::EVENTS.lines() {
        loader.add(read_event(line.as_bytes()).expect("the sample's events are well formed"))?;
    }
    Ok(())
}

/// Reads all events back and folds them.
fn replay(reader: &Reader) -> Result<(Fold, Duration), Failure> {
    let started = Instant::now();
    let mut fold = Fold::default();
    let mut cursor = reader.read(Read::all());
    while let Some(record) = cursor.next_record() {
        fold.apply(&record?);
    }
    Ok((fold, started.elapsed()))
}

impl Demonstration {
    fn print(&self, output: &mut Output) -> Result<(), Failure> {
        let Self { source, matching, files, .. } = self;
        let bytes_per_event = self.store_bytes.checked_div(self.events).unwrap_or(0);
        output.text(&format!("source   {source}"))?;
        output.text(&format!("events   {} in {} streams", HumanCount(self.events), HumanCount(self.streams)))?;
        output
            .text(&format!("in       {} events/s, git's own work included", HumanCount(self.events_per_second_in)))?;
        output.text(&format!("out      {} events/s, folded into a tree", HumanCount(self.events_per_second_out)))?;
        output.text(&format!(
            "size     {} on disk, {bytes_per_event} bytes an event ({} more are reserved)",
            HumanBytes(self.store_bytes),
            HumanBytes(self.reserved_bytes)
        ))?;
        output.text(&format!("result   {matching} of {files} files match what git lists"))
    }
}

fn per_second(count: u64, time: Duration) -> u64 {
    let microseconds = u64::try_from(time.as_micros()).unwrap_or(u64::MAX).max(1);
    count.saturating_mul(1_000_000) / microseconds
}

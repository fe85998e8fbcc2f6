//! `gesta stats`: what the store holds and how much room it takes.

use crate::context::Context;
use crate::failure::{Failure, OneLine, Status, complain_of_damage};
use crate::output::Output;
use crate::place::Place;
use crate::progress::Progress;
use gesta::{Read, ReadError, Reader};
use gesta_client::BlockingClient;
use indicatif::{HumanBytes, HumanCount};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::path::Path;

/// The figures, in the order of their JSON form.
#[derive(Deserialize, Serialize)]
struct Figures {
    events: u64,
    streams: u64,
    event_bytes: EventBytes,
    store_bytes: StoreBytes,
    query_us: Latency,
    command_us: Latency,
    /// Told by a server that scrubs the store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scrub: Option<Scrub>,
}

/// What the scrub has done and found.
#[derive(Deserialize, Serialize)]
struct Scrub {
    passes: u64,
    bytes: u64,
    pass_bytes: Option<[u64; 2]>,
    last_pass_age_seconds: Option<u64>,
    damaged_batches: u64,
    damage: Vec<String>,
    index_files_damaged: u64,
}

/// Bytes of the records; all absent in an empty store.
#[derive(Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
struct EventBytes {
    min: Option<usize>,
    p50: Option<usize>,
    p99: Option<usize>,
    max: Option<usize>,
}

#[derive(Default, Deserialize, Serialize)]
struct StoreBytes {
    total: u64,
    log: u64,
    index: u64,
    snapshots: u64,
    reserved: u64,
}

/// Known to a server only: a directory has nobody who would have measured.
#[derive(Default, Deserialize, Serialize)]
struct Latency {
    p50: Option<u64>,
    p99: Option<u64>,
    p999: Option<u64>,
}

/// Prints the figures.
pub(crate) fn run(context: &Context) -> Result<Status, Failure> {
    let (figures, status) = match context.place()? {
        Place::Directory(directory) => Figures::of_directory(directory, context)?,
        Place::Server(client) => (Figures::of_server(&client)?, Status::Done),
    };
    let mut output = Output::lock();
    if context.is_json {
        output.json(&figures)?;
    } else {
        figures.print(&mut output)?;
    }
    output.flush()?;
    Ok(status)
}

impl Figures {
    /// What the files say; every event is looked at for its size.
    fn of_directory(directory: &Path, context: &Context) -> Result<(Self, Status), Failure> {
        let reader = Reader::open(directory)?;
        let statistics = reader.statistics()?;
        let (sizes, status) = Sizes::of_all_records(&reader, context.is_json)?;
        let figures = Self {
            events: statistics.events,
            streams: statistics.streams,
            event_bytes: sizes.figures(),
            store_bytes: StoreBytes::of_directory(directory, statistics.log_bytes)?,
            query_us: Latency::default(),
            command_us: Latency::default(),
            scrub: None,
        };
        Ok((figures, status))
    }

    /// What the server says; sizes and times are of what it has seen since it was started.
    fn of_server(client: &BlockingClient) -> Result<Self, Failure> {
        let json = client.statistics()?;
        serde_json::from_str(&json).map_err(|error| {
            let message = format!("the figures of {} cannot be understood: {error}", client.address());
            Failure::new(Status::Unreachable, "protocol", format!("{message}: use a gesta of the server's version"))
        })
    }
}

impl StoreBytes {
    /// What the files of a store take, of which `written_bytes` in segments are written and the rest lies ready.
    fn of_directory(directory: &Path, written_bytes: u64) -> Result<Self, Failure> {
        let unreadable = |error: io::Error| {
            let message =
                format!("{}: cannot be listed: {error}: check the path and its permissions", directory.display());
            Failure::new(Status::Unreachable, "store_open", message)
        };
        let (mut segments, mut index, mut snapshots, mut others, mut reserve) = (0, 0, 0, 0, 0);
        for entry in std::fs::read_dir(directory).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            // A file that a writer has renamed or removed since takes no room; folders hold nothing of the log.
            let length = entry.metadata().map_or(0, |metadata| if metadata.is_file() { metadata.len() } else { 0 });
            let name = entry.file_name();
            if name == "reserve" {
                reserve += length;
                continue;
            }
            let room = match Path::new(&name).extension().and_then(OsStr::to_str) {
                Some("log") => &mut segments,
                Some("idx" | "sum") => &mut index,
                Some("snp") => &mut snapshots,
                _ => &mut others,
            };
            *room += length;
        }
        let ahead = segments.saturating_sub(written_bytes);
        let (log, reserved) = (segments - ahead + others, ahead + reserve);
        Ok(Self { total: log + index + snapshots + reserved, log, index, snapshots, reserved })
    }
}

impl Figures {
    fn print(&self, output: &mut Output) -> Result<(), Failure> {
        let Self { event_bytes: EventBytes { min, p50, p99, max }, store_bytes, .. } = self;
        output.text(&format!("events       {}", HumanCount(self.events)))?;
        output.text(&format!("streams      {}", HumanCount(self.streams)))?;
        if let (Some(min), Some(p50), Some(p99), Some(max)) = (min, p50, p99, max) {
            output.text(&format!("event bytes  min {min}, p50 {p50}, p99 {p99}, max {max}"))?;
        }
        output.text(&format!("log          {}", HumanBytes(store_bytes.log)))?;
        output.text(&format!("index        {}", HumanBytes(store_bytes.index)))?;
        output.text(&format!("reserved     {}", HumanBytes(store_bytes.reserved)))?;
        let Some(scrub) = &self.scrub else { return Ok(()) };
        let (passes, bytes) = (HumanCount(scrub.passes), HumanBytes(scrub.bytes));
        output
            .text(&format!("scrub        {passes} passes, {bytes} read, {} damaged batches", scrub.damaged_batches))?;
        for damage in &scrub.damage {
            output.text(&format!("damage       {}", OneLine(damage)))?;
        }
        Ok(())
    }
}

/// How many records have which size.
#[derive(Default)]
struct Sizes {
    counts: BTreeMap<usize, u64>,
    total: u64,
}

impl Sizes {
    /// The sizes of what can be read. Damage is passed over and told.
    fn of_all_records(reader: &Reader, is_json: bool) -> Result<(Self, Status), Failure> {
        let progress = Progress::events(reader.head().0);
        let mut sizes = Self::default();
        let mut status = Status::Done;
        let mut cursor = reader.read(Read::all());
        while let Some(record) = cursor.next_record() {
            match record {
                Ok(record) => sizes.add(record.bytes().len()),
                Err(ReadError::Damaged(damage)) => {
                    complain_of_damage(is_json, &damage);
                    status = Status::Damage;
                }
                Err(error) => return Err(error.into()),
            }
            progress.advance(1);
        }
        Ok((sizes, status))
    }

    fn add(&mut self, bytes: usize) {
        *self.counts.entry(bytes).or_default() += 1;
        self.total += 1;
    }

    fn figures(&self) -> EventBytes {
        EventBytes {
            min: self.counts.keys().next().copied(),
            p50: self.percentile(50),
            p99: self.percentile(99),
            max: self.counts.keys().next_back().copied(),
        }
    }

    /// The smallest size that so many of a hundred records do not exceed.
    fn percentile(&self, percent: u64) -> Option<usize> {
        let rank = (self.total * percent).div_ceil(100);
        let mut below = 0;
        self.counts.iter().find_map(|(bytes, count)| {
            below += count;
            (below >= rank).then_some(*bytes)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_sizes_that_occur() {
        let mut sizes = Sizes::default();
        assert_eq!(sizes.figures(), EventBytes::default());
        sizes.add(70);
        assert_eq!(sizes.figures(), EventBytes { min: Some(70), p50: Some(70), p99: Some(70), max: Some(70) });
        for bytes in 1..=199 {
            sizes.add(if bytes <= 99 { 60 } else { 80 });
        }
        sizes.add(5000);
        assert_eq!(sizes.figures(), EventBytes { min: Some(60), p50: Some(80), p99: Some(80), max: Some(5000) });
    }
}

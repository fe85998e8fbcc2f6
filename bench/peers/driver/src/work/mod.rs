//! The rows, and the command line of every peer.

mod append;
mod fill;
mod memory;
mod read;

use crate::outcome::Outcome;
use crate::peer::{Failure, Peer};
use clap::{Parser, Subcommand};
use hdrhistogram::Histogram;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// One row of one peer.
#[derive(Debug, Parser)]
struct Arguments {
    /// Where the store is, or is made.
    #[arg(long)]
    dir: PathBuf,
    /// Bytes of data of each event.
    #[arg(long, default_value_t = 256)]
    data_bytes: usize,
    #[command(subcommand)]
    row: Row,
}

#[derive(Clone, Debug, Subcommand)]
enum Row {
    /// Append for a time, then reopen and read everything back.
    Append {
        #[arg(long, default_value_t = 1)]
        threads: u64,
        /// Events a commit.
        #[arg(long, default_value_t = 1)]
        batch: u64,
        #[arg(long)]
        seconds: f64,
        /// Answer before the events are on the device.
        #[arg(long)]
        unsynced: bool,
    },
    /// Append so many events, sync them, and end without closing.
    Fill {
        #[arg(long)]
        events: u64,
    },
    /// Open, until the last event of a stream is read; then close.
    Open,
    /// Read every event in order.
    Replay,
    /// Read whole streams, one after another, for a time.
    Streams {
        #[arg(long)]
        seconds: f64,
    },
}

/// Does the row that the command line names and prints what it came to.
pub fn main<P: Peer>() -> ExitCode {
    let arguments = Arguments::parse();
    match run::<P>(&arguments) {
        Ok(outcome) => {
            println!("{}", serde_json::to_string(&outcome).expect("an outcome is plain data"));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{}: {error}", P::NAME);
            ExitCode::FAILURE
        }
    }
}

fn run<P: Peer>(arguments: &Arguments) -> Result<Outcome, Failure> {
    let directory = &*arguments.dir;
    let bytes = arguments.data_bytes;
    let memory = memory::Watch::start();
    let measured = match arguments.row {
        Row::Append { unsynced: false, .. } if !P::IS_DURABLE => return Err("it has no durable mode".into()),
        Row::Open | Row::Streams { .. } if !P::HAS_STREAMS => return Err("it knows no streams".into()),
        Row::Append { threads, batch, seconds, unsynced } => {
            append::run::<P>(directory, bytes, (threads, batch), Duration::from_secs_f64(seconds), !unsynced)?
        }
        Row::Fill { events } => fill::run::<P>(directory, bytes, events)?,
        Row::Open => read::open::<P>(directory)?,
        Row::Replay => read::replay::<P>(directory)?,
        Row::Streams { seconds } => read::streams::<P>(directory, Duration::from_secs_f64(seconds))?,
    };
    let at = |share: f64| measured.waits.as_ref().map(|waits| waits.value_at_quantile(share) as f64 / 1e3);
    let stored = measured.stored;
    Ok(Outcome {
        peer: P::NAME,
        version: P::VERSION,
        keeps: P::KEEPS,
        row: arguments.row.name(),
        events: measured.events,
        seconds: measured.elapsed.as_secs_f64(),
        p50_us: at(0.5),
        p99_us: at(0.99),
        bytes_an_event: stored
            .map(|stored| allocated_bytes(directory).map(|all| all as f64 / stored as f64))
            .transpose()?,
        anonymous_bytes_max: memory.most(),
    })
}

impl Row {
    fn name(&self) -> String {
        match self {
            Self::Append { threads, batch, unsynced, .. } => {
                let how = if *unsynced { "unsynced" } else { "durable" };
                if *batch == 1 { format!("{how}-{threads}") } else { format!("{how}-{threads}x{batch}") }
            }
            Self::Fill { .. } => "fill".to_owned(),
            Self::Open => "open".to_owned(),
            Self::Replay => "replay".to_owned(),
            Self::Streams { .. } => "streams".to_owned(),
        }
    }
}

/// What was measured.
struct Measured {
    events: u64,
    elapsed: Duration,
    waits: Option<Histogram<u64>>,
    /// How many events the directory holds, where its size is asked for.
    stored: Option<u64>,
}

/// Bytes of a directory, as the file system counts the blocks.
fn allocated_bytes(directory: &Path) -> std::io::Result<u64> {
    use std::os::unix::fs::MetadataExt;
    let mut bytes = 0;
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += if metadata.is_dir() { allocated_bytes(&entry.path())? } else { metadata.blocks() * 512 };
    }
    Ok(bytes)
}

/// Waits in nanoseconds, up to a minute.
fn waits() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("these bounds and three digits fit")
}

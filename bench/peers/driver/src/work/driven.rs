//! What the command line asks for.

use super::measured::{Measured, allocated_bytes};
use super::{append, fill, memory, read};
use crate::event::Batch;
use crate::outcome::Outcome;
use crate::peer::{Failure, Peer};
use clap::{Parser, Subcommand};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

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
    /// See whether the store can be had on this machine: append an event and read it back.
    Try,
    /// Append for a time, then reopen and read everything back.
    Append(append::Arguments),
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

/// The exit status where the store has no such thing.
const LACKS: u8 = 3;

/// Does the row that the command line names and prints what it came to.
pub fn main<P: Peer>() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(lack) = lacking::<P>(&arguments.row) {
        eprintln!("{lack}");
        return ExitCode::from(LACKS);
    }
    match run::<P>(&arguments) {
        Ok(outcome) => {
            println!("{}", serde_json::to_string(&outcome).expect("an outcome is plain data"));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// What of a row the store has not.
fn lacking<P: Peer>(row: &Row) -> Option<&'static str> {
    match row {
        Row::Append(append) if !append.unsynced && !P::IS_DURABLE => Some("it has no durable mode"),
        Row::Append(append) if append.unsynced && !P::IS_UNSYNCED => Some("it syncs every append"),
        Row::Open | Row::Streams { .. } if !P::HAS_STREAMS => Some("it knows no streams"),
        _ => None,
    }
}

fn run<P: Peer>(arguments: &Arguments) -> Result<Outcome, Failure> {
    let directory = &*arguments.dir;
    let bytes = arguments.data_bytes;
    let memory = memory::Watch::start();
    let mut commits = 0;
    let measured = match &arguments.row {
        Row::Try => attempt::<P>(directory)?,
        Row::Append(append) => append::run::<P>(directory, bytes, append, &mut commits)?,
        Row::Fill { events } => fill::run::<P>(directory, bytes, *events)?,
        Row::Open => read::open::<P>(directory)?,
        Row::Replay => read::replay::<P>(directory)?,
        Row::Streams { seconds } => read::streams::<P>(directory, Duration::from_secs_f64(*seconds))?,
    };
    let at = |share: f64| measured.waits.as_ref().map(|waits| waits.value_at_quantile(share) as f64 / 1e3);
    let stored = measured.stored;
    Ok(Outcome {
        peer: P::NAME,
        version: P::VERSION,
        keeps: P::KEEPS,
        commits,
        events: measured.events,
        seconds: measured.elapsed.as_secs_f64(),
        p50_us: at(0.5),
        p99_us: at(0.99),
        p999_us: at(0.999),
        max_us: at(1.0),
        bytes_an_event: stored
            .map(|stored| allocated_bytes(directory).map(|all| all as f64 / stored as f64))
            .transpose()?,
        anonymous_bytes_max: memory.most(),
    })
}

/// One event there and back.
fn attempt<P: Peer>(directory: &Path) -> Result<Measured, Failure> {
    let start = Instant::now();
    let peer = P::open(directory, P::IS_DURABLE)?;
    peer.append(&Batch::new(0, 0, 1, 64))?;
    let mut events = 0;
    peer.replay(&mut |seen| events += u64::from(seen.judged() == Some((0, 0))))?;
    peer.close()?;
    match events {
        1 => Ok(Measured { events, elapsed: start.elapsed(), waits: None, stored: None }),
        _ => Err("an event that was appended did not come back".into()),
    }
}

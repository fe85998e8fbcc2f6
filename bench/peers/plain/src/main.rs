//! The yard-stick: rows in a file of zeros, one `pwrite` and one `fdatasync` for all who wait. It keeps nothing but the bytes,
//! and checks nothing.

mod grouped;
mod rows;

use driver::{Batch, Failure, Peer, Seen, main as drive, table};
use grouped::Grouped;
use parking_lot::Mutex;
use rows::Rows;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};

struct Plain {
    rows: Arc<Mutex<Rows>>,
    is_durable: bool,
    /// One writer for many threads; a single one writes by itself.
    shared: OnceLock<Shared>,
}

struct Shared {
    grouped: Arc<Grouped>,
    writer: JoinHandle<Result<(), Failure>>,
}

impl Peer for Plain {
    const NAME: &str = "plain";
    const VERSION: &str = "here";
    const KEEPS: &str = "bytes; checks nothing";
    const HAS_STREAMS: bool = false;

    fn open(directory: &Path, is_durable: bool) -> Result<Self, Failure> {
        let rows = Arc::new(Mutex::new(Rows::open(&directory.join("rows"))?));
        Ok(Self { rows, is_durable, shared: OnceLock::new() })
    }

    fn prepare(&self, threads: u64) -> Result<(), Failure> {
        if threads > 1 {
            self.shared.get_or_init(|| {
                let grouped = Arc::new(Grouped::default());
                let (group, rows, is_durable) = (Arc::clone(&grouped), Arc::clone(&self.rows), self.is_durable);
                Shared { grouped, writer: thread::spawn(move || group.write_groups(&rows, is_durable)) }
            });
        }
        Ok(())
    }

    fn append(&self, batch: &Batch) -> Result<(), Failure> {
        let now = table::now();
        let mut bytes = Vec::new();
        for event in &batch.events {
            let row = table::encode(&batch.stream, event, now);
            bytes.extend_from_slice(&u32::try_from(row.len())?.to_le_bytes());
            bytes.extend_from_slice(&row);
        }
        match self.shared.get() {
            Some(shared) => shared.grouped.append(&bytes),
            None => self.rows.lock().write(&bytes, self.is_durable),
        }
    }

    fn sync(&self) -> Result<(), Failure> {
        self.rows.lock().sync()
    }

    fn replay(&self, each: &mut dyn FnMut(Seen<'_>)) -> Result<(), Failure> {
        let mut wrong = None;
        self.rows.lock().each(|row| match table::decode(row) {
            Ok(seen) => each(seen),
            Err(error) => wrong = Some(error),
        })?;
        wrong.map_or(Ok(()), Err)
    }

    fn read_stream(&self, _: &str, _: &mut dyn FnMut(Seen<'_>)) -> Result<(), Failure> {
        Err("it knows no streams".into())
    }

    fn close(self) -> Result<(), Failure> {
        if let Some(shared) = self.shared.into_inner() {
            shared.grouped.end();
            shared.writer.join().map_err(|_| "the writer panicked")??;
        }
        self.rows.lock().sync()
    }
}

fn main() -> ExitCode {
    drive::<Plain>()
}

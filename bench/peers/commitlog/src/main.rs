//! commitlog: messages in a log, which checks nothing and has no durable mode.

use commitlog::message::{MessageBuf, MessageSet};
use commitlog::{CommitLog, LogOptions, ReadLimit};
use driver::{Batch, Failure, Peer, Seen, main as drive, table};
use parking_lot::Mutex;
use std::path::Path;
use std::process::ExitCode;

struct Log {
    log: Mutex<CommitLog>,
}

impl Peer for Log {
    const NAME: &str = "commitlog";
    const VERSION: &str = "0.2";
    const KEEPS: &str = "bytes in a log; checks nothing";
    const IS_DURABLE: bool = false;
    const HAS_STREAMS: bool = false;

    fn open(directory: &Path, _: bool) -> Result<Self, Failure> {
        Ok(Self { log: Mutex::new(CommitLog::new(LogOptions::new(directory.join("log")))?) })
    }

    fn append(&self, batch: &Batch) -> Result<(), Failure> {
        let mut messages = MessageBuf::default();
        let now = table::now();
        for event in &batch.events {
            messages.push(table::encode(&batch.stream, event, now)).map_err(|error| format!("{error:?}"))?;
        }
        self.log.lock().append(&mut messages)?;
        Ok(())
    }

    fn sync(&self) -> Result<(), Failure> {
        Ok(self.log.lock().flush()?)
    }

    fn replay(&self, each: &mut dyn FnMut(Seen<'_>)) -> Result<(), Failure> {
        let log = self.log.lock();
        let mut next = 0;
        loop {
            let messages = log.read(next, ReadLimit::max_bytes(1 << 20))?;
            if messages.is_empty() {
                return Ok(());
            }
            for message in messages.iter() {
                each(table::decode(message.payload())?);
                next = message.offset() + 1;
            }
        }
    }

    fn read_stream(&self, _: &str, _: &mut dyn FnMut(Seen<'_>)) -> Result<(), Failure> {
        Err("it knows no streams".into())
    }

    fn close(self) -> Result<(), Failure> {
        Ok(self.log.into_inner().flush()?)
    }
}

fn main() -> ExitCode {
    drive::<Log>()
}

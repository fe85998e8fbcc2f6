//! The yard-stick: rows in a file of zeros, one writer for all who wait, one `pwrite` and one `fdatasync` a group. It keeps
//! nothing but the bytes, and checks nothing.

use driver::{Batch, Failure, Peer, Seen, main as drive, table};
use parking_lot::{Condvar, Mutex};
use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::ExitCode;

/// The file is filled with zeros ahead by so much, so that a sync has no metadata to write.
const AHEAD: u64 = 256 << 20;

struct Plain {
    file: File,
    is_durable: bool,
    state: Mutex<State>,
    written: Condvar,
}

#[derive(Default)]
struct State {
    staged: Vec<u8>,
    /// How many bytes were ever staged, written as asked, and made room for.
    staged_until: u64,
    written_until: u64,
    zeroed_until: u64,
    is_writing: bool,
}

impl Peer for Plain {
    const NAME: &str = "plain";
    const VERSION: &str = "here";
    const KEEPS: &str = "bytes; checks nothing";
    const HAS_STREAMS: bool = false;

    fn open(directory: &Path, is_durable: bool) -> Result<Self, Failure> {
        let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).to_owned();
        let file = options.open(directory.join("rows"))?;
        let length = file.metadata()?.len();
        let mut state = State { zeroed_until: length, ..State::default() };
        // The rows are found by walking them: a length of zero is the end.
        each_row(&file, |row| state.written_until += 4 + row.len() as u64)?;
        state.staged_until = state.written_until;
        let plain = Self { file, is_durable, state: Mutex::new(state), written: Condvar::new() };
        plain.make_room(&mut plain.state.lock(), 1)?;
        Ok(plain)
    }

    fn append(&self, batch: &Batch) -> Result<(), Failure> {
        let now = table::now();
        let rows: Vec<_> = batch.events.iter().map(|event| table::encode(&batch.stream, event, now)).collect();
        let mut state = self.state.lock();
        for row in &rows {
            state.staged.extend_from_slice(&u32::try_from(row.len())?.to_le_bytes());
            state.staged.extend_from_slice(row);
            state.staged_until += 4 + row.len() as u64;
        }
        let mine = state.staged_until;
        while state.written_until < mine {
            if state.is_writing {
                self.written.wait(&mut state);
                continue;
            }
            state.is_writing = true;
            let staged = std::mem::take(&mut state.staged);
            let at = state.written_until;
            self.make_room(&mut state, staged.len() as u64)?;
            parking_lot::MutexGuard::unlocked(&mut state, || {
                self.file.write_all_at(&staged, at)?;
                if self.is_durable { self.file.sync_data() } else { Ok(()) }
            })?;
            state.written_until += staged.len() as u64;
            state.is_writing = false;
            self.written.notify_all();
        }
        Ok(())
    }

    fn sync(&self) -> Result<(), Failure> {
        Ok(self.file.sync_data()?)
    }

    fn replay(&self, each: &mut dyn FnMut(Seen<'_>)) -> Result<(), Failure> {
        let mut wrong = None;
        each_row(&self.file, |row| match table::decode(row) {
            Ok(seen) => each(seen),
            Err(error) => wrong = Some(error),
        })?;
        wrong.map_or(Ok(()), Err)
    }

    fn read_stream(&self, _: &str, _: &mut dyn FnMut(Seen<'_>)) -> Result<(), Failure> {
        Err("it knows no streams".into())
    }

    fn close(self) -> Result<(), Failure> {
        Ok(self.file.sync_all()?)
    }
}

impl Plain {
    fn make_room(&self, state: &mut State, bytes: u64) -> Result<(), Failure> {
        let zeros = vec![0; 1 << 20];
        while state.zeroed_until < state.written_until + bytes + (1 << 20) {
            let until = state.zeroed_until + AHEAD;
            while state.zeroed_until < until {
                self.file.write_all_at(&zeros, state.zeroed_until)?;
                state.zeroed_until += zeros.len() as u64;
            }
            self.file.sync_all()?;
        }
        Ok(())
    }
}

/// Reads the rows a mebibyte at a time.
fn each_row(file: &File, mut each: impl FnMut(&[u8])) -> Result<(), Failure> {
    let mut buffer = vec![0; 1 << 20];
    let (mut at, length) = (0, file.metadata()?.len());
    while at < length {
        let wanted = usize::try_from((length - at).min(buffer.len() as u64))?;
        file.read_exact_at(&mut buffer[..wanted], at)?;
        let mut rest = &buffer[..wanted];
        while let Some((head, after)) = rest.split_first_chunk() {
            let row_bytes = usize::try_from(u32::from_le_bytes(*head))?;
            if row_bytes == 0 {
                return Ok(());
            }
            let Some((row, after)) = after.split_at_checked(row_bytes) else { break };
            each(row);
            rest = after;
        }
        let used = wanted - rest.len();
        if used == 0 {
            return Err("a row that is longer than the buffer".into());
        }
        at += used as u64;
    }
    Ok(())
}

fn main() -> ExitCode {
    drive::<Plain>()
}

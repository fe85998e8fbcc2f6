//! What a store has to be able to do here.

use crate::event::{Batch, Seen};
use std::path::Path;

/// Whatever a store says went wrong.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A store, used by its own natural calls with its defaults.
pub trait Peer: Sized + Sync {
    /// Its name in tables.
    const NAME: &str;
    /// Its version, as its package says.
    const VERSION: &str;
    /// What it keeps of events and what an append checks: who keeps less has less to do.
    const KEEPS: &str;
    /// Whether it has a mode in which an append is answered once it is on the device.
    const IS_DURABLE: bool = true;
    /// Whether it has a mode in which an append is answered before that.
    const IS_UNSYNCED: bool = true;
    /// Whether it finds the events of one stream by itself.
    const HAS_STREAMS: bool = true;

    /// Opens the store in a directory, which exists, or makes one there. `is_durable`: appends are answered when they are on
    /// the device, and not before.
    fn open(directory: &Path, is_durable: bool) -> Result<Self, Failure>;

    /// Makes ready for so many threads, before the clock runs.
    fn prepare(&self, _threads: u64) -> Result<(), Failure> {
        Ok(())
    }

    /// Appends the events of a batch as one commit. Fails when the stream does not stand where the batch says, if the store
    /// can check that.
    fn append(&self, batch: &Batch) -> Result<(), Failure>;

    /// Brings to the device what was appended, where the store can be asked for that; it has to outlive its process in any case.
    fn sync(&self) -> Result<(), Failure>;

    /// Shows every event in the order of the log.
    fn replay(&self, each: &mut dyn FnMut(Seen<'_>)) -> Result<(), Failure>;

    /// Shows the events of one stream in order.
    fn read_stream(&self, stream: &str, each: &mut dyn FnMut(Seen<'_>)) -> Result<(), Failure>;

    /// Closes it in good order.
    fn close(self) -> Result<(), Failure>;

    /// Leaves it as after a crash of its process, which is this one unless it is a server.
    fn crash(self) {
        std::mem::forget(self);
    }
}

//! Faults that wait for their moment.
//!
//! Moments are counted, not timed, so that a test can go through all of them: a sweep injects the same fault at call 1,
//! 2, 3 and so on until a run ends without meeting it.

use std::io;
use std::ops::Range;

/// Something that goes wrong. Calls, syncs and writes are counted from the injection on: 1 is the next one.
///
/// A *counted call* is one that changes or syncs something: `create`, `rename`, `remove`, `sync_dir`, `allocate`,
/// `write_at`, `sync_data`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The power fails in this counted call, which may still take effect in part. It and every call after it fail,
    /// through every handle, until [`SimulatedDisk::power_cut`](super::SimulatedDisk::power_cut) settles what is left.
    PowerFailsAt {
        /// Which counted call.
        call: u64,
    },
    /// This counted call does nothing and fails; when `persistent`, so does every counted call after it.
    FailCall {
        /// Which counted call.
        call: u64,
        /// The kind of the error.
        kind: io::ErrorKind,
        /// For ever, not once.
        persistent: bool,
    },
    /// This `sync_data` fails with EIO, and the dirty sectors are marked clean without having reached the device: reads
    /// still show them, the next sync says `Ok` and does nothing for them.
    FailSync {
        /// Which `sync_data`.
        sync: u64,
        /// For ever, not once.
        persistent: bool,
    },
    /// This `sync_data` says `Ok` and does nothing; the sectors stay dirty. A disk that lies.
    LostFlush {
        /// Which `sync_data`.
        sync: u64,
    },
    /// This `write_at` writes the first half of its bytes and fails with EIO.
    ShortWrite {
        /// Which `write_at`.
        write: u64,
    },
    /// From this counted call on, the disk has no more room than what its files take then, and what they give back: its capacity
    /// is set. [`SimulatedDisk::set_capacity`](super::SimulatedDisk::set_capacity) lifts it.
    FillsUpAt {
        /// Which counted call.
        call: u64,
    },
    /// Every read or view that touches the range of the file fails with EIO.
    FailRead {
        /// The file's name.
        file: String,
        /// The bad bytes.
        range: Range<u64>,
    },
}

/// What kind of counted call it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    Names,
    Allocate,
    Write,
    Sync,
}

/// What becomes of a counted call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Works,
    PowerFails,
    Fails(io::ErrorKind),
    SyncForgets,
    SyncLies,
    WriteIsShort,
}

/// The calls so far and the faults that wait.
#[derive(Debug, Default)]
pub(super) struct Faults {
    pub(super) call_count: u64,
    pub(super) sync_count: u64,
    pub(super) write_count: u64,
    pub(super) power_is_off: bool,
    /// Each fault's moment is turned into a total count when it is injected.
    waiting: Vec<Fault>,
}

impl Faults {
    pub(super) fn inject(&mut self, mut fault: Fault) {
        match &mut fault {
            Fault::PowerFailsAt { call } | Fault::FailCall { call, .. } | Fault::FillsUpAt { call } => {
                *call += self.call_count
            }
            Fault::FailSync { sync, .. } | Fault::LostFlush { sync } => *sync += self.sync_count,
            Fault::ShortWrite { write } => *write += self.write_count,
            Fault::FailRead { .. } => {}
        }
        self.waiting.push(fault);
    }

    /// Takes back what has not happened yet and ends what is persistent. Power that is off stays off.
    pub(super) fn clear(&mut self) {
        self.waiting.clear();
    }

    /// Counts a call and says what becomes of it. Where several faults meet, the graver one wins.
    pub(super) fn count(&mut self, call: Call) -> Outcome {
        self.call_count += 1;
        self.sync_count += u64::from(call == Call::Sync);
        self.write_count += u64::from(call == Call::Write);
        let mut outcome = Outcome::Works;
        for fault in &self.waiting {
            if let Some(met) = self.meets(fault, call) {
                outcome = graver(outcome, met);
            }
        }
        self.power_is_off = outcome == Outcome::PowerFails;
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.retain(|fault| fault.is_persistent() || self.meets(fault, call).is_none());
        self.waiting = waiting;
        outcome
    }

    /// Whether the disk is full from the next counted call on.
    pub(super) fn fills_up_next(&self) -> bool {
        let next = self.call_count + 1;
        self.waiting.iter().any(|fault| matches!(fault, Fault::FillsUpAt { call } if *call == next))
    }

    /// The bad ranges of a file.
    pub(super) fn bad_ranges<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Range<u64>> + 'a {
        self.waiting.iter().filter_map(move |fault| match fault {
            Fault::FailRead { file, range } if file == name => Some(range),
            _ => None,
        })
    }

    /// What `fault` does to the call that was counted last, which was of kind `call`.
    fn meets(&self, fault: &Fault, call: Call) -> Option<Outcome> {
        let is_due = |at: u64, count: u64, persistent: bool| count == at || (persistent && count > at);
        match *fault {
            Fault::PowerFailsAt { call: at } => is_due(at, self.call_count, false).then_some(Outcome::PowerFails),
            Fault::FailCall { call: at, kind, persistent } => {
                is_due(at, self.call_count, persistent).then_some(Outcome::Fails(kind))
            }
            Fault::FailSync { sync, persistent } if call == Call::Sync => {
                is_due(sync, self.sync_count, persistent).then_some(Outcome::SyncForgets)
            }
            Fault::LostFlush { sync } if call == Call::Sync => {
                is_due(sync, self.sync_count, false).then_some(Outcome::SyncLies)
            }
            Fault::ShortWrite { write } if call == Call::Write => {
                is_due(write, self.write_count, false).then_some(Outcome::WriteIsShort)
            }
            _ => None,
        }
    }
}

impl Fault {
    fn is_persistent(&self) -> bool {
        matches!(
            self,
            Self::FailCall { persistent: true, .. } | Self::FailSync { persistent: true, .. } | Self::FailRead { .. }
        )
    }
}

fn graver(one: Outcome, other: Outcome) -> Outcome {
    let gravity = |outcome| match outcome {
        Outcome::Works => 0,
        Outcome::SyncLies => 1,
        Outcome::WriteIsShort | Outcome::Fails(_) => 2,
        Outcome::SyncForgets => 3,
        Outcome::PowerFails => 4,
    };
    if gravity(other) > gravity(one) { other } else { one }
}

//! A client that does everything right, beside those that do not: it must be served all the while.

use crate::conversation::{append, event, read_all, read_request};
use crate::support::{Host, Wire};
use gesta::{AppendRequest, Position, Read};
use gesta_protocol::Plane;

/// A client that does everything right, with a connection to each plane.
pub(crate) struct Witness {
    commands: Wire,
    queries: Wire,
    count: u64,
}

impl Witness {
    pub(crate) fn new(host: &Host) -> Self {
        Self { commands: host.connect(Plane::Append), queries: host.connect(Plane::Read), count: 0 }
    }

    /// Appends an event and reads it back.
    pub(crate) fn is_served(&mut self) {
        self.count += 1;
        let number = 1_000_000 + self.count;
        let receipt = append(&mut self.commands, number, AppendRequest::new().event(event(number)));
        let Position(position) = receipt.positions.start;
        let read = Read::all().from(receipt.positions.start).limit(1);
        let events = read_all(&mut self.queries, number, read_request(read)).0;
        assert_eq!(events, [(position, format!("{{\"n\":{number}}}"))]);
    }
}

/// Numbers that look random and are the same in every run.
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// One below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % bound as u64).unwrap()
    }

    pub(crate) fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| u8::try_from(self.below(256)).unwrap()).collect()
    }
}

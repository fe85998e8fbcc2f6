//! What a power cut leaves.
//!
//! A plan decides for everything that was pending (dirty sectors, grown lengths, directory changes) whether it reached
//! the device in time. The order in which things were done binds it only under [`Keep::Prefix`]: a disk may write what
//! it was given in any order.

use super::random::Random;

/// How much of what was never synced survives a power cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Nothing: the disk was lazy.
    None,
    /// Everything: the disk was quick.
    All,
    /// Each thing by itself with this chance, in thousandths; a sector may also survive in a version that was written
    /// over before the power went.
    Some(u16),
    /// The first so many, a random number: sectors in the order of their offsets, directory changes in the order in
    /// which they were made.
    Prefix,
}

/// In what units dirty bytes reach the device: within one unit it is all or nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Granularity {
    /// 512 bytes: a write of two sectors may tear between them.
    Sector,
    /// 4,096 bytes.
    Page,
}

impl Granularity {
    pub(super) fn bytes(self) -> u64 {
        match self {
            Self::Sector => 512,
            Self::Page => 4096,
        }
    }
}

/// How one power cut goes. The same plan on the same disk has the same outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CrashPlan {
    /// Where the randomness comes from.
    pub seed: u64,
    /// How much survives.
    pub keep: Keep,
    /// In what units.
    pub granularity: Granularity,
}

impl CrashPlan {
    /// Any plan: each kind of [`Keep`] and [`Granularity`] comes up.
    pub fn random(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let keep = match random.below(8) {
            0 => Keep::None,
            1 => Keep::All,
            2 | 3 => Keep::Prefix,
            _ => Keep::Some(u16::try_from(random.below(1001)).expect("at most 1000")),
        };
        let granularity = if random.chance(500) { Granularity::Sector } else { Granularity::Page };
        Self { seed: random.next(), keep, granularity }
    }

    /// For each of `count` pending things, whether it survives.
    pub(super) fn survivors(&self, count: usize, random: &mut Random) -> Vec<bool> {
        match self.keep {
            Keep::None => vec![false; count],
            Keep::All => vec![true; count],
            Keep::Some(per_mille) => (0..count).map(|_| random.chance(per_mille)).collect(),
            Keep::Prefix => {
                let first_lost = random.index(count + 1);
                (0..count).map(|index| index < first_lost).collect()
            }
        }
    }

    /// The length of a file whose growth from `old` to `new` was pending.
    pub(super) fn surviving_length(&self, old: usize, new: usize, random: &mut Random) -> usize {
        let grown = match self.keep {
            Keep::None => false,
            Keep::All => true,
            Keep::Some(per_mille) => random.chance(per_mille),
            Keep::Prefix => random.chance(500),
        };
        match (grown, self.keep) {
            (true, _) => new,
            (false, Keep::None) => old,
            (false, _) if random.chance(500) => old,
            // The length may have been on its way in steps.
            (false, _) => old + random.index(new - old + 1),
        }
    }

    /// Which of `version_count` versions of a surviving sector it is, the newest being the last.
    pub(super) fn surviving_version(&self, version_count: usize, random: &mut Random) -> usize {
        let may_be_older = matches!(self.keep, Keep::Some(_)) && self.granularity == Granularity::Sector;
        if may_be_older && version_count > 1 && random.chance(250) {
            random.index(version_count)
        } else {
            version_count - 1
        }
    }
}

//! File descriptors: connections may not take those that the stores need.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors kept for the files of stores, for what is always open, and for those who are turned away.
const RESERVED: u64 = 512;

/// Asks the system for as many descriptors as it gives.
pub(super) fn raise_limit() {
    let limit = getrlimit(Resource::Nofile);
    // What is refused changes nothing: there are as many as there were.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}

/// How many connections each of two planes may have, of those it would like.
pub(super) fn connections(wanted: [usize; 2]) -> [usize; 2] {
    let Some(limit) = getrlimit(Resource::Nofile).current else { return wanted };
    share(limit, wanted)
}

fn share(limit: u64, wanted: [usize; 2]) -> [usize; 2] {
    let available = usize::try_from(limit.saturating_sub(RESERVED.min(limit / 2))).unwrap_or(usize::MAX);
    let all: usize = wanted[0].saturating_add(wanted[1]);
    if all <= available {
        return wanted;
    }
    let of = |wanted: usize| (wanted.saturating_mul(available) / all).max(1);
    wanted.map(of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stores_keep_descriptors_and_both_planes_get_some() {
        assert_eq!(share(1 << 20, [4096, 4096]), [4096, 4096]);
        assert_eq!(share(1024, [4096, 4096]), [256, 256]);
        assert_eq!(share(1024, [100, 300]), [100, 300]);
        assert_eq!(share(64, [4096, 4096]), [16, 16]);
        assert_eq!(share(0, [4096, 4096]), [1, 1]);
    }
}

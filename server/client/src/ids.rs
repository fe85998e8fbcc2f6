//! Ids of events and requests that the caller gave none.

use gesta_model::Uuid;
use std::time::{SystemTime, UNIX_EPOCH};

/// Makes UUIDv7s, looking at the clock once and drawing random bytes ahead.
pub(crate) struct IdMaker {
    milliseconds: u64,
    random: [u8; Self::DRAWN],
    used: usize,
}

/// Random bytes of one id.
const RANDOM: usize = 10;

impl IdMaker {
    const DRAWN: usize = 32 * RANDOM;

    pub(crate) fn new() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let milliseconds = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        Self { milliseconds, random: [0; Self::DRAWN], used: Self::DRAWN }
    }

    /// A new id.
    pub(crate) fn make_id(&mut self) -> Uuid {
        if self.used == Self::DRAWN {
            getrandom::fill(&mut self.random).expect("the operating system hands out random bytes");
            self.used = 0;
        }
        let mut random = [0; RANDOM];
        random.copy_from_slice(&self.random[self.used..self.used + RANDOM]);
        self.used += RANDOM;
        uuid::Builder::from_unix_timestamp_millis(self.milliseconds, &random).into_uuid()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn ids_are_of_version_7_and_differ() {
        let mut maker = IdMaker::new();
        let ids: HashSet<_> = (0..1000).map(|_| maker.make_id()).collect();
        assert_eq!(ids.len(), 1000);
        assert!(ids.iter().all(|id| id.get_version_num() == 7));
        assert!(!ids.contains(&IdMaker::new().make_id()));
    }
}

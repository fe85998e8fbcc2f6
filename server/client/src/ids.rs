//! Ids of events and requests that the caller gave none.

use gesta_model::Uuid;
use std::time::{SystemTime, UNIX_EPOCH};

/// Makes UUIDv7s, looking at the clock once and drawing random bytes ahead: a few at first, as most appends need.
pub(crate) struct IdMaker {
    milliseconds: u64,
    random: [u8; DRAWN_MAX],
    drawn: usize,
    used: usize,
}

/// Random bytes of one id.
const RANDOM: usize = 10;
/// Random bytes that are drawn at first: for an event, and the request that it comes in.
const DRAWN_FIRST: usize = 2 * RANDOM;
/// Random bytes that are drawn from then on.
const DRAWN_MAX: usize = 32 * RANDOM;

impl IdMaker {
    pub(crate) fn new() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let milliseconds = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        Self { milliseconds, random: [0; DRAWN_MAX], drawn: 0, used: 0 }
    }

    /// A new id.
    pub(crate) fn make_id(&mut self) -> Uuid {
        if self.used == self.drawn {
            self.drawn = if self.drawn == 0 { DRAWN_FIRST } else { DRAWN_MAX };
            let drawn = &mut self.random[..self.drawn];
            getrandom::fill(drawn).expect("the operating system hands out random bytes");
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

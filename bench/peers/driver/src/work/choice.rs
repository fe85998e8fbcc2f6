//! Which stream comes next.

/// An order of streams, the same in every run.
#[derive(Debug)]
pub(super) enum Choice {
    /// One after another.
    ByTurns { turn: usize, count: usize },
    /// The stream of rank n is chosen in proportion to 1 / n, which is Zipf's law.
    Zipf { state: u64, sums: Vec<f64> },
}

impl Choice {
    pub(super) fn by_turns(count: usize) -> Self {
        Self::ByTurns { turn: 0, count }
    }

    pub(super) fn zipf(seed: u64, count: usize) -> Self {
        let mut sum = 0.0;
        let sums = (1..=count).map(|rank| {
            sum += 1.0 / rank as f64;
            sum
        });
        Self::Zipf { state: seed, sums: sums.collect() }
    }

    /// The index of the next one.
    pub(super) fn next(&mut self) -> usize {
        match self {
            Self::ByTurns { turn, count } => {
                *turn += 1;
                (*turn - 1) % *count
            }
            Self::Zipf { state, sums } => {
                // SplitMix64: enough to choose by.
                *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
                let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                let share = (mixed >> 11) as f64 / (1_u64 << 53) as f64;
                let aimed = share * sums.last().copied().unwrap_or(0.0);
                sums.partition_point(|sum| *sum <= aimed).min(sums.len() - 1)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rank_is_chosen_twice_as_often_as_the_second_and_all_are_chosen() {
        let mut choice = Choice::zipf(1, 10);
        let mut counts = [0_u32; 10];
        (0..100_000).for_each(|_| counts[choice.next()] += 1);
        let ratio = f64::from(counts[0]) / f64::from(counts[1]);
        assert!((1.9..2.1).contains(&ratio), "{counts:?}");
        assert!(counts.iter().all(|count| *count > 2_000), "{counts:?}");
    }
}

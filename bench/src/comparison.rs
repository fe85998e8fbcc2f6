//! Rounds of both sides in turns, so that whatever else the machine does falls on both, and their medians.

use crate::outcome::Outcome;
use crate::rows::{Goal, Row};
use crate::sample::{Latency, Sample};
use crate::workload::Workload;
use std::time::Duration;

/// What a row came to.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// The rounds of the yard-stick.
    pub yardstick: Side,
    /// The rounds of gesta.
    pub gesta: Side,
}

/// All rounds of one side.
#[derive(Clone, Debug)]
pub struct Side {
    /// By their rates, slowest first.
    rounds: Vec<Sample>,
    /// All waits of all rounds.
    pub latency: Latency,
}

impl Comparison {
    /// Measures a row.
    pub fn measure<S>(row: &Row<S>, subject: &S, round_count: usize) -> Outcome<Self> {
        Self::of(&mut *(row.workload)(subject)?, round_count)
    }

    /// Does both sides of a piece of work in turns.
    pub fn of(workload: &mut dyn Workload, round_count: usize) -> Outcome<Self> {
        let (mut yardstick, mut gesta) = (Vec::new(), Vec::new());
        for _ in 0..round_count {
            yardstick.push(workload.yardstick()?);
            gesta.push(workload.gesta()?);
        }
        Ok(Self { yardstick: Side::new(yardstick), gesta: Side::new(gesta) })
    }

    /// The rate of gesta as a share of the yard-stick's.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        self.gesta.rate() / self.yardstick.rate()
    }

    /// Whether a goal is reached.
    #[must_use]
    pub fn reaches(&self, goal: Goal) -> bool {
        match goal {
            Goal::Ratio(ratio) => self.ratio() >= ratio,
            Goal::Rate(rate) => self.gesta.rate() >= rate,
            Goal::Seconds(seconds) => self.gesta.elapsed().as_secs_f64() <= seconds,
            Goal::Microseconds(microseconds) => self.gesta.is_within(microseconds),
            Goal::Times(times) => {
                self.yardstick.latency.microseconds_at(0.99).is_some_and(|high| self.gesta.is_within(high * times))
            }
        }
    }
}

impl Side {
    pub(crate) fn new(mut rounds: Vec<Sample>) -> Self {
        let mut latency = Latency::default();
        for round in &rounds {
            latency.merge(&round.latency);
        }
        rounds.sort_by(|a, b| a.rate().total_cmp(&b.rate()));
        Self { rounds, latency }
    }

    /// The median round.
    #[must_use]
    pub fn median(&self) -> &Sample {
        &self.rounds[self.rounds.len() / 2]
    }

    /// Events a second in the median round.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.median().rate()
    }

    /// How long the median round took.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.median().elapsed
    }

    /// Whether ninety-nine of a hundred waits took no longer than so many microseconds.
    fn is_within(&self, microseconds: f64) -> bool {
        self.latency.microseconds_at(0.99).is_some_and(|high| high <= microseconds)
    }

    /// The rates of the slowest and the fastest round.
    #[must_use]
    pub fn spread(&self) -> (f64, f64) {
        let rates = [self.rounds.first(), self.rounds.last()].map(|round| round.map_or(0.0, Sample::rate));
        (rates[0], rates[1])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_is_the_middle_round_and_the_ratio_compares_medians() {
        let side = |counts: [u64; 3]| {
            let rounds = counts.map(|count| Sample::without_latency(count, Duration::from_secs(1)));
            Side::new(rounds.to_vec())
        };
        let comparison = Comparison { yardstick: side([900, 100, 200]), gesta: side([150, 1_000, 1]) };
        assert_eq!(comparison.yardstick.rate(), 200.0);
        assert_eq!(comparison.ratio(), 0.75);
        assert!(comparison.reaches(Goal::Ratio(0.75)) && !comparison.reaches(Goal::Ratio(0.76)));
        assert_eq!(comparison.gesta.spread(), (1.0, 1_000.0));
    }

    #[test]
    fn the_longest_waits_are_held_against_the_goal() {
        let side = |microseconds: u64| {
            let mut latency = Latency::default();
            latency.add_unsynced(Duration::from_micros(microseconds));
            Side::new(vec![Sample { event_count: 1, elapsed: Duration::from_micros(microseconds), latency }])
        };
        let comparison = Comparison { yardstick: side(100), gesta: side(150) };
        assert!(comparison.reaches(Goal::Times(2.0)) && !comparison.reaches(Goal::Times(1.4)));
        assert!(comparison.reaches(Goal::Microseconds(160.0)) && !comparison.reaches(Goal::Microseconds(140.0)));
    }
}

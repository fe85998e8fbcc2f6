//! Rounds of both sides in turns, so that whatever else the machine does falls on both, and their medians.

use crate::outcome::Outcome;
use crate::rows::{Goal, Row};
use crate::sample::{Latency, Sample};
use crate::workload::Settings;
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
    pub fn measure(row: &Row, settings: &Settings) -> Outcome<Self> {
        let mut workload = (row.workload)(settings)?;
        let (mut yardstick, mut gesta) = (Vec::new(), Vec::new());
        for _ in 0..settings.round_count {
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
        }
    }
}

impl Side {
    fn new(mut rounds: Vec<Sample>) -> Self {
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
}

//! Figures as texts that fit into a column.

use std::time::Duration;

/// A count or a rate in at most six characters: `7`, `7.5`, `999`, `12.3k`, `4.56M`.
pub(super) fn short(number: f64) -> String {
    const UNITS: [(f64, &str); 4] = [(1e3, "k"), (1e6, "M"), (1e9, "G"), (1e12, "T")];
    if number < 9.95 && number.fract() > 0.049 {
        return format!("{number:.1}");
    }
    if number < 999.5 {
        return format!("{number:.0}");
    }
    scaled(number, &UNITS)
}

/// Bytes in at most eight characters: `17 B`, `1.50 KiB`, `102 GiB`.
pub(super) fn bytes(count: f64) -> String {
    const KIB: f64 = 1024.0;
    const UNITS: [(f64, &str); 5] = [
        (KIB, " KiB"),
        (KIB * KIB, " MiB"),
        (KIB * KIB * KIB, " GiB"),
        (KIB * KIB * KIB * KIB, " TiB"),
        (KIB * KIB * KIB * KIB * KIB, " PiB"),
    ];
    if count < 999.5 { format!("{count:.0} B") } else { scaled(count, &UNITS) }
}

/// Microseconds in at most six characters, in the unit that fits; `-` when nothing was measured.
pub(super) fn time(microseconds: Option<u64>) -> String {
    const UNITS: [(f64, &str); 3] = [(1e0, "us"), (1e3, "ms"), (1e6, "s")];
    match microseconds {
        None => "-".to_owned(),
        Some(under @ 0..=999) => format!("{under}us"),
        #[allow(clippy::cast_precision_loss, reason = "three digits are shown")]
        Some(more) => scaled(more as f64, &UNITS),
    }
}

/// How long something has been, to the second.
pub(super) fn age(seconds: u64) -> String {
    let (days, hours, minutes, rest) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{rest} s"),
        (0, 0, _) => format!("{minutes} min {rest:02} s"),
        (0, ..) => format!("{hours} h {minutes:02} min"),
        _ => format!("{days} d {hours:02} h"),
    }
}

/// An interval as it was given: `1 s`, `0.5 s`.
pub(super) fn interval(duration: Duration) -> String {
    format!("{} s", duration.as_secs_f64())
}

/// Three digits, in the largest unit of which there is one.
fn scaled(number: f64, units: &[(f64, &str)]) -> String {
    // What rounds up to a thousand belongs to the next unit.
    let fitting = units.iter().rev().find(|(unit, _)| number >= unit * 0.9995);
    let (unit, name) = *fitting.unwrap_or(&units[0]);
    let value = number / unit;
    let digits = if value < 9.995 { 2 } else { usize::from(value < 99.95) };
    format!("{value:.digits$}{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_three_digits_and_stay_short() {
        let table: [(f64, &str); 11] = [
            (0.0, "0"),
            (0.5, "0.5"),
            (7.0, "7"),
            (9.96, "10"),
            (999.4, "999"),
            (999.6, "1.00k"),
            (1234.0, "1.23k"),
            (99_960.0, "100k"),
            (999_400.0, "999k"),
            (999_600.0, "1.00M"),
            (4.56e6, "4.56M"),
        ];
        for (number, text) in table {
            assert_eq!(short(number), text);
        }
    }

    #[test]
    fn bytes_and_times_come_in_the_unit_that_fits() {
        assert_eq!(
            [0.0, 999.0, 1000.0, 1536.0, 1048576.0, 1.1e11].map(bytes),
            ["0 B", "999 B", "0.98 KiB", "1.50 KiB", "1.00 MiB", "102 GiB"]
        );
        let times = [None, Some(0), Some(999), Some(1000), Some(12_345), Some(999_600), Some(61_000_000)];
        assert_eq!(times.map(time), ["-", "0us", "999us", "1.00ms", "12.3ms", "1.00s", "61.0s"]);
    }

    #[test]
    fn an_age_names_its_two_largest_units() {
        let ages = [0, 59, 60, 3599, 3600, 86_399, 86_400, 90_061];
        let texts = ["0 s", "59 s", "1 min 00 s", "59 min 59 s", "1 h 00 min", "23 h 59 min", "1 d 00 h", "1 d 01 h"];
        assert_eq!(ages.map(age), texts);
    }
}

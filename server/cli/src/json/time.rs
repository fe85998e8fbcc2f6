//! Moments as RFC 3339 text, in UTC.

use gesta::Timestamp;

/// Reads a moment; `None` when `text` is not one, or lies outside the years 1677 to 2262.
pub(crate) fn parse_time(text: &str) -> Option<Timestamp> {
    let time: jiff::Timestamp = text.parse().ok()?;
    i64::try_from(time.as_nanosecond()).ok().map(Timestamp)
}

/// Appends a moment, with as many digits of the second as it has.
pub(crate) fn write_time(out: &mut Vec<u8>, time: Timestamp) {
    const PRINTER: jiff::fmt::temporal::DateTimePrinter = jiff::fmt::temporal::DateTimePrinter::new();
    let nanoseconds = i128::from(time.0);
    let time = jiff::Timestamp::from_nanosecond(nanoseconds).expect("every i64 of nanoseconds is a moment");
    PRINTER.print_timestamp(&time, out).expect("writing to memory does not fail");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(text: &str) -> String {
        let mut out = Vec::new();
        write_time(&mut out, parse_time(text).expect("the text is a time"));
        String::from_utf8(out).expect("a time is ASCII")
    }

    #[test]
    fn a_time_keeps_its_digits_and_is_in_utc() {
        assert_eq!(round_trip("2019-06-12T21:50:48Z"), "2019-06-12T21:50:48Z");
        assert_eq!(round_trip("2019-06-12T21:50:48.25+02:00"), "2019-06-12T19:50:48.25Z");
        assert_eq!(round_trip("1969-12-31T23:59:59.999999999Z"), "1969-12-31T23:59:59.999999999Z");
        assert_eq!(round_trip("1969-12-31t23:59:59.5z"), "1969-12-31T23:59:59.5Z");
    }

    #[test]
    fn the_first_and_the_last_moment_are_printed() {
        for nanoseconds in [i64::MIN, -1, 0, 1, i64::MAX] {
            let mut out = Vec::new();
            write_time(&mut out, Timestamp(nanoseconds));
            let text = String::from_utf8(out).expect("a time is ASCII");
            assert_eq!(parse_time(&text), Some(Timestamp(nanoseconds)), "{text}");
        }
    }

    // The nanoseconds of the epoch have no place for a leap second: it is the second before it.
    #[test]
    fn a_leap_second_and_the_hours_around_a_change_of_the_clock_are_moments() {
        assert_eq!(round_trip("2016-12-31T23:59:60Z"), "2016-12-31T23:59:59Z");
        assert_eq!(round_trip("2016-12-31T23:59:60.5+00:00"), "2016-12-31T23:59:59.5Z");
        assert_eq!(round_trip("2017-01-01T00:59:60+01:00"), "2016-12-31T23:59:59Z");
        assert_eq!(parse_time("2016-12-31T23:59:61Z"), None);
        // Twice half past two in Berlin, and the half past two that it skips.
        assert_eq!(round_trip("2026-10-25T02:30:00+02:00"), "2026-10-25T00:30:00Z");
        assert_eq!(round_trip("2026-10-25T02:30:00+01:00"), "2026-10-25T01:30:00Z");
        assert_eq!(round_trip("2026-03-29T02:30:00+01:00"), "2026-03-29T01:30:00Z");
    }

    #[test]
    fn what_is_not_a_time_is_refused() {
        for text in ["", "yesterday", "2019-13-01T00:00:00Z", "2019-06-12T21:50:48", "9999-01-01T00:00:00Z"] {
            assert_eq!(parse_time(text), None, "{text}");
        }
    }
}

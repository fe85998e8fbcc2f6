//! "Did you mean": the known name that an unknown one is nearest to.

/// What to write in place of a name that nobody knows.
pub(super) fn hint<'a>(unknown: &str, known: impl Iterator<Item = &'a str>) -> String {
    let unknown = unknown.to_lowercase();
    let near =
        known.map(|name| (distance_to(&unknown, &name.to_lowercase()), name)).min_by_key(|(distance, _)| *distance);
    match near {
        Some((distance, name)) if distance <= unknown.chars().count() / 3 => format!("did you mean `{name}`?"),
        _ => "see `gesta config show` for all there are".to_owned(),
    }
}

/// The distance to a name, or to its part behind the dot: its section is easily forgotten, or taken for another.
fn distance_to(unknown: &str, name: &str) -> usize {
    let last = |text: &str| text.rsplit_once('.').map_or_else(|| text.to_owned(), |(_, last)| last.to_owned());
    // A step further away, so that the whole name wins.
    let parts = distance(&last(unknown), &last(name)) + 1;
    distance(unknown, name).min(if name.contains('.') { parts } else { usize::MAX })
}

/// How many characters must be put in, taken out or changed (Levenshtein), row by row.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (index, character) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (column, other) in to.iter().enumerate() {
            let changed = diagonal + usize::from(character != *other);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 4] = ["append", "read", "limits.frame_bytes_max", "limits.hello_bytes_max"];

    #[test]
    fn a_slip_is_recognised_and_a_stranger_is_not() {
        let hint = |unknown: &str| hint(unknown, KNOWN.into_iter());
        assert_eq!(hint("apend"), "did you mean `append`?");
        assert_eq!(hint("limits.frame_byte_max"), "did you mean `limits.frame_bytes_max`?");
        assert_eq!(hint("limit.hello_bytes_max"), "did you mean `limits.hello_bytes_max`?");
        assert_eq!(hint("frame_bytes_max"), "did you mean `limits.frame_bytes_max`?");
        assert!(!hint("colour").contains("did you mean"));
        assert!(!hint("").contains("did you mean"));
    }

    #[test]
    fn the_distance_counts_single_changes() {
        let table =
            [("", "", 0), ("a", "", 1), ("", "ab", 2), ("abc", "abc", 0), ("kitten", "sitting", 3), ("ab", "ba", 2)];
        for (from, to, steps) in table {
            assert_eq!(distance(from, to), steps, "{from} {to}");
        }
    }
}

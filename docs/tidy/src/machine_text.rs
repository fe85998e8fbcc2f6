//! Rule: no file names a place on the machine it was written on. A reader has another machine.

use crate::{Finding, Tree};

/// Spelled in parts, so that this file passes its own rule.
const PLACES: [&str; 2] = [concat!("/", "work/"), concat!("/", "root/")];

const INSTEAD: &str = "name it relative to the repository, or take it out";

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (path, text) in tree.texts() {
        for (index, line) in text.lines().enumerate() {
            for place in PLACES.into_iter().filter(|place| names(line, place)) {
                let what = format!("a path below `{place}`, which is on one machine");
                found.push(Finding::new(path, index + 1, what, INSTEAD));
            }
        }
    }
    found
}

/// Whether a path begins with `place`, rather than holding it further on (`a/b`, `$HOME/b`, `https://host/b`).
fn names(line: &str, place: &str) -> bool {
    line.match_indices(place).any(|(at, _)| {
        let before = &line[..at];
        before.ends_with("file://") || !before.ends_with(|c: char| c.is_alphanumeric() || "_-.~/*$})]>".contains(c))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_this_machine_is_found_in_any_text() {
        for place in PLACES {
            let guilty = ["cd PLACEx", "PLACE", "`PLACEa`", "\"file://PLACEb\"", "a=PLACEb", "(PLACEb)"];
            let free = ["framePLACE", "./PLACE", "https://host.orgPLACEa", "$HOMEPLACEa", "${TOP}PLACE"];
            for (line, count) in guilty.map(|line| (line, 1)).into_iter().chain(free.map(|line| (line, 0))) {
                let text = format!("first\n{}\n", line.replace("PLACE", place));
                let found = check(&Tree::of(&[("notes/any.txt", &text)]));
                assert_eq!(found.len(), count, "{text}");
                assert!(found.iter().all(|finding| finding.line == 2));
            }
        }
    }
}

//! Rule: a Rust file opens with `//!`, which says what it is for and what must stay true in it.

use crate::{Finding, Tree};

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let headless = tree.rust().filter(|(_, text)| !has_head(text));
    headless.map(|(path, _)| Finding::new(path, 1, "no `//!` at the head", INSTEAD)).collect()
}

const INSTEAD: &str = "say in the first lines what the file is for and what must stay true in it";

fn has_head(text: &str) -> bool {
    let lines = text.lines().skip_while(|line| line.trim().is_empty());
    lines.map_while(|line| line.strip_prefix("//!")).any(|said| said.contains(char::is_alphabetic))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_words_at_its_head_is_found() {
        let tree = Tree::of(&[
            ("bare.rs", "use std::fs;\n//! too late\n"),
            ("empty.rs", ""),
            ("mute.rs", "//!\n//!  \nfn f() {}\n"),
            ("said.rs", "\n//!\n//! Words.\n"),
            ("notes.md", "no Rust"),
        ]);
        let found: Vec<_> = check(&tree).into_iter().map(|finding| finding.path).collect();
        assert_eq!(found, ["bare.rs", "empty.rs", "mute.rs"]);
    }
}

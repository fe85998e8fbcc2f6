//! Rule: every Rust file is part of something that cargo builds. One that is reached from no root is never compiled, so
//! nothing in it is true.

use crate::modules::modules;
use crate::{Finding, Tree};

const INSTEAD: &str = "declare it with `mod` or delete it";

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let reached = modules(tree);
    let lost = tree.rust().filter(|(path, _)| !reached.contains_key(*path));
    lost.map(|(path, _)| Finding::new(path, 1, "reached from no crate root", INSTEAD)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_nothing_declares_is_found() {
        let tree = Tree::of(&[
            ("a/Cargo.toml", ""),
            ("a/src/lib.rs", "mod kept;\n// mod lost;"),
            ("a/src/kept.rs", ""),
            ("a/src/lost.rs", ""),
            ("stray.rs", ""),
        ]);
        let found: Vec<_> = check(&tree).into_iter().map(|finding| finding.path).collect();
        assert_eq!(found, ["a/src/lost.rs", "stray.rs"]);
    }
}

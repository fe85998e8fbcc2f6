//! Rule: `unsafe` stands in one folder, the one that maps files; and in a program of the benchmarks that cannot open another
//! store without it.

use crate::code::Code;
use crate::{Finding, Tree};

const PLACE: &str = "engine/store/src/disk/real";
/// LMDB maps its file, so opening it is unsafe whoever does it. No part of gesta depends on this program.
const LMDB: &str = "bench/peers/lmdb/src/main.rs";

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (path, text) in tree.rust().filter(|(path, _)| !is_the_place(path)) {
        for token in Code::new(text).tokens().iter().filter(|token| token.text == "unsafe") {
            let instead = format!("write it safely, or behind a safe function in {PLACE}");
            found.push(Finding::new(path, token.line, "`unsafe` outside its folder", instead));
        }
    }
    found
}

fn is_the_place(path: &str) -> bool {
    path == LMDB || path.strip_prefix(PLACE).is_some_and(|rest| rest.starts_with('/') || rest == ".rs")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsafe_outside_its_folder_is_found() {
        let tree = Tree::of(&[
            ("engine/store/src/disk/real/map.rs", "unsafe {}"),
            ("engine/store/src/disk/real_estate.rs", "unsafe {}"),
            ("engine/store/src/disk/mod.rs", "#![forbid(unsafe_code)] // unsafe\nconst A: &str = \"unsafe\";"),
            (LMDB, "unsafe {}"),
            ("bench/peers/redb/src/main.rs", "unsafe {}"),
            ("server/src/a.rs", "fn f() {\n    unsafe { g() }\n}"),
        ]);
        let found: Vec<_> = check(&tree).into_iter().map(|finding| (finding.path, finding.line)).collect();
        let wrong = ["bench/peers/redb/src/main.rs", "engine/store/src/disk/real_estate.rs", "server/src/a.rs"];
        let paths: Vec<_> = found.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, wrong);
        assert_eq!(found[2].1, 2);
    }
}

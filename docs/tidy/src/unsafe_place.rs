//! Rule: `unsafe` stands in one folder, the one that maps files.

use crate::code::Code;
use crate::{Finding, Tree};

const PLACE: &str = "engine/store/src/disk/real";

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
    path.strip_prefix(PLACE).is_some_and(|rest| rest.starts_with('/') || rest == ".rs")
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
            ("server/src/a.rs", "fn f() {\n    unsafe { g() }\n}"),
        ]);
        let found: Vec<_> = check(&tree).into_iter().map(|finding| (finding.path, finding.line)).collect();
        assert_eq!(found, [("engine/store/src/disk/real_estate.rs".into(), 1), ("server/src/a.rs".into(), 2)]);
    }
}

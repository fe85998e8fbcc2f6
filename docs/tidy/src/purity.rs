//! Rule: the model is pure: no files, no sockets, no clock, no `unsafe`.

use crate::code::Code;
use crate::paths::paths;
use crate::{Finding, Tree};

const MODEL: &str = "engine/model/src";

const FORBIDDEN: [(&[&str], &str); 4] = [
    (&["fs"], "take bytes; files are the disk layer's"),
    (&["net"], "take bytes; sockets are the server's"),
    (&["time", "SystemTime"], "take the time as an argument"),
    (&["time", "Instant"], "take the time as an argument"),
];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for path in tree.below(MODEL).filter(|path| path.ends_with(".rs")) {
        let code = Code::new(tree.text(path).unwrap_or_default());
        let tokens = code.tokens();
        for named in paths(&tokens).iter().filter(|named| named.names[0] == "std") {
            let names: Vec<&str> = named.names[1..].iter().copied().filter(|name| *name != "self").collect();
            if let Some((forbidden, instead)) = FORBIDDEN.iter().find(|(forbidden, _)| reaches(&names, forbidden)) {
                let what = format!("the model reaches `std::{}`", forbidden.join("::"));
                found.push(Finding::new(path, named.line, what, *instead));
            }
        }
        for token in tokens.iter().filter(|token| token.text == "unsafe") {
            found.push(Finding::new(path, token.line, "`unsafe` in the model", "write it safely"));
        }
    }
    found
}

/// Whether a path names the forbidden one, something in it, or a module that it could be reached through unseen
/// (`use std::time;` and `use std::time::*;`, then `Instant`).
fn reaches(names: &[&str], forbidden: &[&str]) -> bool {
    let names = names.strip_suffix(&["*"]).unwrap_or(names);
    names.starts_with(forbidden) || forbidden.starts_with(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<usize> {
        let tree = Tree::of(&[("engine/model/src/a.rs", text), ("engine/store/src/a.rs", text)]);
        let found = check(&tree).into_iter();
        found.inspect(|finding| assert_eq!(finding.path, "engine/model/src/a.rs")).map(|finding| finding.line).collect()
    }

    #[test]
    fn files_sockets_clocks_and_unsafe_are_found() {
        assert_eq!(lines("use std::fs;"), [1]);
        assert_eq!(lines("use std::{\n fs::File,\n net::TcpStream,\n io};"), [2, 3]);
        assert_eq!(lines("use std::time::{Duration, Instant};"), [1]);
        assert_eq!(lines("fn f() {\n std::time::SystemTime::now() }"), [2]);
        assert_eq!(lines("unsafe fn f() {}"), [1]);
    }

    #[test]
    fn a_way_round_is_found() {
        assert_eq!(
            lines("use std::time;\nuse std::time::*;\nuse std::*;\nuse std as other;\nuse std::fs::{self};").len(),
            5
        );
    }

    #[test]
    fn what_is_pure_may_be_named() {
        assert_eq!(lines("// std::fs\nuse std::time::Duration; use std::fmt; const A: &str = \"unsafe\";"), []);
    }
}

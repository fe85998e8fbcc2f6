//! Rule: a page that describes bytes carries the hash of the code that makes them, so whoever changes the code must open
//! the page again.
//!
//! The page has a line such as `<!-- code: engine/model/src/codec hash: 0123456789abcdef -->`, which names files and
//! folders. The hash is FNV-1a (64 bits) over the path and the text of each file, in the order of their paths. Tests are
//! left out, both `*_test.rs` files and a `#[cfg(test)]` module at the end of a file: they change no bytes.

use std::collections::BTreeSet;

use crate::code::{Code, closing, spells};
use crate::markdown::without_code;
use crate::{Finding, Tree};

/// Pages that must carry a hash once they exist; any other page may.
const PAGES: [&str; 2] = ["docs/FORMAT.md", "docs/PROTOCOL.md"];

const OPENING: &str = "<!-- code:";

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (page, text) in tree.texts().filter(|(path, _)| path.ends_with(".md")) {
        let mut marked = false;
        for (index, line) in without_code(text).lines().enumerate().filter(|(_, line)| line.contains(OPENING)) {
            marked = true;
            found.extend(check_mark(tree, page, index + 1, line));
        }
        if PAGES.contains(&page) && !marked {
            let instead = format!("add the line `{OPENING} files and folders it describes hash: 0 -->`");
            found.push(Finding::new(page, 1, "the page names no code", instead));
        }
    }
    found
}

fn check_mark(tree: &Tree, page: &str, line: usize, mark: &str) -> Option<Finding> {
    let body = mark.split_once(OPENING)?.1;
    let body = body.split_once("-->").map_or(body, |(body, _)| body);
    let (names, written) = body.split_once("hash:").unwrap_or((body, ""));
    let names: Vec<&str> = names.split_whitespace().collect();
    if let Some(gone) = names.iter().find(|name| !tree.has(name)) {
        let what = format!("the page describes `{gone}`, which is not there");
        return Some(Finding::new(page, line, what, "name the files and folders that the page describes"));
    }
    let hash = format!("{:016x}", hash(tree, &names));
    if names.is_empty() || written.trim() != hash {
        let right = format!("{OPENING} {} hash: {hash} -->", names.join(" "));
        let instead = format!("read the page again, mend what is no longer so, then put this line in: {right}");
        return Some(Finding::new(page, line, "the code that the page describes has changed", instead));
    }
    None
}

fn hash(tree: &Tree, names: &[&str]) -> u64 {
    let files: BTreeSet<&str> =
        names.iter().flat_map(|name| tree.below(name).chain(std::iter::once(name.trim_end_matches('/')))).collect();
    let mut hash = Fnv::default();
    for path in files.into_iter().filter(|path| !path.ends_with("_test.rs")) {
        let Some(text) = tree.text(path) else { continue };
        let text = text.replace("\r\n", "\n");
        let text = if path.ends_with(".rs") { without_tests(&text) } else { &text };
        // A zero ends each part, so that no two trees run together into the same bytes.
        for part in [path, text] {
            hash.add(part.as_bytes());
            hash.add(&[0]);
        }
    }
    hash.0
}

/// The text up to the test modules that end it.
fn without_tests(text: &str) -> &str {
    const TEST: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let code = Code::new(text);
    let mut tokens = &code.tokens()[..];
    let mut kept = text;
    while let Some(start) = (0..tokens.len()).rev().find(|at| spells(tokens, *at, &TEST)) {
        let mut at = start + TEST.len();
        while spells(tokens, at, &["#", "["]) {
            at = closing(tokens, at + 1) + 1;
        }
        let end = match tokens.get(at + 2).map(|token| token.text) {
            Some(";") => at + 2,
            Some("{") => closing(tokens, at + 2),
            _ => break,
        };
        if tokens[at].text != "mod" || end + 1 != tokens.len() {
            break;
        }
        kept = &text[..tokens[start].start];
        tokens = &tokens[..start];
    }
    kept.trim_end()
}

struct Fnv(u64);

impl Fnv {
    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str = "const LENGTH: u32 = 4;\n";

    /// What is found on a format page with this line, over one file and one folder of code.
    fn found(mark: &str, code: &str) -> Vec<String> {
        let tree = Tree::of(&[
            ("docs/FORMAT.md", &format!("# Format\n{mark}\n")),
            ("codec/a.rs", code),
            ("codec/a_test.rs", "fn any() {}"),
            ("log/manifest.rs", "x"),
        ]);
        check(&tree).iter().map(ToString::to_string).collect()
    }

    fn right_mark() -> String {
        let found = found("<!-- code: codec log/manifest.rs hash: 0 -->", CODE);
        found[0].split_once("put this line in: ").unwrap().1.to_owned()
    }

    #[test]
    fn the_hash_is_fnv_1a() {
        let mut hash = Fnv::default();
        hash.add(b"foobar");
        assert_eq!(hash.0, 0x8594_4171_f739_67e8);
    }

    #[test]
    fn the_line_that_is_printed_is_the_right_one() {
        assert!(right_mark().starts_with("<!-- code: codec log/manifest.rs hash: "));
        assert_eq!(found(&right_mark(), CODE), [""; 0]);
    }

    #[test]
    fn changed_code_is_found() {
        let found = found(&right_mark(), "const LENGTH: u32 = 8;\n");
        assert!(found[0].starts_with("docs/FORMAT.md:2: the code that the page describes has changed: "));
    }

    #[test]
    fn changed_tests_are_no_change() {
        let inline = format!("{CODE}\n#[cfg(test)]\nmod tests {{ fn f() {{}} }}\n");
        let beside = format!("{CODE}\n#[cfg(test)]\n#[path = \"a_test.rs\"]\nmod tests;\n{}", &inline[CODE.len()..]);
        assert_eq!(found(&right_mark(), &inline), [""; 0]);
        assert_eq!(found(&right_mark(), &beside), [""; 0]);
        assert_eq!(found(&right_mark(), &format!("{inline}const AFTER: u8 = 1;")).len(), 1);
    }

    #[test]
    fn a_page_that_names_no_code_or_code_that_is_gone_is_found() {
        assert!(found("no mark", CODE)[0].contains("names no code"));
        assert!(found("`<!-- code: codec hash: 0 -->`", CODE)[0].contains("names no code"));
        assert!(found("<!-- code: gone hash: 0 -->", CODE)[0].contains("`gone`, which is not there"));
        assert_eq!(found("<!-- code: codec -->", CODE).len(), 1);
        assert_eq!(check(&Tree::of(&[("docs/OTHER.md", "no mark")])), []);
    }
}

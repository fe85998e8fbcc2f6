//! Rule: every test that the page of the promise names is there, and each is named so that it is found.
//!
//! A name in the page is the end of a test's path: as many modules as tell it from others, and the test, `damage::no_..`.
//! The cases of the suite of conformance count as tests: a macro makes them ones.

use crate::code::{Code, Token, closing};
use crate::markdown::{spans, without_fences};
use crate::modules::modules;
use crate::{Finding, Tree};

const PAGE: &str = "docs/DURABILITY.md";
const CASES: &str = "engine/conformance/src/cases/";

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let Some(page) = tree.text(PAGE) else { return Vec::new() };
    let tests = tests(tree);
    let mut found = Vec::new();
    let mut named_count = 0;
    for (index, line) in without_fences(page).lines().enumerate() {
        for name in spans(line).into_iter().filter(|name| is_of_a_test(name)) {
            named_count += 1;
            let end = format!("::{name}");
            let count = tests.iter().filter(|test| test.ends_with(&end)).count();
            let problem = match count {
                _ if !name.contains("::") => ("without its module", "write `module::test`, as `cargo test` names it"),
                0 => ("which is nowhere", "name the test that holds the promise, or take the promise back"),
                1 => continue,
                _ => ("of which there are several", "put more of its modules before it"),
            };
            found.push(Finding::new(PAGE, index + 1, format!("test `{name}`, {}", problem.0), problem.1));
        }
    }
    if named_count == 0 {
        found.push(Finding::new(PAGE, 1, "no test is named", "put the tests that hold a promise beside it"));
    }
    found
}

/// Whether a piece of code in the page is meant as the name of a test: those are whole sentences.
fn is_of_a_test(name: &str) -> bool {
    let last = name.rsplit("::").next().unwrap_or(name);
    let is_path = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == ':');
    is_path && last.matches('_').count() >= 3
}

/// The paths of all tests: `::module::module::test`.
fn tests(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    for (path, module) in modules(tree) {
        let code = Code::new(tree.text(&path).unwrap_or_default());
        let tokens = code.tokens();
        for at in (1..tokens.len()).filter(|at| tokens[at - 1].text == "fn") {
            if path.starts_with(CASES) || is_a_test(&tokens, at) {
                let inside = modules_around(&tokens, at);
                let parts: Vec<&str> =
                    module.iter().map(String::as_str).chain(inside).chain([tokens[at].text]).collect();
                found.push(format!("::{}", parts.join("::")));
            }
        }
    }
    found
}

/// Whether `#[test]` or `#[tokio::test]` stands before the function whose name is at `at`.
fn is_a_test(tokens: &[Token<'_>], at: usize) -> bool {
    let before = tokens[..at].iter().rposition(|token| matches!(token.text, ";" | "{" | "}")).map_or(0, |end| end + 1);
    let attributes = &tokens[before..at];
    attributes.windows(2).any(|pair| matches!(pair[0].text, "[" | "::") && pair[1].text == "test")
}

/// The modules within a file that are open at `at`.
fn modules_around<'a>(tokens: &[Token<'a>], at: usize) -> Vec<&'a str> {
    let opens = |index: &usize| tokens[*index].text == "mod" && tokens.get(index + 2).is_some_and(|t| t.text == "{");
    (0..at).filter(opens).filter(|index| closing(tokens, index + 2) > at).map(|index| tokens[index + 1].text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(page: &str) -> Vec<(usize, String)> {
        let tree = Tree::of(&[
            (PAGE, page),
            ("a/Cargo.toml", ""),
            ("a/src/lib.rs", "mod log;\nfn a_b_c_d() {}"),
            (
                "a/src/log.rs",
                "#[cfg(test)]\nmod tests { #[test]\n#[should_panic]\nfn a_torn_batch_is_cut() {}\n fn it_is_no_test() {} }",
            ),
            ("a/tests/all.rs", "mod log { #[tokio::test] async fn a_torn_batch_is_cut() {} }"),
            ("engine/conformance/Cargo.toml", ""),
            ("engine/conformance/src/lib.rs", "mod cases { mod reading; }"),
            ("engine/conformance/src/cases/reading.rs", "pub fn a_read_is_a_prefix<H>(h: &H) {}"),
        ]);
        check(&tree).into_iter().map(|finding| (finding.line, finding.what)).collect()
    }

    #[test]
    fn tests_that_are_there_are_not_found() {
        let page = "`tests::a_torn_batch_is_cut`, `reading::a_read_is_a_prefix`\n`is_lost` `gesta::disk::contain_lost_pages`\n\
                    ```text\n`x::no_such_test_at_all`\n```\n";
        assert_eq!(findings(page), []);
    }

    #[test]
    fn a_name_that_is_not_that_of_one_test_is_found() {
        let page = "a `tests::a_torn_batch_is_gone`\n\n`a_torn_batch_is_cut`\n`log::a_torn_batch_is_cut` and \
                    `tests::it_is_no_test`, `log::a_b_c_d`\n`a_torn_batch_is_cut`";
        let lines: Vec<_> = findings(page).into_iter().map(|(line, _)| line).collect();
        assert_eq!(lines, [1, 3, 4, 4, 5]);
    }

    #[test]
    fn a_test_that_is_named_twice_needs_more_of_its_path() {
        let tree = Tree::of(&[
            (PAGE, "`log::a_torn_batch_is_cut`"),
            ("a/Cargo.toml", ""),
            ("a/tests/all.rs", "mod log { #[test] fn a_torn_batch_is_cut() {} }"),
            ("b/Cargo.toml", ""),
            ("b/tests/all.rs", "mod deep { mod log { #[test] fn a_torn_batch_is_cut() {} } }"),
        ]);
        let found = check(&tree);
        assert!(found.len() == 1 && found[0].what.contains("several"), "{found:?}");
    }

    #[test]
    fn a_page_that_names_no_test_is_found() {
        assert_eq!(findings("Everything is kept, of course.").len(), 1);
    }
}

//! Rule: `lib.rs` and `mod.rs` are title pages: prose, `mod`, `pub use`, and no `fn`; a `lib.rs` is under 200 lines.
//!
//! What is only there for the examples of other pages, under `#[cfg(doctest)]`, may hold anything.

use crate::code::{Code, Token, closing, spells};
use crate::functions::functions;
use crate::tree::name_of;
use crate::{Finding, Tree};

const FACADE_LINES_MAX: usize = 199;

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (path, text) in tree.rust().filter(|(path, _)| matches!(name_of(path), "lib.rs" | "mod.rs")) {
        for function in functions(&without_doctests(Code::new(text).tokens())) {
            let what = format!("`fn {}` on a title page", function.name);
            found.push(Finding::new(path, function.line, what, "move it to a file named after what it does"));
        }
        let line_count = text.lines().count();
        if name_of(path) == "lib.rs" && line_count > FACADE_LINES_MAX {
            let what = format!("a lib.rs of {line_count} lines");
            found.push(Finding::new(path, FACADE_LINES_MAX + 1, what, "keep the title page under 200 lines"));
        }
    }
    found
}

/// The tokens without the items that stand under `#[cfg(doctest)]`.
fn without_doctests(mut tokens: Vec<Token<'_>>) -> Vec<Token<'_>> {
    const DOCTEST: [&str; 7] = ["#", "[", "cfg", "(", "doctest", ")", "]"];
    while let Some(start) = (0..tokens.len()).find(|at| spells(&tokens, *at, &DOCTEST)) {
        let mut end = start + DOCTEST.len();
        while end < tokens.len() && tokens[end].text != ";" {
            let block = tokens[end].text == "{";
            end = if matches!(tokens[end].text, "(" | "[" | "{") { closing(&tokens, end) } else { end };
            if block {
                break;
            }
            end += 1;
        }
        tokens.drain(start..(end + 1).min(tokens.len()));
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_on_a_title_page_is_found() {
        let tree = Tree::of(&[
            ("a/src/lib.rs", "//! fn prose\nmod b;\npub use b::B;\ntype F = fn(u8);\nimpl B {\n fn logic() {}\n}\n"),
            ("a/src/b/mod.rs", "pub fn logic() {}"),
            ("a/src/b/c.rs", "pub fn fine() {}"),
        ]);
        let found: Vec<_> = check(&tree).iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), 2);
        assert!(found[0].starts_with("a/src/b/mod.rs:1: `fn logic`"));
        assert!(found[1].starts_with("a/src/lib.rs:6: `fn logic`"));
    }

    #[test]
    fn doctests_are_free_and_what_follows_them_is_not() {
        let page =
            "#[cfg(doctest)]\n#[doc = include_str!(\"x\")]\nmod readme { fn f() {} }\n#[cfg(doctest)] struct R;\n";
        assert_eq!(check(&Tree::of(&[("src/lib.rs", page)])), []);
        let more = format!("{page}fn g() {{}}\n");
        assert_eq!(check(&Tree::of(&[("src/lib.rs", &more)]))[0].line, 5);
    }

    #[test]
    fn a_long_facade_is_found() {
        assert_eq!(check(&Tree::of(&[("src/lib.rs", &"//! x\n".repeat(199))])), []);
        assert_eq!(check(&Tree::of(&[("src/lib.rs", &"//! x\n".repeat(200))])).len(), 1);
    }
}

//! Rule: a file of more than 500 lines, or a function of more than 80, states its reason.
//!
//! The reason is a comment `// long: why` in the comments at the head of the file (`//! long: why` as well), or right
//! above the function. The lines of a function are those between its braces that are not blank.

use crate::code::Code;
use crate::functions::{Function, functions};
use crate::{Finding, Tree};

const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 80;

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (path, text) in tree.rust() {
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        let mut head = lines.iter().take_while(|line| line.is_empty() || is_above_code(line));
        if lines.len() > FILE_LINES_MAX && !head.any(|line| states_reason(line)) {
            let what = format!("a file of {} lines", lines.len());
            found.push(Finding::new(path, 1, what, "split it, or state `// long: why` in its head"));
        }
        for function in functions(&Code::new(text).tokens()) {
            let length = length(&function, &lines);
            let mut above = lines[..function.line - 1].iter().rev().take_while(|line| is_above_code(line));
            if length > FUNCTION_LINES_MAX && !above.any(|line| states_reason(line)) {
                let what = format!("`fn {}` has {length} lines", function.name);
                found.push(Finding::new(path, function.line, what, "split it, or state `// long: why` right above it"));
            }
        }
    }
    found
}

fn length(function: &Function<'_>, lines: &[&str]) -> usize {
    let Some(open) = function.open_line else { return 0 };
    let body = lines.get(open..function.close_line.saturating_sub(1)).unwrap_or_default();
    body.iter().filter(|line| !line.is_empty()).count()
}

fn is_above_code(line: &str) -> bool {
    line.starts_with("//") || line.starts_with("#[") || line.starts_with("#![")
}

fn states_reason(line: &str) -> bool {
    let comment = line.strip_prefix("//").map(|rest| rest.trim_start_matches(['/', '!']).trim());
    comment.and_then(|comment| comment.strip_prefix("long:")).is_some_and(|why| !why.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(usize, String)> {
        check(&Tree::of(&[("a.rs", text)])).into_iter().map(|finding| (finding.line, finding.what)).collect()
    }

    fn function(line_count: usize) -> String {
        format!("fn f() {{\n{}\n\n}}\n", "    go();\n".repeat(line_count))
    }

    #[test]
    fn a_long_file_is_found_unless_it_says_why() {
        let body = "const A: u8 = 1;\n".repeat(499);
        assert_eq!(found(&format!("//! Head.\n{body}")), []);
        assert_eq!(found(&format!("//! Head.\n\n{body}")), [(1, "a file of 501 lines".to_owned())]);
        assert_eq!(found(&format!("//! Head.\n//! long: one table\n{body}")), []);
        assert_eq!(found(&format!("//! Head.\n\n// long: one table\n{body}")), []);
        assert_eq!(found(&format!("//! Head.\n//! long:\n{body}")).len(), 1);
        assert_eq!(found(&format!("//! Head.\n{body}// long: too late\n")).len(), 1);
    }

    #[test]
    fn a_long_function_is_found_unless_it_says_why() {
        assert_eq!(found(&function(80)), []);
        assert_eq!(found(&format!("//! Head.\n{}", function(81))), [(2, "`fn f` has 81 lines".to_owned())]);
        assert_eq!(found(&format!("/// Goes.\n// long: one match\n#[test]\n{}", function(81))), []);
        assert_eq!(found(&format!("// long: not this one\n\n{}", function(81))).len(), 1);
    }
}

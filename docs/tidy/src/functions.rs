//! Where the functions of a file begin and end.

use crate::code::{Token, closing};

/// A function, from its `fn` to the end of its body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function<'a> {
    pub(crate) name: &'a str,
    /// The line of the word `fn`.
    pub(crate) line: usize,
    /// The line of the opening brace; `None` where a trait only declares it.
    pub(crate) open_line: Option<usize>,
    /// The line of the closing brace.
    pub(crate) close_line: usize,
}

/// All functions of a file, nested ones as well. A function pointer type is none.
pub(crate) fn functions<'a>(tokens: &[Token<'a>]) -> Vec<Function<'a>> {
    let mut found = Vec::new();
    for (index, pair) in tokens.windows(2).enumerate() {
        if pair[0].text == "fn" && pair[1].is_name() {
            found.push(function_at(tokens, index));
        }
    }
    found
}

fn function_at<'a>(tokens: &[Token<'a>], index: usize) -> Function<'a> {
    let (name, line) = (tokens[index + 1].text, tokens[index].line);
    let mut at = index + 2;
    while let Some(token) = tokens.get(at) {
        match token.text {
            "(" | "[" => at = closing(tokens, at) + 1,
            // The braces of a const argument, not those of the body.
            "{" if tokens[at - 1].text == "<" => at = closing(tokens, at) + 1,
            "{" => {
                let close = closing(tokens, at).min(tokens.len() - 1);
                return Function { name, line, open_line: Some(token.line), close_line: tokens[close].line };
            }
            ";" => break,
            _ => at += 1,
        }
    }
    Function { name, line, open_line: None, close_line: line }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::Code;

    #[test]
    fn bodies_are_found_and_pointers_are_not_functions() {
        let source = "trait T { fn a(&self) -> [u8; 3]; }\ntype P = fn(u8);\nfn b<const N: usize>() -> A<{ N }>\nwhere P: Q,\n{\n  fn c() {}\n}\n";
        let code = Code::new(source);
        let found: Vec<_> =
            functions(&code.tokens()).into_iter().map(|f| (f.name, f.line, f.open_line, f.close_line)).collect();
        assert_eq!(found, [("a", 1, None, 1), ("b", 3, Some(5), 7), ("c", 6, Some(6), 6)]);
    }
}

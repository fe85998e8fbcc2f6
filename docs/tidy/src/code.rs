//! Rust source as tokens, with comments and the insides of literals blanked.
//!
//! A small lexer, not a parser: it knows where comments, strings, raw strings and characters begin and end, and nothing
//! of grammar. What must stay true: the blanked text is as long as the source, byte for byte, and has its line breaks in
//! the same places, so a place in one is the same place in the other; and no input makes it panic.

/// Source whose comments and literals are blanks; a string keeps its two quotes.
pub(crate) struct Code<'a> {
    source: &'a str,
    blanked: String,
}

/// A name, a number, a lifetime, `::`, a string, or one other character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    /// As in the source; a string with its quotes and what is between them.
    pub(crate) text: &'a str,
    /// Counted from 1.
    pub(crate) line: usize,
    /// The first byte in the source.
    pub(crate) start: usize,
}

impl Token<'_> {
    /// Whether this is a name or a keyword.
    pub(crate) fn is_name(&self) -> bool {
        self.text.starts_with(|first: char| first == '_' || first.is_alphabetic())
    }

    /// What a string literal says, escapes left as they are.
    pub(crate) fn string(&self) -> Option<&str> {
        self.text.strip_prefix('"')?.strip_suffix('"')
    }
}

impl<'a> Code<'a> {
    pub(crate) fn new(source: &'a str) -> Self {
        let mut bytes = source.as_bytes().to_vec();
        let mut at = 0;
        while at < bytes.len() {
            at = blank_at(source, &mut bytes, at);
        }
        // Only whole literals and comments were blanked, and those begin and end at ASCII characters.
        let blanked = String::from_utf8(bytes).unwrap_or_else(|_| " ".repeat(source.len()));
        Self { source, blanked }
    }

    pub(crate) fn tokens(&self) -> Vec<Token<'a>> {
        let mut tokens = Vec::new();
        let (mut line, mut at) = (1, 0);
        while let Some(first) = self.blanked[at..].chars().next() {
            if first.is_whitespace() {
                line += usize::from(first == '\n');
                at += first.len_utf8();
                continue;
            }
            let length = token_length(&self.blanked[at..], first);
            let text = &self.source[at..at + length];
            tokens.push(Token { text, line, start: at });
            line += text.matches('\n').count();
            at += length;
        }
        tokens
    }
}

/// The index of the bracket that closes the one at `open`, or the end of the tokens.
pub(crate) fn closing(tokens: &[Token<'_>], open: usize) -> usize {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate().skip(open) {
        match token.text {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return index;
        }
    }
    tokens.len()
}

/// Whether an attribute such as `#[cfg(test)]` begins at `at`, spelled as these tokens.
pub(crate) fn spells(tokens: &[Token<'_>], at: usize, spelling: &[&str]) -> bool {
    tokens.get(at..at + spelling.len()).is_some_and(|found| found.iter().map(|t| t.text).eq(spelling.iter().copied()))
}

fn token_length(rest: &str, first: char) -> usize {
    let name_end = |text: &str| text.find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(text.len());
    match first {
        ':' if rest.starts_with("::") => 2,
        '"' => rest[1..].find('"').map_or(rest.len(), |end| end + 2),
        '\'' => 1 + name_end(&rest[1..]),
        'r' if rest.starts_with("r#") && name_end(&rest[2..]) > 0 => 2 + name_end(&rest[2..]),
        _ => name_end(rest).max(first.len_utf8()),
    }
}

/// Blanks what begins at `at`, if it is to be blanked; returns where to go on.
fn blank_at(source: &str, bytes: &mut [u8], at: usize) -> usize {
    let rest = &source.as_bytes()[at..];
    let after_name = at > 0 && is_name_byte(source.as_bytes()[at - 1]);
    let end = match rest[0] {
        b'/' if rest.starts_with(b"//") => at + rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len()),
        b'/' if rest.starts_with(b"/*") => at + block_comment_length(rest),
        b'"' => return blank_string(bytes, at, at + 1 + quoted_length(&rest[1..], b'"'), 0),
        b'\'' => match character_length(&source[at..]) {
            Some(length) => at + length,
            None => return at + 1,
        },
        b'r' | b'b' | b'c' if !after_name => return blank_prefixed(source, bytes, at),
        _ => return at + 1,
    };
    blank(bytes, at, end);
    end
}

/// At a letter that may begin `r".."`, `r#".."#`, `b".."`, `br".."`, `c".."`, `cr".."` or `b'.'`.
fn blank_prefixed(source: &str, bytes: &mut [u8], at: usize) -> usize {
    let rest = &source.as_bytes()[at..];
    let letters = rest.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let hashes = rest[letters..].iter().take_while(|byte| **byte == b'#').count();
    let open = letters + hashes;
    match (&rest[..letters], rest.get(open)) {
        (b"r" | b"br" | b"cr", Some(b'"')) => {
            let close = [b"\"".as_slice(), &b"#".repeat(hashes)].concat();
            let body = &rest[open + 1..];
            let length = body.windows(close.len()).position(|window| window == close);
            let end = length.map_or(source.len(), |length| at + open + 1 + length + close.len());
            blank(bytes, at, at + open);
            blank_string(bytes, at + open, end, if length.is_some() { hashes } else { 0 })
        }
        (b"b" | b"c", Some(b'"')) if hashes == 0 => {
            blank(bytes, at, at + 1);
            blank_string(bytes, at + 1, at + 2 + quoted_length(&rest[2..], b'"'), 0)
        }
        (b"b", Some(b'\'')) if hashes == 0 => {
            let end = at + 2 + quoted_length(&rest[2..], b'\'');
            blank(bytes, at, end);
            end
        }
        _ => at + letters,
    }
}

/// Blanks a string but for its quotes; `open` is at the first, and `hashes` bytes stand between the last and `end`.
fn blank_string(bytes: &mut [u8], open: usize, end: usize, hashes: usize) -> usize {
    let close = end - hashes - 1;
    let closed = close > open && bytes[close] == b'"';
    blank(bytes, open + 1, end);
    if closed {
        bytes[close] = b'"';
    }
    end
}

fn blank(bytes: &mut [u8], from: usize, to: usize) {
    for byte in &mut bytes[from..to] {
        if *byte != b'\n' {
            *byte = b' ';
        }
    }
}

/// The length of a block comment, which may hold others.
fn block_comment_length(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        let step = match rest.get(at..at + 2) {
            Some(b"/*") => {
                depth += 1;
                2
            }
            Some(b"*/") => {
                depth -= 1;
                2
            }
            _ => 1,
        };
        at += step;
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

/// The length up to and with the closing quote, escapes skipped.
fn quoted_length(body: &[u8], quote: u8) -> usize {
    let mut at = 0;
    while at < body.len() {
        match body[at] {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    body.len()
}

/// The length of a character literal; `None` when the quote begins a lifetime.
fn character_length(rest: &str) -> Option<usize> {
    let mut characters = rest[1..].chars();
    let first = characters.next()?;
    if first == '\\' {
        return Some(1 + quoted_length(&rest.as_bytes()[1..], b'\''));
    }
    (characters.next() == Some('\'')).then(|| 2 + first.len_utf8())
}

fn is_name_byte(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric() || !byte.is_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(source: &str) -> Vec<&str> {
        Code::new(source).tokens().into_iter().filter(Token::is_name).map(|token| token.text).collect()
    }

    #[test]
    fn comments_are_blanked_nested_ones_as_well() {
        assert_eq!(names("a // unsafe\nb /* x /* unsafe */ y */ c\n/// unsafe\n//! unsafe\nd"), ["a", "b", "c", "d"]);
        assert_eq!(names("a /* never closed unsafe"), ["a"]);
    }

    #[test]
    fn strings_of_every_kind_are_blanked() {
        let source = r####"a "unsafe \" unsafe" b r"unsafe\" c r#"unsafe " unsafe"# d b"unsafe" e br##"unsafe"# x"## f c"unsafe" g"####;
        assert_eq!(names(source), ["a", "b", "c", "d", "e", "f", "g"]);
        assert_eq!(names("a \"// not a comment\" b"), ["a", "b"]);
        assert_eq!(names("a \"never closed unsafe"), ["a"]);
        assert_eq!(names("a r#\"never closed unsafe"), ["a"]);
    }

    #[test]
    fn characters_are_blanked_and_lifetimes_are_not_characters() {
        assert_eq!(names(r"a '\'' b '{' c b'\\' d '\u{1F600}' e '€' f"), ["a", "b", "c", "d", "e", "f"]);
        assert_eq!(names("fn f<'a>(x: &'a str) {}"), ["fn", "f", "x", "str"]);
        let code = Code::new("&'a '\"' 'b");
        assert_eq!(code.tokens().iter().map(|token| token.text).collect::<Vec<_>>(), ["&", "'a", "'b"]);
    }

    #[test]
    fn a_name_that_ends_like_a_prefix_is_a_name() {
        assert_eq!(names("bar\"unsafe\" r#type crab 'x'"), ["bar", "r#type", "crab"]);
    }

    #[test]
    fn lines_and_bytes_stay_where_they_are() {
        let source = "a\n/* €\n\n*/ \"x\ny\" b";
        let code = Code::new(source);
        assert_eq!(code.blanked.len(), source.len());
        let tokens = code.tokens();
        assert_eq!(tokens.iter().map(|token| token.line).collect::<Vec<_>>(), [1, 4, 5]);
        assert_eq!(tokens[1].string(), Some("x\ny"));
        assert_eq!(&source[tokens[2].start..], "b");
    }

    #[test]
    fn no_cut_of_a_source_makes_it_panic() {
        let source = "fn f() { let a = r##\"é\"##; 'x'; b'\\''; /* /* */ */ \"\\\"\" } // é";
        for (cut, _) in source.char_indices() {
            let _ = Code::new(&source[..cut]).tokens();
            let _ = Code::new(&source[cut..]).tokens();
        }
    }

    #[test]
    fn a_bracket_is_closed_by_its_own() {
        let code = Code::new("{ ( \"}\" ) [ } ] }");
        let tokens = code.tokens();
        assert_eq!(closing(&tokens, 1), 3);
        assert_eq!(closing(&tokens[..3], 0), 3);
    }
}

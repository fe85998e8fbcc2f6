//! JSON strings (RFC 8259), in which a query's text holds what cannot stand on its own.
//!
//! Writing escapes what cannot be seen, so that the text is one line and shows what it is. Reading takes every JSON
//! string, each character once.

use std::fmt::{self, Formatter, Write};
use std::str::Chars;

/// Whether a character can stand in a value that is not a JSON string.
pub(super) fn is_plain(character: char) -> bool {
    !matches!(character, ',' | '|' | '"' | '=') && !character.is_whitespace() && !is_unseen(character)
}

/// Whether a character cannot be seen, or turns the text around it.
fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Writes a value, as a JSON string where it must be one.
pub(super) fn write_value(formatter: &mut Formatter<'_>, value: &str) -> fmt::Result {
    if !value.is_empty() && value.chars().all(is_plain) {
        return formatter.write_str(value);
    }
    formatter.write_char('"')?;
    for character in value.chars() {
        match character {
            '"' | '\\' => {
                formatter.write_char('\\')?;
                formatter.write_char(character)?;
            }
            '\n' => formatter.write_str("\\n")?,
            '\t' => formatter.write_str("\\t")?,
            _ if is_unseen(character) => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    write!(formatter, "\\u{unit:04x}")?;
                }
            }
            _ => formatter.write_char(character)?,
        }
    }
    formatter.write_char('"')
}

/// Where a string is not JSON, and why.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct StringError {
    /// The first byte of what is wrong, in the text that was given.
    pub(super) offset: usize,
    /// What is expected there.
    pub(super) what: &'static str,
}

/// Reads the JSON string at the head of `text`, which begins with its quote. Returns what it says and the bytes it takes.
pub(super) fn read_string(text: &str) -> Result<(String, usize), StringError> {
    let mut value = String::new();
    let mut rest = text.chars();
    rest.next();
    loop {
        let offset = text.len() - rest.as_str().len();
        let fault = |what| StringError { offset, what };
        match rest.next() {
            None => return Err(StringError { offset: 0, what: "the string has no end: close it with `\"`" }),
            Some('"') => return Ok((value, text.len() - rest.as_str().len())),
            Some('\\') => value.push(read_escape(&mut rest).map_err(fault)?),
            Some(control) if control < ' ' => {
                return Err(fault("a control character in a string: write it as \\n, \\t or \\u and four hex digits"));
            }
            Some(character) => value.push(character),
        }
    }
}

/// Reads what follows a backslash.
fn read_escape(rest: &mut Chars<'_>) -> Result<char, &'static str> {
    Ok(match rest.next() {
        Some(itself @ ('"' | '\\' | '/')) => itself,
        Some('b') => '\u{8}',
        Some('f') => '\u{c}',
        Some('n') => '\n',
        Some('r') => '\r',
        Some('t') => '\t',
        Some('u') => return read_unicode(rest),
        _ => {
            return Err("expected one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u: write a backslash in a string as \\\\");
        }
    })
}

/// Reads the digits of a `\u` escape, and those of its second half where it is one of a pair.
fn read_unicode(rest: &mut Chars<'_>) -> Result<char, &'static str> {
    const ALONE: &str = "half of a surrogate pair: write both halves, \\ud83d\\ude00, or the character itself";
    let first = read_unit(rest)?;
    if !(0xd800..0xe000).contains(&first) {
        return char::from_u32(first).ok_or(ALONE);
    }
    if first >= 0xdc00 || rest.next() != Some('\\') || rest.next() != Some('u') {
        return Err(ALONE);
    }
    match read_unit(rest)? {
        second @ 0xdc00..0xe000 => char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)).ok_or(ALONE),
        _ => Err(ALONE),
    }
}

fn read_unit(rest: &mut Chars<'_>) -> Result<u32, &'static str> {
    (0..4).try_fold(0, |unit, _| {
        let digit = rest.next().and_then(|digit| digit.to_digit(16)).ok_or("expected four hex digits after \\u")?;
        Ok(unit << 4 | digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_escape_of_json_is_read() {
        let text = r#""\"\\\/\b\f\n\r\t\u00e9\uD83D\ude00 é😀" after"#;
        let (value, taken) = read_string(text).unwrap();
        assert_eq!(value, "\"\\/\u{8}\u{c}\n\r\té😀 é😀");
        assert_eq!(&text[taken..], " after");
        assert_eq!(read_string("\"\""), Ok((String::new(), 2)));
    }

    #[test]
    fn what_is_not_a_json_string_is_refused_where_it_goes_wrong() {
        for (text, offset) in [
            ("\"", 0),
            ("\"abc", 0),
            ("\"ab\ncd\"", 3),
            (r#""é\x""#, 3),
            (r#""a\"#, 2),
            (r#""a\u12"#, 2),
            (r#""a\u12g4""#, 2),
            (r#""a\u+123""#, 2),
            (r#""a\ud800""#, 2),
            (r#""a\ud800\n""#, 2),
            (r#""a\ud800\u0041""#, 2),
            (r#""a\udc00\ud800""#, 2),
        ] {
            assert_eq!(read_string(text).unwrap_err().offset, offset, "{text}");
        }
    }
}

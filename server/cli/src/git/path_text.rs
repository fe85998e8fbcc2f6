//! A path as text, and text that has to fit a bound.

use sha2::{Digest, Sha256};
use std::fmt::Write;

/// A path as text, without loss.
///
/// A path that is UTF-8 is its own text. One that is not, or that begins with a double quote, is written as git prints
/// it: in double quotes, with `\"` and `\\`, and with `\377` in octal for each byte that is no part of a character. So
/// two paths never share a text.
pub(crate) fn path_text(path: &[u8]) -> String {
    match str::from_utf8(path) {
        Ok(text) if !text.starts_with('"') => text.to_owned(),
        _ => quoted(path),
    }
}

fn quoted(path: &[u8]) -> String {
    let mut text = String::from('"');
    for chunk in path.utf8_chunks() {
        for character in chunk.valid().chars() {
            if matches!(character, '"' | '\\') {
                text.push('\\');
            }
            text.push(character);
        }
        for byte in chunk.invalid() {
            write!(text, "\\{byte:03o}").expect("writing to memory does not fail");
        }
    }
    text.push('"');
    text
}

/// `text` in at most `bytes_max` bytes: a text that is longer ends with `~` and 16 digits of its hash instead.
pub(crate) fn shortened(text: String, bytes_max: usize) -> String {
    if text.len() <= bytes_max {
        return text;
    }
    let digest = hash_digits(text.as_bytes(), 16);
    let kept = text.floor_char_boundary(bytes_max - 1 - digest.len());
    format!("{}~{digest}", &text[..kept])
}

/// The first `count` hexadecimal digits of the SHA-256 of `bytes`.
pub(crate) fn hash_digits(bytes: &[u8], count: usize) -> String {
    let mut digits = String::new();
    for byte in Sha256::digest(bytes) {
        write!(digits, "{byte:02x}").expect("writing to memory does not fail");
    }
    digits.truncate(count);
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_never_share_a_text() {
        let paths: [&[u8]; 7] =
            [b"a b", "\u{e9}".as_bytes(), b"a\\377", b"a\xff", b"\"a\\377\"", b"\xc3", b"\"a\xff\""];
        let texts: Vec<String> = paths.iter().map(|path| path_text(path)).collect();
        let expected =
            ["a b", "\u{e9}", "a\\377", "\"a\\377\"", "\"\\\"a\\\\377\\\"\"", "\"\\303\"", "\"\\\"a\\377\\\"\""];
        assert_eq!(texts, expected);
    }

    #[test]
    fn long_text_is_cut_between_characters_and_stays_distinct() {
        let [first, second] = ["x", "y"].map(|end| shortened(format!("{}{end}", "\u{e9}".repeat(600)), 1024));
        assert_ne!(first, second);
        for text in [first, second] {
            assert!((1022..=1024).contains(&text.len()), "{}", text.len());
        }
        assert_eq!(shortened("short".to_owned(), 5), "short");
    }

    #[test]
    fn the_hash_is_sha_256() {
        assert_eq!(hash_digits(b"abc", 12), "ba7816bf8f01");
    }
}

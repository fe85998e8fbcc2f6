//! Text from strangers, made fit to be shown: in logs, on terminals, on pages of an operator.

use std::fmt;

/// Shows a text whose author is not trusted: on one line, with everything that could steer a terminal or turn the
/// writing round escaped, and cut when it is long.
///
/// Escaped as in Rust are control characters (ANSI sequences begin with one), bidirectional and other format characters,
/// characters without shape, and the backslash; so what is shown can be told from what was escaped.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a>(pub &'a str);

/// How many characters are shown at most, an escaped one counting as one.
const CHARACTERS_MAX: usize = 200;

impl fmt::Display for Shown<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0.chars();
        for character in rest.by_ref().take(CHARACTERS_MAX) {
            match character {
                '"' | '\'' => fmt::Write::write_char(formatter, character)?,
                _ => fmt::Display::fmt(&character.escape_debug(), formatter)?,
            }
        }
        match rest.as_str().len() {
            0 => Ok(()),
            bytes => write!(formatter, "… ({bytes} bytes more)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        Shown(text).to_string()
    }

    #[test]
    fn ordinary_text_is_shown_as_it_is() {
        for text in ["", "accounts", "orders-17 \"x\" 'y' {z=1}", "Straße 東京 привет 🦀"] {
            assert_eq!(shown(text), text);
        }
    }

    #[test]
    fn what_steers_a_terminal_or_starts_a_line_is_escaped() {
        assert_eq!(shown("a\u{1b}[2J\u{7}b"), r"a\u{1b}[2J\u{7}b");
        assert_eq!(shown("one\r\ntwo\t\0"), r"one\r\ntwo\t\0");
        assert_eq!(shown("\u{9b}31m \u{7f} \u{85}"), r"\u{9b}31m \u{7f} \u{85}");
        assert_eq!(shown(r"\u{1b}"), r"\\u{1b}");
    }

    #[test]
    fn what_turns_the_writing_round_or_has_no_shape_is_escaped() {
        let marks = "\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}\u{200e}\u{200f}\u{61c}";
        let hidden = "\u{200b}\u{200c}\u{200d}\u{2060}\u{feff}\u{ad}\u{2028}\u{2029}\u{e0041}\u{301}";
        for character in marks.chars().chain(hidden.chars()) {
            assert_eq!(shown(&character.to_string()), format!("\\u{{{:x}}}", u32::from(character)));
        }
    }

    #[test]
    fn a_long_text_is_cut_and_says_so() {
        assert_eq!(shown(&"é".repeat(200)), "é".repeat(200));
        assert_eq!(shown(&"é".repeat(201)), format!("{}… (2 bytes more)", "é".repeat(200)));
        let flood = shown(&"\u{1b}".repeat(1 << 20));
        assert!(flood.len() < 200 * 6 + 40, "{} bytes", flood.len());
    }
}

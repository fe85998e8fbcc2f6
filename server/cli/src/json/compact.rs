//! JSON text without its insignificant white space.
//!
//! The text is not parsed into values and printed again: numbers keep their digits, strings their escapes, keys their
//! order.

use serde_json::value::RawValue;

/// Compacts `text`, when it is one JSON value.
pub(crate) fn compact_json(text: &[u8]) -> Result<Vec<u8>, serde_json::Error> {
    check_json(text)?;
    let mut out = Vec::with_capacity(text.len());
    compact(text, &mut out);
    Ok(out)
}

/// Checks that `text` is one JSON value, in UTF-8.
pub(super) fn check_json(text: &[u8]) -> Result<(), serde_json::Error> {
    serde_json::from_slice::<&RawValue>(text).map(|_| ())
}

/// Appends `text`, which is one JSON value, to `out` without the white space between its tokens.
pub(crate) fn compact(text: &[u8], out: &mut Vec<u8>) {
    // Bytes of text[run..at] are to be kept and not yet copied.
    let (mut run, mut at) = (0, 0);
    while let Some(length) = text[at..].iter().position(|byte| *byte == b'"' || *byte <= b' ') {
        at += length;
        if text[at] == b'"' {
            at = string_end(text, at);
        } else {
            out.extend_from_slice(&text[run..at]);
            at += 1;
            run = at;
        }
    }
    out.extend_from_slice(&text[run..]);
}

/// Where the string that begins at `start` ends, its closing quote included.
fn string_end(text: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(length) = memchr::memchr2(b'"', b'\\', text.get(at..).unwrap_or_default()) {
        at += length;
        if text[at] == b'"' {
            return at + 1;
        }
        at += 2;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compacted(text: &str) -> String {
        let bytes = compact_json(text.as_bytes()).expect("the text is JSON");
        String::from_utf8(bytes).expect("compaction keeps UTF-8")
    }

    #[test]
    fn white_space_goes_and_everything_else_stays() {
        assert_eq!(compacted(" { \"b\" : 1.50e+3 ,\r\n\t\"a\":[ 1, 2 ] } "), "{\"b\":1.50e+3,\"a\":[1,2]}");
        assert_eq!(compacted("123456789012345678901234567890.10"), "123456789012345678901234567890.10");
        assert_eq!(compacted("{\"b\":1,\"a\":2,\"b\":3}"), "{\"b\":1,\"a\":2,\"b\":3}");
        assert_eq!(compacted("[]"), "[]");
    }

    #[test]
    fn strings_keep_their_spaces_quotes_and_escapes() {
        for text in
            [r#""a b  c""#, r#""a \" b \\""#, r#""\\""#, r#"["\\ "," \"",""]"#, "\"é \u{2028}\"", r#""\ud800 ""#]
        {
            assert_eq!(compacted(text), text);
        }
        assert_eq!(compacted("{\" k \" : \" v\\\\\" , \"n\" : null}"), "{\" k \":\" v\\\\\",\"n\":null}");
    }

    #[test]
    fn what_is_not_one_value_is_refused() {
        for text in ["", " ", "{", "1 2", "{\"a\":}", "nul", "\"a\nb\"", "'a'"] {
            assert!(compact_json(text.as_bytes()).is_err(), "{text:?}");
        }
        assert!(compact_json(b"\"\xff\"").is_err());
    }

    #[test]
    fn deep_nesting_does_not_exhaust_the_stack() {
        let depth = 200_000;
        let text = "[".repeat(depth) + &"]".repeat(depth);
        assert_eq!(compacted(&text), text);
    }
}

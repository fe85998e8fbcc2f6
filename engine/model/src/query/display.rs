//! Queries as text, which always reads back as the same query.
//!
//! A value that holds a character with a meaning of its own, or one that cannot be seen, is written as a JSON string;
//! what cannot be seen is escaped, so that the text is one line and shows what it is.

use super::{Query, QueryItem};
use std::fmt::{self, Display, Formatter, Write};

impl Display for Query {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        for (ordinal, item) in self.items().iter().enumerate() {
            if ordinal > 0 {
                formatter.write_str(" | ")?;
            }
            item.fmt(formatter)?;
        }
        Ok(())
    }
}

impl Display for QueryItem {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return formatter.write_char('*');
        }
        let mut separator = "";
        for (ordinal, event_type) in self.types.iter().enumerate() {
            formatter.write_str(if ordinal == 0 { "type=" } else { "," })?;
            write_value(formatter, event_type.as_str())?;
            separator = " ";
        }
        let tags = self.tags.iter().map(|tag| ("tag=", tag.as_str()));
        let stream = self.stream.iter().map(|stream| ("stream=", stream.as_str()));
        let category = self.category.iter().map(|category| ("category=", category.as_str()));
        for (key, value) in tags.chain(stream).chain(category) {
            formatter.write_str(separator)?;
            formatter.write_str(key)?;
            write_value(formatter, value)?;
            separator = " ";
        }
        Ok(())
    }
}

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

fn write_value(formatter: &mut Formatter<'_>, value: &str) -> fmt::Result {
    if value.chars().all(is_plain) {
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

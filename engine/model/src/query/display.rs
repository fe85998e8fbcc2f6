//! Queries as text, which always reads back as the same query.
//!
//! A value that holds a character with a meaning of its own, or one that cannot be seen, is written as a JSON string.

use super::json_string::write_value;
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

//! Queries from text.
//!
//! ```text
//!  query   item | item | ...
//!  item    *                          every event
//!          term term ...              all of them
//!  term    type=VALUE,VALUE,...       at most one
//!          tag=VALUE                  any number
//!          stream=VALUE               at most one
//!          category=VALUE             at most one
//!  value   anything without white space , | " = and what cannot be seen, or a JSON string
//! ```
//!
//! Each character is looked at a fixed number of times, so that hostile text costs no more than its length.

use super::json_string::{is_plain, read_string};
use super::{Query, QueryItem};
use crate::limits::{QUERY_ITEMS_MAX, QUERY_TERMS_MAX};
use crate::{Category, EventType, NameError, StreamName, Tag};
use std::borrow::Cow;
use std::str::FromStr;
use thiserror::Error;

/// Where a text is not a query, and what is expected there.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("column {column}: {what}")]
pub struct QueryTextError {
    /// The column, in characters from 1.
    pub column: usize,
    /// What is wrong and what to write instead.
    pub what: String,
}

impl FromStr for Query {
    type Err = QueryTextError;

    fn from_str(text: &str) -> Result<Self, QueryTextError> {
        let mut parser = Parser { text, at: 0, term_count: 0 };
        parser.query().map_err(|fault| QueryTextError {
            column: text[..fault.at].chars().count() + 1,
            what: fault.what.into_owned(),
        })
    }
}

const TERMS: &str = "type=, tag=, stream=, category=, or * for every event";

/// What is wrong at a byte of the text.
struct Fault {
    at: usize,
    what: Cow<'static, str>,
}

struct Parser<'a> {
    text: &'a str,
    /// Everything before this byte has been read; it is the first of a character.
    at: usize,
    term_count: usize,
}

impl<'a> Parser<'a> {
    fn query(&mut self) -> Result<Query, Fault> {
        let mut items = Vec::new();
        loop {
            self.skip_spaces();
            if items.len() == QUERY_ITEMS_MAX {
                let advice = "give a tag to what belongs together and ask for that";
                return self.fault(format!("more than {QUERY_ITEMS_MAX} items: {advice}"));
            }
            items.push(self.item()?);
            // An item ends at the end or before a bar.
            if self.peek().is_none() {
                break;
            }
            self.at += 1;
        }
        Query::new(items).map_err(|error| Fault { at: 0, what: error.to_string().into() })
    }

    /// One item and the white space after it.
    fn item(&mut self) -> Result<QueryItem, Fault> {
        let mut item = QueryItem::new();
        if self.peek() == Some('*') {
            self.at += 1;
            self.skip_spaces();
            return match self.peek() {
                None | Some('|') => Ok(item),
                Some(_) => self.fault("`*` stands alone, it is every event: leave it or what follows it out"),
            };
        }
        loop {
            self.term(&mut item)?;
            let spaces = self.skip_spaces();
            match self.peek() {
                None | Some('|') => return Ok(item),
                Some(_) if spaces > 0 => {}
                Some(found) => return self.fault(after_value(found)),
            }
        }
    }

    fn term(&mut self, item: &mut QueryItem) -> Result<(), Fault> {
        let start = self.at;
        let key = self.plain();
        let is_second = match key {
            "type" => !item.types.is_empty(),
            "stream" => item.stream.is_some(),
            "category" => item.category.is_some(),
            "tag" => false,
            "" => return self.fault(format!("expected a term: {TERMS}")),
            _ => {
                let shown: String = key.chars().take(40).collect();
                return Err(Fault { at: start, what: format!("{shown:?} is no term: expected {TERMS}").into() });
            }
        };
        if is_second {
            return Err(Fault { at: start, what: second(key).into() });
        }
        if self.peek() != Some('=') {
            return self.fault(format!("expected `=` right after `{key}`"));
        }
        self.at += 1;
        match key {
            "type" => self.types(item),
            "stream" => self.value(key, StreamName::new).map(|stream| item.stream = Some(stream)),
            "category" => self.value(key, Category::new).map(|category| item.category = Some(category)),
            _ => self.value(key, Tag::new).map(|tag| item.tags.push(tag)),
        }
    }

    fn types(&mut self, item: &mut QueryItem) -> Result<(), Fault> {
        loop {
            item.types.push(self.value("type", EventType::new)?);
            match self.peek() {
                Some(',') => self.at += 1,
                _ => return Ok(()),
            }
        }
    }

    /// A value, made into a name.
    fn value<N>(&mut self, key: &str, name: impl FnOnce(String) -> Result<N, NameError>) -> Result<N, Fault> {
        let start = self.at;
        if self.term_count == QUERY_TERMS_MAX {
            let advice = "give a tag to what belongs together and ask for that";
            return self.fault(format!("more than {QUERY_TERMS_MAX} terms: {advice}"));
        }
        self.term_count += 1;
        let value = if self.peek() == Some('"') {
            let (value, taken) = read_string(&self.text[start..])
                .map_err(|error| Fault { at: start + error.offset, what: error.what.into() })?;
            self.at += taken;
            value
        } else {
            self.plain().to_owned()
        };
        if self.at == start {
            return match self.peek() {
                Some(found) if !matches!(found, ',' | '|' | '=') && !is_space(found) => self.fault(after_value(found)),
                _ => self.fault(format!("expected a value right after `{key}=` and after each comma")),
            };
        }
        name(value).map_err(|error| Fault { at: start, what: error.to_string().into() })
    }

    /// The characters from here on that stand for themselves.
    fn plain(&mut self) -> &'a str {
        let rest = &self.text[self.at..];
        let length = rest.find(|character| !is_plain(character)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    /// Passes white space over; returns how many bytes.
    fn skip_spaces(&mut self) -> usize {
        let rest = &self.text[self.at..];
        let length = rest.find(|character| !is_space(character)).unwrap_or(rest.len());
        self.at += length;
        length
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn fault<T>(&self, what: impl Into<Cow<'static, str>>) -> Result<T, Fault> {
        Err(Fault { at: self.at, what: what.into() })
    }
}

/// White space between terms. Other white space, such as one that does not break, is more likely meant as part of a name.
fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r')
}

fn after_value(found: char) -> String {
    let code = u32::from(found);
    match found {
        ',' => "a comma stands between types only: write a value that holds one as a JSON string, \"a,b\"".to_owned(),
        '=' | '"' => format!("write a value that holds `{found}` as a JSON string, \"...\", in which `\"` is \\\""),
        _ => format!(
            "U+{code:04X} cannot stand here by itself: write the value as a JSON string, \"...\\u{code:04x}...\""
        ),
    }
}

fn second(key: &str) -> &'static str {
    match key {
        "type" => "a second `type=` in one item: write type=A,B for either type",
        "stream" => "a second `stream=` in one item, but an event has one stream: write ` | ` between alternatives",
        _ => "a second `category=` in one item, but an event has one category: write ` | ` between alternatives",
    }
}

#[cfg(test)]
#[path = "text_test.rs"]
mod tests;

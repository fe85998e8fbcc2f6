//! One value in the tree of settings: taking what was given, refusing what is not allowed, and showing what is there.
//!
//! What must stay true: a value that [`Slot::set`] took is shown by [`Slot::value`] in a form that it takes again; and a
//! text that looks like a secret is neither taken as a path nor repeated.

use super::log_settings::{LogFormat, LogLevel};
use super::secret_file::{is_secret, without_secrets};
use std::fmt;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

/// A place in the tree, with what may be put there.
pub(super) enum Slot<'a> {
    Path(&'a mut Option<PathBuf>),
    Address(&'a mut SocketAddr),
    AddressOrNone(&'a mut Option<SocketAddr>),
    Switch(&'a mut bool),
    Count(&'a mut usize, RangeInclusive<usize>),
    Milliseconds(&'a mut u64, RangeInclusive<u64>),
    Format(&'a mut LogFormat),
    Level(&'a mut LogLevel),
}

/// What a source says.
pub(super) enum Given {
    /// From the environment or a flag: everything is text there.
    Untyped(String),
    /// A string of the file.
    Text(String),
    /// An integer of the file; none, when it is below 0 or beyond 64 bits.
    Integer { text: String, value: Option<u64> },
    /// A boolean of the file.
    Switch(bool),
    /// Something of the file that no setting is.
    Other(&'static str),
}

/// The value of a setting; as text, the way a settings file says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Not set; an empty text in a file.
    None,
    /// A path, an address or a word.
    Text(String),
    /// A count, a size or a time.
    Number(u64),
    /// Yes or no.
    Switch(bool),
}

impl Slot<'_> {
    /// Puts a value in; says what is allowed when it does not fit.
    pub(super) fn set(&mut self, given: &Given) -> Result<(), String> {
        let fits = match self {
            Self::Path(place) => put(*place, given.text().filter(|text| !is_secret(text)).map(path_or_none)),
            Self::Address(place) => put(*place, given.text().and_then(|text| text.parse().ok())),
            Self::AddressOrNone(place) => put(*place, given.text().and_then(address_or_none)),
            Self::Switch(place) => put(*place, given.switch()),
            Self::Count(place, allowed) => {
                let count = given.integer().and_then(|value| usize::try_from(value).ok());
                put(*place, count.filter(|count| allowed.contains(count)))
            }
            Self::Milliseconds(place, allowed) => put(*place, given.integer().filter(|value| allowed.contains(value))),
            Self::Format(place) => put(*place, given.word(&LogFormat::WORDS)),
            Self::Level(place) => put(*place, given.word(&LogLevel::WORDS)),
        };
        if fits { Ok(()) } else { Err(self.allowed()) }
    }

    pub(super) fn value(&self) -> Value {
        match self {
            Self::Path(place) => {
                place.as_deref().map_or(Value::None, |path| Value::Text(path.to_string_lossy().into_owned()))
            }
            Self::Address(place) => Value::Text(place.to_string()),
            Self::AddressOrNone(place) => place.map_or(Value::None, |address| Value::Text(address.to_string())),
            Self::Switch(place) => Value::Switch(**place),
            Self::Count(place, _) => Value::Number(**place as u64),
            Self::Milliseconds(place, _) => Value::Number(**place),
            Self::Format(place) => Value::Text(place.to_string()),
            Self::Level(place) => Value::Text(place.to_string()),
        }
    }

    fn allowed(&self) -> String {
        match self {
            Self::Path(_) => "a path, not what stands in the file".to_owned(),
            Self::Address(_) => "an IP address and a port, such as \"127.0.0.1:4701\" or \"[::1]:4701\"".to_owned(),
            Self::AddressOrNone(_) => {
                "an IP address and a port, such as \"127.0.0.1:4703\", or \"\" for none".to_owned()
            }
            Self::Switch(_) => "true or false".to_owned(),
            Self::Count(_, allowed) => format!("a whole number from {} to {}", allowed.start(), allowed.end()),
            Self::Milliseconds(_, allowed) => {
                format!("a whole number of milliseconds from {} to {}", allowed.start(), allowed.end())
            }
            Self::Format(_) => one_of(&LogFormat::WORDS),
            Self::Level(_) => one_of(&LogLevel::WORDS),
        }
    }
}

impl Given {
    fn text(&self) -> Option<&str> {
        match self {
            Self::Untyped(text) | Self::Text(text) => Some(text),
            _ => None,
        }
    }

    fn integer(&self) -> Option<u64> {
        match self {
            Self::Untyped(text) => text.parse().ok(),
            Self::Integer { value, .. } => *value,
            _ => None,
        }
    }

    fn switch(&self) -> Option<bool> {
        match self {
            Self::Untyped(text) => text.parse().ok(),
            Self::Switch(switch) => Some(*switch),
            _ => None,
        }
    }

    fn word<T: Copy>(&self, words: &[(&str, T)]) -> Option<T> {
        let text = self.text()?;
        words.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning)
    }
}

impl fmt::Display for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Untyped(text) | Self::Text(text) => write!(f, "{:?}", without_secrets(text)),
            Self::Integer { text, .. } => f.write_str(text),
            Self::Switch(switch) => switch.fmt(f),
            Self::Other(what) => f.write_str(what),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("\"\""),
            // A JSON string is a TOML string too, but for one control character.
            Self::Text(text) => {
                let quoted = serde_json::Value::from(text.as_str()).to_string();
                f.write_str(&quoted.replace('\u{7f}', "\\u007f"))
            }
            Self::Number(number) => number.fmt(f),
            Self::Switch(switch) => switch.fmt(f),
        }
    }
}

impl serde::Serialize for Value {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::None => serializer.serialize_none(),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Number(number) => serializer.serialize_u64(*number),
            Self::Switch(switch) => serializer.serialize_bool(*switch),
        }
    }
}

fn put<T>(place: &mut T, value: Option<T>) -> bool {
    value.map(|value| *place = value).is_some()
}

fn path_or_none(text: &str) -> Option<PathBuf> {
    (!text.is_empty()).then(|| Path::new(text).to_owned())
}

/// An empty text is no address; what cannot be read as one is neither.
fn address_or_none(text: &str) -> Option<Option<SocketAddr>> {
    if text.is_empty() { Some(None) } else { text.parse().ok().map(Some) }
}

fn one_of<T>(words: &[(&str, T)]) -> String {
    let words: Vec<String> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
    words.join(" or ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_of_a_text_comes_back_from_what_is_shown() {
        let every: String = (0..=0x180).chain([0x2028, 0xfeff, 0x1f600]).filter_map(char::from_u32).collect();
        let shown = format!("key = {}", Value::Text(every.clone()));
        let read = toml::de::DeTable::parse(&shown).unwrap();
        assert_eq!(read.get_ref()["key"].get_ref().as_str(), Some(every.as_str()));
    }
}

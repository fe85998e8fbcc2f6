//! The four sources put together.
//!
//! What must stay true: a later source wins key by key, and the origin of a key is the source whose value it has.

use super::check;
use super::environment;
use super::error::SettingsError;
use super::file;
use super::hint::hint;
use super::key::{KEYS, Key};
use super::origin::Origin;
use super::secret_file::without_secrets;
use super::settings::Settings;
use super::slot::{Given, Value};
use std::ffi::OsString;
use std::path::Path;

/// The settings, and where each came from.
#[derive(Clone, Debug)]
pub struct Loaded {
    settings: Settings,
    /// Of every key, in the order of the table.
    origins: Vec<Origin>,
}

/// One setting, as it is shown.
#[derive(Clone, Debug)]
pub struct Row<'a> {
    /// The key, its section before a dot.
    pub key: &'static str,
    /// What it is.
    pub value: Value,
    /// Who said so.
    pub origin: &'a Origin,
}

impl Loaded {
    pub(super) fn from_sources(
        file: Option<&Path>,
        environment: impl Iterator<Item = (OsString, OsString)>,
        flags: &[(&str, String)],
    ) -> Result<Self, SettingsError> {
        let mut loaded = Self { settings: Settings::default(), origins: vec![Origin::Default; KEYS.len()] };
        if let Some(path) = file {
            for entry in file::entries(path)? {
                let origin = Origin::File { path: path.display().to_string(), line: entry.line };
                loaded.put_named(&entry.key, &entry.given, origin)?;
            }
        }
        for (index, given, name) in environment::entries(environment)? {
            loaded.put(index, &given, Origin::Environment(name))?;
        }
        for (key, value) in flags {
            loaded.put_named(key, &Given::Untyped(value.clone()), Origin::Flag(flag(key)))?;
        }
        check::together(&loaded)?;
        Ok(loaded)
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The settings, without where they came from.
    #[must_use]
    pub fn into_settings(self) -> Settings {
        self.settings
    }

    /// Every setting with its origin, in the order of a settings file: `key = value` of each row is one that loads.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        let mut settings = self.settings.clone();
        KEYS.iter().zip(&self.origins).map(move |(key, origin)| Row {
            key: key.name,
            value: (key.slot)(&mut settings).value(),
            origin,
        })
    }

    /// Where the value of a key came from.
    pub(super) fn origin(&self, key: &str) -> Origin {
        Key::index(key).map_or(Origin::Default, |index| self.origins[index].clone())
    }

    fn put_named(&mut self, key: &str, given: &Given, origin: Origin) -> Result<(), SettingsError> {
        let Some(index) = Key::index(key) else { return Err(unknown(key, given, origin)) };
        self.put(index, given, origin)
    }

    fn put(&mut self, index: usize, given: &Given, origin: Origin) -> Result<(), SettingsError> {
        let key = &KEYS[index];
        match (key.slot)(&mut self.settings).set(given) {
            Ok(()) => {
                self.origins[index] = origin;
                Ok(())
            }
            Err(allowed) => {
                Err(SettingsError::Value { origin, key: key.name.to_owned(), found: given.to_string(), allowed })
            }
        }
    }
}

/// A flag the way it is written: most settings have none of their own.
fn flag(key: &str) -> String {
    match key {
        "dir" | "append" | "read" | "http" | "insecure" => format!("--{key}"),
        "log.format" => "--log-format".to_owned(),
        _ => format!("--set {}", without_secrets(key)),
    }
}

fn unknown(key: &str, given: &Given, origin: Origin) -> SettingsError {
    if Key::is_section(key) {
        let allowed = format!("a section: [{key}] on a line of its own, its keys below");
        return SettingsError::Value { origin, key: key.to_owned(), found: given.to_string(), allowed };
    }
    let hint = hint(key, KEYS.iter().map(|key| key.name).chain(Key::sections()));
    SettingsError::UnknownKey { origin, key: without_secrets(key).to_owned(), hint }
}

//! The variables of the environment that are settings.

use super::error::SettingsError;
use super::hint::hint;
use super::key::{ENVIRONMENT_PREFIX, KEYS, Key};
use super::origin::Origin;
use super::secret_file::without_secrets;
use super::slot::Given;
use std::ffi::OsString;

/// What speaks to the client, and is no business of the server.
const OF_THE_CLIENT: [&str; 2] = ["GESTA_STORE", "GESTA_TOKEN"];

/// The settings among the variables: the place of each key, what is given, and the name of the variable.
pub(super) fn entries(
    environment: impl Iterator<Item = (OsString, OsString)>,
) -> Result<Vec<(usize, Given, String)>, SettingsError> {
    let variables: Vec<String> = KEYS.iter().map(Key::variable).collect();
    let mut entries = Vec::new();
    for (name, value) in environment {
        let name = name.to_string_lossy();
        if !name.starts_with(ENVIRONMENT_PREFIX) || OF_THE_CLIENT.contains(&&*name) {
            continue;
        }
        let index =
            variables.iter().position(|variable| *variable == name).ok_or_else(|| unknown(&name, &variables))?;
        let text = value.into_string().map_err(|_| SettingsError::Value {
            origin: Origin::Environment(name.to_string()),
            key: KEYS[index].name.to_owned(),
            found: "bytes that are no text".to_owned(),
            allowed: "text in UTF-8".to_owned(),
        })?;
        entries.push((index, Given::Untyped(text), name.into_owned()));
    }
    Ok(entries)
}

fn unknown(name: &str, variables: &[String]) -> SettingsError {
    SettingsError::UnknownKey {
        origin: Origin::Environment("environment".to_owned()),
        key: without_secrets(name).to_owned(),
        hint: hint(name, variables.iter().map(String::as_str)),
    }
}

//! `gesta config`: the settings that a server would have, each with where it came from.
//!
//! What is printed without `--origin` is a settings file that gives the same settings.

use crate::context::Context;
use crate::failure::{Failure, OneLine, Status, remark};
use crate::output::Output;
use crate::verbs::server_settings::ServerSettings;
use gesta_server::settings::{Loaded, Row, Value};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

/// What to do.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Verb {
    /// Print every setting with its value, as a settings file
    Show(Show),
    /// Say what is wrong with the settings, if anything is
    Check(Check),
}

/// What `config show` is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Show {
    /// Where each value came from: the default, a line of the file, a variable or a flag
    #[arg(long)]
    origin: bool,
    #[command(flatten)]
    settings: ServerSettings,
}

/// What `config check` is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Check {
    #[command(flatten)]
    settings: ServerSettings,
}

/// Loads the settings as `serve` would and prints them, or says nothing when all is well.
pub(crate) fn run(verb: &Verb, context: &Context) -> Result<Status, Failure> {
    match verb {
        Verb::Show(Show { origin, settings }) => show(&settings.load(context)?, *origin, context)?,
        Verb::Check(Check { settings }) => {
            settings.load(context)?.settings().directory()?;
            remark(context.is_json, "the settings are good");
        }
    }
    Ok(Status::Done)
}

fn show(loaded: &Loaded, has_origin: bool, context: &Context) -> Result<(), Failure> {
    let mut output = Output::lock();
    if context.is_json {
        output.json(&Object { loaded, has_origin })?;
    } else if has_origin {
        print_origins(loaded, &mut output)?;
    } else {
        for Row { key, value, .. } in loaded.rows() {
            output.text(&format!("{key} = {value}"))?;
        }
    }
    output.flush()
}

/// A line each: the setting, then where it came from, as the comment of a settings file.
fn print_origins(loaded: &Loaded, output: &mut Output) -> Result<(), Failure> {
    let settings: Vec<String> = loaded.rows().map(|row| format!("{} = {}", row.key, row.value)).collect();
    let width = settings.iter().map(|setting| setting.chars().count()).max().unwrap_or(0);
    for (setting, row) in settings.iter().zip(loaded.rows()) {
        output.text(&format!("{setting:width$}  # {}", OneLine(&row.origin.to_string())))?;
    }
    Ok(())
}

/// All settings as one object: `{KEY: VALUE}`, or `{KEY: {"value", "origin"}}`.
struct Object<'a> {
    loaded: &'a Loaded,
    has_origin: bool,
}

/// A value, and where it came from.
#[derive(Serialize)]
struct WithOrigin {
    value: Value,
    origin: String,
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for Row { key, value, origin } in self.loaded.rows() {
            if self.has_origin {
                map.serialize_entry(key, &WithOrigin { value, origin: origin.to_string() })?;
            } else {
                map.serialize_entry(key, &value)?;
            }
        }
        map.end()
    }
}

//! `gesta streams`, `types`, `categories` and `tags`: the names that events have.

use crate::context::Context;
use crate::failure::{Failure, OneLine, Status};
use crate::output::Output;
use gesta::{EventReader, NameCount, NameKind};
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::io::{IsTerminal, Write as _};

/// The arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Only names that begin with this
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    prefix: String,
}

/// Prints the names of a kind, in the order of their bytes.
pub(crate) fn run(kind: NameKind, arguments: &Arguments, context: &Context) -> Result<Status, Failure> {
    let names = context.open_reader()?.names(kind, &arguments.prefix)?;
    let mut output = Output::lock();
    if context.is_json {
        for name in &names {
            output.json(&NameForm { kind, name })?;
        }
    } else {
        print(kind, &names, &mut output)?;
    }
    output.flush()?;
    Ok(Status::Done)
}

/// One line a name; on a terminal below a line that says what the columns are.
fn print(kind: NameKind, names: &[NameCount], output: &mut Output) -> Result<(), Failure> {
    if std::io::stdout().is_terminal() && !names.is_empty() {
        let revision = if kind == NameKind::Stream { "  revision" } else { "" };
        output.text(&format!("{:>8}  {:>8}{revision}  {}", "events", "last at", word(kind)))?;
    }
    names.iter().try_for_each(|name| output.line(|out| write_row(out, name)))
}

fn write_row(out: &mut Vec<u8>, name: &NameCount) {
    let revision = name.last_revision.map_or_else(String::new, |revision| format!("  {:>8}", revision.0));
    write!(out, "{:>8}  {:>8}{revision}  {}", name.count, name.last.0, OneLine(&name.name))
        .expect("writing to memory does not fail");
}

/// What a name of a kind is called.
fn word(kind: NameKind) -> &'static str {
    match kind {
        NameKind::Stream => "stream",
        NameKind::Category => "category",
        NameKind::Type => "type",
        NameKind::Tag => "tag",
    }
}

/// A name in its JSON form: `{"stream", "events", "last", "revision"}`; the revision is of streams alone.
struct NameForm<'a> {
    kind: NameKind,
    name: &'a NameCount,
}

impl Serialize for NameForm<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry(word(self.kind), &self.name.name)?;
        map.serialize_entry("events", &self.name.count)?;
        map.serialize_entry("last", &self.name.last.0)?;
        if let Some(revision) = self.name.last_revision {
            map.serialize_entry("revision", &revision.0)?;
        }
        map.end()
    }
}

//! What the command line asks for.

use std::ffi::OsString;
use std::path::PathBuf;

/// How the program is called.
const USAGE: &str = "usage: repository [STORE] [--history NDJSON_GZ] [--database FILE] [--tree FILE] [--chart SVG]";

/// What is to be folded, into what, and what is asked of it.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Options {
    /// The directory of the store; a temporary one, unless given.
    pub(crate) store: Option<PathBuf>,
    /// What an empty store is filled with.
    pub(crate) history: Option<PathBuf>,
    /// The database; `STORE.sqlite`, unless given.
    pub(crate) database: Option<PathBuf>,
    /// The tree to compare with, a line `blob TAB path` a file.
    pub(crate) tree: Option<PathBuf>,
    /// Where the chart goes.
    pub(crate) chart: Option<PathBuf>,
}

impl Options {
    /// Reads arguments; the error says what is wrong with them, and how the program is called.
    pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, String> {
        Self::read(arguments).map_err(|error| format!("{error}\n{USAGE}"))
    }

    fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, String> {
        let mut options = Self::default();
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let name = argument.to_string_lossy().into_owned();
            let place = match name.as_str() {
                "--history" => &mut options.history,
                "--database" => &mut options.database,
                "--tree" => &mut options.tree,
                "--chart" => &mut options.chart,
                _ if name.starts_with('-') => return Err(format!("there is no option {name}")),
                _ => &mut options.store,
            };
            let value = if name.starts_with('-') { arguments.next() } else { Some(argument) };
            let value = value.ok_or_else(|| format!("{name} needs a value"))?;
            if place.replace(value.into()).is_some() {
                return Err(format!("{name} is one too many"));
            }
        }
        Ok(options)
    }
}

//! The settings of a server, as the verbs that need them are told: a file, the environment, flags.

use crate::context::Context;
use crate::failure::{Failure, Status};
use gesta_server::settings::{Loaded, Settings, SettingsError};
use std::path::PathBuf;

/// Where settings come from, beside the environment.
#[derive(Debug, clap::Args)]
pub(crate) struct Sources {
    /// The file of settings, in TOML
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Sets any setting, such as limits.idle_timeout_ms=5000; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<String>,
}

/// Everything that a server may be told on its command line.
#[derive(Debug, clap::Args)]
pub(crate) struct ServerSettings {
    /// The directory that the stores lie in; `--store DIR` means the same
    #[arg(long, value_name = "DIR")]
    dir: Option<String>,
    /// Where the append plane listens [default: 127.0.0.1:4701]
    #[arg(long, value_name = "ADDRESS")]
    append: Option<String>,
    /// Where the read plane listens [default: 127.0.0.1:4702]
    #[arg(long, value_name = "ADDRESS")]
    read: Option<String>,
    /// Where the operator's pages are: /livez, /readyz, /metrics, /snapshot [default: nowhere]
    #[arg(long, value_name = "ADDRESS")]
    http: Option<String>,
    /// Allows plain text beyond this machine
    #[arg(long)]
    insecure: bool,
    /// The form of the log on standard error: text or json
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<String>,
    #[command(flatten)]
    sources: Sources,
}

impl Sources {
    /// The settings from all sources, `flags` and then `--set` having the last word.
    pub(crate) fn load<'a>(&'a self, mut flags: Vec<(&'a str, String)>) -> Result<Loaded, Failure> {
        for setting in &self.settings {
            let Some((key, value)) = setting.split_once('=') else {
                return Err(Failure::usage("--set: write KEY=VALUE, such as limits.idle_timeout_ms=5000"));
            };
            flags.push((key, value.to_owned()));
        }
        Settings::load(self.config.as_deref(), std::env::vars_os(), &flags).map_err(Failure::from)
    }
}

impl ServerSettings {
    /// The settings from all their sources.
    pub(crate) fn load(&self, context: &Context) -> Result<Loaded, Failure> {
        let Self { dir, append, read, http, insecure, log_format, sources } = self;
        let given = [
            ("dir", dir.clone().or_else(|| directory(context))),
            ("append", append.clone()),
            ("read", read.clone()),
            ("http", http.clone()),
            ("insecure", insecure.then(|| "true".to_owned())),
            ("log.format", log_format.clone()),
        ];
        sources.load(given.into_iter().filter_map(|(key, value)| Some((key, value?))).collect())
    }
}

/// The directory that the verb was told of as its store. The address of a server, which may stand in the environment for the
/// sake of clients, is none.
fn directory(context: &Context) -> Option<String> {
    let store = context.store.as_ref()?.to_str()?;
    (!store.is_empty() && !store.starts_with("gesta://")).then(|| store.to_owned())
}

impl From<SettingsError> for Failure {
    fn from(error: SettingsError) -> Self {
        Self::new(Status::Usage, "settings", error.to_string())
    }
}

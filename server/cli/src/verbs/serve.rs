//! `gesta serve`: the server, until it is told to stop.

use crate::context::Context;
use crate::failure::{Failure, Status};
use crate::output::Output;
use crate::verbs::server_settings::ServerSettings;
use gesta_server::operator::{self, Logs};
use gesta_server::settings::{LogFormat, LogSettings, Settings};
use gesta_server::{Addresses, Server, StartError, StopReport};
use sd_notify::NotifyState;
use serde::Serialize;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::time::Duration;

/// What `serve` is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    settings: ServerSettings,
}

/// What is printed when the server is ready.
#[derive(Serialize)]
struct Ready {
    #[serde(flatten)]
    addresses: Addresses,
    pid: u32,
}

/// How long the last lines of the log are waited for.
const LOG_PATIENCE: Duration = Duration::from_secs(1);

/// Serves until a signal says to stop.
pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<Status, Failure> {
    let settings = arguments.settings.load(context)?.into_settings();
    settings.directory()?;
    let logs = start_logs(&settings.log)?;
    let is_json = settings.log.format == LogFormat::Json;
    let served = serve(settings);
    // Why it ends is the last line, behind all that was logged.
    logs.flush(LOG_PATIENCE);
    match served {
        Err(failure) if is_json => Ok(failure.report(is_json)),
        served => served,
    }
}

fn serve(settings: Settings) -> Result<Status, Failure> {
    // Before anything is served, so that no signal comes too early.
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM])
        .map_err(|error| Failure::new(Status::Refused, "signals", format!("cannot watch for signals: {error}")))?;
    let server = Server::start(settings).map_err(Failure::from)?;
    tell_addresses(server.addresses());
    notify(NotifyState::Ready);
    for signal in &mut signals {
        if signal != SIGHUP {
            break;
        }
        notify(NotifyState::Reloading);
        server.reload();
        notify(NotifyState::Ready);
    }
    notify(NotifyState::Stopping);
    // Whoever signals again has no time to wait.
    std::thread::spawn(move || {
        if signals.forever().any(|signal| signal != SIGHUP) {
            std::process::exit(128 + SIGTERM);
        }
    });
    outcome(&server.stop())
}

/// What is said of a stop.
fn outcome(report: &StopReport) -> Result<Status, Failure> {
    if let Some(store) = report.unfinished.first() {
        let message = format!(
            "the store {:?} was not closed in time: what was acknowledged as durable is safe; look after its disk, or raise \
             limits.stop_timeout_ms",
            store.as_str()
        );
        return Err(Failure::new(Status::Refused, "close_timeout", message));
    }
    match report.failed.first() {
        None => Ok(Status::Done),
        Some((store, error)) => {
            let message = format!("the store {:?}: {error}", store.as_str());
            Err(Failure::new(Status::Refused, "close", message))
        }
    }
}

fn start_logs(settings: &LogSettings) -> Result<Logs, Failure> {
    operator::start(settings)
        .map_err(|error| Failure::new(Status::Refused, "log", format!("cannot start the log: {error}")))
}

/// Says where the server listens, to whoever started it. A server does not depend on what became of that.
fn tell_addresses(addresses: Addresses) {
    let mut output = Output::lock();
    let told = output.json(&Ready { addresses, pid: std::process::id() }).and_then(|()| output.flush());
    if let Err(failure) = told {
        tracing::warn!(%failure, "nobody could be told on standard output that the server is ready");
    }
}

/// Tells the service manager, if there is one.
fn notify(state: NotifyState<'_>) {
    // A service manager that cannot be told is its own affair.
    let _ = sd_notify::notify(false, &[state]);
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        let (status, code) = match &error {
            StartError::Settings(_) | StartError::Tokens(_) | StartError::Tls(_) => (Status::Usage, "settings"),
            StartError::Listen { .. } => (Status::Unreachable, "listen"),
            StartError::Stores(_) => (Status::Unreachable, "store_open"),
            _ => (Status::Refused, "start"),
        };
        Self::new(status, code, format!("cannot start the server: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_that_left_a_store_open_is_told_by_the_exit_status() {
        assert!(matches!(outcome(&StopReport::default()), Ok(Status::Done)));
        let report = StopReport { unfinished: vec!["orders".parse().unwrap()], ..StopReport::default() };
        let Err(Failure::Told { status, code, message }) = outcome(&report) else { panic!("it is told") };
        assert_eq!((status, code), (Status::Refused, "close_timeout"));
        assert!(message.contains("\"orders\" was not closed in time"), "{message}");
    }
}

//! The server's log: one line an event, on standard error.

use super::line_queue::LineQueue;
use crate::observe::{self, Shown};
use crate::settings::{LogFormat, LogLevel, LogSettings};
use std::io::{self, IsTerminal};
use std::panic::PanicHookInfo;
use std::time::Duration;
use thiserror::Error;
use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt;

/// The log as it is running.
#[derive(Clone, Debug)]
pub struct Logs {
    queue: LineQueue,
}

/// The log could not be started.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// A process has one log.
    #[error("this process writes a log already: start it once")]
    Twice,
    /// There is no thread for it.
    #[error("no thread could be started for the log: {0}")]
    Thread(#[from] io::Error),
}

/// Starts the log of this process; panics are logged from now on as well.
///
/// Whoever logs never waits: lines that standard error does not take in time are dropped, and counted in the next line
/// that it takes.
pub fn start(settings: &LogSettings) -> Result<Logs, StartError> {
    let (format, level) = (settings.format, filter(settings.level));
    let queue = LineQueue::start(io::stderr(), move |count| dropped_line(format, count))?;
    let is_terminal = io::stderr().is_terminal();
    subscriber(format, level, is_terminal, queue.clone()).try_init().map_err(|_| StartError::Twice)?;
    std::panic::set_hook(Box::new(log_panic));
    Ok(Logs { queue })
}

impl Logs {
    /// Waits until everything logged so far is written, or the time is up: for the end of the process.
    pub fn flush(&self, within: Duration) {
        self.queue.flush(within);
    }
}

/// Formats into a queue.
pub(super) fn subscriber(
    format: LogFormat,
    level: LevelFilter,
    is_coloured: bool,
    queue: LineQueue,
) -> tracing::Dispatch {
    let builder = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_ansi(is_coloured && format == LogFormat::Text)
        // Its own complaints would go to standard error past the queue.
        .log_internal_errors(false)
        .with_writer(queue);
    match format {
        LogFormat::Text => builder.finish().with(ErrorsSeen).into(),
        LogFormat::Json => builder.json().flatten_event(true).with_span_list(false).finish().with(ErrorsSeen).into(),
    }
}

/// Notes when an error is logged, for those who look at metrics and not at the log.
struct ErrorsSeen;

impl<S: Subscriber> Layer<S> for ErrorsSeen {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if *event.metadata().level() == Level::ERROR {
            observe::error_logged();
        }
    }
}

/// The line that says how many lines are missing before it.
pub(super) fn dropped_line(format: LogFormat, count: u64) -> String {
    let now = jiff::Timestamp::now();
    let message = "log lines were dropped: standard error does not take them fast enough";
    match format {
        LogFormat::Text => format!("{now}  WARN gesta_server: {message} dropped={count}"),
        LogFormat::Json => {
            let line = serde_json::json!({
                "timestamp": now.to_string(), "level": "WARN", "message": message, "dropped": count,
                "target": "gesta_server",
            });
            line.to_string()
        }
    }
}

/// The default hook writes to standard error itself, and would wait for it.
fn log_panic(info: &PanicHookInfo<'_>) {
    let message = info.payload_as_str().unwrap_or("a panic without a message");
    let location = info.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
    let thread = std::thread::current();
    tracing::error!(thread = thread.name(), location, "panic: {}", Shown(message));
}

/// What passes at a level.
fn filter(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    }
}

//! What the server has for whoever runs it: pages over HTTP, and logs on standard error.
//!
//! ```text
//!  GET /livez      200: the process answers
//!  GET /readyz     200, or 503 with one line a reason
//!  GET /metrics    OpenMetrics text
//!  GET /snapshot   everything as JSON
//! ```
//!
//! Neither may ever stand in the server's way: pages are few at a time, small and timed; a log line that standard error
//! does not take is dropped and counted.

#[cfg(feature = "opentelemetry")]
mod export;
mod line_queue;
mod logging;
mod pages;
mod serve;
mod throttle;

#[cfg(feature = "opentelemetry")]
pub use export::{Export, ExportError, export};
pub use logging::{Logs, StartError, start};
pub use serve::serve;
pub use throttle::Throttle;

#[cfg(test)]
mod http_test;
#[cfg(test)]
mod logging_test;

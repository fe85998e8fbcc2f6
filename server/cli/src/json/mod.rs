//! An event as one line of JSON, in both directions.
//!
//! ```text
//!  event_writer   record -> line
//!  event_reader   line -> event, of either shape:
//!    native_event   {"stream", "type", "id", "time", "tags", "metadata", "data"}
//!    cloud_event    CloudEvents 1.0
//!  compact        JSON text without insignificant white space; numbers and key order untouched
//!  time           RFC 3339 <-> nanoseconds
//! ```

mod cloud_event;
mod compact;
mod event_reader;
mod event_writer;
mod native_event;
mod time;

pub(crate) use compact::{compact, compact_json};
pub(crate) use event_reader::{Incoming, read_event};
pub(crate) use event_writer::{write_event, write_string};
pub(crate) use time::{parse_time, write_time};

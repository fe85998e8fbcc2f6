//! Fuzz targets: hostile bytes and text for everything that gesta decodes.
//!
//! ```text
//!  query_text       a query from text; what is read reads back from its own text
//!  record           one record; what is accepted from elsewhere encodes to the same bytes
//!  request          the walk over the requests and records of a body
//!  batch            headers and body of a batch, under a fixed key
//!  segment_header   the header page of a segment
//!  frames_from_client, frames_from_server
//!                   a connection, at each end: frames in pieces of any length, and what they hold
//! ```
//!
//! A target runs with `cargo +nightly fuzz run record`, from the top of the repository, once `cargo install cargo-fuzz` is
//! done; `-- -max_total_time=60` ends it after a minute. Inputs that were found worth keeping gather in `fuzz/corpus`, and
//! one that breaks a promise is left in `fuzz/artifacts`: turn it into a test beside the code, then mend the code.
//!
//! Random bytes never get past a checksum. So each target tries its bytes as they are, and again with the checksums
//! repaired, which is what an attacker would do.

mod frames;
mod repair;

pub use frames::{each_frame, repair_frame, split_cuts};
pub use repair::{KEY, look_at, repair_body, repair_headers, repair_record};

//! Fuzz targets: hostile bytes and text for everything that gesta decodes, and whole stores.
//!
//! ```text
//!  query_text        a query from text              record, request, batch, segment_header   the bytes of the log
//!  segment_recovery  any end of a log               segment_damage                           any damage within one
//!  index_file, snapshot_file, projection_file       what is derived, cached or told beside the log
//!  frames_from_client, frames_from_server           both ends of a connection, in pieces of any length
//!  settings_file, token_file                        what an operator writes
//!  import_line                                      an event or a CloudEvent, from a line of JSON
//!  store_operations                                 whole lives of a store, with crashes, against the model
//! ```
//!
//! Each states its oracle in its first lines; docs/TESTING.md lists them. `fuzz/run` runs all of them for a short time.
//!
//! Random bytes never get past a checksum. So each target tries its bytes as they are, and again with the checksums
//! repaired, which is what an attacker would do.

mod frames;
mod mutation;
mod repair;
mod world;

pub use frames::{each_frame, repair_frame, split_cuts};
pub use mutation::{Mutation, mutations};
pub use repair::{KEY, bind, look_at, repair_batch_at, repair_body, repair_headers, repair_record};
pub use world::{Stands, append, batches, event, files, options, read_over_damage};

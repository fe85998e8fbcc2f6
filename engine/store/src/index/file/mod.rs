//! Immutable files of the index: one for each sealed segment, and summaries of many.
//!
//! An index file is derived from the log and bound to exactly the log that it was made from; losing one loses nothing.
//! It appears whole or not at all, and nothing in it changes afterwards.
//!
//! ```text
//!  header page    what it speaks of and where everything stands          header, section
//!  rows           one a key: count, first, last                          row
//!  postings       the events of a key, where there are more than two     postings (written), list (read)
//!  offsets        u32 an event: where its record begins, in eighths      index_file
//!  batches        16 bytes each: ordinal u32 | offset / 8 u32 | recorded_at i64
//!  buckets        from a key to its row                                  buckets
//!  filter         from most absent keys to nothing                       filter
//!  checks         CRC-32 of every 4 KiB block before it                  blocks
//! ```
//!
//! Every section begins at a block, its last block is filled with zeros. Numbers are little-endian. A *summary* has rows,
//! buckets and a filter only, of streams, categories, types and tags: so a cold lookup asks a few files and not all.
//!
//! What must stay true: bytes are hostile until their block is checked and still hostile afterwards, so reading answers
//! `Damaged` and never panics; no length is believed before it fits the file; zeros are never valid; opening reads the
//! header page and no more.

mod binding;
mod blocks;
mod buckets;
mod bytes;
mod filter;
mod header;
mod index_file;
mod index_writer;
mod list;
mod postings;
mod rejected;
mod row;
mod section;
mod section_writer;
mod terms;
mod varint;
mod write_index;
mod write_summary;

#[cfg(test)]
mod damage_test;
#[cfg(test)]
mod file_test;
#[cfg(test)]
mod sample;

pub(crate) use binding::Binding;
pub(crate) use blocks::BLOCK_BYTES;
pub(crate) use index_file::IndexFile;
pub(crate) use rejected::Damaged;
#[cfg(test)]
use rejected::Rejected;
pub(crate) use write_index::write_index;
pub(crate) use write_summary::{SUMMED_UP, SummaryError, write_summary};

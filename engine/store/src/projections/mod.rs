//! What is told of the projections that are folded from the store, and who waits for them.
//!
//! ```text
//!  whoever folds ──tell──► Board ──wakes──► wait          in memory, shared by the store and its readers
//!                            │
//!                            └─ now and then ─► projections/       one file a projection and version,
//!                                                                  for processes that only look on
//!  whoever looks on ─ask to replay─► a file ─► the next telling of whoever folds
//! ```
//!
//! - `board`: what was told last, waiting for it, and the asking for a replay
//! - `told`: one projection on the board: when its file is due, and how far an asked replay has come
//! - `folder`: the files, replaced whole and never synced
//! - `entry`: their bytes
//!
//! What must stay true: nothing here is evidence about the log. Whatever is wrong in the folder costs a report and never an
//! opening, a read or an append, and nothing is looked at before it is asked for.
//!
//! The folder is reached through the seam, as a disk of its own below the store's. A simulated disk has no folders: what is
//! told there stays in memory. Its power cuts have nothing to say of files of which no promise is made.

mod board;
mod entry;
mod folder;
mod told;

pub(crate) use board::Board;

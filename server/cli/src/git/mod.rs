//! The history of a git repository as events.
//!
//! ```text
//!  repository     asks git about itself: is there a repository, what is its newest commit, how many are there
//!  history        `git log` -> commits with the files that they changed, as a stream
//!  change_event   (commit, change) -> event
//!  path_text      a path, whatever its bytes, as text
//!  tree           `git ls-tree` -> path -> object: what the newest commit holds
//!  fold           events -> path -> object: what must come out the same
//! ```

mod change_event;
mod fold;
mod history;
mod path_text;
mod repository;
mod tree;

pub(crate) use change_event::change_event;
pub(crate) use fold::Fold;
pub(crate) use history::{Change, ChangeKind, Commit, History};
pub(crate) use repository::Repository;
pub(crate) use tree::{Tree, read_tree};

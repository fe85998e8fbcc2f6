//! A small history for where there is no repository: some files of the openraft project, from its public git history
//! (facts of a project under MIT/Apache-2.0, authors hashed), and what git lists of them in the newest tree.

use crate::git::Tree;

/// The events, one line each.
pub(super) const EVENTS: &str = include_str!("../../sample/git-history.ndjson");

const TREE: &str = include_str!("../../sample/git-history.tree");

/// What the newest tree holds of these files: a line is `object TAB path`.
pub(super) fn tree() -> Tree {
    TREE.lines()
        .map(|line| line.split_once('\t').expect("the sample's tree is well formed"))
        .map(|(object, path)| (path.to_owned(), object.to_owned()))
        .collect()
}

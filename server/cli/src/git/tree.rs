//! What a commit holds, as git itself lists it.

use super::path_text::path_text;
use super::repository::{Repository, git_failure, last_line, start_failure};
use crate::failure::Failure;
use std::collections::BTreeMap;

/// Path -> object. A submodule is an object like a file.
pub(crate) type Tree = BTreeMap<String, String>;

/// The tree of the commit `head`, all folders included.
pub(crate) fn read_tree(repository: &Repository, head: &str) -> Result<Tree, Failure> {
    let arguments = ["ls-tree", "-r", "-z", "--full-tree", head];
    let output = repository.command(&arguments).output().map_err(|error| start_failure(&error))?;
    if !output.status.success() {
        return Err(git_failure(&last_line(&output.stderr)));
    }
    parse_tree(&output.stdout).ok_or_else(|| git_failure("ls-tree printed what is not a tree"))
}

/// `mode type object TAB path NUL`, once a file.
fn parse_tree(listing: &[u8]) -> Option<Tree> {
    let mut tree = Tree::new();
    for entry in listing.split(|byte| *byte == 0).filter(|entry| !entry.is_empty()) {
        let tab = entry.iter().position(|byte| *byte == b'\t')?;
        let object = str::from_utf8(&entry[..tab]).ok()?.split(' ').nth(2)?;
        tree.insert(path_text(&entry[tab + 1..]), object.to_owned());
    }
    Some(tree)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_is_understood_whatever_the_paths() {
        let listing = b"100644 blob aa\ta b\x00160000 commit bb\tsub\tmodule\x00120000 blob cc\tl\xff\x00";
        let tree = parse_tree(listing).expect("git prints this");
        let entries: Vec<_> = tree.iter().map(|(path, object)| (path.as_str(), object.as_str())).collect();
        assert_eq!(entries, [("\"l\\377\"", "cc"), ("a b", "aa"), ("sub\tmodule", "bb")]);
        assert_eq!(parse_tree(b"nonsense\0"), None);
    }
}

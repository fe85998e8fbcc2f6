//! Runs every rule over the real tree. One run shows everything that is to be mended.

use std::path::{Path, PathBuf};

use gesta_tidy::{RULES, Tree};

#[test]
fn the_tree_is_tidy() {
    let tree = Tree::walk(&top()).unwrap();
    let found: Vec<String> = RULES.iter().flat_map(|(_, rule)| rule(&tree)).map(|f| f.to_string()).collect();
    assert!(found.is_empty(), "{} to mend:\n{}\n", found.len(), found.join("\n"));
}

#[test]
fn the_walk_sees_the_whole_repository() {
    let tree = Tree::walk(&top()).unwrap();
    for path in ["Cargo.toml", ".ci/run", "engine/store/Cargo.toml", "engine/model/Cargo.toml", "docs/tidy/src/tree.rs"]
    {
        assert!(tree.has(path), "the walk from {} misses {path}", top().display());
    }
}

#[test]
fn every_rule_has_its_own_file_and_every_such_file_is_a_rule() {
    let tree = Tree::walk(&top()).unwrap();
    let files = tree.rust().filter(|(path, _)| path.starts_with("docs/tidy/src/"));
    let rules = files.filter(|(_, text)| text.contains("\npub(crate) fn check(tree: &Tree)"));
    let mut named: Vec<String> = RULES.iter().map(|(name, _)| format!("docs/tidy/src/{name}.rs")).collect();
    named.sort();
    assert_eq!(rules.map(|(path, _)| path).collect::<Vec<_>>(), named);
}

/// Asked as the test runs: clones that share a target folder may share this binary, and each must see its own tree.
fn top() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&package).join("../..")
}

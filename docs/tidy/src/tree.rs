//! The files of the repository, in memory.
//!
//! What must stay true: the tree holds what a fresh clone holds, not what a build, a fuzzer or git itself left behind.
//! Build folders are known by the tag that cargo writes into them, or by standing beside a `Cargo.toml`.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

/// What a fuzzer makes as it runs.
const FUZZ_LEFTOVERS: [&str; 4] = ["fuzz/target", "fuzz/corpus", "fuzz/artifacts", "fuzz/coverage"];

/// Every file by its path from the top, with `/` between folders.
#[derive(Debug, Default)]
pub struct Tree {
    /// The text of each file; `None` where it is not UTF-8.
    files: BTreeMap<String, Option<String>>,
}

impl Tree {
    /// Reads all files below `top`.
    pub fn walk(top: &Path) -> io::Result<Self> {
        let mut tree = Self::default();
        tree.walk_folder(top, "")?;
        Ok(tree)
    }

    /// A made-up tree, for the tests of a rule.
    pub fn of(files: &[(&str, &str)]) -> Self {
        Self { files: files.iter().map(|(path, text)| ((*path).to_owned(), Some((*text).to_owned()))).collect() }
    }

    /// Whether there is such a file, or a folder that holds one.
    pub fn has(&self, path: &str) -> bool {
        path.is_empty() || self.files.contains_key(path) || self.below(path).next().is_some()
    }

    /// The text of a file; `None` when it is absent or not text.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path)?.as_deref()
    }

    /// All text files, in the order of their paths.
    pub fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().filter_map(|(path, text)| Some((path.as_str(), text.as_deref()?)))
    }

    /// All Rust files, in the order of their paths.
    pub fn rust(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts().filter(|(path, _)| path.ends_with(".rs"))
    }

    /// The paths of all files in a folder and the folders in it.
    pub fn below(&self, folder: &str) -> impl Iterator<Item = &str> {
        let prefix = format!("{}/", folder.trim_end_matches('/'));
        let paths = self.files.range(prefix.clone()..).map(|(path, _)| path.as_str());
        paths.take_while(move |path| path.starts_with(&prefix))
    }

    fn walk_folder(&mut self, folder: &Path, path: &str) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
            let kind = entry.file_type()?;
            if kind.is_dir() {
                if !left_out(folder, &name, &path) {
                    self.walk_folder(&entry.path(), &path)?;
                }
            } else if kind.is_file() && name != ".git" {
                self.files.insert(path, String::from_utf8(fs::read(entry.path())?).ok());
            }
        }
        Ok(())
    }
}

fn left_out(parent: &Path, name: &str, path: &str) -> bool {
    name == ".git"
        || FUZZ_LEFTOVERS.contains(&path)
        || parent.join(name).join("CACHEDIR.TAG").exists()
        || name == "target" && parent.join("Cargo.toml").exists()
}

/// The folder that a path lies in; empty at the top.
pub(crate) fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The last part of a path.
pub(crate) fn name_of(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// Follows a relative path from a folder; `None` when it leads out of the tree.
pub(crate) fn join(folder: &str, relative: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_path_is_followed_and_never_leaves_the_tree() {
        assert_eq!(join("docs/tidy", "../FORMAT.md").as_deref(), Some("docs/FORMAT.md"));
        assert_eq!(join("", "./a//b").as_deref(), Some("a/b"));
        assert_eq!(join("docs", "../../shared"), None);
    }

    #[test]
    fn a_folder_is_there_when_it_holds_a_file() {
        let tree = Tree::of(&[("a/b/c.rs", ""), ("a/bc.rs", "")]);
        assert!(tree.has("a/b") && tree.has("a/b/") && tree.has("a/bc.rs") && tree.has(""));
        assert!(!tree.has("a/c") && !tree.has("a/b/c"));
        assert_eq!(tree.below("a/b").collect::<Vec<_>>(), ["a/b/c.rs"]);
    }

    #[test]
    fn the_walk_reads_files_and_leaves_build_folders_out() {
        let top = std::env::temp_dir().join(format!("gesta-tidy-{}", std::process::id()));
        for folder in [".git", "crate/src", "crate/target/debug", "cache", "fuzz/corpus"] {
            fs::create_dir_all(top.join(folder)).unwrap();
        }
        for file in [".git/HEAD", "crate/Cargo.toml", "crate/src/lib.rs", "crate/target/debug/x.rs", "fuzz/corpus/1"] {
            fs::write(top.join(file), "text").unwrap();
        }
        fs::write(top.join("cache/CACHEDIR.TAG"), "tag").unwrap();
        fs::write(top.join("bytes"), [0xff]).unwrap();
        let tree = Tree::walk(&top);
        fs::remove_dir_all(&top).unwrap();
        let tree = tree.unwrap();
        assert_eq!(tree.texts().map(|(path, _)| path).collect::<Vec<_>>(), ["crate/Cargo.toml", "crate/src/lib.rs"]);
        assert!(tree.has("bytes") && tree.text("bytes").is_none());
    }
}

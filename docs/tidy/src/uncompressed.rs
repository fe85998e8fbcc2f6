//! Rule: nothing that speaks the protocol can unpack compressed bytes, so that no frame is larger than it came.

use crate::{Finding, Tree};
use std::collections::{BTreeMap, BTreeSet};

const LOCK: &str = "Cargo.lock";

/// What reads and writes frames.
const SPEAKERS: [&str; 3] = ["gesta-protocol", "gesta-server", "gesta-client"];

/// What packages that unpack are called, or begin with.
const UNPACKERS: [&str; 18] = [
    "async-compression",
    "brotli",
    "bzip2",
    "deflate",
    "flate2",
    "inflate",
    "libdeflate",
    "libz",
    "lz4",
    "lzma",
    "miniz",
    "ruzstd",
    "snap",
    "xz",
    "yazi",
    "zip",
    "zlib",
    "zstd",
];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let packages = packages(tree.text(LOCK).unwrap_or_default());
    let mut found = Vec::new();
    for speaker in SPEAKERS {
        let mut seen = BTreeSet::from([speaker]);
        let mut ahead = vec![speaker];
        while let Some(name) = ahead.pop() {
            let Some(package) = packages.get(name) else { continue };
            if let Some(unpacker) = UNPACKERS.iter().find(|unpacker| name.starts_with(**unpacker)) {
                let what = format!("`{speaker}` has `{name}` among its packages, which unpacks ({unpacker})");
                let instead = "frames are never compressed (docs/PROTOCOL.md): leave it out, or its feature";
                found.push(Finding::new(LOCK, package.line, what, instead));
            }
            ahead.extend(package.dependencies.iter().filter(|name| seen.insert(name)));
        }
    }
    found
}

/// A package as the lock file has it.
#[derive(Default)]
struct Package<'l> {
    line: usize,
    dependencies: Vec<&'l str>,
}

/// Every package by its name; those of one name, whatever their versions, as one.
fn packages(lock: &str) -> BTreeMap<&str, Package<'_>> {
    let mut packages: BTreeMap<&str, Package<'_>> = BTreeMap::new();
    let mut current = "";
    for (line, text) in (1..).zip(lock.lines()) {
        if let Some(name) = text.strip_prefix("name = ") {
            current = name.trim_matches('"');
            packages.entry(current).or_default().line = line;
        } else if let Some(dependency) = text.strip_prefix(" \"").and_then(|rest| rest.split(['"', ' ']).next()) {
            packages.entry(current).or_default().dependencies.push(dependency);
        }
    }
    packages
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK_FILE: &str = r#"version = 4

[[package]]
name = "flate2"
version = "1.1.0"
dependencies = [
 "miniz_oxide",
]

[[package]]
name = "gesta-cli"
dependencies = [
 "flate2",
 "gesta-server",
]

[[package]]
name = "gesta-server"
dependencies = [
 "pages 0.2.0",
]

[[package]]
name = "miniz_oxide"

[[package]]
name = "pages"
version = "0.2.0"
dependencies = [
 "gesta-server",
]
"#;

    #[test]
    fn an_unpacker_is_found_however_far_away_and_only_behind_what_speaks() {
        assert!(check(&Tree::of(&[(LOCK, LOCK_FILE)])).is_empty());
        let far = LOCK_FILE.replace(" \"gesta-server\",\n]\n", " \"flate2\",\n]\n");
        let found: Vec<String> = check(&Tree::of(&[(LOCK, &far)])).iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("Cargo.lock:4: `gesta-server` has `flate2` among its packages"), "{found:?}");
        assert!(found[1].starts_with("Cargo.lock:24: `gesta-server` has `miniz_oxide`"), "{found:?}");
    }
}

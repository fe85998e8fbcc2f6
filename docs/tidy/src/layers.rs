//! Rule: in the store, a folder names only what stands below it.
//!
//! ```text
//!  store              wires both sides, once
//!  backup | repair    copies of a store and stores made of them; a store made of what is left of one
//!  append | read      the command side and the query side: they never name each other
//!  snapshots          a cache of fold states; serves the query side
//!  projections        what is told of those who fold; serves the query side
//!  scrub              rereads what is sealed; driven by the command side, asked by the query side
//!  index              derived, rebuildable; serves both sides
//!  log                segments, roll, seal, watermarks, recovery
//!  disk               the seam; names nothing but itself, the environment and what threads share
//! ```
//!
//! Files right in `src/` (the title page, the environment, options) are outside the table: a layer above the disk may name
//! them as modules. It may not name the façade, `crate::Name`, because that hides which layer the name comes from.
//! Found are paths from `crate` and paths from `super` that lead out of the folder; tests are no exception.

use std::collections::BTreeMap;

use crate::code::Code;
use crate::modules::modules;
use crate::paths::{NamedPath, paths};
use crate::{Finding, Tree};

const SOURCE: &str = "engine/store/src";

struct Layer {
    folder: &'static str,
    /// The layers that it may name, itself apart.
    below: &'static [&'static str],
    /// The files right in `src/` that it may name; `None`: all.
    beside: Option<&'static [&'static str]>,
}

const LAYERS: [Layer; 11] = [
    Layer {
        folder: "store",
        below: &["append", "read", "snapshots", "projections", "scrub", "index", "log", "disk"],
        beside: None,
    },
    Layer { folder: "backup", below: &["read", "log", "disk"], beside: None },
    Layer { folder: "repair", below: &["read", "index", "log", "disk"], beside: None },
    Layer { folder: "append", below: &["scrub", "index", "log", "disk"], beside: None },
    Layer { folder: "read", below: &["snapshots", "projections", "scrub", "index", "log", "disk"], beside: None },
    Layer { folder: "snapshots", below: &["log", "disk"], beside: None },
    Layer { folder: "projections", below: &["disk"], beside: Some(&["environment", "sync"]) },
    Layer { folder: "scrub", below: &["index", "log", "disk"], beside: None },
    Layer { folder: "index", below: &["log", "disk"], beside: None },
    Layer { folder: "log", below: &["disk"], beside: None },
    Layer { folder: "disk", below: &[], beside: Some(&["environment", "sync"]) },
];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let reached = modules(tree);
    let mut found = Vec::new();
    let files: Vec<&str> = tree.below(SOURCE).filter(|path| path.ends_with(".rs")).collect();
    for path in files {
        let within = &path[SOURCE.len() + 1..];
        let Some((folder, _)) = within.split_once('/') else { continue };
        // Binaries are crates of their own: they can only name what the library shows.
        if folder == "bin" {
            continue;
        }
        match LAYERS.iter().find(|layer| layer.folder == folder) {
            Some(layer) => check_file(tree, path, layer, &module_of(path, &reached), &mut found),
            None => found.push(Finding::new(
                path,
                1,
                format!("the folder `{folder}` is no layer"),
                "give it a place in the drawing and the table of docs/tidy/src/layers.rs, or move the file",
            )),
        }
    }
    found
}

fn check_file(tree: &Tree, path: &str, layer: &Layer, module: &[String], found: &mut Vec<Finding>) {
    for named in paths(&Code::new(tree.text(path).unwrap_or_default()).tokens()) {
        let Some(name) = root_name(&named, module) else { continue };
        if let Some(what) = objection(tree, layer, name) {
            let below = layer.below.iter().chain(layer.beside.into_iter().flatten());
            let below = below.map(|name| format!("`crate::{name}`")).collect::<Vec<_>>().join(", ");
            let instead =
                if below.is_empty() { "name nothing outside it".to_owned() } else { format!("name only {below}") };
            found.push(Finding::new(path, named.line, what, format!("from `{}` {instead}", layer.folder)));
        }
    }
}

/// What is wrong with naming `crate::name` in this layer.
fn objection(tree: &Tree, layer: &Layer, name: &str) -> Option<String> {
    let folder = layer.folder;
    if name == folder || layer.below.contains(&name) {
        return None;
    }
    if LAYERS.iter().any(|other| other.folder == name) {
        return Some(format!("`{folder}` names `{name}`, which does not stand below it"));
    }
    if name == "self" || name == "*" {
        return Some(format!("`{folder}` names the whole crate"));
    }
    if !tree.has(&format!("{SOURCE}/{name}.rs")) {
        return Some(format!("`{folder}` names `crate::{name}`, which hides the layer it comes from"));
    }
    let allowed = layer.beside.is_none_or(|beside| beside.contains(&name));
    (!allowed).then(|| format!("`{folder}` names `crate::{name}`"))
}

/// The name right below the crate's root that a path leads to; `None` when it stays in the module or begins elsewhere.
fn root_name<'a>(named: &NamedPath<'a>, module: &[String]) -> Option<&'a str> {
    let mut depth = module.len() + named.inside.len();
    let mut names = named.names.iter().copied().peekable();
    match names.next()? {
        "crate" => depth = 0,
        "super" => depth = depth.checked_sub(1)?,
        "self" => {}
        _ => return None,
    }
    while names.next_if_eq(&"super").is_some() {
        depth = depth.checked_sub(1)?;
    }
    (depth == 0).then(|| names.next().unwrap_or("self"))
}

/// The module that a file is; by its path, where no root reaches it.
fn module_of(path: &str, reached: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    if let Some(module) = reached.get(path) {
        return module.clone();
    }
    let within = path[SOURCE.len() + 1..].trim_end_matches(".rs").trim_end_matches("/mod");
    within.split('/').map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines found in one file of a store that has the usual files.
    fn lines(path: &str, text: &str) -> Vec<usize> {
        let path = format!("{SOURCE}/{path}");
        let tree = Tree::of(&[
            ("engine/store/Cargo.toml", ""),
            ("engine/store/src/lib.rs", "mod disk; mod log; mod index; mod append; mod read; mod store;"),
            ("engine/store/src/environment.rs", ""),
            ("engine/store/src/options.rs", "use crate::store::Store;"),
            (&path, text),
        ]);
        check(&tree).into_iter().inspect(|finding| assert_eq!(finding.path, path)).map(|finding| finding.line).collect()
    }

    #[test]
    fn a_layer_may_name_what_stands_below_it() {
        assert_eq!(lines("disk/mod.rs", "use crate::disk::Disk; use crate::environment::Clock; use std::io;"), []);
        assert_eq!(lines("log/mod.rs", "use crate::disk::Disk; use crate::log::Log; use crate::options::Options;"), []);
        assert_eq!(lines("store/mod.rs", "use crate::{append::A, read::R, index::I, log::L, disk::D};"), []);
        assert_eq!(lines("append/mod.rs", "// crate::read\n/// [`crate::read`]\nconst S: &str = \"crate::read\";"), []);
    }

    #[test]
    fn a_layer_that_names_one_above_or_beside_it_is_found() {
        assert_eq!(lines("disk/mod.rs", "\nuse crate::log::Log;\nuse crate::options::O;"), [2, 3]);
        assert_eq!(lines("log/mod.rs", "use crate::{\n  disk::Disk,\n  index::Index,\n};"), [3]);
        assert_eq!(lines("index/mod.rs", "fn f() {\n crate::append::go() }"), [2]);
        assert_eq!(lines("append/a.rs", "use crate::read::Cursor;"), [1]);
        assert_eq!(lines("read/a.rs", "use crate::append::Committer;"), [1]);
        assert_eq!(lines("index/a.rs", "pub(in crate::store) struct S;"), [1]);
    }

    #[test]
    fn paths_from_super_are_followed_out_of_the_folder_and_not_within() {
        assert_eq!(lines("log/mod.rs", "use super::disk::D;\nuse super::index::I;\nuse self::super::read::R;"), [2, 3]);
        assert_eq!(lines("log/segment.rs", "use super::index;\nuse super::super::index::I;"), [2]);
        assert_eq!(lines("log/mod.rs", "mod tests {\n use super::index;\n use super::super::index::I;\n}"), [3]);
        assert_eq!(lines("log/mod.rs", "use super::{disk::D,\n store::S};"), [2]);
    }

    #[test]
    fn a_way_round_the_table_is_found() {
        assert_eq!(lines("log/mod.rs", "use crate::Store;"), [1]);
        assert_eq!(lines("log/mod.rs", "use crate::*;"), [1]);
        assert_eq!(lines("log/mod.rs", "use crate as root;"), [1]);
        assert_eq!(lines("log/mod.rs", "use crate::{self as root};"), [1]);
        assert_eq!(lines("log/mod.rs", "use super as root;"), [1]);
        assert_eq!(lines("helpers/mod.rs", "//! A folder of no layer."), [1]);
    }

    #[test]
    fn a_module_under_another_file_name_is_followed_by_its_module_path() {
        let tree = Tree::of(&[
            ("engine/store/Cargo.toml", ""),
            ("engine/store/src/lib.rs", "mod log;"),
            ("engine/store/src/log/mod.rs", "#[path = \"log_test.rs\"] mod tests;"),
            (
                "engine/store/src/log/log_test.rs",
                "use super::super::read::R;\nmod inner { use super::super::read::R; }",
            ),
        ]);
        assert_eq!(check(&tree).into_iter().map(|finding| finding.line).collect::<Vec<_>>(), [1]);
    }
}

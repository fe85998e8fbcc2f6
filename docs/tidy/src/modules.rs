//! Which file is which module: from the roots that cargo builds, along every `mod name;`.
//!
//! Follows `mod name;`, `#[path = ".."] mod name;`, modules in modules, and `include!("..")`. A file that is not there is
//! the compiler's to report.

use std::collections::BTreeMap;

use crate::code::{Code, Token, closing};
use crate::tree::{Tree, folder_of, join, name_of};

/// The sections of a `Cargo.toml` whose `path` is the root of a target.
const TARGET_SECTIONS: [&str; 5] = ["[lib]", "[[bin]]", "[[test]]", "[[bench]]", "[[example]]"];

/// For every file that some root reaches, its module path in that root; empty for the root itself.
pub(crate) fn modules(tree: &Tree) -> BTreeMap<String, Vec<String>> {
    let mut reached = BTreeMap::new();
    for root in roots(tree) {
        follow(tree, &root, Vec::new(), folder_of(&root), &mut reached);
    }
    reached
}

/// The roots of every `Cargo.toml` of the tree, found by name and by its `path` lines.
fn roots(tree: &Tree) -> Vec<String> {
    let mut roots = Vec::new();
    for (manifest, text) in tree.texts().filter(|(path, _)| name_of(path) == "Cargo.toml") {
        let package = folder_of(manifest);
        let inside = |path: &str| join(package, path).unwrap_or_default();
        roots.extend(["src/lib.rs", "src/main.rs", "build.rs"].map(inside));
        for folder in ["src/bin", "tests", "benches", "examples"].map(inside) {
            roots.extend(tree.below(&folder).filter(|path| is_target(&folder, path)).map(str::to_owned));
        }
        roots.extend(named_targets(text).iter().map(|path| inside(path)));
    }
    roots.retain(|root| tree.text(root).is_some());
    roots
}

/// `folder/name.rs` and `folder/name/main.rs` are targets; what lies deeper is a module of one.
fn is_target(folder: &str, path: &str) -> bool {
    let within = path.strip_prefix(folder).unwrap_or(path).trim_start_matches('/');
    match within.split_once('/') {
        None => within.ends_with(".rs"),
        Some((_, file)) => file == "main.rs",
    }
}

/// The paths that a manifest names in `[lib]`, `[[bin]]`, `[[test]]`, `[[bench]]`, `[[example]]` and `build = ".."`.
fn named_targets(manifest: &str) -> Vec<&str> {
    let mut section = "";
    let mut found = Vec::new();
    for line in manifest.lines().map(str::trim) {
        if line.starts_with('[') {
            section = line;
            continue;
        }
        let Some((key, value)) = line.split_once('=') else { continue };
        let names_a_root = match key.trim() {
            "path" => TARGET_SECTIONS.contains(&section),
            "build" => section == "[package]",
            _ => false,
        };
        found.extend(value.split('"').nth(1).filter(|_| names_a_root));
    }
    found
}

/// Notes a file and goes on to its modules, whose files lie in `folder`.
fn follow(tree: &Tree, file: &str, module: Vec<String>, folder: &str, reached: &mut BTreeMap<String, Vec<String>>) {
    let Some(text) = tree.text(file) else { return };
    if reached.contains_key(file) {
        return;
    }
    reached.insert(file.to_owned(), module.clone());
    for declared in declarations(&Code::new(text).tokens()) {
        let inside = [&module[..], &declared.inside].concat();
        let inner = join(folder, &declared.inside.join("/")).unwrap_or_default();
        match declared.target {
            Target::Included(path) => {
                let Some(path) = join(folder_of(file), &path) else { continue };
                follow(tree, &path, inside, folder, reached);
            }
            Target::Module { name, path } => {
                let child = [inside, vec![name.clone()]].concat();
                // A `path` is taken from the file's own folder, or in a nested module from that module's folder.
                let base = if declared.inside.is_empty() { folder_of(file) } else { &inner };
                if let Some(path) = path.and_then(|path| join(base, &path)) {
                    follow(tree, &path, child.clone(), folder_of(&path), reached);
                }
                let own = format!("{inner}/{name}").trim_start_matches('/').to_owned();
                follow(tree, &format!("{own}.rs"), child.clone(), &own, reached);
                follow(tree, &format!("{own}/mod.rs"), child, &own, reached);
            }
        }
    }
}

struct Declaration {
    inside: Vec<String>,
    target: Target,
}

enum Target {
    Module { name: String, path: Option<String> },
    Included(String),
}

fn declarations(tokens: &[Token<'_>]) -> Vec<Declaration> {
    let mut found = Vec::new();
    let mut blocks: Vec<Option<&str>> = Vec::new();
    let mut path = None;
    let mut at = 0;
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text);
    while at < tokens.len() {
        let inside = || blocks.iter().flatten().map(|name| (*name).to_owned()).collect();
        match text(at) {
            "#" if text(at + 1) == "[" => {
                let end = closing(tokens, at + 1);
                path = path.or(path_attribute(&tokens[at..end.min(tokens.len())]));
                at = end;
            }
            "mod" if text(at + 2) == ";" => {
                let name = text(at + 1).trim_start_matches("r#").to_owned();
                found.push(Declaration { inside: inside(), target: Target::Module { name, path: path.take() } });
            }
            "include" if text(at + 1) == "!" => {
                let file = tokens.get(at + 3).and_then(|token| Some(token.string()?.to_owned()));
                found.extend(file.map(|file| Declaration { inside: inside(), target: Target::Included(file) }));
            }
            "{" => {
                blocks.push((at >= 2 && text(at - 2) == "mod").then(|| text(at - 1)));
                path = None;
            }
            "}" => drop(blocks.pop()),
            ";" => path = None,
            _ => {}
        }
        at += 1;
    }
    found
}

fn path_attribute(attribute: &[Token<'_>]) -> Option<String> {
    let found = attribute.windows(3).find(|window| window[0].text == "path" && window[1].text == "=")?;
    Some(found[2].string()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_followed_from_every_root() {
        let tree = Tree::of(&[
            ("a/Cargo.toml", "[package]\nbuild = \"make.rs\"\n[[bench]]\nname = \"x\"\npath = \"speed/x.rs\"\n"),
            ("a/make.rs", ""),
            ("a/speed/x.rs", ""),
            ("a/src/lib.rs", "pub mod log;\nmod read { mod deep; }\n// mod gone;\ninclude!(\"table.rs\");"),
            ("a/src/table.rs", ""),
            ("a/src/gone.rs", ""),
            ("a/src/log/mod.rs", "mod segment;"),
            ("a/src/log/segment.rs", "#[cfg(test)]\n#[path = \"segment_test.rs\"]\nmod tests;\nmod footer;"),
            ("a/src/log/segment_test.rs", ""),
            ("a/src/log/segment/footer.rs", ""),
            ("a/src/read/deep.rs", ""),
            ("a/src/bin/tool.rs", ""),
            ("a/src/bin/big/main.rs", "mod part;"),
            ("a/src/bin/big/part.rs", ""),
            ("a/tests/all.rs", "mod common;"),
            ("a/tests/common/mod.rs", ""),
        ]);
        let reached = modules(&tree);
        let missed: Vec<_> = tree.rust().map(|(path, _)| path).filter(|path| !reached.contains_key(*path)).collect();
        assert_eq!(missed, ["a/src/gone.rs"]);
        assert_eq!(reached["a/src/log/segment_test.rs"], ["log", "segment", "tests"]);
        assert_eq!(reached["a/src/log/segment/footer.rs"], ["log", "segment", "footer"]);
        assert_eq!(reached["a/src/read/deep.rs"], ["read", "deep"]);
    }

    #[test]
    fn a_dependency_path_is_no_root() {
        assert_eq!(named_targets("[dependencies.x]\npath = \"../x\"\n[lib]\npath = \"l.rs\""), ["l.rs"]);
    }
}

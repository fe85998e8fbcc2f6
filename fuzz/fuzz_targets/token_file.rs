//! Any file of tokens is read as a whole or refused with a line in it; one that is read keeps its entries when a token is
//! made and taken out again.
#![no_main]

use access::{Access, NewToken, Role, Roles, TokenEntry, TokenFile, TokenFileError};
use libfuzzer_sys::fuzz_target;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::LazyLock;
use tempfile::TempDir;

#[allow(dead_code, unused_imports, reason = "the server uses more of it")]
#[path = "../../server/daemon/src/access/mod.rs"]
mod access;
#[allow(dead_code, unused_imports, reason = "the server uses more of it")]
#[path = "../../server/daemon/src/settings/mod.rs"]
mod settings;

static FOLDER: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a folder for the file"));
/// No entry may be called so before.
const NAME: &str = "made by the target";

fuzz_target!(|input: &[u8]| {
    let path = path();
    fs::write(&path, input).expect("a good disk");
    fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("our own file");
    let file = TokenFile::new(&path);
    let entries = match file.list() {
        Ok(entries) => entries,
        Err(TokenFileError::Line { line, what, .. }) => {
            let line_count = 1 + input.iter().filter(|byte| **byte == b'\n').count();
            assert!((1..=line_count).contains(&line) && !what.is_empty());
            assert!(Access::load(&path).is_err(), "a part of the file was taken");
            return;
        }
        Err(error) => panic!("{error}"),
    };
    let line_count = String::from_utf8_lossy(input).lines().filter(|line| !line.trim().is_empty()).count();
    assert_eq!(entries.len(), line_count, "a line was passed over");
    assert_eq!(Access::load(&path).expect("it was just read").token_count(), entries.len());
    if entries.iter().any(|entry| entry.name == NAME) {
        return;
    }
    let new = NewToken {
        name: NAME.to_owned(),
        roles: Roles::from_iter([Role::Reader]),
        stores: vec!["*".to_owned()],
        expires: None,
    };
    file.create(new, jiff::Timestamp::UNIX_EPOCH).expect("a good file takes one more");
    let with_new = file.list().expect("it was just written");
    assert_eq!(words(&with_new[..entries.len()]), words(&entries));
    assert_eq!(with_new.len(), entries.len() + 1);
    file.revoke(NAME).expect("it was just made");
    assert_eq!(words(&file.list().expect("it was just written")), words(&entries));
});

fn path() -> PathBuf {
    FOLDER.path().join("tokens")
}

/// All that is known of the tokens.
fn words(entries: &[TokenEntry]) -> Vec<String> {
    let words = |entry: &TokenEntry| {
        let TokenEntry { name, roles, stores, created, expires, .. } = entry;
        format!("{name:?} {roles:?} {stores:?} {created:?} {expires:?}")
    };
    entries.iter().map(words).collect()
}

//! Any file of settings loads or is refused with a place in it. What loads is shown as settings that load to the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use settings::{Loaded, Settings, SettingsError};
use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;
use tempfile::TempDir;

#[allow(dead_code, unused_imports, reason = "the server uses more of it")]
#[path = "../../server/daemon/src/settings/mod.rs"]
mod settings;

static FOLDER: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a folder for the file"));

fuzz_target!(|input: &[u8]| {
    let loaded = match load(input) {
        Ok(loaded) => loaded,
        Err(error) => return check_error(&error, input),
    };
    let shown: String = loaded.rows().map(|row| format!("{} = {}\n", row.key, row.value)).collect();
    let again = load(shown.as_bytes()).unwrap_or_else(|error| panic!("{error}\n{shown}"));
    assert_eq!(again.settings(), loaded.settings(), "{shown}");
});

fn path() -> PathBuf {
    FOLDER.path().join("gesta.toml")
}

fn load(text: &[u8]) -> Result<Loaded, SettingsError> {
    fs::write(path(), text).expect("a good disk");
    Settings::load(Some(&path()), [("", ""); 0], &[])
}

/// A refusal names the file, and a line that is in it.
fn check_error(error: &SettingsError, input: &[u8]) {
    let text = error.to_string();
    let rest = text.strip_prefix(&path().display().to_string()).unwrap_or_else(|| panic!("no place: {text}"));
    let line = rest.trim_start_matches(':').split(':').next().and_then(|line| line.parse::<usize>().ok());
    let line_count = 1 + input.iter().filter(|byte| **byte == b'\n').count();
    assert!(line.is_some_and(|line| (1..=line_count).contains(&line)), "{text}");
}

//! Where a server's program is.

use crate::peer::Failure;
use std::env;
use std::path::PathBuf;

/// A program on the path; says what to install where it is missing.
pub fn installed(program: &str, hint: &str) -> Result<PathBuf, Failure> {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file());
    found.ok_or_else(|| format!("{program} is missing: {hint}").into())
}

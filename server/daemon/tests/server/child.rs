//! Tests that run themselves once more in a process of their own, to limit it or to kill it.

use std::path::{Path, PathBuf};
use std::process::Command;

const DIRECTORY: &str = "GESTA_TEST_CHILD_IN";

/// The directory that this process was given, when it is the child.
pub(crate) fn directory() -> Option<PathBuf> {
    std::env::var_os(DIRECTORY).map(PathBuf::from)
}

/// Runs the test of this name, `module::function`, alone and as a child that is given a directory.
pub(crate) fn command(test: &str, directory: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture"]).env(DIRECTORY, directory);
    command
}

/// Runs the child to its end, which must be a good one.
pub(crate) fn run(test: &str, directory: &Path) {
    let output = command(test, directory).output().unwrap();
    assert!(output.status.success(), "{}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("1 passed"), "the child ran no test of that name: {said}");
}

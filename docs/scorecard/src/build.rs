//! The test binaries of the workspace.

use crate::row::TestName;
use serde::Deserialize;
use std::collections::HashMap;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use thiserror::Error;

/// Every test binary of the workspace, by package and target.
#[derive(Debug)]
pub(crate) struct Binaries {
    found: HashMap<(String, String), Binary>,
}

/// A test binary.
#[derive(Clone, Debug)]
pub(crate) struct Binary {
    /// The program.
    pub(crate) program: PathBuf,
    /// The directory of its package, where it is to run.
    pub(crate) directory: PathBuf,
}

/// Why there are no test binaries.
#[derive(Debug, Error)]
pub(crate) enum BuildError {
    /// There is no cargo, or what it says cannot be read.
    #[error("the tests cannot be built: {0}")]
    Cargo(#[from] io::Error),
    /// The tests do not compile.
    #[error("the tests do not compile: `cargo test --workspace --no-run` says why")]
    Failed,
}

/// What cargo says of something that it has built.
#[derive(Deserialize)]
struct Message {
    executable: Option<PathBuf>,
    manifest_path: PathBuf,
    target: Target,
    profile: Profile,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

#[derive(Deserialize)]
struct Profile {
    test: bool,
}

impl Binaries {
    /// Builds them all, the way that the tests of the README are built. With fewer packages, dependencies would have other
    /// features, and most of what is there already would be built once more.
    pub(crate) fn build() -> Result<Self, BuildError> {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(["test", "--workspace", "--locked", "--no-run", "--message-format=json-render-diagnostics"]);
        // What `cargo run` says of this package. Some dependencies are built anew where that is not as it was.
        let of_this = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(of_this)) {
            cargo.env_remove(name);
        }
        let mut cargo = cargo.stdout(Stdio::piped()).spawn()?;
        let mut found = HashMap::new();
        if let Some(output) = cargo.stdout.take() {
            for line in BufReader::new(output).lines() {
                let Ok(message) = serde_json::from_str::<Message>(&line?) else { continue };
                found.extend(named(message));
            }
        }
        if cargo.wait()?.success() { Ok(Self { found }) } else { Err(BuildError::Failed) }
    }

    /// A workspace of one binary.
    #[cfg(test)]
    pub(crate) fn of_one(package: &str, target: &str, binary: Binary) -> Self {
        Self { found: HashMap::from([((package.to_owned(), target.to_owned()), binary)]) }
    }

    /// The binary that has a test.
    pub(crate) fn of(&self, test: TestName<'_>) -> Option<&Binary> {
        self.found.get(&(test.package.to_owned(), test.target.to_owned()))
    }
}

/// A test binary, under the names that rows call it by.
fn named(message: Message) -> Option<((String, String), Binary)> {
    let Message { executable, manifest_path, target, profile } = message;
    let (program, directory) = (executable?, manifest_path.parent()?.to_owned());
    let is_library = target.kind.iter().any(|kind| kind == "lib");
    let name = if is_library { "lib".to_owned() } else { target.name };
    profile.test.then(|| ((package_of(&directory), name), Binary { program, directory }))
}

/// The name of the package in a directory.
fn package_of(directory: &Path) -> String {
    #[derive(Deserialize)]
    struct Manifest {
        package: Package,
    }
    #[derive(Deserialize)]
    struct Package {
        name: String,
    }
    let manifest = std::fs::read_to_string(directory.join("Cargo.toml")).unwrap_or_default();
    toml::from_str::<Manifest>(&manifest).map(|manifest| manifest.package.name).unwrap_or_default()
}

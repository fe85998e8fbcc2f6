//! The stores that are compared, and how their programs are built.

use crate::outcome::Outcome;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A store that can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its name, which is that of its folder in `bench/peers`.
    pub name: &'static str,
    /// Whether it is built from the registry alone in little time: what a quick run compares.
    pub is_quick: bool,
}

/// gesta and its yard-stick first.
pub const PEERS: [Peer; 9] = [
    Peer { name: "gesta", is_quick: true },
    Peer { name: "plain", is_quick: true },
    Peer { name: "tephra", is_quick: true },
    Peer { name: "umadb", is_quick: false },
    Peer { name: "sqlite", is_quick: false },
    Peer { name: "lmdb", is_quick: false },
    Peer { name: "redb", is_quick: true },
    Peer { name: "fjall", is_quick: false },
    Peer { name: "commitlog", is_quick: true },
];

/// A store's program, built.
#[derive(Clone, Debug)]
pub struct Program {
    /// Whose it is.
    pub peer: Peer,
    /// Where it is.
    pub path: PathBuf,
}

impl Program {
    /// Builds the program of a peer; what the compiler says goes to standard error.
    pub fn build(peer: Peer) -> Outcome<Self> {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let package = format!("gesta-peer-{}", peer.name);
        let built = Command::new(cargo)
            .args(["build", "--release", "--locked", "--quiet", "--package", &package, "--manifest-path"])
            .arg(workspace.join("Cargo.toml"))
            .arg("--target-dir")
            .arg(workspace.join("target"))
            .stdin(Stdio::null())
            .status()?;
        if !built.success() {
            return Err(format!("{package} could not be built: {built}").into());
        }
        Ok(Self { peer, path: workspace.join("target/release").join(package) })
    }
}

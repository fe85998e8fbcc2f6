//! The stores that are compared, and how their programs are built.

use crate::outcome::Outcome;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A store that can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its name; its program is `gesta-peer-NAME`.
    pub name: &'static str,
    /// The folder in `bench/peers` that holds the program.
    pub folder: &'static str,
    /// How a program reaches it.
    pub kind: Kind,
    /// Whether a quick run compares it: it is built in little time, from the registry alone.
    pub is_quick: bool,
    /// Whether building it takes more than the registry and a C compiler, so that it may fail where the others do not.
    pub is_built_alone: bool,
}

/// How a program reaches a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It is linked in.
    Embedded,
    /// It is a server, which is asked over loopback.
    Served,
}

impl Kind {
    /// What the stores of this kind are measured against.
    #[must_use]
    pub fn gesta(self) -> &'static str {
        match self {
            Self::Embedded => "gesta",
            Self::Served => "gesta-server",
        }
    }
}

/// gesta first, and its yard-stick.
pub const PEERS: [Peer; 14] = [
    Peer { is_quick: true, ..embedded("gesta") },
    Peer { is_quick: true, ..embedded("plain") },
    Peer { is_quick: true, ..embedded("tephra") },
    embedded("umadb"),
    embedded("sqlite"),
    embedded("lmdb"),
    Peer { is_quick: true, ..embedded("redb") },
    embedded("fjall"),
    Peer { is_quick: true, ..embedded("commitlog") },
    served("gesta-server", "gesta-server"),
    Peer { is_built_alone: true, ..served("umadb-server", "umadb-server") },
    served("redis", "redis"),
    served("postgres", "postgres"),
    served("message-db", "postgres"),
];

const fn embedded(name: &'static str) -> Peer {
    Peer { name, folder: name, kind: Kind::Embedded, is_quick: false, is_built_alone: false }
}

const fn served(name: &'static str, folder: &'static str) -> Peer {
    Peer { name, folder, kind: Kind::Served, is_quick: false, is_built_alone: false }
}

/// A store's program, built.
#[derive(Clone, Debug)]
pub struct Program {
    /// Whose it is.
    pub peer: Peer,
    /// Where it is.
    pub path: PathBuf,
}

impl Program {
    /// Builds the programs of peers by a profile of their workspace; what the compiler says goes to standard error.
    pub fn build(peers: &[Peer], profile: &str) -> Outcome<Vec<(Peer, Outcome<Self>)>> {
        let (alone, together): (Vec<_>, Vec<_>) = peers.iter().partition(|peer| peer.is_built_alone);
        // By one command, so that what they have in common is built once.
        let is_built = build(&together, profile)?;
        let one = |peer: Peer| {
            let is_built = is_built && !peer.is_built_alone || build(&[peer], profile)?;
            if !is_built {
                return Err("its program could not be built: the compiler says above why".into());
            }
            Ok(Self { peer, path: target()?.join(profile).join(peer.program()) })
        };
        Ok(together.into_iter().chain(alone).map(|peer| (peer, one(peer))).collect())
    }
}

impl Peer {
    fn program(self) -> String {
        format!("gesta-peer-{}", self.name)
    }
}

fn build(peers: &[Peer], profile: &str) -> Outcome<bool> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--profile", profile, "--locked", "--quiet", "--manifest-path"]);
    command.arg(repository()?.join("bench/peers/Cargo.toml")).arg("--target-dir").arg(target()?);
    for peer in peers {
        command.arg("--package").arg(format!("gesta-peer-{}", peer.folder)).arg("--bin").arg(peer.program());
    }
    Ok(peers.is_empty() || command.stdin(Stdio::null()).status()?.success())
}

/// Beside what the repository itself builds, so that one clean-up gets both.
fn target() -> Outcome<PathBuf> {
    Ok(repository()?.join("target/peers"))
}

fn repository() -> Outcome<&'static Path> {
    Ok(Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("a package without a folder above it")?)
}

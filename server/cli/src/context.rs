//! What every verb is told: the store, how to reach it, and the form of the results.

use crate::failure::{Failure, Status, remark};
use crate::place::Place;
use gesta::{Options, Reader, RecoveryReport, Store};
use gesta_client::{Address, BlockingClient, ClientOptions, Tls};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The options that every verb shares.
#[derive(Debug)]
pub(crate) struct Context {
    /// The store, as given on the command line or in the environment.
    pub(crate) store: Option<OsString>,
    /// Whether results and failures are JSON.
    pub(crate) is_json: bool,
    /// How a server is reached.
    pub(crate) connection: Connection,
}

/// How a server is reached.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Connection {
    /// The token that a server is shown
    #[arg(long, global = true, env = "GESTA_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    token: Option<String>,
    /// Encrypt, and trust servers whose certificate comes from this authority, a PEM file
    #[arg(long, global = true, value_name = "FILE")]
    tls_ca: Option<PathBuf>,
    /// Show this certificate to a server that asks for one, a PEM file
    #[arg(long, global = true, value_name = "FILE", requires = "tls_key", requires = "tls_ca")]
    tls_certificate: Option<PathBuf>,
    /// The key of the certificate, a PEM file
    #[arg(long, global = true, value_name = "FILE", requires = "tls_certificate")]
    tls_key: Option<PathBuf>,
    /// Allow plain text to another machine, token and events alike
    #[arg(long, global = true)]
    plain_text: bool,
    /// How many seconds to try a server that cannot be reached
    #[arg(long, global = true, value_name = "SECONDS", default_value = "5", hide_default_value = true)]
    retry_for: u64,
}

impl Place<Store> {
    /// Closes a store of this process; a server keeps its own open.
    pub(crate) fn close(self) -> Result<(), Failure> {
        match self {
            Self::Directory(store) => Ok(store.close()?),
            Self::Server(_) => Ok(()),
        }
    }
}

/// How a store is named.
enum Named<'a> {
    Directory(&'a Path),
    Server(Address),
}

impl Context {
    /// Whether a store is named in a way that can be understood, to be said before anything else is done.
    pub(crate) fn check_store(&self) -> Result<(), Failure> {
        self.named().map(|_| ())
    }

    /// Opens the store for writing, making it when it does not exist in a directory.
    pub(crate) fn open_store(&self) -> Result<Place<Store>, Failure> {
        match self.named()? {
            Named::Directory(directory) => self.open_directory(directory).map(Place::Directory),
            Named::Server(address) => self.connect(address).map(Place::Server),
        }
    }

    /// Opens the store for reading only, beside whoever may be writing to it.
    pub(crate) fn open_reader(&self) -> Result<Place<Reader>, Failure> {
        match self.named()? {
            Named::Directory(directory) => Ok(Place::Directory(Reader::open(directory)?)),
            Named::Server(address) => self.connect(address).map(Place::Server),
        }
    }

    /// The directory of a store that is no server's.
    pub(crate) fn place(&self) -> Result<Place<&Path>, Failure> {
        match self.named()? {
            Named::Directory(directory) => Ok(Place::Directory(directory)),
            Named::Server(address) => self.connect(address).map(Place::Server),
        }
    }

    /// Opens the store in a directory for writing.
    pub(crate) fn open_directory(&self, directory: &Path) -> Result<Store, Failure> {
        let store = Store::open(directory, Options::default())?;
        let recovery = store.recovery();
        if recovery.is_degraded {
            return Err(degraded(recovery));
        }
        if recovery.torn_bytes > 0 {
            let cut = recovery.torn_bytes;
            remark(self.is_json, &format!("cut {cut} bytes of an interrupted write, which nobody was promised"));
        }
        for damage in &recovery.damage {
            remark(self.is_json, &format!("damage: {damage}"));
        }
        Ok(store)
    }

    /// Opens the store for many callers at once: behind a server each makes a client of its own.
    pub(crate) fn open_for_load(&self) -> Result<Place<Store, (Address, ClientOptions)>, Failure> {
        match self.named()? {
            Named::Directory(directory) => self.open_directory(directory).map(Place::Directory),
            Named::Server(address) => Ok(Place::Server((address, self.client_options()))),
        }
    }

    /// A client of a server, which is found out by the first request to be there or not.
    fn connect(&self, address: Address) -> Result<BlockingClient, Failure> {
        Ok(BlockingClient::connect(address, self.client_options())?)
    }

    fn client_options(&self) -> ClientOptions {
        let Connection { token, tls_ca, tls_certificate, tls_key, plain_text, retry_for } = &self.connection;
        let client_certificate = tls_certificate.clone().zip(tls_key.clone());
        let tls = tls_ca.clone().map(|ca| Tls { ca_files: vec![ca], client_certificate, server_name: None });
        ClientOptions {
            token: token.clone().filter(|token| !token.is_empty()),
            tls,
            insecure: *plain_text,
            retry_for: Duration::from_secs(*retry_for),
            agent: concat!("gesta-cli ", env!("CARGO_PKG_VERSION")).to_owned(),
            ..ClientOptions::default()
        }
    }

    fn named(&self) -> Result<Named<'_>, Failure> {
        let Some(store) = self.store.as_deref().filter(|store| !store.is_empty()) else {
            let message = "no store: say which with --store, a directory or gesta://host, or in GESTA_STORE";
            return Err(Failure::usage(message));
        };
        if !store.as_encoded_bytes().starts_with(b"gesta://") {
            return Ok(Named::Directory(Path::new(store)));
        }
        let address = store.to_string_lossy().parse().map_err(|error| Failure::usage(format!("--store: {error}")))?;
        Ok(Named::Server(address))
    }
}

/// Why nothing is written to a store whose durable events are damaged.
fn degraded(recovery: &RecoveryReport) -> Failure {
    let costly = recovery.damage.iter().find(|damage| !damage.positions.is_empty());
    let damage = costly.or(recovery.damage.first()).map_or_else(|| "unknown".to_owned(), ToString::to_string);
    let message = format!(
        "cannot write to the store: durable events are damaged ({damage}): restore a backup, or save the rest with gesta repair"
    );
    Failure::new(Status::Refused, "degraded", message)
}

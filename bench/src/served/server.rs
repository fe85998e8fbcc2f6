//! A server in a process of its own, and the store behind it.

use super::child::{Child, tell, wait_until_told};
use crate::events::Events;
use crate::outcome::Outcome;
use crate::place::Place;
use gesta::{Durability, Options, Read, Store};
use gesta_client::{Address, Client, ClientOptions};
use gesta_server::Server;
use gesta_server::settings::Settings;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

/// A store of the name `default` behind a server, in a directory that goes with it.
#[derive(Debug)]
pub(super) struct ServedStore {
    child: Child,
    address: Address,
    /// Goes after the server.
    place: Place,
}

impl ServedStore {
    /// Fills a store with so many events and has a server open it.
    pub(super) fn start(parent: &Path, event_count: u64) -> Outcome<Self> {
        let place = Place::new(parent)?;
        if event_count > 0 {
            let store = Store::open(store_below(place.path()), Options::default())?;
            Events::fill(&store, event_count, Durability::Written)?;
            store.close()?;
        }
        let (child, ports) = Child::start(&["--serve".as_ref(), place.path().as_os_str()])?;
        let [append, read] = ports[..] else { return Err("a server tells two ports".into()) };
        let address = Address::new("127.0.0.1").with_ports(append.try_into()?, read.try_into()?);
        Ok(Self { child, address, place })
    }

    /// Where the store is.
    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    /// The directory of the store.
    pub(super) fn directory(&self) -> PathBuf {
        store_below(self.place.path())
    }

    /// A client with connections of its own; for use within a runtime.
    pub(super) fn client(&self) -> Outcome<Client> {
        Ok(Client::connect(self.address.clone(), ClientOptions::default())?)
    }

    /// How many events the store has, every one of them read.
    pub(super) async fn count(&self) -> Outcome<u64> {
        let client = self.client()?;
        let mut cursor = client.read(Read::all()).await?;
        let mut event_count = 0;
        while let Some(record) = cursor.next_record().await {
            record?;
            event_count += 1;
        }
        assert_eq!(client.head().await?.0, event_count, "no position is without its event");
        Ok(event_count)
    }

    /// Ends the server, which closes the store, and removes the store.
    pub(super) fn remove(self) -> Outcome<()> {
        self.child.end()?;
        self.place.remove()
    }
}

fn store_below(directory: &Path) -> PathBuf {
    directory.join("default")
}

/// What the child does: serves the stores of a directory until it is told to end.
pub fn serve(directory: &Path) -> Outcome<()> {
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let settings =
        Settings { dir: Some(directory.to_owned()), append: anywhere, read: anywhere, ..Settings::default() };
    let server = Server::start(settings)?;
    let addresses = server.addresses();
    tell(&[addresses.append.port().into(), addresses.read.port().into()])?;
    wait_until_told()?;
    let report = server.stop();
    tell(&[report.failed.len() as u64])?;
    if report.failed.is_empty() { Ok(()) } else { Err("the server could not close its store".into()) }
}

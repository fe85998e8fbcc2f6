//! A store behind a server means the same as one linked into the program.

use crate::support::Host;
use gesta_client::{Address, BlockingClient, ClientOptions};
use gesta_conformance::{Harness, Placed, conformance, model_test};
use gesta_protocol::Plane;

struct Served;

impl Served {
    fn client(host: &Host) -> BlockingClient {
        let port = |plane| host.address(plane).port();
        let address = Address::new("127.0.0.1").with_ports(port(Plane::Append), port(Plane::Read));
        BlockingClient::connect(address, ClientOptions::default()).unwrap()
    }

    fn place(host: Host) -> Placed<BlockingClient, Host> {
        Placed { store: Self::client(&host), place: host }
    }
}

impl Harness for Served {
    type Store = Placed<BlockingClient, Host>;

    fn fresh(&self) -> Self::Store {
        Self::place(Host::new())
    }

    fn fresh_with_event_ids(&self) -> Self::Store {
        Self::place(Host::with(&[("index_event_ids", "true")]))
    }

    fn reopen(&self, store: Self::Store) -> Self::Store {
        let Placed { store, place: mut host } = store;
        drop(store);
        host.restart(&[]);
        Self::place(host)
    }
}

conformance!(Served);

#[test]
fn random_steps_are_answered_as_by_a_plain_list() {
    model_test(&Served, 40, 60);
}

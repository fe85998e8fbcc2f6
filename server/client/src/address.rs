//! Where a store is: a server's host, its two ports, and the name of the store.

use gesta_protocol::Plane;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use thiserror::Error;

/// The address of a store: `gesta://host[:append_port,read_port][/name]`.
///
/// ```
/// # use gesta_client::Address;
/// let address: Address = "gesta://events.example:7001,7002/orders".parse()?;
/// assert_eq!((address.host(), address.store()), ("events.example", "orders"));
/// let local: Address = "gesta://localhost".parse()?;
/// assert_eq!(local.to_string(), "gesta://localhost:4701,4702/default");
/// # Ok::<(), gesta_client::AddressError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    host: String,
    append_port: u16,
    read_port: u16,
    store: String,
}

/// Why a text is not the address of a store.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AddressError {
    /// It begins otherwise.
    #[error("{text:?} is no address of a store: write gesta://host[:append_port,read_port][/name]")]
    Scheme {
        /// The text.
        text: String,
    },
    /// There is no host, or not one.
    #[error("{host:?} is no host: write a name or an IP address, one of version 6 in brackets")]
    Host {
        /// What stands there.
        host: String,
    },
    /// These are not two ports.
    #[error("{ports:?} is not an append port and a read port: write both, such as :4701,4702, or neither")]
    Ports {
        /// What stands there.
        ports: String,
    },
    /// This is not the name of a store.
    #[error(
        "{name:?} is no name of a store: write one after the host, such as /orders, or none for the store `default`"
    )]
    Store {
        /// What stands there.
        name: String,
    },
}

const SCHEME: &str = "gesta://";
const APPEND_PORT: u16 = 4701;
const READ_PORT: u16 = 4702;
const STORE: &str = "default";

impl Address {
    /// The store `default` of a server at its usual ports.
    #[must_use]
    pub fn new(host: impl Into<String>) -> Self {
        Self { host: host.into(), append_port: APPEND_PORT, read_port: READ_PORT, store: STORE.to_owned() }
    }

    /// The same server at other ports.
    #[must_use]
    pub fn with_ports(mut self, append_port: u16, read_port: u16) -> Self {
        (self.append_port, self.read_port) = (append_port, read_port);
        self
    }

    /// Another store of the same server.
    #[must_use]
    pub fn with_store(mut self, store: impl Into<String>) -> Self {
        self.store = store.into();
        self
    }

    /// The server's name or IP address.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port of a plane.
    #[must_use]
    pub fn port(&self, plane: Plane) -> u16 {
        match plane {
            Plane::Append => self.append_port,
            Plane::Read => self.read_port,
        }
    }

    /// The name of the store.
    #[must_use]
    pub fn store(&self) -> &str {
        &self.store
    }

    /// Whether what is sent stays on this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
    }

    /// Host and port of a plane, as a person writes them.
    pub(crate) fn endpoint(&self, plane: Plane) -> String {
        format!("{}:{}", self.bracketed_host(), self.port(plane))
    }

    fn bracketed_host(&self) -> String {
        if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() }
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let rest = text.strip_prefix(SCHEME).ok_or_else(|| AddressError::Scheme { text: text.to_owned() })?;
        let (server, store) = match rest.split_once('/') {
            Some((server, store)) if !store.is_empty() => (server, store),
            Some((server, _)) => (server, STORE),
            None => (rest, STORE),
        };
        if store.contains(['/', '?', '#']) || store.contains(char::is_whitespace) {
            return Err(AddressError::Store { name: store.to_owned() });
        }
        let (host, ports) = split_host(server)?;
        let address = Self::new(host).with_store(store);
        match ports {
            None => Ok(address),
            Some(ports) => {
                let invalid = || AddressError::Ports { ports: ports.to_owned() };
                let (append, read) = ports.split_once(',').ok_or_else(invalid)?;
                let port = |text: &str| text.parse().ok().filter(|port| *port != 0).ok_or_else(invalid);
                Ok(address.with_ports(port(append)?, port(read)?))
            }
        }
    }
}

/// Takes the ports off a host.
fn split_host(server: &str) -> Result<(&str, Option<&str>), AddressError> {
    let invalid = || AddressError::Host { host: server.to_owned() };
    let (host, ports) = match server.strip_prefix('[') {
        Some(bracketed) => {
            let (host, rest) = bracketed.split_once(']').ok_or_else(invalid)?;
            host.parse::<std::net::Ipv6Addr>().map_err(|_| invalid())?;
            let ports = if rest.is_empty() { None } else { Some(rest.strip_prefix(':').ok_or_else(invalid)?) };
            (host, ports)
        }
        None => match server.split_once(':') {
            Some((host, ports)) => (host, Some(ports)),
            None => (server, None),
        },
    };
    let is_host = |character: char| character.is_ascii_alphanumeric() || "-._:".contains(character);
    if host.is_empty() || !host.chars().all(is_host) { Err(invalid()) } else { Ok((host, ports)) }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { append_port, read_port, store, .. } = self;
        write!(formatter, "{SCHEME}{}:{append_port},{read_port}/{store}", self.bracketed_host())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Result<(String, u16, u16, String), AddressError> {
        let Address { host, append_port, read_port, store } = text.parse()?;
        Ok((host, append_port, read_port, store))
    }

    #[test]
    fn an_address_has_defaults_for_all_but_the_host() {
        let of = |host: &str, append, read, store: &str| Ok((host.to_owned(), append, read, store.to_owned()));
        assert_eq!(parts("gesta://a.b"), of("a.b", 4701, 4702, "default"));
        assert_eq!(parts("gesta://a.b/"), of("a.b", 4701, 4702, "default"));
        assert_eq!(parts("gesta://a.b/orders"), of("a.b", 4701, 4702, "orders"));
        assert_eq!(parts("gesta://127.0.0.1:1,65535/x"), of("127.0.0.1", 1, 65535, "x"));
        assert_eq!(parts("gesta://[::1]"), of("::1", 4701, 4702, "default"));
        assert_eq!(parts("gesta://[fe80::1]:5,6/x"), of("fe80::1", 5, 6, "x"));
    }

    #[test]
    fn an_address_reads_as_it_was_written() {
        for text in ["gesta://a.b:1,2/c", "gesta://[::1]:4701,4702/default"] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_address_is_refused_by_its_part() {
        for text in ["", "a.b", "http://a.b", "gesta:/a.b"] {
            assert!(matches!(parts(text), Err(AddressError::Scheme { .. })), "{text}");
        }
        for text in [
            "gesta://",
            "gesta:///x",
            "gesta://:1,2",
            "gesta://[::1",
            "gesta://[a.b]",
            "gesta://user@a",
            "gesta://[::1]5",
            "gesta://::1",
        ] {
            assert!(matches!(parts(text), Err(AddressError::Host { .. })), "{text}");
        }
        for text in ["gesta://a:", "gesta://a:1", "gesta://a:1,", "gesta://a:0,1", "gesta://a:1,65536"] {
            assert!(matches!(parts(text), Err(AddressError::Ports { .. })), "{text}");
        }
        for text in ["gesta://a/b/c", "gesta://a/b c", "gesta://a/b?c"] {
            assert!(matches!(parts(text), Err(AddressError::Store { .. })), "{text}");
        }
    }

    #[test]
    fn only_this_machine_is_loopback() {
        for (host, is_loopback) in
            [("localhost", true), ("127.0.0.9", true), ("::1", true), ("localhost.example", false), ("10.0.0.1", false)]
        {
            assert_eq!(Address::new(host).is_loopback(), is_loopback, "{host}");
        }
    }
}

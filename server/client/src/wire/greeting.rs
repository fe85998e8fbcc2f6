//! From nothing to a connection whose server has said welcome.

use super::exchange::Exchange;
use super::fault::Fault;
use super::knowledge::Knowledge;
use super::tls::Encryption;
use super::transport::connect;
use crate::{Address, ClientOptions};
use gesta_protocol::{Answer, Hello, Plane, Request, VERSION, Welcome};
use tokio::time::timeout;

/// Whom to connect to, and as whom.
pub(crate) struct Target {
    pub(crate) address: Address,
    pub(crate) options: ClientOptions,
    pub(crate) encryption: Option<Encryption>,
    pub(crate) knowledge: Knowledge,
}

impl Target {
    /// One try to connect to a plane.
    pub(super) async fn connect(&self, plane: Plane) -> Result<(Exchange, Welcome), Fault> {
        match timeout(self.options.connect_timeout, self.greet(plane)).await {
            Ok(greeted) => greeted,
            Err(_) => Err(Fault::Unreachable(format!("no welcome came within {:?}", self.options.connect_timeout))),
        }
    }

    async fn greet(&self, plane: Plane) -> Result<(Exchange, Welcome), Fault> {
        let unreachable = |error: std::io::Error| Fault::Unreachable(error.to_string());
        let (host, port) = (self.address.host(), self.address.port(plane));
        let transport = connect(host, port, self.encryption.as_ref()).await.map_err(unreachable)?;
        let mut exchange = Exchange::new(transport);
        let token = self.options.token.as_deref().unwrap_or_default();
        let hello = Hello::new(plane, self.address.store(), token, &self.options.agent);
        Request::Hello(hello).encode(0, &mut exchange.outgoing);
        loop {
            exchange.turn().await.map_err(unreachable)?;
            let garbage = |what: String| Fault::Garbage(what);
            let Some(frame) = exchange.incoming.next_frame().map_err(|error| garbage(error.to_string()))? else {
                continue;
            };
            let welcome = match Answer::decode(&frame).map_err(|error| garbage(error.to_string()))? {
                Answer::Welcome(welcome) if welcome.version == VERSION => *welcome,
                Answer::Welcome(welcome) => {
                    return Err(garbage(format!(
                        "it speaks version {} of the protocol, which was not offered",
                        welcome.version
                    )));
                }
                Answer::Refused(refusal) => {
                    return Err(match Fault::of(refusal) {
                        // Nothing but the hello was sent.
                        Fault::Broken(cause) => Fault::Unreachable(cause),
                        fault => fault,
                    });
                }
                Answer::Closing => return Err(Fault::Unreachable("the server is stopping".to_owned())),
                other => return Err(garbage(format!("{:?} instead of a welcome", other.kind()))),
            };
            self.knowledge.welcome(&welcome).map_err(garbage)?;
            return Ok((exchange, welcome));
        }
    }
}

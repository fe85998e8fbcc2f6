//! From a connection to somebody who is known.

use super::incoming::Incoming;
use super::parting::Parting;
use super::session::{Session, denied};
use super::transport::Sending;
use crate::access::Moment;
use crate::host::Host;
use crate::observe;
use crate::stores::{OpenStore, StoreError, StoreName};
use gesta_protocol::{Answer, Code, Hello, Plane, Refusal, Request, VERSION, Welcome};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// What the server calls itself.
const AGENT: &str = concat!("gesta ", env!("CARGO_PKG_VERSION"));

/// Hears the hello of a peer and answers it.
pub(crate) async fn greet(
    host: &Arc<Host>,
    (plane, peer): (Plane, SocketAddr),
    incoming: &mut Incoming,
    sending: &mut Sending,
) -> Result<Session, Parting> {
    let header = incoming.header().await?;
    let frame = incoming.frame(&header).await?;
    let Request::Hello(hello) = Request::decode(&frame)? else {
        return Err(Parting::protocol("the first frame of a connection is a hello"));
    };
    let session = admit(host, (plane, peer), &hello).await?;
    incoming.trust(&host.limits);
    let out = Answer::Welcome(Box::new(welcome(&session))).frame(header.id);
    let patience = Duration::from_millis(host.limits.handshake_timeout_ms);
    timeout(patience, sending.send(&out)).await.map_err(|_| Parting::Gone)??;
    Ok(session)
}

/// Lets somebody in by what the hello says, or not.
async fn admit(host: &Arc<Host>, (plane, peer): (Plane, SocketAddr), hello: &Hello<'_>) -> Result<Session, Parting> {
    if !hello.speaks_our_version() {
        let what = format!(
            "this server speaks version {VERSION} of the protocol, the client {} to {}: use a client of this version",
            hello.version_min, hello.version_max
        );
        return Err(Parting::Refused(Refusal::new(Code::Version, what).fatal(), observe::Refusal::Version));
    }
    if hello.plane != plane {
        let what = format!("this is the {plane} plane, and the hello is for the {} plane: swap the ports", hello.plane);
        return Err(Parting::Refused(Refusal::new(Code::WrongPlane, what).fatal(), observe::Refusal::Protocol));
    }
    let token = Some(hello.token.as_bytes()).filter(|token| !token.is_empty());
    let now = Moment::now();
    // The client is told the same either way.
    let too_often = host.access.fails_too_often(peer.ip(), now);
    let counted = if too_often { observe::Refusal::TooManyFailures } else { observe::Refusal::Denied };
    let grant = host.access.authenticate(token, hello.store, peer.ip(), now);
    let grant = grant.map_err(|_| Parting::Refused(denied().fatal(), counted))?;
    let name: StoreName = hello.store.parse().map_err(|error| refused(&StoreError::Name(error)))?;
    let store = store_of(host, name).await?;
    let observed = host.observations.store(store.name.as_str());
    observed.opened(store.reader.clone());
    if let Some(damage) = store.damage() {
        observed.poisoned(damage);
    }
    let (host, agent) = (Arc::clone(host), hello.agent.to_owned());
    Ok(Session { host, plane, peer, store, grant, agent })
}

/// The store of a name, opened if need be.
async fn store_of(host: &Arc<Host>, name: StoreName) -> Result<Arc<OpenStore>, Parting> {
    if let Some(store) = host.shelf.get_open(&name) {
        return Ok(store);
    }
    let _turn = host.opening.acquire().await.map_err(|_| Parting::Stopping)?;
    let shelf_host = Arc::clone(host);
    let opened = tokio::task::spawn_blocking(move || shelf_host.shelf.get(&name)).await;
    let opened = opened.map_err(|_| Parting::Refused(internal().fatal(), observe::Refusal::StoreFailed))?;
    opened.map_err(|error| refused(&error))
}

fn welcome(session: &Session) -> Welcome {
    let (limits, store) = (&session.host.limits, &session.store.store);
    let narrow = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
    let milliseconds = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
    Welcome {
        version: VERSION,
        features: 0,
        store_id: store.id(),
        incarnation: store.incarnation(),
        head: session.store.reader.head(),
        frame_bytes_max: narrow(limits.frame_bytes_max),
        limits: store.limits(),
        requests_in_flight_max: narrow(limits.requests_in_flight_max),
        heartbeat_ms: milliseconds(limits.heartbeat_ms),
        idle_timeout_ms: milliseconds(limits.idle_timeout_ms),
        agent: AGENT.to_owned(),
    }
}

fn refused(error: &StoreError) -> Parting {
    let counted = match error {
        StoreError::Unknown { .. } | StoreError::Name(_) => observe::Refusal::UnknownStore,
        StoreError::Stopping => observe::Refusal::Draining,
        _ => observe::Refusal::StoreFailed,
    };
    Parting::Refused(Refusal::from(error).fatal(), counted)
}

/// What is said of a bug of ours.
pub(crate) fn internal() -> Refusal {
    Refusal::new(Code::Internal, "the server failed at this, which is a bug in it: see its log")
}

//! A port: connections come in, as many as the door allows.

use super::door::Door;
use super::handshake::greet;
use super::incoming::Incoming;
use super::parting::Parting;
use super::patience::wait_for;
use super::session::Session;
use super::transport::{Receiving, Sending, encrypted, plain};
use crate::host::{Host, stop_of};
use crate::observe;
use crate::operator::Throttle;
use gesta_protocol::{Answer, Code, Plane, Refusal};
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

/// A plane's port.
pub(crate) struct Port {
    pub(crate) listener: TcpListener,
    pub(crate) plane: Plane,
    pub(crate) connections_max: usize,
}

/// After a failure to accept, such as running out of descriptors, how long nobody is let in.
const BACK_OFF: Duration = Duration::from_millis(50);
/// How long a peer is waited for to take its last word, and then to close; or one that is taken for gone.
const FAREWELL: Duration = Duration::from_millis(500);

/// How many of those who are turned away at the door are waited for at a time.
const TURNED_AWAY_MAX: usize = 64;

/// Lets connections in and serves each until the server stops; returns when all of them have ended.
pub(crate) async fn listen<S, F>(port: Port, host: Arc<Host>, serve: S)
where
    S: Fn(Session, Incoming, Sending) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let Port { listener, plane, connections_max } = port;
    let door = Door::new(connections_max, host.limits.connections_per_address_max);
    let mut stop = Box::pin(stop_of(host.stopping.clone()));
    let farewells = Arc::new(Semaphore::new(TURNED_AWAY_MAX));
    // Every connection holds a sender: when the last one is dropped, all have ended.
    let (connection, mut all_ended) = mpsc::channel::<()>(1);
    loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                host.observed(plane).refused(observe::Refusal::NoDescriptors);
                report_accept(plane, &error);
                tokio::time::sleep(BACK_OFF).await;
                continue;
            }
        };
        let (host, connection) = (Arc::clone(&host), connection.clone());
        match door.enter(peer.ip()) {
            Err(reason) => {
                host.observed(plane).refused(reason);
                turn_away(stream, &host, reason, &farewells);
            }
            Ok(place) => {
                let serve = serve.clone();
                tokio::spawn(async move {
                    let _held = (place, connection, host.observed(plane).connection());
                    let _ = stream.set_nodelay(true);
                    converse(host, (plane, peer), stream, serve).await;
                });
            }
        }
    }
    drop((listener, connection));
    let _ = all_ended.recv().await;
}

/// Encrypts if that is asked for, hears the hello, and serves whoever was let in.
async fn converse<S, F>(host: Arc<Host>, (plane, peer): (Plane, SocketAddr), stream: TcpStream, serve: S)
where
    S: Fn(Session, Incoming, Sending) -> F,
    F: Future<Output = ()>,
{
    let (receiving, mut sending) = match transport(&host, stream).await {
        Ok(halves) => halves,
        Err(parting) => return tell_of(&host, plane, peer, &parting),
    };
    let mut incoming = Incoming::new(receiving, &host.limits);
    let greeted = tokio::select! {
        greeted = greet(&host, (plane, peer), &mut incoming, &mut sending) => greeted,
        () = stop_of(host.stopping.clone()) => Err(Parting::Stopping),
    };
    match greeted {
        Ok(session) => serve(session, incoming, sending).await,
        Err(parting) => {
            tell_of(&host, plane, peer, &parting);
            part(parting, incoming, sending).await;
        }
    }
}

async fn transport(host: &Host, stream: TcpStream) -> Result<(Receiving, Sending), Parting> {
    let Some(tls) = &host.tls else { return Ok(plain(stream)) };
    let patience = Duration::from_millis(host.limits.handshake_timeout_ms);
    match wait_for(patience, TlsAcceptor::from(tls.current()).accept(stream)).await {
        Ok(Ok(stream)) => Ok(encrypted(stream)),
        Ok(Err(error)) => Err(Parting::Dropped(observe::Refusal::Tls, error.to_string())),
        Err(_) => Err(Parting::Dropped(observe::Refusal::HandshakeTimeout, "the TLS handshake took too long".into())),
    }
}

/// Says goodbye as far as the peer would understand it, and closes so that what was said arrives.
pub(crate) async fn part(parting: Parting, mut incoming: Incoming, mut sending: Sending) {
    let refusal = match parting {
        Parting::Refused(refusal, _) => refusal,
        Parting::Stopping => Refusal::new(Code::Stopping, "the server is stopping: connect again later").fatal(),
        Parting::Gone | Parting::Dropped(..) => return,
    };
    let said = async {
        sending.send(&Answer::Refused(refusal).frame(0)).await?;
        sending.end().await
    };
    if matches!(timeout(FAREWELL, said).await, Ok(Ok(()))) {
        // Closing with bytes unread would reset the connection, and the goodbye with it.
        incoming.discard(FAREWELL).await;
    }
}

/// Waits until whoever speaks to a peer has said all there is, and tells how that ended. A peer that is taken for gone is
/// not waited for: what it did not take is given up.
pub(crate) async fn hear_out(
    mut speaker: JoinHandle<io::Result<Sending>>,
    parting: &Parting,
) -> Option<io::Result<Sending>> {
    if !parting.is_for_silence() {
        return speaker.await.ok();
    }
    let ended = timeout(FAREWELL, &mut speaker).await;
    if ended.is_err() {
        speaker.abort();
    }
    ended.ok()?.ok()
}

/// Counts how a connection ended, and says so in the log if somebody should know.
pub(crate) fn tell_of(host: &Host, plane: Plane, peer: SocketAddr, parting: &Parting) {
    match parting {
        Parting::Gone | Parting::Stopping => {}
        Parting::Refused(refusal, counted) => {
            host.observed(plane).refused(*counted);
            report(*counted, peer, &refusal.message);
        }
        Parting::Dropped(counted, why) => {
            host.observed(plane).refused(*counted);
            report(*counted, peer, why);
        }
    }
}

/// Says in a word that there is no room, without holding up those who come next.
fn turn_away(stream: TcpStream, host: &Host, reason: observe::Refusal, farewells: &Arc<Semaphore>) {
    if host.tls.is_some() {
        return;
    }
    let refusal = Refusal::new(Code::TooManyConnections, "there are too many connections: try again later").fatal();
    let Ok(farewell) = Arc::clone(farewells).try_acquire_owned() else {
        // The first bytes of a connection always fit into the socket. In a flood, closing at once may lose them.
        let _ = stream.try_write(&Answer::Refused(refusal).frame(0));
        return;
    };
    let (receiving, sending) = plain(stream);
    let incoming = Incoming::new(receiving, &host.limits);
    tokio::spawn(async move {
        part(Parting::Refused(refusal, reason), incoming, sending).await;
        drop(farewell);
    });
}

fn report_accept(plane: Plane, error: &io::Error) {
    static THROTTLE: Throttle = Throttle::new();
    if let Some(suppressed) = THROTTLE.admit() {
        tracing::error!(%plane, %error, suppressed, "cannot accept a connection: trying again");
    }
}

/// Says in the log why somebody was turned away: a line a second at most, whoever knocks.
fn report(reason: observe::Refusal, peer: SocketAddr, why: &str) {
    static THROTTLE: Throttle = Throttle::new();
    if let Some(suppressed) = THROTTLE.admit() {
        tracing::warn!(%peer, reason = reason.name(), suppressed, "connection ended: {}", observe::Shown(why));
    }
}

#[cfg(test)]
#[path = "listen_test.rs"]
mod tests;

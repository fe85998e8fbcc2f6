//! The HTTP port: a few connections at a time, small heads, nothing that lasts.

use super::pages::pages;
use super::throttle::Throttle;
use crate::observe::{Health, Observations};
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

/// Connections beyond are closed at once.
const CONNECTIONS_MAX: usize = 64;
/// Bytes and lines of a request's head.
const HEAD_BYTES_MAX: usize = 8 << 10;
const HEAD_LINES_MAX: usize = 32;
/// How long a head may take to arrive, and the next one may keep us waiting.
const HEAD_TIME_MAX: Duration = Duration::from_secs(10);
/// How long a connection lives, whatever happens on it.
const CONNECTION_TIME_MAX: Duration = Duration::from_secs(60);
/// How long open connections may finish their page when the server stops.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(1);
/// How long to wait after an accept failed: most likely the process is out of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves the operator's pages until `shutdown` is over.
///
/// # Errors
///
/// When the listener cannot be used at all; afterwards nothing ends it but `shutdown`.
pub async fn serve(
    listener: std::net::TcpListener,
    observations: Arc<Observations>,
    health: Arc<Health>,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    let pages = pages(observations, health);
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    // Every connection holds a receiver: when the last one is gone, all are closed.
    let (stop, stopped) = watch::channel(());
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut shutdown => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                // Without room the stream is dropped, which closes it.
                let Ok(permit) = Arc::clone(&room).try_acquire_owned() else { continue };
                let (pages, stopped) = (pages.clone(), stopped.clone());
                tokio::spawn(async move {
                    let _ = timeout(CONNECTION_TIME_MAX, serve_connection(stream, pages, stopped)).await;
                    drop(permit);
                });
            }
            Err(error) => {
                static FAILED: Throttle = Throttle::new();
                if let Some(suppressed) = FAILED.admit() {
                    tracing::warn!(%error, suppressed, "the HTTP port cannot take a connection: trying again");
                }
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop((listener, stopped));
    stop.send_replace(());
    let _ = timeout(DRAIN_TIME_MAX, stop.closed()).await;
    Ok(())
}

/// Serves one connection until it ends, or, once the server stops, until the page under way is sent.
async fn serve_connection(stream: TcpStream, pages: Router, mut stopped: watch::Receiver<()>) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_header_size(HEAD_BYTES_MAX)
        .max_headers(HEAD_LINES_MAX)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(pages));
    let mut connection = pin!(connection);
    // What goes wrong on a connection is the peer's affair.
    tokio::select! {
        _ = connection.as_mut() => {}
        _ = stopped.changed() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

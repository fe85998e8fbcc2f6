//! A server that runs.

use super::addresses::Addresses;
use super::descriptors;
use super::error::StartError;
use crate::access::Access;
use crate::host::Host;
use crate::observe::{self, Health, Observations};
use crate::plane::{Port, Room, listen};
use crate::settings::Settings;
use crate::stores::{Shelf, StoreName};
use crate::tls::{TlsConfig, TlsFiles};
use crate::{append, operator, read};
use gesta::{CloseError, Options};
use gesta_protocol::Plane;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

/// A server that runs until it is stopped or dropped.
pub struct Server {
    addresses: Addresses,
    host: Arc<Host>,
    health: Arc<Health>,
    stop: watch::Sender<bool>,
    stop_timeout: Duration,
    /// The planes' own threads, so that neither waits for the other.
    append: Option<(Runtime, JoinHandle<()>)>,
    read: Option<(Runtime, JoinHandle<()>)>,
    operator: Option<Runtime>,
}

/// How stopping went.
#[derive(Debug, Default)]
pub struct StopReport {
    /// Stores that were not closed cleanly, and why. What was acknowledged as durable is durable all the same.
    pub failed: Vec<(StoreName, CloseError)>,
    /// Stores whose closing had not ended in time, so that they were left: a disk that does not answer. What was acknowledged
    /// as durable is durable all the same.
    pub unfinished: Vec<StoreName>,
    /// Whether connections were cut off because they had not ended in time.
    pub has_cut_off: bool,
}

/// A sync that takes longer makes the server not ready.
const SYNC_BOUND: Duration = Duration::from_secs(10);
/// Of the time to stop in, what is left to the stores: planes must have ended before.
const CLOSING_SHARE: u32 = 4;

impl Server {
    /// Starts a server: opens the directory, listens on all ports, serves. Returns when it is ready.
    pub fn start(settings: Settings) -> Result<Self, StartError> {
        descriptors::raise_limit();
        let access = Access::from_settings(&settings.access)?;
        let tls = TlsFiles::from_settings(&settings.tls).map(TlsConfig::load).transpose()?;
        let observations = Observations::new();
        let health = Health::new(Arc::clone(&observations), SYNC_BOUND);
        let shelf = open_shelf(settings.directory()?, &settings, &observations)?;
        let listeners = [(settings.append, "the append plane"), (settings.read, "the read plane")];
        let [append, read] = listeners.map(|(address, what)| bind(address, what));
        let (append, read) = (append?, read?);
        let http = settings.http.map(|address| bind(address, "the operator's port")).transpose()?;
        let address_of = |listener: &TcpListener| listener.local_addr().map_err(StartError::Threads);
        let addresses = Addresses {
            append: address_of(&append)?,
            read: address_of(&read)?,
            http: http.as_ref().map(address_of).transpose()?,
        };
        let (stop, stopping) = watch::channel(false);
        let limits = settings.limits.clone();
        let append_room = Room::new(limits.append_bytes_in_flight_max, limits.frame_bytes_max);
        let read_room = Room::new(limits.frame_bytes_max, limits.frame_bytes_max);
        let [append_connections, read_connections] =
            descriptors::connections([limits.append_connections_max, limits.read_connections_max]);
        let long_work = Arc::new(Semaphore::new(1));
        let host = Host {
            limits,
            access,
            tls,
            shelf,
            observations: Arc::clone(&observations),
            stopping,
            append_room,
            read_room,
            opening: Semaphore::new(OPENING_MAX),
            reloaded: watch::Sender::new(()),
            long_work,
        };
        let host = Arc::new(host);
        let serve_append = serve_plane(Plane::Append, append, append_connections, &host, settings.append_threads)?;
        let serve_read = serve_plane(Plane::Read, read, read_connections, &host, settings.read_threads)?;
        for plane in observe::Plane::ALL {
            health.set_listening(plane, true);
        }
        let operator = http.map(|listener| serve_operator(listener, &host, &health)).transpose()?;
        let Addresses { append, read, http } = addresses;
        tracing::info!(%append, %read, http = http.map(tracing::field::display), "listening");
        let stop_timeout = Duration::from_millis(host.limits.stop_timeout_ms);
        let (append, read) = (Some(serve_append), Some(serve_read));
        Ok(Self { addresses, host, health, stop, stop_timeout, append, read, operator })
    }

    /// Where it listens.
    #[must_use]
    pub fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// Reads certificates and tokens again. What cannot be used leaves the old ones in use: each failure is returned, one
    /// line each, and counted.
    pub fn reload(&self) -> Vec<String> {
        let mut failures = Vec::new();
        failures.extend(self.host.access.reload().err().map(|error| error.to_string()));
        failures.extend(self.host.tls.as_ref().and_then(|tls| tls.reload().err()).map(|error| error.to_string()));
        self.host.reloaded.send_replace(());
        for failure in &failures {
            self.host.observations.reload_failed();
            tracing::error!(failure, "reload failed: what was in use stays in use");
        }
        if failures.is_empty() {
            tracing::info!(tokens = self.host.access.token_count(), "certificates and tokens were read again");
        }
        failures
    }

    /// Takes nothing more, answers what was taken, closes the stores; all of it within `limits.stop_timeout_ms`.
    pub fn stop(mut self) -> StopReport {
        self.shut()
    }

    fn shut(&mut self) -> StopReport {
        let (Some(append), Some(read)) = (self.append.take(), self.read.take()) else { return StopReport::default() };
        tracing::info!("stopping");
        let closing_deadline = Instant::now() + self.stop_timeout;
        let deadline = closing_deadline - self.stop_timeout / CLOSING_SHARE;
        self.health.set_draining();
        // Everybody who waits for it may have gone.
        let _ = self.stop.send(true);
        let mut report = StopReport::default();
        for (runtime, plane) in [append, read] {
            let left = deadline.saturating_duration_since(Instant::now());
            let ended = runtime.block_on(async { tokio::time::timeout(left, plane).await });
            report.has_cut_off |= ended.is_err();
            // Not dropped, which would wait for reads from a disk that may hang.
            runtime.shutdown_background();
        }
        let closed = self.host.shelf.close(closing_deadline);
        (report.failed, report.unfinished) = (closed.failed, closed.unfinished);
        for (store, error) in &report.failed {
            tracing::error!(%store, %error, "the store was not closed cleanly");
        }
        for store in &report.unfinished {
            tracing::error!(%store, "the store was not closed in time: does its disk answer?");
        }
        if let Some(operator) = self.operator.take() {
            operator.shutdown_background();
        }
        tracing::info!(has_cut_off = report.has_cut_off, "stopped");
        report
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shut();
    }
}

fn open_shelf(directory: &Path, settings: &Settings, observations: &Arc<Observations>) -> Result<Shelf, StartError> {
    let (limits, observations) = (settings.limits.events(), Arc::clone(observations));
    let index_event_ids = settings.index_event_ids;
    let stores = directory.to_owned();
    let scrub = settings.scrub.options();
    let options = move |name: &StoreName| {
        let observed = observations.store(name.as_str());
        observed.lies_in(stores.join(name.as_str()));
        Options {
            limits,
            index_event_ids,
            scrub: scrub.clone(),
            scrub_observer: Some(Arc::clone(&observed) as _),
            commit_observer: Some(observed),
            ..Options::default()
        }
    };
    Ok(Shelf::open(directory, settings.allow_network_dir, settings.limits.stores_open_max, options)?)
}

fn bind(address: SocketAddr, what: &'static str) -> Result<TcpListener, StartError> {
    let failed = |error| StartError::Listen { address, what, error };
    let listener = TcpListener::bind(address).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    Ok(listener)
}

/// Serves a plane on threads of its own.
fn serve_plane(
    plane: Plane,
    listener: TcpListener,
    connections_max: usize,
    host: &Arc<Host>,
    threads: usize,
) -> Result<(Runtime, JoinHandle<()>), StartError> {
    let runtime = Builder::new_multi_thread()
        .worker_threads(threads)
        .max_blocking_threads(BLOCKING_THREADS_MAX)
        .thread_name(format!("gesta-{plane}"))
        .enable_all()
        .build()
        .map_err(StartError::Threads)?;
    let listener = {
        let _entered = runtime.enter();
        tokio::net::TcpListener::from_std(listener).map_err(StartError::Threads)?
    };
    let (port, host) = (Port { listener, plane, connections_max }, Arc::clone(host));
    let task = match plane {
        Plane::Append => runtime.spawn(listen(port, host, append::serve)),
        Plane::Read => runtime.spawn(listen(port, host, read::serve)),
    };
    Ok((runtime, task))
}

/// Threads of a plane that may wait for a disk at a time.
const BLOCKING_THREADS_MAX: usize = 64;
/// How many of them may wait for stores to be opened.
const OPENING_MAX: usize = 8;

/// Serves the operator's pages on a thread of their own: they answer whatever the planes do.
fn serve_operator(listener: TcpListener, host: &Arc<Host>, health: &Arc<Health>) -> Result<Runtime, StartError> {
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("gesta-operator")
        .enable_all()
        .build()
        .map_err(StartError::Threads)?;
    let (observations, health) = (Arc::clone(&host.observations), Arc::clone(health));
    runtime.spawn(async move {
        if let Err(error) = operator::serve(listener, observations, health, std::future::pending()).await {
            tracing::error!(%error, "the operator's port cannot be served");
        }
    });
    Ok(runtime)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    #[test]
    fn a_store_that_cannot_be_closed_in_time_is_left_and_named() {
        let directory = tempfile::tempdir().unwrap();
        let settings = [
            ("dir", directory.path().to_str().unwrap()),
            ("append", "127.0.0.1:0"),
            ("read", "127.0.0.1:0"),
            ("limits.stop_timeout_ms", "400"),
        ];
        let settings = settings.map(|(key, value)| (key, value.to_owned()));
        let no_environment: [(&str, &str); 0] = [];
        let settings = Settings::load(None, no_environment, &settings).unwrap().into_settings();
        let server = Server::start(settings).unwrap();
        let host = Arc::clone(&server.host);
        let [hung, well]: [StoreName; 2] = ["default", "well"].map(|name| name.parse().unwrap());
        host.shelf.create(&well).unwrap();
        let report = host.shelf.while_opening(&hung, || server.stop());
        assert_eq!(report.unfinished, [hung]);
        assert!(report.failed.is_empty() && !report.has_cut_off, "{report:?}");
        // The other one was closed: somebody else may have it.
        assert!(gesta::Store::open(directory.path().join("well"), Options::default()).is_ok());
    }
}

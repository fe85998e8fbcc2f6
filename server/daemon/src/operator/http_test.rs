//! The operator's pages over a real socket.

use super::serve;
use crate::observe::{Health, Observations, Plane, Snapshot};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// The pages of a server without planes.
struct Port {
    runtime: Runtime,
    address: SocketAddr,
    observations: Arc<Observations>,
    health: Arc<Health>,
    stop: oneshot::Sender<()>,
    served: JoinHandle<std::io::Result<()>>,
}

impl Port {
    fn open() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let observations = Observations::new();
        let health = Health::new(Arc::clone(&observations), Duration::from_secs(3600));
        let (stop, stopped) = oneshot::channel();
        let shutdown = async { drop(stopped.await) };
        let served = runtime.spawn(serve(listener, Arc::clone(&observations), Arc::clone(&health), shutdown));
        Self { runtime, address, observations, health, stop, served }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream
    }

    /// The answer to a request: the status, the head and the page.
    fn ask(&self, method: &str, path: &str) -> (u16, String, String) {
        let mut stream = self.connect();
        write!(stream, "{method} {path} HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n").unwrap();
        answer(&mut stream)
    }

    fn stop(self) {
        self.stop.send(()).unwrap();
        self.runtime.block_on(self.served).unwrap().unwrap();
        // Other tests start processes, which hold whatever is open until they have become another program.
        while TcpStream::connect(self.address).is_ok() {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

fn answer(stream: &mut TcpStream) -> (u16, String, String) {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, page) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no head in {answer:?}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head.to_lowercase(), page.to_owned())
}

#[test]
fn a_server_that_is_not_ready_is_live_and_says_why_it_is_not_ready() {
    let port = Port::open();
    assert_eq!(port.ask("GET", "/livez").0, 200);
    let (status, _, page) = port.ask("GET", "/readyz");
    assert_eq!(status, 503);
    assert_eq!(page, "the append plane does not listen\nthe read plane does not listen\n");
    for plane in Plane::ALL {
        port.health.set_listening(plane, true);
    }
    assert_eq!(port.ask("GET", "/readyz").0, 200);
    port.observations.store("books").poisoned("input/output error\nforged: line");
    let (status, _, page) = port.ask("GET", "/readyz");
    assert_eq!((status, page.as_str()), (503, "store books takes no appends: input/output error\\nforged: line\n"));
    assert_eq!(port.ask("GET", "/livez").0, 200);
    port.stop();
}

#[test]
fn metrics_and_snapshot_are_served_in_their_own_forms() {
    let port = Port::open();
    port.observations.plane(Plane::Append).received(1000, 3);
    let (status, head, page) = port.ask("GET", "/metrics");
    assert_eq!(status, 200);
    assert!(head.contains("content-type: application/openmetrics-text; version=1.0.0; charset=utf-8"), "{head}");
    assert!(page.contains("gesta_received_bytes_total{plane=\"append\"} 1000\n"), "{page}");
    let (status, head, page) = port.ask("GET", "/snapshot");
    assert_eq!(status, 200);
    assert!(head.contains("content-type: application/json"), "{head}");
    let snapshot: Snapshot = serde_json::from_str(&page).unwrap();
    assert_eq!(snapshot.planes.append.received_events, 3);
    port.stop();
}

#[test]
fn nothing_but_get_and_nothing_but_these_pages_is_served() {
    let port = Port::open();
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"] {
        assert_eq!(port.ask(method, "/snapshot").0, 405, "{method}");
    }
    for path in ["/", "/metrics/", "/livez/../snapshot", "/../etc/passwd", "/%2e%2e/snapshot"] {
        assert_eq!(port.ask("GET", path).0, 404, "{path}");
    }
    port.stop();
}

#[test]
fn heads_that_are_too_large_or_no_http_are_refused() {
    let port = Port::open();
    let mut stream = port.connect();
    // The server may close before it has taken everything.
    let _ = write!(stream, "GET /livez HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(64 << 10));
    let mut first = [0; 12];
    match stream.read_exact(&mut first) {
        Ok(()) => assert_eq!(&first, b"HTTP/1.1 431"),
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{error}"),
    }

    let mut stream = port.connect();
    let lines: String = (0..40).map(|number| format!("x{number}: y\r\n")).collect();
    write!(stream, "GET /livez HTTP/1.1\r\nhost: here\r\n{lines}\r\n").unwrap();
    assert_eq!(answer(&mut stream).0, 431);

    let mut stream = port.connect();
    stream.write_all(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 no http at all\r\n\r\n").unwrap();
    assert_eq!(answer(&mut stream).0, 400);
    assert_eq!(port.ask("GET", "/livez").0, 200);
    port.stop();
}

#[test]
fn connections_beyond_the_bound_are_closed_and_the_port_recovers() {
    let port = Port::open();
    // Each has been answered once, so that it is known to be open.
    let mut open: Vec<TcpStream> = (0..64).map(|_| port.connect()).collect();
    for stream in &mut open {
        stream.write_all(b"GET /livez HTTP/1.1\r\nhost: here\r\n\r\n").unwrap();
        let mut first = [0; 12];
        stream.read_exact(&mut first).unwrap();
        assert_eq!(&first, b"HTTP/1.1 200");
    }
    let mut one_more = port.connect();
    let _ = one_more.write_all(b"GET /livez HTTP/1.1\r\nhost: here\r\n\r\n");
    match one_more.read(&mut [0; 1]) {
        Ok(count) => assert_eq!(count, 0, "it was served"),
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{error}"),
    }
    drop(open);
    let is_served = || {
        let mut stream = port.connect();
        let _ = stream.write_all(b"GET /livez HTTP/1.1\r\nhost: here\r\n\r\n");
        stream.read(&mut [0; 1]).is_ok_and(|count| count == 1)
    };
    while !is_served() {
        std::thread::sleep(Duration::from_millis(5));
    }
    port.stop();
}

#[test]
fn an_idle_connection_does_not_keep_the_port_from_stopping() {
    let port = Port::open();
    let mut idle = port.connect();
    idle.write_all(b"GET /livez HTTP/1.1\r\nhost: here\r\n\r\n").unwrap();
    let mut first = [0; 12];
    idle.read_exact(&mut first).unwrap();
    let mut half = port.connect();
    half.write_all(b"GET /liv").unwrap();
    port.stop();
}

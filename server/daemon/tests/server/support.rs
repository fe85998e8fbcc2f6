//! A server in this process, and a client that says just what it is told to.

use gesta_protocol::{Answer, Frame, FrameBuffer, Hello, Plane, Request, Welcome};
use gesta_server::settings::Settings;
use gesta_server::{Server, StartError};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A server on ports of its own, with a directory of its own.
pub(crate) struct Host {
    pub(crate) server: Option<Server>,
    pub(crate) directory: TempDir,
}

impl Host {
    /// A server with these settings beside the usual ones.
    pub(crate) fn with(flags: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let server = start(directory.path(), flags).unwrap();
        Self { server: Some(server), directory }
    }

    pub(crate) fn new() -> Self {
        Self::with(&[])
    }

    pub(crate) fn address(&self, plane: Plane) -> SocketAddr {
        let addresses = self.server.as_ref().unwrap().addresses();
        match plane {
            Plane::Append => addresses.append,
            Plane::Read => addresses.read,
        }
    }

    /// A connection that has said hello to the store `default`.
    pub(crate) fn connect(&self, plane: Plane) -> Wire {
        let mut wire = Wire::open(self.address(plane));
        wire.hello(plane, "default", "");
        wire
    }

    /// A look at the figures of the server, over a connection of its own.
    pub(crate) fn figures(&self) -> Figures {
        Figures { wire: self.connect(Plane::Read), last_id: 0 }
    }

    /// Stops the server and starts another one on the same directory.
    pub(crate) fn restart(&mut self, flags: &[(&str, &str)]) {
        let report = self.server.take().unwrap().stop();
        assert!(report.failed.is_empty() && report.unfinished.is_empty(), "{report:?}");
        self.server = Some(start(self.directory.path(), flags).unwrap());
    }
}

/// Starts a server on a directory.
pub(crate) fn start(directory: &Path, flags: &[(&str, &str)]) -> Result<Server, StartError> {
    let mut settings = vec![("dir", directory.to_str().unwrap().to_owned())];
    settings.extend(["append", "read"].map(|plane| (plane, "127.0.0.1:0".to_owned())));
    settings.extend(flags.iter().map(|(key, value)| (*key, (*value).to_owned())));
    let no_environment: [(&str, &str); 0] = [];
    Server::start(Settings::load(None, no_environment, &settings).unwrap().into_settings())
}

/// What the server tells of itself, asked for again and again.
pub(crate) struct Figures {
    wire: Wire,
    last_id: u64,
}

impl Figures {
    /// The figure at a path such as `/server/planes/read/connections_open`.
    pub(crate) fn at(&mut self, path: &str) -> u64 {
        self.last_id += 1;
        self.wire.send(self.last_id, &Request::Statistics);
        let figures = self.wire.receive(|_, answer| match answer {
            Answer::Statistics(json) => serde_json::from_str::<serde_json::Value>(json).unwrap(),
            other => panic!("no figures but {other:?}"),
        });
        let figures = figures.expect("the server tells its figures");
        figures.pointer(path).and_then(serde_json::Value::as_u64).unwrap_or_else(|| panic!("no {path} in {figures}"))
    }

    /// Waits until a figure is what it must become.
    pub(crate) fn wait_for(&mut self, path: &str, expected: u64) {
        let mut seen = None;
        let is_so = || {
            seen = Some(self.at(path));
            seen == Some(expected)
        };
        assert!(eventually(is_so), "{path} should become {expected} and is {seen:?}");
    }

    /// How often a plane refused for a reason.
    pub(crate) fn refusals(&mut self, plane: Plane, reason: &str) -> u64 {
        self.at(&format!("/server/planes/{plane}/refusals/{reason}"))
    }
}

/// Looks until something is so; false when it does not come true.
pub(crate) fn eventually(mut is_so: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + Duration::from_secs(60);
    while Instant::now() < deadline {
        if is_so() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    false
}

/// A connection, frame by frame.
pub(crate) struct Wire {
    pub(crate) stream: TcpStream,
    buffer: FrameBuffer,
    /// How long the client rests after each few bytes that it takes.
    pub(crate) pace: Duration,
}

impl Wire {
    pub(crate) fn open(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).unwrap())
    }

    pub(crate) fn over(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, buffer: FrameBuffer::new(u32::MAX), pace: Duration::ZERO }
    }

    pub(crate) fn send(&mut self, id: u64, request: &Request<'_>) {
        let mut out = Vec::new();
        request.encode(id, &mut out);
        self.stream.write_all(&out).unwrap();
    }

    /// Sends bytes that need not be frames; the server may have closed already.
    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// Sends nothing more: what was sent is all.
    pub(crate) fn finish(&self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Whether the connection ends without another word.
    pub(crate) fn is_closed(&mut self) -> bool {
        self.receive(|_, answer| format!("{answer:?}")).is_none()
    }

    pub(crate) fn hello(&mut self, plane: Plane, store: &str, token: &str) -> Welcome {
        match self.try_hello(plane, store, token) {
            Ok(welcome) => welcome,
            Err(answer) => panic!("no welcome but {answer}"),
        }
    }

    pub(crate) fn try_hello(&mut self, plane: Plane, store: &str, token: &str) -> Result<Welcome, String> {
        self.send(0, &Request::Hello(Hello::new(plane, store, token, "test")));
        self.receive(|_, answer| match answer {
            Answer::Welcome(welcome) => Ok(*welcome),
            other => Err(format!("{other:?}")),
        })
        .unwrap_or_else(|| Err("the end of the connection".to_owned()))
    }

    /// What the next frame says; pings are answered and passed over. `None` at the end of the connection.
    pub(crate) fn receive<T>(&mut self, look: impl FnOnce(u64, Answer<'_>) -> T) -> Option<T> {
        loop {
            match self.buffer.next_frame().unwrap() {
                Some(frame) if is_ping(&frame) => {}
                Some(frame) => {
                    let (id, answer) = (frame.id, Answer::decode(&frame).unwrap());
                    return Some(look(id, answer));
                }
                None => {
                    if !self.fill() {
                        return None;
                    }
                    continue;
                }
            }
            self.send(0, &Request::Pong);
        }
    }

    /// Answers the pings that come within the read timeout of the stream, and expects nothing else.
    pub(crate) fn answer_pings(&mut self) {
        match self.stream.read(self.buffer.room()) {
            Ok(0) => panic!("the connection has ended"),
            Ok(count) => self.buffer.filled(count),
            Err(error) => assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}"),
        }
        while let Some(frame) = self.buffer.next_frame().unwrap() {
            assert!(is_ping(&frame), "{frame:?}");
            let mut pong = Vec::new();
            Request::Pong.encode(0, &mut pong);
            self.stream.write_all(&pong).unwrap();
        }
    }

    /// Takes one byte, if there is one.
    pub(crate) fn take_a_byte(&mut self) {
        let mut byte = [0];
        self.stream.read_exact(&mut byte).unwrap();
        self.buffer.room()[0] = byte[0];
        self.buffer.filled(1);
    }

    /// Takes more bytes; `false` at the end of the connection.
    fn fill(&mut self) -> bool {
        let room = self.buffer.room();
        let length = if self.pace.is_zero() { room.len() } else { room.len().min(RESTING_BYTES) };
        std::thread::sleep(self.pace);
        match self.stream.read(&mut room[..length]) {
            Ok(0) => false,
            Ok(count) => {
                self.buffer.filled(count);
                true
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => false,
            Err(error) => panic!("nothing came: {error}"),
        }
    }

    /// The code of the refusal that comes next; 0 when the connection ends without one.
    pub(crate) fn refusal(&mut self) -> u16 {
        self.receive(|_, answer| match answer {
            Answer::Refused(refusal) => refusal.code,
            other => panic!("no refusal but {other:?}"),
        })
        .unwrap_or(0)
    }
}

/// How much a client takes at a time that rests in between.
const RESTING_BYTES: usize = 8 << 10;

fn is_ping(frame: &Frame<'_>) -> bool {
    matches!(Answer::decode(frame), Ok(Answer::Ping))
}

/// A connection that can be cut off: what is under way in either direction is lost.
pub(crate) struct Line {
    pub(crate) wire: Wire,
}

impl Line {
    /// A connection from another address of this machine, if given.
    pub(crate) fn open(source: Option<&str>, to: SocketAddr) -> Self {
        Self::prepared(to, |socket| {
            if let Some(source) = source {
                socket.bind(format!("{source}:0").parse().unwrap()).unwrap();
            }
        })
    }

    /// A connection whose socket holds so many bytes that nobody has taken yet.
    pub(crate) fn with_window(bytes: u32, to: SocketAddr) -> Self {
        Self::prepared(to, |socket| socket.set_recv_buffer_size(bytes).unwrap())
    }

    fn prepared(to: SocketAddr, prepare: impl FnOnce(&tokio::net::TcpSocket)) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let stream = runtime.block_on(async {
            let socket = tokio::net::TcpSocket::new_v4().unwrap();
            prepare(&socket);
            // Closed, it is reset.
            socket.set_zero_linger().unwrap();
            socket.connect(to).await.unwrap().into_std().unwrap()
        });
        stream.set_nonblocking(false).unwrap();
        Self { wire: Wire::over(stream) }
    }
}

/// Panics of the server's own threads: a connection that ends by one looks to its client like one that was closed.
static PANICS: AtomicUsize = AtomicUsize::new(0);

/// Counts panics of the server's threads from now on.
pub(crate) fn watch_for_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if std::thread::current().name().is_some_and(|name| name.starts_with("gesta-")) {
                PANICS.fetch_add(1, Ordering::SeqCst);
            }
            before(panic);
        }));
    });
}

pub(crate) fn assert_no_panics() {
    assert_eq!(PANICS.load(Ordering::SeqCst), 0, "threads of the server panicked: see above");
}

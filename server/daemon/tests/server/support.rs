//! A server in this process, and a client that says just what it is told to.

use gesta_protocol::{Answer, Frame, FrameBuffer, Hello, Plane, Request, Welcome};
use gesta_server::Server;
use gesta_server::settings::Settings;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;
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
        let server = start(directory.path(), flags);
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

    /// Stops the server and starts another one on the same directory.
    pub(crate) fn restart(&mut self, flags: &[(&str, &str)]) {
        self.server.take().unwrap().stop();
        self.server = Some(start(self.directory.path(), flags));
    }
}

fn start(directory: &std::path::Path, flags: &[(&str, &str)]) -> Server {
    let mut settings = vec![("dir", directory.to_str().unwrap().to_owned())];
    settings.extend(["append", "read"].map(|plane| (plane, "127.0.0.1:0".to_owned())));
    settings.extend(flags.iter().map(|(key, value)| (*key, (*value).to_owned())));
    let no_environment: [(&str, &str); 0] = [];
    Server::start(Settings::load(None, no_environment, &settings).unwrap().into_settings()).unwrap()
}

/// A connection, frame by frame.
pub(crate) struct Wire {
    pub(crate) stream: TcpStream,
    buffer: FrameBuffer,
}

impl Wire {
    pub(crate) fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, buffer: FrameBuffer::new(u32::MAX) }
    }

    pub(crate) fn send(&mut self, id: u64, request: &Request<'_>) {
        let mut out = Vec::new();
        request.encode(id, &mut out);
        self.stream.write_all(&out).unwrap();
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

    /// Takes more bytes; `false` at the end of the connection.
    fn fill(&mut self) -> bool {
        match self.stream.read(self.buffer.room()) {
            Ok(0) => false,
            Ok(count) => {
                self.buffer.filled(count);
                true
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => false,
            Err(error) => panic!("nothing came: {error}"),
        }
    }

    #[expect(dead_code, reason = "for the tests of faults")]
    /// The code of the refusal that comes next; 0 when the connection ends without one.
    pub(crate) fn refusal(&mut self) -> u16 {
        self.receive(|_, answer| match answer {
            Answer::Refused(refusal) => refusal.code,
            other => panic!("no refusal but {other:?}"),
        })
        .unwrap_or(0)
    }
}

fn is_ping(frame: &Frame<'_>) -> bool {
    matches!(Answer::decode(frame), Ok(Answer::Ping))
}

//! A server that follows a script: it takes connections and frames when it is told to, and answers what it is told.

use gesta_client::{Address, BlockingClient, ClientOptions};
use gesta_model::{AppendRequest, Durability, Event, EventType, Incarnation, Limits, Position, Receipt, Uuid};
use gesta_protocol::{Answer, Append, Frame, FrameBuffer, Hello, Kind, Plane, ReadRequest, Request, VERSION, Welcome};
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;
use std::time::Duration;

/// After so long, a script that waits in vain fails its test.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// So long nothing is waited for that must not come.
pub(crate) const MOMENT: Duration = Duration::from_millis(80);

/// Both ports of a server.
pub(crate) struct Ports {
    append: TcpListener,
    read: TcpListener,
}

impl Ports {
    pub(crate) fn open() -> Self {
        let [append, read] = [0, 1].map(|_| TcpListener::bind("127.0.0.1:0").unwrap());
        Self { append, read }
    }

    pub(crate) fn address(&self) -> Address {
        let [append, read] = [&self.append, &self.read].map(|listener| listener.local_addr().unwrap().port());
        Address::new("127.0.0.1").with_ports(append, read)
    }

    pub(crate) fn client(&self) -> BlockingClient {
        self.client_with(ClientOptions::default())
    }

    pub(crate) fn client_with(&self, options: ClientOptions) -> BlockingClient {
        BlockingClient::connect(self.address(), options).unwrap()
    }

    /// Takes the next connection to a port; nothing was read from it.
    pub(crate) fn accept(&self, plane: Plane) -> Peer {
        let listener = match plane {
            Plane::Append => &self.append,
            Plane::Read => &self.read,
        };
        let (stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Peer { stream, buffer: FrameBuffer::new(64 << 20) }
    }

    /// Takes the next connection to a port and welcomes it.
    pub(crate) fn greet(&self, plane: Plane) -> Peer {
        self.greet_with(plane, |_| {})
    }

    pub(crate) fn greet_with(&self, plane: Plane, change: impl FnOnce(&mut Welcome)) -> Peer {
        let mut peer = self.accept(plane);
        let id = peer.hello(|hello| assert_eq!(hello.plane, plane));
        let mut welcome = welcome();
        change(&mut welcome);
        peer.say(id, &Answer::Welcome(Box::new(welcome)));
        peer
    }

    /// Whether nobody connects to a port for a moment.
    pub(crate) fn is_left_alone(&self, plane: Plane) -> bool {
        let listener = match plane {
            Plane::Append => &self.append,
            Plane::Read => &self.read,
        };
        listener.set_nonblocking(true).unwrap();
        std::thread::sleep(MOMENT);
        matches!(listener.accept(), Err(error) if error.kind() == ErrorKind::WouldBlock)
    }
}

/// Follows a script on a thread of its own.
pub(crate) fn follow<T: Send + 'static>(script: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    std::thread::spawn(script)
}

pub(crate) fn welcome() -> Welcome {
    Welcome {
        version: VERSION,
        features: 0,
        store_id: Uuid::from_u128(77),
        incarnation: Incarnation(1),
        head: Position(0),
        frame_bytes_max: 1 << 20,
        limits: Limits::default(),
        requests_in_flight_max: 100,
        heartbeat_ms: 10_000,
        idle_timeout_ms: 30_000,
        agent: "script".to_owned(),
    }
}

/// A client as the script sees it.
pub(crate) struct Peer {
    stream: TcpStream,
    buffer: FrameBuffer,
}

/// A frame that a client sent.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) id: u64,
    kind: u8,
    body: Vec<u8>,
}

impl Asked {
    pub(crate) fn kind(&self) -> Kind {
        Kind::of(self.kind).unwrap()
    }

    pub(crate) fn request(&self) -> Request<'_> {
        Request::decode(&Frame { kind: self.kind, id: self.id, body: &self.body }).unwrap()
    }

    /// What of an append must be the same at every try: its id, and its records byte for byte.
    pub(crate) fn append(&self) -> (Option<Uuid>, Vec<u8>, Position) {
        match self.request() {
            Request::Append(Append::Foreign(foreign)) => (foreign.request_id, foreign.records.to_vec(), foreign.since),
            other => panic!("an append was expected: {other:?}"),
        }
    }

    pub(crate) fn read(&self) -> ReadRequest {
        match self.request() {
            Request::Read(read) => *read,
            other => panic!("a read was expected: {other:?}"),
        }
    }
}

impl Peer {
    /// Takes the hello and returns its id.
    pub(crate) fn hello(&mut self, look: impl FnOnce(&Hello<'_>)) -> u64 {
        let asked = self.next();
        match asked.request() {
            Request::Hello(hello) => look(&hello),
            other => panic!("a hello was expected: {other:?}"),
        }
        asked.id
    }

    /// The next frame.
    pub(crate) fn next(&mut self) -> Asked {
        self.try_next().expect("the client has closed the connection")
    }

    /// The next frame; `None` when the client has closed the connection.
    pub(crate) fn try_next(&mut self) -> Option<Asked> {
        loop {
            if let Some(frame) = self.buffer.next_frame().unwrap() {
                return Some(Asked { id: frame.id, kind: frame.kind, body: frame.body.to_vec() });
            }
            let count = match self.stream.read(self.buffer.room()) {
                Ok(0) => return None,
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("nothing came: {error}"),
            };
            self.buffer.filled(count);
        }
    }

    /// Whether the client says nothing for a moment.
    pub(crate) fn is_quiet(&mut self) -> bool {
        if self.buffer.header().unwrap().is_some() {
            return false;
        }
        self.stream.set_read_timeout(Some(MOMENT)).unwrap();
        let read = self.stream.read(self.buffer.room());
        self.stream.set_read_timeout(Some(PATIENCE)).unwrap();
        match read {
            Ok(count) => {
                self.buffer.filled(count);
                false
            }
            Err(error) => matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
        }
    }

    pub(crate) fn say(&mut self, id: u64, answer: &Answer<'_>) {
        self.send(&encoded(id, answer));
    }

    /// Sends bytes, frames or not. The client may have gone.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// The same; whether the client took them.
    pub(crate) fn send_all(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    /// Answers an append as made at a position.
    pub(crate) fn receipt(&mut self, id: u64, position: u64) {
        self.say(id, &Answer::Receipt(receipt(position)));
    }
}

pub(crate) fn encoded(id: u64, answer: &Answer<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    answer.encode(id, &mut bytes);
    bytes
}

pub(crate) fn receipt(position: u64) -> Receipt {
    Receipt {
        positions: Position(position)..Position(position + 1),
        revisions: Vec::new(),
        head: Position(position + 1),
        durability: Durability::Durable,
        incarnation: Incarnation(1),
    }
}

/// A request of one event with `data_bytes` bytes.
pub(crate) fn request(data_bytes: usize) -> AppendRequest {
    AppendRequest::new().event(Event::new(EventType::new("Counted").unwrap()).data(vec![7; data_bytes]))
}

/// Options that give up soon.
pub(crate) fn impatient() -> ClientOptions {
    ClientOptions { retry_for: Duration::from_millis(150), ..ClientOptions::default() }
}

//! Who may do what, by real frames on the right plane; and tokens and certificates that change while connections live.

use crate::abuse::subscription;
use crate::conversation::{append, event, read_request};
use crate::matrix::{SETS, cells, roles, token};
use crate::support::{Host, Wire, eventually};
use crate::tls::{Ca, Files, ca, client};
use gesta::{AppendRequest, ExpectedRevision, Limits, NameKind, Position, Read, SnapshotKey, StreamName, Uuid};
use gesta_protocol::{
    Answer, Append, Code, FrameBuffer, Hello, Plane, Request, SaveSnapshot, StandingRequest, WaitForProjection,
};
use gesta_server::access::{Moment, NewToken, Operation, TokenFile};
use rustls::{ClientConnection, StreamOwned};
use rustls_pki_types::ServerName;
use std::borrow::Cow;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

const DENIED: u16 = Code::Denied as u16;
/// What everybody is told to whom something is denied, whatever the reason.
const DENIAL: &str = "denied: present a token that is valid for this store and allows this operation";

/// A server that lets in who has a token, and the file of tokens.
struct Guarded {
    host: Host,
    file: TokenFile,
    _directory: TempDir,
}

impl Guarded {
    fn new() -> Self {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("tokens");
        let file = TokenFile::new(path.clone());
        // The file is there before the server is.
        token(&file, "o", "*", Moment::now().wall);
        let host = Host::with(&[("access.tokens", path.to_str().unwrap())]);
        Self { host, file, _directory: directory }
    }

    /// A new token that counts at once.
    fn token(&self, set: &str, store: &str) -> String {
        let new = NewToken {
            name: format!("{set} {store} {}", self.file.list().unwrap().len()),
            roles: roles(set),
            stores: vec![store.to_owned()],
            expires: None,
        };
        let token = self.file.create(new, Moment::now().wall).unwrap().expose().to_owned();
        self.reload();
        token
    }

    fn reload(&self) {
        assert_eq!(self.host.server.as_ref().unwrap().reload(), Vec::<String>::new());
    }

    fn enter(&self, plane: Plane, store: &str, token: &str) -> Result<Wire, String> {
        let mut wire = Wire::open(self.host.address(plane));
        wire.try_hello(plane, store, token).map(|_| wire)
    }

    /// Makes a store, as the operator of everything.
    fn create(&self, store: &str) {
        let mut operator = self.enter(Plane::Append, "default", &self.token("o", "*")).unwrap();
        operator.send(1, &Request::CreateStore(store));
        operator.receive(|_, answer| assert!(matches!(answer, Answer::Done), "{answer:?}")).unwrap();
    }
}

fn append_frame(id: u64, missed: u32) -> Vec<u8> {
    let stream = StreamName::new("order-1").unwrap();
    let request = AppendRequest::new().event(event(id)).expect(stream, ExpectedRevision::Any).return_missed(missed);
    let encoded = request.encode(&Limits::default(), || Uuid::from_u128(u128::from(id) | 1 << 98)).unwrap();
    let mut frame = Vec::new();
    Request::Append(Append::Encoded(&encoded)).encode(id, &mut frame);
    frame
}

fn empty_snapshot() -> SaveSnapshot<'static> {
    SaveSnapshot { key: SnapshotKey::new("order-1").unwrap(), schema: 1, position: Position(0), data: b"" }
}

/// The plane of an operation and its frame; none for the hello, which is no request.
fn frame_of(operation: Operation, id: u64) -> Option<(Plane, Vec<u8>)> {
    let created = format!("made-{id}");
    let wait = WaitForProjection { name: "orders", position: Position(1), timeout: Duration::ZERO };
    let read = || Request::Read(Box::new(read_request(Read::all())));
    let (plane, request) = match operation {
        Operation::Hello => return None,
        Operation::Append => return Some((Plane::Append, append_frame(id, 0))),
        Operation::AppendReturningMissed => return Some((Plane::Append, append_frame(id, 1))),
        Operation::RebuildIndex => (Plane::Append, Request::RebuildIndex),
        Operation::CreateStore => (Plane::Append, Request::CreateStore(&created)),
        Operation::Read => (Plane::Read, read()),
        Operation::Subscribe => (Plane::Read, subscription(0, 1)),
        Operation::Standing => (Plane::Read, Request::Standing(StandingRequest::default())),
        Operation::Names => (Plane::Read, Request::Names(NameKind::Type, "")),
        Operation::Statistics => (Plane::Read, Request::Statistics),
        Operation::Verify => (Plane::Read, Request::Verify { is_deep: true }),
        Operation::VerifyIndex => (Plane::Read, Request::VerifyIndex),
        Operation::ListStores => (Plane::Read, Request::ListStores),
        Operation::SaveSnapshot => (Plane::Append, Request::SaveSnapshot(empty_snapshot())),
        Operation::ListSnapshots => (Plane::Read, Request::Snapshots("")),
        Operation::DropSnapshots => (Plane::Append, Request::DropSnapshots("")),
        Operation::TellProjections => (Plane::Read, Request::TellProjections(Cow::Borrowed(&[]))),
        Operation::ListProjections => (Plane::Read, Request::Projections("")),
        Operation::WaitForProjection => (Plane::Read, Request::WaitForProjection(wait)),
        Operation::ReplayParked => (Plane::Read, Request::ReplayParked("orders")),
    };
    let mut frame = Vec::new();
    request.encode(id, &mut frame);
    Some((plane, frame))
}

/// Whether the first answer to a request is anything but a denial.
fn is_allowed(wire: &mut Wire, id: u64, frame: &[u8]) -> bool {
    wire.send_bytes(frame);
    loop {
        let answered = wire.receive(|answered, answer| match answer {
            _ if answered != id => None,
            // It may be asked, and nobody has told of the projection.
            Answer::Refused(refusal) if refusal.code == Code::UnknownProjection as u16 => Some(true),
            Answer::Refused(refusal) => {
                assert_eq!((refusal.code, refusal.message.as_str()), (DENIED, DENIAL));
                Some(false)
            }
            _ => Some(true),
        });
        if let Some(is_allowed) = answered.expect("the connection goes on") {
            return is_allowed;
        }
    }
}

#[test]
fn every_cell_of_the_table_holds_for_real_frames_on_their_plane() {
    let guarded = Guarded::new();
    guarded.create("own");
    guarded.create("foreign");
    let mut cell_count = 0;
    let mut id = 0;
    for set in &SETS[1..] {
        for scope in ["own", "*"] {
            let token = guarded.token(set, scope);
            for store in ["own", "foreign"] {
                let is_in_scope = scope == "*" || store == "own";
                let wires = [Plane::Append, Plane::Read].map(|plane| guarded.enter(plane, store, &token));
                for refused in wires.iter().filter_map(|wire| wire.as_ref().err()) {
                    assert!(!is_in_scope && refused.contains("denied"), "{set} {scope} {store}: {refused}");
                }
                assert_eq!(wires.iter().all(Result::is_ok), is_in_scope, "{set} {scope} {store}");
                let Ok([mut commands, mut queries]) =
                    <[Wire; 2]>::try_from(wires.into_iter().flatten().collect::<Vec<_>>())
                else {
                    cell_count += cells().filter(|(_, other, _)| other == set).count();
                    continue;
                };
                for (operation, _, answer) in cells().filter(|(_, other, _)| other == set) {
                    cell_count += 1;
                    id += 1;
                    let Some((plane, frame)) = frame_of(operation, id) else { continue };
                    let wire = if plane == Plane::Append { &mut commands } else { &mut queries };
                    // A store that the token does not cover cannot be made with it either.
                    let answer = answer && (operation != Operation::CreateStore || scope == "*");
                    // Of stores there may be as many as there may be: what is made is refused for that at the end.
                    let is_allowed = if operation == Operation::CreateStore && answer {
                        wire.send_bytes(&frame);
                        wire.receive(|_, answer| match answer {
                            Answer::Done => true,
                            Answer::Refused(refusal) => refusal.code == Code::TooManyStores as u16,
                            _ => false,
                        })
                        .unwrap()
                    } else {
                        is_allowed(wire, id, &frame)
                    };
                    assert_eq!(is_allowed, answer, "{operation:?} {set} {scope} {store}");
                }
            }
        }
    }
    assert_eq!(cell_count, 20 * 15 * 4);
}

#[test]
fn without_a_good_token_nothing_is_said_but_that_it_is_denied() {
    let guarded = Guarded::new();
    let good = guarded.token("a", "default");
    let long = "t".repeat(2000);
    let cut = &good[..good.len() - 1];
    let mut said = Vec::new();
    for plane in [Plane::Append, Plane::Read] {
        for (store, token) in [
            ("default", ""),
            ("default", "gesta"),
            ("default", cut),
            ("default", long.as_str()),
            // Which stores there are is nobody's business.
            ("nowhere", ""),
            ("nowhere", good.as_str()),
            ("../../etc", good.as_str()),
            ("", ""),
        ] {
            said.push(guarded.enter(plane, store, token).err().expect("nobody is let in"));
        }
        // Nothing else is answered before a hello.
        for id in 1..10 {
            let mut wire = Wire::open(guarded.host.address(plane));
            wire.send(id, &Request::Statistics);
            assert_eq!(wire.refusal(), Code::Protocol as u16);
            assert!(wire.is_closed());
        }
    }
    said.dedup();
    assert_eq!(said.len(), 1, "one word for all of them: {said:?}");
    // So many failures do not keep out who comes from the same address with a good token.
    guarded.enter(Plane::Append, "default", &good).unwrap();
}

#[test]
fn a_token_that_is_revoked_ends_what_its_open_connections_may_do() {
    let guarded = Guarded::new();
    let (token, writer) = (guarded.token("ar", "default"), guarded.token("a", "default"));
    let mut witness = guarded.enter(Plane::Append, "default", &writer).unwrap();
    let mut commands = guarded.enter(Plane::Append, "default", &token).unwrap();
    let mut queries = guarded.enter(Plane::Read, "default", &token).unwrap();
    append(&mut commands, 1, AppendRequest::new().event(event(1)));
    queries.send(5, &subscription(0, u32::MAX));
    let mut has_caught_up = false;
    while !has_caught_up {
        queries.receive(|_, answer| has_caught_up = matches!(answer, Answer::CaughtUp(_))).unwrap();
    }
    guarded.file.revoke("ar default 1").unwrap();
    // Nothing changes before the file is read again.
    append(&mut commands, 2, AppendRequest::new().event(event(2)));
    queries.receive(|_, answer| assert!(matches!(answer, Answer::Events(_)), "{answer:?}")).unwrap();
    guarded.reload();
    append(&mut witness, 1, AppendRequest::new().event(event(3)));
    queries
        .receive(|id, answer| match answer {
            Answer::Refused(refusal) => assert_eq!((id, refusal.code), (5, DENIED)),
            other => panic!("what was appended after the end is not sent: {other:?}"),
        })
        .unwrap();
    assert!(!is_allowed(&mut commands, 9, &append_frame(9, 0)));
    let (_, frame) = frame_of(Operation::Statistics, 9).unwrap();
    assert!(!is_allowed(&mut queries, 9, &frame));
    assert!(guarded.enter(Plane::Read, "default", &token).is_err());
    // A broken file keeps the tokens that are in use, and says so.
    std::fs::write(guarded._directory.path().join("tokens"), "{broken").unwrap();
    assert_eq!(guarded.host.server.as_ref().unwrap().reload().len(), 1);
    append(&mut witness, 2, AppendRequest::new().event(event(4)));
    guarded.enter(Plane::Append, "default", &writer).unwrap();
}

#[test]
fn a_subscription_ends_with_its_token_even_when_nothing_is_appended() {
    let guarded = Guarded::new();
    let token = guarded.token("r", "default");
    let mut queries = guarded.enter(Plane::Read, "default", &token).unwrap();
    queries.send(5, &subscription(0, u32::MAX));
    guarded.file.revoke("r default 1").unwrap();
    guarded.reload();
    let is_denied = || {
        let refused = queries.receive(|_, answer| match answer {
            Answer::Refused(refusal) => Some(refusal.code),
            _ => None,
        });
        refused.unwrap() == Some(DENIED)
    };
    assert!(eventually(is_denied));
}

#[test]
fn a_wait_ends_with_its_token_although_nothing_is_told() {
    let guarded = Guarded::new();
    let token = guarded.token("a", "default");
    let mut queries = guarded.enter(Plane::Read, "default", &token).unwrap();
    let wait = WaitForProjection { name: "orders", position: Position(1), timeout: Duration::from_secs(3600) };
    queries.send(5, &Request::WaitForProjection(wait));
    guarded.file.revoke("a default 1").unwrap();
    guarded.reload();
    assert_eq!(queries.refusal(), DENIED);
}

/// An encrypted connection.
struct Encrypted {
    stream: StreamOwned<ClientConnection, TcpStream>,
    buffer: FrameBuffer,
}

impl Encrypted {
    fn connect(host: &Host, ca: &Ca) -> std::io::Result<Self> {
        let name = ServerName::try_from("localhost").unwrap();
        let tls = ClientConnection::new(Arc::new(client(ca, None)), name).unwrap();
        let stream = TcpStream::connect(host.address(Plane::Read)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let mut encrypted = Self { stream: StreamOwned::new(tls, stream), buffer: FrameBuffer::new(u32::MAX) };
        encrypted.ask(0, &Request::Hello(Hello::new(Plane::Read, "default", "", "test")))?;
        Ok(encrypted)
    }

    /// Sends a request and takes the first frame that comes.
    fn ask(&mut self, id: u64, request: &Request<'_>) -> std::io::Result<String> {
        let mut frame = Vec::new();
        request.encode(id, &mut frame);
        self.stream.write_all(&frame)?;
        loop {
            if let Some(frame) = self.buffer.next_frame().unwrap() {
                return Ok(format!("{:?}", Answer::decode(&frame).unwrap()));
            }
            match self.stream.read(self.buffer.room())? {
                0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
                count => self.buffer.filled(count),
            }
        }
    }

    fn is_served(&mut self) -> bool {
        self.ask(7, &Request::Ping).is_ok_and(|answer| answer == "Pong")
    }
}

#[test]
fn certificates_change_while_connections_live_and_broken_ones_change_nothing() {
    let (old, new) = (ca(), ca());
    let files = Files::new(&old, None);
    let path = |name| files.path(name).to_str().unwrap().to_owned();
    let host = Host::with(&[("tls.certificate", &path("certificate")), ("tls.key", &path("key"))]);
    let reload = || host.server.as_ref().unwrap().reload();
    let mut first = Encrypted::connect(&host, &old).unwrap();
    assert!(Encrypted::connect(&host, &new).is_err(), "a client trusts its own authority alone");
    files.renew(&new);
    assert!(Encrypted::connect(&host, &old).is_ok(), "nothing changes before the files are read again");
    assert_eq!(reload(), Vec::<String>::new());
    let mut second = Encrypted::connect(&host, &new).unwrap();
    assert!(Encrypted::connect(&host, &old).is_err());
    std::fs::write(files.path("certificate"), "broken").unwrap();
    let failures = reload();
    assert_eq!(failures.len(), 1, "{failures:?}");
    let mut third = Encrypted::connect(&host, &new).unwrap();
    assert!(first.is_served() && second.is_served() && third.is_served());
}

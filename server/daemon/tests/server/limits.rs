//! What the machine under the server can do: no descriptors, no memory, no room on the disk, a disk that fails, and a process
//! that stands still.

use crate::conversation::{event, read_all, read_request};
use crate::support::{Host, Wire, eventually, start};
use crate::witness::Witness;
use crate::{child, mounted::Mounted};
use gesta::{AppendRequest, Event, EventType, Limits, Read, Uuid};
use gesta_protocol::{Answer, Append, Code, FrameHeader, Kind, Plane, Request};
use gesta_server::Server;
use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, setrlimit};
use std::fs::File;
use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// A connection that needs no more descriptors once it is to connect.
struct Prepared {
    runtime: tokio::runtime::Runtime,
    socket: tokio::net::TcpSocket,
}

impl Prepared {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        Self { runtime, socket }
    }

    /// The connection, and what keeps its other descriptors.
    fn connect(self, address: SocketAddr) -> (Wire, tokio::runtime::Runtime) {
        let stream = self.runtime.block_on(async { self.socket.connect(address).await.unwrap().into_std().unwrap() });
        stream.set_nonblocking(false).unwrap();
        (Wire::over(stream), self.runtime)
    }
}

#[test]
fn without_descriptors_those_inside_are_served_and_others_are_let_in_when_there_are_some_again() {
    if child::directory().is_none() {
        let directory = tempfile::tempdir().unwrap();
        let name =
            "limits::without_descriptors_those_inside_are_served_and_others_are_let_in_when_there_are_some_again";
        return child::run(name, directory.path());
    }
    setrlimit(Resource::Nofile, Rlimit { current: Some(200), maximum: Some(200) }).unwrap();
    let host = Host::new();
    let (mut figures, mut witness) = (host.figures(), Witness::new(&host));
    let waiting: Vec<_> = [Plane::Append, Plane::Read].into_iter().map(|plane| (plane, Prepared::new())).collect();
    let mut taken = Vec::new();
    while let Ok(file) = File::open("/dev/null") {
        taken.push(file);
    }
    let mut wires: Vec<_> =
        waiting.into_iter().map(|(plane, prepared)| (plane, prepared.connect(host.address(plane)))).collect();
    for plane in ["append", "read"] {
        let path = format!("/server/planes/{plane}/refusals/no_descriptors");
        assert!(eventually(|| figures.at(&path) > 0));
    }
    for _ in 0..20 {
        witness.is_served();
    }
    drop(taken);
    for (plane, (wire, _)) in &mut wires {
        wire.hello(*plane, "default", "");
    }
    witness.is_served();
}

/// Bytes of memory that the process has asked the system for, used or not.
fn memory() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').next().unwrap().parse::<u64>().unwrap() * 4096
}

#[test]
fn announced_bytes_take_no_memory_before_they_come() {
    if child::directory().is_none() {
        let directory = tempfile::tempdir().unwrap();
        return child::run("limits::announced_bytes_take_no_memory_before_they_come", directory.path());
    }
    let host = Host::new();
    let mut witness = Witness::new(&host);
    let mut wires: Vec<Wire> = (0..200).map(|number| host.connect([Plane::Append, Plane::Read][number % 2])).collect();
    witness.is_served();
    let before = memory();
    for (wire, kind) in wires.iter_mut().zip([Kind::Append, Kind::Read].into_iter().cycle()) {
        wire.send_bytes(&FrameHeader { body_bytes: 34 << 20, kind: kind as u8, id: 1 }.encode());
        wire.send_bytes(&[0; 100]);
    }
    for _ in 0..20 {
        witness.is_served();
    }
    let grown = memory().saturating_sub(before);
    // Seven gigabytes were announced.
    assert!(grown < 512 << 20, "{grown} bytes");
}

/// The status and the text of a page of the operator's port.
fn page(address: SocketAddr, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    (answer.split(' ').nth(1).unwrap().parse().unwrap(), answer)
}

fn wide(bytes: usize) -> AppendRequest {
    AppendRequest::new().event(Event::new(EventType::new("Wide").unwrap()).json(format!("\"{}\"", "x".repeat(bytes))))
}

fn outcome(wire: &mut Wire, id: u64, request: AppendRequest) -> Result<u64, (u16, bool)> {
    let encoded = request.encode(&Limits::default(), || Uuid::from_u128(u128::from(id) | 1 << 97)).unwrap();
    wire.send(id, &Request::Append(Append::Encoded(&encoded)));
    wire.receive(|_, answer| match answer {
        Answer::Receipt(receipt) => Ok(receipt.positions.end.0),
        Answer::Refused(refusal) => Err((refusal.code, refusal.may_retry)),
        other => panic!("unexpected {other:?}"),
    })
    .unwrap()
}

fn connect(server: &Server, plane: Plane) -> Wire {
    let addresses = server.addresses();
    let mut wire = Wire::open(if plane == Plane::Append { addresses.append } else { addresses.read });
    wire.hello(plane, "default", "");
    wire
}

#[test]
fn a_full_disk_refuses_appends_for_now_and_takes_them_when_there_is_room_again() {
    let Some(mounted) = Mounted::in_memory("9m") else { return };
    let server = start(&mounted.path().join("stores"), &[("http", "127.0.0.1:0")]).unwrap();
    let http = server.addresses().http.unwrap();
    assert_eq!(page(http, "/readyz").0, 200);
    let (mut commands, mut queries) = (connect(&server, Plane::Append), connect(&server, Plane::Read));
    let mut head = 0;
    let refused = loop {
        match outcome(&mut commands, head + 1, wide(200_000)) {
            Ok(end) => head = end,
            Err(refused) => break refused,
        }
    };
    assert_eq!(refused, (Code::StorageFull as u16, true), "and it may be tried again");
    assert_eq!(read_all(&mut queries, 1, read_request(Read::all())).0.len() as u64, head);
    let (status, text) = page(http, "/readyz");
    assert!(status == 503 && text.contains("store default is full: there was no room for a segment of"), "{text}");
    assert!(page(http, "/metrics").1.contains("\ngesta_ready 0.0\n"));
    assert_eq!(page(http, "/livez").0, 200);
    mounted.remount("size=40m");
    // It is ready before anybody appends: whoever asks for that before it sends requests would never send any.
    let (status, text) = page(http, "/readyz");
    assert_eq!(status, 200, "{text}");
    assert!(eventually(|| outcome(&mut commands, head + 1, wide(10)).is_ok()));
    assert_eq!(read_all(&mut queries, 2, read_request(Read::all())).0.len() as u64, head + 1);
    assert!(server.stop().failed.is_empty());
}

#[test]
fn a_disk_that_fails_poisons_the_store_and_the_server_is_live_but_not_ready() {
    let directory = tempfile::tempdir().unwrap();
    let image = directory.path().join("image");
    File::create(&image).unwrap().set_len(64 << 20).unwrap();
    let made = Command::new("mkfs.ext4").args(["-q", "-F"]).arg(&image).output();
    if !made.is_ok_and(|made| made.status.success()) {
        return eprintln!("skipped: there is no mkfs.ext4 here");
    }
    let Some(mounted) = Mounted::image(&image) else { return };
    let server = start(&mounted.path().join("stores"), &[("http", "127.0.0.1:0")]).unwrap();
    let http = server.addresses().http.unwrap();
    let (mut commands, mut queries) = (connect(&server, Plane::Append), connect(&server, Plane::Read));
    assert_eq!(outcome(&mut commands, 1, wide(100)), Ok(1));
    assert_eq!(page(http, "/readyz").0, 200);
    mounted.cut_power();
    // The one whose write fails, those that come after it, and those of clients that come later.
    for id in 2..5 {
        assert_eq!(outcome(&mut commands, id, wide(100)), Err((Code::Poisoned as u16, false)));
    }
    let mut later = connect(&server, Plane::Append);
    assert_eq!(outcome(&mut later, 9, wide(100)), Err((Code::Poisoned as u16, false)));
    let (status, text) = page(http, "/readyz");
    assert!(status == 503 && text.contains("store default takes no appends"), "{text}");
    assert_eq!(page(http, "/livez").0, 200);
    // What can still be read is read; of a file system that is gone, that may be nothing.
    queries.send(1, &Request::Read(Box::new(read_request(Read::all()))));
    let mut is_answered = false;
    while !is_answered {
        queries
            .receive(|_, answer| match answer {
                Answer::Begun(_) | Answer::Events(_) => {}
                Answer::Ended(_) => is_answered = true,
                Answer::Refused(refusal) if refusal.code == Code::Unreadable as u16 => is_answered = true,
                other => panic!("unexpected {other:?}"),
            })
            .expect("the read plane goes on");
    }
    drop((commands, queries, later));
    let report = server.stop();
    assert_eq!(report.failed.len(), 1, "{report:?}");
}

/// Serves on a directory until there is no more input, and says where.
fn serve(directory: &Path) {
    let quick =
        [("limits.idle_timeout_ms", "500"), ("limits.heartbeat_ms", "100"), ("limits.handshake_timeout_ms", "500")];
    let server = start(directory, &quick).unwrap();
    println!("\naddresses {} {}", server.addresses().append, server.addresses().read);
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    assert!(server.stop().failed.is_empty());
}

/// Makes a request until it is answered, over as many connections as that takes.
fn persist(address: SocketAddr, number: u64) {
    let request = AppendRequest::new().event(event(number)).request_id(Uuid::from_u128(u128::from(number) | 1 << 96));
    let encoded = request.encode(&Limits::default(), || Uuid::from_u128(u128::from(number) | 1 << 95)).unwrap();
    let mut frame = Vec::new();
    Request::Append(Append::Encoded(&encoded)).encode(number + 1, &mut frame);
    let is_made = || {
        let mut wire = Wire::open(address);
        // A server that stands still is not waited for: the request is made again.
        wire.stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
        let mut hello = Vec::new();
        Request::Hello(gesta_protocol::Hello::new(Plane::Append, "default", "", "test")).encode(0, &mut hello);
        wire.send_bytes(&hello);
        wire.send_bytes(&frame);
        let mut said = Vec::new();
        let mut part = [0; 4096];
        while let Ok(count @ 1..) = wire.stream.read(&mut part) {
            said.extend_from_slice(&part[..count]);
            if is_receipt_in(&said) {
                return true;
            }
        }
        false
    };
    assert!(eventually(is_made));
}

fn is_receipt_in(mut said: &[u8]) -> bool {
    while let Some((header, rest)) = said.split_first_chunk() {
        let header = FrameHeader::decode(header, u32::MAX).unwrap();
        let Some((_, rest)) = rest.split_at_checked(header.body_bytes as usize) else { return false };
        if header.kind == Kind::Receipt as u8 {
            return true;
        }
        said = rest;
    }
    false
}

#[test]
fn a_server_that_stood_still_for_a_while_has_each_request_once() {
    if let Some(directory) = child::directory() {
        return serve(&directory);
    }
    let directory = tempfile::tempdir().unwrap();
    let mut server =
        child::command("limits::a_server_that_stood_still_for_a_while_has_each_request_once", directory.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines().map(Result::unwrap);
    let line = lines.find(|line| line.starts_with("addresses ")).unwrap();
    let addresses: Vec<SocketAddr> = line.split(' ').skip(1).map(|address| address.parse().unwrap()).collect();
    let append_to = addresses[0];
    let clients: Vec<_> = (0..4_u64)
        .map(|client| std::thread::spawn(move || (0..40).for_each(|number| persist(append_to, client * 40 + number))))
        .collect();
    let pid = Pid::from_child(&server);
    for _ in 0..3 {
        std::thread::sleep(Duration::from_millis(60));
        kill_process(pid, Signal::STOP).unwrap();
        // Longer than any of its deadlines, and than its clients wait.
        std::thread::sleep(Duration::from_millis(700));
        kill_process(pid, Signal::CONT).unwrap();
    }
    clients.into_iter().for_each(|client| client.join().unwrap());
    let mut queries = Wire::open(addresses[1]);
    queries.hello(Plane::Read, "default", "");
    let mut data: Vec<String> =
        read_all(&mut queries, 1, read_request(Read::all())).0.into_iter().map(|(_, data)| data).collect();
    data.sort();
    let mut expected: Vec<String> = (0..160).map(|number| format!("{{\"n\":{number}}}")).collect();
    expected.sort();
    assert_eq!(data, expected);
    drop(server.stdin.take());
    assert!(server.wait().unwrap().success());
}

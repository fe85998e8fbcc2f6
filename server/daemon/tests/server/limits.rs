//! What the machine under the server can do: no descriptors, no memory, no room on the disk, a disk that fails, and a process
//! that stands still.

use crate::abuse::subscription;
use crate::child;
use crate::conversation::{event, read_all, read_request};
use crate::mounted::{Mounted, skip};
use crate::support::{Figures, Host, Wire, eventually, start};
use crate::witness::Witness;
use gesta::{AppendRequest, Event, EventType, Limits, Read, Uuid};
use gesta_protocol::{Answer, Append, Code, FrameHeader, Kind, Plane, Request};
use gesta_server::Server;
use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, setrlimit};
use std::fs::File;
use std::io::{BufRead, BufReader, Lines, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

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
    // The first append waits for a segment, which takes a descriptor.
    witness.is_served();
    let waiting: Vec<_> = [Plane::Append, Plane::Read].into_iter().map(|plane| (plane, Prepared::new())).collect();
    let stat = File::open("/proc/self/stat").unwrap();
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
    // Who cannot be let in is tried for again some times a second, and costs next to nothing.
    let tried = |figures: &mut Figures| {
        ["append", "read"].map(|plane| figures.at(&format!("/server/planes/{plane}/refusals/no_descriptors")))
    };
    let (began, cpu, before) = (Instant::now(), cpu_seconds(&stat), tried(&mut figures));
    std::thread::sleep(Duration::from_secs(1));
    let (after, cpu) = (tried(&mut figures), cpu_seconds(&stat) - cpu);
    let seconds = began.elapsed().as_secs_f64();
    for plane in 0..2 {
        let count = after[plane] - before[plane];
        assert!(count >= 1 && count as f64 <= 20.0 * seconds + 1.0, "{count} in {seconds} s");
    }
    assert!(cpu < seconds / 2.0, "{cpu} s of {seconds} s");
    for _ in 0..20 {
        witness.is_served();
    }
    drop(taken);
    for (plane, (wire, _)) in &mut wires {
        wire.hello(*plane, "default", "");
    }
    witness.is_served();
}

/// Seconds that the process has computed for, by its `/proc/self/stat`.
fn cpu_seconds(stat: &File) -> f64 {
    let mut bytes = [0; 1024];
    let length = stat.read_at(&mut bytes, 0).unwrap();
    let usage = str::from_utf8(&bytes[..length]).unwrap();
    let fields: Vec<&str> = usage.rsplit_once(") ").unwrap().1.split(' ').collect();
    // In user mode and in the kernel, in hundredths of a second.
    fields[11..13].iter().map(|ticks| ticks.parse::<f64>().unwrap() / 100.0).sum()
}

#[test]
fn connections_that_fill_their_places_leave_the_stores_the_descriptors_that_they_need() {
    let name = "limits::connections_that_fill_their_places_leave_the_stores_the_descriptors_that_they_need";
    if let Some(directory) = child::directory() {
        setrlimit(Resource::Nofile, Rlimit { current: Some(200), maximum: Some(200) }).unwrap();
        return serve(&directory, &[]);
    }
    let directory = tempfile::tempdir().unwrap();
    let server = Served::start(name, directory.path());
    let mut commands = server.connect(Plane::Append);
    let mut crowd = Vec::new();
    for plane in [Plane::Append, Plane::Read] {
        // Whoever is over the cap is told so; nobody is left to wait for a descriptor.
        let refused = loop {
            let mut wire = Wire::open(server.address(plane));
            match wire.try_hello(plane, "default", "") {
                Ok(_) => crowd.push(wire),
                Err(refused) => break refused,
            }
        };
        assert!(refused.contains("too many connections"), "{refused}");
    }
    assert!(crowd.len() > 80, "{}", crowd.len());
    // A new store, and segments that are rolled in the one that was open.
    commands.send(1, &Request::CreateStore("second"));
    commands.receive(|_, answer| assert!(matches!(answer, Answer::Done), "{answer:?}")).unwrap();
    let segment_count = || {
        let files = std::fs::read_dir(directory.path().join("default")).unwrap();
        files
            .filter(|file| file.as_ref().unwrap().path().extension().is_some_and(|extension| extension == "log"))
            .count()
    };
    let before = segment_count();
    let mut head = 0;
    while segment_count() < before + 2 {
        head = outcome(&mut commands, head + 2, wide(1_000_000)).unwrap();
    }
    drop((crowd, commands));
    server.stop();
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
        return skip("there is no mkfs.ext4 here");
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
fn serve(directory: &Path, settings: &[(&str, &str)]) {
    let server = start(directory, settings).unwrap();
    println!("\naddresses {} {}", server.addresses().append, server.addresses().read);
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    assert!(server.stop().failed.is_empty());
}

/// A test that serves as a process of its own.
struct Served {
    process: Child,
    addresses: Vec<SocketAddr>,
    /// What it says in the end goes nowhere, but must not fail.
    _said: Lines<BufReader<ChildStdout>>,
}

impl Served {
    fn start(test: &str, directory: &Path) -> Self {
        let mut command = child::command(test, directory);
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(process.stdout.take().unwrap()).lines();
        let line = said.by_ref().map(Result::unwrap).find(|line| line.starts_with("addresses ")).unwrap();
        let addresses = line.split(' ').skip(1).map(|address| address.parse().unwrap()).collect();
        Self { process, addresses, _said: said }
    }

    fn address(&self, plane: Plane) -> SocketAddr {
        self.addresses[if plane == Plane::Append { 0 } else { 1 }]
    }

    fn connect(&self, plane: Plane) -> Wire {
        let mut wire = Wire::open(self.address(plane));
        wire.hello(plane, "default", "");
        wire
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).unwrap();
    }

    fn stop(mut self) {
        drop(self.process.stdin.take());
        assert!(self.process.wait().unwrap().success());
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It has ended already when all went well.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
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
        let quick =
            [("limits.idle_timeout_ms", "500"), ("limits.heartbeat_ms", "100"), ("limits.handshake_timeout_ms", "500")];
        return serve(&directory, &quick);
    }
    let directory = tempfile::tempdir().unwrap();
    let name = "limits::a_server_that_stood_still_for_a_while_has_each_request_once";
    let server = Served::start(name, directory.path());
    let append_to = server.address(Plane::Append);
    let clients: Vec<_> = (0..4_u64)
        .map(|client| std::thread::spawn(move || (0..40).for_each(|number| persist(append_to, client * 40 + number))))
        .collect();
    for _ in 0..3 {
        std::thread::sleep(Duration::from_millis(60));
        server.signal(Signal::STOP);
        // Longer than any of its deadlines, and than its clients wait.
        std::thread::sleep(Duration::from_millis(700));
        server.signal(Signal::CONT);
    }
    clients.into_iter().for_each(|client| client.join().unwrap());
    let mut queries = server.connect(Plane::Read);
    let mut data: Vec<String> =
        read_all(&mut queries, 1, read_request(Read::all())).0.into_iter().map(|(_, data)| data).collect();
    data.sort();
    let mut expected: Vec<String> = (0..160).map(|number| format!("{{\"n\":{number}}}")).collect();
    expected.sort();
    assert_eq!(data, expected);
    drop(queries);
    server.stop();
}

#[test]
fn whoever_spoke_while_the_server_stood_still_is_not_taken_for_silent() {
    // The clock runs on, and so all deadlines are over when it goes on: it must look at what has come before it judges.
    if let Some(directory) = child::directory() {
        let quick = [
            ("limits.idle_timeout_ms", "5000"),
            ("limits.heartbeat_ms", "1000"),
            ("limits.handshake_timeout_ms", "5000"),
            ("limits.slow_reader_timeout_ms", "5000"),
        ];
        return serve(&directory, &quick);
    }
    let directory = tempfile::tempdir().unwrap();
    let name = "limits::whoever_spoke_while_the_server_stood_still_is_not_taken_for_silent";
    let server = Served::start(name, directory.path());
    for _ in 0..3 {
        let mut wires: Vec<(Plane, Wire)> = [Plane::Append, Plane::Read]
            .into_iter()
            .cycle()
            .take(40)
            .map(|plane| (plane, server.connect(plane)))
            .collect();
        let mut hello = Vec::new();
        Request::Hello(gesta_protocol::Hello::new(Plane::Append, "default", "", "test")).encode(0, &mut hello);
        let (first, rest) = hello.split_at(20);
        let mut late = Wire::open(server.address(Plane::Append));
        late.send_bytes(first);
        let mut reader = server.connect(Plane::Read);
        reader.send(1, &subscription(0, 0));
        reader.receive(|_, answer| assert!(matches!(answer, Answer::Begun(_)), "{answer:?}")).unwrap();
        std::thread::sleep(Duration::from_millis(100));
        server.signal(Signal::STOP);
        // Longer than any of its deadlines.
        std::thread::sleep(Duration::from_millis(7000));
        for (_, wire) in &mut wires {
            wire.send(1, &Request::Ping);
        }
        late.send_bytes(rest);
        reader.send(1, &Request::Credit(1));
        reader.send(2, &Request::Ping);
        server.signal(Signal::CONT);
        for (plane, wire) in &mut wires {
            let answer = wire.receive(|id, answer| format!("{id} {answer:?}"));
            assert_eq!(answer.as_deref(), Some("1 Pong"), "{plane}");
        }
        late.receive(|_, answer| assert!(matches!(answer, Answer::Welcome(_)), "{answer:?}"))
            .expect("it was no slower");
        reader.receive(|id, answer| assert!(matches!((id, &answer), (2, Answer::Pong)), "{answer:?}")).unwrap();
    }
    server.stop();
}

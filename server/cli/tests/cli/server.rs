//! A server in a process of its own, and a client that speaks to it frame by frame.

use crate::support::{Place, Run, bare_command, eventually, in_time, parse, wait};
use gesta_protocol::{Answer, Append, Frame, FrameBuffer, Hello, Plane, Request};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// Ports of its own for everything.
pub(crate) const PORTS: [&str; 6] = ["--append", "127.0.0.1:0", "--read", "127.0.0.1:0", "--http", "127.0.0.1:0"];

/// A server that runs until it is told to end, or dropped.
pub(crate) struct Server {
    /// None, once it was told to end.
    child: Option<Child>,
    /// The line that it printed when it was ready.
    pub(crate) ready: Value,
    log: Log,
}

/// What a process has said on standard error so far.
struct Log {
    text: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Server {
    /// A server on the place's directory, with these arguments beside the usual ones.
    pub(crate) fn start(place: &Place, arguments: &[&str]) -> Self {
        Self::start_as(place.command(&[&["serve"], &PORTS[..], arguments].concat()))
    }

    /// A server by a command of one's own; its standard output is taken, and its standard error unless it leads elsewhere.
    pub(crate) fn start_as(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let log = Log::of(&mut child);
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let first_line = in_time(move || {
            let mut line = String::new();
            stdout.read_line(&mut line).map(|_| line).unwrap()
        });
        let line = first_line.unwrap_or_else(|| {
            child.kill().unwrap();
            String::new()
        });
        if line.is_empty() {
            panic!("it did not get ready: {:?} {}", wait(child), log.text());
        }
        Self { child: Some(child), ready: parse(&line), log }
    }

    pub(crate) fn address(&self, port: &str) -> SocketAddr {
        self.ready[port].as_str().unwrap_or_else(|| panic!("no {port} in {}", self.ready)).parse().unwrap()
    }

    /// A connection to a plane that has said hello to the store `default`.
    pub(crate) fn connect(&self, plane: Plane, token: &str) -> Result<Wire, String> {
        let port = if plane == Plane::Append { "append" } else { "read" };
        let mut wire = Wire::open(self.address(port));
        wire.hello(plane, token).map(|()| wire)
    }

    /// A page of the operator's port: the status, and what it says.
    pub(crate) fn page(&self, path: &str) -> (u16, String) {
        page(self.address("http"), path)
    }

    /// The value of a metric that has no labels.
    pub(crate) fn metric(&self, name: &str) -> f64 {
        let (_, page) = self.page("/metrics");
        let value = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.unwrap_or_else(|| panic!("no {name} in {page}")).parse().unwrap()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(self.child.as_ref().unwrap()), signal).unwrap();
    }

    /// A server whose ready line nobody gets; it logs JSON, and that tells the ports as well.
    pub(crate) fn start_unread(command: &mut Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let log = Log::of(&mut child);
        let listening = || {
            let is_it = |line: &Value| line["message"] == "listening";
            log.text().lines().map(parse).find(is_it)
        };
        assert!(eventually(|| listening().is_some()), "it did not get ready: {}", log.text());
        Self { child: Some(child), ready: listening().unwrap(), log }
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.text()
    }

    /// Waits until this stands in the log.
    #[track_caller]
    pub(crate) fn wait_for_log(&self, text: &str) {
        assert!(eventually(|| self.log().contains(text)), "{text:?} is not in the log: {}", self.log());
    }

    /// Waits for its end; tells what it has logged as well.
    #[track_caller]
    pub(crate) fn end(mut self) -> Run {
        let run = wait(self.child.take().unwrap());
        Run { stderr: self.log.all(), ..run }
    }

    /// Tells it to end, and demands that it does so well; tells what it has logged.
    #[track_caller]
    pub(crate) fn stop(self) -> String {
        self.signal(Signal::TERM);
        let run = self.end();
        assert_eq!(run.status, 0, "{run:?}");
        run.stderr
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Log {
    /// Reads along, so that the process never waits for a reader. Empty where standard error leads elsewhere.
    fn of(child: &mut Child) -> Self {
        let text = Arc::new(Mutex::new(String::new()));
        let reader = child.stderr.take().map(|stream| {
            let text = Arc::clone(&text);
            std::thread::spawn(move || {
                for line in BufReader::new(stream).lines() {
                    text.lock().unwrap().push_str(&(line.unwrap() + "\n"));
                }
            })
        });
        Self { text, reader }
    }

    fn text(&self) -> String {
        self.text.lock().unwrap().clone()
    }

    /// All that it said, once its process has ended.
    fn all(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            assert!(eventually(|| reader.is_finished()), "another process holds its log: {}", self.text());
            reader.join().unwrap();
        }
        self.text()
    }
}

/// A page over HTTP: the status, and what it says.
pub(crate) fn page(address: SocketAddr, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: gesta\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no page: {answer:?}"));
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// Runs `gesta` with these arguments on the place and demands that it prints one line; tells the line.
#[track_caller]
pub(crate) fn line_of(place: &Place, arguments: &[&str]) -> String {
    let run = place.run(arguments);
    assert_eq!((run.status, run.stdout.lines().count()), (0, 1), "{run:?}");
    run.stdout.trim_end().to_owned()
}

/// The program, told of nothing by its environment.
pub(crate) fn serve_command(arguments: &[&str]) -> Command {
    bare_command(&[&["serve"], &PORTS[..], arguments].concat())
}

/// A connection, frame by frame.
pub(crate) struct Wire {
    stream: TcpStream,
    buffer: FrameBuffer,
    last_id: u64,
}

impl Wire {
    /// A connection to an append plane that asks for no token.
    pub(crate) fn to(address: SocketAddr) -> Self {
        let mut wire = Self::open(address);
        wire.hello(Plane::Append, "").unwrap();
        wire
    }

    fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, buffer: FrameBuffer::new(u32::MAX), last_id: 0 }
    }

    fn hello(&mut self, plane: Plane, token: &str) -> Result<(), String> {
        self.send(0, &Request::Hello(Hello::new(plane, "default", token, "test")))?;
        self.receive(|_, answer| match answer {
            Answer::Welcome(_) => Ok(()),
            other => Err(format!("{other:?}")),
        })?
    }

    /// Appends an event with this data, durably, and tells its position; or why it has no receipt.
    pub(crate) fn append(&mut self, data: &str) -> Result<u64, String> {
        let id = self.submit(data)?;
        let (answered, position) = self.receipt()?;
        if answered == id { Ok(position) } else { Err(format!("{id} is under way, and {answered} has a receipt")) }
    }

    /// Sends an append without waiting for its receipt; tells the id of the request.
    pub(crate) fn submit(&mut self, data: &str) -> Result<u64, String> {
        let id = self.last_id + 1;
        self.last_id = id;
        let event = gesta::Event::new(gesta::EventType::new("Happened").unwrap()).json(data.to_owned());
        let request = gesta::AppendRequest::new().event(event);
        let encoded = request.encode(&gesta::Limits::default(), unused_id).unwrap();
        self.send(id, &Request::Append(Append::Encoded(&encoded)))?;
        Ok(id)
    }

    /// The next receipt: the id of its request, and the position; or what came instead.
    pub(crate) fn receipt(&mut self) -> Result<(u64, u64), String> {
        self.receive(|answered, answer| match answer {
            Answer::Receipt(receipt) => Ok((answered, receipt.positions.start.0)),
            other => Err(format!("{other:?}")),
        })?
    }

    /// Whether something has come that is no ping; those are answered.
    pub(crate) fn has_answer(&mut self) -> bool {
        self.stream.set_nonblocking(true).unwrap();
        // An error is that there is nothing, or it comes again when more is read.
        while self.fill().is_ok() {}
        self.stream.set_nonblocking(false).unwrap();
        while let Some(frame) = self.buffer.next_frame().unwrap() {
            if !is_ping(&frame) {
                return true;
            }
            self.send(0, &Request::Pong).unwrap();
        }
        false
    }

    /// The bare connection.
    pub(crate) fn into_stream(self) -> TcpStream {
        self.stream
    }

    fn send(&mut self, id: u64, request: &Request<'_>) -> Result<(), String> {
        let mut out = Vec::new();
        request.encode(id, &mut out);
        self.stream.write_all(&out).map_err(|error| error.to_string())
    }

    /// What the next frame says; pings are answered and passed over.
    fn receive<T>(&mut self, look: impl FnOnce(u64, Answer<'_>) -> T) -> Result<T, String> {
        loop {
            match self.buffer.next_frame().map_err(|error| format!("{error:?}"))? {
                Some(frame) if is_ping(&frame) => {}
                Some(frame) => {
                    let (id, answer) = (frame.id, Answer::decode(&frame).unwrap());
                    return Ok(look(id, answer));
                }
                None => {
                    self.fill()?;
                    continue;
                }
            }
            self.send(0, &Request::Pong)?;
        }
    }

    fn fill(&mut self) -> Result<(), String> {
        match self.stream.read(self.buffer.room()) {
            Ok(0) => Err("the end of the connection".to_owned()),
            Ok(count) => {
                self.buffer.filled(count);
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// An id that no event of this process has.
fn unused_id() -> gesta::Uuid {
    static LAST: AtomicU64 = AtomicU64::new(1 << 40);
    gesta::Uuid::from_u128(u128::from(LAST.fetch_add(1, Ordering::Relaxed)) << 64)
}

fn is_ping(frame: &Frame<'_>) -> bool {
    matches!(Answer::decode(frame), Ok(Answer::Ping))
}

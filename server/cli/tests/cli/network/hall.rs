//! The server at one end of the line, and clients at the other: they append and follow, and nothing may reach them but
//! answers.

use super::line::{End, Line, join};
use crate::server::Server;
use crate::support::{Place, eventually};
use gesta::{
    AppendRequest, AppendTicket as _, Event, EventCursor as _, EventReader as _, EventStore as _,
    EventSubscription as _, EventType, Notice, Pace, Read,
};
use gesta_client::{Address, BlockingClient, ClientOptions};
use gesta_protocol::Plane;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// A server and where it is.
pub(super) struct Hall {
    // The first to go: its machine goes with the line.
    server: Server,
    pub(super) line: Line,
    token: String,
    _place: Place,
}

/// Appends and a subscription under way. Everything in it stands alone and is Relaxed.
pub(super) struct Work {
    /// How many requests have their receipt.
    answered: AtomicU64,
    is_over: AtomicBool,
    /// How many events there are in the end; `u64::MAX` as long as nobody knows.
    total: AtomicU64,
}

/// How many clients append.
pub(super) const APPENDERS: u64 = 3;
/// Events of a request.
const TOGETHER: u64 = 3;
const EVENT_BYTES: usize = 150;
/// Requests of a client that have no answer yet.
const AT_A_TIME: usize = 10;

impl Hall {
    /// Starts a server at its end of a new line, with settings beside the usual ones; `None`, with a message, where no line
    /// can be made.
    pub(super) fn open(settings: &[&str]) -> Option<Self> {
        let line = Line::make()?;
        let place = Place::new();
        let made = place.run(&["token", "create", "--role", "operator", "--store", "default", "--tokens", "tokens"]);
        assert_eq!(made.status, 0, "{made:?}");
        let token = made.stdout.trim().to_owned();
        let port = format!("{}:0", End::Server.address());
        let mut arguments = vec!["serve", "--append", &port, "--read", &port, "--http", "127.0.0.1:0"];
        let fixed = ["insecure=true", "access.tokens=tokens"];
        arguments.extend(fixed.iter().chain(settings).flat_map(|setting| ["--set", setting]));
        let server = line.on(End::Server, || Server::start_as(place.command(&arguments)));
        Some(Self { server, line, token, _place: place })
    }

    /// A client on the machine of this thread.
    pub(super) fn client(&self) -> BlockingClient {
        let [append, read] = ["append", "read"].map(|plane| self.server.address(plane).port());
        let address = Address::new(End::Server.address()).with_ports(append, read);
        let options = ClientOptions { token: Some(self.token.clone()), insecure: true, ..ClientOptions::default() };
        BlockingClient::connect(address, options).unwrap()
    }

    /// A metric of the server, as an operator on its machine sees it.
    pub(super) fn metric(&self, series: &str) -> f64 {
        self.line.on(End::Server, || self.server.metric(series))
    }

    /// A metric of a plane.
    pub(super) fn of_plane(&self, name: &str, plane: Plane) -> f64 {
        self.metric(&format!("{name}{{plane=\"{plane}\"}}"))
    }

    /// A line of the server's entry in `/proc`, such as that of `VmRSS` in `status`.
    pub(super) fn proc(&self, file: &str, name: &str) -> String {
        let text = std::fs::read_to_string(format!("/proc/{}/{file}", self.server.ready["pid"])).unwrap();
        text.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned()
    }

    /// Lets clients append and one follow while `act` does something to the line, and demands that everything was answered
    /// well, is there once, and was heard in order; tells how many events there are.
    pub(super) fn work(&self, act: impl FnOnce(&Work)) -> u64 {
        let work =
            Work { answered: AtomicU64::new(0), is_over: AtomicBool::new(false), total: AtomicU64::new(u64::MAX) };
        let (mut expected, heard) = std::thread::scope(|scope| {
            // Whatever happens, nobody works for ever.
            let _end = EndOfWork(&work);
            let hearing = scope.spawn(|| self.line.enter(End::Client, || work.hear_all(&self.client())));
            let append = |number| {
                let work = &work;
                scope.spawn(move || self.line.enter(End::Client, || work.append_all(&self.client(), number)))
            };
            let appending: Vec<_> = (0..APPENDERS).map(append).collect();
            act(&work);
            work.is_over.store(true, Ordering::Relaxed);
            let appended: Vec<u64> = appending.into_iter().flat_map(join).collect();
            work.total.store(appended.len() as u64, Ordering::Relaxed);
            (appended, join(hearing))
        });
        let replayed = self.line.on(End::Client, || replay(&self.client()));
        assert!(heard == replayed, "a subscription and a replay tell the same");
        assert!(heard.chunks(3).all(|request| request[1] == request[0] + 1 && request[2] == request[0] + 2));
        let mut heard = heard;
        heard.sort_unstable();
        expected.sort_unstable();
        assert!(heard == expected, "each event that was acknowledged is in the log once, and no other");
        heard.len() as u64
    }
}

impl Work {
    /// Waits until so many more requests have been answered.
    pub(super) fn goes_on(&self, requests: u64) {
        let before = self.answered.load(Ordering::Relaxed);
        let goes_on = eventually(|| self.answered.load(Ordering::Relaxed) >= before + requests);
        assert!(goes_on, "{before} requests were answered, and then too few");
    }

    /// Appends until the work is over, many requests under way at a time; tells the numbers of the events.
    fn append_all(&self, client: &BlockingClient, appender: u64) -> Vec<u64> {
        let (mut appended, mut tickets) = (Vec::new(), VecDeque::new());
        let wait = |tickets: &mut VecDeque<_>| {
            let ticket: <BlockingClient as gesta::EventStore>::Ticket = tickets.pop_front().unwrap();
            let receipt = ticket.wait().unwrap_or_else(|error| panic!("an append was not answered: {error}"));
            assert_eq!(receipt.positions.end.since(receipt.positions.start), TOGETHER);
            self.answered.fetch_add(1, Ordering::Relaxed);
        };
        for request in 0.. {
            if self.is_over.load(Ordering::Relaxed) {
                break;
            }
            let numbers = (request * TOGETHER..(request + 1) * TOGETHER).map(|number| appender << 32 | number);
            appended.extend(numbers.clone());
            tickets.push_back(client.submit(AppendRequest::new().events(numbers.map(event))).unwrap());
            if tickets.len() > AT_A_TIME {
                wait(&mut tickets);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        while !tickets.is_empty() {
            wait(&mut tickets);
        }
        appended
    }

    /// Follows from the beginning until everything has been heard; tells the numbers in the order heard.
    fn hear_all(&self, client: &BlockingClient) -> Vec<u64> {
        let mut subscription = client.subscribe(Read::all(), Pace::default()).unwrap();
        let mut heard = Vec::new();
        while (heard.len() as u64) < self.total.load(Ordering::Relaxed) {
            match subscription.next(Duration::from_millis(100)) {
                Ok(Notice::Event(record)) => {
                    assert_eq!(record.position().0, heard.len() as u64, "no gap and no duplicate");
                    heard.push(number(record.data().bytes()));
                }
                Ok(_) => {}
                Err(error) => panic!("the subscription ended: {error}"),
            }
        }
        heard
    }
}

/// Ends the work.
struct EndOfWork<'a>(&'a Work);

impl Drop for EndOfWork<'_> {
    fn drop(&mut self) {
        self.0.is_over.store(true, Ordering::Relaxed);
        let _ = self.0.total.compare_exchange(u64::MAX, 0, Ordering::Relaxed, Ordering::Relaxed);
    }
}

fn event(number: u64) -> Event {
    let mut data = number.to_le_bytes().to_vec();
    data.resize(EVENT_BYTES, 0xa5);
    Event::new(EventType::new("Counted").unwrap()).data(data)
}

fn number(data: &[u8]) -> u64 {
    u64::from_le_bytes(*data.first_chunk().unwrap())
}

/// Reads everything there is.
fn replay(client: &BlockingClient) -> Vec<u64> {
    let mut cursor = client.read(Read::all()).unwrap();
    let mut numbers = Vec::new();
    while let Some(record) = cursor.next_record() {
        let record = record.unwrap();
        assert_eq!(record.position().0, numbers.len() as u64);
        numbers.push(number(record.data().bytes()));
    }
    numbers
}

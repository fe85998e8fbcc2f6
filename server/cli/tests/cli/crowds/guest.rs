//! One who does everything right, beside a crowd: it appends and reads back, again and again.

use gesta::{AppendRequest, Event, EventCursor as _, EventReader as _, EventStore as _, EventType, Read};
use gesta_client::{Address, BlockingClient, ClientOptions};
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A client at work, until it is dismissed.
pub(super) struct Guest {
    times: Arc<Mutex<Vec<Duration>>>,
    dismissal: mpsc::Sender<()>,
    thread: JoinHandle<()>,
}

/// How long a guest was kept waiting for an append and a read.
pub(super) struct Waits {
    /// In their order.
    times: Vec<Duration>,
}

impl Guest {
    /// A guest that has been served once.
    pub(super) fn arrive(append: SocketAddr, read: SocketAddr) -> Self {
        let address = Address::new(append.ip().to_string()).with_ports(append.port(), read.port());
        // It is served over the connections that it has: it does not come again.
        let options = ClientOptions { retry_for: Duration::ZERO, ..ClientOptions::default() };
        let client = BlockingClient::connect(address, options).unwrap();
        visit(&client, 0);
        let times = Arc::new(Mutex::new(Vec::new()));
        let (dismissal, dismissed) = mpsc::channel();
        let taken = Arc::clone(&times);
        let thread = std::thread::spawn(move || {
            for number in 1.. {
                let began = Instant::now();
                visit(&client, number);
                taken.lock().unwrap().push(began.elapsed());
                match dismissed.recv_timeout(Duration::from_millis(2)) {
                    Err(mpsc::RecvTimeoutError::Timeout) => {}
                    _ => return,
                }
            }
        });
        Self { times, dismissal, thread }
    }

    /// How it has been served since the last look.
    pub(super) fn waits(&self) -> Waits {
        let mut times = std::mem::take(&mut *self.times.lock().unwrap());
        assert!(!times.is_empty(), "a guest was not served meanwhile");
        times.sort_unstable();
        Waits { times }
    }

    /// Waits until it has been served so many times more; tells how.
    pub(super) fn is_served(&self, times: usize) -> Waits {
        let count = || self.times.lock().unwrap().len();
        let wanted = count() + times;
        let is_served = crate::support::eventually(|| count() >= wanted || self.thread.is_finished());
        assert!(is_served && !self.thread.is_finished(), "a guest is not served any more");
        self.waits()
    }

    /// Ends its visit, which was a good one.
    pub(super) fn leave(self) {
        let _ = self.dismissal.send(());
        self.thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    }
}

fn visit(client: &BlockingClient, number: u64) {
    let event = Event::new(EventType::new("Visited").unwrap()).data(number.to_le_bytes().to_vec());
    let position = client.append(AppendRequest::new().event(event)).unwrap().positions.start;
    let mut cursor = client.read(Read::all().from(position).limit(1)).unwrap();
    let record = cursor.next_record().unwrap().unwrap();
    assert_eq!((record.position(), record.data().bytes()), (position, &number.to_le_bytes()[..]));
}

impl Waits {
    /// Whether nearly all of these were no longer than ten times nearly all of `alone`. A machine that stalls is no crowd.
    pub(super) fn are_like(&self, alone: &Self) -> bool {
        const STALL: Duration = Duration::from_millis(250);
        self.at(990) < 10 * alone.at(990) + STALL
    }

    /// What so many of a thousand were no longer than.
    fn at(&self, permille: usize) -> Duration {
        self.times[(self.times.len() - 1) * permille / 1000]
    }
}

impl fmt::Display for Waits {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [half, most] = [500, 990].map(|permille| self.at(permille).as_secs_f64() * 1000.0);
        write!(formatter, "{} visits, p50 {half:.1} ms, p99 {most:.1} ms", self.times.len())
    }
}

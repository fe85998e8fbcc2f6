//! Where time and randomness come from: no layer reads a clock or draws a number by itself.

use crate::sync::Mutex;
use gesta_model::{Timestamp, Uuid};
use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The time now; it may jump in either direction.
    fn now(&self) -> Timestamp;
}

/// Draws random bytes.
pub trait Entropy: Send + Sync {
    /// Fills all of `bytes`.
    fn fill(&self, bytes: &mut [u8]);
}

/// The machine's clock.
#[derive(Debug)]
struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let nanoseconds = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_nanos()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |nanoseconds| -nanoseconds),
        };
        Timestamp(nanoseconds)
    }
}

/// The operating system's random numbers.
#[derive(Debug)]
struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system hands out random bytes");
    }
}

/// The outside world, apart from the disk.
#[derive(Clone)]
pub struct Environment {
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    pool: Arc<Mutex<Pool>>,
}

/// Random bytes drawn ahead, so that an event's id costs no system call.
struct Pool {
    bytes: [u8; Self::BYTES],
    used: usize,
}

impl Pool {
    const BYTES: usize = 4096;
}

impl Environment {
    /// A world with this clock and this randomness.
    pub fn new(clock: impl Clock + 'static, entropy: impl Entropy + 'static) -> Self {
        let pool = Pool { bytes: [0; Pool::BYTES], used: Pool::BYTES };
        Self { clock: Arc::new(clock), entropy: Arc::new(entropy), pool: Arc::new(Mutex::new(pool)) }
    }

    /// The time now.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Fresh random bytes.
    pub(crate) fn random<const BYTES: usize>(&self) -> [u8; BYTES] {
        let mut bytes = [0; BYTES];
        self.entropy.fill(&mut bytes);
        bytes
    }

    /// Makes the ids of the events of one request.
    pub(crate) fn id_maker(&self) -> IdMaker<'_> {
        IdMaker { environment: self, milliseconds: None }
    }

    /// Ten random bytes.
    fn ten_random(&self) -> [u8; 10] {
        let mut random = [0; 10];
        let mut pool = self.pool.lock();
        if pool.used + random.len() > Pool::BYTES {
            self.entropy.fill(&mut pool.bytes);
            pool.used = 0;
        }
        random.copy_from_slice(&pool.bytes[pool.used..pool.used + 10]);
        pool.used += random.len();
        random
    }
}

/// Makes event ids, looking at the clock once.
pub(crate) struct IdMaker<'e> {
    environment: &'e Environment,
    milliseconds: Option<u64>,
}

impl IdMaker<'_> {
    /// A new event id: UUIDv7, the time in milliseconds followed by randomness.
    pub(crate) fn make_id(&mut self) -> Uuid {
        let environment = self.environment;
        let milliseconds =
            *self.milliseconds.get_or_insert_with(|| u64::try_from(environment.now().0 / 1_000_000).unwrap_or(0));
        uuid::Builder::from_unix_timestamp_millis(milliseconds, &environment.ten_random()).into_uuid()
    }
}

impl Default for Environment {
    /// The machine's clock and the operating system's randomness.
    fn default() -> Self {
        Self::new(SystemClock, SystemEntropy)
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Environment")
    }
}

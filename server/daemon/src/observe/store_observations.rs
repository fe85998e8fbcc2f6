//! What is known of one store: response times, commits, sizes, subscribers, and whether its disk answers.

use super::distribution::Distribution;
use super::shown::Shown;
use super::subscribers::{Subscriber, Subscribers};
use gesta::{Commit, CommitObserver, Damage, Durability, Position, Reader, ScrubObserver, ScrubStatus};
use parking_lot::Mutex;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// What kind of query a response time belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// A bounded read, to its last event.
    Read,
    /// A subscription, to its first event or notice.
    SubscribeFirstEvent,
    /// An event that reached a live subscription, from its commit on.
    Standing,
    /// A listing of streams, categories, types or tags.
    Names,
    /// The figures of a store.
    Statistics,
}

impl Operation {
    /// Every kind, in the order of the counters.
    pub const ALL: [Self; 5] = [Self::Read, Self::SubscribeFirstEvent, Self::Standing, Self::Names, Self::Statistics];

    /// The name in metrics and snapshots.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::SubscribeFirstEvent => "subscribe_first_event",
            Self::Standing => "standing",
            Self::Names => "names",
            Self::Statistics => "statistics",
        }
    }
}

/// The durabilities, in the order of the counters.
pub(crate) const DURABILITIES: [(Durability, &str); 3] =
    [(Durability::Buffered, "buffered"), (Durability::Written, "written"), (Durability::Durable, "durable")];

/// The counters of a store. It is the store's [`CommitObserver`] and [`ScrubObserver`]: hand it over in
/// `Options::commit_observer` and `Options::scrub_observer`.
///
/// The counters stand alone and are Relaxed: nothing is published through them.
pub struct StoreObservations {
    name: String,
    origin: Instant,
    reader: OnceLock<Reader>,
    command_us: [Distribution; DURABILITIES.len()],
    query_us: [Distribution; Operation::ALL.len()],
    pub(crate) event_bytes: Distribution,
    pub(crate) commits: Commits,
    pub(crate) subscribers: Arc<Subscribers>,
    /// When the commit that is under way began, in microseconds after `origin`, and one more; 0 when there is none.
    commit_since: AtomicU64,
    failure: Mutex<Option<String>>,
    directory: OnceLock<PathBuf>,
    /// When a pass of the scrub ended last.
    scrubbed: Mutex<Option<Instant>>,
    /// How long the segment is that there was no room for; 0 when none was missing, or appends were taken since.
    missing_bytes: AtomicU64,
}

/// What the commits of this process came to.
#[derive(Debug, Default)]
pub(crate) struct Commits {
    pub(crate) count: AtomicU64,
    pub(crate) events: AtomicU64,
    pub(crate) bytes: AtomicU64,
    pub(crate) group_requests: Distribution,
    pub(crate) write_us: Distribution,
    pub(crate) sync_us: Distribution,
}

impl StoreObservations {
    pub(crate) fn new(name: String) -> Self {
        Self {
            name,
            origin: Instant::now(),
            reader: OnceLock::new(),
            command_us: Default::default(),
            query_us: Default::default(),
            event_bytes: Distribution::default(),
            commits: Commits::default(),
            subscribers: Arc::default(),
            commit_since: AtomicU64::new(0),
            failure: Mutex::new(None),
            directory: OnceLock::new(),
            scrubbed: Mutex::new(None),
            missing_bytes: AtomicU64::new(0),
        }
    }

    /// The store's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Hands over the reader that tells head and sizes, once the store is open. Only the first one counts.
    pub fn opened(&self, reader: Reader) {
        let _ = self.reader.set(reader);
    }

    /// Tells where its files are. Only the first word counts.
    pub fn lies_in(&self, directory: impl Into<PathBuf>) {
        let _ = self.directory.set(directory.into());
    }

    /// An append was refused, because there is no room for a segment of so many bytes.
    pub fn storage_full(&self, bytes: u64) {
        self.missing_bytes.store(bytes, Ordering::Relaxed);
    }

    /// How much room is missing, as far as is known.
    pub(crate) fn missing_bytes(&self) -> Option<u64> {
        Some(self.missing_bytes.load(Ordering::Relaxed)).filter(|bytes| *bytes > 0)
    }

    /// Asks the file system whether there is room again for what there was none for. It may keep us waiting.
    pub(crate) fn look_for_room(&self) {
        let Some((bytes, directory)) = self.missing_bytes().zip(self.directory.get()) else { return };
        let is_there = rustix::fs::statvfs(directory).is_ok_and(|found| found.f_bavail * found.f_frsize >= bytes);
        if is_there {
            // What was refused meanwhile is not forgotten.
            let _ = self.missing_bytes.compare_exchange(bytes, 0, Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    /// Counts the time from a command's last byte to its answer.
    pub fn command(&self, durability: Durability, took: Duration) {
        self.command_us(durability).observe(microseconds(took));
    }

    /// Counts the time from a query to its answer.
    pub fn query(&self, operation: Operation, took: Duration) {
        self.query_us(operation).observe(microseconds(took));
    }

    /// Counts the size of an event that was appended: the bytes of its record.
    pub fn event_bytes(&self, bytes: usize) {
        self.event_bytes.observe(bytes as u64);
    }

    /// Shows a subscription, with everything below `position` sent. The name tells the operator who it is.
    #[must_use]
    pub fn subscriber(&self, name: impl Into<String>, position: Position) -> Subscriber {
        self.subscribers.add(name.into(), position)
    }

    /// A write or a sync begins.
    pub fn sync_started(&self) {
        let since = microseconds(self.origin.elapsed()) + 1;
        self.commit_since.store(since, Ordering::Relaxed);
    }

    /// The write or sync has ended, well or not.
    pub fn sync_ended(&self) {
        self.commit_since.store(0, Ordering::Relaxed);
    }

    /// The store takes no appends any more. The first cause is kept.
    pub fn poisoned(&self, cause: impl Into<String>) {
        let mut failure = self.failure.lock();
        if failure.is_none() {
            let cause = cause.into();
            tracing::error!(store = %Shown(&self.name), cause = %Shown(&cause), "the store takes no appends any more");
            *failure = Some(cause);
        }
    }

    /// Why no appends are taken, if they are not.
    pub(crate) fn failure(&self) -> Option<String> {
        self.failure.lock().clone()
    }

    /// How long the commit that is under way has been.
    pub(crate) fn commit_under_way(&self) -> Option<Duration> {
        let since = self.commit_since.load(Ordering::Relaxed).checked_sub(1)?;
        Some(self.origin.elapsed().saturating_sub(Duration::from_micros(since)))
    }

    /// What the scrub of the store has done and found, if it is scrubbed.
    pub(crate) fn scrub(&self) -> Option<ScrubStatus> {
        self.reader.get()?.scrub()
    }

    /// How long ago a pass of the scrub ended.
    pub(crate) fn last_pass_age(&self) -> Option<Duration> {
        self.scrubbed.lock().map(|ended| ended.elapsed())
    }

    pub(crate) fn reader(&self) -> Option<&Reader> {
        self.reader.get()
    }

    pub(crate) fn command_us(&self, durability: Durability) -> &Distribution {
        let ordinal = DURABILITIES.iter().position(|(listed, _)| *listed == durability);
        &self.command_us[ordinal.expect("every durability is listed")]
    }

    pub(crate) fn query_us(&self, operation: Operation) -> &Distribution {
        &self.query_us[operation as usize]
    }
}

impl CommitObserver for StoreObservations {
    fn started(&self) {
        self.sync_started();
    }

    fn committed(&self, commit: &Commit) {
        self.sync_ended();
        let commits = &self.commits;
        if commit.request_count > 0 {
            self.missing_bytes.store(0, Ordering::Relaxed);
            commits.count.fetch_add(1, Ordering::Relaxed);
            commits.events.fetch_add(u64::from(commit.event_count), Ordering::Relaxed);
            commits.bytes.fetch_add(commit.bytes, Ordering::Relaxed);
            commits.group_requests.observe(u64::from(commit.request_count));
            commits.write_us.observe(microseconds(commit.write));
        }
        if let Some(sync) = commit.sync {
            commits.sync_us.observe(microseconds(sync));
        }
    }

    fn failed(&self, cause: &io::Error) {
        self.sync_ended();
        self.poisoned(cause.to_string());
    }
}

impl ScrubObserver for StoreObservations {
    fn damaged(&self, damage: &Damage) {
        let damage = damage.to_string();
        tracing::error!(
            store = %Shown(&self.name),
            damage = %Shown(&damage),
            "the scrub found damage: run `gesta verify --deep`, then restore the store from a backup or run `gesta repair`"
        );
    }

    fn index_file_damaged(&self, file: &str, what: &str) {
        let store = Shown(&self.name);
        tracing::warn!(%store, file, what, "the scrub found a damaged index file: it is made anew; does the disk fail?");
    }

    fn pass_ended(&self, status: &ScrubStatus) {
        *self.scrubbed.lock() = Some(Instant::now());
        let ScrubStatus { passes, damaged_batches, .. } = status;
        tracing::debug!(store = %Shown(&self.name), passes, damaged_batches, "a pass of the scrub has ended");
    }
}

impl fmt::Debug for StoreObservations {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("StoreObservations").field("name", &self.name).finish_non_exhaustive()
    }
}

fn microseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

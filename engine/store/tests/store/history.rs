//! A short history of a store, some lives long, and what it was promised on the way: the ground for every sweep of faults.

use crate::support::{open, request, small_options, texts};
use gesta::disk::{CrashPlan, Fault, Granularity, Keep, SimulatedDisk};
use gesta::{AppendError, AppendRequest, Durability, Incarnation, OpenError, Read, Store};

/// Lives of the store: opened, appended to, closed.
const LIVES: usize = 3;
/// Rounds of appends in each life: enough for some rolls.
const ROUNDS: usize = 9;

/// What happened to a store, and what must be found of it.
pub(crate) struct History {
    pub(crate) disk: SimulatedDisk,
    /// The data of everything that may be in the log, in order.
    pub(crate) accepted: Vec<String>,
    /// So many of them were acknowledged as durable, or shown to a reader.
    pub(crate) promised: usize,
    /// How often the store refused something.
    pub(crate) refusals: usize,
    /// The life in which the writer failed last: what it was asked for afterwards is not in the log.
    poisoned_in: Option<Incarnation>,
    /// The power may be off, so that nothing can be read either.
    may_lose_power: bool,
    /// Says in failures what was done to this history.
    what: String,
}

impl History {
    /// Lives through a history on a disk that meets a fault on the way.
    pub(crate) fn live(disk: SimulatedDisk, fault: &Fault) -> Self {
        let may_lose_power = matches!(fault, Fault::PowerFailsAt { .. });
        let what = format!("{fault:?}");
        disk.inject(fault.clone());
        let (accepted, promised, refusals, poisoned_in) = (Vec::new(), 0, 0, None);
        let mut history = Self { disk, accepted, promised, refusals, poisoned_in, may_lose_power, what };
        for life in 0..LIVES {
            match Store::open_on(history.disk.clone(), small_options()) {
                Ok(store) => history.live_once(store, life),
                Err(error) => history.refused_to_open(&error),
            }
        }
        history
    }

    /// However the machine goes down now, everything that was promised is there when the store is opened again, and the
    /// store goes on.
    pub(crate) fn survives_every_end(&self, seed: u64) {
        self.disk.clear_faults();
        self.survives("the process starts again", &self.disk.fork());
        let plan = |keep| CrashPlan { seed, keep, granularity: Granularity::Sector };
        for plan in [plan(Keep::None), plan(Keep::All), CrashPlan::random(seed), CrashPlan::random(seed + 1)] {
            let disk = self.disk.fork();
            disk.power_cut(&plan);
            self.survives(&format!("{plan:?}"), &disk);
        }
    }

    fn survives(&self, end: &str, disk: &SimulatedDisk) {
        let what = format!("{}, {end}", self.what);
        let store = Store::open_on(disk.clone(), small_options()).unwrap_or_else(|error| panic!("{what}: {error}"));
        let found = self.check_found(&store, &what);
        store
            .append(request("after", &["one more"], Durability::Durable))
            .unwrap_or_else(|error| panic!("{what}: {error}"));
        store.close().unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(open(disk).reader().head().0, found as u64 + 1, "{what}");
    }

    /// What was found is what was accepted, in order, and holds all that was promised. Returns how many events it is.
    fn check_found(&self, store: &Store<SimulatedDisk>, what: &str) -> usize {
        assert!(!store.recovery().is_degraded, "{what}: {:?}", store.recovery());
        let found = texts(store.read(Read::all())).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert!(found.len() >= self.promised, "{what}: lost: {} of {} promised events", found.len(), self.promised);
        assert!(found.len() <= self.accepted.len(), "{what}: {} of {} events", found.len(), self.accepted.len());
        assert_eq!(found, self.accepted[..found.len()], "{what}");
        found.len()
    }

    fn live_once(&mut self, store: Store<SimulatedDisk>, life: usize) {
        let found = self.check_found(&store, &self.what);
        self.accepted.truncate(found);
        self.promised = found;
        for round in 0..ROUNDS {
            let text = |part: &str| format!("{life}.{round} {part} {}", "x".repeat(200));
            self.append(&store, &[text("first"), text("second")], Durability::Durable);
            if round % 3 == 1 {
                self.append(&store, &[text("written")], Durability::Written);
            }
            if round % 4 == 2 {
                self.append(&store, &[text("buffered")], Durability::Buffered);
            }
            if round % 2 == 0 {
                store.mark();
            }
        }
        if store.close().is_ok() {
            self.promised = self.accepted.len();
        } else {
            self.refusals += 1;
        }
    }

    fn append(&mut self, store: &Store<SimulatedDisk>, data: &[String], durability: Durability) {
        let texts: Vec<&str> = data.iter().map(String::as_str).collect();
        match store.append(request("a-1", &texts, durability)) {
            Ok(receipt) => {
                assert_eq!(receipt.positions.start.0, self.accepted.len() as u64, "{}", self.what);
                self.accepted.extend_from_slice(data);
                if receipt.durability == Durability::Durable {
                    self.promised = self.accepted.len();
                }
            }
            Err(error) => self.refused(store, &error, data),
        }
    }

    /// A refusal is typed, says whether the events may be in the log, and does not keep readers from anything.
    fn refused(&mut self, store: &Store<SimulatedDisk>, error: &AppendError, data: &[String]) {
        self.refusals += 1;
        let head = usize::try_from(store.reader().head().0).unwrap();
        assert!((self.promised..=self.accepted.len()).contains(&head), "{}: {head}", self.what);
        match error {
            AppendError::Poisoned { .. } => {
                let again = store.append(AppendRequest::new().durability(Durability::Durable));
                assert!(matches!(again, Err(AppendError::Poisoned { .. })), "{}: {again:?}", self.what);
                // It may be in the log, after all that was accepted; what comes after it is not.
                if !self.was_poisoned(store) {
                    self.accepted.extend_from_slice(data);
                }
            }
            AppendError::StorageFull { .. } | AppendError::NoSegment { .. } => {}
            other => panic!("{}: {other:?}", self.what),
        }
        if self.may_lose_power {
            return;
        }
        let read = texts(store.read(Read::all())).unwrap_or_else(|error| panic!("{}: {error}", self.what));
        assert_eq!(read, self.accepted[..head], "{}", self.what);
    }

    /// Whether events that may be in the log were noted already: the writer fails once in a life.
    fn was_poisoned(&mut self, store: &Store<SimulatedDisk>) -> bool {
        let incarnation = store.recovery().incarnation;
        let known = self.poisoned_in == Some(incarnation);
        self.poisoned_in = Some(incarnation);
        known
    }

    fn refused_to_open(&mut self, error: &OpenError) {
        self.refusals += 1;
        assert!(
            matches!(error, OpenError::Io { .. } | OpenError::StorageFull { .. } | OpenError::ReadOnly { .. }),
            "{}: {error:?}",
            self.what
        );
    }
}

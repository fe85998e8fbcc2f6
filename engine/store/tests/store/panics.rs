//! A panic in the thread that commits, anywhere in a write or a sync: nothing is taken any more, what was there is read, and
//! no half of a batch is there when the store is opened again.

use crate::support::{open, request, small_options, texts};
use gesta::disk::{Access, Disk, DiskFile, SimulatedDisk, SimulatedFile, SimulatedLock};
use gesta::{AppendError, Durability, Options, Read, Store, Upkeep};
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Where the committing thread breaks.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// After so many eighths of a write.
    Write(usize),
    /// Instead of a sync.
    Sync,
}

/// A simulated disk on which the committing thread panics, once and when it is armed.
#[derive(Clone)]
struct BreakingDisk {
    disk: SimulatedDisk,
    breaking: Arc<Breaking>,
}

struct Breaking {
    moment: Moment,
    is_armed: AtomicBool,
    has_broken: AtomicBool,
}

struct BreakingFile {
    file: SimulatedFile,
    breaking: Arc<Breaking>,
}

impl Breaking {
    /// Whether this call is the one.
    fn is_due(&self) -> bool {
        let is_committer = std::thread::current().name() == Some("gesta-committer");
        let is_due = is_committer && self.is_armed.swap(false, Ordering::SeqCst);
        self.has_broken.fetch_or(is_due, Ordering::SeqCst);
        is_due
    }
}

impl BreakingDisk {
    fn file(&self, file: SimulatedFile) -> BreakingFile {
        BreakingFile { file, breaking: Arc::clone(&self.breaking) }
    }
}

impl Disk for BreakingDisk {
    type File = BreakingFile;
    type Lock = SimulatedLock;

    fn create(&self, name: &str) -> io::Result<BreakingFile> {
        self.disk.create(name).map(|file| self.file(file))
    }

    fn open(&self, name: &str, access: Access) -> io::Result<BreakingFile> {
        self.disk.open(name, access).map(|file| self.file(file))
    }

    fn list(&self) -> io::Result<Vec<String>> {
        self.disk.list()
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.disk.rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.disk.remove(name)
    }

    fn sync_dir(&self) -> io::Result<()> {
        self.disk.sync_dir()
    }

    fn lock(&self, name: &str) -> io::Result<Option<SimulatedLock>> {
        self.disk.lock(name)
    }

    fn free_space(&self) -> io::Result<u64> {
        self.disk.free_space()
    }

    fn describe(&self, name: &str) -> String {
        self.disk.describe(name)
    }
}

impl DiskFile for BreakingFile {
    type View = <SimulatedFile as DiskFile>::View;

    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        self.file.allocate(len)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_at(buffer, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        if let Moment::Write(eighths) = self.breaking.moment
            && self.breaking.is_due()
        {
            self.file.write_at(&bytes[..bytes.len() * eighths / 8], offset).unwrap();
            panic!("the committing thread breaks after {eighths} eighths of a write");
        }
        self.file.write_at(bytes, offset)
    }

    fn sync_data(&self) -> io::Result<()> {
        if matches!(self.breaking.moment, Moment::Sync) && self.breaking.is_due() {
            panic!("the committing thread breaks before a sync");
        }
        self.file.sync_data()
    }

    fn drop_cache(&self) -> io::Result<()> {
        self.file.drop_cache()
    }

    fn view(&self, range: Range<u64>) -> io::Result<Self::View> {
        self.file.view(range)
    }
}

const BEFORE: [[&str; 3]; 3] = [["a", "b", "c"], ["d", "e", "f"], ["g", "h", "i"]];
const LOST: [[&str; 3]; 4] = [["j", "k", "l"], ["m", "n", "o"], ["p", "q", "r"], ["s", "t", "u"]];

/// Breaks a store at a moment; tells what is there when it is opened again.
fn broken_at(moment: Moment) -> Vec<String> {
    let breaking = Breaking { moment, is_armed: AtomicBool::new(false), has_broken: AtomicBool::new(false) };
    let disk = BreakingDisk { disk: SimulatedDisk::new(1), breaking: Arc::new(breaking) };
    let breaking = Arc::clone(&disk.breaking);
    // Marks are written by the same thread: they would come first.
    let hour = Duration::from_secs(3600);
    let options = Options { upkeep: Upkeep::Threads, mark_after: hour, sync_interval: hour, ..small_options() };
    let store = Store::open_on(disk.clone(), options).unwrap();
    for data in &BEFORE {
        store.append(request("a-1", data, Durability::Durable)).unwrap();
    }
    breaking.is_armed.store(true, Ordering::SeqCst);
    let submitted: Vec<_> = LOST.iter().map(|data| store.submit(request("a-1", data, Durability::Durable))).collect();
    // Whoever waits commits as well: not before the thread has had its turn.
    while !breaking.has_broken.load(Ordering::SeqCst) {
        std::thread::sleep(Duration::from_millis(1));
    }
    for outcome in submitted.into_iter().map(|ticket| ticket.and_then(|ticket| ticket.wait())) {
        let Err(AppendError::Poisoned { cause }) = outcome else { panic!("{moment:?}: {outcome:?}") };
        assert!(cause.to_string().contains("a panic interrupted a commit"), "{cause}");
    }
    let later = store.append(request("a-2", &["later"], Durability::Buffered));
    assert!(matches!(later, Err(AppendError::Poisoned { .. })), "{moment:?}: {later:?}");
    assert_eq!(texts(store.read(Read::all())).unwrap(), BEFORE.concat(), "{moment:?}: reads go on");
    assert!(store.close().is_err(), "{moment:?}");

    let store = open(&disk.disk);
    let found = texts(store.read(Read::all())).unwrap();
    store.append(request("a-2", &["again"], Durability::Durable)).unwrap();
    let appended = texts(store.read(Read::all())).unwrap();
    assert_eq!((&appended[..found.len()], &appended[found.len()..]), (&found[..], &["again".to_owned()][..]));
    found
}

#[test]
fn a_panic_of_the_committing_thread_refuses_appends_and_leaves_no_half_of_a_batch() {
    let everything = [&BEFORE[..], &LOST[..]].concat().concat();
    for moment in (0..=8).map(Moment::Write).chain([Moment::Sync]) {
        let found = broken_at(moment);
        // What was refused may be there after all, as after any refusal without a verdict: whole requests of it.
        assert_eq!(found, everything[..found.len()], "{moment:?}");
        assert!(found.len() >= 9 && found.len().is_multiple_of(3), "{moment:?}: {found:?}");
        match moment {
            Moment::Write(0..8) => assert_eq!(found.len(), 9, "{moment:?}: a part of a batch is none"),
            Moment::Write(_) | Moment::Sync => assert!(found.len() > 9, "{moment:?}: all of it was written"),
        }
    }
}

//! Pages of maps that the disk cannot bring.
//!
//! The kernel answers a look at such a page with the signal SIGBUS, which ends the process. A program that has called
//! [`contain_lost_pages`] lives on: the page reads as zeros from then on, and the file that it belongs to counts it. So whoever
//! looks through a map either sees what was written, or finds the count changed afterwards.
//!
//! ```text
//!  look at a page --> the disk fails, or the file was cut --> SIGBUS --> on_bus_error
//!                                                                            |
//!                  one of our maps: count, put zeros in its place, go on <---+---> any other place: as before
//! ```
//!
//! What must stay true: a slot has its address only while its map is in place, so a place in a map that can be looked at is
//! found in its own slot. The handler takes no lock, allocates nothing, and calls what may be called in a signal.

use libc::{c_int, c_void, siginfo_t};
use parking_lot::Mutex;
use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::ptr;
use std::sync::atomic::{AtomicI32, AtomicPtr, AtomicU64, AtomicUsize, Ordering, fence};
use std::sync::{Arc, OnceLock};

/// As many maps as a process may have where nobody has raised the limit. A map beyond is not contained.
const SLOT_COUNT: usize = 1 << 16;

/// Where one map lies.
struct Slot {
    /// Its address; 0 while there is none.
    start: AtomicUsize,
    length: AtomicUsize,
    /// The file, which the map keeps open.
    file: AtomicI32,
    /// The count of its file, which the registration keeps.
    lost: AtomicPtr<AtomicU64>,
}

impl Slot {
    const fn free() -> Self {
        Self {
            start: AtomicUsize::new(0),
            length: AtomicUsize::new(0),
            file: AtomicI32::new(-1),
            lost: AtomicPtr::new(ptr::null_mut()),
        }
    }
}

static SLOTS: [Slot; SLOT_COUNT] = [const { Slot::free() }; SLOT_COUNT];
/// Slots from here on were never taken.
static SLOTS_USED: AtomicUsize = AtomicUsize::new(0);
/// Slots below that are free again.
static FREED: Mutex<Vec<usize>> = Mutex::new(Vec::new());
/// Pages of all files.
static LOST: AtomicU64 = AtomicU64::new(0);
/// What was done about the signal before, once this is done; with the size of a page.
static BEFORE: OnceLock<(libc::sigaction, usize)> = OnceLock::new();

/// How many pages of a file were lost. Clones count together.
#[derive(Clone, Debug, Default)]
pub(super) struct LostPages(Arc<AtomicU64>);

impl LostPages {
    /// The count, which covers every look at the file's maps that this thread has taken before.
    pub(super) fn count(&self) -> u64 {
        // Acquire: a look that saw the zeros came before this; the count was raised before the zeros were in place.
        fence(Ordering::Acquire);
        self.0.load(Ordering::Relaxed)
    }
}

/// How many pages of files the disk could not bring to this process, since it has called [`contain_lost_pages`].
#[must_use]
pub fn lost_pages() -> u64 {
    LOST.load(Ordering::Relaxed)
}

/// A map that is watched over. It must be dropped before its map, and the map before its file is closed.
#[derive(Debug)]
pub(super) struct Registration {
    ordinal: usize,
    /// Lives at least as long as the slot's pointer to it.
    _lost: LostPages,
}

impl Registration {
    /// Watches over the map of a file at an address; `None` where there are too many.
    pub(super) fn of((start, length): (usize, usize), file: BorrowedFd<'_>, lost: &LostPages) -> Option<Self> {
        let ordinal = FREED.lock().pop().or_else(|| {
            let taken = SLOTS_USED
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |used| (used < SLOT_COUNT).then_some(used + 1));
            taken.ok()
        })?;
        let slot = &SLOTS[ordinal];
        slot.length.store(length, Ordering::SeqCst);
        slot.file.store(file.as_raw_fd(), Ordering::SeqCst);
        slot.lost.store(Arc::as_ptr(&lost.0).cast_mut(), Ordering::SeqCst);
        // Last: who finds the address finds the rest. SeqCst throughout, for nothing here is done often.
        slot.start.store(start, Ordering::SeqCst);
        Some(Self { ordinal, _lost: lost.clone() })
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        SLOTS[self.ordinal].start.store(0, Ordering::SeqCst);
        FREED.lock().push(self.ordinal);
    }
}

/// Lets the process live on when the disk cannot bring a page of a file that is read in place: what was there is told as damage by
/// whoever reads it. Without, the signal ends the process, because what a program does about its signals is its own affair.
///
/// It replaces what is done about SIGBUS, for the whole process and for good, and does nothing the second time. A signal that is
/// about any other place goes to whoever had it before. Call it before any other thread may change that.
///
/// # Errors
///
/// What the system says when it does not take the handler.
pub fn contain_lost_pages() -> io::Result<()> {
    static IS_INSTALLED: Mutex<bool> = Mutex::new(false);
    let mut is_installed = IS_INSTALLED.lock();
    if *is_installed {
        return Ok(());
    }
    // Before the handler, which asks for it.
    let before = exchange(None)?;
    BEFORE.get_or_init(|| (before, rustix::param::page_size()));
    let handler: Handler = on_bus_error;
    let mut action = plain();
    action.sa_sigaction = handler as *const () as usize;
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_RESTART;
    exchange(Some(&action))?;
    *is_installed = true;
    Ok(())
}

/// The form of a handler that is told where the signal comes from.
type Handler = extern "C" fn(c_int, *mut siginfo_t, *mut c_void);

/// The signal's own effect.
fn plain() -> libc::sigaction {
    // SAFETY: zeros are a valid value of every field; they mean the signal's own effect, no flags and an empty set of signals.
    unsafe { std::mem::zeroed() }
}

/// Changes what is done about the signal, if it is told what; what was done before.
fn exchange(action: Option<&libc::sigaction>) -> io::Result<libc::sigaction> {
    let (action, mut before) = (action.map_or(ptr::null(), ptr::from_ref), plain());
    // SAFETY: `action` is null or points to a whole value, whose handler, if it has one, is of the form that its flags say and
    // does what may be done in a signal; `before` is there to be written.
    let outcome = unsafe { libc::sigaction(libc::SIGBUS, action, &raw mut before) };
    if outcome == 0 { Ok(before) } else { Err(io::Error::last_os_error()) }
}

extern "C" fn on_bus_error(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    if !place_of(info).is_some_and(put_zeros_at) {
        pass_on(signal, info, context);
    }
}

/// The place that was looked at, if the signal comes from that.
fn place_of(info: *mut siginfo_t) -> Option<usize> {
    // A place that cannot be brought, and memory that has failed while it was looked at.
    const AT_A_PLACE: [c_int; 2] = [2, 4];
    // SAFETY: with SA_SIGINFO the kernel hands over a value that is valid as long as the handler runs.
    let info = unsafe { &*info };
    // SAFETY: a signal of these two codes has an address.
    AT_A_PLACE.contains(&info.si_code).then(|| unsafe { info.si_addr() } as usize)
}

/// A map that is looked at, as its slot has it.
struct Watched {
    start: usize,
    length: usize,
    file: RawFd,
    lost: *mut AtomicU64,
}

/// Replaces the page by zeros, if it is one of a map that is watched over; with it all pages after, where the file has none.
fn put_zeros_at(place: usize) -> bool {
    let (Some((_, page_bytes)), Some(map)) = (BEFORE.get(), map_at(place)) else { return false };
    LOST.fetch_add(1, Ordering::SeqCst);
    // SAFETY: the count lives: the map at `place` is being looked at, so it is in place, and its registration with it.
    unsafe { (*map.lost).fetch_add(1, Ordering::SeqCst) };
    let page = place & !(page_bytes - 1);
    let offset = page - map.start;
    let length = if ends_before(map.file, offset) { map.length - offset } else { *page_bytes };
    let zeros = MapFlags::PRIVATE | MapFlags::FIXED;
    // SAFETY: the pages lie in a map of ours, which is only read, and whose range of addresses is ours until the map goes: that
    // they are replaced takes nothing from anybody else.
    unsafe { mmap_anonymous(page as *mut c_void, length, ProtFlags::READ, zeros) }.is_ok()
}

/// Whether a file has been cut before an offset, so that nothing from there on can be brought.
fn ends_before(file: RawFd, offset: usize) -> bool {
    // SAFETY: the file is that of a map that is being looked at, which keeps it open.
    let file = unsafe { BorrowedFd::borrow_raw(file) };
    rustix::fs::fstat(file).is_ok_and(|stat| usize::try_from(stat.st_size).is_ok_and(|bytes| bytes <= offset))
}

/// The map that holds a place.
fn map_at(place: usize) -> Option<Watched> {
    let used = SLOTS_USED.load(Ordering::SeqCst);
    SLOTS[..used].iter().find_map(|slot| {
        let start = slot.start.load(Ordering::SeqCst);
        let length = slot.length.load(Ordering::SeqCst);
        let (file, lost) = (slot.file.load(Ordering::SeqCst), slot.lost.load(Ordering::SeqCst));
        // Another map may be taking the slot meanwhile: then they are not of one map.
        let is_one = start != 0 && slot.start.load(Ordering::SeqCst) == start;
        let holds = is_one && place.checked_sub(start).is_some_and(|offset| offset < length);
        holds.then_some(Watched { start, length, file, lost })
    })
}

/// Does what was done before, which for a fresh program is to end it.
fn pass_on(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    let before = BEFORE.get().map_or_else(plain, |(before, _)| *before);
    match before.sa_sigaction {
        // The effect comes about when the place is looked at again, after the handler. What fails here comes back to it.
        libc::SIG_DFL | libc::SIG_IGN => drop(exchange(Some(&plain()))),
        handler if before.sa_flags & libc::SA_SIGINFO != 0 => {
            // SAFETY: the flag says that the handler is of this form.
            let call = unsafe { std::mem::transmute::<usize, Handler>(handler) };
            call(signal, info, context);
        }
        handler => {
            // SAFETY: without the flag, a handler is of this form.
            let call = unsafe { std::mem::transmute::<usize, extern "C" fn(c_int)>(handler) };
            call(signal);
        }
    }
}

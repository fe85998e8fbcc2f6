//! Tells everybody who waits for news of a store when its head has risen.

use gesta::{Position, Reader};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::watch;

/// One thread that sleeps on the head of a store, so that no subscription needs a thread to sleep on.
pub(super) struct Herald {
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// How long it sleeps at a time when nothing is appended: how long a stop may have to wait for it.
const SLEEP: Duration = Duration::from_millis(100);

impl Herald {
    /// Starts to tell of a store; the receiver has the head.
    pub(super) fn start(reader: Reader) -> std::io::Result<(Self, watch::Receiver<Position>)> {
        let (sender, receiver) = watch::channel(reader.head());
        let ends = Arc::new(AtomicBool::new(false));
        let told_to_end = Arc::clone(&ends);
        let thread = std::thread::Builder::new().name("gesta-herald".to_owned()).spawn(move || {
            // Relaxed: nothing else is handed over with it.
            while !told_to_end.load(Ordering::Relaxed) {
                let head = reader.wait_beyond(*sender.borrow(), SLEEP);
                sender.send_if_modified(|told| std::mem::replace(told, head) != head);
            }
        })?;
        Ok((Self { ends, thread: Some(thread) }, receiver))
    }
}

impl Drop for Herald {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // It has nothing to tell if it panicked.
            let _ = thread.join();
        }
    }
}

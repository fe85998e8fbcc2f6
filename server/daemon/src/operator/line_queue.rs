//! Lines on their way to standard error, which may be full or gone: whoever logs never waits for it.
//!
//! A thread of its own writes them. What it has no room for is dropped and counted; what cannot be written is dropped.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};
use tracing_subscriber::fmt::MakeWriter;

/// How many lines may wait.
const LINES_MAX: usize = 4096;

/// The near end of the queue; clones share it.
#[derive(Clone, Debug)]
pub(super) struct LineQueue {
    sender: SyncSender<Message>,
    dropped: Arc<AtomicU64>,
}

#[derive(Debug)]
enum Message {
    Line(Vec<u8>),
    /// All lines before it have been written.
    Flush(SyncSender<()>),
}

impl LineQueue {
    /// Starts the thread that writes to `sink`; `tell_dropped` makes the line that says how many were dropped.
    pub(super) fn start(
        sink: impl Write + Send + 'static,
        tell_dropped: impl Fn(u64) -> String + Send + 'static,
    ) -> io::Result<Self> {
        let (sender, receiver) = sync_channel(LINES_MAX);
        let dropped = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&dropped);
        let run = move || write_lines(sink, &receiver, &count, tell_dropped);
        std::thread::Builder::new().name("gesta-log".to_owned()).spawn(run)?;
        Ok(Self { sender, dropped })
    }

    /// Waits until everything logged so far is written, or the time is up.
    pub(super) fn flush(&self, within: Duration) {
        let deadline = Instant::now() + within;
        let (done, is_done) = sync_channel(1);
        let mut message = Message::Flush(done);
        while let Err(TrySendError::Full(back)) = self.sender.try_send(message) {
            if Instant::now() >= deadline {
                return;
            }
            message = back;
            std::thread::sleep(Duration::from_millis(5));
        }
        // The time is up, or the thread is gone: either way nothing more can be done.
        let _ = is_done.recv_timeout(deadline.saturating_duration_since(Instant::now()));
    }
}

/// Takes whole lines: the formatter writes each at once.
impl Write for LineQueue {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.sender.try_send(Message::Line(line.to_vec())).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for LineQueue {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

fn write_lines(
    mut sink: impl Write,
    receiver: &Receiver<Message>,
    dropped: &AtomicU64,
    tell_dropped: impl Fn(u64) -> String,
) {
    while let Ok(message) = receiver.recv() {
        match message {
            // A closed standard error or a full disk: the server has better things to do than to die of it.
            Message::Line(line) => drop(sink.write_all(&line)),
            Message::Flush(done) => {
                let _ = sink.flush();
                let _ = done.try_send(());
            }
        }
        let count = dropped.swap(0, Ordering::Relaxed);
        if count > 0 {
            let _ = writeln!(sink, "{}", tell_dropped(count));
        }
    }
}

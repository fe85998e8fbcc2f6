//! Memory that is not a file's: of this process or, when it has started a server, of the server.

use std::collections::HashMap;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Looks at the memory now and then, until it is asked for the most it saw.
pub(super) struct Watch {
    state: Arc<State>,
    watcher: JoinHandle<()>,
}

#[derive(Default)]
struct State {
    most: AtomicU64,
    most_of_server: AtomicU64,
    is_over: AtomicBool,
}

impl Watch {
    pub(super) fn start() -> Self {
        let state = Arc::new(State::default());
        let seen = Arc::clone(&state);
        let watcher = thread::spawn(move || {
            // Relaxed: numbers by themselves, and a wish to end that may be seen late.
            while !seen.is_over.load(Ordering::Relaxed) {
                seen.most.fetch_max(anonymous_bytes("self"), Ordering::Relaxed);
                seen.most_of_server.fetch_max(server_bytes(), Ordering::Relaxed);
                thread::sleep(Duration::from_millis(50));
            }
        });
        Self { state, watcher }
    }

    /// The most that was seen, in bytes.
    pub(super) fn most(self) -> u64 {
        self.state.is_over.store(true, Ordering::Relaxed);
        // Nothing in it panics.
        let _ = self.watcher.join();
        match self.state.most_of_server.load(Ordering::Relaxed) {
            0 => self.state.most.load(Ordering::Relaxed).max(anonymous_bytes("self")),
            bytes => bytes,
        }
    }
}

/// What all processes below this one have together; the memory that they share counts once.
fn server_bytes() -> u64 {
    let (mut own, mut shared) = (0, 0);
    for process in descendants() {
        own += anonymous_bytes(&process.to_string());
        shared = shared.max(bytes_of(&process.to_string(), "RssShmem:"));
    }
    own + shared
}

fn descendants() -> Vec<u32> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(process) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // The name in brackets may hold anything; the parent is the second word after it.
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let parent = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse().ok());
        if let Some(parent) = parent {
            children.entry(parent).or_default().push(process);
        }
    }
    let mut found = children.remove(&std::process::id()).unwrap_or_default();
    let mut at = 0;
    while let Some(process) = found.get(at) {
        let below = children.remove(process).unwrap_or_default();
        found.extend(below);
        at += 1;
    }
    found
}

fn anonymous_bytes(process: &str) -> u64 {
    bytes_of(process, "RssAnon:")
}

fn bytes_of(process: &str, key: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(key));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kibibytes.unwrap_or(0) << 10
}

//! A group of processes whose memory is limited by the kernel, file cache included.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// The group, as a directory of the kernel's; gone with this value.
pub(super) struct MemoryLimit {
    directory: PathBuf,
}

impl MemoryLimit {
    /// A group that may have so many bytes; `None`, with a message, where none can be made.
    pub(super) fn of(bytes: u64) -> Option<Self> {
        match Self::make(bytes) {
            Ok(limit) => Some(limit),
            Err(error) => {
                println!("skipped: needs root, and a cgroup that limits memory: {error}");
                None
            }
        }
    }

    fn make(bytes: u64) -> io::Result<Self> {
        // Of the first version memory has a tree of its own.
        let first_version = Path::new("/sys/fs/cgroup/memory");
        let (root, limit) = if first_version.join("memory.limit_in_bytes").exists() {
            (first_version, "memory.limit_in_bytes")
        } else {
            (Path::new("/sys/fs/cgroup"), "memory.max")
        };
        if !root.join("cgroup.procs").exists() {
            return Err(io::Error::other(format!("{} is none", root.display())));
        }
        static NEXT: AtomicU64 = AtomicU64::new(0);
        // Relaxed: each number is given out once, whatever else is seen.
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let directory = root.join(format!("gesta-test-{}-{number}", std::process::id()));
        fs::create_dir(&directory)?;
        let made = Self { directory };
        fs::write(made.directory.join(limit), bytes.to_string())?;
        // What is swapped out would not count. The first version limits memory and swap together.
        for (file, most) in [("memory.swap.max", 0), ("memory.memsw.limit_in_bytes", bytes)] {
            let file = made.directory.join(file);
            if file.exists() {
                fs::write(file, most.to_string())?;
            }
        }
        Ok(made)
    }

    /// The file that takes the number of a process that is to be in the group.
    pub(super) fn processes(&self) -> PathBuf {
        self.directory.join("cgroup.procs")
    }

    /// How many processes the kernel has killed because the group had no memory left.
    pub(super) fn kill_count(&self) -> u64 {
        let told = ["memory.events", "memory.oom_control"].iter().find_map(|name| {
            let text = fs::read_to_string(self.directory.join(name)).ok()?;
            text.lines().find_map(|line| line.strip_prefix("oom_kill ")?.parse().ok())
        });
        told.expect("the group counts its kills")
    }

    /// The most that the group has had, file cache included, where the kernel tells.
    pub(super) fn bytes_at_most(&self) -> Option<u64> {
        ["memory.peak", "memory.max_usage_in_bytes"]
            .iter()
            .find_map(|name| fs::read_to_string(self.directory.join(name)).ok()?.trim().parse().ok())
    }
}

impl Drop for MemoryLimit {
    fn drop(&mut self) {
        // It can be removed once the kernel has buried its last process.
        let has_gone = crate::support::eventually(|| fs::remove_dir(&self.directory).is_ok());
        assert!(has_gone || std::thread::panicking(), "{} is still in use", self.directory.display());
    }
}

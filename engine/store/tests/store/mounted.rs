//! File systems that are mounted for one test and gone after it, where the machine permits that.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// Says why a test that mounts does not run. In CI, as root, it may not be left out.
pub(crate) fn skip(why: &str) {
    let is_root = fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
    let is_due = std::env::var_os("CI").is_some() && is_root;
    assert!(!is_due, "in CI, as root, this test may not be skipped: {why}");
    eprintln!("skipped: {why}");
}

/// A mounted file system.
pub(crate) struct Mounted {
    directory: TempDir,
}

impl Mounted {
    /// A file system in memory of a size such as `512k`; `None`, with a message, where mounting is not permitted.
    pub(crate) fn in_memory(size: &str) -> Option<Self> {
        Self::mount(&["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
    }

    /// The file system in an image file.
    pub(crate) fn image(file: &Path) -> Option<Self> {
        Self::mount(&["-o", "loop", &file.display().to_string()])
    }

    fn mount(arguments: &[&str]) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        match Command::new("mount").args(arguments).arg(directory.path()).output() {
            Ok(output) if output.status.success() => Some(Self { directory }),
            Ok(output) => {
                skip(&format!("cannot mount here: {}", String::from_utf8_lossy(&output.stderr).trim()));
                None
            }
            Err(error) => {
                skip(&format!("cannot mount here: {error}"));
                None
            }
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Cuts the file system off from its device, with nothing flushed on the way: what a power cut is to it. It fails every
    /// call from then on; mounted again, it replays its journal.
    pub(crate) fn cut_power(&self) {
        // FS_IOC_SHUTDOWN, `_IOR('X', 125, u32)`, with the flag that leaves the journal as it is on the device.
        const PROGRAM: &str = r#"
            open(my $file, "<", $ARGV[0]) or die "cannot open: $!";
            my $no_log_flush = pack("L", 2);
            ioctl($file, 0x8004587d, $no_log_flush) or die "cannot shut the file system down: $!";
        "#;
        let output = Command::new("perl").args(["-e", PROGRAM]).arg(self.path()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Changes an option such as `ro`.
    pub(crate) fn remount(&self, option: &str) {
        let status = Command::new("mount").args(["-o", &format!("remount,{option}")]).arg(self.path()).status();
        assert!(status.unwrap().success(), "cannot remount with {option}");
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // Another test may be starting a process, which holds copies of all open files for a moment.
        for _ in 0..100 {
            let unmounted = Command::new("umount").arg(self.path()).output();
            if unmounted.is_ok_and(|output| output.status.success()) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        assert!(std::thread::panicking(), "{} cannot be unmounted", self.path().display());
    }
}

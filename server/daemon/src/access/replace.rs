//! Putting a file in the place of another, whole or not at all, one process at a time.
//!
//! What must stay true: who reads the file meanwhile, or after a power cut, finds the old one or the new one; and of two
//! processes that change it, the second starts from what the first wrote.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

/// For the owner alone.
const MODE: u32 = 0o600;
/// The group may have been let in by hand, for a server that runs as another user; everyone may not.
const MODE_OF_GROUP: u32 = 0o040;

/// A file that nobody else changes as long as this lives.
pub(super) struct Replaceable {
    /// Where the file itself lies, not a link to it.
    path: PathBuf,
    /// The lock is on the file that stands there, and goes when the file is closed.
    locked: File,
}

impl Replaceable {
    /// Locks the file, making an empty one if there is none.
    pub(super) fn lock(path: &Path) -> io::Result<Self> {
        loop {
            let locked = open_or_make(path)?;
            locked.lock()?;
            // Whoever had the lock before may have put another file there: then this is the lock of a file that is gone.
            let path = fs::canonicalize(path)?;
            let (ours, there) = (locked.metadata()?, path.metadata()?);
            if (ours.dev(), ours.ino()) == (there.dev(), there.ino()) {
                return Ok(Self { path, locked });
            }
        }
    }

    /// Puts these bytes in its place, for the same owner.
    pub(super) fn replace(self, bytes: &[u8]) -> io::Result<()> {
        let mut name = self.path.file_name().map(OsString::from).unwrap_or_default();
        name.push(".new");
        let new = self.path.with_file_name(name);
        let written = self.write(&new, bytes).and_then(|()| fs::rename(&new, &self.path));
        if let Err(error) = written {
            // What is left of it is in nobody's way: the next change removes it too.
            let _ = fs::remove_file(&new);
            return Err(error);
        }
        let directory = self.path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(directory)?.sync_all()
    }

    fn write(&self, new: &Path, bytes: &[u8]) -> io::Result<()> {
        match fs::remove_file(new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(MODE).open(new)?;
        let (old, made) = (self.locked.metadata()?, file.metadata()?);
        if (old.uid(), old.gid()) != (made.uid(), made.gid()) {
            fchown(&file, Some(old.uid()), Some(old.gid()))?;
        }
        file.set_permissions(fs::Permissions::from_mode(MODE | old.mode() & MODE_OF_GROUP))?;
        file.write_all(bytes)?;
        file.sync_all()
    }
}

/// Opens the file for reading, which is enough to lock it: also one that its owner keeps from being written.
fn open_or_make(path: &Path) -> io::Result<File> {
    match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            OpenOptions::new().read(true).append(true).create(true).mode(MODE).open(path)
        }
        opened => opened,
    }
}

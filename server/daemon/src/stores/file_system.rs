//! What kind of file system a directory lies on, and what that means for a server.
//!
//! ```text
//!  on disks of this machine        what was synced is there after a power cut
//!  in memory, or in two layers     it may not be: a warning in the log
//!  a share, maybe of this machine  a sync means what the host makes of it: a warning in the log
//!  on another machine              neither syncs nor locks need mean what they say: refused, unless told otherwise
//! ```
//!
//! What is not in these lists counts as a disk of this machine; FUSE too, whose kinds the kernel does not tell apart.

use super::error::StoreError;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// What a file system is to those who need their bytes again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// On disks of this machine, for all we know.
    Local,
    /// It ends with the machine, or with the container.
    Passing(&'static str),
    /// A share: of the host of this virtual machine or container, or of another machine.
    Shared(&'static str),
    /// Its disks are those of another machine.
    Remote(&'static str),
}

/// By the number that Linux gives each (`statfs(2)`).
const PASSING: [(u32, &str); 3] = [(0x0102_1994, "tmpfs"), (0x8584_58f6, "ramfs"), (0x794c_7630, "overlay")];
const SHARED: [(u32, &str); 1] = [(0x0102_1997, "9p")];
const REMOTE: [(u32, &str); 14] = [
    (0x0000_6969, "nfs"),
    (0x0000_517b, "smb"),
    (0xff53_4d42, "cifs"),
    (0xfe53_4d42, "smb2"),
    (0x0000_564c, "ncp"),
    (0x5346_414f, "afs"),
    (0x6b41_4653, "kafs"),
    (0x7375_7245, "coda"),
    (0x00c3_6400, "ceph"),
    (0x0bd0_0bd0, "lustre"),
    (0x786f_4256, "vboxsf"),
    (0xbacb_acbc, "vmhgfs"),
    (0x1983_0326, "beegfs"),
    (0x4750_4653, "gpfs"),
];

/// Refuses a directory on another machine unless that is allowed, and warns of one that may not outlive this machine,
/// or that is a share. The directory need not be there yet.
pub(super) fn check(directory: &Path, allows_remote: bool) -> Result<(), StoreError> {
    match judge(kind_of(directory)?, allows_remote) {
        Ok(None) => {}
        Ok(Some(warning)) => tracing::warn!(directory = %directory.display(), "{warning}"),
        Err(file_system) => return Err(StoreError::OnAnotherMachine { path: directory.to_owned(), file_system }),
    }
    Ok(())
}

/// What is said of a file system, if anything; or the name of one that is refused.
fn judge(kind: Kind, allows_remote: bool) -> Result<Option<String>, &'static str> {
    match kind {
        Kind::Local => Ok(None),
        Kind::Passing(name) => Ok(Some(format!(
            "the directory lies on {name}, which may not outlive this machine or its container: events that are called \
             durable may be lost; keep the directory on a disk"
        ))),
        Kind::Shared(name) => Ok(Some(format!(
            "the directory lies on {name}, a share: if it is not of this very machine, neither a sync nor a lock need mean \
             what it says"
        ))),
        Kind::Remote(name) if allows_remote => Ok(Some(format!(
            "the directory lies on {name}, on another machine: that machine decides what a sync and a lock are worth"
        ))),
        Kind::Remote(name) => Err(name),
    }
}

fn kind_of(directory: &Path) -> Result<Kind, StoreError> {
    // What is made lies where the nearest directory is that is there already.
    let mut there = directory.ancestors().filter(|path| path.exists());
    let there = there.next().unwrap_or(Path::new("."));
    match rustix::fs::statfs(there) {
        // The kernel's number has 32 bits, whatever holds it.
        Ok(found) => Ok(kind_by(u32::try_from(found.f_type & 0xffff_ffff).unwrap_or_default())),
        Err(error) => Err(StoreError::Directory {
            path: there.to_owned(),
            what: "cannot tell what file system it is on",
            error: Arc::new(io::Error::from(error)),
        }),
    }
}

fn kind_by(number: u32) -> Kind {
    let name_in = |list: &[(u32, &'static str)]| list.iter().find(|(known, _)| *known == number).map(|(_, name)| *name);
    let passing = name_in(&PASSING).map(Kind::Passing);
    let shared = || name_in(&SHARED).map(Kind::Shared);
    let remote = || name_in(&REMOTE).map(Kind::Remote);
    passing.or_else(shared).or_else(remote).unwrap_or(Kind::Local)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disks_of_this_machine_are_good_memory_and_shares_are_warned_of_and_other_machines_are_refused_unless_allowed() {
        // ext4, xfs, btrfs, zfs, f2fs, FUSE.
        for number in [0xef53, 0x5846_5342, 0x9123_683e, 0x2fc1_2fc1, 0xf2f5_2010, 0x6573_5546] {
            assert_eq!(judge(kind_by(number), false), Ok(None), "{number:#x}");
        }
        for (number, name) in [(0x0102_1994, "tmpfs"), (0x8584_58f6, "ramfs"), (0x794c_7630, "overlay")] {
            let warning = judge(kind_by(number), false).unwrap().unwrap();
            assert!(warning.starts_with(&format!("the directory lies on {name}, which may not outlive")), "{warning}");
        }
        for is_allowed in [false, true] {
            let warning = judge(kind_by(0x0102_1997), is_allowed).unwrap().unwrap();
            assert!(warning.starts_with("the directory lies on 9p, a share"), "{warning}");
        }
        let systems = [(0x6969, "nfs"), (0x517b, "smb"), (0xff53_4d42, "cifs"), (0xfe53_4d42, "smb2")];
        let virtual_or_cluster =
            [(0x786f_4256, "vboxsf"), (0xbacb_acbc, "vmhgfs"), (0x1983_0326, "beegfs"), (0x4750_4653, "gpfs")];
        for (number, name) in systems.into_iter().chain(virtual_or_cluster) {
            assert_eq!(judge(kind_by(number), false), Err(name));
            let warning = judge(kind_by(number), true).unwrap().unwrap();
            assert!(warning.starts_with(&format!("the directory lies on {name}, on another machine")), "{warning}");
        }
    }

    #[test]
    fn no_number_is_in_two_lists_and_a_directory_that_is_not_there_yet_lies_where_it_will() {
        let mut numbers: Vec<u32> = PASSING.iter().chain(&SHARED).chain(&REMOTE).map(|(number, _)| *number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), PASSING.len() + SHARED.len() + REMOTE.len());
        // Linux has it as a file system of its own kind.
        assert!(matches!(kind_of(Path::new("/proc/not/there/yet")), Ok(Kind::Local)));
        assert_eq!(kind_of(Path::new("not-there-yet")).unwrap(), kind_of(Path::new(".")).unwrap());
    }
}

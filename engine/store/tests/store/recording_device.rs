//! A device that remembers in which order it was written to and flushed: a file of a file system of its own, to lie under a loop
//! device. Of what was not flushed, a disk that loses its power keeps whatever it likes.

use crate::mounted::skip;
use fuser::{
    BackgroundSession, Config, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation, INodeNo,
    LockOwner, OpenFlags, ReplyAttr, ReplyData, ReplyEmpty, ReplyEntry, ReplyOpen, ReplyWrite, Request, WriteFlags,
};
use std::ffi::OsStr;
use std::num::NonZeroU64;
use std::path::PathBuf;
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};
use tempfile::TempDir;

const NAME: &str = "device";
const DEVICE: INodeNo = INodeNo(2);
const FOR_EVER: Duration = Duration::from_secs(1 << 30);
const MINUTE: Duration = Duration::from_secs(60);

/// What has come to a device.
#[derive(Clone)]
pub(crate) struct Written {
    /// Its content as of the last flush.
    flushed: Vec<u8>,
    /// What was written since, in order: where, and what.
    since: Vec<(usize, Vec<u8>)>,
}

impl Written {
    /// How many writes were not flushed.
    pub(crate) fn unflushed(&self) -> usize {
        self.since.len()
    }

    /// The content that a disk may have after its power was cut: of what was not flushed, some pieces of so many bytes, the rest
    /// as it was.
    pub(crate) fn after_power_cut(&self, piece_bytes: usize, mut keeps: impl FnMut() -> bool) -> Vec<u8> {
        let mut bytes = self.flushed.clone();
        for (at, data) in &self.since {
            for (ordinal, piece) in data.chunks(piece_bytes).enumerate() {
                let at = at + ordinal * piece_bytes;
                if keeps() {
                    bytes[at..at + piece.len()].copy_from_slice(piece);
                }
            }
        }
        bytes
    }
}

/// What has come to a device, and who waits for more.
struct Record {
    written: Written,
    /// After how many more writes someone is told what has come until then.
    awaited: Option<(u64, Sender<Written>)>,
}

/// The file system with the device in it; gone when it is dropped.
pub(crate) struct RecordingDevice {
    record: Arc<Mutex<Record>>,
    directory: TempDir,
    _session: BackgroundSession,
}

impl RecordingDevice {
    /// A device of so many zeros; `None`, with a message, where mounting is not permitted.
    pub(crate) fn new(bytes: usize) -> Option<Self> {
        let written = Written { flushed: vec![0; bytes], since: Vec::new() };
        let record = Arc::new(Mutex::new(Record { written, awaited: None }));
        let directory = tempfile::tempdir().unwrap();
        let files = Files { record: Arc::clone(&record), bytes: bytes as u64 };
        match fuser::spawn_mount(files, directory.path(), &Config::default()) {
            Ok(session) => Some(Self { record, directory, _session: session }),
            Err(error) => {
                skip(&format!("cannot mount a file system of one's own here: {error}"));
                None
            }
        }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().join(NAME)
    }

    /// What has come to it when it has taken so many more writes. The last of them is not flushed yet.
    pub(crate) fn written_after(&self, writes: NonZeroU64) -> Written {
        let (teller, told) = mpsc::channel();
        self.record.lock().unwrap().awaited = Some((writes.get(), teller));
        told.recv_timeout(MINUTE).expect("someone goes on writing")
    }
}

/// One directory with one file.
struct Files {
    record: Arc<Mutex<Record>>,
    bytes: u64,
}

impl Files {
    fn attributes(&self, inode: INodeNo) -> FileAttr {
        let is_device = inode == DEVICE;
        FileAttr {
            ino: inode,
            size: if is_device { self.bytes } else { 0 },
            blocks: if is_device { self.bytes / 512 } else { 0 },
            atime: UNIX_EPOCH,
            mtime: UNIX_EPOCH,
            ctime: UNIX_EPOCH,
            crtime: UNIX_EPOCH,
            kind: if is_device { FileType::RegularFile } else { FileType::Directory },
            perm: 0o700,
            nlink: 1,
            uid: 0,
            gid: 0,
            rdev: 0,
            blksize: 4096,
            flags: 0,
        }
    }
}

impl Filesystem for Files {
    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        if parent == INodeNo::ROOT && name == NAME {
            reply.entry(&FOR_EVER, &self.attributes(DEVICE), Generation(0));
        } else {
            reply.error(Errno::ENOENT);
        }
    }

    fn getattr(&self, _: &Request, inode: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        reply.attr(&FOR_EVER, &self.attributes(inode));
    }

    fn open(&self, _: &Request, _: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        // Every write comes here as it is made, and not when the kernel's memory of the file is cleaned.
        reply.opened(FileHandle(0), FopenFlags::FOPEN_DIRECT_IO);
    }

    fn read(
        &self,
        _: &Request,
        _: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let end = (offset + u64::from(size)).min(self.bytes);
        let range = usize::try_from(offset.min(end)).unwrap()..usize::try_from(end).unwrap();
        let written = &self.record.lock().unwrap().written;
        let mut bytes = written.flushed[range.clone()].to_vec();
        for (at, data) in &written.since {
            let (from, to) = (range.start.max(*at), range.end.min(at + data.len()));
            if from < to {
                bytes[from - range.start..to - range.start].copy_from_slice(&data[from - at..to - at]);
            }
        }
        reply.data(&bytes);
    }

    fn write(
        &self,
        _: &Request,
        _: INodeNo,
        _: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        if offset + data.len() as u64 > self.bytes {
            return reply.error(Errno::ENOSPC);
        }
        let mut record = self.record.lock().unwrap();
        record.written.since.push((usize::try_from(offset).unwrap(), data.to_vec()));
        if let Some((writes, teller)) = record.awaited.take() {
            if writes == 1 {
                teller.send(record.written.clone()).expect("who asked waits");
            } else {
                record.awaited = Some((writes - 1, teller));
            }
        }
        reply.written(u32::try_from(data.len()).unwrap());
    }

    fn fsync(&self, _: &Request, _: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        let written = &mut self.record.lock().unwrap().written;
        for (at, data) in std::mem::take(&mut written.since) {
            written.flushed[at..at + data.len()].copy_from_slice(&data);
        }
        reply.ok();
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        reply.ok();
    }
}

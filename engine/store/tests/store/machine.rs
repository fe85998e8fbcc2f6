//! What the machine under a store can do: no room, no right to write, limits on the process, and its sudden death.

use crate::child;
use crate::mounted::{Mounted, skip};
use crate::power::is_installed;
use crate::support::{event, request, small_options, texts};
use gesta::{AppendError, AppendRequest, Durability, OpenError, Options, Read, Reader, RequestError, Store};
use rustix::process::{Resource, Rlimit, setrlimit};
use std::fs;
use std::io::{BufRead, BufReader, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Command, Stdio};

pub(crate) fn options() -> Options {
    Options { first_segment_bytes: 64 << 10, segment_bytes_max: 128 << 10, ..small_options() }
}

/// Appends until the store refuses; returns how many were taken, and the refusal.
fn fill(store: &Store) -> (u64, AppendError) {
    let data = "x".repeat(2000);
    for count in 0..10_000 {
        if let Err(error) = store.append(request("a-1", &[&data], Durability::Durable)) {
            return (count, error);
        }
    }
    panic!("twenty megabytes were taken");
}

/// Names and bytes of all files.
fn image(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(directory).unwrap().map(Result::unwrap);
    let mut files: Vec<_> =
        entries.map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())).collect();
    files.sort();
    files
}

#[test]
fn a_full_file_system_refuses_appends_and_openings_until_there_is_room() {
    let Some(mounted) = Mounted::in_memory("512k") else { return };
    let path = mounted.path().join("store");
    let store = Store::open(&path, options()).unwrap();
    let (count, full) = fill(&store);
    assert!(matches!(full, AppendError::StorageFull { .. }), "{full:?}");
    assert!(count > 20, "{count}");
    assert_eq!(texts(store.read(Read::all())).unwrap().len() as u64, count);
    mounted.remount("size=2m");
    store.append(request("a-1", &["room again"], Durability::Durable)).unwrap();
    store.close().unwrap();

    let ballast = mounted.path().join("ballast");
    let filled = fs::write(&ballast, vec![1; 4 << 20]).unwrap_err();
    assert_eq!(filled.kind(), ErrorKind::StorageFull);
    // What is kept for this is taken as well.
    fs::remove_file(path.join("reserve")).unwrap();
    fill_up(&mounted.path().join("more ballast"));
    let before = image(&path);
    let Err(refused) = Store::open(&path, options()) else { panic!("there is no room for a manifest") };
    assert!(matches!(refused, OpenError::StorageFull { .. }), "{refused:?}");
    assert!(before == image(&path), "a refused store is not changed");
    assert_eq!(texts(Reader::open(&path).unwrap().read(Read::all())).unwrap().len() as u64, count + 1);
    fs::remove_file(ballast).unwrap();
    assert_eq!(texts(Store::open(&path, options()).unwrap().read(Read::all())).unwrap().len() as u64, count + 1);
}

/// Room for the block that a copy-on-write file system must write elsewhere is not reserved by having allocated the segment.
#[test]
fn a_full_disk_under_a_shared_segment_is_an_error_and_tears_nothing() {
    if !is_installed("mkfs.xfs") {
        skip("mkfs.xfs is needed to share the blocks of a segment");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let image_file = directory.path().join("image");
    fs::File::create(&image_file).unwrap().set_len(320 << 20).unwrap();
    let made = Command::new("mkfs.xfs").args(["-q", "-m", "reflink=1"]).arg(&image_file).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    let Some(mounted) = Mounted::image(&image_file) else { return };
    let (path, shared, ballast) =
        (mounted.path().join("store"), mounted.path().join("shared"), mounted.path().join("b"));
    let store = Store::open(&path, options()).unwrap();
    for number in 0..10 {
        store.append(request("a-1", &[&format!("event {number}")], Durability::Durable)).unwrap();
    }
    fs::create_dir(&shared).unwrap();
    let segments = image(&path).into_iter().filter(|(name, _)| name.ends_with(".log")).map(|(name, _)| path.join(name));
    let copied = Command::new("cp").arg("--reflink=always").args(segments).arg(&shared).output().unwrap();
    assert!(copied.status.success(), "{copied:?}");
    fill_up(&ballast);

    // Small ones: all of them fit into the segment, whose every block was allocated before.
    let (mut taken, mut refused) = (10, None);
    while refused.is_none() && taken < 400 {
        match store.append(request("a-1", &[&format!("event {taken}")], Durability::Durable)) {
            Ok(_) => taken += 1,
            Err(error) => refused = Some(error),
        }
    }
    let Some(AppendError::Poisoned { cause }) = &refused else { panic!("{taken} taken: {refused:?}") };
    assert_eq!(cause.kind(), ErrorKind::StorageFull, "{cause}");
    println!("no room for a block of a shared segment: {cause}");
    let expected: Vec<String> = (0..taken).map(|number| format!("event {number}")).collect();
    assert_eq!(texts(store.read(Read::all())).unwrap(), expected);
    let again = store.append(request("a-1", &["again"], Durability::Durable));
    assert!(matches!(again, Err(AppendError::Poisoned { .. })), "{again:?}");
    drop(store);

    fs::remove_file(ballast).unwrap();
    let store = Store::open(&path, options()).unwrap();
    assert!(!store.recovery().is_degraded, "{:?}", store.recovery());
    let found = texts(store.read(Read::all())).unwrap();
    assert!(found.len() <= taken + 1 && found.starts_with(&expected), "{taken} were acknowledged: {found:?}");
    store.append(request("a-1", &["room again"], Durability::Durable)).unwrap();
    assert_eq!(store.reader().verify(true, &mut |_, _| {}).damage, []);
}

/// Takes all the room that there is.
pub(crate) fn fill_up(ballast: &Path) {
    let file = fs::File::create(ballast).unwrap();
    let (block, mut end) = (vec![1; 1 << 20], 0);
    for bytes in [1 << 20, 64 << 10, 4 << 10] {
        while file.write_all_at(&block[..bytes], end).and_then(|()| file.sync_data()).is_ok() {
            end += bytes as u64;
        }
    }
}

#[test]
fn a_read_only_file_system_is_named_and_can_be_read() {
    let Some(mounted) = Mounted::in_memory("2m") else { return };
    let path = mounted.path().join("store");
    let store = Store::open(&path, options()).unwrap();
    store.append(request("a-1", &["kept"], Durability::Durable)).unwrap();
    store.close().unwrap();
    mounted.remount("ro");
    for path in [&path, &mounted.path().join("new")] {
        let Err(refused) = Store::open(path, options()) else { panic!("{} cannot be written", path.display()) };
        assert!(matches!(refused, OpenError::ReadOnly { .. }), "{refused:?}");
        assert!(refused.to_string().contains("open the store for reading only"), "{refused}");
    }
    assert_eq!(texts(Reader::open(&path).unwrap().read(Read::all())).unwrap(), ["kept"]);
    mounted.remount("rw");
    assert_eq!(texts(Store::open(&path, options()).unwrap().read(Read::all())).unwrap(), ["kept"]);
}

#[test]
fn a_limit_on_the_length_of_files_is_an_error_and_not_the_end_of_the_process() {
    let Some(directory) = child::directory() else {
        let directory = tempfile::tempdir().unwrap();
        let name = "machine::a_limit_on_the_length_of_files_is_an_error_and_not_the_end_of_the_process";
        child::run(name, directory.path());
        let store = Store::open(directory.path(), options()).unwrap();
        assert!(texts(store.read(Read::all())).unwrap().len() > 20);
        store.append(request("a-1", &["without the limit"], Durability::Durable)).unwrap();
        return;
    };
    let store = Store::open(&directory, options()).unwrap();
    store.append(request("a-1", &["before"], Durability::Durable)).unwrap();
    // The second segment would be longer.
    setrlimit(Resource::Fsize, Rlimit { current: Some(100_000), maximum: Some(100_000) }).unwrap();
    let (count, refused) = fill(&store);
    let AppendError::NoSegment { cause } = &refused else { panic!("{refused:?}") };
    assert_eq!(cause.kind(), ErrorKind::FileTooLarge);
    assert!(refused.to_string().contains("ulimit -f"), "{refused}");
    assert_eq!(texts(store.read(Read::all())).unwrap().len() as u64, count + 1);
    store.close().unwrap();
}

/// Gives this process no more than 24 MiB of memory beyond what it has.
pub(crate) fn limit_memory() {
    let statistics = fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = statistics.split(' ').next().unwrap().parse().unwrap();
    let limit = pages * 4096 + (24 << 20);
    setrlimit(Resource::As, Rlimit { current: Some(limit), maximum: Some(limit) }).unwrap();
    let mut vain = Vec::<u8>::new();
    assert!(vain.try_reserve_exact(std::hint::black_box(100 << 20)).is_err(), "the limit holds");
}

#[test]
fn huge_events_and_requests_are_refused_before_memory_is_taken_for_them() {
    let Some(directory) = child::directory() else {
        let directory = tempfile::tempdir().unwrap();
        child::run("machine::huge_events_and_requests_are_refused_before_memory_is_taken_for_them", directory.path());
        return;
    };
    const HUGE: usize = 512 << 20;
    let store = Store::open(&directory, Options { upkeep: gesta::Upkeep::Inline, ..Options::default() }).unwrap();
    let by_data = event("a-1", "").data(vec![0; HUGE]);
    let by_metadata = event("a-1", "").metadata(vec![0; HUGE]);
    let large = event("a-1", "").data(vec![0; 15 << 20]);
    let by_sum = vec![large; 8];
    // A copy of any of them does not fit any more.
    limit_memory();

    let refusal = |request| match store.append(request) {
        Err(AppendError::Request(error)) => error,
        outcome => panic!("{outcome:?}"),
    };
    let refused = refusal(AppendRequest::new().event(by_data));
    assert!(matches!(refused, RequestError::DataTooLong { ordinal: 0, bytes: HUGE, .. }), "{refused:?}");
    let refused = refusal(AppendRequest::new().event(by_metadata));
    assert!(matches!(refused, RequestError::MetadataTooLong { ordinal: 0, bytes: HUGE, .. }), "{refused:?}");
    let refused = refusal(AppendRequest::new().events(by_sum));
    assert!(matches!(refused, RequestError::TooLarge { .. }), "{refused:?}");
    store.append(request("a-1", &["small"], Durability::Durable)).unwrap();
}

/// Appends for ever, telling of each acknowledgement.
fn append_until_killed(directory: &Path) {
    let store = Store::open(directory, Options { upkeep: gesta::Upkeep::Threads, ..options() }).unwrap();
    for number in 0.. {
        store.append(request("a-1", &[&format!("event {number}")], Durability::Durable)).unwrap();
        println!("acknowledged {number}");
    }
}

#[test]
fn a_killed_writer_locks_nobody_out_and_a_living_one_does() {
    if let Some(directory) = child::directory() {
        return append_until_killed(&directory);
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let name = "machine::a_killed_writer_locks_nobody_out_and_a_living_one_does";
    let mut writer = child::command(name, &path).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(writer.stdout.take().unwrap()).lines().map(Result::unwrap);
    let acknowledged = |line: String| line.strip_prefix("acknowledged ").and_then(|number| number.parse::<u64>().ok());
    let seen = lines.by_ref().filter_map(acknowledged).nth(200).unwrap();

    let Err(refused) = Store::open(&path, options()) else { panic!("two writers have the store open") };
    assert!(matches!(refused, OpenError::Locked { .. }), "{refused:?}");
    assert!(matches!(
        gesta::truncate_after(&gesta::disk::RealDisk::open(&path).unwrap(), gesta::Position(1)),
        Err(gesta::TruncateError::Open(OpenError::Locked { .. }))
    ));
    let copy = directory.path().join("copy");
    copy_while_it_is_written(&path, &copy);

    writer.kill().unwrap();
    writer.wait().unwrap();
    let last = lines.filter_map(acknowledged).last().unwrap_or(seen);
    assert!(path.join("lock").exists(), "the lock file is left behind");
    let store = Store::open(&path, options()).unwrap();
    let found = texts(store.read(Read::all())).unwrap();
    assert!(found.len() as u64 > last, "{} events, {last} was acknowledged", found.len());
    assert!(found.iter().enumerate().all(|(number, data)| *data == format!("event {number}")));
    store.append(request("a-1", &["goes on"], Durability::Durable)).unwrap();

    // A copy that was not made at one moment is a store with everything up to then, or it is refused with a reason.
    let copied = Store::open(&copy, options()).unwrap();
    let found = texts(copied.read(Read::all()));
    match found {
        Ok(found) => {
            assert!(found.len() as u64 > seen || copied.recovery().is_degraded, "{} of {seen}", found.len());
            assert!(found.iter().enumerate().all(|(number, data)| *data == format!("event {number}")));
        }
        Err(error) => assert!(copied.recovery().is_degraded, "{error}"),
    }
}

/// Copies file by file, segments before manifests, as a careless backup does.
fn copy_while_it_is_written(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    let mut names: Vec<_> = fs::read_dir(from).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    for name in names.iter().filter(|name| !name.to_string_lossy().ends_with(".new")) {
        fs::copy(from.join(name), to.join(name)).unwrap();
    }
}

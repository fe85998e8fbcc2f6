//! Pages that the disk cannot bring while a store is read in place: a segment cut under its readers, and bad sectors.

use crate::child;
use crate::mounted::Mounted;
use crate::support::{request, small_options};
use gesta::disk::{contain_lost_pages, lost_pages};
use gesta::{AppendError, Cursor, Durability, Options, Position, Read, ReadError, Reader, Store, StreamName, verify};
use std::fs::{self, OpenOptions};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;

const COUNT: u64 = 100;
const PAGE: u64 = 4096;

fn filled(number: u64) -> String {
    format!("{number:0500}")
}

/// A store with some segments, and so many events in batches of five.
fn store(path: &Path, options: Options, count: u64) -> Store {
    let store = Store::open(path, options).unwrap();
    for first in (0..count).step_by(5) {
        let data: Vec<String> = (first..first + 5).map(filled).collect();
        let data: Vec<&str> = data.iter().map(String::as_str).collect();
        store.append(request("s", &data, Durability::Durable)).unwrap();
    }
    store
}

fn segment(store: &Path, number: u64) -> PathBuf {
    store.join(format!("{number:010}-0000.log"))
}

fn cut(file: &Path, length: u64) {
    OpenOptions::new().write(true).open(file).unwrap().set_len(length).unwrap();
}

/// What a read came by: every event must be the one that was written. And the positions that it said are damaged.
fn walk(mut cursor: Cursor) -> (Vec<u64>, Vec<u64>, Vec<String>) {
    let (mut read, mut lost, mut told) = (Vec::new(), Vec::new(), Vec::new());
    while let Some(next) = cursor.next_record() {
        match next {
            Ok(record) => {
                assert_eq!(record.data().bytes(), filled(record.position().0).as_bytes());
                read.push(record.position().0);
            }
            Err(ReadError::Damaged(damage)) => {
                lost.extend(damage.positions.start.0..damage.positions.end.0);
                told.push(damage.to_string());
            }
            Err(error) => panic!("{error:?}"),
        }
    }
    (read, lost, told)
}

fn all_ways() -> [(&'static str, Read); 4] {
    let stream = || Read::stream(StreamName::new("s").unwrap());
    [
        ("all", Read::all()),
        ("all, backward", Read::all().backwards()),
        ("the stream", stream()),
        ("the stream, backward", stream().backwards()),
    ]
}

/// The positions that are lost, whichever way they are read. Through the index, an event may be found whole in a batch that is not.
fn read_in_all_ways(reader: &Reader) -> Vec<u64> {
    let mut known: Option<Vec<u64>> = None;
    for (way, read) in all_ways() {
        let is_sweep = way.starts_with("all");
        let (mut read, mut lost, told) = walk(reader.read(read));
        read.sort_unstable();
        lost.sort_unstable();
        lost.dedup();
        let mut every: Vec<u64> = [&read[..], &lost[..]].concat();
        every.sort_unstable();
        assert_eq!(every, (0..reader.head().0).collect::<Vec<_>>(), "{way}: {told:?}");
        let known = known.get_or_insert_with(|| lost.clone());
        let agrees = if is_sweep { lost == *known } else { lost.iter().all(|position| known.contains(position)) };
        assert!(agrees, "{way}: {} lost, and before {}: {told:?}", lost.len(), known.len());
    }
    known.unwrap()
}

#[test]
pub(crate) fn a_segment_that_is_cut_under_its_readers_costs_its_events_and_not_the_process() {
    contain_lost_pages().unwrap();
    for number in [2, 3] {
        let directory = tempfile::tempdir().unwrap();
        let store = store(directory.path(), small_options(), COUNT);
        let reader = store.reader();
        assert!(read_in_all_ways(&reader).is_empty());
        let mut half_read = [Read::all(), all_ways()[2].1.clone()].map(|read| {
            let mut cursor = reader.read(read);
            (0..COUNT / 4).for_each(|_| assert!(cursor.next_record().unwrap().is_ok()));
            cursor
        });
        let before = lost_pages();
        cut(&segment(directory.path(), number), PAGE);

        let lost = read_in_all_ways(&reader);
        assert!(lost.len() > 10 && lost.len() < 50, "segment {number}: {lost:?}");
        assert!(lost_pages() > before);
        for cursor in &mut half_read {
            let mut seen = COUNT / 4;
            while let Some(next) = cursor.next_record() {
                match next {
                    Ok(record) => assert_eq!(record.data().bytes(), filled(record.position().0).as_bytes()),
                    Err(ReadError::Damaged(damage)) => {
                        assert!(damage.positions.start.0 <= *lost.last().unwrap() && damage.positions.end.0 > lost[0]);
                    }
                    Err(error) => panic!("{error:?}"),
                }
                seen += 1;
            }
            assert!(seen > COUNT / 2, "{seen}");
        }
        // Nothing is appended to a log that has lost events, in this life as in the next.
        let refused = store.append(request("s", &["more"], Durability::Durable)).unwrap_err();
        let path = segment(directory.path(), number).display().to_string();
        assert!(matches!(&refused, AppendError::Degraded { damage } if damage.contains(&path)), "{refused}");
        store.close().unwrap();
        assert!(Store::open(directory.path(), small_options()).unwrap().recovery().is_degraded);
        let damaged: u64 = verify(directory.path(), true, &mut |_, _| {}).unwrap().damage.iter().map(count).sum();
        assert_eq!(damaged, lost.len() as u64);
    }
}

fn count(damage: &gesta::Damage) -> u64 {
    damage.positions.end.0 - damage.positions.start.0
}

// What the first test escapes from is real, and the handler keeps to the maps of stores.
#[test]
fn without_containment_a_cut_segment_ends_the_process_and_any_other_bus_error_does_so_with_it() {
    let name = "lost_pages::without_containment_a_cut_segment_ends_the_process_and_any_other_bus_error_does_so_with_it";
    if let Some(directory) = child::directory() {
        let is_contained = directory.join("contained").exists();
        if is_contained {
            contain_lost_pages().unwrap();
        }
        let store = store(&directory.join("store"), small_options(), COUNT);
        read_in_all_ways(&store.reader());
        cut(&segment(&directory.join("store"), 2), PAGE);
        read_in_all_ways(&store.reader());
        fs::write(directory.join("survived"), "").unwrap();
        // It goes to the language's own handler, which is done with it then, and leaves the next one to the system.
        for _ in 0..2 {
            run(Command::new("kill").args(["-s", "BUS", &std::process::id().to_string()]));
        }
        unreachable!("the signal was meant to end the process");
    }
    for is_contained in [false, true] {
        let directory = tempfile::tempdir().unwrap();
        if is_contained {
            fs::write(directory.path().join("contained"), "").unwrap();
        }
        let output = child::command(name, directory.path()).output().unwrap();
        assert_eq!(output.status.signal(), Some(7), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(directory.path().join("survived").exists(), is_contained);
    }
}

// A device that ends before a block does cannot read it: the loop device says so, as a disk with a bad sector would. What was read
// when the store was opened is in memory, the seal of the segment among it.
#[test]
pub(crate) fn bad_sectors_cost_the_batches_that_lie_there_and_nothing_else() {
    contain_lost_pages().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let image = directory.path().join("image");
    run(Command::new("mkfs.ext4").args(["-q", "-F", "-b", "4096"]).arg(&image).arg("32m"));
    let Some(mounted) = Mounted::image(&image) else { return };
    let path = mounted.path().join("store");
    let options = Options { first_segment_bytes: 512 << 10, segment_bytes_max: 512 << 10, ..small_options() };
    store(&path, options.clone(), 3000).close().unwrap();
    // To the end of the device with one sealed segment, by taking what lies before.
    let (sealed, copy) = (segment(&path, 2), path.join("copy"));
    fs::write(mounted.path().join("ballast"), vec![1; 12 << 20]).unwrap();
    fs::copy(&sealed, &copy).unwrap();
    fs::rename(&copy, &sealed).unwrap();
    run(Command::new("sync").arg("-f").arg(&sealed));
    let block = first_block(&sealed);
    drop(mounted);

    let mounted = Mounted::image(&image).unwrap();
    let device = run(Command::new("losetup").args(["-n", "-O", "NAME", "-j"]).arg(&image));
    run(Command::new("losetup").args(["--direct-io=on", device.trim()]));
    let path = mounted.path().join("store");
    let store = Store::open(&path, options.clone()).unwrap();
    let before = lost_pages();
    cut(&image, (block + 32) * PAGE);
    let lost = read_in_all_ways(&store.reader());
    assert!(lost_pages() > before);
    assert!(lost.len() > 100 && lost.len() < 900, "a part of a segment: {}", lost.len());
    let (_, _, told) = walk(store.read(Read::all()));
    let file = segment(&path, 2).display().to_string();
    assert!(told.iter().all(|told| told.contains(&file) && told.contains("Input/output error")), "{told:?}");
    // The store goes on: what is lost is sealed, and told to whoever reads it.
    let more = store.append(request("s", &[&filled(3000)], Durability::Durable)).unwrap();
    assert_eq!(more.positions.start, Position(3000));
    let damaged: u64 = verify(&path, false, &mut |_, _| {}).unwrap().damage.iter().map(count).sum();
    assert_eq!(damaged, lost.len() as u64);
    store.close().unwrap();
}

/// The block of the device that a file of one piece begins at.
fn first_block(file: &Path) -> u64 {
    let told = run(Command::new("filefrag").args(["-b4096", "-v"]).arg(file));
    let extents: Vec<&str> = told.lines().filter(|line| line.contains("..") && line.contains(':')).collect();
    assert_eq!(extents.len(), 1, "{told}");
    let place = extents[0].split(':').nth(2).unwrap();
    place.split("..").next().unwrap().trim().parse().unwrap()
}

/// Runs a program that must succeed; what it printed.
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

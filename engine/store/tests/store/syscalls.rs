//! What a durable append costs in system calls: one write, one sync, nothing else but wake-ups.

use crate::support::request;
use gesta::{Durability, Options, Store};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const CHILD: &str = "GESTA_SYSCALLS_IN";
const BEGIN: &str = "/gesta-begins-to-append";
const END: &str = "/gesta-has-appended";
const APPENDS: u64 = 20;

/// Runs itself under strace; the traced run appends between two marks that strace shows.
#[test]
fn a_durable_append_is_one_write_and_one_sync() {
    if let Some(directory) = std::env::var_os(CHILD) {
        return append_between_marks(Path::new(&directory));
    }
    if Command::new("strace").arg("-V").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "strace is missing, and in CI this test may not be skipped");
        eprintln!("skipped: strace is not installed");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let trace = directory.path().join("trace");
    let name = "syscalls::a_durable_append_is_one_write_and_one_sync";
    let output = Command::new("strace")
        .arg("-f")
        .arg("-o")
        .arg(&trace)
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", name])
        .env(CHILD, directory.path().join("store"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let counts = count_between_marks(&std::fs::read_to_string(&trace).unwrap());
    let expected = BTreeMap::from([("fdatasync".to_owned(), APPENDS), ("pwrite64".to_owned(), APPENDS)]);
    assert_eq!(counts, expected, "wake-ups are not counted");
}

fn append_between_marks(directory: &Path) {
    let hour = Duration::from_secs(3600);
    let options = Options { mark_after: hour, sync_interval: hour, ..Options::default() };
    let store = Store::open(directory, options).unwrap();
    for _ in 0..3 {
        store.append(request("a-1", &["warm"], Durability::Durable)).unwrap();
    }
    assert!(std::fs::metadata(BEGIN).is_err());
    for _ in 0..APPENDS {
        store.append(request("a-1", &["event"], Durability::Durable)).unwrap();
    }
    assert!(std::fs::metadata(END).is_err());
}

/// The system calls that the appending thread made between the marks, wake-ups apart.
fn count_between_marks(trace: &str) -> BTreeMap<String, u64> {
    let begin = trace.lines().find(|line| line.contains(BEGIN)).expect("the first mark is in the trace");
    let thread = begin.split_whitespace().next().unwrap();
    let mut counts = BTreeMap::new();
    let mine = trace.lines().filter(|line| line.split_whitespace().next() == Some(thread));
    let between = mine.skip_while(|line| !line.contains(BEGIN)).skip(1).take_while(|line| !line.contains(END));
    for call in between.filter_map(|line| line.split_whitespace().nth(1)) {
        let name = call.split('(').next().unwrap_or(call);
        if name != "futex" && !call.starts_with("<...") {
            *counts.entry(name.to_owned()).or_insert(0) += 1;
        }
    }
    counts
}

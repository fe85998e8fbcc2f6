//! Real power cuts, as far as a file system can tell: ext4 and xfs on a loop device, shut down under a writer.

use crate::child;
use crate::mounted::{Mounted, skip};
use crate::support::{request, texts};
use gesta::{Durability, Options, Read, Store};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Ten times what recovery is to take, one second: the machines of tests stall.
const RECOVERY_AT_MOST: Duration = Duration::from_secs(10);

/// Told to a writer that is to acknowledge before it syncs, in a build that can.
const SABOTAGED: &str = "GESTA_TEST_SABOTAGED";

/// Small segments, so that the power also fails in rolls and while spares are made.
fn options() -> Options {
    Options { first_segment_bytes: 32 << 10, segment_bytes_max: 64 << 10, ..Options::default() }
}

/// How many cuts: more with `GESTA_POWER_CUTS`.
fn cuts() -> u64 {
    std::env::var("GESTA_POWER_CUTS").ok().and_then(|count| count.parse().ok()).unwrap_or(20)
}

/// Whether the machine has a program.
pub(crate) fn is_installed(program: &str) -> bool {
    Command::new(program).arg("-V").output().is_ok()
}

/// Starts a writer in a process of its own, which is the test of this name once more.
pub(crate) fn writer(test: &str, store: &Path, is_sabotaged: bool) -> Child {
    let mut command = child::command(test, store);
    if is_sabotaged {
        command.env(SABOTAGED, "");
    }
    command.stdout(Stdio::piped()).spawn().unwrap()
}

/// Appends for ever and tells of each position that was acknowledged as durable.
pub(crate) fn append_until_killed(directory: &Path) {
    #[cfg_attr(not(gesta_sabotage), allow(unused_mut))]
    let mut options = options();
    #[cfg(gesta_sabotage)]
    if std::env::var_os(SABOTAGED).is_some() {
        // A bug is in one thread, which has to do the commits then.
        options.upkeep = gesta::Upkeep::Inline;
        gesta::sabotage::put_in(Some(gesta::sabotage::Bug::AcknowledgeBeforeSync));
    }
    let store = Store::open(directory, options).unwrap();
    loop {
        let position = store.reader().head().0;
        let data = format!("event {position} {}", "x".repeat(usize::try_from(position * 37 % 900).unwrap()));
        let mut durability = Durability::Durable;
        if position % 5 == 3 {
            durability = Durability::Written;
        }
        match store.append(request("a-1", &[&data], durability)) {
            Ok(receipt) if receipt.durability == Durability::Durable => println!("acknowledged {position}"),
            Ok(_) if store.sync().is_ok() => {}
            _ => return,
        }
    }
}

/// One cut after some acknowledgements; returns how many events must be there.
fn cut_while_appending(image: &Path, (test, is_sabotaged): (&str, bool), acknowledgements: usize) -> u64 {
    let mounted = Mounted::image(image).expect("it could be mounted before");
    let mut writer = writer(test, &mounted.path().join("store"), is_sabotaged);
    let lines = BufReader::new(writer.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut positions = lines.filter_map(|line| line.strip_prefix("acknowledged ").and_then(|text| text.parse().ok()));
    let last: u64 = positions.by_ref().nth(acknowledgements).expect("the writer goes on until the power fails");
    mounted.cut_power();
    writer.kill().unwrap();
    writer.wait().unwrap();
    last + 1
}

/// Everything that was acknowledged before the cut is there, in order, and the store goes on. Returns how many bytes were
/// torn, and how long the opening took.
pub(crate) fn check_after_cut(image: &Path, acknowledged: u64, what: &str) -> (u64, Duration) {
    let mounted = Mounted::image(image).expect("it could be mounted before");
    let began = Instant::now();
    let store = Store::open(mounted.path().join("store"), options()).unwrap();
    let took = began.elapsed();
    let report = store.recovery().clone();
    assert!(!report.is_degraded, "{what}: {report:?}");
    let found = texts(store.read(Read::all())).unwrap();
    assert!(found.len() as u64 >= acknowledged, "{what}: lost: {} of {acknowledged}: {report:?}", found.len());
    for (position, data) in found.iter().enumerate() {
        assert!(data.starts_with(&format!("event {position} ")), "{what}: {data}");
    }
    store.close().unwrap();
    (report.torn_bytes, took)
}

/// Cuts the power of a file system under a writer, again and again; `false` where the machine does not permit that.
pub(crate) fn survive_power_cuts((file_system, image_bytes): (&str, u64), test: &str, is_sabotaged: bool) -> bool {
    let make = format!("mkfs.{file_system}");
    if !is_installed(&make) || !is_installed("perl") {
        skip(&format!("{make} and perl are needed to cut the power of {file_system}"));
        return false;
    }
    let directory = tempfile::tempdir().unwrap();
    let image = directory.path().join("image");
    std::fs::File::create(&image).unwrap().set_len(image_bytes).unwrap();
    let made = Command::new(make).arg("-q").arg(&image).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    if Mounted::image(&image).is_none() {
        return false;
    }
    let (mut torn, mut longest) = (0, Duration::ZERO);
    for cut in 0..cuts() {
        let acknowledgements = usize::try_from(cut * 7919 % 41).unwrap();
        let acknowledged = cut_while_appending(&image, (test, is_sabotaged), acknowledgements);
        let (torn_bytes, took) = check_after_cut(&image, acknowledged, &format!("cut {cut} of {file_system}"));
        torn += u64::from(torn_bytes > 0);
        longest = longest.max(took);
    }
    println!("{} real power cuts of {file_system}, 0 acknowledged events lost, {torn} torn tails cut", cuts());
    println!("the longest opening after a cut took {longest:?}");
    assert!(longest < RECOVERY_AT_MOST, "{longest:?}");
    true
}

pub(crate) const EXT4: (&str, u64) = ("ext4", 32 << 20);
const XFS: (&str, u64) = ("xfs", 320 << 20);

#[test]
fn real_power_cuts_of_ext4_lose_nothing_that_was_acknowledged() {
    match child::directory() {
        Some(directory) => append_until_killed(&directory),
        None => {
            let _is_permitted =
                survive_power_cuts(EXT4, "power::real_power_cuts_of_ext4_lose_nothing_that_was_acknowledged", false);
        }
    }
}

#[test]
fn real_power_cuts_of_xfs_lose_nothing_that_was_acknowledged() {
    match child::directory() {
        Some(directory) => append_until_killed(&directory),
        None => {
            let _is_permitted =
                survive_power_cuts(XFS, "power::real_power_cuts_of_xfs_lose_nothing_that_was_acknowledged", false);
        }
    }
}

//! What a disk may hold after its power was cut, block by block: of what was not flushed, any part in any order, with ext4 on it.

use crate::child;
use crate::mounted::{Mounted, skip};
use crate::power::{append_until_killed, check_after_cut, is_installed, writer};
use crate::recording_device::{RecordingDevice, Written};
use std::fs;
use std::io::{BufRead, BufReader};
use std::num::NonZeroU64;
use std::process::Command;

const DEVICE_BYTES: usize = 32 << 20;
/// Moments at which the power is cut in the life of one device, and disks that each may leave.
const MOMENTS: u64 = 3;
const DISKS: u64 = 5;
const TEST: &str = "block_order::any_blocks_that_a_disk_keeps_lose_nothing_that_was_acknowledged";

/// How many disks are looked at: more with `GESTA_BLOCK_IMAGES`.
fn images() -> u64 {
    std::env::var("GESTA_BLOCK_IMAGES").ok().and_then(|count| count.parse().ok()).unwrap_or(30)
}

#[test]
pub(crate) fn any_blocks_that_a_disk_keeps_lose_nothing_that_was_acknowledged() {
    if let Some(directory) = child::directory() {
        return append_until_killed(&directory);
    }
    let _is_permitted = survive_any_order(TEST, false);
}

/// Lives through power cuts of devices until so many disks were looked at; `false` where the machine does not permit that.
pub(crate) fn survive_any_order(test: &str, is_sabotaged: bool) -> bool {
    if !is_installed("mkfs.ext4") {
        skip("mkfs.ext4 is needed to cut the power of ext4");
        return false;
    }
    let (mut seen, mut torn) = (0, 0);
    for life in 0.. {
        let Some(moments) = live_once(life, (test, is_sabotaged)) else { return false };
        for (moment, (acknowledged, written)) in moments.into_iter().enumerate() {
            for disk in 0..DISKS {
                let what =
                    format!("life {life}, moment {moment}, disk {disk}, {} writes not flushed", written.unflushed());
                torn += u64::from(look_at(&written, life * 1000 + moment as u64 * 100 + disk, acknowledged, &what));
                seen += 1;
            }
        }
        if seen >= images() {
            break;
        }
    }
    println!("{seen} disks after power cuts, 0 acknowledged events lost, {torn} torn tails cut");
    true
}

/// The life of a device with a writer on it: what had come to it at some moments, and how many events were acknowledged before.
fn live_once(life: u64, (test, is_sabotaged): (&str, bool)) -> Option<Vec<(u64, Written)>> {
    let device = RecordingDevice::new(DEVICE_BYTES)?;
    let made = Command::new("mkfs.ext4").args(["-q", "-F"]).arg(device.path()).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    let mounted = Mounted::image(&device.path())?;
    let mut writer = writer(test, &mounted.path().join("store"), is_sabotaged);
    let lines = BufReader::new(writer.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut positions = lines.filter_map(|line| line.strip_prefix("acknowledged ")?.parse::<u64>().ok());
    let mut moments = Vec::new();
    for moment in 0..MOMENTS {
        let more = usize::try_from((life * MOMENTS + moment) * 7919 % 41).unwrap();
        let last = positions.by_ref().nth(more).expect("the writer goes on until it is killed");
        let writes = NonZeroU64::MIN.saturating_add((life + moment) * 5 % 7);
        moments.push((last + 1, device.written_after(writes)));
    }
    writer.kill().unwrap();
    writer.wait().unwrap();
    Some(moments)
}

/// Looks at one disk that a power cut may have left; tells whether there was a torn tail on it.
fn look_at(written: &Written, seed: u64, acknowledged: u64, what: &str) -> bool {
    let directory = tempfile::tempdir().unwrap();
    let image = directory.path().join("image");
    let mut random = random(seed);
    // Sectors or pages; few, half, or most of them.
    let piece_bytes = if random().is_multiple_of(2) { 512 } else { 4096 };
    let kept_of_eight = [1, 4, 7][usize::try_from(random() % 3).unwrap()];
    fs::write(&image, written.after_power_cut(piece_bytes, || random() % 8 < kept_of_eight)).unwrap();
    check_after_cut(&image, acknowledged, what).0 > 0
}

/// Numbers that are the same for the same seed (SplitMix64).
fn random(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed;
    move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

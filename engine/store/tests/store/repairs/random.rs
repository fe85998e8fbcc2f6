//! Random damage to random stores.

use super::ground::{Dice, STRAYED, STRAYED_BYTES, events, filled_store, refusal, repaired, segments};
use crate::support::open;
use gesta::RepairError;
use gesta::disk::{Fault, SimulatedDisk};

/// How many stores: more with `GESTA_REPAIRS`.
fn stores() -> u64 {
    std::env::var("GESTA_REPAIRS").ok().and_then(|count| count.parse().ok()).unwrap_or(60)
}

/// Does something to a segment, and tells what.
fn damage(disk: &SimulatedDisk, dice: &mut Dice) -> String {
    let names = segments(disk);
    let name = &names[usize::try_from(dice.below(names.len() as u64)).unwrap()];
    let length = disk.image(name).len() as u64;
    if length == 0 {
        return format!("nothing of {name}, which was cut to nothing");
    }
    // Most of a segment may be zeros.
    let written = disk.image(name).iter().rposition(|byte| *byte != 0).map_or(length, |end| end as u64 + 1);
    let at = dice.below(written);
    let kind = match dice.below(11) {
        0..=3 => {
            disk.flip_bit(name, at, u8::try_from(dice.below(8)).unwrap());
            "bit"
        }
        4 => {
            disk.zero(name, at / 512 * 512..length.min(at / 512 * 512 + 512));
            "sector"
        }
        5 => {
            disk.zero(name, at / 4096 * 4096..length.min(at / 4096 * 4096 + 4096));
            "page"
        }
        6 => {
            disk.zero(name, 0..length.min(4096));
            "header"
        }
        7 => {
            disk.delete(name);
            "file"
        }
        8 => {
            disk.truncate(name, at);
            "cut"
        }
        9 => {
            let from = &names[usize::try_from(dice.below(names.len() as u64)).unwrap()];
            let (image, sector) = (disk.image(from), at / 512 * 512);
            let bytes = STRAYED_BYTES.min(length.saturating_sub(sector)).min(image.len() as u64);
            let start = dice.below(image.len() as u64 - bytes + 1) / 8 * 8;
            disk.copy_within(from, start..start + bytes, name, sector);
            if from == name { "misdirected write" } else { STRAYED }
        }
        _ => {
            disk.inject(Fault::FailRead { file: name.clone(), range: at..at + 1 });
            "unreadable"
        }
    };
    format!("{kind} of {name} at {at}")
}

#[test]
fn random_damage_to_a_random_store_costs_what_it_hits_and_nothing_else() {
    let (mut made, mut refused, mut missing, mut salvaged, mut in_streams) = (0, 0, 0, 0, 0);
    for seed in 0..stores() {
        let mut dice = Dice(seed);
        let requests = 1 + dice.below(150);
        let whole = filled_store(seed, requests);
        let before = events(&whole);
        for _ in 0..6 {
            let disk = whole.fork();
            let done: Vec<String> =
                (0..=dice.below(4)).filter(|_| !segments(&disk).is_empty()).map(|_| damage(&disk, &mut dice)).collect();
            let what = format!("store {seed}: {}", done.join(", "));
            match repaired(&disk, &before, &what) {
                Ok(repaired) => {
                    made += u64::from(repaired.report.made.is_some());
                    missing += repaired.report.missing;
                    salvaged += repaired.report.salvaged;
                    in_streams += repaired.report.in_streams;
                    if repaired.report.made.is_none() && done.iter().all(|done| !done.contains("unreadable")) {
                        assert!(
                            !open(&disk).recovery().is_degraded,
                            "{what}: it takes no appends, and no repair was made"
                        );
                    }
                }
                // Files of two times, as far as anybody can tell.
                Err(RepairError::Open(error)) => {
                    assert_eq!(Some(error.to_string()), refusal(&disk).map(|error| error.to_string()), "{what}");
                    refused += 1;
                }
                Err(error) => panic!("{what}: {error}"),
            }
        }
    }
    println!(
        "{made} repairs, {refused} refused: {salvaged} events salvaged, {missing} stand-ins, {in_streams} of them in streams"
    );
    assert!(made > 100 && missing > 1000 && in_streams > 100 && salvaged > 10 * refused, "{made} {missing}");
}

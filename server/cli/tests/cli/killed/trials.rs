//! What is done to the server, and what must be true after.

use super::crew;
use super::dice::Dice;
use super::memory_limit::MemoryLimit;
use super::trial::Trial;
use crate::support::eventually;
use gesta::Durability;
use rustix::process::Signal;
use std::path::Path;
use std::time::Duration;

#[test]
fn what_was_acknowledged_outlives_every_kill_of_the_server_and_is_there_once() {
    if crew::is_played() {
        return;
    }
    let kills: u64 = std::env::var("GESTA_KILLS").map_or(10, |kills| kills.parse().unwrap());
    // Many kills are given more time each, so that more has been written by the time.
    let pause_ms: u64 = if kills > 10 { 300 } else { 100 };
    let test = "killed::trials::what_was_acknowledged_outlives_every_kill_of_the_server_and_is_there_once";
    let trial = Trial::of(test);
    let summary = trial.run(|served| {
        let mut dice = Dice::new(kills);
        for _ in 0..kills {
            // One in eight is killed while it recovers from the kill before.
            if dice.one_in(8) {
                pause(dice.roll(40));
            } else {
                served.wait_until_ready();
                pause(pause_ms + dice.roll(2 * pause_ms));
            }
            served.kill_and_start();
        }
        served.wait_until_ready();
    });
    println!("{summary}; {kills} restarts");
    // Too tame a race would prove nothing.
    let each = usize::try_from(kills).unwrap();
    assert!(summary.acknowledged > 10 * each && summary.conflicts > 10 * each && summary.reads > each, "{summary}");
    assert!(summary.unknown > each / 2 && summary.refused == 0, "{summary}");
}

#[test]
fn a_server_that_is_told_to_end_under_load_keeps_all_it_acknowledged() {
    if crew::is_played() {
        return;
    }
    let test = "killed::trials::a_server_that_is_told_to_end_under_load_keeps_all_it_acknowledged";
    let trial = Trial { kept: Durability::Buffered, ..Trial::of(test) };
    let mut longest = Duration::ZERO;
    let summary = trial.run(|served| {
        let mut dice = Dice::new(1);
        for _ in 0..4 {
            pause(200 + dice.roll(300));
            longest = longest.max(served.end_and_start());
        }
        pause(200);
    });
    println!("{summary}; 4 restarts, each ended in {} ms at most", longest.as_millis());
    // Ten times `limits.stop_timeout_ms`: this machine may have other things to do.
    assert!(longest < Duration::from_secs(50), "{} ms", longest.as_millis());
    assert!(summary.acknowledged > 200 && summary.conflicts > 100 && summary.refused == 0, "{summary}");
}

#[test]
fn a_server_that_is_held_up_for_seconds_answers_right_and_makes_nothing_twice() {
    if crew::is_played() {
        return;
    }
    let test = "killed::trials::a_server_that_is_held_up_for_seconds_answers_right_and_makes_nothing_twice";
    // Clients take it for gone, and make their requests again over new connections, while it is held up.
    let settings = &["limits.idle_timeout_ms=800", "limits.heartbeat_ms=200"];
    let longest_ms: u64 = std::env::var("GESTA_HOLD_UP_MS").map_or(3000, |longest| longest.parse().unwrap());
    let trial = Trial { settings, kept: Durability::Buffered, ..Trial::of(test) };
    let summary = trial.run(|served| {
        for milliseconds in [longest_ms, 1500, 1500] {
            pause(400);
            served.signal(Signal::STOP);
            pause(milliseconds);
            served.signal(Signal::CONT);
        }
        pause(400);
    });
    println!("{summary}; held up 3 times, for {longest_ms} ms at most");
    assert!(summary.acknowledged > 200 && summary.unknown > 8 && summary.refused == 0, "{summary}");
}

#[test]
fn a_server_with_sixty_four_mebibytes_of_memory_is_not_killed_by_a_load_of_several_times_as_much() {
    if crew::is_played() {
        return;
    }
    let test =
        "killed::trials::a_server_with_sixty_four_mebibytes_of_memory_is_not_killed_by_a_load_of_several_times_as_much";
    let Some(memory) = MemoryLimit::of(64 << 20) else { return };
    let trial = Trial { memory: Some(memory), event_bytes: 60_000, ..Trial::of(test) };
    let summary = trial.run(|served| {
        let has_grown = eventually(|| bytes_of(&served.place().store().join("default")) > 300 << 20);
        assert!(has_grown, "too little was written in that time");
    });
    let memory = trial.memory.unwrap();
    println!("{summary}; at most {} bytes of memory", memory.bytes_at_most().unwrap_or_default());
    assert_eq!(memory.kill_count(), 0, "{summary}");
}

#[test]
fn what_was_acknowledged_outlives_a_kill_for_want_of_memory() {
    if crew::is_played() {
        return;
    }
    let test = "killed::trials::what_was_acknowledged_outlives_a_kill_for_want_of_memory";
    // Room for a server, and not for what its clients send at a time.
    let Some(memory) = MemoryLimit::of(12 << 20) else { return };
    let trial = Trial { memory: Some(memory), event_bytes: 400_000, ..Trial::of(test) };
    let summary = trial.run(|served| {
        served.wait_for_kill_and_start();
        pause(1000);
    });
    let kills = trial.memory.unwrap().kill_count();
    println!("{summary}; {kills} killed");
    assert!(kills > 0 && summary.acknowledged > 0 && summary.unknown > 0 && summary.refused == 0, "{summary}");
}

/// The bytes of the files of a directory.
fn bytes_of(directory: &Path) -> u64 {
    let entries = std::fs::read_dir(directory).unwrap();
    // One may be removed while it is looked at.
    entries.filter_map(|entry| Some(entry.unwrap().metadata().ok()?.len())).sum()
}

fn pause(milliseconds: u64) {
    std::thread::sleep(Duration::from_millis(milliseconds));
}

//! Whom a commit waits for, and for how long.

use super::*;

const SYNC: Duration = Duration::from_micros(120);

/// A crowd of so many who come back quickly.
fn crowd(size: usize) -> Crowd {
    Crowd { answered: size, staged: 0, sync: SYNC, ended: Instant::now(), is_quick: true }
}

/// How many microseconds a commit waits that begins with one, when one more comes after each of these.
fn wait_of(gathering: &mut Gathering, crowd: &Crowd, arrivals: &[u64]) -> u64 {
    (gathering.begun, gathering.grown) = (crowd.ended, crowd.ended);
    let is_over = |after: &u64| {
        let count = 1 + arrivals.iter().filter(|arrival| *arrival <= after).count();
        !gathering.goes_on(crowd, count, crowd.ended + Duration::from_micros(*after))
    };
    (0..1_000).find(is_over).expect("a wait ends")
}

fn waits(crowd: &Crowd, arrivals: &[u64]) -> u64 {
    wait_of(&mut Gathering::begin(), crowd, arrivals)
}

/// The crowd after a commit that waits for `before` while these come, and whose sync others come during.
fn next(before: Crowd, arrivals: &[u64], staged: usize) -> Crowd {
    let mut gathering = Gathering::begin();
    let waited = wait_of(&mut gathering, &before, arrivals);
    let joined = 1 + arrivals.iter().filter(|arrival| **arrival <= waited).count();
    Crowd::after(Some(before), &gathering, (joined, staged), SYNC)
}

#[test]
fn who_is_alone_is_not_kept_waiting() {
    assert_eq!(waits(&crowd(0), &[]), 0);
    assert_eq!(waits(&crowd(1), &[]), 0);
}

#[test]
fn a_commit_begins_as_soon_as_all_have_come() {
    assert_eq!(waits(&crowd(4), &[5, 9, 20]), 20);
}

#[test]
fn a_commit_waits_no_longer_for_one_more_than_its_share_of_a_sync() {
    assert_eq!(waits(&crowd(4), &[]), 120 / 2);
    assert_eq!(waits(&crowd(4), &[5]), 5 + 120 / 3);
    assert_eq!(waits(&crowd(64), &[1, 2, 3, 4, 5, 6, 7, 8, 9]), 9 + 120 / 11 + 1);
}

#[test]
fn however_many_come_the_wait_ends_before_half_a_sync_has_passed() {
    let arrivals: Vec<u64> = (1..100).collect();
    assert_eq!(waits(&crowd(1_000), &arrivals), 60);
}

#[test]
fn nobody_is_expected_who_was_answered_long_ago() {
    let crowd = crowd(64);
    let late = crowd.ended + SYNC;
    assert!(!Gathering { begun: late, count: 0, grown: late, is_complete: false }.goes_on(&crowd, 1, late));
}

#[test]
fn two_that_took_turns_come_to_share_their_syncs() {
    let begin = |answered, staged, before| Crowd::after(before, &Gathering::begin(), (answered, staged), SYNC);
    let alone = begin(1, 1, None);
    assert_eq!(waits(&alone, &[8]), 0, "nobody is known to come back quickly yet");
    let turns = begin(1, 1, Some(alone));
    assert_eq!(waits(&turns, &[8]), 8);
    let together = next(turns, &[8], 0);
    assert_eq!(waits(&together, &[8]), 8, "who shared a sync is waited for again");
}

#[test]
fn who_takes_longer_than_a_sync_to_come_back_is_not_waited_for() {
    let missed = next(crowd(64), &[1, 2, 3], 20);
    assert_eq!(waits(&missed, &[1, 2, 3]), 0);
    let slow = Crowd::after(Some(missed), &Gathering::begin(), (20, 3), SYNC);
    assert_eq!(waits(&slow, &[1, 2, 3]), 0);
    let quick = Crowd::after(Some(slow), &Gathering::begin(), (3, 20), SYNC);
    assert_eq!(waits(&quick, &[1, 2, 3]), 3 + 120 / 5, "all who were answered came back within the sync");
}

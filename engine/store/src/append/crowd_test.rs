//! Whom a commit waits for, and for how long.

use super::*;

const SYNC: Duration = Duration::from_micros(120);

fn crowd(size: usize) -> Crowd {
    Crowd { size, sync: SYNC, ended: Instant::now() }
}

/// How many microseconds a commit waits that begins with one, when one more comes after each of these.
fn waits(crowd: &Crowd, arrivals: &[u64]) -> u64 {
    let mut gathering = Gathering { begun: crowd.ended, count: 0, grown: crowd.ended };
    let is_over = |after: &u64| {
        let count = 1 + arrivals.iter().filter(|arrival| *arrival <= after).count();
        !gathering.goes_on(crowd, count, crowd.ended + Duration::from_micros(*after))
    };
    (0..1_000).find(is_over).expect("a wait ends")
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
    assert!(!Gathering { begun: late, count: 0, grown: late }.goes_on(&crowd, 1, late));
}

//! Bugs that only some schedules show are found.

use crate::explore::explore;
use crate::{commits, conditions, hand_over};
use gesta::sabotage::{self, Bug};

/// Explores a test with the bug in the engine; returns what a schedule failed with.
fn caught(bug: Bug, test: fn()) -> String {
    sabotage::caught(bug, || explore(test))
}

#[test]
fn sabotage_not_searching_again_under_the_lock_is_caught() {
    let failure = caught(Bug::NoRecheck, conditions::a_seat_that_several_want);
    assert!(failure.contains("more than one was taken"), "{failure}");
    caught(Bug::NoRecheck, conditions::a_request_that_is_made_by_several);
}

#[test]
fn sabotage_sleeping_without_another_look_is_caught() {
    let failure = caught(Bug::LoseWakeUp, hand_over::a_subscriber_that_sleeps);
    assert!(failure.contains("deadlock"), "{failure}");
}

#[test]
fn sabotage_acknowledging_before_the_sync_is_caught() {
    caught(Bug::AcknowledgeBeforeSync, commits::a_power_cut_under_appenders);
}

#[test]
fn sabotage_showing_events_before_they_are_durable_is_caught() {
    let failure = caught(Bug::PublishBeforeSync, commits::a_power_cut_under_appenders);
    assert!(failure.contains("were shown"), "{failure}");
}

//! Each bug that is put in on purpose is caught by the test that is meant to catch it.

use crate::model::run::sequences_of_a_sabotaged_store;
use crate::{block_order, child, damage, index_input, misplaced, power, queries, slow, sweep};
use gesta::sabotage::{self, Bug};
use std::panic::catch_unwind;

/// Runs a test without the bug and with it in the engine; returns what it failed with then.
fn caught(bug: Bug, test: fn()) -> String {
    test();
    sabotage::caught(bug, test)
}

/// Makes a trial with a sabotaged writer, in a process of its own; it must lose what was acknowledged, where the machine permits it.
fn catch_in_child(trial: impl FnOnce() -> bool + std::panic::UnwindSafe) {
    if let Some(directory) = child::directory() {
        return power::append_until_killed(&directory);
    }
    match catch_unwind(trial) {
        Ok(is_permitted) => assert!(!is_permitted, "nothing was lost"),
        Err(failure) => {
            let failure = failure.downcast_ref::<String>().cloned().unwrap_or_default();
            assert!(failure.contains("lost: "), "{failure}");
        }
    }
}

#[test]
fn acknowledging_before_the_sync_is_caught_by_real_power_cuts() {
    let name = "sabotage::acknowledging_before_the_sync_is_caught_by_real_power_cuts";
    catch_in_child(|| power::survive_power_cuts(power::EXT4, name, true));
}

#[test]
fn acknowledging_before_the_sync_is_caught_block_by_block() {
    let name = "sabotage::acknowledging_before_the_sync_is_caught_block_by_block";
    catch_in_child(|| block_order::survive_any_order(name, true));
}

#[test]
fn acknowledging_before_the_sync_is_caught() {
    let failure = sabotage::caught(Bug::AcknowledgeBeforeSync, sequences_of_a_sabotaged_store);
    // Either events are missing, or what is left of them proves that some are.
    assert!(failure.contains("lost") || failure.contains("is_degraded: true"), "{failure}");
}

#[test]
fn forgetting_the_requests_of_an_earlier_life_is_caught() {
    sabotage::caught(Bug::ForgetRequestIds, sequences_of_a_sabotaged_store);
}

#[test]
fn not_asking_the_checksum_of_a_body_is_caught() {
    caught(Bug::NoBodyCheck, damage::no_flipped_bit_yields_a_wrong_event_or_costs_more_than_a_batch);
}

#[test]
fn believing_a_damaged_index_file_is_caught() {
    caught(Bug::NoIndexCheck, index_input::a_flipped_bit_anywhere_in_an_index_file_changes_no_answer);
}

#[test]
fn leaving_out_the_first_of_a_list_is_caught() {
    caught(Bug::ListOffByOne, queries::any_query_answers_as_a_full_scan);
}

#[test]
fn not_asking_a_seal_is_caught() {
    caught(Bug::NoSealCheck, misplaced::a_segment_of_a_twin_of_the_store_is_refused);
}

#[test]
fn cutting_corruption_is_caught() {
    let failure = caught(Bug::CutCorruption, damage::no_flipped_bit_yields_a_wrong_event_or_costs_more_than_a_batch);
    assert!(failure.contains("more than one batch"), "{failure}");
}

#[test]
fn cutting_acknowledged_events_is_caught() {
    caught(Bug::CutCorruption, damage::damage_in_the_last_acknowledged_group_is_corruption_once_a_mark_followed);
}

#[test]
fn believing_the_second_answer_of_a_failed_sync_is_caught() {
    let failure = caught(Bug::RetryFailedSync, sweep::a_failed_sync_is_never_taken_for_one_that_worked_later);
    assert!(failure.contains("FailSync"), "{failure}");
}

#[test]
fn not_syncing_the_directory_is_caught() {
    let test = sweep::power_that_fails_at_any_call_leaves_no_hole_and_no_missing_segment;
    caught(Bug::NoDirectorySync, test);
}

#[test]
fn showing_events_before_they_are_durable_is_caught() {
    let failure = caught(Bug::PublishBeforeSync, slow::no_reader_sees_an_event_before_its_sync_has_returned);
    assert!(failure.contains("the head while the sync was under way"), "{failure}");
}

#[test]
fn not_asking_the_chain_is_caught() {
    caught(Bug::NoChainCheck, misplaced::a_batch_of_a_twin_of_the_store_breaks_the_chain);
}

#[test]
fn taking_batches_of_a_lost_life_is_caught() {
    let test = misplaced::a_write_that_a_power_cut_took_and_a_stale_sector_brings_back_is_noticed;
    let failure = caught(Bug::TakeVoidBatches, test);
    assert!(failure.contains("a wrong event"), "{failure}");
}

#[test]
fn forgetting_the_end_at_a_close_is_caught() {
    for test in [
        misplaced::a_lost_write_of_four_kilobytes_anywhere_is_noticed,
        misplaced::an_old_copy_of_any_segment_is_noticed,
    ] {
        let failure = caught(Bug::ForgetEnd, test);
        assert!(failure.contains("silently shorter"), "{failure}");
    }
}

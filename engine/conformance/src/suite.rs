//! One `#[test]` for each case.

/// Makes a `#[test]` of every case, named after it, in a module for each group. The expression makes a
/// [`Harness`](crate::Harness); it is asked once a test.
#[macro_export]
macro_rules! conformance {
    ($harness:expr) => {
        $crate::conformance_tests! { $harness => appending {
            a_receipt_says_where_the_events_stand,
            events_of_several_streams_keep_the_order_of_their_request,
            an_event_without_a_stream_has_a_position_only,
            a_request_without_events_leaves_nothing,
            each_durability_is_reached_or_a_better_one,
            a_durable_answer_makes_what_came_before_durable,
            what_is_written_is_shown_to_those_who_ask_for_it,
            submitted_requests_stand_in_their_order,
            a_dropped_ticket_undoes_nothing,
            everything_is_there_after_a_reopening,
            an_incarnation_grows_with_each_life_and_what_lives_is_not_lost,
            a_store_keeps_its_name_for_all_its_lives,
            callers_on_many_threads_share_one_order_without_gaps,
            events_without_ids_get_different_ones,
            a_request_of_thousands_of_events_is_taken_whole,
        }}
        $crate::conformance_tests! { $harness => revisions {
            every_expected_revision_is_judged_exactly,
            expectations_follow_a_stream_as_it_grows,
            a_check_may_be_of_a_stream_that_is_not_written,
            checks_are_judged_before_the_requests_own_events,
            all_failed_checks_are_told_in_the_order_asked,
            a_thousand_checks_are_judged_together,
            a_conflict_names_the_head_it_was_judged_against,
            one_of_many_is_the_first_in_a_stream,
        }}
        $crate::conformance_tests! { $harness => conditions {
            a_condition_counts_from_its_position_on,
            every_term_of_a_query_is_judged,
            a_condition_does_not_see_the_requests_own_events,
            conditions_and_revisions_are_told_in_the_order_asked,
            a_condition_sees_what_is_not_synced_yet,
            conditions_hold_after_a_reopening,
            a_wide_condition_is_judged,
            the_head_of_a_read_is_where_its_condition_begins,
            of_many_who_decide_on_what_they_read_none_oversells,
        }}
        $crate::conformance_tests! { $harness => missed {
            missed_events_are_the_events_themselves,
            missed_events_are_as_many_as_were_asked_for,
            an_expected_revision_misses_what_stands_beyond_it,
            what_several_checks_missed_comes_once_and_in_order,
        }}
        $crate::conformance_tests! { $harness => retries {
            a_request_id_gets_the_first_receipt,
            a_request_id_is_known_after_a_reopening,
            a_receipt_is_found_by_its_request_id,
            a_receipt_is_of_events_that_are_there,
            checks_are_not_judged_again,
            a_request_id_of_other_events_is_refused,
            a_request_made_anew_is_the_same_whatever_its_ids_and_times,
            an_earlier_try_is_looked_for_from_since_on,
            a_request_joins_its_first_try_on_the_way,
            many_threads_with_one_request_get_one_receipt,
            request_ids_tell_requests_apart_and_pure_checks_have_no_memory,
            the_same_event_ids_at_the_expected_revision_are_the_same_append,
            other_event_ids_are_a_conflict_and_some_the_same_a_partial_match,
            event_ids_alone_make_no_repeat,
            the_same_event_ids_are_the_same_append_under_another_request_id,
            a_retry_asks_for_a_durability_of_its_own,
        }}
        $crate::conformance_tests! { $harness => bounds {
            data_is_taken_up_to_its_limit,
            metadata_is_taken_up_to_its_limit,
            tags_are_taken_up_to_their_limit,
            events_are_taken_up_to_their_limit,
            bytes_are_taken_up_to_their_limit_in_a_request,
            checks_and_their_terms_are_taken_up_to_their_limits,
            an_id_of_zeros_is_no_id,
            a_refusal_among_submitted_requests_touches_no_other,
        }}
        $crate::conformance_tests! { $harness => contents {
            any_bytes_come_back_as_they_were,
            what_is_called_json_comes_back_so,
            times_come_back_as_they_were,
            ids_come_back_and_may_stand_twice,
            tags_come_back_in_their_order,
            an_event_comes_back_whole_by_every_way_of_reading,
        }}
        $crate::conformance_tests! { $harness => naming {
            a_stream_may_have_any_name,
            a_type_may_have_any_name,
            a_tag_may_say_anything_that_can_be_seen,
            a_category_is_what_stands_before_the_first_hyphen,
            names_of_different_kinds_never_meet,
        }}
        $crate::conformance_tests! { $harness => reading {
            an_empty_store_is_read_in_every_way,
            everything_a_stream_and_a_query_are_read_both_ways,
            a_read_begins_at_a_position,
            a_read_of_a_stream_begins_at_a_revision,
            a_read_ends_at_its_limit,
            a_read_begins_at_a_moment,
            every_term_of_a_query_finds_its_events,
            a_query_of_a_thousand_items_finds_what_any_of_them_means,
            a_long_log_is_read_to_its_end,
            large_events_are_read_one_after_another,
            the_last_revision_of_a_stream_is_told,
        }}
        $crate::conformance_tests! { $harness => cursors {
            a_cursor_ends_at_the_head_as_of_its_read,
            a_head_is_of_what_the_read_may_see,
            recorded_times_never_go_back,
            the_cost_of_finding_events_is_told,
            cursors_may_be_left_half_read,
            many_cursors_are_read_in_turns,
            readers_beside_appends_see_ever_longer_prefixes,
        }}
        $crate::conformance_tests! { $harness => listing {
            names_of_every_kind_are_listed_with_their_counts,
            names_are_listed_by_their_beginnings,
            a_listing_of_thousands_of_names_is_whole,
            a_store_without_ids_says_so,
            events_are_found_by_their_ids,
        }}
        $crate::conformance_tests! { $harness => subscribing {
            what_is_there_comes_first_and_then_what_is_appended,
            a_subscription_without_events_has_caught_up_at_once,
            a_subscription_begins_where_it_is_asked_to,
            a_subscription_goes_forward,
            a_subscription_ends_at_its_limit,
            whoever_resumes_at_a_position_gets_exactly_the_rest,
            a_checkpoint_holds_in_the_next_life,
            a_subscription_to_unsynced_events_is_refused,
            only_what_is_durable_is_handed_out,
            a_subscription_tells_when_an_event_was_taken,
            subscriptions_of_many_threads_get_every_match,
            a_long_log_is_caught_up_with,
            subscriptions_may_be_left_at_any_moment,
        }}
        $crate::conformance_tests! { $harness => snapshots {
            a_snapshot_comes_with_the_events_after_it,
            a_snapshot_may_hold_no_events_and_no_bytes,
            snapshots_of_another_key_or_schema_are_not_loaded,
            the_newest_snapshot_counts_whatever_the_order_of_saving,
            a_snapshot_ahead_of_the_head_is_refused,
            snapshots_are_taken_up_to_their_limit_and_come_back_as_they_were,
            snapshots_are_listed_by_their_beginnings,
            each_of_many_snapshots_is_found,
            snapshots_are_dropped_by_their_beginnings,
            snapshots_are_there_after_a_reopening,
            a_state_and_the_events_after_it_are_the_whole_stream,
        }}
        $crate::conformance_tests! { $harness => projections {
            what_was_told_is_listed_by_its_beginnings,
            the_last_telling_counts,
            what_has_come_so_far_is_not_waited_for,
            a_wait_ends_when_it_is_told,
            a_wait_in_vain_says_how_far_it_has_come,
            a_projection_that_nobody_told_of_is_unknown,
            a_projection_that_has_failed_is_not_waited_for,
            the_version_that_serves_is_waited_for,
            a_replay_is_handed_out_once,
            a_replay_waits_for_whoever_folds,
            who_stands_by_hides_nothing,
            a_projection_may_have_any_name,
            a_long_error_is_kept_in_part,
        }}
        $crate::conformance_tests! { $harness => pacing {
            progress_is_told_when_nothing_matches_and_when_nothing_happens,
            a_wait_ends_at_its_timeout_and_the_position_moves_on,
            who_falls_behind_is_told_so_and_told_when_caught_up_again,
            nobody_falls_behind_by_what_does_not_match,
            positions_never_go_back_and_never_pass_the_head,
        }}
    };
}

/// The tests of one group of cases, for [`conformance!`].
#[doc(hidden)]
#[macro_export]
macro_rules! conformance_tests {
    ($harness:expr => $group:ident { $($case:ident,)* }) => {
        mod $group {
            use super::*;

            $(
                #[test]
                fn $case() {
                    $crate::cases::$group::$case(&$harness);
                }
            )*
        }
    };
}

#[cfg(test)]
mod tests {
    /// Each group and the file that it is in.
    const FILES: [(&str, &str); 15] = [
        ("appending", include_str!("cases/appending.rs")),
        ("revisions", include_str!("cases/revisions.rs")),
        ("conditions", include_str!("cases/conditions.rs")),
        ("missed", include_str!("cases/missed.rs")),
        ("retries", include_str!("cases/retries.rs")),
        ("bounds", include_str!("cases/bounds.rs")),
        ("contents", include_str!("cases/contents.rs")),
        ("naming", include_str!("cases/naming.rs")),
        ("reading", include_str!("cases/reading.rs")),
        ("cursors", include_str!("cases/cursors.rs")),
        ("listing", include_str!("cases/listing.rs")),
        ("subscribing", include_str!("cases/subscribing.rs")),
        ("snapshots", include_str!("cases/snapshots.rs")),
        ("projections", include_str!("cases/projections.rs")),
        ("pacing", include_str!("cases/pacing.rs")),
    ];

    #[test]
    fn every_case_is_in_the_suite() {
        let suite = include_str!("suite.rs");
        let mut listed = suite.split_once("macro_rules! conformance_tests").unwrap().0;
        for (group, file) in FILES {
            let (_, rest) = listed.split_once(&format!("$harness => {group} {{")).unwrap();
            let (names, rest) = rest.split_once("}}").unwrap();
            let names: Vec<&str> = names.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
            let cases = file.lines().filter_map(|line| line.strip_prefix("pub fn ")?.split_once('<'));
            assert_eq!(names, cases.map(|(name, _)| name).collect::<Vec<_>>(), "{group}");
            listed = rest;
        }
        assert!(!listed.contains("conformance_tests!"), "a group is listed that has no file here: {listed}");
    }
}

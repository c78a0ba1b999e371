#pragma once
/* The table of all cases; CASE(function) is the including program's. */
#include "conformance.h"
#include "conformance_fence.h"
#include "conformance_lookup.h"
#include "conformance_rows.h"

#define CONFORMANCE_CASES(CASE)                                                                    \
    CASE(test_types_round_trip)                                                                    \
    CASE(test_special_numbers)                                                                     \
    CASE(test_bad_values_are_refused)                                                              \
    CASE(test_upsert_keeps_once_and_adds)                                                          \
    CASE(test_sum_out_of_range)                                                                    \
    CASE(test_duplicates_in_one_commit)                                                            \
    CASE(test_ignore_keeps_the_row)                                                                \
    CASE(test_plain_duplicate_fails_all)                                                           \
    CASE(test_removals)                                                                            \
    CASE(test_updates_never_insert)                                                                \
    CASE(test_updates_of_every_type)                                                               \
    CASE(test_updates_folded_in_one_commit)                                                        \
    CASE(test_many_rows)                                                                           \
    CASE(test_lookups)                                                                             \
    CASE(test_lookup_by_other_columns)                                                             \
    CASE(test_lookups_on_every_connection)                                                         \
    CASE(test_obtain_keeps_the_first)                                                              \
    CASE(test_results_over_the_arena)                                                              \
    CASE(test_own_first_and_again)                                                                 \
    CASE(test_own_returns_outboxes_from_done)                                                      \
    CASE(test_fence_refuses)                                                                       \
    CASE(test_old_owner_is_refused_whole)                                                          \
    CASE(test_failing_row_leaves_nothing)                                                          \
    CASE(test_pipelined_commits_depend_on_each_other)                                              \
    CASE(test_loads_after_commits_see_them)                                                        \
    CASE(test_reset_makes_outcomes_unknown)

/* How large batches become. */
#include "test.h"

#include "internal.h"

static struct stream stream;

static struct batch gathered(unsigned decided)
{
    struct batch batch = {.decided = decided};
    pace_gathered(&stream, &batch, false);
    return batch;
}

static int setup(void **state)
{
    stream = (struct stream){.options.batch_limit = 2000, .now_us = SECOND_US};
    pace_init(&stream);
    return 0;
}

static void slow_bulk_batch_leaves_prompt_ones_as_they_are(void **state)
{
    unsigned first = pace_limit(&stream, BUS_LANE_EVENTS);
    struct batch bulk = gathered(first);
    pace_command(&stream); /* while it commits */
    pace_settled(&stream, &bulk, 30000);
    assert_int_equal(pace_limit(&stream, BUS_LANE_EVENTS), first);
    struct batch prompt = gathered(first);
    pace_settled(&stream, &prompt, 30000);
    assert_true(pace_limit(&stream, BUS_LANE_EVENTS) < first);
}

static void each_pace_finds_its_own_size(void **state)
{
    unsigned first = pace_limit(&stream, BUS_LANE_EVENTS);
    for (int i = 0; i < 50; i++) {
        struct batch batch = gathered(pace_limit(&stream, BUS_LANE_EVENTS));
        pace_settled(&stream, &batch, 20000);
    }
    assert_int_equal(pace_limit(&stream, BUS_LANE_EVENTS), 2000);
    pace_command(&stream);
    assert_int_equal(pace_limit(&stream, BUS_LANE_EVENTS), first);
    assert_in_range(pace_limit(&stream, BUS_LANE_IMPORTS), 1, first / 2);
    stream.now_us += 2 * SECOND_US;
    assert_int_equal(pace_limit(&stream, BUS_LANE_EVENTS), 2000);
}

/* Whatever the pace: one of the smaller batches will hold what is to blame alone. */
static void refused_batch_makes_all_smaller(void **state)
{
    unsigned first = pace_limit(&stream, BUS_LANE_EVENTS);
    pace_blamed(&stream);
    assert_int_equal(pace_limit(&stream, BUS_LANE_EVENTS), first / 4);
    pace_command(&stream);
    assert_int_equal(pace_limit(&stream, BUS_LANE_EVENTS), first / 4);
    for (int i = 0; i < 10; i++)
        pace_blamed(&stream);
    assert_int_equal(pace_limit(&stream, BUS_LANE_EVENTS), 1);
    stream.now_us += 2 * SECOND_US;
    assert_int_equal(pace_limit(&stream, BUS_LANE_EVENTS), 1);
}

/* Slow ones shrink to what a commit is worth, and no further. */
static void slow_batches_stay_worth_their_commit(void **state)
{
    for (int i = 0; i < 50; i++) {
        struct batch batch = gathered(pace_limit(&stream, BUS_LANE_EVENTS));
        pace_settled(&stream, &batch, SECOND_US);
    }
    assert_in_range(pace_limit(&stream, BUS_LANE_EVENTS), 100, 150);
}

/* Or one refused message would slow down all that follow, on a disk that takes longer than the target. */
static void batches_grow_again_after_a_refusal(void **state)
{
    for (int i = 0; i < 10; i++)
        pace_blamed(&stream);
    pace_command(&stream);
    assert_int_equal(pace_limit(&stream, BUS_LANE_EVENTS), 1);
    for (int i = 0; i < 50; i++) {
        struct batch batch = gathered(pace_limit(&stream, BUS_LANE_EVENTS));
        pace_settled(&stream, &batch, 20000);
    }
    assert_in_range(pace_limit(&stream, BUS_LANE_EVENTS), 100, 200);
}

static void second_commit_goes_beside_a_full_batch(void **state)
{
    struct batch batch = {0};
    pace_gathered(&stream, &batch, false);
    assert_int_equal(pace_commits(&stream), 1);
    pace_gathered(&stream, &batch, true);
    assert_int_equal(pace_commits(&stream), COMMITS_IN_FLIGHT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(slow_bulk_batch_leaves_prompt_ones_as_they_are, setup),
        cmocka_unit_test_setup(each_pace_finds_its_own_size, setup),
        cmocka_unit_test_setup(refused_batch_makes_all_smaller, setup),
        cmocka_unit_test_setup(slow_batches_stay_worth_their_commit, setup),
        cmocka_unit_test_setup(batches_grow_again_after_a_refusal, setup),
        cmocka_unit_test_setup(second_commit_goes_beside_a_full_batch, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(slow_bulk_batch_leaves_prompt_ones_as_they_are, setup),
        cmocka_unit_test_setup(each_pace_finds_its_own_size, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

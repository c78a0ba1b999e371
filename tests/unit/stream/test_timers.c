/* Timers of a partition in memory: what is due first comes first. */
#include <stdio.h>

#include "test.h"

#include "internal.h"

enum {
    MANY = 1000
};

static struct stream stream;
static struct part part;
static const struct stream_key nobody = {.id = SLICE_LITERAL("nobody")};

static int setup(void **state)
{
    part.horizon_us = INT64_MAX;
    return 0;
}

static int teardown(void **state)
{
    timers_forget(&part);
    return 0;
}

static struct timer *set(unsigned number, int64_t due_us)
{
    char name[TIME_TEXT_SIZE];
    (void)snprintf(name, sizeof(name), "%u", number);
    return timers_set(&stream, &part, TIMER_PLAIN, &nobody, name, due_us, (struct slice){0});
}

/* Whatever was cancelled or moved before, from wherever it lay. */
static void timers_come_in_the_order_of_their_time(void **state)
{
    struct random random = {.state = 1};
    unsigned left = MANY;
    int64_t last_us = 0;
    struct timer *timers[MANY], *due;
    for (unsigned i = 0; i < MANY; i++)
        assert_non_null(timers[i] = set(i, (int64_t)(random_next(&random) % MANY)));
    for (unsigned i = 0; i < MANY; i += 2) {
        if (i % 3 == 0) {
            assert_ptr_equal(set(i, (int64_t)(random_next(&random) % MANY)), timers[i]);
        } else {
            timers_remove(&part, timers[i]);
            left--;
        }
    }
    for (; (due = timers_take_due(&part, MANY)); left--) {
        assert_true(due->due_us >= last_us);
        last_us = due->due_us;
        timers_remove(&part, due);
    }
    assert_int_equal(left, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(timers_come_in_the_order_of_their_time, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

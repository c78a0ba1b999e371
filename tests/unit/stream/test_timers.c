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

/* Moved earlier or later, its data larger, smaller or other. */
static void timer_set_again_is_what_it_was_set_to_last(void **state)
{
    static const struct {
        int64_t due_us;
        const char *data;
    } cases[] = {{50, "abc"}, {20, "abc"}, {90, "abd"}, {90, "abcdefgh"}, {30, "a"}, {40, ""}};
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        struct timer *t = timers_set(&stream, &part, TIMER_PLAIN, &nobody, "again", cases[i].due_us,
                                     slice_str(cases[i].data));
        assert_non_null(t);
        assert_ptr_equal(timers_find(&part, TIMER_PLAIN, &nobody, "again"), t);
        assert_int_equal(t->due_us, cases[i].due_us);
        assert_true(slice_equal_str(t->data, cases[i].data));
        assert_int_equal(part.n_timers, 1);
        assert_null(timers_take_due(&part, cases[i].due_us - 1));
    }
    assert_non_null(timers_take_due(&part, 40));
}

/* By each part of their identity. */
static void timers_differ(void **state)
{
    const struct stream_key other_id = {.id = SLICE_LITERAL("nobodx")},
                            other_tenant = {.tenant = {1}, .id = nobody.id};
    const struct {
        unsigned kind;
        const struct stream_key *key;
        const char *name;
    } all[] = {{TIMER_PLAIN, &nobody, "a"},   {TIMER_PLAIN, &nobody, "b"},
               {TIMER_PLAIN, &other_id, "a"}, {TIMER_PLAIN, &other_tenant, "a"},
               {TIMER_CALL, &nobody, "a"},    {TIMER_KINDS + TIMER_PLAIN, &nobody, "a"}};
    for (unsigned i = 0; i < ARRAY_SIZE(all); i++)
        assert_non_null(
            timers_set(&stream, &part, all[i].kind, all[i].key, all[i].name, i, (struct slice){0}));
    assert_int_equal(part.n_timers, ARRAY_SIZE(all));
    for (unsigned i = 0; i < ARRAY_SIZE(all); i++) {
        struct timer *t = timers_find(&part, all[i].kind, all[i].key, all[i].name);
        assert_non_null(t);
        assert_int_equal(t->due_us, i);
        timers_remove(&part, t);
        assert_null(timers_find(&part, all[i].kind, all[i].key, all[i].name));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(timers_come_in_the_order_of_their_time, setup, teardown),
        cmocka_unit_test_setup_teardown(timer_set_again_is_what_it_was_set_to_last, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(timers_differ, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

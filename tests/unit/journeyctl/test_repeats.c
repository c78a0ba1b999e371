#include "domain/repeats.h"
#include "test.h"

#include <stdio.h>

static enum repeats_answer take(struct repeats *repeats, int32_t partition, const char *producer,
                                uint64_t number)
{
    return repeats_take(repeats, partition, slice_str(producer), number);
}

static void test_only_the_next(void **state)
{
    struct repeats *repeats = repeats_create(false);
    assert_non_null(repeats);
    assert_int_equal(take(repeats, 0, "a", 5), REPEATS_TAKE); /* the first one seen begins */
    assert_int_equal(take(repeats, 0, "a", 5), REPEATS_REPEAT);
    assert_int_equal(take(repeats, 0, "a", 4), REPEATS_REPEAT);
    assert_int_equal(take(repeats, 0, "a", 6), REPEATS_TAKE);
    assert_int_equal(take(repeats, 0, "a", 8), REPEATS_AHEAD);
    assert_int_equal(repeats_holes(repeats), 1);
    assert_int_equal(take(repeats, 0, "a", 7), REPEATS_TAKE); /* said again from the hole */
    assert_int_equal(take(repeats, 0, "a", 8), REPEATS_TAKE);
    assert_int_equal(repeats_holes(repeats), 0);
    repeats_destroy(&repeats);
    assert_null(repeats);
}

static void test_each_partition_and_producer_by_itself(void **state)
{
    struct repeats *repeats = repeats_create(false);
    assert_non_null(repeats);
    assert_int_equal(take(repeats, 0, "a", 9), REPEATS_TAKE);
    assert_int_equal(take(repeats, 1, "a", 1), REPEATS_TAKE);
    assert_int_equal(take(repeats, 0, "b", 1), REPEATS_TAKE);
    assert_int_equal(take(repeats, 0, "a", 1), REPEATS_REPEAT);
    repeats_destroy(&repeats);
}

static void test_compacted_takes_what_is_newer(void **state)
{
    struct repeats *repeats = repeats_create(true);
    assert_non_null(repeats);
    assert_int_equal(take(repeats, 0, "a", 5), REPEATS_TAKE);
    assert_int_equal(take(repeats, 0, "a", 9), REPEATS_TAKE);
    assert_int_equal(take(repeats, 0, "a", 7), REPEATS_REPEAT);
    assert_int_equal(repeats_holes(repeats), 0);
    repeats_destroy(&repeats);
}

static void test_many_producers_and_the_limit(void **state)
{
    struct repeats *repeats = repeats_create(false);
    char name[32];
    assert_non_null(repeats);
    for (int round = 1; round <= 2; round++)
        for (int i = 0; i < 65536; i++) {
            (void)snprintf(name, sizeof(name), "service.g/%d", i);
            assert_int_equal(take(repeats, i % 16, name, (uint64_t)round), REPEATS_TAKE);
        }
    assert_int_equal(take(repeats, 0, "one more", 1), REPEATS_FULL);
    repeats_destroy(&repeats);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_the_next),
        cmocka_unit_test(test_each_partition_and_producer_by_itself),
        cmocka_unit_test(test_compacted_takes_what_is_newer),
        cmocka_unit_test(test_many_producers_and_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "base.h"
#include "test.h"

static int setup(void **state)
{
    *state = arena_create(1000);
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    struct arena *arena = *state;
    arena_destroy(&arena);
    return arena == NULL ? 0 : -1;
}

static void test_allocations_are_zeroed_and_aligned(void **state)
{
    struct arena *arena = *state;
    for (int round = 0; round < 2; round++) {
        for (size_t size = 0; size < 20; size++) {
            uint8_t *p = arena_alloc(arena, size);
            assert_non_null(p);
            assert_int_equal((uintptr_t)p % 16, 0);
            for (size_t i = 0; i < size; i++)
                assert_int_equal(p[i], 0);
            if (size)
                memset(p, 0xff, size);
        }
        arena_reset(arena);
    }
}

static void test_limit_counts_16_byte_steps(void **state)
{
    struct arena *arena = *state; /* 1000 rounds up to 1008: 63 steps */
    for (int i = 0; i < 63; i++)
        assert_non_null(arena_alloc(arena, 1));
    assert_int_equal(arena_used(arena), 1008);
    assert_false(arena_overflowed(arena));
    assert_null(arena_alloc(arena, 1));
    assert_true(arena_overflowed(arena));
}

static void test_overflow_stays_until_reset(void **state)
{
    struct arena *arena = *state;
    assert_null(arena_alloc(arena, 5000));
    assert_null(arena_alloc(arena, 1));
    assert_null(arena_copy(arena, "x", 1));
    assert_null(arena_printf(arena, "x"));
    assert_null(arena_slice(arena, SLICE_LITERAL("x")).data);
    assert_int_equal(arena_slice(arena, SLICE_LITERAL("x")).size, 0);
    arena_reset(arena);
    assert_false(arena_overflowed(arena));
    assert_int_equal(arena_used(arena), 0);
    assert_non_null(arena_alloc(arena, 1));
}

static void test_sizes_near_the_end_of_the_address_space(void **state)
{
    static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 15, SIZE_MAX - 16,
                                   SIZE_MAX / 2};
    struct arena *arena = *state;
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        arena_reset(arena);
        assert_null(arena_alloc(arena, sizes[i]));
        arena_reset(arena);
        assert_null(arena_copy(arena, NULL, sizes[i]));
        assert_true(arena_overflowed(arena));
    }
}

static void test_unlimited_arena_counts_on(void **state)
{
    struct arena *arena = arena_create(SIZE_MAX);
    assert_null(arena_alloc(arena, SIZE_MAX - 100));
    arena_reset(arena);
    assert_non_null(arena_alloc(arena, 100000));
    arena_destroy(&arena);
}

static void test_copies_end_with_nul(void **state)
{
    struct arena *arena = *state;
    struct slice s = arena_slice(arena, slice_make("abcdef", 3));
    assert_int_equal(s.size, 3);
    assert_string_equal((const char *)s.data, "abc");
    assert_string_equal(arena_str(arena, slice_make("xyz", 2)), "xy");
    assert_string_equal(arena_copy(arena, NULL, 0), "");
    assert_non_null(arena_slice(arena, slice_make(NULL, 0)).data);
}

static void test_printf_short_and_long(void **state)
{
    struct arena *arena = *state;
    assert_string_equal(arena_printf(arena, "%s-%d", "a", 5), "a-5");
    for (int width = 254; width <= 258; width++) {
        arena_reset(arena);
        char *text = arena_printf(arena, "%*d", width, 7);
        assert_int_equal(strlen(text), width);
        assert_int_equal(text[width - 1], '7');
    }
}

/* Allocations of many sizes over several resets do not overlap. */
static void test_chunks_are_used_again(void **state)
{
    struct arena *arena = arena_create((size_t)8 << 20);
    struct random random = {1};
    struct {
        uint8_t *data;
        size_t size;
    } made[300];
    for (int round = 0; round < 5; round++) {
        for (size_t i = 0; i < ARRAY_SIZE(made); i++) {
            made[i].size = 1 + random_next(&random) % (i % 50 == 0 ? 100000 : 500);
            made[i].data = arena_alloc(arena, made[i].size);
            assert_non_null(made[i].data);
            memset(made[i].data, (int)i, made[i].size);
        }
        for (size_t i = 0; i < ARRAY_SIZE(made); i++)
            for (size_t j = 0; j < made[i].size; j++)
                assert_int_equal(made[i].data[j], (uint8_t)i);
        arena_reset(arena);
    }
    arena_destroy(&arena);
}

static void test_what_arenas_hold_is_counted(void **state)
{
    size_t bytes = 0;
    struct arena *one = arena_create_counted(4 << 20, &bytes);
    struct arena *two = arena_create_counted(4 << 20, &bytes);
    assert_int_equal(bytes, 0);
    assert_non_null(arena_alloc(one, 1000000));
    assert_true(bytes >= 1000000 && bytes < 1100000);
    assert_non_null(arena_alloc(two, 1000000));
    assert_true(bytes >= 2000000 && bytes < 2200000);
    arena_reset(one); /* what is kept counts */
    assert_true(bytes >= 1000000 && bytes < 1400000);
    arena_destroy(&one);
    arena_destroy(&two);
    assert_int_equal(bytes, 0);
}

static void test_destroy_takes_null(void **state)
{
    struct arena *arena = NULL;
    arena_destroy(NULL);
    arena_destroy(&arena);
    arena = arena_create(0);
    assert_null(arena_alloc(arena, 1));
    arena_destroy(&arena);
    assert_null(arena);
}

#define ARENA_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(test_allocations_are_zeroed_and_aligned),
        ARENA_TEST(test_limit_counts_16_byte_steps),
        ARENA_TEST(test_overflow_stays_until_reset),
        ARENA_TEST(test_sizes_near_the_end_of_the_address_space),
        ARENA_TEST(test_copies_end_with_nul),
        ARENA_TEST(test_printf_short_and_long),
        cmocka_unit_test(test_unlimited_arena_counts_on),
        cmocka_unit_test(test_chunks_are_used_again),
        cmocka_unit_test(test_what_arenas_hold_is_counted),
        cmocka_unit_test(test_destroy_takes_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

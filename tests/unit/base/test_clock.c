#include "base.h"
#include "test.h"

static void test_system_clock_goes_on(void **state)
{
    struct clock *clock = clock_system();
    int64_t before = clock->now_us(clock), after = clock->now_us(clock);
    assert_true(before > INT64_C(1700000000) * SECOND_US);
    assert_true(after >= before && after - before < MINUTE_US);
}

static void test_entropy_fills_all(void **state)
{
    struct entropy *entropy = entropy_system();
    uint8_t seen[32] = {0};
    for (int round = 0; round < 20; round++) {
        uint8_t data[32] = {0};
        entropy->fill(entropy, data, sizeof(data));
        for (size_t i = 0; i < sizeof(data); i++)
            seen[i] |= data[i];
    }
    for (size_t i = 0; i < sizeof(seen); i++)
        assert_int_not_equal(seen[i], 0);
}

/* The reference values of splitmix64 from seed 1234567: simulations replay across releases. */
static void test_random_is_splitmix64(void **state)
{
    static const uint64_t expected[] = {
        UINT64_C(6457827717110365317),  UINT64_C(3203168211198807973),
        UINT64_C(9817491932198370423),  UINT64_C(4593380528125082431),
        UINT64_C(16408922859458223821),
    };
    struct random random = {1234567};
    for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
        assert_true(random_next(&random) == expected[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_system_clock_goes_on),
        cmocka_unit_test(test_entropy_fills_all),
        cmocka_unit_test(test_random_is_splitmix64),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

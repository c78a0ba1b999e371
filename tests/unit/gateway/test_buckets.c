/* Token buckets: what is left as time passes, debts, who is forgotten, and gateways that share a rate. */
#include "buckets.h"

#include "test.h"

static const struct gw_rate rate = {.per_s = 10, .burst = 20};

static const uint8_t *id_of(uint8_t n)
{
    static uint8_t id[BUCKET_ID];
    id[0] = n;
    return id;
}

static void test_time(void **state)
{
    static const struct {
        const char *name;
        int64_t at_ms;
        int take, left;
    } steps[] = {
        {"a new one is full", 0, 0, 20},
        {"taken", 0, 5, 15},
        {"fills by its rate", 100, 0, 16},
        {"up to its burst", 10000, 0, 20},
        {"more than there is", 10000, 25, -5},
        {"a debt is paid", 10400, 0, -1},
        {"and over", 10600, 0, 1},
        {"time that runs back adds nothing", 5000, 0, -5},
        {"and is not paid twice", 10700, 0, 2},
    };
    struct buckets *buckets = buckets_create(10);
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        int64_t now_us = steps[i].at_ms * 1000;
        double left = steps[i].take ? buckets_take(buckets, id_of(1), &rate, now_us, steps[i].take)
                                    : buckets_left(buckets, id_of(1), &rate, now_us);
        assert_case(steps[i].name, left > steps[i].left - 0.001 && left < steps[i].left + 0.001);
    }
    buckets_destroy(&buckets);
}

static void test_full_table(void **state)
{
    struct buckets *buckets = buckets_create(3);
    for (uint8_t n = 1; n <= 3; n++)
        (void)buckets_take(buckets, id_of(n), &rate, n, 10);
    (void)buckets_take(buckets, id_of(1), &rate, 4, 1);
    assert_int_equal(buckets_forgotten(buckets), 0);
    (void)buckets_take(buckets, id_of(4), &rate, 5, 1); /* 2 was used least recently */
    assert_int_equal(buckets_count(buckets), 3);
    assert_int_equal(buckets_forgotten(buckets), 1);
    assert_true(buckets_left(buckets, id_of(2), &rate, 5) == 20);
    assert_true(buckets_left(buckets, id_of(1), &rate, 5) < 10);
    (void)buckets_take(buckets, id_of(5), &rate, MINUTE_US, 1); /* 3 is full again by then */
    assert_int_equal(buckets_forgotten(buckets), 1);
    struct bucket_spent spent[5];
    assert_int_equal(buckets_collect(buckets, spent, 5), 3); /* not of those that are gone */
    buckets_destroy(&buckets);
}

static void test_collect(void **state)
{
    struct buckets *buckets = buckets_create(10);
    struct bucket_spent spent[10];
    for (uint8_t n = 1; n <= 3; n++)
        (void)buckets_take(buckets, id_of(n), &rate, 0, n);
    (void)buckets_take(buckets, id_of(1), &rate, 0, 4);
    assert_int_equal(buckets_collect(buckets, spent, 2), 2);
    assert_int_equal(spent[0].id[0], 1);
    assert_int_equal(spent[0].n, 5);
    assert_int_equal(spent[1].n, 2);
    (void)buckets_take(buckets, id_of(1), &rate, 0, 1);
    assert_int_equal(buckets_collect(buckets, spent, 10), 2);
    assert_int_equal(spent[0].id[0], 3); /* waited longest */
    assert_int_equal(spent[1].n, 1);
    assert_int_equal(buckets_collect(buckets, spent, 10), 0);
    buckets_destroy(&buckets);
}

#define GATEWAYS 3

/* One client that sends as much as it may to all of them, at one after the other; each second they tell each other. */
static void test_shared(void **state)
{
    struct buckets *gateways[GATEWAYS];
    int64_t total = 0;
    int taken = 0, late = 0;
    for (int g = 0; g < GATEWAYS; g++)
        gateways[g] = buckets_create(10);
    for (int64_t ms = 0; ms < 60000; ms += 10) {
        for (int g = 0; g < GATEWAYS; g++) {
            if (buckets_left(gateways[g], id_of(1), &rate, ms * 1000) < 1)
                continue;
            (void)buckets_take(gateways[g], id_of(1), &rate, ms * 1000, 1);
            taken++;
            late += ms >= 30000;
        }
        for (int g = 0; ms % 1000 == 990 && g < GATEWAYS; g++) {
            struct bucket_spent spent = {.n = 0};
            if (!buckets_collect(gateways[g], &spent, 1))
                continue;
            total += spent.n;
            buckets_reconcile(gateways[g], spent.id, spent.n, total, ms * 1000);
        }
    }
    assert_true(taken <=
                GATEWAYS * 20 + 60 * 10 + GATEWAYS * 30); /* bursts, and what was said late */
    assert_true(late <= 30 * 10 + GATEWAYS * 10);
    assert_true(late >= 30 * 10 / 2);
    for (int g = 0; g < GATEWAYS; g++)
        buckets_destroy(&gateways[g]);
}

static void test_totals(void **state)
{
    struct buckets *buckets = buckets_create(10);
    buckets_reconcile(buckets, id_of(1), 1, 100, 0); /* of nobody */
    (void)buckets_take(buckets, id_of(1), &rate, 0, 1);
    buckets_reconcile(buckets, id_of(1), 1, 500, 0); /* the first only says where it stands */
    assert_true(buckets_left(buckets, id_of(1), &rate, 0) == 19);
    buckets_reconcile(buckets, id_of(1), 2, 507, 0);
    assert_true(buckets_left(buckets, id_of(1), &rate, 0) == 14);
    buckets_reconcile(buckets, id_of(1), 1, 1, 0); /* it expired, or Redis began anew */
    assert_true(buckets_left(buckets, id_of(1), &rate, 0) == 14);
    buckets_reconcile(buckets, id_of(1), 1, 1000, 10 * SECOND_US); /* too long ago */
    assert_true(buckets_left(buckets, id_of(1), &rate, 10 * SECOND_US) == 20);
    buckets_destroy(&buckets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_time),    cmocka_unit_test(test_full_table),
        cmocka_unit_test(test_collect), cmocka_unit_test(test_shared),
        cmocka_unit_test(test_totals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

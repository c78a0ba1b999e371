/* What the cache knows of keys as time passes, and who is pushed out. */
#include "key_cache.h"

#include "test.h"

static const struct gw_key_cache_limits limits = {.known = 3,
                                                  .unknown = 2,
                                                  .known_us = 10 * SECOND_US,
                                                  .unknown_us = 2 * SECOND_US,
                                                  .again_us = SECOND_US,
                                                  .stale_us = MINUTE_US};

static const uint8_t *hash_of(uint8_t n)
{
    static uint8_t hash[32];
    memset(hash, 0, sizeof(hash));
    hash[0] = (uint8_t)(n % 2); /* chains of several */
    hash[31] = n;
    return hash;
}

static enum gw_key_state get(struct gw_key_cache *cache, uint8_t n, int64_t now_us)
{
    struct gw_key key = {0};
    return gw_key_cache_get(cache, hash_of(n), now_us, &key);
}

static void put(struct gw_key_cache *cache, uint8_t n, int64_t now_us, bool known)
{
    struct gw_key key = {.known = known, .kind = GW_KEY_WRITE, .expires_us = TIME_NONE};
    gw_key_cache_put(cache, hash_of(n), now_us, &key);
}

static void test_ages(void **state)
{
    struct gw_key_cache *cache = gw_key_cache_create(&limits);
    assert_int_equal(get(cache, 1, 0), GW_KEY_MISS);
    put(cache, 1, 0, true);
    assert_int_equal(get(cache, 1, 10 * SECOND_US - 1), GW_KEY_HIT);
    assert_int_equal(get(cache, 1, 10 * SECOND_US), GW_KEY_REFRESH);
    assert_int_equal(get(cache, 1, 10 * SECOND_US + 1), GW_KEY_HIT); /* somebody is asking */
    assert_int_equal(get(cache, 1, 11 * SECOND_US), GW_KEY_REFRESH); /* it did not answer */
    assert_int_equal(get(cache, 1, MINUTE_US), GW_KEY_STALE);
    put(cache, 1, MINUTE_US, true);
    assert_int_equal(get(cache, 1, MINUTE_US + 1), GW_KEY_HIT);
    put(cache, 1, MINUTE_US + 2, false); /* revoked */
    assert_int_equal(get(cache, 1, MINUTE_US + 2 * SECOND_US), GW_KEY_HIT);
    assert_int_equal(get(cache, 1, MINUTE_US + 3 * SECOND_US), GW_KEY_MISS);
    put(cache, 1, MINUTE_US + 4 * SECOND_US, true); /* made after it was guessed */
    assert_int_equal(gw_key_cache_size(cache), 1);
    gw_key_cache_destroy(&cache);
}

static void test_limits(void **state)
{
    struct gw_key_cache *cache = gw_key_cache_create(&limits);
    for (uint8_t n = 1; n <= 3; n++)
        put(cache, n, 0, true);
    assert_int_equal(get(cache, 1, 0), GW_KEY_HIT); /* 2 is the oldest in use now */
    for (uint8_t n = 10; n < 30; n++)
        put(cache, n, 0, false); /* guesses push out only guesses */
    assert_int_equal(gw_key_cache_size(cache), 5);
    assert_int_equal(get(cache, 29, 0), GW_KEY_HIT);
    assert_int_equal(get(cache, 27, 0), GW_KEY_MISS);
    put(cache, 4, 0, true);
    assert_int_equal(get(cache, 1, 0), GW_KEY_HIT);
    assert_int_equal(get(cache, 2, 0), GW_KEY_MISS);
    assert_int_equal(get(cache, 3, 0), GW_KEY_HIT);
    put(cache, 28, 0, true); /* a guess that became a key pushes out the oldest key */
    assert_int_equal(get(cache, 4, 0), GW_KEY_MISS);
    gw_key_cache_destroy(&cache);
    assert_null(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_ages), cmocka_unit_test(test_limits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

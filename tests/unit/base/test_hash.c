#include "base.h"
#include "test.h"

static void test_murmur2_as_kafka_has_it(void **state)
{
    static const struct {
        const char *text;
        int32_t hash;
    } cases[] = {
        {"21", -973932308},
        {"foobar", -790332482},
        {"a-little-bit-long-string", -985981536},
        {"a-little-bit-longer-string", -1486304829},
        {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
        {"abc", 479470107},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_case(cases[i].text,
                    hash_murmur2(cases[i].text, strlen(cases[i].text)) == (uint32_t)cases[i].hash);
    assert_int_equal(hash_murmur2(NULL, 0), hash_murmur2("", 0));
}

/* Expected values from Python's hashlib.blake2b over the parts with their 8-byte lengths. */
static void test_keyed_known_answers(void **state)
{
    static const struct {
        const char *name;
        bool key;
        const char *parts[2];
        const char *hash;
    } cases[] = {
        {"no parts", false, {NULL}, "cae66941d9efbd404e4d88758ea67670"},
        {"one empty part", false, {""}, "c804ce198ec337e3dc762bdd1a09aece"},
        {"abc", false, {"abc"}, "10366aba46518e2b9d040dde242bbc5a"},
        {"ab, c", false, {"ab", "c"}, "4826ed043ab3cdec576d8541fa5d5a80"},
        {"a, bc", false, {"a", "bc"}, "f14abc19c330e936bb9c8506d69bac9b"},
        {"keyed, no parts", true, {NULL}, "3daf97bce7888fd59773c66bf647459c"},
        {"keyed, one empty part", true, {""}, "a93a3b99d2c6ddb6177797d4335c4a42"},
        {"keyed abc", true, {"abc"}, "e66ff3421a8e899ea521cf234e7c5905"},
        {"keyed ab, c", true, {"ab", "c"}, "c006572bf2a0f76fe91755c911b607d2"},
        {"keyed a, bc", true, {"a", "bc"}, "5fd9999f6b4cf06712e8d02a8a292cbb"},
    };
    uint8_t key[32], hash[16];
    char text[33];
    for (size_t i = 0; i < sizeof(key); i++)
        key[i] = (uint8_t)i;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct slice parts[2];
        size_t n = 0;
        for (; n < ARRAY_SIZE(parts) && cases[i].parts[n]; n++)
            parts[n] = slice_str(cases[i].parts[n]);
        hash_keyed(hash, cases[i].key ? key : NULL, parts, n);
        hex_format(text, hash, sizeof(hash));
        assert_case(cases[i].name, strcmp(text, cases[i].hash) == 0);
    }
}

static void test_sha256_known_answers(void **state)
{
    static const struct {
        const char *text, *hash;
    } cases[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint8_t hash[32];
        char text[65];
        hash_sha256(hash, slice_str(cases[i].text));
        hex_format(text, hash, sizeof(hash));
        assert_string_equal(text, cases[i].hash);
    }
}

static void test_equal(void **state)
{
    assert_true(hash_equal((const uint8_t *)"abcd", (const uint8_t *)"abcd", 4));
    assert_false(hash_equal((const uint8_t *)"abcd", (const uint8_t *)"abce", 4));
    assert_true(hash_equal((const uint8_t *)"abcd", (const uint8_t *)"abce", 3));
}

/* Every length up to a few blocks, in memory of exactly that size: no read past the end, no two alike. */
static void test_hash64_lengths(void **state)
{
    uint64_t seen[100];
    for (size_t size = 0; size < ARRAY_SIZE(seen); size++) {
        uint8_t *data = calloc(1, size ? size : 1);
        assert_non_null(data);
        seen[size] = hash64(data, size, 0);
        assert_int_equal(seen[size], hash64(data, size, 0));
        assert_int_not_equal(seen[size], hash64(data, size, 1));
        for (size_t i = 0; i < size; i++) {
            data[i] = 1;
            assert_int_not_equal(seen[size], hash64(data, size, 0));
            data[i] = 0;
        }
        for (size_t i = 0; i < size; i++)
            assert_int_not_equal(seen[i], seen[size]);
        free(data);
    }
}

/* Keys that differ little spread evenly over low and over high bits, as tables use either. */
static void test_hash64_spreads(void **state)
{
    enum {
        KEYS = 100000,
        BUCKETS = 1024
    };
    static unsigned low[BUCKETS], high[BUCKETS];
    for (uint64_t key = 0; key < KEYS; key++) {
        uint64_t hash = hash64(&key, sizeof(key), 7);
        low[hash % BUCKETS]++;
        high[hash / (UINT64_MAX / BUCKETS + 1)]++;
    }
    double expected = (double)KEYS / BUCKETS, chi_low = 0, chi_high = 0;
    for (int i = 0; i < BUCKETS; i++) {
        chi_low += (low[i] - expected) * (low[i] - expected) / expected;
        chi_high += (high[i] - expected) * (high[i] - expected) / expected;
    }
    /* chi-squared of 1023 degrees: mean 1023, deviation 45; six deviations either way */
    assert_true(chi_low > 750 && chi_low < 1300);
    assert_true(chi_high > 750 && chi_high < 1300);
}

/* Each input bit changes about half of the output's. */
static void test_hash64_avalanche(void **state)
{
    for (size_t size = 1; size <= 40; size++) {
        uint8_t data[40] = {0};
        uint64_t before = hash64(data, size, 99);
        int changed = 0;
        for (size_t bit = 0; bit < size * 8; bit++) {
            data[bit / 8] ^= (uint8_t)(1 << bit % 8);
            changed += __builtin_popcountll(before ^ hash64(data, size, 99));
            data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        double mean = (double)changed / (double)(size * 8);
        assert_true(mean > 25 && mean < 39);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_murmur2_as_kafka_has_it), cmocka_unit_test(test_keyed_known_answers),
        cmocka_unit_test(test_sha256_known_answers),    cmocka_unit_test(test_equal),
        cmocka_unit_test(test_hash64_lengths),          cmocka_unit_test(test_hash64_spreads),
        cmocka_unit_test(test_hash64_avalanche),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

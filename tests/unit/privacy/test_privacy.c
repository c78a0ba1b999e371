/* Keys wrapped for one subject, and where the master key comes from. Sealing itself: tests/unit/gateway/test_seal.c. */
#include "privacy.h"
#include "test.h"

#include <stdio.h>
#include <unistd.h>

static const uint8_t master[PRIVACY_KEY_SIZE] = {1}, other_master[PRIVACY_KEY_SIZE] = {2};
static const uint8_t tenant[16] = {3}, subject[16] = {4}, nonce[PRIVACY_NONCE_SIZE] = {5};
static const uint8_t key[PRIVACY_KEY_SIZE] = {6, 7, 8};

static void test_wrapped_keys(void **state)
{
    uint8_t wrapped[PRIVACY_WRAPPED_SIZE], out[PRIVACY_KEY_SIZE];
    struct slice all = slice_make(wrapped, sizeof(wrapped));
    privacy_wrap(wrapped, master, tenant, subject, nonce, key);
    assert_int_equal(privacy_unwrap(out, master, tenant, subject, all), 0);
    assert_memory_equal(out, key, sizeof(key));
    assert_int_equal(privacy_unwrap(out, other_master, tenant, subject, all), ERR_INVALID);
    assert_int_equal(privacy_unwrap(out, master, subject, tenant, all), ERR_INVALID);
    assert_int_equal(
        privacy_unwrap(out, master, tenant, subject, slice_make(wrapped, sizeof(wrapped) - 1)),
        ERR_INVALID);
    assert_int_equal(privacy_unwrap(out, master, tenant, subject, slice_make(NULL, 0)),
                     ERR_INVALID);
}

/* The hashes of a release stay those of all later ones. */
static void test_identifiers(void **state)
{
    uint8_t hash[PRIVACY_HASH_SIZE];
    char hex[2 * PRIVACY_HASH_SIZE + 1];
    privacy_hash(hash, master, "user", SLICE_LITERAL("u-1"));
    hex_format(hex, hash, sizeof(hash));
    assert_string_equal(hex, "b53f3bd1ad2d8cec95a41ea938bbdbdc");
    assert_string_equal(privacy_kind(SLICE_LITERAL("device")), "device");
    assert_null(privacy_kind(SLICE_LITERAL("devices")));
    assert_null(privacy_kind(SLICE_LITERAL("")));
}

#define HEX "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static void test_master_key(void **state)
{
    char path[] = "/tmp/master.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    static const struct {
        const char *text, *file;
        int expected;
    } cases[] = {{HEX, NULL, 0},
                 {HEX "0", NULL, ERR_INVALID},
                 {"x", NULL, ERR_INVALID},
                 {"", HEX "\n", 0},
                 {NULL, HEX, 0},
                 {HEX, "x", 0},
                 {"", HEX "\nmore", ERR_INVALID},
                 {"", "", ERR_INVALID},
                 {"", NULL, ERR_INVALID}};
    for (unsigned c = 0; c < ARRAY_SIZE(cases); c++) {
        uint8_t out[PRIVACY_KEY_SIZE] = {0};
        struct err err = {0};
        size_t size = cases[c].file ? strlen(cases[c].file) : 0;
        assert_int_equal(ftruncate(fd, 0), 0);
        assert_int_equal(pwrite(fd, cases[c].file ? cases[c].file : "", size, 0), size);
        int r = privacy_master_load(out, cases[c].text, cases[c].file ? path : NULL, &err);
        if (r != cases[c].expected || (r == 0 && out[31] != 0x1f))
            fail_msg("case %u: %d %s", c, r, err.message);
        if (r < 0)
            assert_non_null(strstr(err.message, "JOURNEY_MASTER_KEY"));
    }
    assert_int_equal(privacy_master_load((uint8_t[32]){0}, NULL, "/nowhere", NULL), ERR_NOT_FOUND);
    assert_int_equal(close(fd), 0);
    assert_int_equal(unlink(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_wrapped_keys),
                                       cmocka_unit_test(test_identifiers),
                                       cmocka_unit_test(test_master_key)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

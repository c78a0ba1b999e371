#include "domain/apikey.h"
#include "test.h"

static void test_made_keys_are_valid_and_differ(void **state)
{
    char a[APIKEY_SIZE], b[APIKEY_SIZE];
    for (int i = 0; i < 100; i++) {
        enum apikey_kind kind = i % 2 ? APIKEY_SECRET : APIKEY_WRITE;
        apikey_make(a, kind, entropy_system());
        apikey_make(b, kind, entropy_system());
        assert_int_equal(strlen(a), 42);
        assert_true(apikey_valid(a) && apikey_valid(b));
        assert_int_equal(strncmp(a, i % 2 ? "jm_sk_" : "jm_wk_", 6), 0);
        assert_int_not_equal(strcmp(a, b), 0);
    }
}

static void fill_ones(struct entropy *entropy, void *data, size_t size)
{
    memset(data, 1, size);
}

/* Others compute the check too: it must never change. */
static void test_check_is_as_documented(void **state)
{
    struct entropy ones = {fill_ones};
    char key[APIKEY_SIZE];
    apikey_make(key, APIKEY_WRITE, &ones);
    assert_string_equal(key, "jm_wk_1111111111111111111111111111111PFPHG");
}

static void test_every_single_typing_error_is_seen(void **state)
{
    char key[APIKEY_SIZE];
    apikey_make(key, APIKEY_SECRET, entropy_system());
    for (size_t i = 0; i < APIKEY_SIZE - 1; i++) {
        char wrong[APIKEY_SIZE];
        memcpy(wrong, key, sizeof(wrong));
        wrong[i] = key[i] == 'x' ? 'y' : 'x';
        assert_false(apikey_valid(wrong));
    }
    key[APIKEY_SIZE - 2] = '\0';
    assert_false(apikey_valid(key));
    assert_false(apikey_valid(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_made_keys_are_valid_and_differ),
        cmocka_unit_test(test_check_is_as_documented),
        cmocka_unit_test(test_every_single_typing_error_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "base.h"
#include "test.h"

static void test_set_fills_and_returns_code(void **state)
{
    struct err err;
    assert_int_equal(err_set(&err, ERR_FULL, ERR_CLASS_TRANSIENT, "queue %d", 7), ERR_FULL);
    assert_int_equal(err.code, ERR_FULL);
    assert_int_equal(err.class, ERR_CLASS_TRANSIENT);
    assert_string_equal(err.message, "queue 7");
}

static void test_set_without_err(void **state)
{
    assert_int_equal(err_set(NULL, ERR_FENCED, ERR_CLASS_FATAL, "x"), ERR_FENCED);
}

static void test_set_cuts_a_long_message(void **state)
{
    struct err err;
    assert_int_equal(err_set(&err, ERR_INVALID, ERR_CLASS_PERMANENT, "%1000d", 1), ERR_INVALID);
    assert_int_equal(strlen(err.message), sizeof(err.message) - 1);
}

static void test_names(void **state)
{
    static const struct {
        int code;
        const char *name;
    } cases[] = {
        {STATUS_OK, "ok"},
        {ERR_INVALID, "invalid"},
        {ERR_NOT_FOUND, "not_found"},
        {ERR_TOO_LARGE, "too_large"},
        {ERR_NO_MEMORY, "no_memory"},
        {ERR_FULL, "full"},
        {ERR_UNAVAILABLE, "unavailable"},
        {ERR_FENCED, "fenced"},
        {ERR_CONFLICT, "conflict"},
        {ERR_EXPIRED, "expired"},
        {ERR_INTERNAL, "internal"},
        {-99, "unknown"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_string_equal(status_name((enum status)cases[i].code), cases[i].name);
    assert_string_equal(err_class_name(ERR_CLASS_TRANSIENT), "transient");
    assert_string_equal(err_class_name(ERR_CLASS_PERMANENT), "permanent");
    assert_string_equal(err_class_name(ERR_CLASS_FATAL), "fatal");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set_fills_and_returns_code),
        cmocka_unit_test(test_set_without_err),
        cmocka_unit_test(test_set_cuts_a_long_message),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

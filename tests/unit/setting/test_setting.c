#include "setting.h"
#include "test.h"

static void test_check(void **state)
{
    static const struct {
        const char *key, *value;
        bool good;
    } cases[] = {
        {"session_idle_seconds", "1800", true},
        {"session_idle_seconds", "0", false},
        {"session_idle_seconds", "86401", false},
        {"session_idle_seconds", "30m", false},
        {"session_max_seconds", "2592000", true},
        {"session_max_seconds", "59", false},
        {"analytics_basis", "consent", true},
        {"analytics_basis", "legitimate_interest", true},
        {"analytics_basis", "legitimate", false},
        {"analytics_basis", "", false},
        {"rate_limit", "none", true},
        {"rate_limit", "default", true},
        {"rate_limit", "250", true},
        {"rate_limit", "0", false},
        {"rate_limit", "-1", false},
        {"rate_limit", "1000001", false},
        {"rate_limit", "1e3", false},
        {"personal_data_allowed", "order_email,shipping.phone", true},
        {"currency", "USD", true},
        {"currency", "US", false},
        {"stage_events", "{\"A\":\"decision\"}", true},
        {"stage_events", "", true},
        {"stage_events", "[]", false},
        {"stage_events", "{", false},
        {"analytics_reason", "our own statistics", true},
        {"analytics_reason", "\xff", false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct setting *setting = setting_find(cases[i].key);
        struct err err = {0};
        assert_non_null(setting);
        assert_case(cases[i].value,
                    (setting_check(setting, cases[i].value, &err) == 0) == cases[i].good);
        assert_case(cases[i].value, cases[i].good || strstr(err.message, cases[i].key));
    }
}

static void test_defaults_are_good_values(void **state)
{
    unsigned n;
    char range[100];
    const struct setting *table = setting_table(&n);
    for (unsigned i = 0; i < n; i++) {
        assert_case(table[i].key, setting_check(&table[i], table[i].fallback, NULL) == 0);
        assert_case(table[i].key, *setting_range(&table[i], range));
        assert_ptr_equal(setting_find(table[i].key), &table[i]);
    }
    assert_null(setting_find("no_such_setting"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check),
        cmocka_unit_test(test_defaults_are_good_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

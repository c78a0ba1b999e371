/* The rule, as a table. */
#include "test.h"

#include "domain/count.h"

static void counts_within_its_limits(void **state)
{
    static const struct {
        const char *name;
        int64_t value, by, after;
        int status;
    } cases[] = {
        {"one", 0, 1, 1, 0},
        {"the most at once", 5, 1000, 1005, 0},
        {"nothing", 5, 0, 5, ERR_INVALID},
        {"downwards", 5, -1, 5, ERR_INVALID},
        {"more than at once", 5, 1001, 5, ERR_INVALID},
        {"up to the limit", COUNT_LIMIT - 1, 1, COUNT_LIMIT, 0},
        {"past the limit", COUNT_LIMIT, 1, COUNT_LIMIT, ERR_INVALID},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int64_t value = cases[i].value;
        struct err err = {0};
        assert_case(cases[i].name, count_up(&value, cases[i].by, &err) == cases[i].status);
        assert_case(cases[i].name, value == cases[i].after);
        assert_case(cases[i].name, (err.message[0] != '\0') == (cases[i].status != 0));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(counts_within_its_limits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

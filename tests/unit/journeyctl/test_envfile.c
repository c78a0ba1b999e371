#include "domain/envfile.h"
#include "test.h"

static void test_get(void **state)
{
    static const struct {
        const char *name, *text, *value; /* of A; NULL: none */
    } cases[] = {
        {"plain", "A=1\n", "1"},
        {"export", "export A=1 B=2\n", "1"},
        {"not the first", "export B=2 A=1\n", "1"},
        {"the last counts", "A=1\nA=2\n", "2"},
        {"escaped", "A=a\\ b\\&c\n", "a b&c"},
        {"single quotes", "A='a \"b\" \\c'\n", "a \"b\" \\c"},
        {"double quotes", "A=\"a 'b' \\\"c\"\n", "a 'b' \"c"},
        {"dollar quotes", "A=$'a b'\n", "a b"},
        {"a dollar", "A=a$b\n", "a$b"},
        {"empty", "A=\n", ""},
        {"a longer name", "AA=1\nBA=2\n", NULL},
        {"comment", "# A=1\n", NULL},
        {"nothing", "", NULL},
        {"cut short", "A='1", "1"},
        {"with equals", "A=x=y\n", "x=y"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct buf out = {0};
        bool found = envfile_get(slice_str(cases[i].text), "A", &out);
        assert_case(cases[i].name, found == (cases[i].value != NULL));
        if (found)
            assert_case(cases[i].name, slice_equal_str(buf_slice(&out), cases[i].value));
        buf_deinit(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_get)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

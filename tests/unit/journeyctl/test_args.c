#include "domain/args.h"
#include "test.h"

static const struct command_option OPTIONS[] = {
    {"tenant", "NAME", "", true},
    {"json", NULL, "", false},
    {"limit", "N", "", false},
};
static const struct command COMMANDS[] = {
    {"tail", "TOPIC", "", "", "", 1, 1, OPTIONS, ARRAY_SIZE(OPTIONS), NULL},
    {"keys list", "", "", "", "", 0, 0, OPTIONS, ARRAY_SIZE(OPTIONS), NULL},
    {"keys", "[WHAT]", "", "", "", 0, 1, NULL, 0, NULL},
};

static int count(const char *const *argv)
{
    int n = 0;
    while (argv[n])
        n++;
    return n;
}

static void test_find(void **state)
{
    static const struct {
        const char *name;
        const char *argv[4];
        int found; /* -1: none */
        int words;
    } cases[] = {
        {"one word", {"tail", "x", NULL}, 0, 1},
        {"two words", {"keys", "list", NULL}, 1, 2},
        {"the shorter name", {"keys", "other", NULL}, 2, 1},
        {"unknown", {"tai", NULL}, -1, 0},
        {"nothing", {NULL}, -1, 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *argv[4];
        int words;
        memcpy(argv, cases[i].argv, sizeof(argv));
        const struct command *found =
            args_find(COMMANDS, ARRAY_SIZE(COMMANDS), count(argv), argv, &words);
        assert_case(cases[i].name,
                    found == (cases[i].found < 0 ? NULL : &COMMANDS[cases[i].found]));
        assert_case(cases[i].name, words == cases[i].words);
    }
}

static void test_parse(void **state)
{
    static const struct {
        const char *name;
        const char *argv[8];
        const char *says; /* NULL: it is taken; else part of the message */
    } cases[] = {
        {"all", {"t", "--tenant", "a", "--json", "--limit=3", NULL}, NULL},
        {"options first", {"--tenant", "a", "t", NULL}, NULL},
        {"an option as positional", {"--tenant", "a", "--", "--json", NULL}, NULL},
        {"unknown option", {"t", "--tenant", "a", "--jso", NULL}, "--jso"},
        {"value missing", {"t", "--tenant", NULL}, "needs a value"},
        {"an option for a value", {"t", "--tenant", "--json", NULL}, "needs a value"},
        {"value of a flag", {"t", "--tenant", "a", "--json=1", NULL}, "takes no value"},
        {"twice", {"t", "--tenant", "a", "--tenant", "b", NULL}, "twice"},
        {"required missing", {"t", "--json", NULL}, "needs --tenant NAME"},
        {"positional missing", {"--tenant", "a", NULL}, "needs TOPIC"},
        {"one too many", {"t", "u", "--tenant", "a", NULL}, "'u'"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct args args;
        struct err err;
        const char *argv[8];
        memcpy(argv, cases[i].argv, sizeof(argv));
        int status = args_parse(&args, &COMMANDS[0], count(argv), argv, &err);
        assert_case(cases[i].name, (status == 0) == (cases[i].says == NULL));
        assert_case(cases[i].name, status == 0 || strstr(err.message, cases[i].says));
        assert_case(cases[i].name, status != 0 || strcmp(args_get(&args, "tenant"), "a") == 0);
    }
}

static void test_int(void **state)
{
    static const struct {
        const char *name;
        const char *text;
        int64_t value; /* -1: refused */
    } cases[] = {
        {"lowest", "1", 1},     {"highest", "50", 50}, {"below", "0", -1},
        {"above", "51", -1},    {"text", "x", -1},     {"text after", "5x", -1},
        {"blank", " 5", -1},    {"empty", "", -1},     {"huge", "99999999999999999999", -1},
        {"negative", "-5", -1},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct args args;
        struct err err;
        const char *argv[] = {"t", "--tenant", "a", "--limit", cases[i].text, NULL};
        int64_t value = -1;
        assert_case(cases[i].name, args_parse(&args, &COMMANDS[0], 5, argv, &err) == 0);
        int status = args_int(&args, "limit", 7, 1, 50, &value, &err);
        assert_case(cases[i].name, (status == 0) == (cases[i].value >= 0));
        assert_case(cases[i].name, value == cases[i].value);
    }
}

static void test_duration(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds; /* -1: refused */
    } cases[] = {
        {"90", 90}, {"30s", 30}, {"15m", 900}, {"24h", 86400}, {"7d", 604800}, {"0s", 0},
        {"", -1},   {"h", -1},   {"1y", -1},   {"1hh", -1},    {"-1h", -1},    {"99999999999h", -1},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int64_t seconds = -1;
        int status = args_duration(cases[i].text, &seconds);
        assert_case(cases[i].text, (status == 0) == (cases[i].seconds >= 0));
        assert_case(cases[i].text, seconds == cases[i].seconds);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_int),
        cmocka_unit_test(test_duration),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

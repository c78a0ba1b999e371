#include "config.h"
#include "test.h"

#define X_OPTIONS(OPTION)                                                                          \
    OPTION(STRING, brokers, "X_BROKERS", NULL, 1, 20, "where Kafka is")                            \
    OPTION(INT, port, "X_PORT", "8080", 1, 65535, "where to listen")                               \
    OPTION(INT, shift, "X_SHIFT", "-5", INT64_MIN, INT64_MAX, "any number")                        \
    OPTION(STRING, region, "X_REGION", "", 0, 8, "where it runs")                                  \
    OPTION(SECRET, key, "X_KEY", "default-key", 4, 64, "what signs")

struct x_config {
    CONFIG_STRUCT(X_OPTIONS)
};
#define X_ROW(...) CONFIG_ROW(struct x_config, __VA_ARGS__)
static const struct config_option options[] = {X_OPTIONS(X_ROW)};

static const char *values[ARRAY_SIZE(options)]; /* by option */

static char *lookup(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(options); i++)
        if (strcmp(options[i].env, name) == 0) {
            char *value;
            memcpy(&value, &values[i], sizeof(value)); /* getenv's type is not const */
            return value;
        }
    return NULL;
}

static int setup(void **state)
{
    memset(values, 0, sizeof(values));
    values[0] = "localhost:9092";
    return 0;
}

static void test_defaults(void **state)
{
    struct x_config config;
    struct err err;
    assert_int_equal(config_load(&config, options, ARRAY_SIZE(options), lookup, &err), STATUS_OK);
    assert_string_equal(config.brokers, "localhost:9092");
    assert_int_equal(config.port, 8080);
    assert_int_equal(config.shift, -5);
    assert_string_equal(config.region, "");
    assert_string_equal(config.key, "default-key");
}

static void test_values(void **state)
{
    struct x_config config;
    struct err err;
    values[1] = "65535";
    values[2] = "-9223372036854775808";
    values[3] = "eu";
    values[4] = "hush-hush";
    assert_int_equal(config_load(&config, options, ARRAY_SIZE(options), lookup, &err), STATUS_OK);
    assert_int_equal(config.port, 65535);
    assert_true(config.shift == INT64_MIN);
    assert_string_equal(config.region, "eu");
    assert_string_equal(config.key, "hush-hush");
}

static void test_bad_values(void **state)
{
    static const struct {
        size_t option;
        const char *value, *message;
    } cases[] = {
        {0, NULL, "config: X_BROKERS is not set; it takes a text of length from 1 to 20"},
        {0, "", "config: X_BROKERS is empty; it takes a text of length from 1 to 20"},
        {0, "123456789012345678901",
         "config: X_BROKERS is too long; it takes a text of length from 1 to 20"},
        {0, "a\xff", "config: X_BROKERS is not UTF-8; it takes a text of length from 1 to 20"},
        {1, "0", "config: X_PORT is out of range; it takes a whole number from 1 to 65535"},
        {1, "65536", "config: X_PORT is out of range; it takes a whole number from 1 to 65535"},
        {1, "99999999999999999999",
         "config: X_PORT is out of range; it takes a whole number from 1 to 65535"},
        {1, "", "config: X_PORT is not a whole number; it takes a whole number from 1 to 65535"},
        {1, "80x", "config: X_PORT is not a whole number; it takes a whole number from 1 to 65535"},
        {1, " 80", "config: X_PORT is not a whole number; it takes a whole number from 1 to 65535"},
        {1, "+80", "config: X_PORT is not a whole number; it takes a whole number from 1 to 65535"},
        {1, "8e1", "config: X_PORT is not a whole number; it takes a whole number from 1 to 65535"},
        {1, "-", "config: X_PORT is not a whole number; it takes a whole number from 1 to 65535"},
        {4, "abc", "config: X_KEY is too short; it takes a text of length from 4 to 64"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct x_config config = {.port = 42}, before = config;
        struct err err;
        setup(state);
        values[cases[i].option] = cases[i].value;
        int rc = config_load(&config, options, ARRAY_SIZE(options), lookup, &err);
        assert_case(cases[i].message, rc == ERR_INVALID && err.class == ERR_CLASS_FATAL);
        assert_string_equal(err.message, cases[i].message);
        assert_memory_equal(&config, &before, sizeof(config));
    }
}

static void test_print_hides_secrets(void **state)
{
    struct x_config config;
    struct buf out = {0};
    struct err err;
    values[4] = "hush-hush";
    assert_int_equal(config_load(&config, options, ARRAY_SIZE(options), lookup, &err), STATUS_OK);
    config_print(&config, options, ARRAY_SIZE(options), &out);
    assert_string_equal((char *)out.data, "X_BROKERS=localhost:9092\nX_PORT=8080\nX_SHIFT=-5\n"
                                          "X_REGION=\nX_KEY=***\n");
    buf_deinit(&out);
}

static void test_help(void **state)
{
    struct buf out = {0};
    config_help(options, ARRAY_SIZE(options), &out);
    const char *text = (const char *)out.data;
    assert_non_null(strstr(text, "X_BROKERS\n    where Kafka is\n"
                                 "    text of length 1 to 20, required\n"));
    assert_non_null(strstr(text, "X_PORT\n    where to listen\n"
                                 "    a whole number from 1 to 65535, default \"8080\"\n"));
    assert_non_null(strstr(text, "a secret of length 4 to 64, has a default\n"));
    assert_null(strstr(text, "default-key"));
    buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_defaults, setup),
        cmocka_unit_test_setup(test_values, setup),
        cmocka_unit_test_setup(test_bad_values, setup),
        cmocka_unit_test_setup(test_print_hides_secrets, setup),
        cmocka_unit_test(test_help),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

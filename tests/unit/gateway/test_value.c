/* Members as values: money, objects without a member, columns, texts. */
#include "domain/bodies.h"

#include "test.h"

static const struct json_node *parsed(const char *text, struct arena *arena)
{
    const struct json_node *node = NULL;
    struct err err = {0};
    if (json_parse(&node, slice_str(text), arena, &err) < 0)
        fail_msg("%s: %s", text, err.message);
    return node;
}

static void test_money(void **state)
{
    static const struct {
        const char *json, *money; /* NULL: invalid */
    } cases[] = {
        {"0", "0.00"},
        {"19.99", "19.99"},
        {"\"19.99\"", "19.99"},
        {"19.994999", "19.99"},
        {"19.995", "20.00"},
        {"0.005", "0.01"},
        {"99999999.99", "99999999.99"},
        {"99999999.995", NULL},
        {"100000000", NULL},
        {"1e3", "1000.00"},
        {"1e300", NULL},
        {"-0", "0.00"},
        {"-0.01", NULL},
        {"\"-1\"", NULL},
        {"\"1e3\"", NULL},
        {"\"\"", NULL},
        {"\"1.\"", NULL},
        {"\".5\"", "0.50"},
        {"\"1.2.3\"", NULL},
        {"\" 1\"", NULL},
        {"0.1", "0.10"},
        {"27.499999999999996", "27.50"},
        {"true", NULL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct arena *arena = arena_create(65536);
        char money[GW_MONEY_SIZE] = "";
        int r = gw_money(money, parsed(cases[i].json, arena), arena);
        assert_case(cases[i].json, (r >= 0) == (cases[i].money != NULL));
        assert_case(cases[i].json, !cases[i].money || strcmp(money, cases[i].money) == 0);
        arena_destroy(&arena);
    }
}

static void test_object_without(void **state)
{
    static const char *const cases[][2] = {
        {"{\"type\":\"mobile\"}", "{\"type\":\"mobile\"}"},
        {"{\"fingerprint\":\"f\"}", "{}"},
        {"{ \"a\":1, \"fingerprint\" : {\"x\":[1,2]}, \"b\" : 1e20 }", "{\"a\":1,\"b\":1e20}"},
        {"{\"fingerprint\":1,\"a\":\"\\u0041\",\"fingerprint\":2}", "{\"a\":\"\\u0041\"}"},
        {"{\"f\\u0069ngerprint\":1,\"a\":2}", "{\"a\":2}"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct arena *arena = arena_create(65536);
        struct slice got = gw_object_without(parsed(cases[i][0], arena), "fingerprint", arena);
        assert_case(cases[i][0], slice_equal_str(got, cases[i][1]));
        arena_destroy(&arena);
    }
}

static void test_columns(void **state)
{
    struct arena *arena = arena_create(65536);
    struct buf out = {0};
    const struct json_node *body = parsed(
        "{\"touchpoint_type\":\"a\",\"unknown\":1,\"page_url\":\"/\\u00e4\",\"click_count\":null,"
        "\"conversion_value\":19.995,\"device_context\":{\"fingerprint\":\"x\",\"type\":\"mobile\"}"
        "}",
        arena);
    gw_columns_write(&gw_touchpoint_body, body, &out, arena);
    assert_string_equal(out.data, "{\"page_url\":\"/\\u00e4\",\"conversion_value\":\"20.00\","
                                  "\"device_context\":{\"type\":\"mobile\"}}");
    buf_reset(&out);
    gw_columns_write(
        &gw_conversion_body,
        parsed("{\"user_data\":{\"email\":\"a@b\"},\"product_data\":{\"a\":1}}", arena), &out,
        arena);
    assert_string_equal(out.data, "{\"product_data\":{\"a\":1}}");
    buf_deinit(&out);
    arena_destroy(&arena);
}

static void test_text(void **state)
{
    struct arena *arena = arena_create(65536);
    assert_string_equal(gw_text(parsed("\"a\\u0000b\"", arena), arena), "a\xef\xbf\xbd"
                                                                        "b");
    assert_string_equal(gw_text(parsed("\"\"", arena), arena), "");
    assert_null(gw_text(parsed("5", arena), arena));
    assert_int_equal(gw_characters(slice_str("aäß€")), 4);
    arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_money),
        cmocka_unit_test(test_object_without),
        cmocka_unit_test(test_columns),
        cmocka_unit_test(test_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

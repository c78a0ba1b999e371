#include "json.h"
#include "test.h"

static struct arena *arena;
static const struct json_node *parse(const char *text)
{
    const struct json_node *root = NULL;
    struct err err = {0};
    if (json_parse(&root, slice_str(text), arena, &err) < 0)
        fail_msg("%s", err.message);
    return root;
}

static int setup(void **state)
{
    arena = arena_create((size_t)1 << 20);
    return arena ? 0 : -1;
}

static int teardown(void **state)
{
    arena_destroy(&arena);
    return 0;
}

static void test_get(void **state)
{
    const struct json_node *root = parse("{\"a\":1,\"b\":{\"c\":{\"d\":2}},\"a\":3,\"\":4,"
                                         "\"\\u0065\\ud83d\\ude00\":5,\"b.c\":6,\"f\\u0000\":7}");
    static const struct {
        const char *key, *raw;
    } keys[] = {
        {"a", "3"}, /* the last wins */
        {"", "4"},
        {"e\xf0\x9f\x98\x80", "5"},
        {"b.c", "6"},
        {"c", NULL},
        {"A", NULL},
        {"aa", NULL},
        {"e", NULL},
        {"f", NULL},
        {"e\xf0\x9f\x98\x80!", NULL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        const struct json_node *node = json_get(root, keys[i].key);
        assert_case(keys[i].key,
                    keys[i].raw ? node && slice_equal_str(node->raw, keys[i].raw) : !node);
    }
    assert_null(json_get(NULL, "a"));
    assert_null(json_get(parse("[1]"), "a"));
    assert_null(json_get(parse("\"a\""), "a"));
}

static void test_path(void **state)
{
    const struct json_node *root = parse("{\"b\":{\"c\":{\"d\":2},\"\":3},\"x\":[{\"y\":1}]}");
    assert_true(slice_equal_str(json_path(root, "b.c.d")->raw, "2"));
    assert_true(slice_equal_str(json_path(root, "b.")->raw, "3"));
    assert_true(json_is(json_path(root, "x"), JSON_ARRAY));
    static const char *const missing[] = {"b.d", "b.c.d.e", "x.y", "", ".", "b..c"};
    for (size_t i = 0; i < ARRAY_SIZE(missing); i++)
        assert_case(missing[i], json_path(root, missing[i]) == NULL);
    assert_null(json_path(NULL, "a.b"));
}

static void test_string(void **state)
{
    static const struct {
        const char *json, *text;
        size_t size;
    } cases[] = {
        {"\"\"", "", 0},
        {"\"plain\"", "plain", 5},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t", 8},
        {"\"a\\u0000b\"", "a\0b", 3},
        {"\"\\u0041\\u00e9\\u20AC\"", "A\xc3\xa9\xe2\x82\xac", 6},
        {"\"\\ud83d\\ude00!\"", "\xf0\x9f\x98\x80!", 5},
        {"\"\\uDBFF\\uDFFF\"", "\xf4\x8f\xbf\xbf", 4},
        {"\"\\ud83d\"", "\xef\xbf\xbd", 3}, /* lone halves */
        {"\"\\ude00x\"", "\xef\xbf\xbdx", 4},
        {"\"\\ud83d\\ud83d\\ude00\"", "\xef\xbf\xbd\xf0\x9f\x98\x80", 7},
        {"\"\\ud83d\\u0041\"",
         "\xef\xbf\xbd"
         "A",
         4},
        {"\"\\ud83dude00\"", "\xef\xbf\xbdude00", 8},
        {"\"\\ud83d\\n\"", "\xef\xbf\xbd\n", 4},
        {"\"\xd0\xbf\\n\xd0\xb8\"", "\xd0\xbf\n\xd0\xb8", 5},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct slice text = json_string(parse(cases[i].json), arena);
        assert_case(cases[i].json, slice_equal(text, slice_make(cases[i].text, cases[i].size)));
        assert_case(cases[i].json, text.data != NULL);
        assert_case(cases[i].json, utf8_valid(text) || memchr(text.data, 0, text.size));
    }
    static const char *const others[] = {"1", "null", "[\"a\"]", "{\"a\":\"b\"}"};
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        assert_case(others[i], json_string(parse(others[i]), arena).data == NULL);
    assert_null(json_string(NULL, arena).data);
}

static void test_string_without_room(void **state)
{
    const struct json_node *node = parse("\"\\n\"");
    assert_null(arena_alloc(arena, (size_t)2 << 20));
    assert_null(json_string(node, arena).data);
}

static void test_truthy(void **state)
{
    static const struct {
        const char *json;
        bool truthy;
    } cases[] = {
        {"true", true},       {"false", false},       {"null", false},
        {"0", false},         {"-0.00e5", false},     {"1", true},
        {"0.001", true},      {"-1", true},           {"1e-400", true},
        {"0e9", false},       {"\"\"", false},        {"\"0\"", false},
        {"\"false\"", false}, {"\"\\u0030\"", false}, {"\"f\\u0061lse\"", false},
        {"\"true\"", true},   {"\"no\"", true},       {"\"00\"", true},
        {"\"False\"", true},  {"[]", false},          {"[1]", false},
        {"{\"a\":1}", false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_case(cases[i].json, json_truthy(parse(cases[i].json)) == cases[i].truthy);
    assert_false(json_truthy(NULL));
}

#define VALUE_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        VALUE_TEST(test_get),    VALUE_TEST(test_path),
        VALUE_TEST(test_string), VALUE_TEST(test_string_without_room),
        VALUE_TEST(test_truthy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "json.h"
#include "test.h"
#include <math.h>

static void test_nesting_and_commas(void **state)
{
    struct buf buf = {0};
    struct json_writer w = json_writer_make(&buf);
    json_begin_object(&w);
    json_key(&w, "a");
    json_begin_array(&w);
    json_write_int(&w, 1);
    json_begin_array(&w);
    json_end_array(&w);
    json_begin_object(&w);
    json_end_object(&w);
    json_write_str(&w, NULL);
    json_end_array(&w);
    json_key(&w, "b\"");
    json_write_bool(&w, true);
    json_key(&w, "c");
    json_begin_object(&w);
    json_key(&w, "d");
    json_write_bool(&w, false);
    json_key(&w, "e");
    json_write_raw(&w, SLICE_LITERAL("{\"x\":1e20}"));
    json_key(&w, "f");
    json_write_raw(&w, slice_make(NULL, 0));
    json_end_object(&w);
    json_key(&w, "g");
    json_write_null(&w);
    json_end_object(&w);
    assert_string_equal((char *)buf.data, "{\"a\":[1,[],{},null],\"b\\\"\":true,\"c\":{\"d\":false,"
                                          "\"e\":{\"x\":1e20},\"f\":null},\"g\":null}");
    buf_deinit(&buf);
}

static void test_scalars(void **state)
{
    struct buf buf = {0};
    struct json_writer w = json_writer_make(&buf);
    json_begin_array(&w);
    json_write_int(&w, INT64_MIN);
    json_write_int(&w, INT64_MAX);
    json_write_time(&w, 1);
    json_write_time(&w, TIME_NONE);
    json_end_array(&w);
    assert_string_equal((char *)buf.data, "[-9223372036854775808,9223372036854775807,"
                                          "\"1970-01-01T00:00:00.000001Z\",null]");
    buf_deinit(&buf);
}

static void test_strings(void **state)
{
    static const struct {
        const char *name, *text;
        size_t size;
        const char *json;
    } cases[] = {
        {"empty", "", 0, "\"\""},
        {"short forms", "\"\\\b\f\n\r\t", 7, "\"\\\"\\\\\\b\\f\\n\\r\\t\""},
        {"control", "\0\x01\x1f\x7f", 4, "\"\\u0000\\u0001\\u001f\x7f\""},
        {"slash", "</script>", 9, "\"</script>\""},
        {"letters", "\xd0\xbf\xd1\x80\xe2\x82\xac\xf0\x9f\x98\x80", 11,
         "\"\xd0\xbf\xd1\x80\xe2\x82\xac\xf0\x9f\x98\x80\""},
        {"not UTF-8",
         "a\xff\xfe"
         "b\xc3",
         5,
         "\"a\xef\xbf\xbd\xef\xbf\xbd"
         "b\xef\xbf\xbd\""},
        {"surrogate", "\xed\xa0\x80", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
        {"letters, then a quote", "\xc3\xa9\"\xc3\xa9", 5, "\"\xc3\xa9\\\"\xc3\xa9\""},
        {"long", "0123456789abcdef\n0123456789abcdef", 33,
         "\"0123456789abcdef\\n0123456789abcdef\""},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct buf buf = {0};
        struct json_writer w = json_writer_make(&buf);
        json_write_slice(&w, slice_make(cases[i].text, cases[i].size));
        assert_case(cases[i].name, slice_equal_str(buf_slice(&buf), cases[i].json));
        buf_deinit(&buf);
    }
}

static void test_doubles(void **state)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0, "0"},
        {-0.0, "-0"},
        {1, "1"},
        {-1.5, "-1.5"},
        {0.1, "0.1"},
        {0.1 + 0.2, "0.30000000000000004"},
        {1.0 / 3, "0.3333333333333333"},
        {100, "100"},
        {1e15, "1000000000000000"},
        {1e20, "1e20"},
        {1e21, "1e21"},
        {1.5e300, "1.5e300"},
        {1e-7, "1e-7"},
        {0.0001, "0.0001"},
        {1.25e-9, "1.25e-9"},
        {5e-324, "5e-324"},
        {2.5e-320, "2.5e-320"},
        {1.7976931348623157e308, "1.7976931348623157e308"},
        {2.2250738585072014e-308, "2.2250738585072014e-308"},
        {9007199254740992, "9007199254740992"},
        {NAN, "null"},
        {INFINITY, "null"},
        {-INFINITY, "null"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct buf buf = {0};
        struct json_writer w = json_writer_make(&buf);
        json_write_double(&w, cases[i].value);
        assert_string_equal((char *)buf.data, cases[i].text);
        buf_deinit(&buf);
    }
}

/* What is written reads back as the same: random strings of any bytes that are UTF-8, and doubles. */
static void test_round_trip(void **state)
{
    struct random random = {11};
    struct arena *arena = arena_create((size_t)1 << 20);
    struct buf text = {0}, buf = {0};
    for (int round = 0; round < 20000; round++) {
        static const char *const pieces[] = {"a",
                                             "\"",
                                             "\\",
                                             "\n",
                                             "\x01",
                                             "\xc3\xa9",
                                             "\xe2\x82\xac",
                                             "\xf0\x9f\x98\x80",
                                             "0123456789",
                                             "\x7f",
                                             "/",
                                             "u0041"};
        buf_reset(&text);
        for (size_t n = random_next(&random) % 20; n; n--)
            buf_append_str(&text, pieces[random_next(&random) % ARRAY_SIZE(pieces)]);
        uint64_t bits = random_next(&random);
        double value, again = 0;
        memcpy(&value, &bits, sizeof(value));
        if (!isfinite(value))
            value = (double)(bits >> 12) / 100;

        buf_reset(&buf);
        arena_reset(arena);
        struct json_writer w = json_writer_make(&buf);
        json_begin_array(&w);
        json_write_slice(&w, buf_slice(&text));
        json_write_double(&w, value);
        json_end_array(&w);
        const struct json_node *root = NULL;
        assert_int_equal(json_parse(&root, buf_slice(&buf), arena, NULL), STATUS_OK);
        assert_true(slice_equal(json_string(root->child, arena), buf_slice(&text)));
        assert_int_equal(json_double(root->child->next, &again), STATUS_OK);
        assert_true(again == value);
    }
    buf_deinit(&text);
    buf_deinit(&buf);
    arena_destroy(&arena);
}

static void test_full_buffer(void **state)
{
    struct buf buf = {.limit = 10};
    struct json_writer w = json_writer_make(&buf);
    json_write_str(&w, "far too long for ten bytes");
    assert_true(buf.overflow);
    buf_deinit(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nesting_and_commas),
        cmocka_unit_test(test_scalars),
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_doubles),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_full_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

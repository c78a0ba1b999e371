/* Reading without a tree. That it takes what json_parse takes is held in test_parse.c, beside every case there. */
#include "json.h"
#include "test.h"
#include <stdio.h>

/* "{[a|1][b|"x"]}": what stands in an object or array, one level, as raw bytes. */
static void list(char *out, size_t size, const char *text, bool loosely)
{
    struct err err = {0};
    struct json_reader r = json_reader_make(slice_str(text), &err);
    bool object = json_reader_type(&r) == JSON_OBJECT, first = true, escaped;
    struct slice key = {NULL, 0}, raw;
    size_t n = 0;
    int more;
    json_reader_enter(&r);
    while ((more = json_reader_next(&r, first, object ? &key : NULL, &escaped)) > 0) {
        more = loosely ? json_reader_loosely(&r, &raw) : json_reader_value(&r, &raw);
        if (more < 0)
            break;
        n += (size_t)snprintf(out + n, size - n, "[%.*s|%.*s]", (int)key.size,
                              (const char *)key.data, (int)raw.size, (const char *)raw.data);
        first = false;
    }
    (void)snprintf(out + n, size - n, "%s", more < 0 ? "!" : json_reader_done(&r) ? "" : "+");
}

static void test_one_level(void **state)
{
    static const struct {
        const char *text, *strictly, *loosely;
    } cases[] = {
        {"{}", "", ""},
        {" [ ] ", "", ""},
        {"[1, \"a\" ,null]", "[|1][|\"a\"][|null]", "[|1][|\"a\"][|null]"},
        {"{\"a\":{\"b\":[1]},\"c\":2}", "[a|{\"b\":[1]}][c|2]", "[a|{\"b\":[1]}][c|2]"},
        {"[1]x", "[|1]+", "[|1]+"},
        {"[1", "[|1]!", "[|1]!"},
        {"[1,]", "[|1]!", "[|1]!"},
        {"[,1]", "!", "!"},
        {"{\"a\"}", "!", "!"},
        /* what is wrong inside a value is the value's own */
        {"[1e,2]", "!", "[|1e][|2]"},
        {"[{\"a\":tru},{\"b\":1}]", "!", "[|{\"a\":tru}][|{\"b\":1}]"},
        {"[{\"a\":\"\x01\"},2]", "!", "[|{\"a\":\"\x01\"}][|2]"},
        {"[{\"a\":\"\xc3\"},2]", "!", "[|{\"a\":\"\xc3\"}][|2]"},
        {"[{\"a\" \"b\"},2]", "!", "[|{\"a\" \"b\"}][|2]"},
        {"[{\"a\":\"\\q ]}\"},2]", "!", "[|{\"a\":\"\\q ]}\"}][|2]"},
        {"[\"\\\\\",\"\\\"]\",3]", "[|\"\\\\\"][|\"\\\"]\"][|3]", "[|\"\\\\\"][|\"\\\"]\"][|3]"},
        /* a quote or bracket that is missing takes the rest with it */
        {"[{\"a\":\"x},{\"b\":1}]", "!", "!"},
        {"[{\"a\":1,{\"b\":2}]", "!", "[|{\"a\":1,{\"b\":2}]]!"},
        {"[\"x\\\"]", "!", "!"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char found[256];
        list(found, sizeof(found), cases[i].text, false);
        assert_case(cases[i].text, strcmp(found, cases[i].strictly) == 0);
        list(found, sizeof(found), cases[i].text, true);
        assert_case(cases[i].text, strcmp(found, cases[i].loosely) == 0);
    }
}

static void test_raw_string_is_decoded(void **state)
{
    struct arena *arena = arena_create(4096);
    struct slice text = json_raw_string(SLICE_LITERAL("\"a\\u00e9\\n\\ud83d\\ude00\""), arena);
    assert_true(slice_equal_str(text, "a\xc3\xa9\n\xf0\x9f\x98\x80"));
    assert_true(slice_equal_str(json_raw_string(SLICE_LITERAL("\"plain\""), arena), "plain"));
    assert_null(json_raw_string(SLICE_LITERAL("12"), arena).data);
    arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_level),
        cmocka_unit_test(test_raw_string_is_decoded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

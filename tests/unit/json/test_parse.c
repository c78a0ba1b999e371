#include "json.h"
#include "test.h"
#include <stdio.h>

/* What the reader without a tree says of the same text. */
static bool read_whole(struct slice text)
{
    struct json_reader r = json_reader_make(text, NULL);
    struct slice raw;
    return json_reader_value(&r, &raw) == STATUS_OK && json_reader_done(&r);
}

/* Parses a copy in memory of exactly its size, so that a sanitizer sees a read past the end. */
static int parse_exact(struct slice text, struct arena *arena, struct err *err)
{
    const struct json_node *root;
    uint8_t *exact = malloc(text.size ? text.size : 1);
    assert_non_null(exact);
    if (text.size)
        memcpy(exact, text.data, text.size);
    int rc = json_parse(&root, slice_make(exact, text.size), arena, err);
    if (rc != ERR_NO_MEMORY)
        assert_true((rc == STATUS_OK) == read_whole(slice_make(exact, text.size)));
    free(exact);
    return rc;
}

/* No beginning reads past its end; and none of an array, object or string that is JSON is JSON. */
static void check_every_cut(const char *name, struct slice text, bool valid)
{
    struct arena *arena = arena_create((size_t)1 << 20);
    struct err err;
    bool closed = valid && memchr("]}\"", text.data[text.size - 1], 3);
    for (size_t cut = 0; cut < text.size; cut++) {
        arena_reset(arena);
        int rc = parse_exact(slice_make(text.data, cut), arena, &err);
        if (closed)
            assert_case(name, rc < 0);
    }
    arena_destroy(&arena);
}

/* Many short cases a line. */
/* clang-format off */
static const char *const accepted[] = {
    "null", "true", "false", "0", "-0", "1", "-1", "10", "1.5", "0.0", "-0.0", "1e5", "1E5", "1e+5",
    "1e-5", "1.25e10", "1e20", "1e400", "123456789012345678901234567890", "0e0", "0.1e-0", "\"\"",
    "\"a\"", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\u0041\"", "\"\\uD83D\\uDE00\"", "\"\\ud800\"",
    "\"\\udc00\"", "\"\\ud800\\ud800\"", "\"\\u0000\"", "\"\x7f\"", "\"\xc3\xa9\"",
    "\"\xef\xbf\xbf\"", "\"\xf4\x8f\xbf\xbf\"", "\"0123456789abcdef0123456789abcdef\"",
    "\"0123456789abcdef\\n0123456\\\"789abcdef\xe2\x82\xac\"", "[]", "{}", "[[]]", "[{}]",
    "{\"a\":[]}", "[1,2,3]", "[null,true,false]", "{\"a\":1,\"b\":{\"c\":[1,{\"d\":null}]}}",
    "{\"\":0}", "{\"a\":1,\"a\":2}", " \t\r\n1 \t\r\n", " [ 1 , 2 ] ",
    "\n{ \"a\" : 1 , \"b\" : 2 }\n", "{\"\\u0061\":1}", "[\"\\\\\",\"x\"]",
};

static const char *const refused[] = {
    "", " ", "nul", "nulll", "NULL", "True", "truee", "nan", "NaN", "Infinity", "-Infinity",
    "undefined", "+1", "-", "--1", "01", "-01", "1.", ".5", "1.e5", "1e", "1e+", "1e5.5", "1ee5",
    "0x10", "1_000", "1a", "1 2", "- 1", "\"", "\"a", "'a'", "\"\\\"", "\"\\x\"", "\"\\u\"",
    "\"\\u12\"", "\"\\u123\"", "\"\\u12g4\"", "\"\\U0041\"", "\"\n\"", "\"\t\"", "\"\x01\"",
    "\"\x1f\"", "\"\x80\"", "\"\xc0\x80\"", "\"\xc3\"", "\"\xe2\x82\"", "\"\xed\xa0\x80\"",
    "\"\xf4\x90\x80\x80\"", "\"\xff\"", "\"0123456789abcdef\n\"", "\"a\" \"b\"", "[", "]", "[1",
    "[1,", "[1,]", "[,1]", "[1,,2]", "[1 2]", "[1:2]", "[1}", "{1]", "[]]", "[[]", "{", "}", "{}}",
    "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "{,}", "{\"a\"}", "{\"a\",1}",
    "{\"a\":}", "{a:1}", "{1:1}", "{null:1}", "{\"a\":1 \"b\":2}", "{\"a\":1]", "{\"a\"::1}",
    "{\"a\":1:2}", "[1]x", "/**/1", "1//", "[1]\x0c", "\xef\xbb\xbf[]", "\xa0[]", "\x01", ",", ":",
    "*", "[\"a\xff\"]",
};
/* clang-format on */

static void test_accepts(void **state)
{
    struct arena *arena = arena_create((size_t)1 << 20);
    struct err err;
    for (size_t i = 0; i < ARRAY_SIZE(accepted); i++) {
        struct slice text = slice_str(accepted[i]);
        arena_reset(arena);
        assert_case(accepted[i], parse_exact(text, arena, &err) == STATUS_OK);
        check_every_cut(accepted[i], text, true);
    }
    arena_destroy(&arena);
}

static void test_refuses(void **state)
{
    struct arena *arena = arena_create((size_t)1 << 20);
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
        struct slice text = slice_str(refused[i]);
        struct err err = {0};
        arena_reset(arena);
        assert_case(refused[i], parse_exact(text, arena, &err) == ERR_INVALID);
        assert_case(refused[i], err.class == ERR_CLASS_PERMANENT && err.code == ERR_INVALID);
        check_every_cut(refused[i], text, false);
    }
    assert_int_equal(parse_exact(slice_make("\0", 1), arena, NULL), ERR_INVALID);
    assert_int_equal(parse_exact(slice_make("1\0", 2), arena, NULL), ERR_INVALID);
    assert_int_equal(parse_exact(slice_make("\"a\0b\"", 5), arena, NULL), ERR_INVALID);
    assert_int_equal(parse_exact(slice_make(NULL, 0), arena, NULL), ERR_INVALID);
    arena_destroy(&arena);
}

/* A special byte at each place of each length: the bulk scan misses none. */
static void test_scan_finds_each_byte(void **state)
{
    struct arena *arena = arena_create((size_t)1 << 20);
    char text[80];
    for (int size = 1; size < 70; size++) {
        for (int at = 0; at < size; at++) {
            static const char specials[] = {'\n', '\x1f', '"', '\\', '\x80', '\xff', 0};
            for (size_t i = 0; i < sizeof(specials); i++) {
                memset(text, 'x', sizeof(text));
                text[0] = text[size + 1] = '"';
                arena_reset(arena);
                assert_int_equal(parse_exact(slice_make(text, (size_t)size + 2), arena, NULL), 0);
                text[1 + at] = specials[i];
                assert_int_equal(parse_exact(slice_make(text, (size_t)size + 2), arena, NULL),
                                 ERR_INVALID);
            }
        }
    }
    arena_destroy(&arena);
}

static int parse_nested(size_t depth, const char *open, const char *close, struct arena *arena)
{
    struct buf text = {0};
    for (size_t i = 0; i < depth; i++)
        buf_append_str(&text, open);
    buf_append_str(&text, "1");
    for (size_t i = 0; i < depth; i++)
        buf_append_str(&text, close);
    arena_reset(arena);
    int rc = parse_exact(buf_slice(&text), arena, NULL);
    buf_deinit(&text);
    return rc;
}

static void test_depth(void **state)
{
    struct arena *arena = arena_create((size_t)1 << 20);
    assert_int_equal(parse_nested(64, "[", "]", arena), STATUS_OK);
    assert_int_equal(parse_nested(65, "[", "]", arena), ERR_TOO_LARGE);
    assert_int_equal(parse_nested(64, "{\"a\":", "}", arena), STATUS_OK);
    assert_int_equal(parse_nested(65, "{\"a\":", "}", arena), ERR_TOO_LARGE);
    assert_int_equal(parse_nested(100000, "[", "]", arena), ERR_TOO_LARGE);
    arena_destroy(&arena);
}

static void test_arena_overflow(void **state)
{
    struct arena *arena = arena_create(4096);
    struct buf text = {0};
    struct err err = {0};
    buf_append_str(&text, "[0");
    for (int i = 0; i < 200; i++)
        buf_append_str(&text, ",0");
    buf_append_str(&text, "]");
    assert_int_equal(parse_exact(buf_slice(&text), arena, &err), ERR_NO_MEMORY);
    assert_int_equal(err.class, ERR_CLASS_PERMANENT);
    assert_true(arena_overflowed(arena));
    buf_deinit(&text);
    arena_destroy(&arena);
}

static void test_tree(void **state)
{
    struct arena *arena = arena_create((size_t)1 << 20);
    const struct json_node *root;
    assert_int_equal(
        json_parse(&root, slice_str(" {\"a\" : [1, \"x\\n\" ,{}], \"b\\t\":true } "), arena, NULL),
        STATUS_OK);
    assert_true(root->type == JSON_OBJECT && root->count == 2 && !root->next);
    assert_true(slice_equal_str(root->raw, "{\"a\" : [1, \"x\\n\" ,{}], \"b\\t\":true }"));
    const struct json_node *a = root->child, *b = a->next;
    assert_true(slice_equal_str(a->key, "a") && !a->key_escaped);
    assert_true(a->type == JSON_ARRAY && a->count == 3);
    assert_true(slice_equal_str(a->raw, "[1, \"x\\n\" ,{}]"));
    assert_true(slice_equal_str(b->key, "b\\t") && b->key_escaped && !b->next);
    assert_true(slice_equal_str(b->raw, "true"));
    const struct json_node *one = a->child, *text = one->next, *empty = text->next;
    assert_true(one->type == JSON_NUMBER && slice_equal_str(one->raw, "1") && one->key.size == 0);
    assert_true(text->escaped && slice_equal_str(text->raw, "\"x\\n\""));
    assert_true(empty->count == 0 && !empty->child && !empty->next);
    arena_destroy(&arena);
}

static void test_root_is_untouched_on_error(void **state)
{
    struct arena *arena = arena_create(65536);
    const struct json_node *root = NULL;
    assert_int_equal(json_parse(&root, slice_str("[1,2"), arena, NULL), ERR_INVALID);
    assert_null(root);
    arena_destroy(&arena);
}

/* Messages are logged, and the text may hold personal data. */
static void test_message_says_where_but_not_what(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"[1,2", "json: end of text where a comma or bracket belongs, at byte 4"},
        {"{\"a\" x}", "json: a letter where a colon belongs, at byte 5"},
        {"{\"a\":}", "json: '}' where a value belongs, at byte 5"},
        {"\"\xff\"", "json: a byte beyond ASCII where valid UTF-8 text belongs, at byte 1"},
        {"\"a\n\"", "json: a control character where valid UTF-8 text belongs, at byte 2"},
        {"[1] [", "json: '[' where end of text belongs, at byte 4"},
        {"\"\\u00g0\"", "json: a letter where a hexadecimal digit belongs, at byte 5"},
    };
    struct arena *arena = arena_create(65536);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err err;
        assert_int_equal(parse_exact(slice_str(cases[i].text), arena, &err), ERR_INVALID);
        assert_string_equal(err.message, cases[i].message);
    }
    arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepts),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_scan_finds_each_byte),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_arena_overflow),
        cmocka_unit_test(test_tree),
        cmocka_unit_test(test_root_is_untouched_on_error),
        cmocka_unit_test(test_message_says_where_but_not_what),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

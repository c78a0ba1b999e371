#include "base.h"
#include "test.h"

static void test_base64_decode(void **state)
{
    static const struct {
        const char *text, *bytes; /* bytes NULL: refused */
    } cases[] = {
        {"", ""}, /* RFC 4648, section 10 */
        {"Zg==", "f"},
        {"Zm8=", "fo"},
        {"Zm9v", "foo"},
        {"Zm9vYg==", "foob"},
        {"Zm9vYmE=", "fooba"},
        {"Zm9vYmFy", "foobar"},
        {"Zg", "f"}, /* padding is optional */
        {"Zm8", "fo"},
        {"Zm9vYmE", "fooba"},
        {"-_+/", "\xfb\xff\xbf"}, /* both alphabets */
        {"Z", NULL},
        {"=", NULL},
        {"====", NULL},
        {"Zg=", NULL}, /* half of the padding */
        {"Zg===", NULL},
        {"Z===", NULL},
        {"Zg==Zg==", NULL},
        {"Zm9v=", NULL},
        {"Zm 9v", NULL},
        {"Zm9v\n", NULL},
        {"Zh==", NULL}, /* bits left over */
        {"Zm9", NULL},
        {"Zm\xc3\xb6", NULL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct buf out = {0};
        buf_append_str(&out, ">");
        int rc = base64_decode(&out, slice_str(cases[i].text));
        assert_case(cases[i].text, (rc == STATUS_OK) == (cases[i].bytes != NULL));
        assert_case(cases[i].text, slice_equal_str(slice_make(out.data + 1, out.size - 1),
                                                   cases[i].bytes ? cases[i].bytes : ""));
        buf_deinit(&out);
    }
}

static void test_base64_into_a_full_buffer(void **state)
{
    struct buf out = {.limit = 2};
    assert_int_equal(base64_decode(&out, SLICE_LITERAL("Zm9v")), ERR_NO_MEMORY);
    assert_int_equal(out.size, 0);
    buf_deinit(&out);
}

static void test_hex(void **state)
{
    uint8_t bytes[3] = {9, 9, 9};
    char text[7];
    assert_int_equal(hex_parse(bytes, 3, SLICE_LITERAL("00fFaB")), STATUS_OK);
    assert_memory_equal(bytes, "\x00\xff\xab", 3);
    hex_format(text, bytes, 3);
    assert_string_equal(text, "00ffab");
    static const char *const bad[] = {"",      "00ff",   "00ffabcd", "00ffag",
                                      "00ffa", "0x00ff", "00ff `",   "@@@@@@"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_case(bad[i], hex_parse(bytes, 3, slice_str(bad[i])) == ERR_INVALID);
    assert_memory_equal(bytes, "\x00\xff\xab", 3);
    assert_int_equal(hex_parse(bytes, 0, SLICE_LITERAL("")), STATUS_OK);
}

static void test_uuid(void **state)
{
    struct uuid uuid;
    char text[UUID_TEXT_SIZE];
    assert_int_equal(uuid_parse(&uuid, SLICE_LITERAL("F81D4FAE-7dec-11d0-a765-00a0c91e6bf6")), 0);
    uuid_format(text, uuid.bytes);
    assert_string_equal(text, "f81d4fae-7dec-11d0-a765-00a0c91e6bf6");
    static const char *const bad[] = {
        "",
        "f81d4fae7dec11d0a76500a0c91e6bf6",
        "f81d4fae-7dec-11d0-a765-00a0c91e6bf",
        "f81d4fae-7dec-11d0-a765-00a0c91e6bf6a",
        "f81d4fae-7dec-11d0-a76-500a0c91e6bf6",
        "f81d4fae+7dec-11d0-a765-00a0c91e6bf6",
        "{81d4fae-7dec-11d0-a765-00a0c91e6bf}",
        "f81d4fae-7dec-11d0-a765-00a0c91e6bfg",
    };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_case(bad[i], uuid_parse(&uuid, slice_str(bad[i])) == ERR_INVALID);
}

static void test_uuid_from_hash_is_version_8(void **state)
{
    uint8_t hash[16];
    struct uuid uuid;
    char text[UUID_TEXT_SIZE];
    memset(hash, 0xff, sizeof(hash));
    uuid_from_hash(&uuid, hash);
    uuid_format(text, uuid.bytes);
    assert_string_equal(text, "ffffffff-ffff-8fff-bfff-ffffffffffff");
    memset(hash, 0, sizeof(hash));
    uuid_from_hash(&uuid, hash);
    uuid_format(text, uuid.bytes);
    assert_string_equal(text, "00000000-0000-8000-8000-000000000000");
}

static void test_uuid_from_time_sorts_by_time(void **state)
{
    uint8_t hash[16];
    struct uuid uuid, later;
    char text[UUID_TEXT_SIZE];
    memset(hash, 0xff, sizeof(hash));
    uuid_from_time(&uuid, 0x017F22E279B0 * (int64_t)1000 + 999, hash); /* the RFC's example */
    uuid_format(text, uuid.bytes);
    assert_string_equal(text, "017f22e2-79b0-7fff-bfff-ffffffffffff");
    memset(hash, 0, sizeof(hash));
    uuid_from_time(&later, 0x017F22E279B1 * (int64_t)1000, hash);
    assert_true(memcmp(uuid.bytes, later.bytes, sizeof(uuid.bytes)) < 0);
    uuid_from_time(&uuid, -1, hash);
    uuid_format(text, uuid.bytes);
    assert_string_equal(text, "00000000-0000-7000-8000-000000000000");
}

static void test_utf8(void **state)
{
    static const struct {
        const char *name, *text;
        bool valid;
    } cases[] = {
        {"empty", "", true},
        {"ascii", "plain text, more than eight bytes", true},
        {"two bytes", "\xc2\x80\xdf\xbf", true},
        {"three bytes", "\xe0\xa0\x80\xef\xbf\xbf", true},
        {"below the surrogates", "\xed\x9f\xbf", true},
        {"above the surrogates", "\xee\x80\x80", true},
        {"four bytes", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", true},
        {"after eight of ascii", "01234567\xc3\xa9", true},
        {"lone continuation", "\x80", false},
        {"overlong two", "\xc0\x80", false},
        {"overlong two, high", "\xc1\xbf", false},
        {"overlong three", "\xe0\x9f\xbf", false},
        {"overlong four", "\xf0\x8f\xbf\xbf", false},
        {"surrogate", "\xed\xa0\x80", false},
        {"past the last", "\xf4\x90\x80\x80", false},
        {"f5", "\xf5\x80\x80\x80", false},
        {"ff", "\xff", false},
        {"cut two", "\xc3", false},
        {"cut three", "\xe2\x82", false},
        {"cut four", "\xf0\x9f\x98", false},
        {"ascii for a continuation", "\xe2\x82z", false},
        {"bad after eight of ascii", "01234567\xff", false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct slice text = slice_str(cases[i].text);
        assert_case(cases[i].name, utf8_valid(text) == cases[i].valid);
        if (!cases[i].valid)
            continue;
        size_t run = utf8_run(text.data, text.size);
        assert_case(cases[i].name, run == (text.size && text.data[0] >= 0x80 ? text.size : 0));
    }
    assert_false(utf8_valid(slice_make("ab\0cdefghij", 11)));
    assert_false(utf8_valid(slice_make("abcdefghi\0", 10)));
}

/* Exactly the code points that UTF-8 can hold are taken, each as one sequence. */
static void test_utf8_every_code_point(void **state)
{
    for (uint32_t c = 0x80; c < 0x120000; c++) {
        uint8_t p[4] = {(uint8_t)(0xf0 | c >> 18), (uint8_t)(0x80 | (c >> 12 & 63)),
                        (uint8_t)(0x80 | (c >> 6 & 63)), (uint8_t)(0x80 | (c & 63))};
        uint8_t *at = p;
        if (c < 0x800)
            *(at = p + 2) = (uint8_t)(0xc0 | c >> 6);
        else if (c < 0x10000)
            *(at = p + 1) = (uint8_t)(0xe0 | c >> 12);
        size_t size = (size_t)(p + 4 - at);
        bool valid = c < 0x110000 && (c < 0xd800 || c > 0xdfff);
        assert_int_equal(utf8_sequence(at, size), valid ? size : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base64_decode),
        cmocka_unit_test(test_base64_into_a_full_buffer),
        cmocka_unit_test(test_hex),
        cmocka_unit_test(test_uuid),
        cmocka_unit_test(test_uuid_from_hash_is_version_8),
        cmocka_unit_test(test_uuid_from_time_sorts_by_time),
        cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_utf8_every_code_point),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

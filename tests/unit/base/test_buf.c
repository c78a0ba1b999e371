#include "base.h"
#include "test.h"

static void test_append_grows_and_ends_with_nul(void **state)
{
    struct buf buf = {0};
    for (int i = 0; i < 10000; i++) {
        buf_append(&buf, "ab", 2);
        buf_append_byte(&buf, 'c');
        assert_int_equal(buf.data[buf.size], 0);
    }
    assert_int_equal(buf.size, 30000);
    assert_memory_equal(buf.data + 29997, "abc", 3);
    buf_deinit(&buf);
    assert_null(buf.data);
    buf_append_str(&buf, "again");
    assert_true(slice_equal_str(buf_slice(&buf), "again"));
    buf_deinit(&buf);
}

static void test_limit_is_exact_and_overflow_stays(void **state)
{
    struct buf buf = {.limit = 4};
    buf_append_str(&buf, "abcd");
    assert_false(buf.overflow);
    buf_append_byte(&buf, 'e');
    assert_true(buf.overflow);
    assert_null(buf_extend(&buf, 0));
    assert_true(slice_equal_str(buf_slice(&buf), "abcd"));
    buf_reset(&buf);
    assert_false(buf.overflow);
    buf_append_str(&buf, "abcde");
    assert_true(buf.overflow);
    assert_int_equal(buf.size, 0); /* all or nothing */
    buf_deinit(&buf);
}

static void test_default_limit(void **state)
{
    struct buf buf = {0};
    assert_null(buf_extend(&buf, ((size_t)64 << 20) + 1));
    assert_null(buf_extend(&buf, SIZE_MAX));
    assert_true(buf.overflow);
    buf_deinit(&buf);
}

static void test_empty_appends(void **state)
{
    struct buf buf = {0};
    buf_append(&buf, NULL, 0);
    buf_append_slice(&buf, slice_make(NULL, 0));
    assert_int_equal(buf.size, 0);
    assert_string_equal((const char *)buf.data, "");
    buf_deinit(&buf);
    buf_reset(&buf);
    assert_null(buf.data);
}

static void test_printf_short_and_long(void **state)
{
    struct buf buf = {0};
    for (int width = 254; width <= 258; width++) {
        buf_reset(&buf);
        buf_printf(&buf, "%*d", width, 7);
        assert_int_equal(buf.size, width);
        assert_int_equal(buf.data[width - 1], '7');
    }
    buf.limit = 100;
    buf_reset(&buf);
    buf_printf(&buf, "%101d", 7);
    assert_true(buf.overflow);
    buf_deinit(&buf);
}

static void test_varint_round_trip(void **state)
{
    static const struct {
        uint64_t value;
        const char *bytes;
        size_t size;
    } cases[] = {
        {0, "\x00", 1},
        {1, "\x01", 1},
        {127, "\x7f", 1},
        {128, "\x80\x01", 2},
        {300, "\xac\x02", 2},
        {UINT32_MAX, "\xff\xff\xff\xff\x0f", 5},
        {UINT64_MAX, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct buf buf = {0};
        uint64_t value = 0;
        buf_append_varint(&buf, cases[i].value);
        assert_true(slice_equal(buf_slice(&buf), slice_make(cases[i].bytes, cases[i].size)));
        for (size_t cut = 0; cut < buf.size; cut++) {
            struct slice part = slice_make(buf.data, cut), before = part;
            assert_int_equal(slice_take_varint(&part, &value), ERR_INVALID);
            assert_ptr_equal(part.data, before.data);
        }
        struct slice s = buf_slice(&buf);
        assert_int_equal(slice_take_varint(&s, &value), STATUS_OK);
        assert_true(value == cases[i].value && s.size == 0);
        buf_deinit(&buf);
    }
}

static void test_varint_too_long(void **state)
{
    static const char *const cases[] = {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02",
                                        "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct slice s = slice_str(cases[i]);
        uint64_t value = 42;
        assert_int_equal(slice_take_varint(&s, &value), ERR_INVALID);
        assert_int_equal(value, 42);
    }
}

static void test_take_bytes(void **state)
{
    struct buf buf = {0};
    buf_append_bytes(&buf, SLICE_LITERAL("hello"));
    buf_append_bytes(&buf, slice_make(NULL, 0));
    struct slice s = buf_slice(&buf), bytes;
    assert_int_equal(slice_take_bytes(&s, &bytes), STATUS_OK);
    assert_true(slice_equal_str(bytes, "hello"));
    assert_int_equal(slice_take_bytes(&s, &bytes), STATUS_OK);
    assert_int_equal(bytes.size, 0);
    assert_int_equal(slice_take_bytes(&s, &bytes), ERR_INVALID);

    s = slice_make(buf.data, 5); /* a length of 5, 4 bytes */
    assert_int_equal(slice_take_bytes(&s, &bytes), ERR_INVALID);
    assert_int_equal(s.size, 5); /* nothing taken */
    s = SLICE_LITERAL("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x");
    assert_int_equal(slice_take_bytes(&s, &bytes), ERR_INVALID);
    s = slice_make(NULL, 0);
    assert_int_equal(slice_take(&s, 0, &bytes), STATUS_OK);
    assert_int_equal(slice_take(&s, 1, &bytes), ERR_INVALID);
    buf_deinit(&buf);
}

static void test_slice_order(void **state)
{
    static const struct {
        const char *a, *b;
        int order;
    } cases[] = {
        {"", "", 0},   {"", "a", -1},   {"a", "", 1},    {"a", "b", -1},
        {"b", "a", 1}, {"a", "ab", -1}, {"ab", "b", -1}, {"\x7f", "\x80", -1},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int order = slice_compare(slice_str(cases[i].a), slice_str(cases[i].b));
        assert_int_equal((order > 0) - (order < 0), cases[i].order);
        assert_int_equal(slice_equal(slice_str(cases[i].a), slice_str(cases[i].b)), order == 0);
    }
    assert_int_equal(slice_str(NULL).size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_append_grows_and_ends_with_nul),
        cmocka_unit_test(test_limit_is_exact_and_overflow_stays),
        cmocka_unit_test(test_default_limit),
        cmocka_unit_test(test_empty_appends),
        cmocka_unit_test(test_printf_short_and_long),
        cmocka_unit_test(test_varint_round_trip),
        cmocka_unit_test(test_varint_too_long),
        cmocka_unit_test(test_take_bytes),
        cmocka_unit_test(test_slice_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

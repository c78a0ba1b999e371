#include "json.h"
#include "test.h"
#include <math.h>

static const struct json_node *number(struct json_node *node, const char *text)
{
    *node = (struct json_node){.type = JSON_NUMBER, .raw = slice_str(text)};
    return node;
}

static void test_int(void **state)
{
    static const struct {
        const char *text;
        int64_t value; /* INT64_MIN: refused */
    } cases[] = {
        {"0", 0},
        {"-0", 0},
        {"7", 7},
        {"-7", -7},
        {"10", 10},
        {"100", 100},
        {"1.0", 1},
        {"1.50e1", 15},
        {"12e3", 12000},
        {"12000e-3", 12},
        {"0.0000", 0},
        {"0e99999", 0},
        {"0.001e3", 1},
        {"1e15", INT64_C(1000000000000000)},
        {"9007199254740992", INT64_C(9007199254740992)},
        {"-9007199254740992", -INT64_C(9007199254740992)},
        {"9007199254740992.000", INT64_C(9007199254740992)},
        {"9007199254740993", INT64_MIN},
        {"-9007199254740993", INT64_MIN},
        {"1e16", INT64_MIN},
        {"9999999999999999", INT64_MIN},
        {"18446744073709551617", INT64_MIN},
        {"1e20", INT64_MIN},
        {"1e999999999999999999999", INT64_MIN},
        {"0.5", INT64_MIN},
        {"1e-1", INT64_MIN},
        {"0.99999999999999999999999999", INT64_MIN},
        {"1.0000000000000000000000001", INT64_MIN},
        {"1e-999999999999999999999", INT64_MIN},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct json_node node;
        int64_t value = 42;
        int rc = json_int(number(&node, cases[i].text), &value);
        assert_case(cases[i].text, rc == (cases[i].value == INT64_MIN ? ERR_INVALID : STATUS_OK));
        assert_case(cases[i].text, value == (rc < 0 ? 42 : cases[i].value));
    }
}

static void test_double(void **state)
{
    static const char *const cases[] = {
        "0",
        "1",
        "-1",
        "0.1",
        "0.2",
        "0.3",
        "1.5",
        "123.456",
        "1e22",
        "1e23",
        "-1e-22",
        "1e20",
        "9007199254740993",
        "123456789012345678901234567890",
        "1.7976931348623157e308",
        "5e-324",
        "2.2250738585072011e-308",
        "2.2250738585072014e-308",
        "4.9406564584124654e-324",
        "1e-400",
        "0.000000000000000000000000000000000000000000000000000001",
        "3.14159265358979323846264338327950288",
        "100000000000000000000000000000000000000000000000000",
        "8.41e21",
        "2.2204460492503131e-16",
        "9.5367431640625e-7",
        "0.30000000000000004",
        "1e0000000000000000000000000005",
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct json_node node;
        double value = 42;
        assert_case(cases[i], json_double(number(&node, cases[i]), &value) == STATUS_OK);
        assert_case(cases[i], value == strtod(cases[i], NULL));
    }
    struct json_node node;
    double value;
    assert_int_equal(json_double(number(&node, "-0"), &value), STATUS_OK);
    assert_true(value == 0 && signbit(value));
}

static void test_double_refuses(void **state)
{
    struct json_node node;
    double value = 42;
    int64_t whole = 42;
    assert_int_equal(json_double(number(&node, "1e309"), &value), ERR_INVALID);
    assert_int_equal(json_double(number(&node, "-1e99999999999999999999"), &value), ERR_INVALID);
    node = (struct json_node){.type = JSON_STRING, .raw = slice_str("\"1\"")};
    assert_int_equal(json_double(&node, &value), ERR_INVALID);
    assert_int_equal(json_int(&node, &whole), ERR_INVALID);
    assert_int_equal(json_double(NULL, &value), ERR_INVALID);
    assert_int_equal(json_int(NULL, &whole), ERR_INVALID);
    assert_true(value == 42 && whole == 42);
}

/* Longer than what is kept of the digits: the tail decides which way a middle point rounds. */
static void test_double_of_many_digits(void **state)
{
    static const char *const tails[] = {"", "0", "1"};
    for (size_t zeros = 700; zeros <= 900; zeros += 25) {
        for (size_t i = 0; i < ARRAY_SIZE(tails); i++) {
            struct buf text = {0};
            struct json_node node;
            double value = 0;
            buf_append_str(&text, "9007199254740993."); /* between 2^53 and 2^53 + 2 */
            for (size_t j = 0; j < zeros; j++)
                buf_append_byte(&text, '0');
            buf_append_str(&text, tails[i]);
            assert_int_equal(json_double(number(&node, (char *)text.data), &value), STATUS_OK);
            assert_true(value == (tails[i][0] == '1' ? 0x1p53 + 2 : 0x1p53));
            buf_deinit(&text);
        }
    }
}

static void test_long_whole_numbers(void **state)
{
    struct buf text = {0};
    struct json_node node;
    double value = 0, expected;
    int64_t whole;
    buf_append_str(&text, "1");
    for (int i = 0; i < 300; i++)
        buf_append_byte(&text, '0');
    assert_int_equal(json_double(number(&node, (char *)text.data), &value), STATUS_OK);
    assert_true(value == 1e300);
    for (int i = 0; i < 1000; i++)
        buf_append_byte(&text, '0');
    assert_int_equal(json_double(number(&node, (char *)text.data), &value), ERR_INVALID);
    buf_append_str(&text, "e-1300");
    assert_int_equal(json_double(number(&node, (char *)text.data), &value), STATUS_OK);
    assert_int_equal(json_int(&node, &whole), STATUS_OK);
    assert_true(value == 1 && whole == 1);
    buf_reset(&text);
    for (int i = 0; i < 1000; i++)
        buf_append_byte(&text, '7');
    buf_append_str(&text, "e-900");
    assert_int_equal(json_double(number(&node, (char *)text.data), &value), STATUS_OK);
    expected = strtod((char *)text.data, NULL);
    assert_true(value == expected);
    buf_deinit(&text);
}

/* Any double's text reads back as the same double, against strtod as well. */
static void test_random_doubles(void **state)
{
    struct random random = {5};
    struct buf text = {0};
    for (int i = 0; i < 100000; i++) {
        struct json_node node;
        uint64_t bits = random_next(&random);
        double value, again = 0;
        memcpy(&value, &bits, sizeof(value));
        if (i % 2) /* what people write: a few decimals */
            value = (double)(int64_t)(bits >> 40) / 1000;
        if (!isfinite(value))
            continue;
        buf_reset(&text);
        buf_printf(&text, "%.*g", i % 3 ? 17 : 30, value);
        assert_int_equal(json_double(number(&node, (char *)text.data), &again), STATUS_OK);
        assert_true(again == value);
    }
    buf_deinit(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_int),
        cmocka_unit_test(test_double),
        cmocka_unit_test(test_double_refuses),
        cmocka_unit_test(test_double_of_many_digits),
        cmocka_unit_test(test_long_whole_numbers),
        cmocka_unit_test(test_random_doubles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

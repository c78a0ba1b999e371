#include "base.h"
#include "test.h"
#include <time.h>

static void test_parse_takes(void **state)
{
    static const struct {
        const char *text, *formatted;
        int32_t offset;
    } cases[] = {
        {"1970-01-01", "1970-01-01T00:00:00.000Z", 0},
        {"2024-02-29", "2024-02-29T00:00:00.000Z", 0},
        {"2000-02-29", "2000-02-29T00:00:00.000Z", 0},
        {"2026-01-02T03:04", "2026-01-02T03:04:00.000Z", 0},
        {"2026-01-02T03:04Z", "2026-01-02T03:04:00.000Z", 0},
        {"2026-01-02T03:04:05", "2026-01-02T03:04:05.000Z", 0},
        {"2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000Z", 0},
        {"2026-01-02t03:04:05z", "2026-01-02T03:04:05.000Z", 0},
        {"2026-01-02 03:04:05Z", "2026-01-02T03:04:05.000Z", 0},
        {"2026-01-02T03:04:05.6Z", "2026-01-02T03:04:05.600Z", 0},
        {"2026-01-02T03:04:05,678", "2026-01-02T03:04:05.678Z", 0},
        {"2026-01-02T03:04:05.000001Z", "2026-01-02T03:04:05.000001Z", 0},
        {"2026-01-02T03:04:05.123456789Z", "2026-01-02T03:04:05.123456Z", 0},
        {"2026-01-02T03:04:05.9999999Z", "2026-01-02T03:04:05.999999Z", 0},
        {"2026-01-02T03:04:05+00:00", "2026-01-02T03:04:05.000Z", 0},
        {"2026-01-02T03:04:05-00:00", "2026-01-02T03:04:05.000Z", 0},
        {"2026-01-02T03:04:05+05:30", "2026-01-01T21:34:05.000Z", 19800},
        {"2026-01-02T03:04:05+0530", "2026-01-01T21:34:05.000Z", 19800},
        {"2026-01-02T03:04:05-08", "2026-01-02T11:04:05.000Z", -28800},
        {"2026-01-02T03:04-03:30", "2026-01-02T06:34:00.000Z", -12600},
        {"2026-12-31T23:59:59.999999-23:59", "2027-01-01T23:58:59.999999Z", -86340},
        {"1969-12-31T23:00:00-01:00", "1970-01-01T00:00:00.000Z", -3600},
        {"2262-01-01T00:00:00+00:01", "2261-12-31T23:59:00.000Z", 60},
        {"2261-12-31T23:59:59.999999Z", "2261-12-31T23:59:59.999999Z", 0},
        {"2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000Z", 0}, /* leap seconds */
        {"2017-01-01T01:59:60.5+02:00", "2017-01-01T00:00:00.500Z", 7200},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int64_t time = 0;
        int32_t offset = -1;
        char text[TIME_TEXT_SIZE];
        assert_case(cases[i].text, time_parse(&time, &offset, slice_str(cases[i].text)) == 0);
        time_format(text, time);
        assert_string_equal(text, cases[i].formatted);
        assert_case(cases[i].text, offset == cases[i].offset);
    }
}

static void test_parse_refuses(void **state)
{
    static const char *const cases[] = {
        "",
        "2026",
        "2026-01",
        "2026-1-02",
        "20260102",
        "2026-01-02T",
        "2026-01-02T03",
        "2026-01-02T03:",
        "2026-01-02T03:4",
        "2026-01-02T030405",
        "2026-01-02T03:04:",
        "2026-01-02T03:04:5",
        "2026-01-02T03:04:05.",
        "2026-01-02T03:04:05.Z",
        "2026-01-02T24:00:00Z",
        "2026-01-02T03:60:00Z",
        "2026-01-02T03:04:61Z",
        "2026-01-02T03:04:60Z",
        "2026-00-02",
        "2026-13-02",
        "2026-01-00",
        "2026-01-32",
        "2026-04-31",
        "2023-02-29",
        "2100-02-29",
        "1969-12-31T23:59:59.999999Z",
        "2262-01-01T00:00:00Z",
        "1970-01-01T00:00:00+00:01",
        "0000-01-01",
        "9999-12-31",
        "2026-01-02T03:04:05+",
        "2026-01-02T03:04:05+5",
        "2026-01-02T03:04:05+05:",
        "2026-01-02T03:04:05+05:3",
        "2026-01-02T03:04:05+24:00",
        "2026-01-02T03:04:05+05:60",
        "2026-01-02T03:04:05ZZ",
        "2026-01-02T03:04:05Z ",
        " 2026-01-02",
        "2026-01-02x",
        "2026-01-02+01:00",
        "+2026-01-02",
        "2026-01-02T03:04:05 Z",
        "2026-W01-5",
        "2026-01-02T-3:04:05Z",
        "1767323045",
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int64_t time = 42;
        int32_t offset = 42;
        assert_case(cases[i], time_parse(&time, &offset, slice_str(cases[i])) == ERR_INVALID);
        assert_case(cases[i], time == 42 && offset == 42);
    }
    int64_t time;
    assert_int_equal(time_parse(&time, NULL, slice_make("2026-01-02T03:04:05Z\0", 21)),
                     ERR_INVALID);
    assert_int_equal(time_parse(&time, NULL, slice_make("2026-01-02\0003:04:05", 19)), ERR_INVALID);
    assert_int_equal(time_parse(&time, NULL, slice_make(NULL, 0)), ERR_INVALID);
}

/* In memory of exactly its size, cut at each byte. */
static void test_parse_reads_no_further(void **state)
{
    static const char text[] = "2026-01-02T03:04:05.678+05:30";
    for (size_t size = 1; size < sizeof(text); size++) {
        uint8_t *exact = malloc(size);
        int64_t time;
        assert_non_null(exact);
        memcpy(exact, text, size);
        bool whole = size == 10 || size == 16 || size == 19 || (size >= 21 && size <= 23) ||
                     size == 26 || size == 29;
        assert_int_equal(time_parse(&time, NULL, slice_make(exact, size)) == STATUS_OK, whole);
        free(exact);
    }
}

/* Every day of the range, at some microsecond of it, against the C library. */
static void test_every_day_round_trips(void **state)
{
    struct random random = {3};
    for (int64_t day = 0; day * DAY_US < INT64_C(9214646400) * SECOND_US; day++) {
        int64_t time = day * DAY_US + (int64_t)(random_next(&random) % (uint64_t)DAY_US), again;
        char text[TIME_TEXT_SIZE], expected[TIME_TEXT_SIZE];
        time_t seconds = time / SECOND_US;
        struct tm tm;
        time_format(text, time);
        assert_non_null(gmtime_r(&seconds, &tm));
        assert_int_equal(strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%S.", &tm), 20);
        assert_memory_equal(text, expected, 20);
        assert_int_equal(time_parse(&again, NULL, slice_str(text)), STATUS_OK);
        assert_true(again == time);
    }
}

static void test_format(void **state)
{
    static const struct {
        int64_t time;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {1, "1970-01-01T00:00:00.000001Z"},
        {1000, "1970-01-01T00:00:00.001Z"},
        {-1, "1969-12-31T23:59:59.999999Z"},
        {INT64_C(-62135596800) * SECOND_US, "0001-01-01T00:00:00.000Z"},
        {TIME_NONE, ""},
        {INT64_MIN + 1, "-290308-12-21T19:59:05.224193Z"},
        {INT64_MAX, "294247-01-10T04:00:54.775807Z"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char text[TIME_TEXT_SIZE];
        time_format(text, cases[i].time);
        assert_string_equal(text, cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse_takes),
        cmocka_unit_test(test_parse_refuses),
        cmocka_unit_test(test_parse_reads_no_further),
        cmocka_unit_test(test_every_day_round_trips),
        cmocka_unit_test(test_format),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

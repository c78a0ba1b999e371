/* A file's records out of pieces of any size. */
#include "domain/records.h"
#include "test.h"

#include <stdio.h>

static const struct {
    const char *name;
    bool csv;
    const char *text;
    const char *shown; /* line:text, "!" where it is too long or open */
} CASES[] = {
    {"lines", false, "a\nb\n", "1:a 2:b "},
    {"no end", false, "a\nb", "1:a 2:b "},
    {"CRLF and empty", false, "a\r\n\r\nb\r\n", "1:a 2: 3:b "},
    {"quotes mean nothing in lines", false, "\"a\nb\n", "1:\"a 2:b "},
    {"records", true, "a,b\nc,d\n", "1:a,b 2:c,d "},
    {"a line end in quotes", true, "a,\"b\nc\"\nd\n", "1:a,\"b\nc\" 3:d "},
    {"doubled quotes", true, "\"a\"\"\nb\"\nc", "1:\"a\"\"\nb\" 3:c "},
    {"a quote inside a plain cell", true, "a\"b\nc\n", "1:a\"b 2:c "},
    {"a quote left open", true, "a\n\"b\nc\nd\n", "1:a 2:!\"b 3:c 4:d "},
    {"a quote left open at the end", true, "a\n\"b", "1:a 2:\"b "},
    {"nothing", false, "", ""},
};

static void show(struct records *records, bool last, struct buf *out)
{
    struct record record;
    while (records_next(records, last, &record))
        buf_printf(out, "%d:%s%.*s ", (int)record.line, record.too_long ? "!" : "",
                   (int)record.text.size, (const char *)record.text.data);
}

static void test_pieces(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(CASES); i++)
        for (size_t piece = 1; piece < 20; piece += 3) {
            struct records records;
            struct buf out = {0};
            size_t size = strlen(CASES[i].text);
            records_init(&records, CASES[i].csv, 0, 1);
            for (size_t at = 0; at < size; at += piece) {
                records_feed(&records, CASES[i].text + at, size - at < piece ? size - at : piece);
                show(&records, false, &out);
            }
            show(&records, true, &out);
            buf_append_byte(&out, '\0');
            if (strcmp((const char *)out.data, CASES[i].shown) != 0)
                fail_msg("case \"%s\", pieces of %zu: %s", CASES[i].name, piece, out.data);
            assert_case(CASES[i].name, records.offset == size);
            buf_deinit(&out);
            records_deinit(&records);
        }
}

/* A line over the limit is one record, however long it is, and takes no more memory than that. */
static void test_too_long(void **state)
{
    static char piece[RECORD_MAX];
    struct records records;
    struct record record;
    unsigned n = 0, long_ones = 0;
    memset(piece, 'x', sizeof(piece));
    records_init(&records, false, 0, 1);
    for (int i = 0; i < 10; i++) {
        records_feed(&records, piece, sizeof(piece));
        while (records_next(&records, false, &record)) {
            n++;
            long_ones += record.too_long;
        }
        assert_true(records.buf.size <= 2 * RECORD_MAX);
    }
    records_feed(&records, "\nb\n", 3);
    while (records_next(&records, true, &record))
        n++;
    assert_int_equal(long_ones, 1);
    assert_int_equal(n, 2);
    assert_int_equal(record.line, 2);
    records_deinit(&records);
}

/* A record whose quotes turn out to be none gives back what it took too much. */
static void test_cut(void **state)
{
    struct records records;
    struct record record;
    records_init(&records, true, 100, 7);
    records_feed(&records, "\"a,b\r\nc,\"d\"\ne\n", 14);
    assert_true(records_next(&records, true, &record));
    assert_true(slice_equal_str(record.text, "\"a,b\r\nc,\"d\""));
    records_cut(&records, &record);
    assert_true(slice_equal_str(record.text, "\"a,b"));
    assert_int_equal(records.line, 8);
    assert_int_equal(records.offset, 106);
    assert_true(records_next(&records, true, &record));
    assert_true(slice_equal_str(record.text, "c,\"d\""));
    assert_true(records_next(&records, true, &record));
    assert_int_equal(record.line, 9);
    records_cut(&records, &record); /* a line alone stays what it is */
    assert_true(slice_equal_str(record.text, "e"));
    assert_int_equal(records.offset, 114);
    records_deinit(&records);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_pieces),
                                       cmocka_unit_test(test_too_long), cmocka_unit_test(test_cut)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

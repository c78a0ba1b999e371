#include "domain/csv.h"
#include "test.h"

#include <stdio.h>

/* A table as text: cells by |, rows by /, missing ones as ~. */
static const char *show(const struct csv_table *table, char out[200])
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t row = 0; row < table->n_rows; row++)
        for (unsigned column = 0; column < table->n_columns; column++) {
            struct slice cell = csv_cell(table, row, column);
            used += (size_t)snprintf(out + used, 200 - used, "%s%.*s",
                                     column ? "|"
                                     : row  ? "/"
                                            : "",
                                     cell.data ? (int)cell.size : 1,
                                     cell.data ? (const char *)cell.data : "~");
        }
    return out;
}

static const struct {
    const char *name, *text;
    const char *shown; /* NULL: refused */
    const char *says;
} CASES[] = {
    {"plain", "a,b\n1,2\n3,4\n", "1|2/3|4", NULL},
    {"no line end at the end", "a,b\n1,2", "1|2", NULL},
    {"CRLF", "a,b\r\n1,2\r\n", "1|2", NULL},
    {"quotes", "a,b\n\"1,5\",\"say \"\"hi\"\"\"\n", "1,5|say \"hi\"", NULL},
    {"a line end in quotes", "a,b\n\"1\n2\",3\n", "1\n2|3", NULL},
    {"missing and the word", "a,b\nNA,\"NA\"\n", "~|NA", NULL},
    {"missing before CRLF", "a,b\r\n1,NA\r\n", "1|~", NULL},
    {"empty cells", "a,b\n,\n", "|", NULL},
    {"an empty line", "a,b\n\n1,2\n\n", "1|2", NULL},
    {"byte-order mark", "\xef\xbb\xbf\"a\",b\n1,2\n", "1|2", NULL},
    {"no rows", "a,b\n", "", NULL},
    {"quote left open", "a,b\n\"1,2\n", NULL, "line 3"},
    {"text after a quote", "a,b\n\"1\"x,2\n", NULL, "line 2"},
    {"a cell too few", "a,b\n1,2\n3\n", NULL, "line 3 has 1 columns"},
    {"a cell too many", "a,b\n1,2,3\n", NULL, "line 2 has 3 columns"},
    {"nothing", "", NULL, "names no columns"},
};

static void test_cases(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(CASES); i++) {
        struct csv_table table = {0};
        struct err err = {0};
        char shown[200], *text = strdup(CASES[i].text);
        assert_non_null(text);
        int status = csv_table_parse(&table, text, strlen(text), &err);
        assert_case(CASES[i].name, (status == 0) == (CASES[i].shown != NULL));
        if (status == 0)
            assert_string_equal(show(&table, shown), CASES[i].shown);
        else
            assert_case(CASES[i].name, strstr(err.message, CASES[i].says));
        csv_table_deinit(&table);
        free(text);
    }
}

/* In memory of exactly its size: a sanitizer sees a read past the end. */
static void test_every_cut(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(CASES); i++)
        for (size_t cut = 0; cut <= strlen(CASES[i].text); cut++) {
            struct csv_table table = {0};
            struct err err;
            char *text = malloc(cut ? cut : 1);
            assert_non_null(text);
            memcpy(text, CASES[i].text, cut);
            if (csv_table_parse(&table, text, cut, &err) == 0)
                csv_table_deinit(&table);
            free(text);
        }
}

static void test_columns(void **state)
{
    char text[] = "a,\"b c\"\n1,2\n";
    struct csv_table table;
    assert_int_equal(csv_table_parse(&table, text, strlen(text), NULL), 0);
    assert_int_equal(csv_column(&table, "b c"), 1);
    assert_int_equal(csv_column(&table, "b"), -1);
    csv_table_deinit(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_every_cut),
        cmocka_unit_test(test_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

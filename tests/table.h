#pragma once
/*
 * Truth tables in text files beside the tests that read them: a case a line, columns divided by '|', trimmed; '#' begins a comment line,
 * '-' stands for an empty column.
 */
#include "base.h"
#include "test.h"

#include <stdio.h>

#define TABLE_COLUMNS 12

struct table_row {
    int line;
    const char *file;
    char *columns[TABLE_COLUMNS];
    unsigned n;
};

static inline char *table_trim(char *text)
{
    while (*text == ' ' || *text == '\t')
        text++;
    size_t n = strlen(text);
    while (n && (text[n - 1] == ' ' || text[n - 1] == '\t' || text[n - 1] == '\n'))
        text[--n] = 0;
    if (strcmp(text, "-") == 0)
        *text = 0;
    return text;
}

/* Calls each with every row of tests/unit/<name>; rows must have n columns. */
static inline void table_each_of(const char *name, unsigned n,
                                 void (*each)(const struct table_row *row, void *user), void *user)
{
    char path[200], line[4096];
    int rows = 0;
    assert_true(snprintf(path, sizeof(path), "tests/unit/%s", name) > 0);
    FILE *file = fopen(path, "re");
    if (!file)
        fail_msg("cannot open %s: run from the top of the tree", path);
    for (int number = 1; fgets(line, sizeof(line), file); number++) {
        struct table_row row = {.line = number, .file = name};
        char *rest = line;
        if (line[0] == '#' || line[0] == '\n')
            continue;
        while (rest && row.n < TABLE_COLUMNS)
            row.columns[row.n++] = table_trim(strsep(&rest, "|"));
        if (row.n != n)
            fail_msg("%s:%d: %u columns, not %u", name, number, row.n, n);
        each(&row, user);
        rows++;
    }
    assert_int_equal(fclose(file), 0);
    assert_true(rows > 0);
}

#define assert_row(row, condition)                                                                 \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fail_msg("%s:%d: %s", (row)->file, (row)->line, #condition);                           \
    } while (0)

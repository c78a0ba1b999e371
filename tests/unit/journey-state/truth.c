#include "truth.h"

#include <stdio.h>
#include <string.h>

static char *trim(char *text)
{
    while (*text == ' ')
        text++;
    size_t size = strlen(text);
    while (size && (text[size - 1] == ' ' || text[size - 1] == '\n'))
        text[--size] = '\0';
    return text;
}

static void check_line(const char *line, void (*check)(const struct truth *truth))
{
    char copy[1024], name[1024];
    struct truth truth = {.line = name};
    (void)snprintf(copy, sizeof(copy), "%s", line);
    (void)snprintf(name, sizeof(name), "%s", line);
    for (int i = 0; i < TRUTH_COLUMNS; i++)
        truth.columns[i] = "";
    char *at = copy;
    for (int i = 0; i < TRUTH_COLUMNS && at; i++) {
        char *column = strsep(&at, "|");
        truth.columns[i] = trim(column);
    }
    check(&truth);
}

void truth_each(const char *file, void (*check)(const struct truth *truth))
{
    char path[256], line[1024];
    unsigned cases = 0;
    (void)snprintf(path, sizeof(path), "tests/unit/journey-state/%s", file);
    FILE *f = fopen(path, "r");
    if (!f)
        fail_msg("%s cannot be read; tests run in the tree's top folder", path);
    while (f && fgets(line, sizeof(line), f)) {
        if (line[0] == '#' || line[0] == '\n')
            continue;
        check_line(line, check);
        cases++;
    }
    if (f)
        assert_int_equal(fclose(f), 0);
    assert_true(cases > 0);
}

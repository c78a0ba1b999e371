#pragma once
/* The tables of this folder, and durations in them. */
#include "table.h"

static inline void table_each(const char *name, unsigned n,
                              void (*each)(const struct table_row *row, void *user), void *user)
{
    char path[200];
    assert_true(snprintf(path, sizeof(path), "ingest/%s", name) > 0);
    table_each_of(path, n, each, user);
}

/* "12:30:00", "-1d 12:00", "+00:05:00" and the like: [sign][days d ]hh:mm[:ss[.micros]] */
static inline int64_t table_duration_us(const char *text)
{
    int64_t sign = 1, total = 0;
    if (*text == '-' || *text == '+')
        sign = *text++ == '-' ? -1 : 1;
    char *end;
    long long number = strtoll(text, &end, 10);
    if (*end == 'd') {
        total = number * DAY_US;
        text = end + 1;
        number = strtoll(text, &end, 10);
    }
    total += number * HOUR_US;
    if (*end == ':')
        total += strtoll(end + 1, &end, 10) * MINUTE_US;
    if (*end == ':')
        total += strtoll(end + 1, &end, 10) * SECOND_US;
    if (*end == '.')
        total += strtoll(end + 1, &end, 10); /* six digits */
    return sign * total;
}

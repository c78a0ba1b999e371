#pragma once
/*
 * setting: the table of a tenant's settings, their ranges and defaults, for whoever writes, checks or reads one. What is
 * not set has its default; services read what differs from the topic, the gateway from its own table.
 */
#include "base.h"

enum setting_type {
    SETTING_INT,    /* whole number, min..max */
    SETTING_CHOICE, /* one of the words in `choices` */
    SETTING_RATE,   /* "default", "none", or a whole number a second, 1..1000000 */
    SETTING_TEXT,   /* min..max bytes */
    SETTING_OBJECT, /* a JSON object of at most max bytes, or nothing */
};

/* What SETTING_RATE's "default" stands for: a second of each key. */
#define SETTING_RATE_WRITE   1000
#define SETTING_RATE_SECRET  100
#define SETTING_MAX_PERSONAL 500 /* bytes of personal_data_allowed */

struct setting {
    const char *key;
    enum setting_type type;
    int64_t min, max;
    const char *choices; /* separated by | */
    const char *fallback;
    const char *meaning;
    bool column; /* kept in the tenant's own row, not among its settings */
};

const struct setting *setting_table(unsigned *n);
const struct setting *setting_find(const char *key); /* NULL: unknown */
/* The range in words, e.g. "1 .. 86400"; written to out, which is returned. */
const char *setting_range(const struct setting *setting, char out[100]);
int setting_check(const struct setting *setting, const char *value, struct err *err) MUST_CHECK;

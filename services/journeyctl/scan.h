#pragma once
/* scan: a topic from its beginning, all partitions at once, each in its own order. */
#include "ctl.h"

struct scan {
    int topic;      /* of enum topic, or with TOPIC_DLQ */
    bool only_new;  /* from the end as it is now, instead of the beginning */
    bool until_end; /* stops at the end as it is now; else at Ctrl-C */
    /* Every record; false stops. What it points to lives until it returns. */
    bool (*record)(void *user, const struct bus_record *record);
    void (*idle)(void *user); /* nothing more has come for now; may be NULL */
    void *user;
};

/* Says errors itself. A log that falls silent before its end: CTL_UNAVAILABLE, for what was shown is not all. */
int scan_run(struct ctl *ctl, const struct scan *scan) MUST_CHECK;
/* --name TOPIC of the command line as a topic; says what there is otherwise. */
int scan_topic_find(const char *name, int *topic) MUST_CHECK;
/* One record, by its place. CTL_FAILED: it is not there (any more). */
int scan_one(struct ctl *ctl, int topic, int32_t partition, int64_t offset,
             bool (*record)(void *user, const struct bus_record *record), void *user) MUST_CHECK;

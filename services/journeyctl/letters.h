#pragma once
/* letters: dead letters as a topic's `.dlq` holds them, joined with what operators did with them. */
#include "ctl.h"

struct letter {
    const struct bus_record *record; /* as it is in the .dlq topic */
    int topic;                       /* of the letter, with TOPIC_DLQ */
    char tenant[UUID_TEXT_SIZE];     /* zeros: it does not say */
    struct slice code, reason, service, source;
    const char *done; /* what operators did: "replaying", "replayed", "dropped"; NULL: nothing */
};

struct letters_filter {
    int topic;                 /* -1: all topics; otherwise with TOPIC_DLQ */
    const char *tenant;        /* id; NULL: of all */
    const char *reason;        /* its code, or part of its text; NULL: any */
    int64_t partition, offset; /* -1: any */
    /* Each letter that fits; false stops. */
    bool (*letter)(void *user, const struct letter *letter);
    void *user;
};

/* --topic, --tenant, --reason, --partition, --offset of the command line. */
int letters_filter_init(struct ctl *ctl, const struct args *args,
                        struct letters_filter *filter) MUST_CHECK;
int letters_scan(struct ctl *ctl, const struct letters_filter *filter) MUST_CHECK;

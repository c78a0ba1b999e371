#pragma once
/*
 * The answer to a command is gathered from parts that services send. A route's table says which parts there are, whose
 * they are, which of them the answer can do without and how long those are waited for, and how they become JSON.
 *
 *     reply of a service ──► its parts are here; an optional one of its own that it did not send is missed
 *     problem of a service ──► of an essential part: the answer; else its parts are missed
 *     GW_GATHER_WAIT until every essential part is here, and every other one is here, missed or past its deadline;
 *     GW_GATHER_LATE when an essential one is past the request's deadline
 */
#include "json.h"

#define GW_MAX_PARTS 8

struct gw_part_spec {
    const char *name, *service;
    bool optional;
    int deadline_ms; /* of an optional part, from the request's beginning */
};

enum gw_member_source {
    GW_FROM_PART,    /* of the part named by value */
    GW_FROM_SUBJECT, /* the id that the request is about */
    GW_CONSTANT,     /* value is ready JSON */
};

struct gw_member {
    const char *name; /* NULL: the part is the whole answer */
    enum gw_member_source source;
    const char *value;
};

struct gw_answer {
    int status;
    const struct gw_part_spec *parts;
    unsigned n_parts;
    const struct gw_member *members;
    unsigned n_members;
    const char
        *location; /* where to look, before the subject, when it comes late; NULL: of a read */
};

enum gw_gather_state {
    GW_GATHER_WAIT,
    GW_GATHER_READY,
    GW_GATHER_LATE
};

struct gw_gather {
    const struct gw_answer *answer;
    int64_t deadline_us; /* of essential parts, from the request's beginning */
    struct {
        bool here, missed;
        struct slice json;
    } parts[GW_MAX_PARTS];
};

void gw_gather_init(struct gw_gather *gather, const struct gw_answer *answer, int64_t deadline_us);
/* One part of a reply; false: the answer has no such part. json is borrowed. */
bool gw_gather_part(struct gw_gather *gather, const char *name, struct slice json);
/* The service has said all it will; false: without an essential part of its own, which no answer can do without. */
bool gw_gather_service_done(struct gw_gather *gather, const char *service);
/* A problem instead of parts; true: an essential part is the service's, the problem is the answer. */
bool gw_gather_refused(struct gw_gather *gather, const char *service);
enum gw_gather_state gw_gather_state(const struct gw_gather *gather, int64_t elapsed_us);
/* When the state may change by time alone: microseconds from the request's beginning. */
int64_t gw_gather_next_us(const struct gw_gather *gather, int64_t elapsed_us);
/* The body of a READY answer; optional parts that are not here are left out and named in "degraded". */
unsigned gw_gather_write(const struct gw_gather *gather, struct slice subject, struct buf *out);

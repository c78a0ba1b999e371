#pragma once
/*
 * Cutting: which events a request holds, before anybody looks into them. How, is each client's own business
 * (domain/clients/); what comes out is the same for all: the bytes of each event, and what the request says for all of
 * them. Only quotes and brackets count here, so that what is wrong with one event is not the others' business.
 */
#include "form.h"

struct gw_request {    /* borrowed */
    struct slice body; /* gunzipped */
    struct slice query;
    const char *(*header)(const void *handle, const char *name); /* NULL: none */
    const void *handle;
    const struct gw_form_index *form;
    unsigned max_events;
    struct arena *arena;
};

struct gw_cut {
    struct slice *events; /* JSON each, or what should be it */
    unsigned n;
    bool batch;         /* a bad event is put aside, else it is the request that is bad */
    bool broken;        /* a bracket or quote is missing: the last event is all that was left */
    struct slice key;   /* that the body names, decoded; or empty */
    int64_t sent_at_us; /* for events that do not say; 0: none */
    const struct gw_facts *context; /* for events without one; NULL: none */
};

/* false: a fault says what is wrong with the request as a whole ("too_large": it holds too many events), or the arena
 * is full. */
typedef bool gw_cut_fn(const struct gw_request *request, struct gw_cut *cut,
                       struct gw_faults *faults);

/* ---- what several clients need ---- */

/* Elements of a JSON array, told by brackets. */
struct gw_list {
    struct slice *items;
    unsigned n; /* counts on beyond max, items do not */
    unsigned max;
    bool broken; /* the last one is all that was left */
};
/* The reader stands at the array's bracket. false: the arena is full. */
bool gw_cut_items(struct json_reader *reader, struct gw_list *list, struct arena *arena);

struct gw_wanted {
    const char *name;
    struct gw_list *list; /* filled in when it is an array; NULL: not asked for */
    struct slice
        raw; /* valid JSON; stays empty: it is not there, is null or no JSON. Of a list its extent alone */
};
/* Members of an object's first level. false: it is no object, or ends too early, or the arena is full; what was found
 * until there is filled in, the last one with all that was left. */
bool gw_cut_members(struct slice object, struct gw_wanted *wanted, unsigned n, struct arena *arena);
/* The events of a request, when there is such a list, and not too long a one. */
bool gw_cut_list(const struct gw_request *request, const struct gw_wanted *wanted,
                 struct gw_cut *cut, struct gw_faults *faults);
/* The body is one event. */
bool gw_cut_single(const struct gw_request *request, struct slice event, struct gw_cut *cut);

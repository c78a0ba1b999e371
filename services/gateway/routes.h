#pragma once
/* The route table: what a request is, who may send it, what becomes of it, and what its answer is made of. */
#include "domain/bodies.h"
#include "domain/event.h"
#include "exchange.h"

enum route_flag {
    ROUTE_BROWSER = 1,     /* called by pages of other origins */
    ROUTE_PATH_KEY = 4,    /* the key is the path's parameter */
    ROUTE_IMPORT = 8,      /* of events: of the past, and bad ones are told in the answer */
    ROUTE_READ_ONLY = 16,  /* changes nothing */
    ROUTE_CLIENT_KEY = 32, /* no events, but the key stands where the client puts it */
};

struct command_build; /* commands.h */

struct events_answer {
    const char *content_type; /* NULL: no body */
    struct slice body;
};

struct route {
    const char *name; /* stable: part of command ids, and of metrics */
    enum http_method method;
    const char *pattern;
    unsigned keys; /* of enum gw_key_kind; 0: none is asked for */
    unsigned flags;
    size_t body_limit; /* 0: nobody looks at it */
    void (*run)(struct exchange *exchange);
    /* of events: whose form, how they are cut; NULL: no events. Their key may stand where the client puts it. */
    enum gw_client_id client;
    gw_cut_fn *cut;
    /* what this client expects to hear; NULL: our own answer */
    const struct events_answer *taken;
    enum gw_event_type event_type;
    /* of commands */
    const struct gw_schema *schema; /* NULL: no body */
    int topic;                      /* of events, too */
    void (*build)(struct command_build *build);
    const struct gw_answer *answer;
    int deadline_ms; /* 0: the option's */
};

extern const struct route routes[];
extern const unsigned n_routes;

/* The row that the request is for. NULL: none; *allowed then says which methods this path has (0: no such path). */
const struct route *route_find(enum http_method method, struct slice path, struct arena *arena,
                               struct slice parameters[2], unsigned *allowed, bool *browser);

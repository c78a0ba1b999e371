#pragma once
/*
 * What the load generator sends. Events are built once per connection and patched in place, as the bytes that change
 * (message id, device, time) have fixed widths; commands are few and written anew.
 *
 *   batch     POST /v1/batch, events of many visitors, each of whom comes back until all of his events are sent
 *   single    POST /v1/track, one such event
 *   commands  POST …/sessions/start and PUT …/sessions/{id}/stage in turn; a stage is that of a session started before
 *
 * With a population, some visitors are of it: every second of them names the session that he had, the others begin a new one.
 */
#include "base.h"

enum request_mode {
    REQUEST_BATCH,
    REQUEST_SINGLE,
    REQUEST_COMMANDS,
};

enum request_kind {
    REQUEST_EVENTS,
    REQUEST_START,
    REQUEST_STAGE,
    REQUEST_KINDS
};

struct visitor {
    unsigned run;
    uint64_t number;
    unsigned left; /* events until somebody else takes his place */
};

struct requests {
    enum request_mode mode;
    unsigned batch;        /* events in a request */
    unsigned n_visitors;   /* who are there at the same time */
    unsigned visit_events; /* events of a visitor */
    unsigned lag;          /* starts between a session's start and its stage */
    uint64_t
        population; /* sessions of the old population, and how many of a hundred come from it: */
    unsigned returning; /* visitors, and sessions whose stage changes */
    unsigned extras;    /* of events: enum shop_extra */
    const char *write_key, *secret_key;
    unsigned run; /* part of all ids, so that runs do not meet */
    struct random random;
    struct visitor *visitors;
    uint64_t next_visitor, next_message, next_start, next_stage;
};

struct event_places { /* offsets into the text */
    size_t message, device, session, time;
};

/* A connection's request; zeroed before its first use. */
struct request {
    struct buf text;
    enum request_kind kind;
    unsigned events;
    struct event_places *places; /* per event */
    size_t sent_at;
};

int requests_init(struct requests *requests) MUST_CHECK;
void requests_deinit(struct requests *requests);
int requests_next(struct requests *requests, struct request *request, int64_t now_us) MUST_CHECK;
void request_deinit(struct request *request);

#pragma once
/*
 * redis: values that may be lost, in Redis, over hiredis on a libevent event_base.
 *
 * Losing Redis loses nothing: what cannot be written is dropped and counted, nothing waits for it, and no error here is
 * ever more than a number. The connection is made in the background and again whenever it breaks (back-off 0.1 .. 5 s);
 * one that does not answer for 3 s counts as broken.
 */
#include "base.h"

struct event_base;
struct redis;

struct redis_options {
    const char *url;        /* redis://[[user]:password@]host[:port][/database] */
    unsigned pending_limit; /* requests without an answer; 0: 1,000; beyond it they are dropped */
};

struct redis_stats {
    bool connected;
    unsigned pending;
    uint64_t done, failed,
        dropped; /* requests answered; answered with an error or lost; not even sent */
    uint64_t connects, breaks;
};

/* Only a URL that cannot be used is an error. */
int redis_create(struct redis **redis, struct event_base *base, const struct redis_options *options,
                 struct err *err) MUST_CHECK;
/* done() is not called any more. Not from inside done(). */
void redis_destroy(struct redis **redis);

/* key and value are copied; expire_s 0: for ever */
void redis_set(struct redis *redis, struct slice key, struct slice value, int64_t expire_s);
void redis_delete(struct redis *redis, struct slice key);
/*
 * done(): once, from the loop; value borrowed, its data NULL when there is none; known false: Redis did not say.
 * ERR_UNAVAILABLE (not connected) or ERR_FULL: done() is not called.
 */
typedef void (*redis_get_fn)(void *user, struct slice value, bool known);
int redis_get(struct redis *redis, struct slice key, redis_get_fn done, void *user) MUST_CHECK;
/* Adds n to a counter, which lives for expire_s from then on; done() as above, with the sum. */
typedef void (*redis_add_fn)(void *user, int64_t total, bool known);
int redis_add(struct redis *redis, struct slice key, int64_t n, int64_t expire_s, redis_add_fn done,
              void *user) MUST_CHECK;

struct redis_stats redis_stats(const struct redis *redis);

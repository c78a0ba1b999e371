#pragma once
/*
 * The gateway as one thing: what its modules share. HTTP comes in at serve.c, keys.c says whose it is, a route's row says
 * what becomes of it, broker.c carries it to Kafka and brings reports and replies back to the exchange that waits.
 *
 *   request ──► serve ──► keys ──► events ────────────► broker ══► Kafka
 *                  ▲                commands ─► gather      ║
 *                  └── exchange ◄── reports, replies ◄──────╝
 *
 * One thread, one loop. Everything of one request lives in its arena and dies with its answer.
 */
#include "bus.h"
#include "domain/clients.h"
#include "domain/credentials.h"
#include "domain/gather.h"
#include "domain/pressure.h"
#include "domain/problem.h"
#include "http.h"
#include "key_cache.h"
#include "options.h"
#include "refusal.h"
#include "slots.h"
#include "store.h"

struct ask;
struct audit;
struct event;
struct event_base;
struct gw_masker;
struct key_load;
struct rates;
struct redis;
struct metrics;
struct metric;
struct route;
struct route_stats;
struct vault;
struct worker;

struct gateway_stats {
    struct metric *open, *events, *produce_errors, *late_parts, *late_replies, *strangers,
        *key_loads, *connections, *bytes, *unconfirmed, *behind, *buckets, *buckets_forgotten,
        *rates_shared, *vault_keys, *vault_calls, *vault_subjects, *vault_faults, *vault_full;
    struct metric *refused[GATEWAY_REFUSALS], *http_refused[HTTP_REFUSALS];
    struct route_stats *routes; /* by row of the route table */
};

/* What the process gives; borrowed. */
struct gateway_world {
    struct event_base *base;
    struct bus *bus;
    struct store *store;
    struct metrics *metrics;
    struct clock *clock;
    struct entropy *entropy;
    const char *instance;
    /* what the worker opens for itself: a bus that only reads, the database */
    int (*open_bus)(void *user, struct bus **bus, struct err *err);
    void *open_bus_user;
    const char *database_url; /* NULL: none */
    bool worker_inside;       /* no thread: the twins are of one */
    struct redis *redis;      /* NULL: rates are counted in this gateway alone */
};

struct gateway {
    struct gateway_world world;
    struct gateway_options options;
    struct gateway_stats stats;
    struct http_server *server;
    struct worker *worker;
    struct slots *exchanges;
    struct arena *tables; /* lives as long as the gateway: */
    struct gw_form_index *forms[GW_CLIENT_COUNT];
    struct gw_masker *masker;
    struct gw_key_cache *keys;
    struct key_load *key_loads;
    unsigned n_key_loads;
    struct rates *rates;
    struct gw_pressure pressure;
    struct vault *vault;
    struct audit *audits; /* under way */
    struct event *bus_event, *bus_timer, *second;
    char incarnation[17]; /* 16 hex digits: whose replies these are */
    uint64_t said;        /* records so far; with the incarnation their ids */
    char source[80];      /* ce_source */
    char reply_partition[12];
    bool replies_started, store_seen, draining;
    int64_t broker_error_us;  /* of the last log line about it */
    int64_t replies_again_us; /* when to try again to read them */
};

/* What the world's store must know. */
extern const struct store_table *const gateway_tables[];
extern const unsigned n_gateway_tables;

int gateway_create(struct gateway **gateway, const struct gateway_world *world,
                   const struct gateway_options *options, struct err *err) MUST_CHECK;
/* Registers the metrics of a gateway, without one: `-s`. */
int gateway_describe(struct metrics *metrics, struct err *err) MUST_CHECK;
void gateway_destroy(struct gateway **gateway);
bool gateway_ready(struct gateway *gateway, const char **why);
void gateway_drain(struct gateway *gateway);
bool gateway_drained(struct gateway *gateway);
static inline int64_t gateway_now(struct gateway *gateway)
{
    return gateway->world.clock->now_us(gateway->world.clock);
}

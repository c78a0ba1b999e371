#pragma once
/*
 * A whole gateway on the twins of bus and store and a real loopback port: requests go in as a client's bytes, what it
 * says to the log is read back, and a test answers in the services' place.
 */
#include "gateway.h"

#include "journey/v1/command.pb-c.h"

#include "test.h"

#define WORLD_PARTITIONS  4
#define WORLD_DEADLINE_MS 120
#define WORLD_MASTER_KEY  "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define WRITE_KEY         "jm_wk_test"
#define APP_KEY           "app:shop" /* what an app id is registered as */
#define SECRET_KEY        "jm_sk_test"
#define OTHER_SECRET_KEY  "jm_sk_other" /* of another tenant, which has rates */
#define OTHER_WRITE_KEY   "jm_wk_other"
#define EXPIRED_KEY       "jm_sk_expired"
#define DELETED_KEY       "jm_sk_deleted" /* of a tenant that is gone */

struct world {
    struct event_base *base;
    struct bus_mem_cluster *cluster;
    struct bus *bus, *peer; /* the gateway's, the services' */
    struct store_mem_db *db;
    struct store *store;
    struct metrics *metrics;
    struct gateway *gateway;
    struct clock clock; /* the system's, or that of frozen_us, and later_us more */
    int64_t frozen_us, later_us;
    bool store_stuck;                            /* look-ups stay under way */
    int64_t seen[TOPIC_COUNT][WORLD_PARTITIONS]; /* what world_take() has taken */
    struct arena *arena;
};

struct world_answer {
    int status;
    char head[4096];
    char *body; /* in the world's arena */
};

extern const uint8_t world_tenant[16], world_other_tenant[16], world_hash_key[32];

/* Of a test: a world in *state, with room for 100 open requests. */
int world_setup(void **state);
int world_teardown(void **state);
void world_init(struct world *world, unsigned open_requests);
void world_deinit(struct world *world);
/* A setting of a tenant; before its key is used first. */
void world_set(struct world *world, const uint8_t tenant[16], const char *key, const char *value);
/* Carries the commit out, and whatever else the store has to do. */
void world_write(struct world *world, struct store_commit *commit);
/* One turn of everything; never waits. */
void world_turn(struct world *world);
void world_turns(struct world *world, int64_t ms);

/* A write key of the tenant. */
void world_add_key(struct world *world, const char *key);

/* A request as it stands. */
int world_send_bytes(struct world *world, struct slice request);
/* head: "POST /v1/track" and further header lines, "\r\n" between. Returns the socket. */
int world_send(struct world *world, const char *head, struct slice body);
/* Turns until the answer is there, at most 3 s. */
void world_receive(struct world *world, int fd, struct world_answer *answer);
/* Both; for what needs no service. */
void world_ask(struct world *world, const char *head, const char *body,
               struct world_answer *answer);
const char *world_header(const struct world_answer *answer, const char *name); /* NULL: none */

/* Turns until there is a record not taken yet; NULL after 1 s. */
const struct bus_record *world_take(struct world *world, int topic);
Journey__V1__Command *world_command(struct world *world, int topic,
                                    const struct bus_record **record);
/* Answers a command; json: {"part", json, ...} up to NULL. Without a service: in journey-state's place. */
void world_reply(struct world *world, const struct bus_record *command, const char *const *parts);
void world_reply_of(struct world *world, const struct bus_record *command, const char *service,
                    const char *const *parts);
void world_refuse(struct world *world, const struct bus_record *command, const char *service,
                  int status, const char *code, const char *detail);
double world_metric(struct world *world, const char *line); /* name with labels; -1: none */
double world_dead_letters(struct world *world);             /* so far, of all reasons */
struct gw_masker *world_masker(void);                       /* one for all tests of a program */

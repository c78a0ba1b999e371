#pragma once
/*
 * A gateway with its worker's thread on the real Kafka and Postgres. Topics have a prefix of their own, two tenants are made anew,
 * each with a secret key.
 */
#include "gateway.h"
#include "json.h"

#include <libpq-fe.h>

#define RIG_PARTITIONS 4
#define RIG_PATIENCE_S 30

struct rig {
    struct event_base *base;
    struct bus *bus, *peer; /* the gateway's; a service's */
    struct store *store;
    struct metrics *metrics;
    struct gateway *gateway;
    struct http_client *client;
    PGconn *db;
    char tenants[2][UUID_TEXT_SIZE], keys[2][40], prefix[40];
    uint8_t tenant[16]; /* the first */
    struct arena *arena;
    int status; /* of the last answer; 0: none yet, -1: it never came */
    const char *body;
};

int rig_setup(void **state);
int rig_teardown(void **state);
void rig_turn(struct rig *rig); /* of the loop */
void rig_wait_ready(struct rig *rig);
/* The first value of the first row, "" when there is none. first, second: $1 and $2, or NULL. */
const char *rig_sql(struct rig *rig, const char *text, const char *first, const char *second);
/* As the tenant of this number. */
void rig_send(struct rig *rig, unsigned who, enum http_method method, const char *path,
              const char *body);
void rig_wait_answer(struct rig *rig);
const struct json_node *rig_ask(struct rig *rig, unsigned who, enum http_method method,
                                const char *path, const char *body, int status);

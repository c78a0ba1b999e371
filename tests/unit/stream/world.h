#pragma once
/*
 * A world of two services on the twins, driven from a seed: several instances of each, one database a service, one
 * cluster, time that only moves when told.
 *
 *     CountUp commands ─► a: value += by, says Count; a timer counts once more ─► b: every count exactly once, in order
 *
 * a also parks a command with the subject "child" + x until x exists, and keeps its last message ids as parts.
 */
#include "stream.h"

enum {
    WORLD_INSTANCES = 3,
    WORLD_PARTITIONS = 4,
    WORLD_KEYS = 12
};

struct instance {
    struct world *world;
    unsigned service; /* 0: a, 1: b */
    struct bus *bus;
    struct store *store;
    struct stream *stream;
};

struct world {
    struct clock clock;
    int64_t now_us;
    struct random random;
    struct bus_mem_cluster *cluster;
    struct store_mem_db *dbs[2];
    struct instance instances[2 * WORLD_INSTANCES];
    unsigned n_instances; /* of each service */
    struct bus *client;
    int64_t sent[WORLD_KEYS]; /* what was asked for, each command once */
    uint64_t commands;
    bool verbose;
};

extern const struct stream_service world_services[2];
extern const struct store_table world_counters, world_seen, world_marks;

struct world *world_create(uint64_t seed, unsigned instances);
void world_destroy(struct world **world);
void world_start(struct world *world, struct instance *instance);
void world_crash(struct instance *instance); /* nothing is finished, nothing is told */
uint64_t world_below(struct world *world, uint64_t n);
/* Sends the command, `copies` times under the same id. */
void world_command(struct world *world, unsigned key, int64_t by, unsigned copies);
/* One instance does one thing: a step of the stream or of its store. */
void world_act(struct world *world, struct instance *instance);
/* Everybody works and time goes on until nothing more happens. */
void world_settle(struct world *world);
/* Fails the test when what is in the databases is not what was asked for. */
void world_check(struct world *world);
int64_t world_value(struct world *world, unsigned service, unsigned key); /* of its row; -1: none */

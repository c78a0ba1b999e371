#pragma once
/*
 * ingest on the runtime, over the in-memory twins: one instance, time that only moves when told.
 * Tests send batches, starts and settings, settle, and look at what was said.
 */
#include "ingest.h"
#include "test.h"
#include "topics.h"

enum {
    WORLD_PARTITIONS = 4
};

struct world {
    struct clock clock;
    int64_t now_us;
    struct bus_mem_cluster *cluster;
    struct store_mem_db *db;
    struct bus *bus, *client;
    struct store *store;
    struct stream *stream;
    struct metrics *metrics;
    struct arena *arena; /* of what tests make and read */
    char stopped[200];   /* why a partition stopped */
};

extern const uint8_t world_tenant[16];
#define WORLD_NOW (INT64_C(1700000000) * SECOND_US)

struct world *world_create(void);
void world_destroy(struct world **world);
void world_restart(struct world *world); /* a crash: only what was committed is left */
void world_settle(struct world *world);

void world_settings(struct world *world, const char *basis, const char *idle_seconds);
/* An event of device number n; fill in the rest. */
Journey__V1__Event *world_event(struct world *world, uint8_t device, const char *message_id,
                                int64_t timestamp_us);
/* One record with these events, received now. */
void world_send(struct world *world, int topic, Journey__V1__Event **events, size_t n);
void world_send_one(struct world *world, Journey__V1__Event *event);
Journey__V1__Command *world_start(struct world *world, uint8_t device, const char *session_id);
void world_send_command(struct world *world, Journey__V1__Command *command);

/* Message number n of a topic over all partitions (those of one key in their order), NULL: there are fewer. */
const struct bus_record *world_record(struct world *world, int topic, unsigned n);
unsigned world_count(struct world *world, int topic);
Journey__V1__Accepted *world_accepted(struct world *world, const char *message_id);
double world_counter(struct world *world, const char *series); /* with labels, as rendered */

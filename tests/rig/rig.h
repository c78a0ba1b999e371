#pragma once
/*
 * A service on the twins of Kafka and Postgres (or on another store): one instance, and time that only moves when told.
 * Linked to the tests of whatever uses libs/stream; tests/unit/template shows its use.
 *
 *     rig_send, rig_ask ─► service ─► rig_message, rig_last_reply (what it said)
 *                             └─────► rig_row (what it keeps)
 *
 * What it returns lives in its arena, as long as the rig. A call that cannot work fails the test. RIG_VERBOSE=1 prints what
 * the runtime would log.
 */
#include "bus.h"
#include "config.h"
#include "store.h"
#include "stream.h"
#include "test.h"
#include "topics.h"

#include "journey/v1/command.pb-c.h"

#define RIG_NOW_US (INT64_C(1700000000) * SECOND_US) /* when a rig begins */
enum {
    RIG_PARTITIONS = 4,
    RIG_MAX = 4096 /* rows of a table */
};

struct rig;
/* Where the store comes from, and how it gets on: true when it did something. */
struct rig_store_ops {
    struct store *(*open)(struct rig *rig);
    bool (*run)(struct rig *rig);
};

struct rig {
    struct clock clock;
    int64_t now_us;
    const struct stream_service *service;
    struct bus_mem_cluster *cluster;
    struct store_mem_db *db;
    struct bus *bus, *client; /* the service's; the test's */
    struct store *store;
    const struct rig_store_ops *store_ops;
    void *store_user;
    struct metrics *metrics;
    struct stream *stream;
    struct arena *arena; /* of what a test makes and reads */
    uint64_t sent;
    bool sent_to[TOPIC_COUNT];
    int64_t replies; /* read so far */
    char alarm[300]; /* the last thing that an operator should know; rig_destroy prints it */
};

extern const uint8_t rig_tenant[16];

struct rig *rig_create(const struct stream_service *service);
struct rig *rig_create_on(const struct stream_service *service, const struct rig_store_ops *ops,
                          void *user);
void rig_destroy(struct rig **rig);
/* The instance dies and another takes over: what was not committed is gone. */
void rig_restart(struct rig *rig);
/* Until nothing more happens; takes some milliseconds of its time. */
void rig_settle(struct rig *rig);
/* Time passes, in twenty steps: what is due happens. */
void rig_pass(struct rig *rig, int64_t us);

/* ---- saying ---- */

/* A record, not settled; correlation: NULL when nobody waits for an answer. */
void rig_send(struct rig *rig, int topic, struct slice key, const ProtobufCMessage *message,
              const char *correlation);
/* A command of rig_tenant with an id of its own; fill in its body. */
Journey__V1__Command *rig_command(struct rig *rig, const char *subject);
/* Sends it to the service's topic of commands and settles. The answer; NULL: none came. */
const Journey__V1__Reply *rig_ask(struct rig *rig, const Journey__V1__Command *command);

/* ---- hearing ---- */

const Journey__V1__Reply *rig_last_reply(struct rig *rig); /* that has come since, or NULL */
const char *rig_part(const Journey__V1__Reply *reply, const char *name); /* its JSON, or "" */
int rig_status(const Journey__V1__Reply *reply); /* of the answer or its problem; 0: none */
const char *rig_code(const Journey__V1__Reply *reply);

/*
 * What a topic holds, over all partitions, those of one key in their order: each message once, for after a crash a
 * service says again, under the same number, what may not have arrived.
 */
unsigned rig_said(struct rig *rig, int topic); /* how many */
const struct bus_record *rig_record(struct rig *rig, int topic,
                                    unsigned n); /* NULL: there are fewer */
const void *rig_message(struct rig *rig, int topic, unsigned n,
                        const ProtobufCMessageDescriptor *type); /* decoded, or NULL */

/* ---- looking ---- */

/* A row of rig_tenant by its id (second column, a text); NULL: there is none. Values as its columns. */
const struct store_value *rig_row(struct rig *rig, const struct store_table *table, const char *id);
unsigned rig_rows(struct rig *rig, const struct store_table *table,
                  const struct store_value *rows[RIG_MAX]);
unsigned rig_count(struct rig *rig, const struct store_table *table);
double rig_counter(struct rig *rig, const char *series); /* with labels, as rendered; -1: none */

#pragma once
/* The service on the runtime's twins (or another store): one instance, time that only moves when told. */
#include "bus.h"
#include "json.h"
#include "store.h"
#include "stream.h"
#include "test.h"

#include "journey/v1/command.pb-c.h"
#include "journey/v1/event.pb-c.h"
#include "journey/v1/journey.pb-c.h"

enum {
    RIG_PARTITIONS = 4,
    RIG_MAX = 4096
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
    struct bus_mem_cluster *cluster;
    struct store_mem_db *db;
    struct bus *bus, *client;
    struct store *store;
    const struct rig_store_ops *store_ops;
    void *store_user;
    struct stream *stream;
    struct arena *arena; /* of what a test makes */
    uint64_t sent;
    int64_t replies;   /* read so far */
    char stopped[200]; /* the last thing that an operator should know */
};

extern const uint8_t rig_tenant[16], rig_user[16];

struct rig *rig_create(void);
struct rig *rig_create_on(const struct rig_store_ops *ops, void *user);
void rig_destroy(struct rig **rig);
void rig_restart(struct rig *rig); /* the instance dies and another takes over */
void rig_settle(struct rig *rig);
void rig_pass(struct rig *rig, int64_t us); /* time passes */

/* An accepted track event; NULL properties: none. */
Journey__V1__Accepted *rig_event(struct rig *rig, const char *session, const char *name,
                                 const char *properties);
void rig_accept(struct rig *rig, const Journey__V1__Accepted *accepted);
void rig_setting(struct rig *rig, const char *key, const char *value);

Journey__V1__Command *rig_command(struct rig *rig, const char *session);
Journey__V1__Command *rig_start(struct rig *rig, const char *session, const char *device,
                                const char *source);
Journey__V1__Command *rig_stage(struct rig *rig, const char *session, const char *stage);
Journey__V1__Command *rig_touchpoint(struct rig *rig, const char *session, const char *type,
                                     const char *columns);
Journey__V1__Command *rig_conversion(struct rig *rig, const char *session, const char *type,
                                     const char *value, const char *order);
Journey__V1__Command *rig_end(struct rig *rig, const char *session, const char *exit_point);
Journey__V1__Command *rig_get(struct rig *rig, const char *session);
/* Asks for the session; its JSON. */
const char *rig_session(struct rig *rig, const char *session);
/* A record; correlation: NULL when nobody waits. */
void rig_send(struct rig *rig, int topic, struct slice key, const ProtobufCMessage *message,
              const char *correlation);
/* Sends it and waits; NULL: no answer came. */
const Journey__V1__Reply *rig_ask(struct rig *rig, const Journey__V1__Command *command);
const Journey__V1__Reply *rig_last_reply(struct rig *rig); /* that has come since, or NULL */
const char *rig_part(const Journey__V1__Reply *reply, const char *name); /* its JSON, or "" */
int rig_status(const Journey__V1__Reply *reply); /* of the answer or its problem; 0: none */
const char *rig_code(const Journey__V1__Reply *reply);

/* A member of a part, as text; "(none)". */
const char *rig_member(struct rig *rig, const char *json, const char *dotted);
const char *rig_stage_of(struct rig *rig, const Journey__V1__Reply *reply);

/* What was said, in order per key; the count. */
unsigned rig_touchpoints(struct rig *rig, const Journey__V1__Touchpoint *list[RIG_MAX]);
/* "started,stage_transition,...": the session's changes */
const char *rig_changes(struct rig *rig, const char *session);
unsigned rig_rows(struct rig *rig, const struct store_table *table,
                  const struct store_value *rows[RIG_MAX]);
unsigned rig_count(struct rig *rig, const struct store_table *table);

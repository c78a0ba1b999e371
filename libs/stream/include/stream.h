#pragma once
/*
 * stream: the runtime that every service over the log is built on. A service is a table and a pure function:
 *
 *     records, due timers, outcomes ──► decide(decision, message) ──► changed state + effects
 *
 * The runtime owns partitions (fenced by the commits table), loads what a decision needs, commits state, rows, timers,
 * input offsets and everything that is to be said in one transaction, says it only then (numbered without gaps, from an
 * outbox that survives a crash), and takes from other services only the next number. At-least-once transport,
 * exactly-once effect. ARCHITECTURE.md, "The stream runtime", tells the protocol.
 *
 * One thread. Nothing here blocks or sleeps, and nothing reads a clock or the network but through bus, store and clock
 * operations: stream_step() does what can be done now and says when it wants to be called again, so a libevent loop
 * and a simulation drive the same code.
 */
#include "base.h"
#include "bus.h"
#include "config.h"
#include "store.h"

#include <protobuf-c/protobuf-c.h>

struct stream_decision;
struct stream_message;

/* ---- what a service declares -------------------------------------------------------------------- */

#define STREAM_MAX_ID 400 /* bytes: 100 characters, each of at most four */

/* Names one state: a tenant's thing. id: as the state table's second column (text or bytes), 1..STREAM_MAX_ID bytes. */
struct stream_key {
    uint8_t tenant[16];
    struct slice id;
};

/*
 * More blobs under the same key, loaded with the state, written one by one: lists that would make the state too large.
 * They stand only beside a state: of one that is not there, or was removed, none are loaded.
 * The table's columns are exactly: tenant_id, id, sub (bigint or time), data bytea; key: the first three.
 */
struct stream_parts {
    const struct store_table *table;
    int64_t
        keep_us; /* > 0: sub is a time, and only parts with sub > now - keep_us are loaded and kept */
};

/*
 * A kind of state: one row per key, which outsiders may query. Columns: tenant_id uuid, the id, any others, and last
 * `state bytea`, the encoded message that decisions see. At most 1,900 bytes as a rule: beyond, Postgres pays 3-8 times as much.
 */
struct stream_state {
    const char *name;
    const struct store_table *table;
    const ProtobufCMessageDescriptor *type;
    /* Fills the values between id and state (values[2 .. n_columns - 2]) from the state; pure. NULL: there are none. */
    void (*project)(const void *state, int64_t now_us, struct arena *arena,
                    struct store_value *values);
    /* Decides a due timer, or the outcome of a call, of such a state. */
    void (*due)(struct stream_decision *decision, const struct stream_message *message);
    const struct stream_parts *parts; /* or NULL */
};

#define STREAM_MAX_NEEDS 4

struct stream_need {
    const struct store_lookup *lookup;
    struct store_value key[4];
};

/* A COMPACTED topic is an input of its owner: messages that come behind a newer one of the same producer, which compaction
 * would keep, are decided, that their current value be said again; all others pass. */
struct stream_input {
    int topic;
    enum bus_lane lane;                     /* COMMANDS, EVENTS or IMPORTS */
    const ProtobufCMessageDescriptor *type; /* of its records */
    const struct stream_state *state;
    /* How many messages a record holds; NULL: one, the record's body. */
    unsigned (*count)(const void *body);
    /* The state that message `index` is about. An error is a dead letter with err's message. */
    int (*key)(const void *body, unsigned index, struct arena *arena, struct stream_key *key,
               struct err *err);
    /* Look-ups that its decision wants, read fresh for each batch; returns how many (at most STREAM_MAX_NEEDS). May be NULL. */
    unsigned (*needs)(const void *body, unsigned index, struct arena *arena,
                      struct stream_need *needs);
    void (*decide)(struct stream_decision *decision, const struct stream_message *message);
    /* The record's value with message `index` alone, for its dead letter; NULL: the whole value. */
    struct slice (*alone)(const void *body, unsigned index, struct arena *arena);
};

/* A compacted topic held in memory by every instance: a look-up without a round trip, as stale as the topic. */
struct stream_mirror {
    int topic;
    const ProtobufCMessageDescriptor *type;
    int64_t (*version)(const void *body); /* what is newer wins */
    size_t limit;                         /* entries; reaching it is an alarm and not ready */
};
extern const struct stream_mirror stream_settings_mirror; /* journey.v1.TenantSettings, by tenant */

struct stream_counter {
    const char *name, *labels, *help; /* a Prometheus counter */
};

/* Calls the outside world: started after the intent is committed; the answer comes by stream_outcome(), once or never
 * (never: it is called again, with the same key). */
struct stream;
typedef void (*stream_call_fn)(struct stream *stream, void *user, uint64_t ticket, const char *name,
                               struct slice data, const uint8_t idempotency_key[16]);

struct stream_service {
    const char *name;                  /* "journey-state": group, producer name, metrics */
    const char *schema;                /* "journey" */
    const struct stream_input *inputs; /* inputs[0].topic is what the group subscribes to */
    unsigned n_inputs;
    const struct stream_state *const *states;
    unsigned n_states;
    const struct store_table *const *tables; /* of rows and look-ups, besides the states' own */
    unsigned n_tables;
    const struct stream_mirror *mirrors;
    unsigned n_mirrors;
    const struct stream_counter *counters; /* by index for stream_count */
    unsigned n_counters;
    const int
        *publishes; /* topics it says something to; replies and dead letters go without saying */
    unsigned n_publishes;
    stream_call_fn call; /* or NULL */
};

/* ---- what a decision sees -------------------------------------------------------------------------- */

enum stream_message_kind {
    STREAM_RECORD,
    STREAM_TIMER,   /* name: as it was set */
    STREAM_OUTCOME, /* of a call: name, data */
};

struct stream_message {
    enum stream_message_kind kind;
    const struct stream_input *input; /* of a record */
    const void *body;                 /* the record's decoded message (the whole of it) */
    unsigned index;                   /* which message of it */
    struct stream_key key;
    const char *name;  /* of a timer, of a call */
    struct slice data; /* of an outcome */
    int64_t due_us;    /* of a timer */
    bool command;      /* somebody waits: body is a journey.v1.Command and stream_reply answers */
    bool expired;      /* it was parked, and what it waited for did not come in time */
    const char *trace; /* traceparent, or NULL */
    const struct bus_record *record; /* of a record: key, headers, offset; its value may be gone */
};

struct stream_part {
    int64_t sub;
    struct slice data;
};

struct stream_decision {
    int64_t now_us;
    struct arena *arena; /* lives until the batch is settled; when it gives NULL, return */
    struct random
        random;  /* seeded from the message's own id: the same again if it is decided again */
    void *state; /* decoded, or NULL: none yet. Change it in place, then stream_put_state() */
    const struct stream_part *parts; /* ascending sub */
    unsigned n_parts;
    struct {
        const struct store_found *found;
        unsigned n_found;
    } needs[STREAM_MAX_NEEDS];
    struct stream_effects *effects; /* the runtime's */
};

/* The newest value of a mirrored topic, or NULL; key: the record's key text. */
const void *stream_mirror_get(const struct stream_decision *decision, unsigned mirror,
                              struct slice key);

/* ---- effects: they happen if the batch commits, all or none ------------------------------------------ */

/* The state is this now (NULL: removed). It must live in the decision's arena or be decision->state. */
void stream_put_state(struct stream_decision *decision, void *state);
void stream_put_part(struct stream_decision *decision, int64_t sub, struct slice data);
/* A row of one of the service's tables; values are copied flat (their bytes must live in the arena). */
void stream_put_row(struct stream_decision *decision, const struct store_table *table,
                    const struct store_value *values);
void stream_remove_row(struct stream_decision *decision, const struct store_table *table,
                       const struct store_value *key);
/* Says a message. key: the record's key (topic_key()), which also fixes its partition. time_us: ce_time. */
void stream_publish(struct stream_decision *decision, int topic, struct slice key,
                    const void *message, int64_t time_us);
/* The same, and whoever waits for this message's answer now waits for that of the receiver. */
void stream_forward(struct stream_decision *decision, int topic, struct slice key,
                    const void *message, int64_t time_us);
/* One timer per state and name, and then the state's due() decides. Setting it again moves it; leave one that would only move
 * later: let it fire (it is gone then), look, set again. */
void stream_set_timer(struct stream_decision *decision, const char *name, int64_t due_us);
void stream_cancel_timer(struct stream_decision *decision, const char *name);
/* Answers the command (a journey.v1.Reply; its correlation id is filled in). Kept for 24 h under the command's id unless
 * the command is read_only or the answer is 404. Without a waiting command: nothing. */
void stream_reply(struct stream_decision *decision, const void *reply);
/* An answer of one part; json: NULL when the arena is full. */
void stream_reply_part(struct stream_decision *decision, int status, const char *name,
                       const char *json);
void stream_reply_problem(struct stream_decision *decision, int status, const char *code,
                          const char *detail);
/* Answers the command, after this batch is committed, from rows: the slow way that is never in the stream's. `answer`
 * builds the reply (in the arena) from what was found; user is copied. */
typedef void (*stream_answer_fn)(struct slice user, const struct store_found *found,
                                 unsigned n_found, struct arena *arena,
                                 void *reply /* an initialised journey.v1.Reply */);
void stream_ask(struct stream_decision *decision, const struct store_lookup *lookup,
                const struct store_value *key, stream_answer_fn answer, struct slice user);
/* What this message is about does not exist yet: it comes again right after the state does, or at `until_us` with
 * expired set. Nothing else may be done in the same decision. */
void stream_park(struct stream_decision *decision, int64_t until_us);
/* Commits the intent to call the outside world; the outcome comes back to the state's due(). Named like a timer. */
void stream_call(struct stream_decision *decision, const char *name, struct slice data);
/* The message is unusable: a dead letter with its reason (a stable code, and a text without personal data). Drops every
 * other effect of this decision but counters; whoever waits gets 400 with the reason. */
void stream_reject(struct stream_decision *decision, const char *code, const char *reason);
/* This release does not know such a message: its partition stops until one comes that does. */
void stream_stop(struct stream_decision *decision, const char *reason);
/* A value that may be lost, for readers outside (Redis): written after the commit, under "<tenant>:<key>", for so many
 * seconds; value with data NULL: removed. Nothing that must be right reads it. */
void stream_cache(struct stream_decision *decision, struct slice key, struct slice value,
                  int64_t seconds);
void stream_count(struct stream_decision *decision, unsigned counter, double by);

/* ---- running ------------------------------------------------------------------------------------------- */

struct stream_options {
    struct bus *bus;
    struct store *store;
    struct clock *clock;
    struct metrics *metrics;
    const char
        *generation; /* of producer names; another one after Postgres was restored from a backup */
    size_t cache_bytes;   /* of hot states; 0: 12 MiB */
    unsigned batch_limit; /* messages; 0: 2,000 */
    void *user;
    /* Something an operator should know; fields as log_event's. May be NULL. */
    void (*observe)(void *user, enum log_level level, const char *event, const char *fields);
    /* A cached value, after its commit; NULL: there is no cache. */
    void (*cache)(void *user, struct slice key, struct slice value, int64_t seconds);
};

int stream_create(struct stream **stream, const struct stream_service *service,
                  const struct stream_options *options, struct err *err) MUST_CHECK;
void stream_destroy(struct stream **stream);
/* Does what can be done now; returns the time (us) at which to be called again at the latest. Call it also when the
 * bus' fd is readable and after any request of the store was done. */
int64_t stream_step(struct stream *stream);
/* True when requests of the store were done since the last step: somebody should step. */
bool stream_wants_step(const struct stream *stream);
/* No new input; what is under way is finished and said, then partitions are given up. */
void stream_drain(struct stream *stream);
bool stream_drained(const struct stream *stream);
/* Ready: member of its group, mirrors read to their end, everything it was assigned is owned. why (may be NULL) says what is missing. */
bool stream_ready(const struct stream *stream, const char **why);
void stream_outcome(struct stream *stream, uint64_t ticket, struct slice data);

/* Every table a service's store must know: states, parts, rows, and the runtime's own. Returns the count (at most max). */
unsigned stream_tables(const struct stream_service *service, const struct store_table **tables,
                       unsigned max);

/* The numbered ids: "<producer>/<partition>/<topic>/<partition>/<number>"; a record whose ce_id has not this form has no number. */
struct stream_number {
    struct slice producer; /* "<service>.<generation>/<partition>": what a watermark is kept for */
    uint64_t number;
};
bool stream_number_parse(struct slice ce_id, struct stream_number *number);

#pragma once
/*
 * The real services in one process: several instances of ingest and journey-state on the in-memory twins, one thread,
 * time that only moves when told, faults between any two steps, everything from a seed.
 *
 *   plan.c      seed ──► actions (what clients do, what goes wrong), each with a step and a seed of its own
 *   run.c       each step: its actions, then one instance does one thing; at last faults stop and everything drains
 *   instance.c  an instance: wire.c (its producer and membership), vault.c (its store), its clock, its release
 *   gateway.c   clients: batches, starts, commands, repeats ──► expectations
 *   fault.c     crashes, zombies, pauses, clocks, failing stores and producers; outage.c: retention and topics made anew
 *   memory.c    what an instance holds in memory, looked at every few steps; database.c: against its rows
 *   ledger.c    what was committed, and that nothing else is ever said; checked at each step
 *   check.c, fold.c, answers.c, consents.c   what must hold at the end
 *   shorten.c   a failing seed with every action left out that is not needed
 *
 * The randomness of an action comes from its own seed, and that of a step from the step's number, so that leaving out an action
 * changes nothing else.
 */
#include "libs/bus/src/mem.h"
#include "libs/store/src/mem.h"
#include "stream.h"

#include <setjmp.h>

enum service_id {
    INGEST,
    JOURNEY,
    SERVICES
};

enum {
    INSTANCES = 3, /* of each service */
    ALL_INSTANCES = INSTANCES * SERVICES,
    MAX_PARTITIONS = 4,
    MAX_ACTIONS = 600,
    MAX_EVENTS = 12,
    DEVICES = 6, /* of each tenant */
    TENANTS = 2,
    SESSIONS = 8, /* named by clients, of each tenant */
    STEPS = 4000, /* until faults stop */
};

#define SIM_POLITE_US (SECOND_US / 3)
#define SIM_LATE_US   (60 * SECOND_US) /* nothing that is due waits longer, once all is well */

/* FAULT(id, weight, text) */
#define FAULT_TABLE(FAULT)                                                                         \
    FAULT(CRASH, 10, "crash between two steps")                                                    \
    FAULT(POISON, 1, "crash inside a decision, whoever decides it")                                \
    FAULT(ZOMBIE, 6, "lost ownership, the old owner goes on")                                      \
    FAULT(PAUSE, 5, "long pause")                                                                  \
    FAULT(CLOCK, 4, "clock jumps")                                                                 \
    FAULT(COMMIT_BEFORE, 5, "commit fails before it is carried out")                               \
    FAULT(COMMIT_LATER, 6, "commit fails, and is carried out later")                               \
    FAULT(COMMIT_AFTER, 5, "commit fails after it was carried out")                                \
    FAULT(BROKEN, 4, "connection to the database breaks")                                          \
    FAULT(LOADS, 4, "reading from the database fails")                                             \
    FAULT(ASKING, 4, "asking the broker fails")                                                    \
    FAULT(SEND_LOST, 5, "delivery fails for good, not written")                                    \
    FAULT(SEND_UNKNOWN, 5, "delivery fails for good, but is written")                              \
    FAULT(DELAY, 8, "deliveries delayed, and reordered between partitions")                        \
    FAULT(LATE, 6, "a dead producer's message arrives")                                            \
    FAULT(DUPLICATE, 6, "a message is delivered twice")                                            \
    FAULT(FULL, 2, "send queue is full")                                                           \
    FAULT(RELEASE, 3, "rolling upgrade with an added input")                                       \
    FAULT(RETENTION, 1, "retention passes while a service is down")                                \
    FAULT(ANEW, 1, "a topic is made anew")

enum fault_id {
#define FAULT_ENUM(id, ...) FAULT_##id,
    FAULT_TABLE(FAULT_ENUM)
#undef FAULT_ENUM
    FAULTS
};

/* STEP(id, text): what of the protocol was done at all */
#define STEP_TABLE(STEP)                                                                           \
    STEP(OWN, "partition owned, epoch raised")                                                     \
    STEP(OWN_FAILED, "taking over failed or unknown")                                              \
    STEP(COMMIT, "batch committed")                                                                \
    STEP(FENCED, "commit fenced")                                                                  \
    STEP(UNKNOWN, "commit failed or unknown, partitions forgotten")                                \
    STEP(LATE_COMMIT, "transaction carried out after its instance gave up")                        \
    STEP(IN_FLIGHT, "second batch submitted while one commits")                                    \
    STEP(SAID, "message written to the log")                                                       \
    STEP(SAID_AGAIN, "message of an outbox written again")                                         \
    STEP(PRODUCER_RESET, "producer reset")                                                         \
    STEP(REPEAT, "repeat skipped by its number")                                                   \
    STEP(GAP, "message ahead of the next number dropped")                                          \
    STEP(DEDUPED, "event or command removed by its id")                                            \
    STEP(DEAD_LETTER, "dead letter")                                                               \
    STEP(PARKED, "command parked")                                                                 \
    STEP(PAGE, "timers read by pages")                                                             \
    STEP(HEALED, "older value behind a newer one in a compacted topic ignored")                    \
    STEP(FULL_BATCH, "batch as large as it may be, in bytes")                                      \
    STEP(FULL_OUTBOX, "reading paused for what is not confirmed")                                  \
    STEP(FULL_PARKED, "command refused: too many are parked")                                      \
    STEP(FULL_TIMERS, "as many timers in memory as may be")                                        \
    STEP(FULL_ASKS, "question refused: too many are being answered")                               \
    STEP(FULL_CACHE, "states pass the limit of their memory")                                      \
    STEP(TIMER, "timer fired: session ended by idleness")                                          \
    STEP(REUSED, "command id with another body refused")                                           \
    STEP(ASKED, "question answered beside the stream")                                             \
    STEP(CONSENT, "consent stated by a person or an event")                                        \
    STEP(CONSENT_HEALED, "older consent behind a newer one in the topic said anew")                \
    STEP(CACHED, "session cached for readers outside")                                             \
    STEP(POISONED, "record condemned after marked attempts")                                       \
    STEP(GIVEN_UP, "timer condemned after marked attempts")                                        \
    STEP(HELD, "partition stopped at what only the next release knows")                            \
    STEP(STOPPED, "partition stopped with what to do")                                             \
    STEP(DRAINED, "seed drained")

enum step_id {
#define STEP_ENUM(id, ...) STEP_##id,
    STEP_TABLE(STEP_ENUM)
#undef STEP_ENUM
    STEPS_COUNT
};

enum action_kind {
    ACT_BATCH,
    ACT_GARBAGE,
    ACT_COMMAND,
    ACT_REPEAT, /* of an earlier action, by another gateway */
    ACT_SETTINGS,
    ACT_FAULT,
};

/* An event, and what became of it. */
struct event_fate {
    const char *session; /* the one it names, or none */
    unsigned copies;     /* acknowledged */
    unsigned touchpoints, dead, condemned;
    bool unusable;
    uint8_t device;
    const char *name, *order;
};

struct command_fate {
    unsigned copies, touchpoints;
    unsigned answered; /* the body that was: 1, or 2: the other one */
    uint8_t reused;    /* bodies that were refused as another's, as bits: 1 and 2 */
    int status;        /* of the answer that is kept; 0: none yet */
    uint64_t hash;
    bool other_body; /* some copies had another body */
    bool unusable;
};

struct action {
    uint64_t seed;
    uint16_t step;
    uint8_t kind, fault;
    bool off;  /* left out */
    bool done; /* something was put into the log */
    uint8_t tenant;
    uint8_t what;    /* of a command: its body case's index */
    uint8_t session; /* of a command */
    unsigned of;     /* the action that is repeated */
    unsigned n_events;
    struct event_fate events[MAX_EVENTS];
    struct command_fate command;
    int64_t at_us; /* when it was first sent */
};

struct plan {
    uint64_t seed;
    unsigned n;
    struct action actions[MAX_ACTIONS];
};

struct wire { /* a message on its way to the log */
    struct wire *next;
    struct mem_entry *entry;
    uint64_t cookie;
};

struct report {
    uint64_t cookie;
    bool failed;
};

struct sim_bus {
    struct bus bus;
    struct bus *inner;
    struct wire *wires, **tail;
    unsigned n_wires;
    struct report *reports;
    unsigned n_reports, next_report, reports_capacity;
    const char *group;
    int group_topic;
    bool kicked; /* the group has given its partitions away, and it does not know */
};

struct sim_store {
    struct store store;
    struct store *inner;
    struct store_load *failed, **failed_tail;
    unsigned first, n;  /* of those: what waits on the connection "commits" */
    uint8_t waits[256]; /* enum vault_wait */
};

struct instance {
    struct clock clock;
    struct sim *sim;
    enum service_id service;
    unsigned number, life;
    bool up, old_release;
    bool ready;               /* its mirrors were read to their ends */
    int64_t started_us;       /* by its clock */
    uint64_t decided, random; /* the last message, and the randomness that it was given */
    struct stream_service table;
    struct sim_bus bus;
    struct sim_store store;
    struct stream *stream;
    struct metrics *metrics;
    int64_t skew_us;
    unsigned forgot; /* the step at which it last forgot everything */
    bool jumped;     /* its clock, since it started */
    int64_t
        fenced_us;   /* when it was fenced, if neither group nor clock has changed since; 0: not */
    unsigned fenced; /* of which partitions, as bits */
    unsigned
        cleared; /* as that, once it has owned something since: what it survived before is known */
    unsigned down_until, asleep_until, kicked_until, slow_until, full_until; /* steps */
    unsigned fail_loads, fail_asking;
    bool little_memory; /* a page of timers is too much, until it is a small one */
    unsigned fail_send; /* 1: lost, 2: written */
    uint64_t batch,
        batch_commits; /* the batch that loads; commits of the service when it was gathered */
};

/* Everything that was committed to be said, per producer partition and destination. */
struct said {
    uint64_t *hashes;
    bool *written;
    unsigned n, capacity;
    unsigned read; /* by the reader of ledger_each */
};

struct owner {                 /* of an epoch */
    bool late;                 /* something of it was carried out when it had given up */
    struct instance *instance; /* NULL: taken over by a late transaction */
    unsigned life;
    unsigned until; /* the step at which the next one took over */
};

struct part_ledger {
    int64_t n, epoch;
    struct owner *owners; /* by epoch */
};

struct outage {
    enum {
        OUTAGE_NONE,
        OUTAGE_DOWN,    /* the service is down, the log is not what it was */
        OUTAGE_STOPPED, /* it said so; the operator comes */
    } state;
    bool anew;
    enum service_id service;
    int topic;
    int32_t partition;
    int64_t next; /* read until there */
    unsigned until;
    struct mem_log saved;
    unsigned ghosts;
};

struct load { /* what a seed asks for, and timers that fired */
    unsigned events, commands, sessions, timers;
};

struct sim {
    struct clock clock; /* the brokers' */
    struct plan *plan;
    bool story;
    unsigned step;
    bool draining;
    int64_t now_us, well_us; /* since when nothing goes wrong any more */
    int64_t late_us;         /* since when there was always something late; 0: nothing is */
    int32_t partitions;
    struct arena *arena;
    struct bus_mem_cluster *cluster;
    struct store_mem_db *dbs[SERVICES];
    struct instance instances[ALL_INSTANCES];
    struct wire *late, **late_tail; /* of producers that are no more */
    struct said *said[SERVICES];    /* [producer partition][topic slot][partition] */
    struct part_ledger parts[SERVICES][MAX_PARTITIONS];
    uint64_t commits[SERVICES]; /* so far */
    struct outage outage;
    int64_t settings[TENANTS]; /* the newest version in the log */
    uint64_t gateway_ids;
    unsigned progress;
    uint64_t deadly[4]; /* what killed whoever decided it */
    unsigned n_deadly;
    struct load load;
    uint64_t idled[4096]; /* ends by idleness that were said in their time */
    void *checks;         /* of the check under way */
    char violation[600];
};

struct tally {
    uint64_t faults[FAULTS], steps[STEPS_COUNT];
    struct load least; /* of any seed that was run whole */
    uint64_t unlucky;  /* innocent messages condemned: all who tried them died of something else */
};
extern struct tally tally;

/* plan.c */
void plan_make(struct plan *plan, uint64_t seed);
uint64_t mix(uint64_t a, uint64_t b);
static inline uint64_t below(struct random *random, uint64_t n)
{
    return random_next(random) % n;
}

/* run.c: false: it failed; why (may be NULL) is filled */
bool run_plan(struct plan *plan, bool story, char *why, size_t size);
void violation(struct sim *sim, const char *format, ...) PRINTF(2, 3);
void story(struct sim *sim, const char *format, ...) PRINTF(2, 3);

/* instance.c */
void instance_start(struct instance *instance);
void instance_crash(struct instance *instance);
void instance_step(struct instance *instance);
bool instance_store_step(struct instance *instance);
const char *instance_name(const struct instance *instance);

/* wire.c */
void wire_open(struct instance *instance);
void wire_close(struct instance *instance, struct random *random);
bool wire_deliver(struct instance *instance, struct random *random);
bool wire_late(struct sim *sim);
void wire_kick(struct instance *instance);
void wire_rejoin(struct instance *instance);

/* vault.c */
void vault_open(struct instance *instance);
void vault_close(struct instance *instance);
bool vault_step(struct instance *instance);

/* ledger.c */
void ledger_open(struct sim *sim);
void ledger_close(struct sim *sim);
void ledger_look(struct sim *sim, enum service_id service, struct instance *by);
void ledger_written(struct sim *sim, const struct bus_record *record);
void ledger_end(struct sim *sim);
/* Who took a partition over in this epoch, if he lives, and knows all that came of it. */
struct instance *ledger_owner(struct sim *sim, enum service_id service, int32_t part,
                              int64_t epoch);
/* How many messages were committed to be said. */
unsigned ledger_said(struct sim *sim, enum service_id service, int32_t part, int topic,
                     int32_t partition);
/* Each message of a topic as a reader takes it: only the next number of each producer partition; all must come. */
void ledger_each(struct sim *sim, int topic,
                 void (*each)(struct sim *sim, const struct bus_record *record));

/* memory.c */
void memory_limit(struct instance *instance, struct random *random);
void memory_look(struct instance *instance, bool idle);
void memory_needs(struct instance *instance, const struct stream_decision *decision,
                  const struct stream_message *m);
void memory_random(struct instance *instance, const struct stream_decision *decision,
                   const struct stream_message *m);
void memory_late(struct sim *sim);
/* Fenced: somebody else owns what it had, and is let alone for a while, or they would fence each other in turn. */
void memory_fenced(struct instance *instance);
void memory_taken(struct instance *instance, int32_t part, const struct owner *from);
/* database.c */
void database_check(struct instance *instance);
void database_cached(void *instance, struct slice key, struct slice value, int64_t seconds);

/* gateway.c */
void gateway_open(struct sim *sim);
void gateway_act(struct sim *sim, struct action *action);
void gateway_poison(struct sim *sim, struct action *action);
void gateway_send(struct sim *sim, int topic, struct slice key, const ProtobufCMessage *message,
                  const char *correlation);
ProtobufCBinaryData gateway_tenant(struct sim *sim, unsigned number);
ProtobufCBinaryData gateway_device(struct sim *sim, unsigned tenant, unsigned number);
ProtobufCBinaryData gateway_user(struct sim *sim, unsigned tenant, unsigned number);
struct slice gateway_device_key(struct sim *sim, unsigned tenant, unsigned device);
char *gateway_text(struct sim *sim, const char *format, ...) PRINTF(2, 3);
/* command.c */
void command_send(struct sim *sim, struct action *action, bool other_body);

/* fault.c */
void fault_do(struct sim *sim, struct action *action);
/* A transaction that nobody waits for any more is carried out; false: there is none. */
bool fault_late_commit(struct sim *sim, enum service_id service);
void fault_stop_all(struct sim *sim);

/* outage.c */
void outage_begin(struct sim *sim, bool anew, struct random *random);
void outage_step(struct sim *sim);
int64_t outage_read_until(struct sim *sim, enum service_id service, int topic, int32_t partition);
void outage_stopped(struct instance *instance, const char *fields);
void outage_close(struct sim *sim);

/* check.c, fold.c, answers.c */
void check_events(struct sim *sim);
void check_sessions(struct sim *sim);
void check_answers(struct sim *sim);
/* consents.c */
void check_consents(struct sim *sim);
ProtobufCAllocator sim_allocator(struct sim *sim);

/* shorten.c */
void shorten(struct plan *plan);

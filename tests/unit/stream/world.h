#pragma once
/*
 * A world of two services on the twins, driven from a seed: several instances of each, one database a service, one
 * cluster, time that only moves when told.
 *
 *     commands ─┐                          ┌─ Count ──────► b: every count exactly once, in order; rows, a look-up,
 *               ├─► a: counters; timers,   ┤                    a mirror of the settings
 *     events ───┘   calls, questions       └─ forwarded ──► b answers; parked until the first count has come
 *
 * world_ask.c asks something of it; world_services.c is what they decide, with the assertions that a decision can make
 * itself; world_check.c what must hold of databases, logs and answers when everything has come to rest.
 */
#include "stream.h"

#include <setjmp.h>

enum {
    WORLD_INSTANCES = 3,
    WORLD_PARTITIONS = 4, /* of a world that nobody asked for more */
    WORLD_PARTITIONS_MOST = 12,
    WORLD_KEYS = 12,       /* that world_check looks at */
    WORLD_KEYS_MOST = 600, /* that may be asked for */
    WORLD_ASKED = 4096,
    WORLD_CALLS = 64,
    WORLD_REJECTED = 666, /* a CountUp by this is refused, after its decision changed what it saw */
    WORLD_POISON = 999,   /* the process does not survive this one */
    WORLD_UNSTORABLE = 998, /* its row is refused by the database */
    WORLD_HUGE = 997,       /* its decision needs more memory than there is */
    WORLD_TALKATIVE = 995,  /* its decision says a count, then more than a record holds */
    WORLD_MUTE = 996, /* a row, and nothing to say; nobody waits for the answer that it gives */
    WORLD_LOUD = 994, /* its answer is nearly as large as a record may be */
    WORLD_LOUD_BYTES = BUS_MAX_RECORD_BYTES - 2000,
    WORLD_LARGE_PART = 993, /* its part is larger than one may be */
};

struct instance {
    struct world *world;
    unsigned service; /* 0: a, 1: b */
    struct bus *bus;
    struct store *store;
    struct stream *stream;
    int64_t asleep_us;                /* not stepped until then */
    bool left;                        /* its group thinks it is gone */
    int64_t settings, settings_least; /* versions that its mirror showed, and must show */
    struct world_call {
        uint64_t ticket;
        uint8_t id[16];
    } calls[WORLD_CALLS];
    unsigned n_calls;
};

struct world_key { /* what is counted: two tenants have the same ids */
    uint8_t tenant[16];
    char id[16];
};

struct world_asked { /* one command id */
    enum {
        ASKED_COUNT,
        ASKED_CALL,
        ASKED_TIMER,
        ASKED_FORWARD,
        ASKED_VALUE,
        ASKED_GARBAGE /* it is no command */
    } kind;
    unsigned key, copies;
    int64_t by;
    uint8_t idempotency[16]; /* of its call */
    bool called;
    char trace[100]; /* traceparent that it came with: none, one, or what cannot be one */
};

struct world_log; /* what was seen in the logs: world_check.c */

struct world {
    struct clock clock;
    int64_t now_us;
    struct random random;
    int32_t partitions;
    struct bus_mem_cluster *cluster;
    struct store_mem_db *dbs[2];
    struct store
        *ghosts[2]; /* somebody else who takes partitions over, and does nothing with them */
    struct instance instances[2 * WORLD_INSTANCES];
    unsigned n_instances; /* of each service */
    struct instance *acting;
    jmp_buf died;
    struct bus *client;
    struct world_asked asked[WORLD_ASKED]; /* by command id - 1 */
    uint64_t commands;
    uint64_t events;                   /* different ones sent, by their number */
    int64_t wanted_events[WORLD_KEYS]; /* good ones */
    int64_t settings;                  /* version published last */
    int64_t looked_up;                 /* by the last forwarded command */
    int64_t cached[WORLD_KEYS_MOST];   /* the highest value that the cache was given */
    unsigned rejects;                  /* records and messages that must become dead letters */
    struct world_log *log;
    unsigned steps;       /* of all instances: in a long run not every one is looked at */
    bool verbose, faults; /* faults: decisions may be made to die */
    int64_t patience_us;  /* how long something is parked */
    bool deadly_timers;   /* the process does not survive a timer "again" */
    bool refused_timers;  /* the database refuses what it wants to write */
};

extern struct world *world_of_decisions; /* the one there is: decisions know no other way */
extern const struct stream_service world_services[2];
extern const struct store_table world_counters, world_seen, world_marks, world_log_rows, world_sums,
    world_open, world_wrongs;

struct world_key world_key(unsigned key);
int32_t world_partition(const struct world *world, unsigned key);
struct world *world_create(uint64_t seed, unsigned instances);
struct world *world_create_of(uint64_t seed, unsigned instances, int32_t partitions);
void world_destroy(struct world **world);
void world_start(struct world *world, struct instance *instance);
void world_crash(struct instance *instance); /* nothing is finished, nothing is told */
void world_drain(struct world *world, struct instance *instance);
uint64_t world_below(struct world *world, uint64_t n);
void world_tell(struct world *world, const struct instance *instance, const char *format, ...)
    PRINTF(3, 4);
/* Sends a command, `copies` times under the same id; each copy waits for an answer of its own. */
void world_command(struct world *world, unsigned key, int64_t by, unsigned copies);
void world_ask(struct world *world, int kind, unsigned key, int64_t by, unsigned copies);
/* The same command once more. */
void world_repeat(struct world *world, uint64_t number);
/* A batch of so many events about any keys; bad ones among them. Sent `copies` times. */
void world_events(struct world *world, unsigned events, unsigned copies);
void world_poison(struct world *world, unsigned key); /* an event that no process survives */
/* A batch of three events whose rows are refused by the database. */
void world_unstorable(struct world *world, unsigned key);
void world_empty(struct world *world, unsigned key); /* a batch without events */
void world_large(struct world *world, unsigned key); /* an event as large as a record may be */
void world_settings(struct world *world);
/* Somebody takes a partition over, and is never heard of again. */
void world_ghost(struct world *world, unsigned service, int32_t part);
void world_ghosts(struct world *world); /* all of a's */
/* Somebody else commits something to a's database, of at most one partition. */
void world_commit(struct world *world, struct store_commit commit);
/* One instance does one thing: a step of the stream or of its store. If it dies of a decision it is started again. */
void world_act(struct world *world, struct instance *instance);
/* Any of them, one after the other, a millisecond each. */
void world_rounds(struct world *world, int rounds);
/* One of the calls that it made comes to an end, perhaps more than once. */
void world_answer_call(struct world *world, struct instance *instance);
void world_chaos(struct world *world, int acts);
/* Everybody works and time goes on until nothing more happens. */
void world_settle(struct world *world);
/* What was read by all goes: every topic that somebody reads loses its records, of some partitions but for the last. */
void world_truncate(struct world *world);
/* Fails the test when what is in the databases, the logs and the answers is not what was asked for. */
void world_check(struct world *world);
/* The same of the runtime's own data, between any two steps; idle: at rest. */
void world_look(const struct instance *instance, bool idle);
/* Fail the test when what is seen, or kept as a dead letter, is not what lies in the log. */
void world_check_record(struct world *world, const struct bus_record *record);
void world_check_dead_letter(struct world *world, const struct bus_record *letter);
/* stream_options.cache */
void world_cached(void *user, struct slice key, struct slice value, int64_t seconds);
void world_audit(struct world *world); /* takes in what the logs hold since the last time */
void world_log_destroy(struct world_log **log);
int64_t world_value(struct world *world, unsigned service, unsigned key); /* of its row; -1: none */
unsigned world_dead_letters(struct world *world);
unsigned world_replies(struct world *world, int status); /* different commands answered so */

/* What a counter's state holds, in the bytes of a Count message. */
struct tally {
    int64_t commands, events, fired, outcomes; /* value is their sum */
    int64_t once_us, again_us;                 /* when these timers are due; 0: not set */
    int64_t calls, open;                       /* ever made; whose outcome has not come */
};

#pragma once
/*
 * The inside of the runtime. How a message flows through the files:
 *
 *   own.c      assignment → take-over (position.c decodes the row) → timers.c first page → readers started
 *   intake.c   lanes, due timers, outcomes → items of the one batch that is gathering
 *   load.c     states, parts, answers, look-ups that its items need → cache.c
 *   attempt.c  what may kill its service: marked before it is tried
 *   decide.c   each item in order → effects.c → applied (apply.c): cache, rows, timers, outbox.c frames
 *   commit.c   fences + rows → one transaction → settled: said (outbox.c), asked (ask.c), unpinned; or all forgotten
 *
 * One batch gathers, loads and decides at a time; up to COMMITS_IN_FLIGHT others are being committed.
 *
 *   part.h     a partition, with outbox.h and timers.h
 *   batch.h    a batch, with cache.h
 */
#include "batch.h"

enum {
    MAX_STATES = 6,     /* of the service, and the answers */
    ASKS_LIMIT = 1000,  /* under way; beyond it 503 */
    CALLS_LIMIT = 1000, /* under way; beyond it the next ones wait */
    CALLS_AGAIN_US = 100000,
};

/* As the enums have them; tests lower them. */
struct limits {
    size_t batch_bytes, unconfirmed, parked_bytes;
    unsigned parked, timers, asks, calls;
};

/* A call under way. Its timer keeps the identity; the outcome waits here for its batch. */
struct call {
    uint64_t ticket, life;
    int32_t part;
    bool answered;
    unsigned kind;
    struct stream_key key;
    char *name;
    struct slice data; /* the outcome; malloc'ed, as the key's id and the name */
};

/* A request of the store that belongs to nobody else: first member of its kind, freed with the runtime at the latest. */
struct request {
    struct request *next, **link;
    struct arena *arena;
};

struct mirror_entry {
    struct mirror_entry *chain;
    uint64_t hash;
    int64_t version;
    ProtobufCMessage *body;
    size_t key_size;
    uint8_t key[];
};

struct mirror {
    const struct stream_mirror *spec;
    struct mirror_entry *buckets[4096];
    size_t n;
    int64_t *ends; /* per partition: where the log ended at start */
    int64_t *next;
    int64_t last_us; /* when the last record came */
    bool started, full;
};

struct metrics_of_stream {
    struct metric *messages, *records, *repeats, *gaps, *batches, *batch_size, *commit_s, *decide_s,
        *published, *confirmed, *unconfirmed_bytes, *outbox_age, *lag, *owned, *takeovers, *fenced,
        *forgotten, *timers, *cache_bytes, *cache_hits, *cache_misses, *parked, *asks, *heals;
    struct metric **counters;
};

struct stream {
    const struct stream_service *service;
    struct stream_options options;
    struct limits limits;
    struct bus *bus;
    struct store *store;
    int64_t now_us; /* cached once a step */
    int32_t n_parts;
    struct part *parts;
    struct cache cache;
    const struct stream_state *states[MAX_STATES]; /* the service's, then the answers */
    unsigned n_states;
    struct store_lookup state_lookups[MAX_STATES], part_lookups[MAX_STATES];
    uint8_t state_columns[MAX_STATES];
    struct batch batches[COMMITS_IN_FLIGHT + 1];
    struct batch *loading;
    unsigned committing;
    uint64_t batch_ids, lives, settled_batch; /* the last one that is committed */
    struct {
        unsigned limits[PACES]; /* messages in a batch; adapts */
        int64_t prompt_until_us;
        bool full; /* the last batch: more is waiting */
    } pace;
    int64_t settled_us; /* when the last commit was confirmed */
    struct { /* a record that is to be alone in its batch, read while another was gathering */
        bool held;
        struct bus_event event;
        uint64_t life;
    } aside;
    struct stream_effects effects;
    struct sent *slots;
    uint32_t n_slots, free_slot, tags;
    size_t unconfirmed; /* bytes */
    struct request *requests;
    struct survived survived[SURVIVED_LIMIT]; /* own attempts whose rows are to go */
    unsigned n_survived;
    bool retracting;
    int64_t retract_us;  /* not before */
    unsigned page_loads; /* timer pages under way */
    struct call *calls;
    unsigned n_calls, calls_capacity;
    uint64_t tickets;
    struct ask *asks; /* under way */
    unsigned n_asks;  /* of batches, too */
    struct buf scratch;
    struct mirror *mirrors;
    bool mirrors_started, joined, assignment_seen, draining, left, wants_step, producer_failed;
    int64_t wake_us; /* the earliest time at which something waits; rebuilt each step */
    int64_t bus_error_us;
    char why[120];
    char producer[64]; /* "<service>.<generation>" */
    char source[64];   /* "/journey/<service>" */
    struct metrics_of_stream m;
};

static inline uint32_t dest_index(const struct stream *s, int topic, int32_t partition)
{
    uint32_t t = (uint32_t)(topic & ~TOPIC_DLQ) * 2 + ((topic & TOPIC_DLQ) != 0);
    return t * (uint32_t)s->n_parts + (uint32_t)partition;
}
static inline void wake_at(struct stream *s, int64_t us)
{
    s->wake_us = min_i64(s->wake_us, us);
}
void observe(struct stream *s, enum log_level level, const char *event, const char *fields, ...)
    PRINTF(4, 5);
ProtobufCAllocator stream_allocator(struct arena *arena);
void now_read(struct stream *s); /* into now_us */

/* setup.c */
void request_add(struct stream *s, struct request *request, struct arena *arena);
void request_free(struct request *request); /* with its arena */

/* check.c */
int check_service(const struct stream_service *service, struct err *err) MUST_CHECK;

/* call.c */
bool call_start(struct stream *s, struct part *part, struct timer *timer); /* false: too many */
/* The caller frees it by call_free. first: only one that is to be alone; else, in a batch that holds something, none of those. */
bool call_take_outcome(struct stream *s, bool first, bool empty, struct call *call);
void call_free(struct call *call);
void call_deinit(struct stream *s);

/* ask.c */
void ask_start(struct stream *s, struct ask *asks);
void ask_free(struct ask **ask);
void ask_deinit(struct stream *s);

/* mirror.c */
int mirror_step(struct stream *s); /* 1: all read to their ends */
void mirror_offset_gone(struct stream *s, const struct bus_event *event);
void mirror_deinit(struct stream *s);

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
 */
#include "stream.h"

#include "journey/v1/command.pb-c.h"

enum {
    COMMITS_IN_FLIGHT = 2,
    MAX_INPUTS = 8,
    MAX_STATES = 6,               /* of the service, and the answers */
    UNCONFIRMED_LIMIT = 4 << 20,  /* bytes said but not confirmed: reading pauses */
    MESSAGE_SAYS_LIMIT = 4 << 20, /* bytes that one message may say */
    BATCH_BYTES_LIMIT = 4 << 20,  /* of records in one batch */
    BATCH_ARENA_LIMIT = 64 << 20,
    SAVE_AFTER_US = 1000000, /* a position that only repeats moved is committed after this */
    PARKED_LIMIT = 1000,     /* per partition; beyond it what would be parked has expired at once */
    TIMER_PAGE = 2000,
    TIMERS_LIMIT =
        20000,          /* per partition, in memory; later ones are read when their time is near */
    ASKS_LIMIT = 1000,  /* under way; beyond it 503 */
    CALLS_LIMIT = 1000, /* under way; beyond it the next ones wait */
    CALLS_AGAIN_US = 100000,
    STATE_LIMIT = 1 << 20,  /* bytes of a state or part */
    PARKED_BYTES = 4 << 20, /* per partition, as PARKED_LIMIT */
    TIMER_PAGE_SMALL = 8,   /* when a page of timers with their data is too much memory */
    PAGE_ARENA_LIMIT = 64 << 20,
    LIVED_US = 60000000, /* who owned it so long does not die of an input that brings nothing */
    TRIES_SINGLE = 3, /* take-overs without progress until batches are of one, the first marked */
    ATTEMPTS_POISON = 5, /* processes that did not survive a message until it is a dead letter */
    ATTEMPTS_LIMIT = 64, /* per partition; beyond it nothing is marked */
    SURVIVED_LIMIT = 256,
    SINGLES = 4000, /* messages decided one by one then */
    MAX_PRODUCER_NAME = 100,
    MAX_ID = 200,
};

enum {
    TIMER_PLAIN = 0,
    TIMER_PARKED = 1,
    TIMER_CALL = 2,
    TIMER_KINDS = 16,
    TIMER_ATTEMPT = 1 << 20 /* no timer: attempt.c */
};                          /* the row's kind = state * 16 + this */

/* ---- cache.c ---- */

/* A state (or answer) in memory, the newest that was decided. Its owner is the only writer, so it is never stale. */
struct entry {
    struct entry *chain;         /* of its bucket */
    struct entry *newer, *older; /* least recently used at the end */
    uint64_t hash;
    unsigned kind; /* index of the state; n_states: answers */
    int32_t part;
    uint8_t tenant[16];
    uint8_t *id;
    uint16_t id_size;
    bool loaded, present;
    bool stored;     /* its row is there once every batch decided so far is committed */
    uint64_t seldom; /* hash of its row's SELDOM columns as written last; 0: unknown, or none */
    uint8_t *bytes;  /* encoded; malloc'ed */
    uint32_t size, capacity;
    struct stream_part *parts; /* malloc'ed, ascending sub; data malloc'ed */
    unsigned n_parts;
    unsigned pins;       /* batches that wrote or use it */
    uint64_t batch;      /* the batch that last touched it */
    void *decoded;       /* in that batch's arena */
    bool changed;        /* in that batch: its row is to be written */
    bool *parts_changed; /* per part, while changed; NULL: none */
};

struct cache {
    struct entry **buckets;
    size_t n_buckets, n_entries, bytes, limit;
    struct entry *newest, *oldest;
    uint64_t hits, misses;
};

int cache_init(struct cache *cache, size_t limit);
void cache_deinit(struct cache *cache);
struct entry *
cache_get(struct cache *cache, unsigned kind, int32_t part,
          const struct stream_key *key); /* made, not loaded, if absent; NULL: no memory */
void cache_drop_part(struct cache *cache,
                     int32_t part); /* pinned ones too: their batches are dead */
void cache_trim(struct cache *cache);
void cache_unpin(struct cache *cache, struct entry *entry);
int entry_set_bytes(struct cache *cache, struct entry *entry, struct slice bytes);
int entry_set_part(struct cache *cache, struct entry *entry, int64_t sub, struct slice data,
                   bool changed);
void entry_expire_parts(struct cache *cache, struct entry *entry, int64_t after);
static inline struct slice entry_id(const struct entry *e)
{
    return slice_make(e->id, e->id_size);
}

/* ---- outbox.c ---- */

struct sent {      /* one message that waits for its report */
    uint32_t next; /* towards the tail of its destination's queue, or of the free list; 0: none */
    uint32_t
        tag; /* with the slot it makes the cookie, so that a late report of another life is recognised */
    struct outrow *row;
    int32_t part;
    uint32_t dest;
    uint32_t size;
    bool delivered;
};

struct outrow { /* what one commits row says */
    struct outrow *next;
    int64_t n, at_us;
    struct buf frames[2]; /* replies; all others. Freed when sent */
    size_t cursor[2];
    unsigned count, pending; /* messages; not yet confirmed */
    bool committed;
};

struct dest {
    uint64_t number; /* the last one given */
    uint32_t head, tail;
};

/* ---- partitions ---- */

enum part_state {
    PART_IDLE,    /* not ours */
    PART_WAITING, /* ours, to be taken over at retry_us */
    PART_OWNING,  /* the row of the take-over is under way, or its timers are being read */
    PART_RUNNING,
    PART_STOPPED, /* cannot go on without a person */
};

struct attempt {
    uint64_t identity; /* item_identity() */
    int64_t epoch;     /* of who tried it */
    bool settled;      /* decided; its row goes with that batch */
};

struct survived {
    int32_t part;
    struct attempt attempt;
};

struct position_input { /* of a topic; or of the timers, which have no offset */
    bool known;         /* an offset is stored */
    bool strict;        /* read from the log's first record: a new producer begins at 1 */
    bool verify;        /* the next record must be the one before `next`, with this check */
    int64_t next;
    uint32_t check;   /* murmur2 of the ce_id of the record before `next` */
    bool moved;       /* since the take-over */
    unsigned stalls;  /* take-overs in a row without its moving; others may have moved */
    bool suspect;     /* what comes next is marked, see attempt.c */
    unsigned singles; /* messages still to be alone in their batch */
};

struct watermark {
    struct watermark *chain;
    uint64_t number;
    uint8_t input;
    uint8_t size;
    char producer[];
};

struct timer {
    struct timer *chain; /* by identity */
    uint64_t hash;
    int64_t due_us;
    int heap;              /* index, or -1 */
    unsigned kind;         /* state * TIMER_KINDS + TIMER_* */
    struct stream_key key; /* id in this allocation */
    const char *name;
    struct slice data;
    bool taken;                               /* an item of a batch, or a call under way */
    bool adopted;                             /* parked, and its state has come */
    struct timer *parked_next, **parked_link; /* of its partition's parked ones */
};

struct part {
    int32_t id;
    enum part_state state;
    bool assigned;
    uint64_t life; /* grows whenever all of this is forgotten */
    int64_t retry_us;
    int64_t owned_us;  /* since when it runs */
    unsigned failures; /* take-overs that failed in a row */
    int64_t n, epoch;  /* of the newest row decided */
    int32_t tries;
    /* item_identity() of what no batch can carry out, not even alone: refused when it comes again. */
    uint64_t condemned;
    const char *condemned_code;
    struct position_input inputs[MAX_INPUTS + 1]; /* as the service has them, then the timers */
    struct attempt attempts[ATTEMPTS_LIMIT];
    unsigned n_attempts;
    int64_t unsaved_us; /* since when positions have moved that no commit has yet; 0: none */
    struct watermark *watermarks[16];
    struct buf unknown_offsets, unknown_numbers,
        unknown_watermarks;           /* of topics that this release does not know */
    struct dest *dests;               /* dest_index(topic, partition) */
    struct outrow *rows, **rows_tail; /* not wholly confirmed, oldest first */
    struct timer *timers[256];
    struct timer **heap;
    unsigned n_heap, heap_capacity, n_timers, n_parked;
    size_t parked_bytes;
    struct timer *parked;
    unsigned deferred;  /* messages parked behind adopted ones, in order */
    int64_t horizon_us; /* every timer that is due by then is in memory */
    bool horizon_open;  /* but more may be due at that very instant than a page holds */
    bool small_pages;
    struct own_request *request;
    /* A message that this release does not know: everything before it is finished, then the partition stops. */
    bool stop_known, stopping;
    int stop_input;
    int64_t stop_offset;
    char stop_reason[160];
};

/* ---- batches ---- */

struct item {
    enum {
        ITEM_RECORD,
        ITEM_TIMER,
        ITEM_PARKED,
        ITEM_OUTCOME
    } kind;
    struct part *part;
    uint64_t life;
    const struct stream_input *input;
    const void *body;
    unsigned index;
    unsigned state; /* index of the kind of state */
    struct stream_key key;
    struct bus_record *record; /* its record, or the one it was parked with */
    unsigned timer_kind;       /* a timer's identity: it is looked for again at its turn */
    const char *timer_name;
    int64_t due_us;
    struct slice data; /* outcome */
    struct entry *entry, *answer;
    struct {
        int lookup_load;
        unsigned key;
    } needs[STREAM_MAX_NEEDS];
    unsigned n_needs;
    const Journey__V1__Command *command; /* somebody waits */
    const char *unusable;                /* reason: straight to the dead letters */
};

struct ask {
    struct ask *next;
    struct stream *stream;
    struct arena *arena;
    const struct store_lookup *lookup;
    struct store_value key[4];
    stream_answer_fn answer;
    struct slice user;
    struct store_load load;
    char correlation[64], service[64];
    char trace[64];
    int32_t reply_partition;
};

/* A value for the cache, in the batch's arena. */
struct cached {
    struct cached *next;
    struct slice key, value;
    int64_t seconds;
};

enum pace_kind {
    PACE_PROMPT,
    PACE_BULK,
    PACES
};

enum batch_state {
    BATCH_FREE,
    BATCH_LOADING,
    BATCH_COMMITTING
};

struct pending_load {
    struct store_load load;
    struct batch *batch;
    unsigned kind; /* of state; or NEEDS */
    bool parts;
    struct entry **entries; /* per key */
    struct store_value *keys;
    unsigned capacity;
};

struct batch_part {
    struct part *part;
    uint64_t life;
    struct outrow *row; /* NULL: it says nothing */
    int64_t n;
};

struct batch {
    struct stream *stream;
    enum batch_state state;
    uint64_t id;
    bool dead;   /* forgotten: only its requests are waited for */
    bool closed; /* nothing may be added: what it holds is to be alone */
    struct arena *arena;
    struct item *items;
    unsigned n_items, items_capacity;
    struct bus_event *records;
    unsigned n_records, records_capacity;
    size_t bytes;
    struct pending_load *loads;
    unsigned n_loads, loads_open;
    bool loads_failed, loads_refused; /* refused: trying again cannot help */
    bool parts_wanted;                /* of the states found */
    int64_t retry_us;                 /* of failed loads */
    struct entry **touched;
    unsigned n_touched, touched_capacity;
    struct store_row *rows;
    unsigned n_rows, rows_capacity;
    struct batch_part *parts;
    unsigned n_parts;
    struct store_position *fences;
    bool *fenced;
    struct store_commit commit;
    struct part *marked; /* its record is tried only after `mark` was committed */
    struct store_position mark;
    struct store_row mark_row;
    struct part *tried; /* what it holds is alone in it, and has this identity */
    uint64_t tried_identity, tried_life;
    struct ask *asks, **asks_tail;
    struct cached *cached, **cached_tail;
    int64_t begun_us, submitted_us;
    enum pace_kind pace;
    unsigned decided;
};

/* ---- effects ---- */

enum effect_kind {
    EFFECT_STATE,
    EFFECT_PART,
    EFFECT_ROW,
    EFFECT_ROW_REMOVE,
    EFFECT_PUBLISH,
    EFFECT_FORWARD,
    EFFECT_TIMER_SET,
    EFFECT_TIMER_CANCEL,
    EFFECT_REPLY,
    EFFECT_ASK,
    EFFECT_PARK,
    EFFECT_CALL,
    EFFECT_REJECT,
    EFFECT_STOP,
    EFFECT_COUNT,
    EFFECT_CACHE,
};

struct effect {
    enum effect_kind kind;
    int topic;
    int64_t number; /* sub, time, status, counter */
    double by;
    struct slice key, data;
    const void *pointer; /* message, table, look-up */
    struct slice packed; /* of a state */
    const struct store_value *values;
    const char *name, *text;
    stream_answer_fn answer;
};

struct stream_effects {
    struct stream *stream;
    struct effect *list;
    unsigned n, capacity;
    bool overflow;
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

/* ---- the whole ---- */

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
        *forgotten, *dead_letters, *timers, *cache_bytes, *cache_hits, *cache_misses, *parked,
        *asks, *heals;
    struct metric **counters;
};

struct stream {
    const struct stream_service *service;
    struct stream_options options;
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
    uint64_t batch_ids, lives;
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

/* setup.c */
void request_add(struct stream *s, struct request *request, struct arena *arena);
void request_free(struct request *request); /* with its arena */

/* position.c */
int position_decode(struct stream *s, struct part *part, const struct store_position *row,
                    struct err *err);
void position_encode(struct stream *s, struct part *part, struct arena *arena,
                     struct store_position *row);
struct watermark *position_watermark(struct part *part, unsigned input, struct slice producer,
                                     bool make);
void position_forget(struct stream *s, struct part *part);
/* Under which an input, or the timers, are written; -1: this release has none of that name. */
const char *position_name(const struct stream *s, unsigned input);
int position_input(const struct stream *s, struct slice name);

/* own.c */
void own_assignment(struct stream *s, const int32_t *partitions, unsigned n);
void own_step(struct stream *s);
void own_forget(struct stream *s, struct part *part,
                int64_t retry_us); /* all of it; owned anew at retry_us if still assigned */
void own_forget_all(struct stream *s, const char *reason, int64_t delay_us);
void own_give_up(struct stream *s, struct part *part);
void own_stop(struct stream *s, struct part *part, const char *reason);
void own_stop_at(struct stream *s, const struct item *item, const char *reason);
void own_offset_gone(struct stream *s, int topic, int32_t partition, int64_t offset);

/* intake.c */
bool intake_gather(struct stream *s, struct batch *batch); /* true: the batch has something */
unsigned batch_touch(struct batch *batch, struct entry *entry);
uint64_t item_identity(const struct item *item); /* the same when it comes again; never 0 */

/* attempt.c */
void attempt_found(struct stream *s, struct part *part, struct slice id, int64_t epoch,
                   struct slice input);
/* If its input is suspect, or others have tried it: it is tried only after that was committed, too. */
void attempt_mark(struct stream *s, struct batch *batch, struct part *part, unsigned input,
                  uint64_t identity);
unsigned attempts_at(const struct part *part, uint64_t identity); /* of others: not survived */
bool attempts_open(const struct part *part);                      /* any that is not settled */
void attempts_settle(struct batch *batch);
void attempts_forget(struct stream *s, struct part *part);
/* True: others do not know yet what this process survived; until they do it takes nothing over. */
bool attempts_retract(struct stream *s);

/* pace.c */
void pace_init(struct stream *s);
unsigned pace_limit(const struct stream *s, enum bus_lane lane); /* messages in a batch */
void pace_command(struct stream *s);                             /* somebody waits */
void pace_gathered(struct stream *s, struct batch *batch, bool full);
unsigned pace_commits(const struct stream *s); /* that may be under way */
void pace_settled(struct stream *s, const struct batch *batch, int64_t took_us);
void pace_blamed(struct stream *s); /* a batch was refused: smaller ones tell who is to blame */

/* load.c */
void load_submit(struct stream *s, struct batch *batch);
bool load_parts(struct stream *s, struct batch *batch); /* true: they are under way */
void load_finish(struct stream *s, struct batch *batch);
void load_deinit(struct batch *batch);

/* check.c */
int check_service(const struct stream_service *service, struct err *err) MUST_CHECK;

/* decide.c, apply.c */
void apply_timer(struct stream *s, struct batch *batch, struct item *item, unsigned plain,
                 const char *name, int64_t due_us, struct slice data);
void apply_problem(struct stream *s, struct batch *batch, struct item *item, int status,
                   const char *code, const char *detail);
void decide_batch(struct stream *s, struct batch *batch);
void batch_add_part(struct stream *s, struct batch *batch, struct part *part);
int apply_effects(struct stream *s, struct batch *batch, struct item *item,
                  struct stream_decision *d, struct err *err);
void apply_dead_letter(struct stream *s, struct batch *batch, struct item *item, const char *code,
                       const char *reason);
void batch_put_row(struct batch *batch, const struct store_table *table,
                   const struct store_value *values, enum store_row_kind kind);
struct outrow *batch_outrow(struct stream *s, struct batch *batch, struct part *part);

/* commit.c */
void commit_submit(struct stream *s, struct batch *batch);
void commit_mark(struct stream *s, struct batch *batch); /* the attempt; then the batch loads */
void batch_free(struct stream *s, struct batch *batch);
/* It cannot be carried out as it is, however often it is tried. */
void batch_undo(struct stream *s, struct batch *batch, const char *code);
bool commit_refuses_data(const struct err *err);

/* outbox.c */
/* Adds a frame; 0 or ERR_TOO_LARGE. n_extra headers beyond the CloudEvents ones. raw: headers are all given, only dlq-id is added. */
int outbox_add(struct stream *s, struct part *part, struct outrow *row,
               const struct bus_message *message, bool raw, const char *type, int64_t time_us,
               const char *trace);
/* Takes back what was added since the row's frames had these sizes: its numbers are given again. */
void outbox_undo(struct stream *s, struct part *part, struct outrow *row, const size_t sizes[2]);
struct slice outbox_pack(const struct outrow *row, struct arena *arena);
int outbox_unpack(struct stream *s, struct part *part, int64_t n, struct slice blob,
                  struct err *err); /* queues a row said before */
void outbox_send(struct stream *s);
void outbox_delivered(struct stream *s, uint64_t cookie);
int64_t outbox_done(const struct part *part,
                    int64_t n); /* the oldest row not wholly confirmed, or n */
void outbox_forget(struct stream *s, struct part *part);
void outbox_advance(struct part *part); /* lets go of rows that are wholly confirmed */
void outbox_row_free(struct outrow **row);

/* timers.c */
struct timer *timers_find(struct part *part, unsigned kind, const struct stream_key *key,
                          const char *name);
struct timer *timers_set(struct stream *s, struct part *part, unsigned kind,
                         const struct stream_key *key, const char *name, int64_t due_us,
                         struct slice data);
void timers_remove(struct part *part, struct timer *timer);
void timers_reheap(struct part *part,
                   struct timer *timer); /* after due_us changed, or it was taken and is not due */
struct timer *timers_take_due(struct part *part,
                              int64_t now_us); /* out of the heap, marked taken */
/* In memory only: it was taken, but cannot be carried out yet. */
void timers_postpone(struct part *part, struct timer *timer, int64_t due_us);
void timers_load(struct stream *s, struct part *part, void (*then)(struct stream *, struct part *));
bool timers_want_page(const struct part *part, int64_t now_us);
void timers_forget(struct part *part);
/* The state has come: what waits for it is due at once, in the order of the log, before anything else. */
void timers_adopt(struct stream *s, struct batch *batch, struct part *part,
                  const struct stream_key *key, unsigned state);
/* The row of a timer; key's id, name and data live in the batch's arena, or as long. */
void timers_put_row(struct batch *batch, const struct part *part, unsigned kind,
                    const struct stream_key *key, const char *name, int64_t due_us,
                    struct slice data);
bool timers_wait_for(const struct part *part, const struct stream_key *key, unsigned state);
extern const struct store_table timers_table, answers_table;
extern const struct stream_state answers_state;

/* park.c: a message as it was parked */
void park_item(struct stream *s, struct batch *batch, struct item *item, int64_t until_us);
int64_t park_offset(const struct timer *timer);
bool park_known(const struct stream *s, struct slice data);
struct slice park_pack(const struct item *item, struct arena *arena);
/* Without body when the item is unusable. An error without a record: of another release. */
int park_unpack(struct stream *s, struct batch *batch, struct item *item, struct slice data,
                struct err *err);

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

/* number.c: the CloudEvents headers of what is said, at most 8. They point to what is given. */
unsigned headers_cloudevents(struct bus_header *headers, struct slice id, const char *type,
                             const char *source, const char *time, const char *trace);

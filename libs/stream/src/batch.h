#pragma once
/* A batch from its gathering to its commit, in the order of the files below; and the effects of its decisions. */
#include "cache.h"
#include "part.h"

#include "journey/v1/command.pb-c.h"

enum {
    COMMITS_IN_FLIGHT = 2,
    BATCH_BYTES_LIMIT = 4 << 20, /* of records in one batch */
    BATCH_ARENA_LIMIT = 64 << 20,
    STATE_LIMIT = 1 << 20, /* bytes of a state or part */
};

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
    int64_t due_us, until_us; /* until_us: of a parked message */
    struct slice data;        /* outcome */
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
    uint64_t given_up; /* what its part had condemned */
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
    unsigned tried_input;
    struct ask *asks, **asks_tail;
    struct cached *cached, **cached_tail;
    int64_t begun_us, submitted_us;
    enum pace_kind pace;
    unsigned decided;
};

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

/* intake.c */
bool intake_gather(struct stream *s, struct batch *batch); /* true: the batch has something */
unsigned batch_touch(struct batch *batch, struct entry *entry);
uint64_t item_identity(const struct item *item); /* the same when it comes again; never 0 */

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

/* decide.c, apply.c */
/* row_us: as its row has it, by which it is read; due_us: in memory. */
void apply_timer(struct stream *s, struct batch *batch, struct item *item, unsigned plain,
                 const char *name, int64_t row_us, int64_t due_us, struct slice data);
void apply_problem(struct stream *s, struct batch *batch, struct item *item, int status,
                   const char *code, const char *detail);
void decide_batch(struct stream *s, struct batch *batch);
void batch_add_part(struct stream *s, struct batch *batch, struct part *part);
struct batch_part *batch_part_of(struct batch *batch, const struct part *part); /* it was added */
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

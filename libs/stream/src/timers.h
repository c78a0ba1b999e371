#pragma once
/* What happens later: timers.c, and messages that wait as timers, park.c. */
#include "stream.h"

struct stream;
struct part;
struct batch;
struct item;

enum {
    PARKED_LIMIT = 1000,    /* per partition; beyond it what would be parked has expired at once */
    PARKED_BYTES = 4 << 20, /* per partition, as PARKED_LIMIT */
    TIMER_PAGE = 2000,
    TIMER_PAGE_SMALL = 8, /* when a page of timers with their data is too much memory */
    PAGE_ARENA_LIMIT = 64 << 20,
    TIMERS_LIMIT = 4000, /* per partition, in memory; later ones are read when their time is near */
    TIMER_BUCKETS = 1024,
};

enum {
    TIMER_PLAIN = 0,
    TIMER_PARKED = 1,
    TIMER_CALL = 2,
    TIMER_KINDS = 16,
    TIMER_ATTEMPT = 1 << 20 /* no timer: attempt.c */
};                          /* the row's kind = state * 16 + this */

struct timer {
    struct timer *chain; /* by identity */
    uint64_t hash;
    int64_t due_us;
    int heap;              /* index, or -1 */
    unsigned kind;         /* state * TIMER_KINDS + TIMER_* */
    struct stream_key key; /* id in this allocation */
    const char *name;
    struct slice data;
    uint64_t batch; /* that set it; 0: it was read from its row */
    bool taken;     /* an item of a batch, or a call under way */
    bool adopted;   /* parked, and its state has come, or may have: it is to be looked at */
    struct timer *parked_next, **parked_link; /* of its partition's parked ones */
};

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
/* The state has come: what waits for it is due at the time that its row is: at once, in the order of the log, before
 * anything else. */
void timers_adopt(struct part *part, const struct stream_key *key, unsigned state);
/* The row of a timer; key's id, name and data live in the batch's arena, or as long. */
void timers_put_row(struct batch *batch, const struct part *part, unsigned kind,
                    const struct stream_key *key, const char *name, int64_t due_us,
                    struct slice data);
/* The same when it comes again, for attempts; never 0. */
uint64_t timer_identity(unsigned kind, const struct stream_key *key, const char *name);
bool timers_wait_for(const struct part *part, const struct stream_key *key, unsigned state);
extern const struct store_table timers_table, answers_table;
extern const struct stream_state answers_state;

/* park.c: a message as it was parked */
void park_item(struct stream *s, struct batch *batch, struct item *item, int64_t until_us);
/* Where it stands in the log, as a time of 1970: the order in which the parked messages of a state are decided. */
int64_t park_order(const struct item *item);
int64_t park_order_of(const struct timer *timer);
bool park_known(const struct stream *s, struct slice data);
/* A parked message at its turn whose state has not come, and which has time: it is put back. */
bool park_waits_on(struct stream *s, const struct item *item);
/* Without body when the item is unusable. An error without a record: of another release. */
int park_unpack(struct stream *s, struct batch *batch, struct item *item, struct slice data,
                struct err *err);

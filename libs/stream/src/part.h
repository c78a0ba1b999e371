#pragma once
/* A partition: what is believed of it between a take-over and its end (own.c), its position, attempts at what may kill. */
#include "outbox.h"
#include "timers.h"

enum {
    MAX_INPUTS = 8,
    SAVE_AFTER_US = 1000000, /* a position that only repeats moved is committed after this */
    LIVED_US = 60000000,     /* who owned it so long does not die of an input that brings nothing */
    TRIES_SINGLE = 3, /* take-overs without progress until batches are of one, the first marked */
    ATTEMPTS_POISON = 5, /* processes that did not survive a message until it is a dead letter */
    ATTEMPTS_LIMIT = 64, /* per partition; beyond it nothing is marked */
    SURVIVED_LIMIT = 256,
    SINGLES = 4000, /* messages decided one by one then */
};

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
    uint32_t check;   /* of the id and time of the record before `next` */
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
        unknown_watermarks;              /* of topics that this release does not know */
    struct dest *dests;                  /* dest_index(topic, partition) */
    struct outrow *rows, **rows_tail;    /* not wholly confirmed, oldest first */
    struct timer *timers[TIMER_BUCKETS]; /* by identity */
    struct timer **heap;
    unsigned n_heap, heap_capacity, n_timers, n_parked;
    size_t parked_bytes;
    struct timer *parked;
    int64_t horizon_us; /* every timer that is due by then is in memory */
    bool horizon_open;  /* but more may be due at that very instant than a page holds */
    bool small_pages;
    /* A message that this release does not know: everything before it is finished, then the partition stops. */
    bool stop_known, stopping;
    int stop_input;
    int64_t stop_offset;
    char stop_reason[160];
};

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

/* attempt.c */
void attempt_found(struct stream *s, struct part *part, struct slice id, int64_t epoch,
                   struct slice input);
/* If its input is suspect, or others have tried it: it is tried only after that was committed, too. */
void attempt_mark(struct stream *s, struct batch *batch, struct part *part, unsigned input,
                  uint64_t identity);
void attempt_over(struct batch *batch); /* the batch was decided, and this process lives */
unsigned attempts_at(const struct part *part, uint64_t identity); /* of others: not survived */
bool attempts_open(const struct part *part);                      /* any that is not settled */
void attempts_settle(struct batch *batch, struct part *part, uint64_t identity);
void attempts_forget(struct stream *s, struct part *part);
/* True: others do not know yet what this process survived; until they do it takes nothing over. */
bool attempts_retract(struct stream *s);

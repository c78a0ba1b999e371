#pragma once
/* What is said and not yet confirmed: outbox.c, and number.c for its headers. */
#include "stream.h"

struct stream;
struct part;

enum {
    UNCONFIRMED_LIMIT = 4 << 20,  /* bytes said but not confirmed: reading pauses */
    MESSAGE_SAYS_LIMIT = 4 << 20, /* bytes that one message may say */
    MAX_PRODUCER_NAME = 100,
    MAX_ID = 200,
};

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

/* Adds a frame; 0 or ERR_TOO_LARGE. The message's headers come after those of CloudEvents; raw: instead of them, and dlq-id. */
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

/* number.c: the CloudEvents headers of what is said, at most 8. They point to what is given. */
unsigned headers_cloudevents(struct bus_header *headers, struct slice id, const char *type,
                             const char *source, const char *time, const char *trace);

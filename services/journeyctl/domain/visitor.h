#pragma once
/*
 * visitor: what a made-up visitor does, one request after the other:
 *
 *     start, (3 batches of 5 events, a stage) × consideration, decision, conversion, a purchase, end
 *
 * Every request has ids of its own (Idempotency-Key, message ids), so that it can be sent again until it is answered.
 */
#include "base.h"

#define VISITOR_EVENTS_A_BATCH 5
#define VISITOR_ID_SIZE        64

enum visitor_kind {
    VISITOR_START,
    VISITOR_EVENTS,
    VISITOR_STAGE,
    VISITOR_CONVERSION,
    VISITOR_END
};

struct visitor {
    char session[VISITOR_ID_SIZE];
    unsigned step;
};

struct visitor_request {
    enum visitor_kind kind;
    bool put;        /* else POST */
    bool secret;     /* needs the secret key */
    unsigned weight; /* events in it; a command counts as one */
    struct buf path, body;
    char key[VISITOR_ID_SIZE + 16]; /* Idempotency-Key; events' message ids begin with it */
    const char *stage;
};

/* run: of this run alone; number: of the visitor in it. */
void visitor_init(struct visitor *visitor, const char *run, uint64_t number);
unsigned visitor_steps(void);
/* The request of the present step; its buffers are reset and filled. */
void visitor_request(const struct visitor *visitor, struct visitor_request *request);
/* What an answer acknowledged, as lines "kind<TAB>session<TAB>id<TAB>status": the record to compare with. */
void visitor_acknowledge(const struct visitor *visitor, const struct visitor_request *request,
                         int status, struct buf *record);

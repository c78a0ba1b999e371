#pragma once
/* A record's headers: CloudEvents in Kafka's binary mode, trace context, and where the answer is waited for. */
#include "exchange.h"

#define ENVELOPE_MAX 14

struct envelope {
    struct bus_header headers[ENVELOPE_MAX];
    unsigned n;
};

/* type: "Command", "EventBatch"; NULL: not a message of ours (a dead letter's raw bytes). Its id has no '/', as numbered
 * ones have. */
void envelope_init(struct envelope *envelope, struct exchange *exchange, const char *type,
                   int64_t now_us);
/* name and value live as long as the envelope. */
void envelope_add(struct envelope *envelope, const char *name, struct slice value);
void envelope_reply_to(struct envelope *envelope, const struct exchange *exchange);
/* "<incarnation>-<handle>": 33 characters. */
struct slice envelope_correlation(const struct exchange *exchange);
/* The handle in a correlation id of this gateway; 0: a stranger's. */
uint64_t envelope_correlated(const struct gateway *gateway, struct slice correlation);

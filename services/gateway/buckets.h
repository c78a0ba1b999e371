#pragma once
/*
 * Token buckets of many owners: each fills by its rate up to its burst and may be owed what was taken beyond. Who is not
 * in the table has a full one; of a full table the least recently used goes.
 *
 * Several gateways share an owner's rate by telling each other what they spent: each adds what it took since the last
 * time to a common total, and takes off what the others added meanwhile.
 *
 *      take ──► spent ──(buckets_collect)──► common total ──(buckets_reconcile)──► less is left here
 */
#include "domain/settings.h"

#define BUCKET_ID 16

struct buckets;
struct buckets *buckets_create(unsigned limit);
void buckets_destroy(struct buckets **buckets);

/* What is left, a negative number is owed. */
double buckets_left(const struct buckets *buckets, const uint8_t id[BUCKET_ID],
                    const struct gw_rate *rate, int64_t now_us);
/* Takes n, whether they are there or not, and returns what is left. */
double buckets_take(struct buckets *buckets, const uint8_t id[BUCKET_ID],
                    const struct gw_rate *rate, int64_t now_us, double n);

struct bucket_spent {
    uint8_t id[BUCKET_ID];
    int64_t n;
};
/* What was taken since it was collected last, of at most max owners, those that wait longest first. */
unsigned buckets_collect(struct buckets *buckets, struct bucket_spent *out, unsigned max);
/* The total of all gateways after `mine` was added. A first one, or one after a pause, only says where the count stands. */
void buckets_reconcile(struct buckets *buckets, const uint8_t id[BUCKET_ID], int64_t mine,
                       int64_t total, int64_t now_us);

unsigned buckets_count(const struct buckets *buckets);
/* Owners who lost a bucket that was not full again, since the start: they got more than their rate. */
uint64_t buckets_forgotten(const struct buckets *buckets);

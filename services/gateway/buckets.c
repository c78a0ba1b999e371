#include "buckets.h"

#include <stdlib.h>
#include <sys/queue.h>

/* A total that is older says nothing of what could be spent lately. */
#define TOTAL_US (3 * SECOND_US)

struct bucket {
    TAILQ_ENTRY(bucket) used, collected;
    struct bucket *chain;
    uint8_t id[BUCKET_ID];
    struct gw_rate rate;
    double left; /* at at_us */
    int64_t at_us;
    int64_t spent; /* not collected yet */
    int64_t total,
        total_us; /* the common total when it was heard last; total_us TIME_NONE: never */
};

struct buckets {
    TAILQ_HEAD(bucket_list, bucket) used, collected; /* the oldest first; those with spent > 0 */
    struct bucket **table;
    unsigned mask, n, limit;
    uint64_t forgotten;
};

struct buckets *buckets_create(unsigned limit)
{
    struct buckets *buckets = calloc(1, sizeof(*buckets));
    unsigned size = 16;
    while (size < limit)
        size *= 2;
    if (!buckets)
        return NULL;
    TAILQ_INIT(&buckets->used);
    TAILQ_INIT(&buckets->collected);
    buckets->limit = limit;
    buckets->mask = size - 1;
    buckets->table = calloc(size, sizeof(struct bucket *));
    if (!buckets->table)
        buckets_destroy(&buckets);
    return buckets;
}

/* The place that points to the bucket, or where a new one is put. */
static struct bucket **place(const struct buckets *buckets, const uint8_t id[BUCKET_ID])
{
    struct bucket **at = &buckets->table[hash64(id, BUCKET_ID, 0) & buckets->mask];
    while (*at && memcmp((*at)->id, id, BUCKET_ID) != 0)
        at = &(*at)->chain;
    return at;
}

static void drop(struct buckets *buckets, struct bucket *bucket)
{
    *place(buckets, bucket->id) = bucket->chain;
    TAILQ_REMOVE(&buckets->used, bucket, used);
    if (bucket->spent)
        TAILQ_REMOVE(&buckets->collected, bucket, collected);
    buckets->n--;
    free(bucket);
}

void buckets_destroy(struct buckets **out)
{
    struct buckets *buckets = *out;
    *out = NULL;
    if (!buckets)
        return;
    while (!TAILQ_EMPTY(&buckets->used))
        drop(buckets, TAILQ_FIRST(&buckets->used));
    free(buckets->table);
    free(buckets);
}

static double filled(const struct bucket *bucket, const struct gw_rate *rate, int64_t now_us)
{
    double gained = (double)max_i64(now_us - bucket->at_us, 0) * (double)rate->per_s / SECOND_US;
    double left = bucket->left + gained, most = (double)rate->burst;
    return left < most ? left : most;
}

static void fill(struct bucket *bucket, int64_t now_us)
{
    bucket->left = filled(bucket, &bucket->rate, now_us);
    bucket->at_us = max_i64(now_us, bucket->at_us);
}

double buckets_left(const struct buckets *buckets, const uint8_t id[BUCKET_ID],
                    const struct gw_rate *rate, int64_t now_us)
{
    const struct bucket *bucket = *place(buckets, id);
    return bucket ? filled(bucket, rate, now_us) : (double)rate->burst;
}

static struct bucket *add(struct buckets *buckets, const uint8_t id[BUCKET_ID],
                          const struct gw_rate *rate, int64_t now_us)
{
    struct bucket *oldest = TAILQ_FIRST(&buckets->used);
    if (buckets->n >= buckets->limit && oldest) {
        buckets->forgotten += filled(oldest, &oldest->rate, now_us) < (double)oldest->rate.burst;
        drop(buckets, oldest);
    }
    struct bucket *bucket = calloc(1, sizeof(*bucket));
    if (!bucket)
        return NULL;
    *place(buckets, id) = bucket;
    memcpy(bucket->id, id, BUCKET_ID);
    bucket->left = (double)rate->burst;
    bucket->at_us = now_us;
    bucket->total_us = TIME_NONE;
    TAILQ_INSERT_TAIL(&buckets->used, bucket, used);
    buckets->n++;
    return bucket;
}

double buckets_take(struct buckets *buckets, const uint8_t id[BUCKET_ID],
                    const struct gw_rate *rate, int64_t now_us, double n)
{
    struct bucket *bucket = *place(buckets, id);
    if (!bucket)
        bucket = add(buckets, id, rate, now_us);
    if (!bucket)
        return (double)rate->burst;
    bucket->rate = *rate;
    fill(bucket, now_us);
    bucket->left -= n;
    if (!bucket->spent)
        TAILQ_INSERT_TAIL(&buckets->collected, bucket, collected);
    bucket->spent += (int64_t)n;
    TAILQ_REMOVE(&buckets->used, bucket, used);
    TAILQ_INSERT_TAIL(&buckets->used, bucket, used);
    return bucket->left;
}

unsigned buckets_collect(struct buckets *buckets, struct bucket_spent *out, unsigned max)
{
    unsigned n = 0;
    struct bucket *bucket;
    while (n < max && (bucket = TAILQ_FIRST(&buckets->collected))) {
        memcpy(out[n].id, bucket->id, BUCKET_ID);
        out[n++].n = bucket->spent;
        bucket->spent = 0;
        TAILQ_REMOVE(&buckets->collected, bucket, collected);
    }
    return n;
}

void buckets_reconcile(struct buckets *buckets, const uint8_t id[BUCKET_ID], int64_t mine,
                       int64_t total, int64_t now_us)
{
    struct bucket *bucket = *place(buckets, id);
    if (!bucket)
        return;
    bool recent = bucket->total_us != TIME_NONE && now_us - bucket->total_us <= TOTAL_US;
    int64_t others = total - mine - bucket->total;
    if (recent && others > 0) {
        fill(bucket, now_us);
        bucket->left -= (double)others;
    }
    bucket->total = total;
    bucket->total_us = now_us;
}

unsigned buckets_count(const struct buckets *buckets)
{
    return buckets->n;
}

uint64_t buckets_forgotten(const struct buckets *buckets)
{
    return buckets->forgotten;
}

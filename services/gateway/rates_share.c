/*
 * What was taken is added to a counter in Redis for each key and address, whose answer is what all gateways took. When
 * Redis is away each gateway counts alone: what it took meanwhile is not told later.
 */
#include "rates_inside.h"
#include "redis.h"
#include "stats.h"

#include <stdio.h>

/* Longer than a total counts for (buckets.c). */
#define EXPIRE_S 10

static void on_total(void *user, int64_t total, bool known)
{
    struct share *share = user;
    struct share_round *round = share->round;
    round->pending--;
    if (known)
        buckets_reconcile(round->buckets, share->spent.id, share->spent.n, total,
                          gateway_now(round->gateway));
}

static void tell(struct share_round *round, struct share *share, char kind)
{
    char key[60], hex[2 * BUCKET_ID + 1];
    hex_format(hex, share->spent.id, BUCKET_ID);
    (void)snprintf(key, sizeof(key), "rate:%c:%s", kind, hex);
    share->round = round;
    round->pending += redis_add(round->gateway->rates->redis, slice_str(key), share->spent.n,
                                EXPIRE_S, on_total, share) >= 0;
}

static void share_buckets(struct gateway *gateway, struct share_round *round,
                          struct buckets *buckets, char kind, bool shared)
{
    struct bucket_spent spent[SHARE_MAX];
    if (round->pending)
        return;
    round->gateway = gateway;
    round->buckets = buckets;
    unsigned n = buckets_collect(buckets, spent, SHARE_MAX);
    for (unsigned i = 0; i < n && shared; i++) {
        round->list[i].spent = spent[i];
        tell(round, &round->list[i], kind);
    }
}

static void note(struct gateway *gateway, bool shared)
{
    struct rates *rates = gateway->rates;
    metric_set(gateway->stats.rates_shared, shared);
    metric_set(gateway->stats.buckets,
               buckets_count(rates->keys) + buckets_count(rates->addresses));
    metric_set(gateway->stats.buckets_forgotten,
               (double)(buckets_forgotten(rates->keys) + buckets_forgotten(rates->addresses)));
    if (shared == rates->shared)
        return;
    rates->shared = shared;
    if (rates->redis)
        log_event(shared ? LOG_INFO : LOG_WARN, shared ? "rates_shared" : "rates_not_shared", NULL,
                  "\"message\":\"%s\"",
                  shared ? "rates are counted over all gateways"
                         : "Redis is away: rates are counted in each gateway alone");
}

void rates_share(struct gateway *gateway)
{
    struct rates *rates = gateway->rates;
    bool shared = rates->redis && redis_stats(rates->redis).connected;
    note(gateway, shared);
    share_buckets(gateway, &rates->rounds[0], rates->keys, 'k', shared);
    share_buckets(gateway, &rates->rounds[1], rates->addresses, 'a', shared);
}

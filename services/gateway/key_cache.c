#include "key_cache.h"

#include <stdlib.h>

/* Two lists in order of use (known, unknown) over one table of chains. */
struct entry {
    uint8_t hash[32];
    struct gw_key key;
    int64_t at_us, asked_us;
    struct entry *chain;
    struct entry *newer, *older;
};

struct list {
    struct entry *newest, *oldest;
    unsigned n, limit;
};

struct gw_key_cache {
    struct gw_key_cache_limits limits;
    struct list lists[2]; /* unknown, known */
    struct entry **table;
    unsigned mask;
};

struct gw_key_cache *gw_key_cache_create(const struct gw_key_cache_limits *limits)
{
    struct gw_key_cache *cache = calloc(1, sizeof(*cache));
    unsigned size = 16;
    while (size < limits->known + limits->unknown)
        size *= 2;
    if (!cache)
        return NULL;
    cache->limits = *limits;
    cache->lists[0].limit = limits->unknown;
    cache->lists[1].limit = limits->known;
    cache->mask = size - 1;
    cache->table = calloc(size, sizeof(struct entry *));
    if (!cache->table) {
        free(cache);
        return NULL;
    }
    return cache;
}

static void unlink_used(struct list *list, struct entry *entry)
{
    *(entry->newer ? &entry->newer->older : &list->newest) = entry->older;
    *(entry->older ? &entry->older->newer : &list->oldest) = entry->newer;
    list->n--;
}

static void link_newest(struct list *list, struct entry *entry)
{
    entry->newer = NULL;
    entry->older = list->newest;
    *(list->newest ? &list->newest->newer : &list->oldest) = entry;
    list->newest = entry;
    list->n++;
}

/* The place that points to the entry, or where a new one is put. sha256: any 4 bytes are a good hash. */
static struct entry **place(struct gw_key_cache *cache, const uint8_t hash[32])
{
    uint32_t h = 0;
    memcpy(&h, hash, sizeof(h));
    struct entry **at = &cache->table[h & cache->mask];
    while (*at && memcmp((*at)->hash, hash, 32) != 0)
        at = &(*at)->chain;
    return at;
}

static void drop(struct gw_key_cache *cache, struct entry *entry)
{
    struct entry **at = place(cache, entry->hash);
    *at = entry->chain;
    unlink_used(&cache->lists[entry->key.known], entry);
    free(entry);
}

void gw_key_cache_destroy(struct gw_key_cache **cache)
{
    if (!*cache)
        return;
    for (unsigned i = 0; i < 2; i++)
        while ((*cache)->lists[i].oldest)
            drop(*cache, (*cache)->lists[i].oldest);
    free((*cache)->table);
    free(*cache);
    *cache = NULL;
}

enum gw_key_state gw_key_cache_get(struct gw_key_cache *cache, const uint8_t hash[32],
                                   int64_t now_us, struct gw_key *key)
{
    struct entry *entry = *place(cache, hash);
    if (!entry)
        return GW_KEY_MISS;
    bool known = entry->key.known;
    bool fresh =
        now_us - entry->at_us < (known ? cache->limits.known_us : cache->limits.unknown_us);
    if (!known && !fresh)
        return GW_KEY_MISS;
    unlink_used(&cache->lists[known], entry);
    link_newest(&cache->lists[known], entry);
    *key = entry->key;
    if (now_us - entry->at_us >= cache->limits.stale_us)
        return GW_KEY_STALE;
    if (fresh || now_us - entry->asked_us < cache->limits.again_us)
        return GW_KEY_HIT;
    entry->asked_us = now_us;
    return GW_KEY_REFRESH;
}

void gw_key_cache_put(struct gw_key_cache *cache, const uint8_t hash[32], int64_t now_us,
                      const struct gw_key *key)
{
    struct entry *entry = *place(cache, hash);
    struct list *list = &cache->lists[key->known];
    if (entry) {
        unlink_used(&cache->lists[entry->key.known], entry);
    } else {
        if (list->n >= list->limit && list->oldest)
            drop(cache, list->oldest);
        entry = calloc(1, sizeof(*entry));
        if (!entry)
            return;
        memcpy(entry->hash, hash, 32);
        *place(cache, hash) = entry;
    }
    entry->key = *key;
    entry->at_us = now_us;
    entry->asked_us = now_us;
    link_newest(list, entry);
    if (list->n > list->limit)
        drop(cache, list->oldest);
}

unsigned gw_key_cache_size(const struct gw_key_cache *cache)
{
    return cache->lists[0].n + cache->lists[1].n;
}

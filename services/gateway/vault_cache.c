#include "vault_cache.h"

#include <stdlib.h>

#define WAYS 4 /* places that a subject may take */

struct entry {
    uint8_t tenant[16], subject[16], key[PRIVACY_KEY_SIZE];
    int64_t at_us; /* 0: free */
    bool erased;
};

struct vault_cache {
    int64_t keep_us;
    uint64_t seed; /* so that nobody outside can choose subjects that share places */
    unsigned mask;
    struct entry entries[];
};

struct vault_cache *vault_cache_create(unsigned entries, int64_t keep_us)
{
    unsigned sets = 1;
    while (sets * WAYS < entries)
        sets *= 2;
    struct vault_cache *cache =
        calloc(1, sizeof(*cache) + (size_t)sets * WAYS * sizeof(struct entry));
    if (!cache)
        return NULL;
    cache->keep_us = keep_us;
    cache->mask = sets - 1;
    entropy_system()->fill(entropy_system(), &cache->seed, sizeof(cache->seed));
    return cache;
}

void vault_cache_destroy(struct vault_cache **cache)
{
    if (*cache)
        privacy_wipe((*cache)->entries, ((size_t)(*cache)->mask + 1) * WAYS * sizeof(struct entry));
    free(*cache);
    *cache = NULL;
}

static struct entry *set_of(struct vault_cache *cache, const uint8_t tenant[16],
                            const uint8_t subject[16])
{
    uint64_t hash = hash64(subject, 16, hash64(tenant, 16, cache->seed));
    return &cache->entries[(hash & cache->mask) * WAYS];
}

static bool is_of(const struct entry *entry, const uint8_t tenant[16], const uint8_t subject[16])
{
    return entry->at_us && memcmp(entry->subject, subject, 16) == 0 &&
           memcmp(entry->tenant, tenant, 16) == 0;
}

bool vault_cache_get(struct vault_cache *cache, const uint8_t tenant[16], const uint8_t subject[16],
                     int64_t now_us, uint8_t key[PRIVACY_KEY_SIZE], bool *erased)
{
    struct entry *set = set_of(cache, tenant, subject);
    for (unsigned w = 0; w < WAYS; w++) {
        if (!is_of(&set[w], tenant, subject) || now_us - set[w].at_us >= cache->keep_us)
            continue;
        *erased = set[w].erased;
        memcpy(key, set[w].key, PRIVACY_KEY_SIZE);
        return true;
    }
    return false;
}

void vault_cache_put(struct vault_cache *cache, const uint8_t tenant[16], const uint8_t subject[16],
                     int64_t now_us, const uint8_t *key)
{
    struct entry *set = set_of(cache, tenant, subject), *at = set;
    for (unsigned w = 0; w < WAYS; w++) {
        if (is_of(&set[w], tenant, subject)) {
            at = &set[w];
            break;
        }
        if (set[w].at_us < at->at_us)
            at = &set[w];
    }
    privacy_wipe(at, sizeof(*at));
    memcpy(at->tenant, tenant, 16);
    memcpy(at->subject, subject, 16);
    at->erased = !key;
    if (key)
        memcpy(at->key, key, PRIVACY_KEY_SIZE);
    at->at_us = now_us;
}

unsigned vault_cache_sweep(struct vault_cache *cache, int64_t now_us)
{
    unsigned left = 0;
    for (size_t e = 0; e < ((size_t)cache->mask + 1) * WAYS; e++) {
        struct entry *entry = &cache->entries[e];
        if (entry->at_us && now_us - entry->at_us >= cache->keep_us)
            privacy_wipe(entry, sizeof(*entry));
        left += entry->at_us != 0;
    }
    return left;
}

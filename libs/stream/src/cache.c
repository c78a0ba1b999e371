/*
 * Hot states in memory. The owner of a partition is the only writer of its states, so an entry is never stale; it dies
 * with the ownership. Entries that a batch uses are pinned until the batch is settled; the others go, least recently
 * used first, when the limit is passed.
 */
#include "internal.h"

#include <stdlib.h>

enum {
    ENTRY_OVERHEAD = 192
};

size_t entry_bytes(const struct entry *e)
{
    size_t size = ENTRY_OVERHEAD + e->id_size + e->capacity;
    for (unsigned i = 0; i < e->n_parts; i++)
        size += sizeof(struct stream_part) + e->parts[i].data.size;
    return size;
}

int cache_init(struct cache *cache, size_t limit)
{
    *cache = (struct cache){.limit = limit, .n_buckets = 1024};
    while (cache->n_buckets < limit / 1024)
        cache->n_buckets *= 2;
    cache->buckets = calloc(cache->n_buckets, sizeof(*cache->buckets));
    return cache->buckets ? STATUS_OK : ERR_NO_MEMORY;
}

static void free_data(struct slice data)
{
    union {
        const uint8_t *borrowed;
        uint8_t *owned;
    } u = {data.data};
    free(u.owned);
}

static void entry_free(struct entry *e)
{
    for (unsigned i = 0; i < e->n_parts; i++)
        free_data(e->parts[i].data);
    free(e->parts);
    free(e->parts_changed);
    free(e->bytes);
    free(e->id);
    free(e);
}

static void lru_unlink(struct cache *cache, struct entry *e)
{
    *(e->newer ? &e->newer->older : &cache->newest) = e->older;
    *(e->older ? &e->older->newer : &cache->oldest) = e->newer;
    e->newer = e->older = NULL;
}

static void lru_push(struct cache *cache, struct entry *e)
{
    e->older = cache->newest;
    e->newer = NULL;
    *(cache->newest ? &cache->newest->newer : &cache->oldest) = e;
    cache->newest = e;
}

/* Out of the table; freed when no batch holds it. */
static void entry_drop(struct cache *cache, struct entry *e)
{
    struct entry **p = &cache->buckets[e->hash & (cache->n_buckets - 1)];
    while (*p != e)
        p = &(*p)->chain;
    *p = e->chain;
    lru_unlink(cache, e);
    cache->n_entries--;
    cache->bytes -= entry_bytes(e);
    e->part = -1;
    if (e->pins == 0)
        entry_free(e);
}

void cache_unpin(struct cache *cache, struct entry *e)
{
    assert(e->pins > 0);
    if (--e->pins == 0 && e->part < 0)
        entry_free(e);
}

void cache_deinit(struct cache *cache)
{
    while (cache->newest) {
        cache->newest->pins = 0;
        entry_drop(cache, cache->newest);
    }
    free(cache->buckets);
    *cache = (struct cache){0};
}

struct entry *cache_get(struct cache *cache, unsigned kind, int32_t part,
                        const struct stream_key *key)
{
    uint64_t hash = hash64(key->id.data, key->id.size, hash64(key->tenant, 16, kind));
    struct entry **bucket = &cache->buckets[hash & (cache->n_buckets - 1)];
    for (struct entry *e = *bucket; e; e = e->chain) {
        if (e->hash == hash && e->kind == kind && memcmp(e->tenant, key->tenant, 16) == 0 &&
            slice_equal(entry_id(e), key->id)) {
            cache->hits += e->loaded;
            lru_unlink(cache, e);
            lru_push(cache, e);
            return e;
        }
    }
    cache->misses++;
    struct entry *e = calloc(1, sizeof(*e));
    uint8_t *id = malloc(key->id.size + 1);
    if (!e || !id) {
        free(e);
        free(id);
        return NULL;
    }
    memcpy(id, key->id.data, key->id.size);
    *e = (struct entry){.chain = *bucket,
                        .hash = hash,
                        .kind = kind,
                        .part = part,
                        .id = id,
                        .id_size = (uint16_t)key->id.size};
    memcpy(e->tenant, key->tenant, 16);
    *bucket = e;
    lru_push(cache, e);
    cache->n_entries++;
    cache->bytes += entry_bytes(e);
    return e;
}

void cache_drop_part(struct cache *cache, int32_t part)
{
    for (struct entry *e = cache->newest, *older; e; e = older) {
        older = e->older;
        if (e->part == part)
            entry_drop(cache, e);
    }
}

void cache_trim(struct cache *cache)
{
    for (struct entry *e = cache->oldest, *newer; e && cache->bytes > cache->limit; e = newer) {
        newer = e->newer;
        if (e->pins == 0)
            entry_drop(cache, e);
    }
}

int entry_set_bytes(struct cache *cache, struct entry *e, struct slice bytes)
{
    if (bytes.size > e->capacity) {
        size_t capacity = (bytes.size + 127) & ~(size_t)63;
        uint8_t *grown = realloc(e->bytes, capacity);
        if (!grown)
            return ERR_NO_MEMORY;
        if (e->part >= 0)
            cache->bytes += capacity - e->capacity;
        e->bytes = grown;
        e->capacity = (uint32_t)capacity;
    }
    if (bytes.size)
        memcpy(e->bytes, bytes.data, bytes.size);
    e->size = (uint32_t)bytes.size;
    return STATUS_OK;
}

int entry_set_part(struct cache *cache, struct entry *e, int64_t sub, struct slice data,
                   bool changed)
{
    unsigned i = 0;
    while (i < e->n_parts && e->parts[i].sub < sub)
        i++;
    uint8_t *copy = malloc(data.size + 1);
    if (!copy)
        return ERR_NO_MEMORY;
    if (data.size)
        memcpy(copy, data.data, data.size);
    if (i == e->n_parts || e->parts[i].sub != sub) {
        struct stream_part *parts = realloc(e->parts, (e->n_parts + 1) * sizeof(*parts));
        if (parts)
            e->parts = parts;
        bool *marks = realloc(e->parts_changed, (e->n_parts + 1) * sizeof(*marks));
        if (marks)
            e->parts_changed = marks;
        if (!parts || !marks) {
            free(copy);
            return ERR_NO_MEMORY;
        }
        memmove(parts + i + 1, parts + i, (e->n_parts - i) * sizeof(*parts));
        memmove(marks + i + 1, marks + i, (e->n_parts - i) * sizeof(*marks));
        parts[i] = (struct stream_part){.sub = sub};
        marks[i] = false;
        e->n_parts++;
        cache->bytes += e->part >= 0 ? sizeof(*parts) : 0;
    }
    if (e->part >= 0)
        cache->bytes += data.size - e->parts[i].data.size;
    free_data(e->parts[i].data);
    e->parts[i].data = slice_make(copy, data.size);
    e->parts_changed[i] = e->parts_changed[i] || changed;
    return STATUS_OK;
}

void entry_expire_parts(struct cache *cache, struct entry *e, int64_t after)
{
    unsigned gone = 0;
    while (gone < e->n_parts && e->parts[gone].sub <= after && !e->parts_changed[gone]) {
        if (e->part >= 0)
            cache->bytes -= sizeof(*e->parts) + e->parts[gone].data.size;
        free_data(e->parts[gone].data);
        gone++;
    }
    if (!gone)
        return;
    e->n_parts -= gone;
    memmove(e->parts, e->parts + gone, e->n_parts * sizeof(*e->parts));
    memmove(e->parts_changed, e->parts_changed + gone, e->n_parts * sizeof(*e->parts_changed));
}

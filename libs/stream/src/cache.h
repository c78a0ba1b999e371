#pragma once
/* cache.c: hot states and answers, see there. */
#include "stream.h"

/* A state (or answer) in memory, the newest that was decided. Its owner is the only writer, so it is never stale. */
struct entry {
    struct entry *chain;         /* of its bucket */
    struct entry *newer, *older; /* least recently used at the end */
    uint64_t hash;
    unsigned kind; /* index of the state; n_states: answers */
    int32_t part;
    uint8_t tenant[16];
    uint8_t *id;
    uint16_t id_size;
    bool loaded, present;
    bool stored;     /* its row is there once every batch decided so far is committed */
    uint64_t seldom; /* hash of its row's SELDOM columns as written last; 0: unknown, or none */
    uint8_t *bytes;  /* encoded; malloc'ed */
    uint32_t size, capacity;
    struct stream_part *parts; /* malloc'ed, ascending sub; data malloc'ed */
    unsigned n_parts;
    unsigned pins;       /* batches that wrote or use it */
    uint64_t batch;      /* the batch that last touched it */
    void *decoded;       /* in that batch's arena */
    bool changed;        /* in that batch: its row is to be written */
    bool *parts_changed; /* per part, while changed; NULL: none */
};

struct cache {
    struct entry **buckets;
    size_t n_buckets, n_entries, bytes, limit;
    struct entry *newest, *oldest;
    uint64_t hits, misses;
};

int cache_init(struct cache *cache, size_t limit);
void cache_deinit(struct cache *cache);
struct entry *
cache_get(struct cache *cache, unsigned kind, int32_t part,
          const struct stream_key *key); /* made, not loaded, if absent; NULL: no memory */
void cache_drop_part(struct cache *cache,
                     int32_t part); /* pinned ones too: their batches are dead */
void cache_trim(struct cache *cache);
size_t entry_bytes(const struct entry *entry); /* that it counts for */
void cache_unpin(struct cache *cache, struct entry *entry);
int entry_set_bytes(struct cache *cache, struct entry *entry, struct slice bytes);
int entry_set_part(struct cache *cache, struct entry *entry, int64_t sub, struct slice data,
                   bool changed);
void entry_expire_parts(struct cache *cache, struct entry *entry, int64_t after);
static inline struct slice entry_id(const struct entry *e)
{
    return slice_make(e->id, e->id_size);
}

#include "seen.h"

struct ingest_seen_hash ingest_seen_hash(struct slice message_id)
{
    uint8_t whole[16];
    struct ingest_seen_hash hash;
    hash_keyed(whole, NULL, &message_id, 1);
    memcpy(hash.bytes, whole, sizeof(hash.bytes));
    return hash;
}

bool ingest_seen_holds(struct slice chunk, struct ingest_seen_hash hash)
{
    for (size_t at = 0; at + sizeof(hash.bytes) <= chunk.size; at += sizeof(hash.bytes)) {
        if (memcmp(chunk.data + at, hash.bytes, sizeof(hash.bytes)) == 0)
            return true;
    }
    return false;
}

bool ingest_seen_place(int64_t now_us, int64_t newest_us, size_t newest_size, int64_t *at_us,
                       bool *fresh)
{
    int64_t hour = now_us - now_us % HOUR_US;
    *at_us = hour;
    *fresh = true;
    if (newest_us < hour)
        return true;
    /* a clock that went back an hour goes on with the newest chunk */
    *at_us = newest_us;
    *fresh = newest_size >= (size_t)INGEST_SEEN_CHUNK * INGEST_SEEN_HASH_BYTES;
    if (!*fresh)
        return true;
    *at_us = newest_us + 1;
    return newest_us % HOUR_US + 1 < INGEST_SEEN_PER_HOUR / INGEST_SEEN_CHUNK;
}

struct slice ingest_seen_append(struct slice chunk, struct ingest_seen_hash hash,
                                struct arena *arena)
{
    uint8_t *bytes = arena_alloc(arena, chunk.size + sizeof(hash.bytes));
    if (!bytes)
        return slice_make(NULL, 0);
    if (chunk.size)
        memcpy(bytes, chunk.data, chunk.size);
    memcpy(bytes + chunk.size, hash.bytes, sizeof(hash.bytes));
    return slice_make(bytes, chunk.size + sizeof(hash.bytes));
}

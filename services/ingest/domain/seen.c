#include "seen.h"

struct ingest_seen_hash ingest_seen_hash(struct slice message_id)
{
    uint8_t whole[16];
    struct ingest_seen_hash hash;
    hash_keyed(whole, NULL, &message_id, 1);
    memcpy(hash.bytes, whole, sizeof(hash.bytes));
    return hash;
}

static int64_t hour_of(int64_t time_us)
{
    return time_us - time_us % HOUR_US;
}

static size_t count(const struct ingest_seen_chunk *chunk)
{
    return chunk->hashes.size / INGEST_SEEN_HASH_BYTES;
}

static bool is_kept(const struct ingest_seen_chunk *chunk, int64_t now_us)
{
    return chunk->at_us > now_us - INGEST_SEEN_KEEP_US;
}

bool ingest_seen_holds(const struct ingest_seen_chunk *chunk, struct ingest_seen_hash hash,
                       int64_t now_us)
{
    if (!is_kept(chunk, now_us))
        return false;
    const struct slice hashes = chunk->hashes;
    for (size_t at = 0; at + sizeof(hash.bytes) <= hashes.size; at += sizeof(hash.bytes)) {
        if (memcmp(hashes.data + at, hash.bytes, sizeof(hash.bytes)) == 0)
            return true;
    }
    return false;
}

void ingest_seen_written(struct ingest_seen *seen, const struct ingest_seen_chunk *chunk)
{
    if (hour_of(chunk->at_us) != hour_of(seen->newest_us))
        seen->in_hour = 0;
    seen->newest_us = chunk->at_us;
    seen->in_hour += count(chunk);
}

static struct slice append(struct slice hashes, struct ingest_seen_hash hash, struct arena *arena)
{
    uint8_t *bytes = arena_alloc(arena, hashes.size + sizeof(hash.bytes));
    if (!bytes)
        return slice_make(NULL, 0);
    if (hashes.size)
        memcpy(bytes, hashes.data, hashes.size);
    memcpy(bytes + hashes.size, hash.bytes, sizeof(hash.bytes));
    return slice_make(bytes, hashes.size + sizeof(hash.bytes));
}

bool ingest_seen_add(struct ingest_seen *seen, struct ingest_seen_hash hash, int64_t now_us,
                     struct arena *arena, struct ingest_seen_chunk *spilled)
{
    struct ingest_seen_chunk *open = &seen->open;
    /* a clock that went back goes on with the newest hour */
    int64_t hour = max_i64(hour_of(now_us), hour_of(seen->newest_us));
    if (open->hashes.size)
        hour = max_i64(hour, hour_of(open->at_us));
    bool fits = open->hashes.size && hour_of(open->at_us) == hour;
    size_t in_hour = hour_of(seen->newest_us) == hour ? seen->in_hour : 0;
    *spilled = (struct ingest_seen_chunk){0};
    if (in_hour + (fits ? count(open) : 0) >= INGEST_SEEN_PER_HOUR)
        return false;
    if (!fits || count(open) >= INGEST_SEEN_CHUNK) {
        if (open->hashes.size && is_kept(open, now_us)) {
            /* a release without open chunks may have written under its time meanwhile */
            *spilled = *open;
            spilled->at_us = max_i64(open->at_us, seen->newest_us + 1);
            ingest_seen_written(seen, spilled);
        }
        bool first = hour_of(seen->newest_us) != hour;
        *open = (struct ingest_seen_chunk){.at_us = first ? hour : seen->newest_us + 1};
    }
    open->hashes = append(open->hashes, hash, arena);
    return true;
}

#pragma once
/*
 * Which message ids a device has sent in the last 24 hours of receipt: chunks of 8-byte hashes, each
 * under a time: the hour, plus the chunk's number in microseconds. Small chunks, because the one
 * that an event goes to is written again with it.
 */
#include "base.h"

#define INGEST_SEEN_KEEP_US    DAY_US
#define INGEST_SEEN_CHUNK      128 /* hashes: 1 KiB */
#define INGEST_SEEN_PER_HOUR   4096
#define INGEST_SEEN_HASH_BYTES 8

struct ingest_seen_hash {
    uint8_t bytes[INGEST_SEEN_HASH_BYTES];
};

struct ingest_seen_hash ingest_seen_hash(struct slice message_id); /* stable for ever */
bool ingest_seen_holds(struct slice chunk, struct ingest_seen_hash hash);
/*
 * Where the next hash goes, given the newest chunk (its time, its size; 0, 0 when there is none):
 * *fresh: a new chunk at *at_us, else it is appended to the newest. False: the hour is full.
 */
bool ingest_seen_place(int64_t now_us, int64_t newest_us, size_t newest_size, int64_t *at_us,
                       bool *fresh);
/* The chunk with the hash after it, in the arena. */
struct slice ingest_seen_append(struct slice chunk, struct ingest_seen_hash hash,
                                struct arena *arena);

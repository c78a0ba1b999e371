#pragma once
/*
 * Which message ids a device has sent in the last 24 hours of receipt: 8-byte hashes in chunks, each under a time: its
 * hour, plus the chunk's number in microseconds.
 *
 *     id ──► the open chunk, kept in the device's state ──full, or a later hour──► written once, beside it
 *
 * So an event costs no write of its own, and a visit of fewer ids than a chunk holds never causes one.
 */
#include "base.h"

#define INGEST_SEEN_KEEP_US    (DAY_US + HOUR_US) /* the last id of an hour counts for 24 hours, too */
#define INGEST_SEEN_CHUNK      64 /* hashes: 512 bytes, which the state bears well */
#define INGEST_SEEN_PER_HOUR   4096
#define INGEST_SEEN_HASH_BYTES 8

struct ingest_seen_hash {
    uint8_t bytes[INGEST_SEEN_HASH_BYTES];
};

struct ingest_seen_chunk {
    int64_t at_us;
    struct slice hashes; /* empty: there is no such chunk */
};

/* What decides where the next hash goes. */
struct ingest_seen {
    struct ingest_seen_chunk open;
    int64_t newest_us; /* of the written chunks; 0: there is none */
    size_t in_hour;    /* hashes in those of its hour */
};

struct ingest_seen_hash ingest_seen_hash(struct slice message_id); /* stable for ever */
/* Always false for a chunk whose hour ended 24 hours ago. */
bool ingest_seen_holds(const struct ingest_seen_chunk *chunk, struct ingest_seen_hash hash,
                       int64_t now_us);
/* Takes note of a written chunk; by ascending time. */
void ingest_seen_written(struct ingest_seen *seen, const struct ingest_seen_chunk *chunk);
/*
 * Puts the hash into the open chunk, in the arena; if that makes way for a new one, *spilled is what has to be written
 * (without hashes: nothing). False, and nothing is changed: the hour is full. A full arena leaves the open chunk empty.
 */
bool ingest_seen_add(struct ingest_seen *seen, struct ingest_seen_hash hash, int64_t now_us,
                     struct arena *arena, struct ingest_seen_chunk *spilled);

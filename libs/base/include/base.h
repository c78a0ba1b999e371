#pragma once
/*
 * base: what every other library stands on, and all that domain code may see.
 *
 *   errors   enum status, struct err (code, class, message); a retry reads the class
 *   memory   struct arena (per message, capped, sticky overflow), struct buf (growable, capped)
 *   values   struct slice (borrowed bytes), uuid, hex, base64, ISO 8601 times
 *   hashes   hash64 (tables), murmur2 (Kafka's partitioner), keyed BLAKE2b (identifiers), sha256 (keys)
 *   clock    struct clock: now as an operation, so that a simulation owns time
 *   log      one JSON object a line on stderr; only services log, libraries return errors
 *
 * Base is the one library whose nouns are its prefixes (arena_, buf_, slice_, hash_, ...).
 * Nothing here but log and the system clock does any I/O.
 */
#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define MUST_CHECK        __attribute__((warn_unused_result))
#define PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define UNUSED            __attribute__((unused))
#define _cleanup_(f)      __attribute__((cleanup(f)))
#define ARRAY_SIZE(a)     (sizeof(a) / sizeof((a)[0]))

static inline int64_t min_i64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}
static inline int64_t max_i64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

#define SECOND_US INT64_C(1000000)
#define MINUTE_US (60 * SECOND_US)
#define HOUR_US   (60 * MINUTE_US)
#define DAY_US    (24 * HOUR_US)

/* ---- errors ------------------------------------------------------------------------------- */

/* Functions return 0 or more on success, a negative status else; outputs are written only on success. */
enum status {
    STATUS_OK = 0,
    ERR_INVALID = -1, /* the input breaks a rule */
    ERR_NOT_FOUND = -2,
    ERR_TOO_LARGE = -3,   /* over a stated limit */
    ERR_NO_MEMORY = -4,   /* an arena or buffer reached its cap */
    ERR_FULL = -5,        /* a queue reached its limit: back-pressure, try later */
    ERR_UNAVAILABLE = -6, /* a server does not answer: try later */
    ERR_FENCED = -7,      /* another instance owns it now */
    ERR_CONFLICT = -8,
    ERR_EXPIRED = -9, /* what was asked for is no longer kept */
    ERR_INTERNAL = -10,
};

enum err_class {
    ERR_CLASS_TRANSIENT,
    ERR_CLASS_PERMANENT,
    ERR_CLASS_FATAL
};

struct err {
    enum status code;
    enum err_class class;
    char message[256]; /* for operators; never holds personal data */
};

/* Fills err (which may be NULL) and returns code, so that `return err_set(...)` is the whole error path. */
int err_set(struct err *err, enum status code, enum err_class class, const char *format, ...)
    PRINTF(4, 5);
/* "invalid", "not_found", ...: stable, for logs and metrics */
const char *status_name(enum status code);
const char *err_class_name(enum err_class class);

/* ---- slices: borrowed bytes, not terminated ------------------------------------------------- */

struct slice {
    const uint8_t *data; /* may be NULL when size is 0 */
    size_t size;
};

#define SLICE_LITERAL(s) ((struct slice){(const uint8_t *)("" s), sizeof(s) - 1})
static inline struct slice slice_make(const void *data, size_t size)
{
    return (struct slice){(const uint8_t *)data, size};
}
static inline struct slice slice_str(const char *s)
{
    return slice_make(s, s ? strlen(s) : 0);
}
static inline bool slice_equal(struct slice a, struct slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}
static inline bool slice_equal_str(struct slice a, const char *s)
{
    return slice_equal(a, slice_str(s));
}
int slice_compare(struct slice a, struct slice b); /* memcmp order, shorter first */

/* ---- arena: one lifetime, freed at once ------------------------------------------------------ */

/*
 * Bump allocation from chunks that are kept on reset. Past `limit` bytes (counted in steps of 16) every allocation returns
 * NULL and overflow stays set until reset: callers may allocate freely and check once at the end.
 */
struct arena;
struct arena *arena_create(size_t limit);
/* The same; *bytes, shared by many and outliving them, grows and shrinks by what it holds of the heap. */
struct arena *arena_create_counted(size_t limit, size_t *bytes);
void arena_destroy(struct arena **arena);
void arena_reset(struct arena *arena); /* chunks beyond 256 KiB in all are given back */
void *arena_alloc(struct arena *arena, size_t size); /* zeroed, 16-byte aligned; NULL on overflow */
void *arena_copy(struct arena *arena, const void *data, size_t size); /* with a NUL after it */
struct slice arena_slice(struct arena *arena, struct slice s);
char *arena_str(struct arena *arena, struct slice s); /* NUL-terminated copy */
char *arena_printf(struct arena *arena, const char *format, ...) PRINTF(2, 3);
size_t arena_used(const struct arena *arena);
bool arena_overflowed(const struct arena *arena);

/* ---- buf: growable bytes ---------------------------------------------------------------------- */

/* Appending past limit (0: 64 MiB) sets overflow, which stays; data[size] is always NUL once used. */
struct buf {
    uint8_t *data;
    size_t size, capacity, limit;
    bool overflow;
};

void buf_deinit(struct buf *buf); /* frees; usable again, empty */
void buf_reset(struct buf *buf);  /* size 0, overflow cleared, memory kept */
/* room for size more bytes, counted; NULL on overflow */
void *buf_extend(struct buf *buf, size_t size);
void buf_append(struct buf *buf, const void *data, size_t size);
void buf_append_str(struct buf *buf, const char *s);
void buf_append_slice(struct buf *buf, struct slice s);
void buf_append_byte(struct buf *buf, uint8_t byte);
void buf_printf(struct buf *buf, const char *format, ...) PRINTF(2, 3);
void buf_append_varint(struct buf *buf, uint64_t value); /* LEB128, as protobuf's */
void buf_append_bytes(struct buf *buf, struct slice s);  /* varint length, then the bytes */
static inline struct slice buf_slice(const struct buf *buf)
{
    return slice_make(buf->data, buf->size);
}

/* Reading back what buf_append_* wrote: take from the front of *s; ERR_INVALID when it is short. */
int slice_take_varint(struct slice *s, uint64_t *value) MUST_CHECK;
int slice_take_bytes(struct slice *s, struct slice *bytes) MUST_CHECK;
int slice_take(struct slice *s, size_t size, struct slice *bytes) MUST_CHECK;

/* ---- hashes ----------------------------------------------------------------------------------- */

/* for tables in memory; not stable across releases */
uint64_t hash64(const void *data, size_t size, uint64_t seed);
/* Kafka's default partitioner (org.apache.kafka.common.utils.Utils.murmur2); partition = murmur2 & 0x7fffffff % n. */
uint32_t hash_murmur2(const void *data, size_t size);
/*
 * BLAKE2b-128 (RFC 7693) with a key of 32 bytes, or none (NULL), over the parts, each after its length in 8 bytes,
 * little-endian: identifiers, derived ids. Stable for ever.
 */
void hash_keyed(uint8_t out[16], const uint8_t key[32], const struct slice *parts, size_t n_parts);
void hash_sha256(uint8_t out[32], struct slice data);
/* Equal or not in time that does not depend on the content. */
bool hash_equal(const uint8_t *a, const uint8_t *b, size_t size);

/* ---- encodings -------------------------------------------------------------------------------- */

struct uuid {
    uint8_t bytes[16];
};
#define UUID_TEXT_SIZE 37 /* 36 and a NUL */
int uuid_parse(struct uuid *uuid, struct slice text) MUST_CHECK;
void uuid_format(char out[UUID_TEXT_SIZE], const uint8_t bytes[16]);
/* Marks 16 hash bytes as a UUID of version 8 (RFC 9562: made by its application's own rule). */
void uuid_from_hash(struct uuid *uuid, const uint8_t hash[16]);
/* Version 7 (RFC 9562): milliseconds since 1970, then the hash, so that what begins together lies together in an index. */
void uuid_from_time(struct uuid *uuid, int64_t time_us, const uint8_t hash[16]);
void hex_format(char *out, const uint8_t *data, size_t size); /* out: 2 * size + 1 */
/* exactly 2 * size digits */
int hex_parse(uint8_t *out, size_t size, struct slice text) MUST_CHECK;
/* standard or URL alphabet, padding optional; appends nothing on an error */
int base64_decode(struct buf *out, struct slice text) MUST_CHECK;
/* Length (1..4) of the well-formed UTF-8 sequence that data begins with, 0 when there is none. */
size_t utf8_sequence(const uint8_t *data, size_t size);
/* Bytes of the well-formed sequences beyond ASCII that data begins with: one call a word, not a letter. */
size_t utf8_run(const uint8_t *data, size_t size);
bool utf8_valid(struct slice s); /* no surrogates, no overlong forms, no NUL */

/* Times are int64 microseconds since 1970-01-01 UTC. */
#define TIME_NONE      INT64_MIN
#define TIME_TEXT_SIZE 32
/*
 * ISO 8601 / RFC 3339: date, or date and time with fraction and offset (Z, +hh:mm, +hhmm); without an offset UTC.
 * *offset_s (may be NULL) receives the written offset. Years 1970..2261.
 */
int time_parse(int64_t *time_us, int32_t *offset_s, struct slice text) MUST_CHECK;
/* 2026-01-02T03:04:05.678Z, micros when not whole millis; "" for TIME_NONE */
void time_format(char out[TIME_TEXT_SIZE], int64_t time_us);

/* ---- clock and randomness as operations ------------------------------------------------------- */

struct clock {
    int64_t (*now_us)(struct clock *clock); /* wall clock; a caller caches it once a pass */
};
struct clock *clock_system(void);

struct entropy {
    void (*fill)(struct entropy *entropy, void *data, size_t size);
};
struct entropy *entropy_system(void);

/* Deterministic numbers from a seed (splitmix64): for pure code, seeded from an event's id. */
struct random {
    uint64_t state;
};
uint64_t random_next(struct random *random);

/* ---- log -------------------------------------------------------------------------------------- */

enum log_level {
    LOG_DEBUG,
    LOG_INFO,
    LOG_WARN,
    LOG_ERROR
};
void log_setup(const char *service, const char *instance, enum log_level level);
/*
 * {"time","level","service","instance","event", then the fields}: fields is printf text of ready JSON members built
 * with the LOG_* helpers, e.g. log_event(LOG_INFO, "partition_owned", NULL, "\"partition\":%d", p).
 * trace: a traceparent's 32-digit trace id, or NULL. Texts in fields must come from log_escape.
 */
void log_event(enum log_level level, const char *event, const char *trace, const char *fields, ...)
    PRINTF(4, 5);
/* JSON string content without quotes, cut to fit; returns out. */
const char *log_escape(char *out, size_t size, const char *text);

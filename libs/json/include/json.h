#pragma once
/*
 * json: reading bytes from outside, and writing answers.
 *
 *   struct json_node   a value inside the text it came from: nothing is copied, numbers and strings stay raw bytes
 *   json_parse         one pass over the text into an arena: an array of nodes (children are contiguous by next links)
 *   json_get ...       typed access
 *   struct json_reader the same grammar without a tree: values are stepped over where they stand, at most once
 *   json_write_*       an append-only writer into a struct buf
 *
 * The reader keeps every value's exact bytes (raw), so that properties travel byte for byte. It takes any number that
 * JSON's grammar takes (1e20, -0, 30 digits) without converting it. Strict where it is cheap: RFC 8259 grammar, UTF-8
 * valid in strings; duplicate keys: the last wins in json_get. Lone surrogate escapes are kept raw and become U+FFFD
 * when a string is decoded. Limits: depth 64, nodes as the arena allows.
 */
#include "base.h"

enum json_type {
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT
};

struct json_node {
    enum json_type type;
    struct slice raw;              /* the value's bytes, with quotes or braces */
    struct slice key;              /* raw key bytes between the quotes, of a member of an object */
    const struct json_node *child; /* first element or member */
    const struct json_node *next;  /* next sibling */
    uint32_t count;                /* children */
    bool escaped, key_escaped;     /* the string, the key holds a backslash */
};

/* Errors are permanent; the message says what was found and at which byte, never the text itself. */
int json_parse(const struct json_node **root, struct slice text, struct arena *arena,
               struct err *err) MUST_CHECK;

/* NULL when node is NULL, no object, or has no such member: so look-ups chain. */
const struct json_node *json_get(const struct json_node *node, const char *key);
/* "context.page.url" */
const struct json_node *json_path(const struct json_node *node, const char *dotted);
/* Decoded text (escapes resolved, UTF-8, may hold NUL bytes); a size 0 slice with data NULL when it is no string. */
struct slice json_string(const struct json_node *node, struct arena *arena);
bool json_is(const struct json_node *node, enum json_type type);
/* finite, else ERR_INVALID */
int json_double(const struct json_node *node, double *out) MUST_CHECK;
/* a whole number within 2^53, else ERR_INVALID */
int json_int(const struct json_node *node, int64_t *out) MUST_CHECK;
/* true, non-zero number, non-empty string other than "false"/"0" */
bool json_truthy(const struct json_node *node);

/* ---- reader: for the ingest path, which looks at few members and passes the rest on ---- */

/*
 * Stands before or after a value. Functions that fail fill err, and leave the reader at the fault.
 *
 *   value()   steps over one value, checked as json_parse checks it
 *   loosely() steps over what is one value by its quotes and brackets alone: where a bad one ends, so that its
 *             neighbours can be read
 *   enter()   into an object or array; then next() before each member or element, until it says 0
 */
struct json_reader {
    const uint8_t *start, *at, *end;
    struct err *err; /* may be NULL */
};
static inline struct json_reader json_reader_make(struct slice text, struct err *err)
{
    const uint8_t *at = text.size ? text.data : (const uint8_t *)"";
    return (struct json_reader){at, at, at + text.size, err};
}
/* The type of the value that begins here, by its first byte; -1: none does. Skips space. */
int json_reader_type(struct json_reader *r);
int json_reader_value(struct json_reader *r, struct slice *raw) MUST_CHECK;
int json_reader_loosely(struct json_reader *r, struct slice *raw) MUST_CHECK;
void json_reader_enter(struct json_reader *r);
/* 1: at an element, or behind the key of a member (raw bytes between its quotes; key NULL in an array); 0: that was all,
 * behind the closing bracket. `first`: nothing was read since enter(). */
int json_reader_next(struct json_reader *r, bool first, struct slice *key,
                     bool *escaped) MUST_CHECK;
/* Nothing but space is left. */
bool json_reader_done(struct json_reader *r);

/* Decoded text of a raw string with its quotes, as json_string. */
struct slice json_raw_string(struct slice raw, struct arena *arena);

/* ---- writer: commas by itself; no allocation of its own ---- */

struct json_writer {
    struct buf *buf;
    bool comma;
};
static inline struct json_writer json_writer_make(struct buf *buf)
{
    return (struct json_writer){buf, false};
}
void json_begin_object(struct json_writer *w);
void json_end_object(struct json_writer *w);
void json_begin_array(struct json_writer *w);
void json_end_array(struct json_writer *w);
void json_key(struct json_writer *w, const char *key);
/* a string; bytes that are not UTF-8 become U+FFFD */
void json_write_slice(struct json_writer *w, struct slice text);
/* NULL writes null */
void json_write_str(struct json_writer *w, const char *text);
void json_write_int(struct json_writer *w, int64_t value);
/* the fewest digits that read back the same; not finite: null */
void json_write_double(struct json_writer *w, double value);
void json_write_bool(struct json_writer *w, bool value);
void json_write_null(struct json_writer *w);
/* ready JSON; empty writes null */
void json_write_raw(struct json_writer *w, struct slice json);
/* TIME_NONE writes null */
void json_write_time(struct json_writer *w, int64_t time_us);

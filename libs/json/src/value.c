/* Typed access to what the reader found: members by name, decoded strings, truth. */
#include "json.h"

/* ---- strings ---- */

static uint32_t hex4(const uint8_t *p)
{
    uint32_t v = 0;
    for (int i = 0; i < 4; i++)
        v = v << 4 | (uint32_t)(p[i] <= '9' ? p[i] - '0' : (p[i] | 0x20) - 'a' + 10);
    return v;
}

static size_t utf8_put(uint8_t *out, uint32_t c)
{
    if (c < 0x80) {
        out[0] = (uint8_t)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (uint8_t)(0xc0 | c >> 6);
        out[1] = (uint8_t)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (uint8_t)(0xe0 | c >> 12);
        out[1] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
        out[2] = (uint8_t)(0x80 | (c & 0x3f));
        return 3;
    }
    out[0] = (uint8_t)(0xf0 | c >> 18);
    out[1] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
    out[2] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
    out[3] = (uint8_t)(0x80 | (c & 0x3f));
    return 4;
}

/* \uXXXX at *at, or two of them that make a pair; a lone half becomes U+FFFD. The reader has
 * checked the grammar. */
static size_t decode_unicode(const uint8_t **at, const uint8_t *end, uint8_t out[4])
{
    const uint8_t *p = *at;
    uint32_t c = hex4(p + 2);
    p += 6;
    if (c >= 0xd800 && c <= 0xdfff) {
        uint32_t low = c < 0xdc00 && end - p >= 6 && p[0] == '\\' && p[1] == 'u' ? hex4(p + 2) : 0;
        if (low >= 0xdc00 && low <= 0xdfff) {
            c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
            p += 6;
        } else {
            c = 0xfffd;
        }
    }
    *at = p;
    return utf8_put(out, c);
}

/* One escape or one byte from *at: the 1..4 bytes that it stands for. */
static size_t decode_next(const uint8_t **at, const uint8_t *end, uint8_t out[4])
{
    static const uint8_t meaning[128] = {
        ['b'] = '\b', ['f'] = '\f', ['n'] = '\n', ['r'] = '\r', ['t'] = '\t'};
    const uint8_t *p = *at;
    if (*p != '\\') {
        out[0] = *p;
        *at = p + 1;
        return 1;
    }
    if (p[1] == 'u')
        return decode_unicode(at, end, out);
    out[0] = meaning[p[1]] ? meaning[p[1]] : p[1];
    *at = p + 2;
    return 1;
}

/* Whether the string body, once decoded, is text. */
static bool body_equals(struct slice body, bool escaped, struct slice text)
{
    if (!escaped)
        return slice_equal(body, text);
    const uint8_t *at = body.data, *end = body.data + body.size;
    size_t done = 0;
    while (at < end) {
        uint8_t piece[4];
        size_t n = decode_next(&at, end, piece);
        if (n > text.size - done || memcmp(piece, text.data + done, n) != 0)
            return false;
        done += n;
    }
    return done == text.size;
}

static struct slice string_body(const struct json_node *node)
{
    return slice_make(node->raw.data + 1, node->raw.size - 2);
}

static struct slice decode(struct slice body, struct arena *arena)
{
    uint8_t *out = arena_alloc(arena, body.size); /* an escape is longer than what it stands for */
    if (!out)
        return slice_make(NULL, 0);
    const uint8_t *at = body.data, *end = body.data + body.size;
    size_t size = 0;
    while (at < end) {
        const uint8_t *escape = memchr(at, '\\', (size_t)(end - at));
        size_t plain = (size_t)((escape ? escape : end) - at);
        memcpy(out + size, at, plain);
        size += plain;
        at += plain;
        if (at < end) {
            uint8_t piece[4];
            size_t n = decode_next(&at, end, piece);
            memcpy(out + size, piece, n);
            size += n;
        }
    }
    return slice_make(out, size);
}

struct slice json_string(const struct json_node *node, struct arena *arena)
{
    if (!json_is(node, JSON_STRING))
        return slice_make(NULL, 0);
    return node->escaped ? decode(string_body(node), arena) : string_body(node);
}

struct slice json_raw_string(struct slice raw, struct arena *arena)
{
    if (raw.size < 2 || raw.data[0] != '"')
        return slice_make(NULL, 0);
    struct slice body = slice_make(raw.data + 1, raw.size - 2);
    return memchr(body.data, '\\', body.size) ? decode(body, arena) : body;
}

/* ---- members ---- */

static const struct json_node *member(const struct json_node *node, struct slice key)
{
    const struct json_node *result = NULL;
    if (json_is(node, JSON_OBJECT)) {
        for (const struct json_node *child = node->child; child; child = child->next)
            if (body_equals(child->key, child->key_escaped, key))
                result = child;
    }
    return result;
}

const struct json_node *json_get(const struct json_node *node, const char *key)
{
    return member(node, slice_str(key));
}

const struct json_node *json_path(const struct json_node *node, const char *dotted)
{
    while (node) {
        size_t size = strcspn(dotted, ".");
        node = member(node, slice_make(dotted, size));
        if (dotted[size] == '\0')
            break;
        dotted += size + 1;
    }
    return node;
}

bool json_is(const struct json_node *node, enum json_type type)
{
    return node && node->type == type;
}

/* Zero is a number whose digits before the exponent are all 0. */
static bool number_zero(struct slice raw)
{
    for (size_t i = 0; i < raw.size && (raw.data[i] | 0x20) != 'e'; i++)
        if (raw.data[i] >= '1' && raw.data[i] <= '9')
            return false;
    return true;
}

bool json_truthy(const struct json_node *node)
{
    if (json_is(node, JSON_STRING)) {
        struct slice body = string_body(node);
        return body.size && !body_equals(body, node->escaped, SLICE_LITERAL("false")) &&
               !body_equals(body, node->escaped, SLICE_LITERAL("0"));
    }
    if (json_is(node, JSON_NUMBER))
        return !number_zero(node->raw);
    return json_is(node, JSON_TRUE);
}

/*
 * Reading without a tree. One bit a level says whether an object or an array is open, so depth 64 is one word.
 */
#include "json.h"
#include "lexer.h"
#include "scan.h"

#define DEPTH_MAX 64

static struct lexer lexer_of(const struct json_reader *r)
{
    return (struct lexer){r->start, r->at, r->end, r->err};
}

static inline bool is_space(uint8_t c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static inline void skip_space(struct json_reader *r)
{
    while (r->at < r->end && is_space(*r->at))
        r->at++;
}

int json_reader_type(struct json_reader *r)
{
    skip_space(r);
    switch (r->at < r->end ? *r->at : 0) {
    case '{':
        return JSON_OBJECT;
    case '[':
        return JSON_ARRAY;
    case '"':
        return JSON_STRING;
    case 't':
        return JSON_TRUE;
    case 'f':
        return JSON_FALSE;
    case 'n':
        return JSON_NULL;
    case '-':
    case '0' ... '9':
        return JSON_NUMBER;
    default:
        return -1;
    }
}

/* ---- by the grammar ---- */

static int scalar(struct lexer *l)
{
    struct slice body;
    bool escaped;
    switch (l->at < l->end ? *l->at : 0) {
    case '"':
        return json_lexer_string(l, &body, &escaped);
    case 't':
        return json_lexer_literal(l, "true", 4);
    case 'f':
        return json_lexer_literal(l, "false", 5);
    case 'n':
        return json_lexer_literal(l, "null", 4);
    case '-':
    case '0' ... '9':
        return json_lexer_number(l);
    default:
        return json_lexer_unexpected(l, "a value");
    }
}

static int key(struct lexer *l, struct slice *text, bool *escaped)
{
    if (l->at == l->end || *l->at != '"')
        return json_lexer_unexpected(l, "a key");
    int r = json_lexer_string(l, text, escaped);
    if (r < 0)
        return r;
    lexer_skip_space(l);
    if (!lexer_take(l, ':'))
        return json_lexer_unexpected(l, "a colon");
    lexer_skip_space(l);
    return STATUS_OK;
}

/* What is open: how deep, and of each level whether it is an object. */
struct open {
    unsigned depth;
    uint64_t objects;
};

static bool in_object(const struct open *open)
{
    return open->depth && (open->objects >> (open->depth - 1) & 1);
}

static int push(struct lexer *l, struct open *open)
{
    uint64_t bit;
    if (open->depth == DEPTH_MAX)
        return err_set(l->err, ERR_TOO_LARGE, ERR_CLASS_PERMANENT,
                       "json: deeper than %d, at byte %zu", DEPTH_MAX, (size_t)(l->at - l->start));
    bit = UINT64_C(1) << open->depth++;
    open->objects = *l->at == '{' ? open->objects | bit : open->objects & ~bit;
    l->at++;
    return STATUS_OK;
}

/* Closes what ends here. 1: another member or element follows. 0: the value is complete. */
static int after(struct lexer *l, struct open *open, bool first)
{
    while (open->depth) {
        bool object = in_object(open);
        lexer_skip_space(l);
        if (lexer_take(l, object ? '}' : ']')) {
            open->depth--;
            first = false;
            continue;
        }
        if (!first) {
            if (!lexer_take(l, ','))
                return json_lexer_unexpected(l, object ? "a comma or brace" : "a comma or bracket");
            lexer_skip_space(l);
        }
        return 1;
    }
    return 0;
}

static int value(struct lexer *l)
{
    struct open open = {0, 0};
    struct slice name;
    bool escaped;
    int r;
    do {
        bool first = false;
        r = in_object(&open) ? key(l, &name, &escaped) : STATUS_OK;
        if (r < 0)
            return r;
        if (l->at < l->end && (*l->at == '{' || *l->at == '[')) {
            r = push(l, &open);
            first = true;
        } else {
            r = scalar(l);
        }
        if (r < 0)
            return r;
        r = after(l, &open, first);
    } while (r > 0);
    return r;
}

int json_reader_value(struct json_reader *reader, struct slice *raw)
{
    skip_space(reader);
    struct lexer l = lexer_of(reader);
    int r = value(&l);
    if (r >= 0)
        *raw = slice_make(reader->at, (size_t)(l.at - reader->at));
    reader->at = l.at;
    return r;
}

void json_reader_enter(struct json_reader *r)
{
    r->at++;
}

int json_reader_next(struct json_reader *reader, bool first, struct slice *name, bool *escaped)
{
    struct lexer l = lexer_of(reader);
    struct open open = {1, name != NULL};
    int r = after(&l, &open, first);
    if (r > 0 && name && key(&l, name, escaped) < 0)
        r = ERR_INVALID;
    reader->at = l.at;
    return r;
}

bool json_reader_done(struct json_reader *r)
{
    skip_space(r);
    return r->at == r->end;
}

/* ---- by quotes and brackets ---- */

/* What stands between values ends a bare word. */
static const uint8_t *word_end(const uint8_t *at, const uint8_t *end)
{
    while (at < end && *at != ',' && *at != ']' && *at != '}' && !is_space(*at))
        at++;
    return at;
}

/* A quote or backslash, and outside of strings brackets: '[' and ']' are '{' and '}' without the bit 0x20. */
static inline bool is_mark(uint8_t c, bool in_string)
{
    return c == '"' || c == '\\' || (!in_string && ((c | 0x20) == '{' || (c | 0x20) == '}'));
}

/* The first mark of [at, end), or end. */
static inline const uint8_t *next_mark(const uint8_t *at, const uint8_t *end, bool in_string)
{
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\');
    const __m128i bit = _mm_set1_epi8(0x20), open = _mm_set1_epi8('{'), close = _mm_set1_epi8('}');
    for (; end - at >= 16; at += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
        __m128i marks =
            _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash));
        __m128i low = _mm_or_si128(bytes, bit);
        if (!in_string)
            marks = _mm_or_si128(
                marks, _mm_or_si128(_mm_cmpeq_epi8(low, open), _mm_cmpeq_epi8(low, close)));
        unsigned mask = (unsigned)_mm_movemask_epi8(marks);
        if (mask)
            return at + __builtin_ctz(mask);
    }
#endif
    while (at < end && !is_mark(*at, in_string))
        at++;
    return at;
}

/* Behind the value that begins with this quote or bracket; NULL: it does not end. */
static const uint8_t *marked_end(const uint8_t *at, const uint8_t *end)
{
    size_t depth = 0;
    bool in_string = false;
    while ((at = next_mark(at, end, in_string)) < end) {
        uint8_t c = *at++;
        if (c == '"') {
            in_string = !in_string;
        } else if (c == '\\') {
            if (in_string && at < end)
                at++;
        } else if ((c | 0x20) == '{') {
            depth++;
        } else if (depth) {
            depth--;
        }
        if (!in_string && depth == 0)
            return at;
    }
    return NULL;
}

int json_reader_loosely(struct json_reader *r, struct slice *raw)
{
    skip_space(r);
    uint8_t c = r->at < r->end ? *r->at : 0;
    bool marked = c == '"' || c == '{' || c == '[';
    const uint8_t *at = marked ? marked_end(r->at, r->end) : word_end(r->at, r->end);
    if (!at || at == r->at)
        return err_set(r->err, ERR_INVALID, ERR_CLASS_PERMANENT,
                       "json: no end of the value at byte %zu", (size_t)(r->at - r->start));
    *raw = slice_make(r->at, (size_t)(at - r->at));
    r->at = at;
    return STATUS_OK;
}

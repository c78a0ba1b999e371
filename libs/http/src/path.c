/* Paths and queries of requests: patterns with {parameters}, percent decoding. */
#include "http.h"

/* Wrong escapes stay as they are: an id that holds a percent sign is then simply not found. */
static struct slice decode(struct slice text, bool plus, struct arena *arena)
{
    if (!memchr(text.data, '%', text.size) && !(plus && memchr(text.data, '+', text.size)))
        return text;
    uint8_t *out = arena_alloc(arena, text.size + 1);
    if (!out)
        return slice_make("", 0);
    size_t n = 0;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (c == '%' && i + 2 < text.size &&
            hex_parse(&c, 1, slice_make(&text.data[i + 1], 2)) == 0) {
            i += 2;
        } else if (plus && c == '+') {
            c = ' ';
        }
        out[n++] = c;
    }
    return slice_make(out, n);
}

/* The segment that path, which begins with its '/', starts with. */
static struct slice first_segment(struct slice path)
{
    const uint8_t *from = path.data + 1, *slash = memchr(from, '/', path.size - 1);
    return slice_make(from, slash ? (size_t)(slash - from) : path.size - 1);
}

static void skip_segment(struct slice *path, struct slice segment)
{
    *path = slice_make(segment.data + segment.size, path->size - 1 - segment.size);
}

bool http_path_match(const char *pattern, struct slice path, struct arena *arena,
                     struct slice *parameters, unsigned max)
{
    struct slice want = slice_str(pattern), raw[16];
    unsigned n = 0;
    if (path.size == 0 || path.data[0] != '/')
        return false;
    while (want.size && path.size) {
        struct slice w = first_segment(want), p = first_segment(path);
        skip_segment(&want, w);
        skip_segment(&path, p);
        if (w.size > 2 && w.data[0] == '{' && w.data[w.size - 1] == '}') {
            assert(n < ARRAY_SIZE(raw) && n < max);
            raw[n++] = p;
        } else if (!slice_equal(w, p)) {
            return false;
        }
    }
    if (want.size || path.size)
        return false;
    for (unsigned i = 0; i < n; i++) {
        parameters[i] = decode(raw[i], false, arena);
        if (parameters[i].size == 0)
            return false;
    }
    return true;
}

struct slice http_query_get(struct slice query, const char *name, struct arena *arena)
{
    while (query.size) {
        const uint8_t *end = memchr(query.data, '&', query.size);
        size_t n = end ? (size_t)(end - query.data) : query.size;
        const uint8_t *equals = memchr(query.data, '=', n);
        size_t key = equals ? (size_t)(equals - query.data) : n;
        if (slice_equal_str(decode(slice_make(query.data, key), true, arena), name))
            return equals ? decode(slice_make(equals + 1, n - key - 1), true, arena)
                          : slice_make("", 0);
        size_t taken = end ? n + 1 : n;
        query = slice_make(query.data + taken, query.size - taken);
    }
    return slice_make(NULL, 0);
}

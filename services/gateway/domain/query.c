#include "query.h"
#include "json.h"

struct slice gw_percent_decode(struct slice text, bool plus_is_space, struct arena *arena)
{
    if (!text.size || (!memchr(text.data, '%', text.size) &&
                       !(plus_is_space && memchr(text.data, '+', text.size))))
        return text;
    uint8_t *out = arena_alloc(arena, text.size);
    size_t n = 0;
    if (!out)
        return slice_make(NULL, 0);
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (c == '%' && i + 2 < text.size &&
            hex_parse(&c, 1, slice_make(&text.data[i + 1], 2)) == 0)
            i += 2;
        else if (plus_is_space && c == '+')
            c = ' ';
        out[n++] = c;
    }
    return slice_make(out, n);
}

bool gw_query_next(struct slice *query, struct slice *name, struct slice *value,
                   struct arena *arena)
{
    while (query->size) {
        const uint8_t *end = memchr(query->data, '&', query->size);
        size_t size = end ? (size_t)(end - query->data) : query->size;
        struct slice pair = slice_make(query->data, size);
        *query = slice_make(query->data + size + (end != NULL), query->size - size - (end != NULL));
        if (!pair.size)
            continue;
        const uint8_t *equals = memchr(pair.data, '=', pair.size);
        size_t at = equals ? (size_t)(equals - pair.data) : pair.size;
        *name = gw_percent_decode(slice_make(pair.data, at), true, arena);
        *value = equals ? gw_percent_decode(slice_make(equals + 1, pair.size - at - 1), true, arena)
                        : slice_make("", 0);
        return true;
    }
    return false;
}

struct slice gw_query_object(struct slice query, struct arena *arena)
{
    _cleanup_(buf_deinit) struct buf buf = {0};
    struct json_writer w = json_writer_make(&buf);
    struct slice name, value;
    json_begin_object(&w);
    while (gw_query_next(&query, &name, &value, arena)) {
        const char *key = arena_str(arena, name);
        if (!key)
            return slice_make(NULL, 0);
        json_key(&w, key);
        json_write_slice(&w, value);
    }
    json_end_object(&w);
    return arena_slice(arena, buf_slice(&buf));
}

#include "url.h"
#include <strings.h>

/* ---- texts ---- */

static struct slice until_byte(struct slice text, char end)
{
    const uint8_t *at = text.size ? memchr(text.data, end, text.size) : NULL;
    return slice_make(text.data, at ? (size_t)(at - text.data) : text.size);
}

struct slice ingest_text_until(struct slice text, const char *ends)
{
    for (; *ends; ends++)
        text = until_byte(text, *ends);
    return text;
}

struct slice ingest_text_cut(struct slice text, size_t limit)
{
    size_t size = 0, step;
    if (text.size <= limit && utf8_valid(text))
        return text;
    while (size < text.size && (step = utf8_sequence(text.data + size, text.size - size)) &&
           size + step <= limit)
        size += step;
    return slice_make(text.data, size);
}

struct slice ingest_text_lower(struct slice text, size_t limit, struct arena *arena)
{
    struct slice cut = ingest_text_cut(text, limit);
    uint8_t *out = arena_copy(arena, cut.data, cut.size);
    if (!out)
        return slice_make(NULL, 0);
    for (size_t i = 0; i < cut.size; i++)
        out[i] = out[i] >= 'A' && out[i] <= 'Z' ? out[i] | 32 : out[i];
    return slice_make(out, cut.size);
}

bool ingest_text_contains(struct slice text, const char *word)
{
    size_t size = strlen(word);
    for (size_t i = 0; i + size <= text.size; i++) {
        if ((text.data[i] | 32) == (word[0] | 32) &&
            strncasecmp((const char *)text.data + i, word, size) == 0)
            return true;
    }
    return false;
}

bool ingest_text_equals(struct slice text, const char *word)
{
    return text.size == strlen(word) && strncasecmp((const char *)text.data, word, text.size) == 0;
}

/* ---- parts of a URL ---- */

static struct slice after(struct slice text, size_t n)
{
    return n ? slice_make(text.data + n, text.size - n) : text;
}

static struct slice without_scheme(struct slice url)
{
    const uint8_t *colon = url.size ? memmem(url.data, url.size, "://", 3) : NULL;
    return colon ? after(url, (size_t)(colon + 3 - url.data)) : slice_make(NULL, 0);
}

struct slice ingest_url_host(struct slice url)
{
    struct slice host = ingest_text_until(without_scheme(url), "/?#");
    const uint8_t *at = host.size ? memrchr(host.data, '@', host.size) : NULL;
    if (at)
        host = after(host, (size_t)(at + 1 - host.data));
    return ingest_text_until(host, ":");
}

struct slice ingest_url_path(struct slice url)
{
    struct slice rest = without_scheme(url);
    size_t host = ingest_text_until(rest, "/?#").size;
    struct slice path = ingest_text_until(after(rest, host), "?#");
    return path.size || rest.size == 0 ? path : SLICE_LITERAL("/");
}

static int digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 32;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

struct slice ingest_url_decoded(struct slice text, struct arena *arena)
{
    uint8_t *out = arena_alloc(arena, text.size + 1);
    size_t n = 0;
    if (!out)
        return slice_make(NULL, 0);
    for (size_t i = 0; i < text.size; i++) {
        int high = -1, low = -1;
        if (text.data[i] == '%' && i + 2 < text.size) {
            high = digit(text.data[i + 1]);
            low = digit(text.data[i + 2]);
        }
        if (high >= 0 && low >= 0) {
            out[n++] = (uint8_t)(high << 4 | low);
            i += 2;
        } else {
            out[n++] = text.data[i] == '+' ? ' ' : text.data[i];
        }
    }
    return slice_make(out, n);
}

struct slice ingest_url_query(struct slice url)
{
    const uint8_t *mark = url.size ? memchr(url.data, '?', url.size) : NULL;
    if (!mark)
        return slice_make(NULL, 0);
    return until_byte(after(url, (size_t)(mark + 1 - url.data)), '#');
}

bool ingest_url_parameter(struct slice *query, struct slice *name, struct slice *value)
{
    while (query->size) {
        struct slice pair = until_byte(*query, '&');
        *query = after(*query, pair.size + (pair.size < query->size));
        *name = until_byte(pair, '=');
        if (name->size < pair.size) {
            *value = after(pair, name->size + 1);
            return true;
        }
    }
    return false;
}

struct slice ingest_host_without_www(struct slice host)
{
    return host.size > 4 && strncasecmp((const char *)host.data, "www.", 4) == 0 ? after(host, 4)
                                                                                 : host;
}

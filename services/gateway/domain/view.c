/* Escapes taken away, each byte remembering where it came from. */
#include "pii.h"

static int hex_digit(uint8_t c)
{
    return c >= '0' && c <= '9'                     ? c - '0'
           : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                    : -1;
}

static int hex4(const uint8_t *at)
{
    int value = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(at[i]);
        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

struct writer {
    uint8_t *text;
    uint32_t *from;
    size_t n;
};

static int start(struct writer *w, const struct gw_view *view, struct arena *arena)
{
    /* no escape is shorter than what it stands for */
    w->n = 0;
    w->text = arena_alloc(arena, view->text.size + 1);
    w->from = arena_alloc(arena, (view->text.size + 1) * sizeof(*w->from));
    return w->text && w->from ? 0 : ERR_NO_MEMORY;
}

static inline void put(struct writer *w, uint8_t c, uint32_t from)
{
    w->text[w->n] = c;
    w->from[w->n++] = from;
}

static void put_code(struct writer *w, unsigned code, uint32_t from)
{
    if (code < 0x80) {
        put(w, (uint8_t)code, from);
        return;
    }
    if (code >= 0x10000) {
        put(w, (uint8_t)(0xf0 | code >> 18), from);
        put(w, (uint8_t)(0x80 | (code >> 12 & 63)), from);
    } else if (code >= 0x800) {
        put(w, (uint8_t)(0xe0 | code >> 12), from);
    } else {
        put(w, (uint8_t)(0xc0 | code >> 6), from);
    }
    if (code >= 0x800)
        put(w, (uint8_t)(0x80 | (code >> 6 & 63)), from);
    put(w, (uint8_t)(0x80 | (code & 63)), from);
}

static void finish(struct writer *w, struct gw_view *out, const struct gw_view *view, int strings)
{
    w->from[w->n] = gw_view_from(view, view->text.size);
    *out = (struct gw_view){slice_make(w->text, w->n), w->from, 0, strings};
}

/* The escape at `at`, a backslash; how many bytes it has. */
static size_t put_escape(struct writer *w, const struct gw_view *view, size_t at)
{
    static const char names[] = "bfnrt", values[] = "\b\f\n\r\t";
    const uint8_t *data = view->text.data;
    size_t size = view->text.size;
    uint32_t from = gw_view_from(view, at);
    if (at + 1 >= size) {
        put(w, '\\', from);
        return 1;
    }
    const char *name = strchr(names, data[at + 1]);
    if (data[at + 1] != 'u' || at + 6 > size || hex4(data + at + 2) < 0) {
        put(w, name && *name ? (uint8_t)values[name - names] : data[at + 1], from);
        return 2;
    }
    unsigned code = (unsigned)hex4(data + at + 2);
    if (code >= 0xd800 && code < 0xdc00 && at + 12 <= size && data[at + 6] == '\\' &&
        data[at + 7] == 'u') {
        int low = hex4(data + at + 8);
        if (low >= 0xdc00 && low < 0xe000) {
            put_code(w, 0x10000 + ((code & 0x3ff) << 10) + ((unsigned)low & 0x3ff), from);
            return 12;
        }
    }
    put_code(w, code, from);
    return 6;
}

/* No-break and thin spaces, hyphens: what stands between the digits of a number that was copied from a page. 0: none. */
static uint8_t plain(struct slice text, size_t at)
{
    const uint8_t *c = text.data + at;
    if (c[0] == 0xc2)
        return at + 1 < text.size && c[1] == 0xa0 ? ' ' : 0;
    if (c[0] != 0xe2 || at + 2 >= text.size || c[1] != 0x80)
        return 0;
    return c[2] == 0xaf || (c[2] >= 0x80 && c[2] <= 0x8a) ? ' '
           : c[2] >= 0x90 && c[2] <= 0x95                 ? '-'
                                                          : 0;
}

static void put_plain(struct gw_view *out, struct writer *w)
{
    size_t n = 0;
    for (size_t i = 0; i < w->n; n++) {
        uint8_t c = plain(out->text, i);
        size_t size = !c ? 1 : w->text[i] == 0xc2 ? 2 : 3;
        w->text[n] = c ? c : w->text[i];
        w->from[n] = w->from[i];
        i += size;
    }
    w->from[n] = w->from[w->n];
    out->text.size = n;
}

int gw_view_unescape(struct gw_view *out, const struct gw_view *view, struct arena *arena)
{
    struct writer w;
    if (start(&w, view, arena) < 0)
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < view->text.size;) {
        if (view->text.data[i] == '\\') {
            i += put_escape(&w, view, i);
        } else {
            put(&w, view->text.data[i], gw_view_from(view, i));
            i++;
        }
    }
    finish(&w, out, view, view->strings + 1);
    put_plain(out, &w);
    return 0;
}

static int quoted(struct slice text, size_t at)
{
    int high = at + 2 < text.size && text.data[at] == '%' ? hex_digit(text.data[at + 1]) : -1;
    int low = high < 0 ? -1 : hex_digit(text.data[at + 2]);
    return low < 0 ? -1 : high << 4 | low;
}

static bool has_any(struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (c == '%' ? quoted(text, i) >= 0 : c >= 0x80 && plain(text, i))
            return true;
    }
    return false;
}

int gw_view_unquote(struct gw_view *out, const struct gw_view *view, struct arena *arena)
{
    struct writer w;
    if (!has_any(view->text))
        return 0;
    if (start(&w, view, arena) < 0)
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < view->text.size;) {
        int byte = view->text.data[i] == '%' ? quoted(view->text, i) : -1;
        put(&w, byte < 0 ? view->text.data[i] : (uint8_t)byte, gw_view_from(view, i));
        i += byte < 0 ? 1 : 3;
    }
    finish(&w, out, view, view->strings);
    put_plain(out, &w);
    return 1;
}

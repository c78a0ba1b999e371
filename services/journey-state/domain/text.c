#include "text.h"

static const char replacement[] = "\xef\xbf\xbd";

/* Whether all of text is fit and has at most max characters. */
static bool text_fits(struct slice text, size_t max)
{
    size_t chars = 0;
    for (size_t at = 0; at < text.size; chars++) {
        size_t n = utf8_sequence(text.data + at, text.size - at);
        if (n == 0 || text.data[at] == 0 || chars == max)
            return false;
        at += n;
    }
    return true;
}

static const char *text_repair(struct arena *arena, struct slice text, size_t max)
{
    /* each byte becomes three at most, each character has four at most */
    size_t room = text.size * 3 < max * 4 ? text.size * 3 : max * 4;
    char *out = arena_alloc(arena, room + 1);
    if (!out)
        return "";
    size_t size = 0, chars = 0;
    for (size_t at = 0; at < text.size && chars < max;) {
        size_t n = utf8_sequence(text.data + at, text.size - at);
        if (text.data[at] == 0) {
            at++;
            continue;
        }
        if (n) {
            memcpy(out + size, text.data + at, n);
            size += n;
            at += n;
        } else {
            memcpy(out + size, replacement, 3);
            size += 3;
            at++;
        }
        chars++;
    }
    return out;
}

const char *text_cut(struct arena *arena, const char *text, size_t max)
{
    struct slice s = slice_str(text);
    if (!text)
        return "";
    return text_fits(s, max) ? text : text_repair(arena, s, max);
}

const char *text_cut_slice(struct arena *arena, struct slice text, size_t max)
{
    return text_repair(arena, text, max);
}

/* ---- snake_case ---- */

static bool is_lower(uint8_t c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_upper(uint8_t c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_word(uint8_t c)
{
    return is_lower(c) || is_upper(c) || (c >= '0' && c <= '9') || c >= 0x80;
}

/* Whether a word begins at `at`: productViewed, HTTPRequest. */
static bool starts_word(const char *name, size_t at)
{
    uint8_t before = at ? (uint8_t)name[at - 1] : 0, c = (uint8_t)name[at];
    if (!is_word(before))
        return true;
    if (!is_upper(c))
        return false;
    return !is_upper(before) || is_lower((uint8_t)name[at + 1]);
}

const char *text_snake(struct arena *arena, const char *name, size_t max)
{
    char *out = arena_alloc(arena, strlen(name) * 2 + 1);
    if (!out)
        return "";
    size_t size = 0;
    for (size_t at = 0; name[at]; at++) {
        uint8_t c = (uint8_t)name[at];
        if (!is_word(c))
            continue;
        if (size && starts_word(name, at))
            out[size++] = '_';
        out[size++] = (char)(is_upper(c) ? c - 'A' + 'a' : c);
    }
    const char *cut = text_cut(arena, out, max);
    size_t length = strlen(cut);
    if (length && cut[length - 1] == '_') /* the cut fell behind a word */
        cut = text_cut_slice(arena, slice_make(cut, length - 1), max);
    return cut;
}

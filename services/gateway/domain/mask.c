/*
 * Masking: one pass over the JSON text, string by string; a string is looked at closely only where its bytes allow a
 * finding, and then without its escapes. Findings are ranges of the text as it came, which are cut out at the end.
 *
 *   walk(): strings, numbers, depth ──► glance(): 16 bytes at a time ──► look(): unescape, unquote ──► pii.c
 *     └─ members' names, allow-list            nothing: next                 JSON inside a string: walk() again
 *
 * Below a member whose name says what it holds everything is personal, numbers and further members too; flags (true, 0,
 * "yes") stay. A parameter in an address ("?email=") counts as a member.
 */
#include "pii.h"

#include <stdlib.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define DEPTH_MAX   68 /* of json_parse, and some more for what no parser has seen */
#define STRINGS_MAX 4  /* JSON in a string in a string ... */
#define ENCODINGS   4  /* percent-encoding of percent-encoding ... */
#define ROUNDS      8  /* then a string that still holds a finding becomes a mark as a whole, */
#define ROUNDS_MAX  64 /* which ends it sooner */

struct gw_masker {
    struct gw_pii *pii;
    struct gw_names names;
};

struct span { /* of the text as it came */
    struct span *next;
    uint32_t from, to;
    enum gw_personal what;
    int quotes; /* the mark needs quotes of its own, inside of so many strings; -1: none */
};

struct level {
    struct slice key; /* of the member being read */
    int what;         /* of all below: enum gw_personal, or GW_NAME_* */
    bool allowed;
};

struct masking {
    struct gw_masker *masker;
    struct slice text, allowed;
    struct arena *arena;
    struct span *spans;
    unsigned n_spans;
    bool whole; /* strings */
    bool full;
};

int gw_masker_create(struct gw_masker **out, struct err *err)
{
    struct gw_masker *masker = calloc(1, sizeof(*masker));
    if (!masker)
        return err_set(err, ERR_NO_MEMORY, ERR_CLASS_FATAL, "no memory for patterns");
    int r = gw_pii_create(&masker->pii, 0, err);
    if (r < 0) {
        free(masker);
        return r;
    }
    gw_names_init(&masker->names);
    *out = masker;
    return 0;
}

void gw_masker_destroy(struct gw_masker **out)
{
    if (!*out)
        return;
    gw_pii_destroy(&(*out)->pii);
    free(*out);
    *out = NULL;
}

static bool inside_character(struct slice text, uint32_t at)
{
    return at < text.size && (text.data[at] & 0xc0) == 0x80;
}

/* Patterns count bytes; what is left must be whole characters. */
static void found(struct masking *m, uint32_t from, uint32_t to, enum gw_personal what, int quotes)
{
    while (from > 0 && inside_character(m->text, from))
        from--;
    while (inside_character(m->text, to))
        to++;
    struct span *span = from < to ? arena_alloc(m->arena, sizeof(*span)) : NULL;
    if (!span) {
        m->full = m->full || from < to;
        return;
    }
    *span = (struct span){m->spans, from, to, what, quotes};
    m->spans = span;
    m->n_spans++;
}

/* All of a string of the text, if something was found in it. */
static void found_whole(struct masking *m, unsigned n_before, uint32_t from, uint32_t to)
{
    if (m->whole && m->n_spans > n_before)
        found(m, from, to, m->spans->what, -1);
}

/* ---- a glance at a string ---- */

enum {
    SEES_ESCAPE = 1,
    SEES_SIGN = 2, /* '@', '=' */
    SEES_PERCENT = 4,
    SEES_BEYOND = 8, /* ASCII: it may be a space or hyphen between digits */
    SEES_CODED = SEES_ESCAPE | SEES_PERCENT | SEES_BEYOND,
};

struct glance {
    const uint8_t *end;                  /* its closing quote, or the end of all */
    unsigned sees, digits, dots, colons; /* dots: beside digits */
};

/* Sixteen bytes, a bit each. */
struct block {
    unsigned stop, sign, percent, beyond, digit, dot, colon;
};

#ifdef __SSE2__
static inline unsigned equal16(__m128i bytes, char c)
{
    return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(c)));
}

static inline struct block block_of(const uint8_t *at)
{
    __m128i b = _mm_loadu_si128((const __m128i *)(const void *)at);
    __m128i moved = _mm_add_epi8(b, _mm_set1_epi8((char)(-128 - '0'))); /* digits: -128 .. -119 */
    __m128i digits = _mm_cmplt_epi8(moved, _mm_set1_epi8(-118));
    return (struct block){.stop = equal16(b, '"') | equal16(b, '\\'),
                          .sign = equal16(b, '@') | equal16(b, '='),
                          .percent = equal16(b, '%'),
                          .beyond = (unsigned)_mm_movemask_epi8(b),
                          .digit = (unsigned)_mm_movemask_epi8(digits),
                          .dot = equal16(b, '.'),
                          .colon = equal16(b, ':')};
}
#else
static inline struct block block_of(const uint8_t *at)
{
    struct block b = {0};
    for (unsigned i = 0; i < 16; i++) {
        b.stop |= (unsigned)(at[i] == '"' || at[i] == '\\') << i;
        b.sign |= (unsigned)(at[i] == '@' || at[i] == '=') << i;
        b.percent |= (unsigned)(at[i] == '%') << i;
        b.beyond |= (unsigned)(at[i] >= 0x80) << i;
        b.digit |= (unsigned)(at[i] >= '0' && at[i] <= '9') << i;
        b.dot |= (unsigned)(at[i] == '.') << i;
        b.colon |= (unsigned)(at[i] == ':') << i;
    }
    return b;
}
#endif

static inline unsigned count(unsigned bits)
{
    bits = bits - (bits >> 1 & 0x5555);
    bits = (bits & 0x3333) + (bits >> 2 & 0x3333);
    bits = (bits + (bits >> 4)) & 0x0f0f;
    return (bits + (bits >> 8)) & 31;
}

/* The bytes of `mask` alone. */
static inline void glance_add(struct glance *g, const struct block *b, unsigned mask)
{
    g->sees |= b->sign & mask ? SEES_SIGN : 0;
    g->sees |= b->percent & mask ? SEES_PERCENT : 0;
    g->sees |= b->beyond & mask ? SEES_BEYOND : 0;
    if (b->colon & mask)
        g->colons += count(b->colon & mask);
    if (b->digit & mask) {
        g->digits += count(b->digit & mask);
        g->dots += count(b->dot & mask); /* each dot of an address has a digit at its side */
    }
}

/* From behind the opening quote; a text that is no string has no end of its own. */
static inline struct glance glance_at(const uint8_t *at, const uint8_t *end, bool string)
{
    struct glance g = {.end = end};
    while (at < end) {
        struct block b;
        size_t left = (size_t)(end - at);
        if (left >= 16) {
            b = block_of(at);
        } else {
            uint8_t rest[16] = {0};
            memcpy(rest, at, left);
            b = block_of(rest);
        }
        unsigned stop = string ? b.stop : 0;
        glance_add(&g, &b, stop ? (stop & -stop) - 1 : 0xffff);
        if (!stop) {
            at += left < 16 ? left : 16;
            continue;
        }
        at += __builtin_ctz(stop);
        if (*at == '"') {
            g.end = at;
            break;
        }
        g.sees |= SEES_ESCAPE;
        at += end - at > 1 ? 2 : 1;
    }
    return g;
}

/* Signs and codes, JSON, enough digits for an id or for an address. */
static inline bool close_look(const struct glance *g, const uint8_t *start)
{
    return (g->sees & (SEES_ESCAPE | SEES_SIGN | SEES_PERCENT)) || g->digits >= 6 ||
           (g->dots >= 3 && g->digits >= 4) || g->colons >= 2 ||
           (start < g->end && (*start == '{' || *start == '['));
}

/* ---- a close look at a text ---- */

static void walk(struct masking *m, const struct gw_view *view, const struct level *above,
                 const struct level *path, unsigned depth);

static bool ends_value(uint8_t c)
{
    return c <= ' ' || c == '&' || c == '#' || c == ';' || c == '"' || c == '\'' || c == '<' ||
           c == '>';
}

static bool begins_name(uint8_t c)
{
    return c <= ' ' || c == '?' || c == '&' || c == '#' || c == ';' || c == '"' || c == '\'' ||
           c == '/' || c == ',';
}

/* name=value, as in addresses and forms. */
static void look_at_parameters(struct masking *m, const struct gw_view *view)
{
    struct slice t = view->text;
    size_t begin = 0;
    for (size_t i = 0; t.data && i < t.size; i++) {
        if (begins_name(t.data[i]))
            begin = i + 1;
        if (t.data[i] != '=')
            continue;
        int what = gw_names_find(&m->masker->names, slice_make(t.data + begin, i - begin));
        size_t end = i + 1;
        while (what >= 0 && end < t.size && !ends_value(t.data[end]))
            end++;
        if (what >= 0 && gw_value_tells(slice_make(t.data + i + 1, end - i - 1)))
            found(m, gw_view_from(view, i + 1), gw_view_from(view, end), (enum gw_personal)what,
                  -1);
    }
}

static void look_for_patterns(struct masking *m, const struct gw_view *view, bool versions)
{
    struct gw_find finds[GW_FINDS_MAX];
    unsigned n = gw_pii_find(m->masker->pii, view->text, versions, finds);
    for (unsigned i = 0; i < n; i++)
        found(m, gw_view_from(view, finds[i].from), gw_view_from(view, finds[i].to), finds[i].what,
              -1);
}

static bool looks_like_json(struct slice text)
{
    size_t i = 0;
    while (i < text.size && text.data[i] <= ' ')
        i++;
    return i < text.size && (text.data[i] == '{' || text.data[i] == '[');
}

/* `view`: a string's content, or a text of its own; `sees`: what a glance at it saw. */
static void look(struct masking *m, const struct gw_view *view, unsigned sees,
                 const struct level *level, const struct level *path, unsigned depth)
{
    struct gw_view views[ENCODINGS + 2];
    struct gw_view *v = views;
    bool escaped = sees & SEES_ESCAPE;
    *v = *view;
    if (escaped && gw_view_unescape(v, view, m->arena) < 0) {
        m->full = true;
        return;
    }
    if (!escaped)
        v->strings++;
    for (int e = 0;; e++) {
        if (v->strings <= STRINGS_MAX && looks_like_json(v->text))
            walk(m, v, level, path, depth);
        if (sees & (SEES_SIGN | SEES_CODED) && memchr(v->text.data, '=', v->text.size))
            look_at_parameters(m, v);
        int more = e < ENCODINGS && (sees & SEES_CODED) ? gw_view_unquote(v + 1, v, m->arena) : 0;
        if (more < 0)
            m->full = true;
        if (more <= 0)
            break;
        v++;
    }
    look_for_patterns(m, v, level->what == GW_NAME_VERSION);
}

/* ---- the allow-list ---- */

/* "a.b.c" is the path of the member, from the top. */
static bool is_path(struct slice entry, const struct level *path, unsigned depth)
{
    for (unsigned d = 0; d <= depth; d++) {
        if (path[d].key.size == 0)
            continue; /* an element of an array has its array's path */
        if (entry.size < path[d].key.size ||
            memcmp(entry.data, path[d].key.data, path[d].key.size) != 0)
            return false;
        entry = slice_make(entry.data + path[d].key.size, entry.size - path[d].key.size);
        if (entry.size && entry.data[0] == '.')
            entry = slice_make(entry.data + 1, entry.size - 1);
        else if (entry.size)
            return false;
        else
            return d == depth;
    }
    return false;
}

static bool is_allowed(const struct masking *m, const struct level *path, unsigned depth)
{
    struct slice rest = m->allowed;
    while (rest.size) {
        const uint8_t *comma = memchr(rest.data, ',', rest.size);
        struct slice entry = slice_make(rest.data, comma ? (size_t)(comma - rest.data) : rest.size);
        rest = slice_make(rest.data + entry.size, rest.size - entry.size);
        if (rest.size)
            rest = slice_make(rest.data + 1, rest.size - 1);
        if (entry.size && (slice_equal(entry, path[depth].key) || is_path(entry, path, depth)))
            return true;
    }
    return false;
}

/* ---- the walk ---- */

struct walk {
    struct masking *m;
    const struct gw_view *view;
    struct level levels[DEPTH_MAX]; /* those above included */
    unsigned depth, floor;
};

static const uint8_t *skip_space(const uint8_t *at, const uint8_t *end)
{
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
        at++;
    return at;
}

/* What holds for the value that comes now. */
static inline const struct level *value_level(const struct walk *w)
{
    return &w->levels[w->depth];
}

static void take_key(struct walk *w, struct slice key, bool escaped)
{
    struct masking *m = w->m;
    struct level *level = &w->levels[w->depth];
    const struct level *above = w->depth ? &w->levels[w->depth - 1] : NULL;
    if (escaped) {
        struct gw_view plain, view = {key, NULL, 0, 0};
        if (gw_view_unescape(&plain, &view, m->arena) == 0)
            key = plain.text;
        else
            m->full = true;
    }
    *level = (struct level){key, GW_NAME_NONE, above && above->allowed};
    if (m->allowed.size && !level->allowed)
        level->allowed = is_allowed(m, w->levels, w->depth);
    level->what = above && above->what >= 0 ? above->what : gw_names_find(&m->masker->names, key);
    if (level->what == GW_NAME_NONE && above)
        level->what = above->what;
}

static struct gw_view part(const struct gw_view *view, const uint8_t *from, const uint8_t *to)
{
    size_t at = (size_t)(from - view->text.data);
    return (struct gw_view){slice_make(from, (size_t)(to - from)),
                            view->from ? view->from + at : NULL,
                            view->base + (view->from ? 0 : (uint32_t)at), view->strings};
}

/* `at` is behind the opening quote; returns what follows the closing one. */
static const uint8_t *take_string(struct walk *w, const uint8_t *at, const uint8_t *end)
{
    struct masking *m = w->m;
    struct glance g = glance_at(at, end, true);
    const uint8_t *next = skip_space(g.end < end ? g.end + 1 : end, end);
    bool key = next < end && *next == ':';
    next += next < end && (*next == ':' || *next == ',');
    struct gw_view view = part(w->view, at, g.end);
    if (key)
        take_key(w, view.text, g.sees & SEES_ESCAPE);
    const struct level *level = value_level(w);
    unsigned n_before = m->n_spans;
    if (level->allowed)
        return next;
    if (!key && level->what >= 0) {
        if (gw_value_tells(view.text))
            found(m, gw_view_from(w->view, (size_t)(at - w->view->text.data)),
                  gw_view_from(w->view, (size_t)(g.end - w->view->text.data)),
                  (enum gw_personal)level->what, -1);
    } else if (close_look(&g, at)) {
        look(m, &view, g.sees, level, w->levels, w->depth);
        if (!w->view->from)
            found_whole(m, n_before, view.base, view.base + (uint32_t)view.text.size);
    }
    return next;
}

static const uint8_t *take_number(struct walk *w, const uint8_t *at, const uint8_t *end)
{
    const uint8_t *start = at;
    bool plain = true;
    for (; at < end && ((*at >= '0' && *at <= '9') || *at == '-' || *at == '+' || *at == '.' ||
                        (*at | 0x20) == 'e');
         at++)
        plain = plain && *at >= '0' && *at <= '9';
    struct slice number = slice_make(start, (size_t)(at - start));
    const struct level *level = value_level(w);
    int what = GW_NAME_NONE;
    if (level->allowed)
        return at;
    if (level->what >= 0 && gw_value_tells(number))
        what = level->what;
    else if (plain && number.size >= 13 && *start >= '2' && gw_check_card(number)) /* 1: a time */
        what = GW_PERSONAL_CARD;
    if (what >= 0)
        found(w->m, gw_view_from(w->view, (size_t)(start - w->view->text.data)),
              gw_view_from(w->view, (size_t)(at - w->view->text.data)), (enum gw_personal)what,
              w->view->strings);
    return at;
}

static void open_level(struct walk *w)
{
    if (w->depth + 1 >= DEPTH_MAX)
        return;
    const struct level *level = value_level(w);
    w->levels[++w->depth] = (struct level){slice_make(NULL, 0), level->what, level->allowed};
}

/* Whatever the text is, valid or not: it is read from left to right, and no step depends on the one before. */
static void walk(struct masking *m, const struct gw_view *view, const struct level *above,
                 const struct level *path, unsigned depth)
{
    struct walk w; /* levels are filled in as they are opened */
    const uint8_t *at = view->text.data, *end = at + view->text.size;
    w.m = m;
    w.view = view;
    w.depth = w.floor = 0;
    w.levels[0] = *above;
    if (path) {
        memcpy(w.levels, path, (depth + 1) * sizeof(*path));
        w.depth = w.floor = depth;
    }
    while (at < end) {
        uint8_t c = *at;
        if (c == '"') {
            at = take_string(&w, at + 1, end);
        } else if ((c >= '0' && c <= '9') || c == '-') {
            at = take_number(&w, at, end);
        } else {
            if (c == '{' || c == '[')
                open_level(&w);
            else if ((c == '}' || c == ']') && w.depth > w.floor)
                w.depth--;
            at++;
        }
    }
}

/* ---- cutting out ---- */

static int span_order(const void *a, const void *b)
{
    const struct span *x = *(const struct span *const *)a, *y = *(const struct span *const *)b;
    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    if (x->to != y->to)
        return x->to > y->to ? -1 : 1; /* the longest first */
    return y->quotes - x->quotes;      /* with quotes first */
}

static void put_quote(struct buf *out, int strings)
{
    for (int i = 1; i < 1 << strings; i++)
        buf_append_byte(out, '\\');
    buf_append_byte(out, '"');
}

static struct span **sorted(struct masking *m)
{
    struct span **list = arena_alloc(m->arena, m->n_spans * sizeof(struct span *));
    unsigned n = 0;
    for (struct span *span = m->spans; list && span; span = span->next)
        list[n++] = span;
    if (list)
        qsort((void *)list, n, sizeof(struct span *), span_order);
    return list;
}

static int cut_out(struct masking *m, struct gw_masked *out)
{
    static const char *const marks[] = {
#define MARK(id, text) text,
        GW_PERSONAL_TABLE(MARK)
#undef MARK
    };
    struct span **list = sorted(m);
    _cleanup_(buf_deinit) struct buf json = {0};
    uint32_t at = 0;
    for (unsigned i = 0; list && i < m->n_spans;) {
        const struct span *span = list[i];
        uint32_t to = span->to;
        for (i++; i < m->n_spans && list[i]->from < to; i++)
            to = list[i]->to > to ? list[i]->to : to;
        buf_append(&json, m->text.data + at, span->from - at);
        if (span->quotes >= 0)
            put_quote(&json, span->quotes);
        buf_append_str(&json, marks[span->what]);
        if (span->quotes >= 0)
            put_quote(&json, span->quotes);
        at = to;
        out->found[span->what]++;
    }
    buf_append(&json, m->text.data + at, m->text.size - at);
    m->text = out->json = arena_slice(m->arena, buf_slice(&json));
    out->changed = true;
    return json.overflow || !list || !out->json.data ? ERR_NO_MEMORY : 0;
}

static void look_at_all(struct masking *m, bool json)
{
    static const struct level top = {.what = GW_NAME_NONE};
    struct gw_view view = {.text = m->text, .strings = json ? 0 : -1};
    const uint8_t *start = m->text.data;
    if (json) {
        walk(m, &view, &top, NULL, 0);
        return;
    }
    struct glance g = glance_at(start, start + m->text.size, false);
    if (close_look(&g, start))
        look(m, &view, g.sees & ~SEES_ESCAPE, &top, &top, 0);
    found_whole(m, 0, 0, (uint32_t)m->text.size);
}

/* A mark ends the words beside it, which may make another finding: until there is none. */
static int mask(struct masking *m, bool json, struct gw_masked *out)
{
    struct gw_masked masked = {.json = m->text};
    for (unsigned round = 0; !m->full; round++) {
        m->spans = NULL;
        m->n_spans = 0;
        m->whole = round >= ROUNDS;
        look_at_all(m, json);
        if (m->n_spans == 0)
            break;
        int r = round < ROUNDS_MAX ? cut_out(m, &masked) : ERR_NO_MEMORY;
        if (r < 0)
            return r;
    }
    if (m->full)
        return ERR_NO_MEMORY;
    *out = masked;
    return 0;
}

int gw_mask_json(struct gw_masker *masker, struct slice json, struct slice allowed,
                 struct gw_masked *out, struct arena *arena)
{
    struct masking m = {.masker = masker, .text = json, .allowed = allowed, .arena = arena};
    return mask(&m, true, out);
}

int gw_mask_text(struct gw_masker *masker, struct slice text, struct gw_masked *out,
                 struct arena *arena)
{
    struct masking m = {.masker = masker, .text = text, .arena = arena};
    *out = (struct gw_masked){.json = text};
    return text.data && text.size ? mask(&m, false, out) : 0;
}

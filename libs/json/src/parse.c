/*
 * The reader: one pass, no recursion.
 *
 *        +--------------- ',' ---------------+
 *        v                                   |
 *   [key ':'] value -> '{' '[' push a frame  |
 *                   -> scalar --> after -----+--> '}' ']' pop, after again; at depth 0: end of text
 *
 * A frame is an open array or object and its last child, to which the next one is linked. Nodes
 * come from the arena in blocks, as there are many and all live as long as it does.
 */
#include "json.h"
#include "scan.h"

#define DEPTH_MAX   64
#define BLOCK_FIRST 8  /* a small message's nodes */
#define BLOCK_MAX   64 /* 4 KiB */

struct frame {
    struct json_node *node, *last;
};

struct parser {
    const uint8_t *start, *at, *end;
    struct arena *arena;
    struct json_node *free;
    unsigned n_free, block;
    unsigned depth;
    struct frame frames[DEPTH_MAX];
    struct err *err;
};

/* ---- errors: what was found, never the text itself ---- */

static const char *found(const struct parser *p)
{
    static const char marks[] = "{}[],:\"";
    static const char *const names[] = {"'{'", "'}'", "'['", "']'", "','", "':'", "a quote"};
    if (p->at >= p->end)
        return "end of text";
    uint8_t c = *p->at;
    if (c < 0x20)
        return c ? "a control character" : "a NUL byte";
    if (c >= 0x80)
        return "a byte beyond ASCII";
    if (c >= '0' && c <= '9')
        return "a digit";
    if ((c | 0x20) >= 'a' && (c | 0x20) <= 'z')
        return "a letter";
    const char *mark = strchr(marks, c);
    return mark ? names[mark - marks] : "a symbol";
}

static int parse_unexpected(struct parser *p, const char *expected)
{
    return err_set(p->err, ERR_INVALID, ERR_CLASS_PERMANENT,
                   "json: %s where %s belongs, at byte %zu", found(p), expected,
                   (size_t)(p->at - p->start));
}

/* ---- pieces ---- */

static inline void skip_space(struct parser *p)
{
    while (p->at < p->end && (*p->at == ' ' || *p->at == '\n' || *p->at == '\t' || *p->at == '\r'))
        p->at++;
}

static inline bool take(struct parser *p, uint8_t c)
{
    if (p->at == p->end || *p->at != c)
        return false;
    p->at++;
    return true;
}

static inline bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static inline bool is_hex(uint8_t c)
{
    return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* at is on a backslash */
static int parse_escape(struct parser *p)
{
    p->at++;
    if (p->at == p->end)
        return parse_unexpected(p, "an escape");
    switch (*p->at) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        p->at++;
        return STATUS_OK;
    case 'u':
        p->at++;
        for (int i = 0; i < 4; i++, p->at++)
            if (p->at == p->end || !is_hex(*p->at))
                return parse_unexpected(p, "a hexadecimal digit");
        return STATUS_OK;
    default:
        return parse_unexpected(p, "an escape");
    }
}

/* at is on the opening quote; body is what stands between the quotes */
static int parse_string(struct parser *p, struct slice *body, bool *escaped)
{
    const uint8_t *start = ++p->at;
    *escaped = false;
    for (;;) {
        p->at = scan_plain(p->at, p->end);
        if (p->at == p->end)
            return parse_unexpected(p, "a closing quote");
        if (*p->at == '"') {
            *body = slice_make(start, (size_t)(p->at - start));
            p->at++;
            return STATUS_OK;
        }
        if (*p->at == '\\') {
            *escaped = true;
            int rc = parse_escape(p);
            if (rc < 0)
                return rc;
            continue;
        }
        size_t run = utf8_run(p->at, (size_t)(p->end - p->at));
        if (run == 0)
            return parse_unexpected(p, "valid UTF-8 text");
        p->at += run;
    }
}

static int parse_digits(struct parser *p)
{
    const uint8_t *start = p->at;
    while (p->at < p->end && is_digit(*p->at))
        p->at++;
    return p->at == start ? parse_unexpected(p, "a digit") : STATUS_OK;
}

static int parse_number(struct parser *p)
{
    int rc = STATUS_OK;
    take(p, '-');
    if (!take(p, '0'))
        rc = parse_digits(p);
    if (rc == STATUS_OK && take(p, '.'))
        rc = parse_digits(p);
    if (rc == STATUS_OK && (take(p, 'e') || take(p, 'E'))) {
        if (!take(p, '+'))
            take(p, '-');
        rc = parse_digits(p);
    }
    return rc;
}

static int parse_literal(struct parser *p, const char *word, size_t size)
{
    if ((size_t)(p->end - p->at) < size || memcmp(p->at, word, size) != 0)
        return parse_unexpected(p, "a value");
    p->at += size;
    return STATUS_OK;
}

/* ---- nodes ---- */

static struct json_node *node_new(struct parser *p)
{
    if (p->n_free == 0) {
        p->free = arena_alloc(p->arena, p->block * sizeof(*p->free));
        if (!p->free)
            return NULL;
        p->n_free = p->block;
        if (p->block < BLOCK_MAX)
            p->block *= 2;
    }
    p->n_free--;
    return p->free++;
}

static void node_attach(struct parser *p, struct json_node *node)
{
    struct frame *frame = &p->frames[p->depth - 1];
    if (frame->last)
        frame->last->next = node;
    else
        frame->node->child = node;
    frame->last = node;
    frame->node->count++;
}

/* A scalar, whole; of an array or object the opening byte. */
static int parse_value(struct parser *p, struct json_node *node)
{
    struct slice body;
    node->raw.data = p->at;
    switch (p->at < p->end ? *p->at : 0) {
    case '{':
    case '[':
        node->type = *p->at == '{' ? JSON_OBJECT : JSON_ARRAY;
        if (p->depth == DEPTH_MAX)
            return err_set(p->err, ERR_TOO_LARGE, ERR_CLASS_PERMANENT,
                           "json: deeper than %d, at byte %zu", DEPTH_MAX,
                           (size_t)(p->at - p->start));
        p->frames[p->depth++] = (struct frame){node, NULL};
        p->at++;
        return STATUS_OK;
    case '"':
        node->type = JSON_STRING;
        return parse_string(p, &body, &node->escaped);
    case 't':
        node->type = JSON_TRUE;
        return parse_literal(p, "true", 4);
    case 'f':
        node->type = JSON_FALSE;
        return parse_literal(p, "false", 5);
    case 'n':
        node->type = JSON_NULL;
        return parse_literal(p, "null", 4);
    case '-':
    case '0' ... '9':
        node->type = JSON_NUMBER;
        return parse_number(p);
    default:
        return parse_unexpected(p, "a value");
    }
}

static int parse_key(struct parser *p, struct json_node *node)
{
    if (p->at == p->end || *p->at != '"')
        return parse_unexpected(p, "a key");
    int rc = parse_string(p, &node->key, &node->key_escaped);
    if (rc < 0)
        return rc;
    skip_space(p);
    if (!take(p, ':'))
        return parse_unexpected(p, "a colon");
    skip_space(p);
    return STATUS_OK;
}

/* An element or member (or the root), up to its end or to what it opens. */
static int parse_node(struct parser *p, struct json_node **out)
{
    struct json_node *node = node_new(p);
    if (!node)
        return err_set(p->err, ERR_NO_MEMORY, ERR_CLASS_PERMANENT,
                       "json: the arena is full at byte %zu", (size_t)(p->at - p->start));
    *out = node;
    if (p->depth) {
        node_attach(p, node);
        if (p->frames[p->depth - 1].node->type == JSON_OBJECT) {
            int rc = parse_key(p, node);
            if (rc < 0)
                return rc;
        }
    }
    int rc = parse_value(p, node);
    if (rc == STATUS_OK)
        node->raw.size = (size_t)(p->at - node->raw.data);
    return rc;
}

/* After a value: closes what ends here. 1: another element or member follows, 0: the root is
 * complete. */
static int parse_after(struct parser *p)
{
    while (p->depth) {
        struct frame *frame = &p->frames[p->depth - 1];
        bool object = frame->node->type == JSON_OBJECT;
        skip_space(p);
        if (take(p, object ? '}' : ']')) {
            frame->node->raw.size = (size_t)(p->at - frame->node->raw.data);
            p->depth--;
            continue;
        }
        if (frame->last) {
            if (!take(p, ','))
                return parse_unexpected(p, object ? "a comma or brace" : "a comma or bracket");
            skip_space(p);
        }
        return 1;
    }
    return 0;
}

int json_parse(const struct json_node **root, struct slice text, struct arena *arena,
               struct err *err)
{
    static const uint8_t none[1];
    struct parser p = {.arena = arena, .block = BLOCK_FIRST, .err = err};
    p.start = p.at = text.size ? text.data : none;
    p.end = p.start + text.size;
    struct json_node *first = NULL, *node = NULL;
    int more;
    skip_space(&p);
    do {
        int rc = parse_node(&p, &node);
        if (rc < 0)
            return rc;
        if (!first)
            first = node;
        more = parse_after(&p);
    } while (more > 0);
    if (more < 0)
        return more;
    skip_space(&p);
    if (p.at != p.end)
        return parse_unexpected(&p, "end of text");
    *root = first;
    return STATUS_OK;
}

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
#include "lexer.h"

#define DEPTH_MAX   64
#define BLOCK_FIRST 8  /* a small message's nodes */
#define BLOCK_MAX   64 /* 4 KiB */

struct frame {
    struct json_node *node, *last;
};

struct parser {
    struct lexer lexer;
    struct arena *arena;
    struct json_node *free;
    unsigned n_free, block;
    unsigned depth;
    struct frame frames[DEPTH_MAX];
};

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
    node->raw.data = p->lexer.at;
    switch (p->lexer.at < p->lexer.end ? *p->lexer.at : 0) {
    case '{':
    case '[':
        node->type = *p->lexer.at == '{' ? JSON_OBJECT : JSON_ARRAY;
        if (p->depth == DEPTH_MAX)
            return err_set(p->lexer.err, ERR_TOO_LARGE, ERR_CLASS_PERMANENT,
                           "json: deeper than %d, at byte %zu", DEPTH_MAX,
                           (size_t)(p->lexer.at - p->lexer.start));
        p->frames[p->depth++] = (struct frame){node, NULL};
        p->lexer.at++;
        return STATUS_OK;
    case '"':
        node->type = JSON_STRING;
        return json_lexer_string(&p->lexer, &body, &node->escaped);
    case 't':
        node->type = JSON_TRUE;
        return json_lexer_literal(&p->lexer, "true", 4);
    case 'f':
        node->type = JSON_FALSE;
        return json_lexer_literal(&p->lexer, "false", 5);
    case 'n':
        node->type = JSON_NULL;
        return json_lexer_literal(&p->lexer, "null", 4);
    case '-':
    case '0' ... '9':
        node->type = JSON_NUMBER;
        return json_lexer_number(&p->lexer);
    default:
        return json_lexer_unexpected(&p->lexer, "a value");
    }
}

static int parse_key(struct parser *p, struct json_node *node)
{
    if (p->lexer.at == p->lexer.end || *p->lexer.at != '"')
        return json_lexer_unexpected(&p->lexer, "a key");
    int rc = json_lexer_string(&p->lexer, &node->key, &node->key_escaped);
    if (rc < 0)
        return rc;
    lexer_skip_space(&p->lexer);
    if (!lexer_take(&p->lexer, ':'))
        return json_lexer_unexpected(&p->lexer, "a colon");
    lexer_skip_space(&p->lexer);
    return STATUS_OK;
}

/* An element or member (or the root), up to its end or to what it opens. */
static int parse_node(struct parser *p, struct json_node **out)
{
    struct json_node *node = node_new(p);
    if (!node)
        return err_set(p->lexer.err, ERR_NO_MEMORY, ERR_CLASS_PERMANENT,
                       "json: the arena is full at byte %zu",
                       (size_t)(p->lexer.at - p->lexer.start));
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
        node->raw.size = (size_t)(p->lexer.at - node->raw.data);
    return rc;
}

/* After a value: closes what ends here. 1: another element or member follows, 0: the root is
 * complete. */
static int parse_after(struct parser *p)
{
    while (p->depth) {
        struct frame *frame = &p->frames[p->depth - 1];
        bool object = frame->node->type == JSON_OBJECT;
        lexer_skip_space(&p->lexer);
        if (lexer_take(&p->lexer, object ? '}' : ']')) {
            frame->node->raw.size = (size_t)(p->lexer.at - frame->node->raw.data);
            p->depth--;
            continue;
        }
        if (frame->last) {
            if (!lexer_take(&p->lexer, ','))
                return json_lexer_unexpected(&p->lexer,
                                             object ? "a comma or brace" : "a comma or bracket");
            lexer_skip_space(&p->lexer);
        }
        return 1;
    }
    return 0;
}

int json_parse(const struct json_node **root, struct slice text, struct arena *arena,
               struct err *err)
{
    static const uint8_t none[1];
    const uint8_t *start = text.size ? text.data : none;
    struct parser p = {.arena = arena, .block = BLOCK_FIRST};
    p.lexer = (struct lexer){start, start, start + text.size, err};
    struct json_node *first = NULL, *node = NULL;
    int more;
    lexer_skip_space(&p.lexer);
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
    lexer_skip_space(&p.lexer);
    if (p.lexer.at != p.lexer.end)
        return json_lexer_unexpected(&p.lexer, "end of text");
    *root = first;
    return STATUS_OK;
}

#include "jsonb.h"

#include "domain/text.h"

#define PLACES 300 /* a double has no more; numeric takes far more, but writes each of them out */

static bool number_fits(struct slice raw)
{
    int64_t exponent = 0;
    const uint8_t *e = memchr(raw.data, 'e', raw.size);
    if (!e)
        e = memchr(raw.data, 'E', raw.size);
    for (const uint8_t *p = e; p && p < raw.data + raw.size; p++)
        if (*p >= '0' && *p <= '9')
            exponent = min_i64(exponent * 10 + (*p - '0'), INT32_MAX);
    return raw.size <= PLACES && exponent <= PLACES;
}

/* Escapes of code points are rare, so they need not be told apart. */
static bool string_fits(struct slice raw)
{
    return memmem(raw.data, raw.size, "\\u", 2) == NULL;
}

/* Depth is bounded by the reader. */
static bool node_fits(const struct json_node *node) /* NOLINT(misc-no-recursion) */
{
    if (node->type == JSON_NUMBER)
        return number_fits(node->raw);
    if (node->type == JSON_STRING)
        return string_fits(node->raw);
    for (const struct json_node *child = node->child; child; child = child->next)
        if ((node->type == JSON_OBJECT && !string_fits(child->key)) || !node_fits(child))
            return false;
    return true;
}

static const char *decode(const struct json_node *string, struct arena *arena)
{
    struct slice text = json_string(string, arena);
    uint8_t *copy = arena_alloc(arena, text.size * 3 + 1);
    size_t size = 0;
    if (!copy)
        return "";
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i]) {
            copy[size++] = text.data[i];
        } else {
            memcpy(copy + size, "\xef\xbf\xbd", 3);
            size += 3;
        }
    }
    return (const char *)copy;
}

static const char *decode_key(const struct json_node *member, struct arena *arena)
{
    const struct json_node key = {.type = JSON_STRING,
                                  .escaped = member->key_escaped,
                                  .raw = slice_make(member->key.data - 1, member->key.size + 2)};
    return decode(&key, arena);
}

static void rewrite(struct json_writer *w,
                    const struct json_node *node, /* NOLINT(misc-no-recursion) */
                    struct arena *arena)
{
    switch (node->type) {
    case JSON_STRING:
        json_write_str(w, decode(node, arena));
        return;
    case JSON_NUMBER:
        if (number_fits(node->raw))
            json_write_raw(w, node->raw);
        else
            json_write_slice(w, node->raw);
        return;
    case JSON_ARRAY:
        json_begin_array(w);
        for (const struct json_node *child = node->child; child; child = child->next)
            rewrite(w, child, arena);
        json_end_array(w);
        return;
    case JSON_OBJECT:
        json_begin_object(w);
        for (const struct json_node *child = node->child; child; child = child->next) {
            json_key(w, decode_key(child, arena));
            rewrite(w, child, arena);
        }
        json_end_object(w);
        return;
    default:
        json_write_raw(w, node->raw);
    }
}

const char *jsonb_node(const struct json_node *node, struct arena *arena)
{
    const char *text;
    if (!node)
        return "";
    if (node_fits(node)) {
        text = arena_str(arena, node->raw);
    } else {
        _cleanup_(buf_deinit) struct buf buf = {0};
        struct json_writer w = json_writer_make(&buf);
        rewrite(&w, node, arena);
        text = buf.overflow ? NULL : arena_str(arena, buf_slice(&buf));
    }
    return text ? text : "";
}

const char *jsonb_object(const struct json_node *node, struct arena *arena)
{
    return jsonb_node(json_is(node, JSON_OBJECT) ? node : NULL, arena);
}

const struct json_node *jsonb_parse(const char *text, struct arena *arena)
{
    const struct json_node *root;
    if (!text || !text[0] || json_parse(&root, slice_str(text), arena, NULL) < 0)
        return NULL;
    return root;
}

const char *jsonb_text(const char *text, struct arena *arena)
{
    const struct json_node *root = jsonb_parse(text, arena);
    /* the usual case: nothing but the value, and fit */
    if (root && root->raw.size == strlen(text) && node_fits(root))
        return text;
    return jsonb_node(root, arena);
}

const char *jsonb_string(const struct json_node *node, size_t max, struct arena *arena)
{
    if (json_is(node, JSON_NUMBER))
        return text_cut_slice(arena, node->raw, max);
    if (!json_is(node, JSON_STRING))
        return "";
    return text_cut_slice(arena, json_string(node, arena), max);
}

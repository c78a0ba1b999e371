/*
 * Any bytes to the reader. What it takes must hold together: every slice lies within the text, every child within its
 * parent, and each value, written raw, reads back as the same tree.
 */
#include "json.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

static bool within(struct slice inner, struct slice outer)
{
    return inner.data >= outer.data && inner.data + inner.size <= outer.data + outer.size;
}

/* Walks a tree of at most the reader's depth; the numbers of nodes are compared between readings. */
static size_t walk(const struct json_node *node, struct arena *scratch)
{
    size_t n = 1;
    uint32_t children = 0;
    double number;
    int64_t whole;
    check(node->raw.size > 0);
    struct slice text = json_string(node, scratch);
    check(text.size <= node->raw.size && (text.size == 0 || node->type == JSON_STRING));
    if (json_double(node, &number) == STATUS_OK)
        check(number == number);
    if (json_int(node, &whole) == STATUS_OK)
        check(json_truthy(node) == (whole != 0));
    for (const struct json_node *child = node->child; child; child = child->next) {
        check(within(child->raw, node->raw));
        if (node->type == JSON_OBJECT)
            check(within(child->key, node->raw));
        children++;
        n += walk(child, scratch);
    }
    check(children == node->count);
    return n;
}

/* The same text without a tree: the same verdict; a value that is one by its grammar ends where its brackets say. */
static void read_beside(struct slice text, const struct json_node *root)
{
    struct err err;
    struct json_reader r = json_reader_make(text, &err), loose = json_reader_make(text, &err);
    struct slice raw, extent;
    bool valid = json_reader_value(&r, &raw) == STATUS_OK;
    check((valid && json_reader_done(&r)) == (root != NULL));
    if (root)
        check(raw.data == root->raw.data && raw.size == root->raw.size);
    if (json_reader_loosely(&loose, &extent) == STATUS_OK) {
        check(within(extent, text) && extent.size > 0);
        if (root)
            check(extent.data == raw.data && extent.size == raw.size);
    } else {
        check(!root);
    }
}

/* Member by member the same as the tree. */
static void read_members(struct slice text, const struct json_node *root)
{
    struct json_reader r = json_reader_make(text, NULL);
    struct slice key, raw;
    bool object = root->type == JSON_OBJECT, first = true, escaped;
    const struct json_node *child = root->child;
    check(json_reader_type(&r) == (int)root->type);
    if (!object && root->type != JSON_ARRAY)
        return;
    json_reader_enter(&r);
    while (json_reader_next(&r, first, object ? &key : NULL, &escaped) > 0) {
        check(child && json_reader_value(&r, &raw) == STATUS_OK);
        check(raw.data == child->raw.data && raw.size == child->raw.size);
        check(!object || (slice_equal(key, child->key) && escaped == child->key_escaped));
        child = child->next;
        first = false;
    }
    check(!child && json_reader_done(&r));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_create((size_t)64 << 20), *scratch = arena_create((size_t)64 << 20);
    const struct json_node *root, *again;
    struct err err;
    check(arena && scratch);
    root = NULL;
    bool parsed = json_parse(&root, slice_make(data, size), arena, &err) == STATUS_OK;
    read_beside(slice_make(data, size), parsed ? root : NULL);
    if (parsed)
        read_members(slice_make(data, size), root);
    arena_reset(arena);
    if (json_parse(&root, slice_make(data, size), arena, &err) == STATUS_OK) {
        size_t n = walk(root, scratch);
        check(json_get(root, "a") == json_path(root, "a"));
        struct buf copy = {0};
        struct json_writer w = json_writer_make(&copy);
        json_begin_array(&w);
        json_write_raw(&w, root->raw);
        json_write_slice(&w, slice_make(data, size));
        json_end_array(&w);
        int rc = json_parse(&again, buf_slice(&copy), arena, &err);
        if (rc == STATUS_OK)
            check(again->count == 2 && walk(again->child, scratch) == n);
        else
            check(rc == ERR_TOO_LARGE); /* the array around it is one level more */
        buf_deinit(&copy);
    } else {
        check(err.class == ERR_CLASS_PERMANENT);
    }
    arena_destroy(&arena);
    arena_destroy(&scratch);
    return 0;
}

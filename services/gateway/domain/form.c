/*
 * A form's paths are a tree whose edges are member names; all edges stand in one hash table, found by (node, name). So a
 * member costs one probe, whether the table names it or not.
 */
#include "form.h"

#define SLOTS     256 /* twice as many as there can be edges: GW_MAX_ROWS paths share most of theirs */
#define MAX_NODES (SLOTS / 2)
#define NO_ROW    UINT8_MAX
#define MAX_KEY   64 /* longer names are in no table */

struct node {
    uint8_t rows[2]; /* a path may fill two members; NO_ROW */
    bool inner;      /* others begin with it */
};

struct edge {
    struct slice name;
    uint8_t from, to;
};

struct gw_form_index {
    const struct gw_form *form;
    struct node nodes[MAX_NODES]; /* 0: the event itself */
    struct edge edges[SLOTS];     /* to 0: free */
    unsigned n;
};

static unsigned slot_of(unsigned from, struct slice name)
{
    unsigned mix = (unsigned)name.size * 131 + name.data[0] * 31u + name.data[name.size - 1] * 7u +
                   name.data[name.size / 2] * 3u + from * 61u;
    return (mix ^ mix >> 7) % SLOTS;
}

/* The edge, or the free slot where it belongs. */
static const struct edge *find(const struct gw_form_index *index, unsigned from, struct slice name)
{
    unsigned slot = slot_of(from, name);
    const struct edge *edge = &index->edges[slot];
    while (edge->to && !(edge->from == from && slice_equal(edge->name, name))) {
        slot = (slot + 1) % SLOTS;
        edge = &index->edges[slot];
    }
    return edge;
}

static unsigned step(struct gw_form_index *index, unsigned from, struct slice name)
{
    struct edge *edge = &index->edges[find(index, from, name) - index->edges];
    if (!edge->to) {
        assert(index->n < MAX_NODES && name.size && name.size <= MAX_KEY);
        *edge = (struct edge){name, (uint8_t)from, (uint8_t)index->n};
        index->nodes[from].inner = true;
        index->nodes[index->n++] = (struct node){{NO_ROW, NO_ROW}, false};
    }
    return edge->to;
}

struct gw_form_index *gw_form_index(const struct gw_form *form, struct arena *arena)
{
    struct gw_form_index *index = arena_alloc(arena, sizeof(*index));
    if (!index)
        return NULL;
    assert(form->n_rows <= GW_MAX_ROWS);
    index->form = form;
    index->nodes[0] = (struct node){{NO_ROW, NO_ROW}, false};
    index->n = 1;
    for (unsigned i = 0; i < form->n_rows; i++) {
        const char *at = form->rows[i].path;
        unsigned node = 0;
        for (size_t size = strcspn(at, "."); size; size = strcspn(at, ".")) {
            node = step(index, node, slice_make(at, size));
            at += at[size] ? size + 1 : size;
        }
        uint8_t *rows = index->nodes[node].rows;
        assert(rows[1] == NO_ROW);
        rows[rows[0] != NO_ROW] = (uint8_t)i;
    }
    return index;
}

const struct gw_form *gw_form_of(const struct gw_form_index *index)
{
    return index->form;
}

const char *gw_form_path(const struct gw_form *form, const struct gw_facts *fields,
                         enum gw_fact member)
{
    if (fields->at[member].size && fields->row[member] != NO_ROW) /* none: finish() filled it in */
        return form->rows[fields->row[member]].path;
    for (unsigned i = 0; i < form->n_rows; i++)
        if (form->rows[i].member == member)
            return form->rows[i].path;
    return "";
}

/* ---- reading ---- */

struct reading {
    const struct gw_form_index *index;
    struct gw_facts *fields;
    struct json_reader reader;
    struct arena *arena;
};

static bool is_null(struct slice raw)
{
    return raw.size == 4 && raw.data[0] == 'n';
}

/* An earlier row holds its place; the same one again (a name given twice) moves in. */
static void put(struct reading *r, const struct node *node, struct slice raw)
{
    for (unsigned i = 0; i < 2 && node->rows[i] != NO_ROW; i++) {
        enum gw_fact member = r->index->form->rows[node->rows[i]].member;
        if (r->fields->at[member].size && r->fields->row[member] < node->rows[i])
            continue;
        bool mine = r->fields->row[member] == node->rows[i];
        if (is_null(raw) && !mine)
            continue;
        r->fields->at[member] = is_null(raw) ? slice_make(NULL, 0) : raw;
        r->fields->row[member] = node->rows[i];
    }
}

static const struct node *node_of(struct reading *r, unsigned from, struct slice key, bool escaped)
{
    if (escaped)
        key = json_raw_string(slice_make(key.data - 1, key.size + 2), r->arena);
    if (key.size == 0 || key.size > MAX_KEY)
        return NULL;
    const struct edge *edge = find(r->index, from, key);
    return edge->to ? &r->index->nodes[edge->to] : NULL;
}

/* Of the object at the reader, all members. Recursion is as deep as the table's paths are long. */
static int read_members(struct reading *r, unsigned from)
{
    struct slice key, raw;
    bool escaped, first = true;
    int more;
    json_reader_enter(&r->reader);
    while ((more = json_reader_next(&r->reader, first, &key, &escaped)) > 0) {
        const struct node *node = node_of(r, from, key, escaped);
        const uint8_t *start = r->reader.at;
        int status;
        if (node && node->inner && json_reader_type(&r->reader) == JSON_OBJECT) {
            status = read_members(r, (unsigned)(node - r->index->nodes));
            raw = slice_make(start, (size_t)(r->reader.at - start));
        } else {
            status = json_reader_value(&r->reader, &raw);
        }
        if (status < 0)
            return status;
        if (node)
            put(r, node, raw);
        first = false;
    }
    return more;
}

bool gw_form_read(const struct gw_form_index *index, struct slice event, struct gw_facts *fields,
                  struct gw_faults *faults, struct arena *arena)
{
    struct err err = {0};
    struct reading r = {index, fields, json_reader_make(event, &err), arena};
    memset(fields, 0, sizeof(*fields));
    memset(fields->row, NO_ROW, sizeof(fields->row));
    fields->event = event;
    if (json_reader_type(&r.reader) != JSON_OBJECT) {
        struct slice raw;
        bool valid = json_reader_value(&r.reader, &raw) >= 0 && json_reader_done(&r.reader);
        gw_fault_add(faults, "", valid ? "wrong_type" : "invalid_json",
                     valid ? "an event must be an object"
                           : arena_str(arena, slice_str(err.message)));
        return false;
    }
    int status = read_members(&r, 0);
    if (status >= 0 && !json_reader_done(&r.reader))
        status = err_set(&err, ERR_INVALID, ERR_CLASS_PERMANENT, "json: more text after the event");
    if (status < 0)
        gw_fault_add(faults, "", status == ERR_TOO_LARGE ? "too_deep" : "invalid_json",
                     arena_str(arena, slice_str(err.message)));
    return status >= 0;
}

/* Checks a body against its table, and writes the columns that go on. */
#include "schema.h"

#include <stdio.h>

#define DEPTH_LIMIT 32 /* of what is kept as jsonb; the reader itself allows 64 */

static bool absent(const struct json_node *node)
{
    return !node || json_is(node, JSON_NULL);
}

/* ---- what a database of text can hold ---- */

/* \u0000 and lone halves of surrogate pairs: JSON allows them, no text does. */
static bool storable_escapes(struct slice raw)
{
    const uint8_t *p = raw.data, *end = raw.data + raw.size;
    while ((p = memchr(p, '\\', (size_t)(end - p))) && end - p >= 2) {
        if (p[1] != 'u' || end - p < 6) {
            p += 2;
            continue;
        }
        uint8_t unit[2];
        if (hex_parse(unit, 2, slice_make(p + 2, 4)) < 0 || (unit[0] == 0 && unit[1] == 0))
            return false;
        p += 6;
        if ((unit[0] & 0xfc) == 0xdc)
            return false;
        if ((unit[0] & 0xfc) != 0xd8)
            continue;
        if (end - p < 6 || p[0] != '\\' || p[1] != 'u' ||
            hex_parse(unit, 2, slice_make(p + 2, 4)) < 0 || (unit[0] & 0xfc) != 0xdc)
            return false;
        p += 6;
    }
    return true;
}

/* NULL, or why a value cannot be kept. Recursion is bounded by DEPTH_LIMIT. */
static const char *unstorable(const struct json_node *node, unsigned depth)
{
    double number = 0;
    if (depth > DEPTH_LIMIT)
        return "too deep";
    if (node->key_escaped && !storable_escapes(node->key))
        return "invalid_characters";
    if (json_is(node, JSON_STRING))
        return node->escaped && !storable_escapes(node->raw) ? "invalid_characters" : NULL;
    if (json_is(node, JSON_NUMBER))
        return json_double(node, &number) < 0 ? "out_of_range" : NULL;
    for (const struct json_node *child = node->child; child; child = child->next) {
        const char *why = unstorable(child, depth + 1);
        if (why)
            return why;
    }
    return NULL;
}

/* ---- one member ---- */

struct check {
    const struct gw_field *field;
    struct gw_faults *faults;
    struct arena *arena;
};

static void fault(struct check *c, const char *code, const char *message)
{
    gw_fault_add(c->faults, c->field->path, code, message);
}

static bool has_type(struct check *c, const struct json_node *node, enum json_type type,
                     const char *message)
{
    if (json_is(node, type))
        return true;
    fault(c, "wrong_type", message);
    return false;
}

static bool listed(const char *values, struct slice text)
{
    for (const char *p = values; *p; p += strspn(p, "|")) {
        size_t size = strcspn(p, "|");
        if (slice_equal(slice_make(p, size), text))
            return true;
        p += size;
    }
    return false;
}

static void check_string(struct check *c, const struct json_node *node)
{
    const struct gw_field *f = c->field;
    if (!has_type(c, node, JSON_STRING, "must be a string"))
        return;
    struct slice text = json_string(node, c->arena);
    size_t characters = gw_characters(text);
    if (f->values) {
        if (!listed(f->values, text))
            fault(c, "not_allowed", arena_printf(c->arena, "must be one of %s", f->values));
    } else if (node->escaped && !storable_escapes(node->raw)) {
        fault(c, "invalid_characters", "holds characters that are not text");
    } else if ((double)characters < f->min) {
        fault(c, characters ? "too_short" : "required",
              arena_printf(c->arena, "must have at least %.0f characters", f->min));
    } else if ((double)characters > f->max) {
        fault(c, "too_long", arena_printf(c->arena, "must have at most %.0f characters", f->max));
    }
}

static void check_number(struct check *c, const struct json_node *node)
{
    const struct gw_field *f = c->field;
    bool whole = f->type == GW_INT;
    double value = 0;
    int64_t integer = 0;
    if (!has_type(c, node, JSON_NUMBER, whole ? "must be a whole number" : "must be a number"))
        return;
    bool finite = json_double(node, &value) >= 0;
    if (!finite || value < f->min || value > f->max)
        fault(c, "out_of_range",
              arena_printf(c->arena,
                           f->max >= 1e15 ? "must be at least %.0f" : "must be from %.0f to %.0f",
                           f->min, f->max));
    else if (whole && json_int(node, &integer) < 0)
        fault(c, "wrong_type", "must be a whole number");
}

static void check_time(struct check *c, const struct json_node *node)
{
    int64_t time_us = 0;
    if (has_type(c, node, JSON_STRING, "must be an ISO 8601 time") &&
        time_parse(&time_us, NULL, json_string(node, c->arena)) < 0)
        fault(c, "invalid_time", "must be an ISO 8601 time");
}

static void check_object(struct check *c, const struct json_node *node)
{
    if (!has_type(c, node, JSON_OBJECT, "must be an object"))
        return;
    if (c->field->type != GW_SIGNALS)
        return;
    for (const struct json_node *m = node->child; m; m = m->next) {
        if (json_is(m, JSON_NUMBER) || json_is(m, JSON_TRUE) || json_is(m, JSON_FALSE) ||
            json_is(m, JSON_NULL))
            continue;
        gw_fault_add(c->faults,
                     arena_printf(c->arena, "%s.%.*s", c->field->path,
                                  (int)min_i64((int64_t)m->key.size, 100),
                                  (const char *)m->key.data),
                     "wrong_type", "must be a number or a boolean");
    }
}

static void check_money(struct check *c, const struct json_node *node)
{
    char text[GW_MONEY_SIZE];
    if (!json_is(node, JSON_NUMBER) && !json_is(node, JSON_STRING))
        fault(c, "wrong_type", "must be a number or a decimal string");
    else if (gw_money(text, node, c->arena) < 0)
        fault(c, "out_of_range", "must be an amount from 0 to 99999999.99");
}

static void check_currency(struct check *c, const struct json_node *node)
{
    if (!has_type(c, node, JSON_STRING, "must be a string"))
        return;
    struct slice text = json_string(node, c->arena);
    bool letters = text.size == 3;
    for (size_t i = 0; letters && i < 3; i++)
        letters = (text.data[i] | 0x20) >= 'a' && (text.data[i] | 0x20) <= 'z';
    if (!letters)
        fault(c, "invalid_format", "must be an ISO 4217 code of three letters");
}

static void check_name_or_object(struct check *c, const struct json_node *node)
{
    if (!json_is(node, JSON_OBJECT)) {
        check_string(c, node);
        return;
    }
    const struct json_node *id = json_get(node, "id");
    size_t characters = gw_characters(json_string(id, c->arena));
    if (!json_is(id, JSON_STRING) || (double)characters < c->field->min ||
        (double)characters > c->field->max)
        gw_fault_add(c->faults, arena_printf(c->arena, "%s.id", c->field->path),
                     absent(id) ? "required" : "wrong_type", "must be an id");
}

static void check_value(struct check *c, const struct json_node *node)
{
    unsigned before = c->faults->n;
    switch (c->field->type) {
    case GW_STRING:
        check_string(c, node);
        break;
    case GW_TIME:
        check_time(c, node);
        break;
    case GW_NUMBER:
    case GW_INT:
        check_number(c, node);
        break;
    case GW_BOOL:
        if (!json_is(node, JSON_TRUE) && !json_is(node, JSON_FALSE))
            fault(c, "wrong_type", "must be true or false");
        break;
    case GW_OBJECT:
    case GW_SIGNALS:
        check_object(c, node);
        break;
    case GW_NAME_OR_OBJECT:
        check_name_or_object(c, node);
        break;
    case GW_MONEY:
        check_money(c, node);
        break;
    case GW_CURRENCY:
        check_currency(c, node);
        break;
    case GW_JSON:
        break;
    }
    const char *why = c->faults->n == before ? unstorable(node, 0) : NULL;
    if (why && strcmp(why, "too deep") == 0)
        fault(c, "too_deep", "is nested too deeply");
    else if (why)
        fault(c, why, "holds a value that cannot be kept");
}

/* ---- the table ---- */

static const struct json_node *parent_of(const struct json_node *body, const char *path,
                                         struct arena *arena)
{
    const char *dot = strrchr(path, '.');
    char *parent = dot ? arena_str(arena, slice_make(path, (size_t)(dot - path))) : NULL;
    return parent ? json_path(body, parent) : body;
}

void gw_schema_check(const struct gw_schema *schema, const struct json_node *body,
                     struct gw_faults *faults, struct arena *arena)
{
    if (!json_is(body, JSON_OBJECT)) {
        gw_fault_add(faults, "", "wrong_type", "the body must be a JSON object");
        return;
    }
    for (unsigned i = 0; i < schema->n; i++) {
        const struct gw_field *field = &schema->fields[i];
        struct check c = {field, faults, arena};
        const struct json_node *parent = parent_of(body, field->path, arena);
        if (!absent(parent) && !json_is(parent, JSON_OBJECT))
            continue; /* the parent's row names it */
        const struct json_node *node = json_path(body, field->path);
        if (!absent(node))
            check_value(&c, node);
        else if (field->flags & GW_REQUIRED)
            fault(&c, "required", "is required");
    }
}

void gw_columns_write(const struct gw_schema *schema, const struct json_node *body, struct buf *out,
                      struct arena *arena)
{
    struct json_writer w = json_writer_make(out);
    json_begin_object(&w);
    for (unsigned i = 0; i < schema->n; i++) {
        const struct gw_field *field = &schema->fields[i];
        const struct json_node *node = json_path(body, field->path);
        char money[GW_MONEY_SIZE];
        if (!(field->flags & GW_COLUMN) || absent(node))
            continue;
        json_key(&w, field->path);
        if (field->type == GW_MONEY && gw_money(money, node, arena) >= 0)
            json_write_str(&w, money);
        else if (field->type == GW_OBJECT)
            json_write_raw(&w, gw_object_without(node, "fingerprint", arena));
        else
            json_write_raw(&w, node->raw);
    }
    json_end_object(&w);
}

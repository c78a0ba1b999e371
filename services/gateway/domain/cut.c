#include "cut.h"

#define FIRST_ITEMS 128

static bool add(struct gw_list *list, struct slice item, struct arena *arena)
{
    bool full = list->n >= FIRST_ITEMS && (list->n & (list->n - 1)) == 0;
    if ((list->n == 0 || full) && list->n < list->max) { /* twice as many as before */
        size_t room = list->n ? 2 * list->n : FIRST_ITEMS;
        struct slice *items = arena_alloc(arena, room * sizeof(*items));
        if (!items)
            return false;
        if (list->n)
            memcpy(items, list->items, list->n * sizeof(*items));
        list->items = items;
    }
    if (list->n < list->max)
        list->items[list->n] = item;
    list->n++;
    return true;
}

static struct slice rest_of(struct json_reader *r)
{
    struct slice rest = slice_make(r->at, (size_t)(r->end - r->at));
    r->at = r->end;
    return rest;
}

bool gw_cut_items(struct json_reader *r, struct gw_list *list, struct arena *arena)
{
    bool first = true, escaped;
    int more;
    json_reader_enter(r);
    while ((more = json_reader_next(r, first, NULL, &escaped)) > 0) {
        struct slice item;
        first = false;
        if (json_reader_loosely(r, &item) < 0)
            break;
        if (!add(list, item, arena))
            return false;
    }
    if (more == 0)
        return true;
    list->broken = true; /* the end is missing, or something stands between two elements */
    struct slice rest = rest_of(r);
    return !rest.size || add(list, rest, arena);
}

static struct gw_wanted *find(struct gw_wanted *wanted, unsigned n, struct slice key)
{
    for (unsigned i = 0; i < n; i++)
        if (slice_equal_str(key, wanted[i].name))
            return &wanted[i];
    return NULL;
}

static bool is_valid(struct slice raw)
{
    struct json_reader r = json_reader_make(raw, NULL);
    struct slice value;
    return json_reader_value(&r, &value) >= 0 && json_reader_done(&r);
}

/* One member's value. false: it does not end. */
static bool take(struct json_reader *r, struct gw_wanted *wanted, struct arena *arena)
{
    const uint8_t *at = r->at;
    struct slice raw;
    bool whole;
    if (wanted && wanted->list && json_reader_type(r) == JSON_ARRAY) {
        unsigned max = wanted->list->max;
        *wanted->list = (struct gw_list){.max = max};
        whole = gw_cut_items(r, wanted->list, arena) && !wanted->list->broken;
        raw = slice_make(at, (size_t)(r->at - at));
    } else {
        whole = json_reader_loosely(r, &raw) >= 0;
        if (!whole)
            raw = rest_of(r);
    }
    if (!wanted)
        return whole;
    bool list = wanted->list && raw.size && raw.data[0] == '[';
    bool usable = list || (is_valid(raw) && !slice_equal_str(raw, "null"));
    wanted->raw = usable ? raw : slice_make(NULL, 0);
    return whole;
}

bool gw_cut_members(struct slice object, struct gw_wanted *wanted, unsigned n, struct arena *arena)
{
    struct json_reader r = json_reader_make(object, NULL);
    struct slice key;
    bool escaped, first = true;
    int more;
    if (json_reader_type(&r) != JSON_OBJECT)
        return false;
    json_reader_enter(&r);
    while ((more = json_reader_next(&r, first, &key, &escaped)) > 0) {
        if (escaped)
            key = json_raw_string(slice_make(key.data - 1, key.size + 2), arena);
        if (!take(&r, find(wanted, n, key), arena))
            return false;
        first = false;
    }
    return more == 0;
}

bool gw_cut_list(const struct gw_request *request, const struct gw_wanted *wanted,
                 struct gw_cut *cut, struct gw_faults *faults)
{
    const struct gw_list *list = wanted->list;
    cut->batch = true;
    if (!wanted->raw.size || wanted->raw.data[0] != '[') {
        gw_fault_add(faults, wanted->name, wanted->raw.size ? "wrong_type" : "required",
                     wanted->raw.size ? "must be an array" : "is required");
        return false;
    }
    if (list->n > list->max) {
        gw_fault_add(faults, wanted->name, "too_large",
                     arena_printf(request->arena, "A batch may have at most %u events", list->max));
        return false;
    }
    cut->events = list->items;
    cut->n = list->n;
    return !arena_overflowed(request->arena);
}

bool gw_cut_single(const struct gw_request *request, struct slice event, struct gw_cut *cut)
{
    cut->events = arena_alloc(request->arena, sizeof(*cut->events));
    if (!cut->events)
        return false;
    cut->events[0] = event;
    cut->n = 1;
    return true;
}

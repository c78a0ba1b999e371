#include "cut.h"

static void want(struct gw_wanted *wanted, unsigned n, struct slice key, struct slice raw)
{
    for (unsigned i = 0; i < n; i++)
        if (slice_equal_str(key, wanted[i].name))
            wanted[i].raw = slice_equal_str(raw, "null") ? slice_make(NULL, 0) : raw;
}

bool gw_cut_members(struct slice object, struct gw_wanted *wanted, unsigned n, struct arena *arena)
{
    struct json_reader r = json_reader_make(object, NULL);
    struct slice key, raw;
    bool escaped, first = true;
    int more;
    if (json_reader_type(&r) != JSON_OBJECT)
        return false;
    json_reader_enter(&r);
    while ((more = json_reader_next(&r, first, &key, &escaped)) > 0) {
        const uint8_t *at = r.at;
        bool ended = json_reader_loosely(&r, &raw) >= 0;
        if (!ended)
            raw = slice_make(at, (size_t)(r.end - at));
        if (escaped)
            key = json_raw_string(slice_make(key.data - 1, key.size + 2), arena);
        want(wanted, n, key, raw);
        if (!ended)
            return false;
        first = false;
    }
    return more == 0;
}

/* The elements of a list; of one without its end the last element is all that is left. Returns how many there are. */
static unsigned split(struct slice list, struct slice *events, unsigned max, bool *broken)
{
    struct json_reader r = json_reader_make(list, NULL);
    unsigned n = 0;
    bool first = true, escaped;
    int more;
    json_reader_enter(&r);
    while ((more = json_reader_next(&r, first, NULL, &escaped)) > 0) {
        struct slice raw;
        const uint8_t *at = r.at;
        bool ended = json_reader_loosely(&r, &raw) >= 0;
        if (!ended)
            raw = slice_make(at, (size_t)(r.end - at));
        if (n < max)
            events[n] = raw;
        n++;
        first = false;
        if (!ended) {
            *broken = true;
            return n;
        }
    }
    if (more < 0) { /* something stands between two elements */
        if (n < max)
            events[n] = slice_make(r.at, (size_t)(r.end - r.at));
        n++;
        *broken = true;
    }
    return n;
}

bool gw_cut_list(const struct gw_request *request, struct slice list, const char *field,
                 struct gw_cut *cut, struct gw_faults *faults)
{
    struct json_reader r = json_reader_make(list, NULL);
    cut->batch = true;
    if (!list.size || json_reader_type(&r) != JSON_ARRAY) {
        gw_fault_add(faults, field, list.size ? "wrong_type" : "required",
                     list.size ? "must be an array" : "is required");
        return false;
    }
    list = slice_make(r.at, (size_t)(r.end - r.at));
    unsigned n = split(list, NULL, 0, &cut->broken);
    if (n > request->max_events) {
        gw_fault_add(faults, field, "too_large",
                     arena_printf(request->arena, "A batch may have at most %u events",
                                  request->max_events));
        return false;
    }
    cut->events = arena_alloc(request->arena, (n + 1) * sizeof(*cut->events));
    if (!cut->events)
        return false;
    cut->n = split(list, cut->events, n, &cut->broken);
    return true;
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

struct slice gw_cut_out(struct slice object, const char *const *names, unsigned n,
                        struct arena *arena)
{
    struct json_reader r = json_reader_make(object, NULL);
    uint8_t *out = arena_alloc(arena, object.size);
    size_t size = 0;
    struct slice key, raw;
    bool escaped;
    if (!out || json_reader_type(&r) != JSON_OBJECT)
        return slice_make(NULL, 0);
    out[size++] = '{';
    json_reader_enter(&r);
    for (bool first = true; json_reader_next(&r, first, &key, &escaped) > 0; first = false) {
        const uint8_t *from = key.data - 1; /* its quote */
        if (json_reader_loosely(&r, &raw) < 0)
            break;
        if (escaped)
            key = json_raw_string(slice_make(key.data - 1, key.size + 2), arena);
        unsigned i = 0;
        while (i < n && !slice_equal_str(key, names[i]))
            i++;
        if (i < n)
            continue;
        if (size > 1)
            out[size++] = ',';
        memcpy(out + size, from, (size_t)(raw.data + raw.size - from));
        size += (size_t)(raw.data + raw.size - from);
    }
    out[size++] = '}';
    return slice_make(out, size);
}

/* Only what the engine uses is kept of a context: never an address, an id of a device, traits, or what nobody listed. */
#include "event.h"

/* {member, of it only this member (NULL: all of it)} */
static const struct {
    const char *name, *only;
} allowed[] = {
    {"page", NULL},       {"campaign", NULL},
    {"referrer", NULL},   {"userAgent", NULL},
    {"locale", NULL},     {"library", NULL},
    {"screen", NULL},     {"timezone", NULL},
    {"session_id", NULL}, {"sessionId", NULL},
    {"device", "type"},   {"os", NULL},
    {"active", NULL},     {"consent", "categoryPreferences"},
};

struct slice gw_context_reduce(const struct json_node *context, struct arena *arena)
{
    _cleanup_(buf_deinit) struct buf buf = {0};
    struct json_writer w = json_writer_make(&buf);
    unsigned n = 0;
    json_begin_object(&w);
    for (unsigned i = 0; i < ARRAY_SIZE(allowed); i++) {
        const struct json_node *member = json_get(context, allowed[i].name);
        const struct json_node *inner =
            allowed[i].only ? json_get(member, allowed[i].only) : member;
        if (!inner || json_is(inner, JSON_NULL))
            continue;
        n++;
        json_key(&w, allowed[i].name);
        if (allowed[i].only) {
            json_begin_object(&w);
            json_key(&w, allowed[i].only);
            json_write_raw(&w, inner->raw);
            json_end_object(&w);
        } else {
            json_write_raw(&w, inner->raw);
        }
    }
    json_end_object(&w);
    return n ? arena_slice(arena, buf_slice(&buf)) : slice_make(NULL, 0);
}

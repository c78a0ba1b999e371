/* The session that an event opens: what its context says of device and entry point. */
#include "domain/entry.h"
#include "domain/url.h"
#include "ingest.h"
#include "json.h"

#define PERSONA            "GeneralVisitor"
#define PERSONA_CONFIDENCE 0.5

static void write_text(struct json_writer *w, const char *key, struct slice text)
{
    if (text.size == 0)
        return;
    json_key(w, key);
    json_write_slice(w, text);
}

/* {"source","campaign","medium","term","content","referrer"}: those that there are. Of the referrer
 * only the host: its address may name a person. */
static char *entry_point(const struct ingest_context *context, struct slice source,
                         struct arena *arena)
{
    struct buf text _cleanup_(buf_deinit) = {.limit = 65536};
    struct json_writer w = json_writer_make(&text);
    json_begin_object(&w);
    write_text(&w, "source", source);
    write_text(&w, "campaign", context->campaign);
    write_text(&w, "medium", context->medium);
    write_text(&w, "term", context->term);
    write_text(&w, "content", context->content);
    write_text(&w, "referrer", ingest_url_host(context->referrer));
    json_end_object(&w);
    return arena_str(arena, text.overflow ? SLICE_LITERAL("{}") : buf_slice(&text));
}

/* {"type","screen_size"}, as a start sends them */
static char *device_context(const struct ingest_context *context, const char *type,
                            struct arena *arena)
{
    int64_t width, height;
    const struct json_node *screen = json_get(context->root, "screen");
    if (json_int(json_get(screen, "width"), &width) == 0 &&
        json_int(json_get(screen, "height"), &height) == 0)
        return arena_printf(arena, "{\"type\":\"%s\",\"screen_size\":\"%lldx%lld\"}", type,
                            (long long)width, (long long)height);
    return arena_printf(arena, "{\"type\":\"%s\"}", type);
}

static char *object_at(const struct ingest_context *context, const char *key, struct arena *arena)
{
    const struct json_node *node = json_get(context->root, key);
    return arena_str(arena, json_is(node, JSON_OBJECT) ? node->raw : slice_make("", 0));
}

Journey__V1__SessionStart *ingest_opening(const struct ingest_context *context,
                                          const Journey__V1__Enrichment *enrichment, bool returning,
                                          struct arena *arena)
{
    Journey__V1__SessionStart *start = arena_alloc(arena, sizeof(*start));
    if (!start)
        return NULL;
    const char *device = ingest_entry_device(context->user_agent, context->os);
    struct slice source =
        ingest_entry_source(context->source, context->referrer, context->page_url, arena);
    journey__v1__session_start__init(start);
    start->persona_type = arena_str(arena, SLICE_LITERAL(PERSONA));
    start->persona_confidence = PERSONA_CONFIDENCE;
    start->device_type = arena_str(arena, slice_str(device));
    start->device_context = device_context(context, device, arena);
    start->entry_point = entry_point(context, source, arena);
    start->entry_source = arena_str(arena, source);
    start->utm_data = object_at(context, "campaign", arena);
    start->referrer_data = object_at(context, "referrer", arena);
    start->returning = returning;
    start->by_touchpoint = true;
    ingest_enrich_start(start, context, enrichment, arena);
    return arena_overflowed(arena) ? NULL : start;
}

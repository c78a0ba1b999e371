/* The session that an event opens: what its context says of device and entry point. */
#include "domain/entry.h"
#include "ingest.h"
#include "json.h"

#define PERSONA            "GeneralVisitor"
#define PERSONA_CONFIDENCE 0.5

struct context {
    const struct json_node *root;
    struct slice user_agent, os, referrer, page_url, source;
    struct arena *arena;
};

static struct slice text_at(const struct context *context, const char *path)
{
    return json_string(json_path(context->root, path), context->arena);
}

/* A context that is no JSON is as good as none. */
static struct context context_read(const char *text, struct arena *arena)
{
    struct context context = {.arena = arena};
    if (!text[0] || json_parse(&context.root, slice_str(text), arena, NULL) < 0)
        return context;
    context.user_agent = text_at(&context, "userAgent");
    context.os = text_at(&context, "os.name");
    context.referrer = text_at(&context, "page.referrer");
    context.page_url = text_at(&context, "page.url");
    context.source = text_at(&context, "campaign.source");
    return context;
}

static void write_text(struct json_writer *w, const char *key, struct slice text)
{
    if (text.size == 0)
        return;
    json_key(w, key);
    json_write_slice(w, text);
}

/* {"source","campaign","medium","term","content","referrer"}: those that there are. Of the referrer
 * only the host: its address may name a person. */
static char *entry_point(const struct context *context, struct slice source)
{
    struct buf text _cleanup_(buf_deinit) = {.limit = 65536};
    struct json_writer w = json_writer_make(&text);
    json_begin_object(&w);
    write_text(&w, "source", source);
    write_text(&w, "campaign", text_at(context, "campaign.name"));
    write_text(&w, "medium", text_at(context, "campaign.medium"));
    write_text(&w, "term", text_at(context, "campaign.term"));
    write_text(&w, "content", text_at(context, "campaign.content"));
    write_text(&w, "referrer", ingest_entry_host(context->referrer));
    json_end_object(&w);
    return arena_str(context->arena, text.overflow ? SLICE_LITERAL("{}") : buf_slice(&text));
}

/* {"type","screen_size"}, as a start sends them */
static char *device_context(const struct context *context, const char *type)
{
    int64_t width, height;
    const struct json_node *screen = json_get(context->root, "screen");
    if (json_int(json_get(screen, "width"), &width) == 0 &&
        json_int(json_get(screen, "height"), &height) == 0)
        return arena_printf(context->arena, "{\"type\":\"%s\",\"screen_size\":\"%lldx%lld\"}", type,
                            (long long)width, (long long)height);
    return arena_printf(context->arena, "{\"type\":\"%s\"}", type);
}

static char *object_at(const struct context *context, const char *key)
{
    const struct json_node *node = json_get(context->root, key);
    return arena_str(context->arena, json_is(node, JSON_OBJECT) ? node->raw : slice_make("", 0));
}

Journey__V1__SessionStart *ingest_opening(const Journey__V1__Event *event, bool returning,
                                          struct arena *arena)
{
    Journey__V1__SessionStart *start = arena_alloc(arena, sizeof(*start));
    if (!start)
        return NULL;
    struct context context = context_read(event->context, arena);
    const char *device = ingest_entry_device(context.user_agent, context.os);
    struct slice source =
        ingest_entry_source(context.source, context.referrer, context.page_url, arena);
    journey__v1__session_start__init(start);
    start->persona_type = arena_str(arena, SLICE_LITERAL(PERSONA));
    start->persona_confidence = PERSONA_CONFIDENCE;
    start->device_type = arena_str(arena, slice_str(device));
    start->device_context = device_context(&context, device);
    start->entry_point = entry_point(&context, source);
    start->entry_source = arena_str(arena, source);
    start->utm_data = object_at(&context, "campaign");
    start->referrer_data = object_at(&context, "referrer");
    start->returning = returning;
    start->by_touchpoint = true;
    return start->persona_type && start->device_type && start->device_context &&
                   start->entry_point && start->entry_source && start->utm_data &&
                   start->referrer_data
               ? start
               : NULL;
}

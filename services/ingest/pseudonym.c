/*
 * What is kept of somebody who did not agree to analytics: what happened in one session, and nothing by which that session
 * could be joined with another one, or with a person. What is kept stands in tables; all else goes, what later releases and
 * clients add included.
 *
 *   identifiers     user, group, previous id, sealed part, fingerprint: gone; the device is one of this session alone
 *   context         page, campaign, referrer without their parameters; kind of device, operating system
 *   what the shop says of the event (name, properties) stays: the gateway has masked it; addresses in it lose their parameters
 */
#include "ingest.h"
#include "json.h"

enum how {
    TEXT,    /* a string as it is */
    ADDRESS, /* a string up to its parameters, where identifiers of people and clicks stand */
    VALUE,   /* whatever it is */
    OBJECT,  /* of the rows that follow */
    NOTHING, /* it goes */
};

struct keep {
    const char *member;
    enum how how;
    const struct keep *inside; /* of an OBJECT; ends with a row without member */
};

static const struct keep page[] = {{"url", ADDRESS, NULL},
                                   {"path", TEXT, NULL},
                                   {"title", TEXT, NULL},
                                   {"referrer", ADDRESS, NULL},
                                   {NULL, NOTHING, NULL}};
static const struct keep campaign[] = {{"source", TEXT, NULL},  {"medium", TEXT, NULL},
                                       {"name", TEXT, NULL},    {"term", TEXT, NULL},
                                       {"content", TEXT, NULL}, {NULL, NOTHING, NULL}};
static const struct keep type[] = {{"type", TEXT, NULL}, {NULL, NOTHING, NULL}};
static const struct keep name[] = {{"name", TEXT, NULL}, {NULL, NOTHING, NULL}};
static const struct keep context_kept[] = {
    {"page", OBJECT, page}, {"campaign", OBJECT, campaign}, {"device", OBJECT, type},
    {"os", OBJECT, name},   {"library", OBJECT, name},      {NULL, NOTHING, NULL}};
/* All others stay as they are. */
static const struct keep properties_kept[] = {{"url", ADDRESS, NULL},
                                              {"page_url", ADDRESS, NULL},
                                              {"referrer", ADDRESS, NULL},
                                              {"search", ADDRESS, NULL},
                                              {NULL, VALUE, NULL}};
static const struct keep entry_kept[] = {
    {"source", TEXT, NULL},          {"campaign", TEXT, NULL},
    {"medium", TEXT, NULL},          {"term", TEXT, NULL},
    {"content", TEXT, NULL},         {"referrer", ADDRESS, NULL},
    {"referrer_video", VALUE, NULL}, {NULL, NOTHING, NULL}};
static const struct keep utm_kept[] = {
    {"source", TEXT, NULL},     {"medium", TEXT, NULL},      {"name", TEXT, NULL},
    {"campaign", TEXT, NULL},   {"term", TEXT, NULL},        {"content", TEXT, NULL},
    {"utm_source", TEXT, NULL}, {"utm_medium", TEXT, NULL},  {"utm_campaign", TEXT, NULL},
    {"utm_term", TEXT, NULL},   {"utm_content", TEXT, NULL}, {NULL, NOTHING, NULL}};
static const struct keep referrer_kept[] = {{"referrer_video", VALUE, NULL}, {NULL, NOTHING, NULL}};

static const struct keep *row_of(const struct keep *rows, struct slice key)
{
    while (rows->member && !slice_equal_str(key, rows->member))
        rows++;
    return rows;
}

static struct slice without_parameters(struct slice address)
{
    size_t n = 0;
    while (n < address.size && address.data[n] != '?' && address.data[n] != '#')
        n++;
    return slice_make(address.data, n);
}

static bool fits(enum how how, const struct json_node *node)
{
    return how == VALUE ||
           (how == OBJECT ? json_is(node, JSON_OBJECT) : json_is(node, JSON_STRING));
}

/* With its quotes and escapes, as it came. */
static void write_key(struct json_writer *w, const struct json_node *member)
{
    json_write_raw(w, slice_make(member->key.data - 1, member->key.size + 2));
    buf_append_byte(w->buf, ':');
    w->comma = false;
}

/* As deep as the tables are. */
static void write_members(struct json_writer *w, const struct json_node *object,
                          const struct keep *rows, struct arena *arena);

static void write_member(struct json_writer *w, const struct json_node *member,
                         const struct keep *row, struct arena *arena)
{
    if (row->how == NOTHING || !fits(row->how, member))
        return;
    write_key(w, member);
    if (row->how == ADDRESS)
        json_write_slice(w, without_parameters(json_string(member, arena)));
    else if (row->how == OBJECT)
        write_members(w, member, row->inside, arena);
    else
        json_write_raw(w, member->raw);
}

static void write_members(struct json_writer *w, const struct json_node *object,
                          const struct keep *rows, struct arena *arena)
{
    json_begin_object(w);
    for (const struct json_node *member = object->child; member; member = member->next)
        write_member(w, member, row_of(rows, member->key), arena);
    json_end_object(w);
}

static char *cut(const struct json_node *object, const struct keep *rows, struct arena *arena)
{
    _cleanup_(buf_deinit) struct buf text = {0};
    struct json_writer w = json_writer_make(&text);
    if (!json_is(object, JSON_OBJECT))
        return arena_str(arena, slice_make("", 0));
    write_members(&w, object, rows, arena);
    return arena_str(arena, buf_slice(&text));
}

/* What is no JSON is not kept. */
static char *cut_text(const char *text, const struct keep *rows, struct arena *arena)
{
    const struct json_node *root = NULL;
    if (!text[0] || json_parse(&root, slice_str(text), arena, NULL) < 0)
        return arena_str(arena, slice_make("", 0));
    return cut(root, rows, arena);
}

/* ---- */

ProtobufCBinaryData ingest_pseudonym(const uint8_t tenant[16], struct slice session_id,
                                     struct arena *arena)
{
    const struct slice parts[] = {SLICE_LITERAL("pseudonym"), slice_make(tenant, 16), session_id};
    uint8_t hash[16];
    hash_keyed(hash, NULL, parts, ARRAY_SIZE(parts));
    uint8_t *data = arena_copy(arena, hash, sizeof(hash));
    return (ProtobufCBinaryData){data ? sizeof(hash) : 0, data};
}

/* The batch keeps the event as it came, in case that it becomes a dead letter. */
Journey__V1__Event *ingest_pseudonymous_event(const Journey__V1__Event *event,
                                              const struct ingest_context *context,
                                              const uint8_t tenant[16], struct slice session_id,
                                              struct arena *arena)
{
    Journey__V1__Event *to = arena_alloc(arena, sizeof(*to));
    if (!to)
        return NULL;
    journey__v1__event__init(to);
    to->message_id = event->message_id;
    to->type = event->type;
    to->name = event->name;
    to->session_id = event->session_id;
    to->timestamp_us = event->timestamp_us;
    to->sent_at_us = event->sent_at_us;
    to->prefetch = event->prefetch;
    to->opt_out = event->opt_out;
    to->device = ingest_pseudonym(tenant, session_id, arena);
    to->properties = cut_text(event->properties, properties_kept, arena);
    to->context = cut(context->root, context_kept, arena);
    return to->device.len && to->properties && to->context ? to : NULL;
}

/* Of what identifies or is of earlier sessions nothing; versions, models and towns together would tell people apart. */
void ingest_pseudonymous_start(Journey__V1__SessionStart *start, struct arena *arena)
{
    char *none = arena_str(arena, slice_make("", 0));
    if (!none)
        return;
    start->base.n_unknown_fields = 0;
    start->device_fingerprint = none;
    start->device_context = cut_text(start->device_context, type, arena);
    start->entry_point = cut_text(start->entry_point, entry_kept, arena);
    start->utm_data = cut_text(start->utm_data, utm_kept, arena);
    start->referrer_data = cut_text(start->referrer_data, referrer_kept, arena);
    start->returning_visitor = none;
    start->returning = false;
    start->anonymous_device = (ProtobufCBinaryData){0, NULL};
    start->browser_version = start->os_version = none;
    start->device_brand = start->device_model = none;
    start->region = start->city = none;
}

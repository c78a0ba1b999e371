/* The Segment form, as its own SDKs and those of its family send it, and our own routes. */
#include "../clients.h"

static const struct gw_row rows[] = {
    {GW_FACT_MESSAGE_ID, "messageId"},
    {GW_FACT_TYPE, "type"},
    {GW_FACT_NAME, "event"},
    {GW_FACT_PAGE_NAME, "name"},
    {GW_FACT_ANONYMOUS_ID, "anonymousId"},
    {GW_FACT_USER_ID, "userId"},
    {GW_FACT_GROUP_ID, "groupId"},
    {GW_FACT_PREVIOUS_ID, "previousId"},
    {GW_FACT_SESSION_ID, "context.session_id"},
    {GW_FACT_SESSION_ID, "context.sessionId"}, /* a number in some SDKs */
    {GW_FACT_SESSION_ID, "sessionId"},
    {GW_FACT_TIMESTAMP, "timestamp"},
    {GW_FACT_TIMESTAMP, "originalTimestamp"},
    {GW_FACT_SENT_AT, "sentAt"},
    {GW_FACT_PROPERTIES, "properties"},
    {GW_FACT_TRAITS, "traits"},
    {GW_FACT_CONTEXT, "context"},
    {GW_FACT_CONTEXT_TRAITS, "context.traits"},
    {GW_FACT_PAGE, "context.page"},
    {GW_FACT_CAMPAIGN, "context.campaign"},
    {GW_FACT_REFERRER, "context.referrer"},
    {GW_FACT_USER_AGENT, "context.userAgent"},
    {GW_FACT_LOCALE, "context.locale"},
    {GW_FACT_TIMEZONE, "context.timezone"},
    {GW_FACT_LIBRARY, "context.library"},
    {GW_FACT_SCREEN, "context.screen"},
    {GW_FACT_DEVICE_TYPE, "context.device.type"},
    {GW_FACT_OS, "context.os"},
    {GW_FACT_ACTIVE, "context.active"},
    {GW_FACT_CONSENT, "context.consent.categoryPreferences"},
    {GW_FACT_IP, "context.ip"},
};

static const struct gw_type_word types[] = {
    {"track", GW_EVENT_TRACK, NULL},   {"page", GW_EVENT_PAGE, NULL},
    {"screen", GW_EVENT_SCREEN, NULL}, {"identify", GW_EVENT_IDENTIFY, NULL},
    {"group", GW_EVENT_GROUP, NULL},   {"alias", GW_EVENT_ALIAS, NULL},
};

const struct gw_form gw_segment_form = {
    .rows = rows,
    .n_rows = ARRAY_SIZE(rows),
    .types = types,
    .n_types = ARRAY_SIZE(types),
};

bool gw_cut_segment_one(const struct gw_request *request, struct gw_cut *cut,
                        struct gw_faults *faults)
{
    struct gw_wanted key = {.name = "writeKey"};
    (void)faults;
    if (!request->body.size)
        return gw_cut_single(request, SLICE_LITERAL("{}"), cut);
    cut->broken = !gw_cut_members(request->body, &key, 1, request->arena);
    cut->key = json_raw_string(key.raw, request->arena);
    return gw_cut_single(request, request->body, cut);
}

/* The batch's own context, read as if an event had it. */
static const struct gw_facts *context_of(const struct gw_request *request, struct slice raw)
{
    struct gw_facts *fields = arena_alloc(request->arena, sizeof(*fields));
    struct gw_faults faults = {.n = 0};
    struct slice event = slice_str(
        arena_printf(request->arena, "{\"context\":%.*s}", (int)raw.size, (const char *)raw.data));
    bool usable = fields && event.data && raw.data[0] == '{' &&
                  gw_form_read(request->form, event, fields, &faults, request->arena);
    return usable ? fields : NULL;
}

bool gw_cut_segment_batch(const struct gw_request *request, struct gw_cut *cut,
                          struct gw_faults *faults)
{
    enum {
        BATCH,
        SENT_AT,
        CONTEXT,
        KEY
    };
    struct gw_list events = {.max = request->max_events};
    struct gw_wanted wanted[] = {[BATCH] = {.name = "batch", .list = &events},
                                 [SENT_AT] = {.name = "sentAt"},
                                 [CONTEXT] = {.name = "context"},
                                 [KEY] = {.name = "writeKey"}};
    struct json_reader r = json_reader_make(request->body, NULL);
    bool whole = gw_cut_members(request->body, wanted, ARRAY_SIZE(wanted), request->arena);
    cut->broken = !whole;
    cut->key = json_raw_string(wanted[KEY].raw, request->arena);
    struct slice sent_at = json_raw_string(wanted[SENT_AT].raw, request->arena);
    if (time_parse(&cut->sent_at_us, NULL, sent_at) < 0)
        cut->sent_at_us = 0;
    if (request->body.size && !whole && !wanted[BATCH].raw.size) {
        bool object = json_reader_type(&r) == JSON_OBJECT;
        gw_fault_add(faults, "", object ? "invalid_json" : "wrong_type",
                     object ? "the body is not valid JSON" : "the body must be a JSON object");
        return false;
    }
    if (wanted[CONTEXT].raw.size)
        cut->context = context_of(request, wanted[CONTEXT].raw);
    return gw_cut_list(request, &wanted[BATCH], cut, faults);
}

/*
 * Jitsu. Its present clients send Segment's form. The ones before (@jitsu/sdk-js, EventNative) send flat events: what the
 * client says of itself and what the page says of the event stand side by side, so the properties are what is left over.
 */
#include "../clients.h"

static const struct gw_row rows[] = {
    {GW_FACT_MESSAGE_ID, "event_id"},
    {GW_FACT_MESSAGE_ID, "eventn_ctx.event_id"},
    {GW_FACT_TYPE, "event_type"},
    {GW_FACT_NAME, "event_type"},
    {GW_FACT_ANONYMOUS_ID, "user.anonymous_id"},
    {GW_FACT_ANONYMOUS_ID, "eventn_ctx.user.anonymous_id"},
    {GW_FACT_USER_ID, "user.id"},
    {GW_FACT_USER_ID, "user.internal_id"},
    {GW_FACT_USER_ID, "eventn_ctx.user.id"},
    {GW_FACT_USER_ID, "eventn_ctx.user.internal_id"},
    {GW_FACT_TRAITS, "user"},
    {GW_FACT_TRAITS, "eventn_ctx.user"},
    {GW_FACT_TIMESTAMP, "utc_time"},
    {GW_FACT_TIMESTAMP, "eventn_ctx.utc_time"},
    {GW_FACT_PAGE_URL, "url"},
    {GW_FACT_PAGE_URL, "eventn_ctx.url"},
    {GW_FACT_PAGE_PATH, "doc_path"},
    {GW_FACT_PAGE_PATH, "eventn_ctx.doc_path"},
    {GW_FACT_PAGE_TITLE, "page_title"},
    {GW_FACT_PAGE_TITLE, "eventn_ctx.page_title"},
    {GW_FACT_PAGE_REFERRER, "referer"},
    {GW_FACT_PAGE_REFERRER, "eventn_ctx.referer"},
    {GW_FACT_CAMPAIGN_SOURCE, "utm.source"},
    {GW_FACT_CAMPAIGN_MEDIUM, "utm.medium"},
    {GW_FACT_CAMPAIGN_NAME, "utm.campaign"},
    {GW_FACT_CAMPAIGN_TERM, "utm.term"},
    {GW_FACT_CAMPAIGN_CONTENT, "utm.content"},
    {GW_FACT_CAMPAIGN_SOURCE, "eventn_ctx.utm.source"},
    {GW_FACT_CAMPAIGN_MEDIUM, "eventn_ctx.utm.medium"},
    {GW_FACT_CAMPAIGN_NAME, "eventn_ctx.utm.campaign"},
    {GW_FACT_CAMPAIGN_TERM, "eventn_ctx.utm.term"},
    {GW_FACT_CAMPAIGN_CONTENT, "eventn_ctx.utm.content"},
    {GW_FACT_USER_AGENT, "user_agent"},
    {GW_FACT_USER_AGENT, "eventn_ctx.user_agent"},
    {GW_FACT_LOCALE, "user_language"},
    {GW_FACT_LOCALE, "eventn_ctx.user_language"},
    {GW_FACT_LIBRARY_NAME, "src"},
    {GW_FACT_IP, "source_ip"},
};

static const struct gw_type_word types[] = {
    {"pageview", GW_EVENT_PAGE, NULL},
    {"page_view", GW_EVENT_PAGE, NULL},
    {"page", GW_EVENT_PAGE, NULL},
    {"identify", GW_EVENT_IDENTIFY, NULL},
    {"user_identify", GW_EVENT_IDENTIFY, NULL},
};

static const char *const not_properties[] = {
    "event_id",
    "eventn_ctx",
    "event_type",
    "user",
    "ids",
    "utc_time",
    "url",
    "doc_path",
    "doc_host",
    "doc_search",
    "page_title",
    "referer",
    "utm",
    "click_id",
    "user_agent",
    "src",
    "user_language",
    "doc_encoding",
    "api_key",
    "local_tz_offset",
    "vp_size",
    "source_ip",
    "screen_resolution",
};

static bool finish(struct gw_facts *facts, struct gw_faults *faults, struct arena *arena)
{
    (void)faults;
    facts->at[GW_FACT_PROPERTIES] =
        gw_cut_out(facts->event, not_properties, ARRAY_SIZE(not_properties), arena);
    return !arena_overflowed(arena);
}

const struct gw_form gw_jitsu_classic_form = {
    .rows = rows,
    .n_rows = ARRAY_SIZE(rows),
    .types = types,
    .n_types = ARRAY_SIZE(types),
    .any_type = true,
    .finish = finish,
};

bool gw_cut_jitsu_classic(const struct gw_request *request, struct gw_cut *cut,
                          struct gw_faults *faults)
{
    struct json_reader r = json_reader_make(request->body, NULL);
    return json_reader_type(&r) == JSON_ARRAY ? gw_cut_array(request, request->body, cut, faults)
                                              : gw_cut_single(request, request->body, cut);
}

/*
 * The Snowplow tracker protocol: an event is a flat object of texts, in a POST's list or as a GET's query. What belongs to
 * it beyond that are JSON documents in one of its members, plain or in base64: the event itself when it is of a kind of the
 * tenant's own ("ue"), and its contexts. A document that cannot be read is that event's fault alone.
 *
 * The words and columns of Snowplow's own tables (page_view, event_name) are read as well: exports come back as imports.
 */
#include "../clients.h"
#include "../query.h"

#include <stdio.h>

#define UE_JSON         GW_FACT_EXTRA_1
#define UE_BASE64       GW_FACT_EXTRA_2
#define CONTEXTS_JSON   GW_FACT_EXTRA_3
#define CONTEXTS_BASE64 GW_FACT_EXTRA_4

#define NOBODY    "\"00000000-0000-0000-0000-000000000000\"" /* of visitors who are not to be known */
#define TRUE_TIME "ttm" /* set by the tenant, so no clock of a device is to be put right */

static const struct gw_row rows[] = {
    {GW_FACT_MESSAGE_ID, "eid"},
    {GW_FACT_TYPE, "e"},
    {GW_FACT_NAME, "se_ac"},
    {GW_FACT_NAME, "event_name"},
    {GW_FACT_PAGE_TITLE, "page"},
    {GW_FACT_PAGE_URL, "url"},
    {GW_FACT_PAGE_REFERRER, "refr"},
    {GW_FACT_ANONYMOUS_ID, "duid"},
    {GW_FACT_ANONYMOUS_ID, "nuid"},
    {GW_FACT_ANONYMOUS_ID, "tnuid"},
    {GW_FACT_USER_ID, "uid"},
    {GW_FACT_SESSION_ID, "sid"},
    {GW_FACT_TIMESTAMP, TRUE_TIME},
    {GW_FACT_TIMESTAMP, "dtm"},
    {GW_FACT_SENT_AT, "stm"},
    {GW_FACT_USER_AGENT, "ua"},
    {GW_FACT_LOCALE, "lang"},
    {GW_FACT_TIMEZONE, "tz"},
    {GW_FACT_LIBRARY_NAME, "tv"},
    {GW_FACT_SCREEN_WIDTH, "res"}, /* "1920x1080", taken apart below */
    {GW_FACT_IP, "ip"},
    {UE_JSON, "ue_pr"},
    {UE_BASE64, "ue_px"},
    {CONTEXTS_JSON, "co"},
    {CONTEXTS_BASE64, "cx"},
};

static const struct gw_type_word types[] = {
    {"pv", GW_EVENT_PAGE, NULL},
    {"pp", GW_EVENT_TRACK, "page_ping"},
    {"se", GW_EVENT_TRACK, NULL},
    {"ue", GW_EVENT_TRACK, NULL},
    {"tr", GW_EVENT_TRACK, "Order Completed"},
    {"ti", GW_EVENT_TRACK, "transaction_item"},
    {"page_view", GW_EVENT_PAGE, NULL},
    {"page_ping", GW_EVENT_TRACK, "page_ping"},
    {"struct", GW_EVENT_TRACK, NULL},
    {"unstruct", GW_EVENT_TRACK, NULL},
    {"transaction", GW_EVENT_TRACK, "Order Completed"},
    {"transaction_item", GW_EVENT_TRACK, "transaction_item"},
};

/* Members of the event that become properties, each value as it came. */
static const struct {
    const char *member, *property;
} property_rows[] = {
    {"se_ca", "category"},      {"se_la", "label"},         {"se_pr", "property"},
    {"se_va", "value"},         {"pp_mix", "x_offset_min"}, {"pp_max", "x_offset_max"},
    {"pp_miy", "y_offset_min"}, {"pp_may", "y_offset_max"}, {"tr_id", "order_id"},
    {"tr_af", "affiliation"},   {"tr_tt", "total"},         {"tr_tx", "tax"},
    {"tr_sh", "shipping"},      {"tr_ci", "city"},          {"tr_st", "state"},
    {"tr_co", "country"},       {"tr_cu", "currency"},      {"ti_id", "order_id"},
    {"ti_sk", "sku"},           {"ti_nm", "name"},          {"ti_ca", "category"},
    {"ti_pr", "price"},         {"ti_qu", "quantity"},      {"ti_cu", "currency"},
};

/* Contexts that trackers add by themselves say much of the device and nothing of the shop: only what is listed in
 * take_context() is read from them. Those of other vendors are the tenant's own and are kept. */
static const char *const tracker_vendors[] = {
    "com.snowplowanalytics.snowplow",
    "com.snowplowanalytics.mobile",
    "com.google.analytics",
    "com.google.ga4",
    "org.w3",
    "org.ietf",
    "com.iab.snowplow",
    "nl.basjes",
};

static bool finish(struct gw_facts *facts, struct gw_faults *faults, struct arena *arena);

const struct gw_form gw_snowplow_form = {
    .rows = rows,
    .n_rows = ARRAY_SIZE(rows),
    .types = types,
    .n_types = ARRAY_SIZE(types),
    .times_in_ms = true,
    .finish = finish,
};

struct finishing {
    struct gw_facts *facts;
    struct gw_faults *faults;
    struct arena *arena;
    struct slice data;         /* of the tenant's own kind of event: its members are properties */
    struct slice page_view_id; /* JSON */
    struct buf contexts;       /* a JSON array without its end, or empty */
};

static void fault(struct finishing *f, enum gw_fact member, const char *code, const char *message)
{
    gw_fault_add(f->faults, gw_form_path(&gw_snowplow_form, f->facts, member), code, message);
}

/* ---- JSON documents in a member ---- */

/* {"schema": ..., "data": ...} behind either member; false: there is none, or it is no such thing, which is a fault. */
static bool document(struct finishing *f, enum gw_fact plain, enum gw_fact encoded,
                     struct gw_wanted parts[2])
{
    bool base64 = f->facts->at[encoded].size > 0;
    enum gw_fact member = base64 ? encoded : plain;
    struct slice text = json_raw_string(f->facts->at[member], f->arena), whole;
    _cleanup_(buf_deinit) struct buf buf = {0};
    parts[0] = (struct gw_wanted){.name = "schema"};
    parts[1] = (struct gw_wanted){.name = "data"};
    if (!f->facts->at[member].size)
        return false;
    if (base64) {
        if (!text.size || base64_decode(&buf, text) < 0) {
            fault(f, member, "invalid_base64", "must be JSON in base64");
            return false;
        }
        text = arena_slice(f->arena, buf_slice(&buf));
    }
    struct json_reader r = json_reader_make(text, NULL);
    if (!text.size || json_reader_value(&r, &whole) < 0 || !json_reader_done(&r)) {
        fault(f, member, "invalid_json", "must hold a JSON document");
        return false;
    }
    if (!gw_cut_members(whole, parts, 2, f->arena) || !parts[0].raw.size || !parts[1].raw.size) {
        fault(f, member, "wrong_type", "must hold an object with schema and data");
        return false;
    }
    return true;
}

/* "iglu:vendor/name/format/version" */
static bool schema_parts(struct slice raw, struct slice *vendor, struct slice *name,
                         struct arena *arena)
{
    struct slice text = json_raw_string(raw, arena);
    if (text.size < 5 || memcmp(text.data, "iglu:", 5) != 0)
        return false;
    text = slice_make(text.data + 5, text.size - 5);
    const uint8_t *slash = memchr(text.data, '/', text.size);
    if (!slash)
        return false;
    *vendor = slice_make(text.data, (size_t)(slash - text.data));
    *name = slice_make(slash + 1, text.size - vendor->size - 1);
    slash = memchr(name->data, '/', name->size);
    if (slash)
        name->size = (size_t)(slash - name->data);
    return vendor->size && name->size;
}

static struct slice json_text(struct slice text, struct arena *arena)
{
    _cleanup_(buf_deinit) struct buf buf = {0};
    struct json_writer w = json_writer_make(&buf);
    json_write_slice(&w, text);
    return arena_slice(arena, buf_slice(&buf));
}

static void take_own_event(struct finishing *f)
{
    enum gw_fact member = f->facts->at[UE_BASE64].size ? UE_BASE64 : UE_JSON;
    struct gw_wanted outer[2], inner[2] = {{.name = "schema"}, {.name = "data"}};
    struct slice vendor, name;
    if (!document(f, UE_JSON, UE_BASE64, outer))
        return;
    if (!gw_cut_members(outer[1].raw, inner, 2, f->arena) ||
        !schema_parts(inner[0].raw, &vendor, &name, f->arena)) {
        fault(f, member, "invalid_schema", "its data must name a schema iglu:vendor/name/...");
        return;
    }
    f->facts->at[GW_FACT_NAME] = json_text(name, f->arena);
    f->data = inner[1].raw;
    if (f->data.size && f->data.data[0] != '{')
        fault(f, member, "wrong_type", "its data must be an object");
}

/* ---- contexts ---- */

static void stand_in(struct finishing *f, enum gw_fact member, struct slice raw)
{
    if (!f->facts->at[member].size)
        f->facts->at[member] = raw;
}

static bool of_tracker(struct slice vendor)
{
    for (unsigned i = 0; i < ARRAY_SIZE(tracker_vendors); i++)
        if (slice_equal_str(vendor, tracker_vendors[i]))
            return true;
    return false;
}

static void take_context(struct finishing *f, struct slice element)
{
    struct gw_wanted parts[2] = {{.name = "schema"}, {.name = "data"}};
    struct gw_wanted web_page[1] = {{.name = "id"}};
    struct gw_wanted session[2] = {{.name = "userId"}, {.name = "sessionId"}};
    struct slice vendor, name;
    if (!gw_cut_members(element, parts, 2, f->arena) ||
        !schema_parts(parts[0].raw, &vendor, &name, f->arena))
        return;
    if (!of_tracker(vendor)) {
        buf_append_byte(&f->contexts, f->contexts.size ? ',' : '[');
        buf_append_slice(&f->contexts, element);
    } else if (slice_equal_str(name, "web_page")) {
        if (gw_cut_members(parts[1].raw, web_page, 1, f->arena))
            f->page_view_id = web_page[0].raw;
    } else if (slice_equal_str(name, "client_session")) { /* of apps: they have no duid */
        if (gw_cut_members(parts[1].raw, session, 2, f->arena)) {
            if (!slice_equal_str(session[0].raw, NOBODY))
                stand_in(f, GW_FACT_ANONYMOUS_ID, session[0].raw);
            stand_in(f, GW_FACT_SESSION_ID, session[1].raw);
        }
    }
}

static void take_contexts(struct finishing *f)
{
    struct gw_wanted parts[2];
    struct slice element;
    bool first = true, escaped;
    if (!document(f, CONTEXTS_JSON, CONTEXTS_BASE64, parts))
        return;
    struct json_reader r = json_reader_make(parts[1].raw, NULL);
    if (json_reader_type(&r) != JSON_ARRAY) {
        fault(f, f->facts->at[CONTEXTS_BASE64].size ? CONTEXTS_BASE64 : CONTEXTS_JSON, "wrong_type",
              "its data must be a list of contexts");
        return;
    }
    json_reader_enter(&r);
    while (json_reader_next(&r, first, NULL, &escaped) > 0 &&
           json_reader_value(&r, &element) >= 0) {
        take_context(f, element);
        first = false;
    }
}

/* ---- the event ---- */

static void add_member(struct buf *out, const char *name, struct slice raw)
{
    buf_printf(out, "%s\"%s\":", out->size > 1 ? "," : "", name);
    buf_append_slice(out, raw);
}

static void add_own_data(struct finishing *f, struct buf *out)
{
    size_t from = 1, end = f->data.size ? f->data.size - 1 : 0;
    while (from < end && f->data.data[from] <= ' ')
        from++;
    if (from < end)
        buf_append(out, f->data.data + from, end - from);
}

static void add_members(struct finishing *f, struct buf *out)
{
    struct json_reader r = json_reader_make(f->facts->event, NULL);
    struct slice key, raw;
    bool first = true, escaped;
    (void)json_reader_type(&r);
    json_reader_enter(&r);
    for (; json_reader_next(&r, first, &key, &escaped) > 0 && json_reader_value(&r, &raw) >= 0;
         first = false)
        for (unsigned i = 0; i < ARRAY_SIZE(property_rows); i++)
            if (slice_equal_str(key, property_rows[i].member))
                add_member(out, property_rows[i].property, raw);
}

/* An own event's data as it came; what is added stands behind its members. */
static void write_properties(struct finishing *f)
{
    _cleanup_(buf_deinit) struct buf buf = {0};
    buf_append_byte(&buf, '{');
    add_own_data(f, &buf);
    add_members(f, &buf);
    if (f->page_view_id.size)
        add_member(&buf, "page_view_id", f->page_view_id);
    if (f->contexts.size) {
        buf_append_byte(&f->contexts, ']');
        add_member(&buf, "contexts", buf_slice(&f->contexts));
    }
    buf_append_byte(&buf, '}');
    if (buf.size > 2)
        f->facts->at[GW_FACT_PROPERTIES] = arena_slice(f->arena, buf_slice(&buf));
}

static void take_screen(struct finishing *f)
{
    struct slice text = json_raw_string(f->facts->at[GW_FACT_SCREEN_WIDTH], f->arena);
    const char *size = text.size && text.size < 12 ? arena_str(f->arena, text) : NULL;
    unsigned width, height;
    char more;
    f->facts->at[GW_FACT_SCREEN_WIDTH] = slice_make(NULL, 0);
    if (!size || sscanf(size, "%5ux%5u%c", &width, &height, &more) != 2)
        return;
    f->facts->at[GW_FACT_SCREEN_WIDTH] = slice_str(arena_printf(f->arena, "%u", width));
    f->facts->at[GW_FACT_SCREEN_HEIGHT] = slice_str(arena_printf(f->arena, "%u", height));
}

/* A tracker that was told nobody's name sends none, and the protocol has the collector make one: such an event stands for
 * itself. */
static void name_nobody(struct gw_facts *facts)
{
    if (!facts->at[GW_FACT_ANONYMOUS_ID].size && !facts->at[GW_FACT_USER_ID].size &&
        !facts->at[GW_FACT_SESSION_ID].size)
        facts->at[GW_FACT_ANONYMOUS_ID] = facts->at[GW_FACT_MESSAGE_ID];
}

static bool finish(struct gw_facts *facts, struct gw_faults *faults, struct arena *arena)
{
    struct finishing f = {.facts = facts, .faults = faults, .arena = arena};
    if (facts->at[GW_FACT_TIMESTAMP].size &&
        strcmp(gw_form_path(&gw_snowplow_form, facts, GW_FACT_TIMESTAMP), TRUE_TIME) == 0)
        facts->at[GW_FACT_SENT_AT] = slice_make(NULL, 0);
    if (!facts->at[GW_FACT_TYPE].size)
        fault(&f, GW_FACT_TYPE, "required", "is required");
    take_own_event(&f);
    take_contexts(&f);
    take_screen(&f);
    write_properties(&f);
    name_nobody(facts);
    buf_deinit(&f.contexts);
    return !arena_overflowed(arena);
}

/* ---- requests ---- */

/* An app id is registered as a key with this before it, as no other key begins. */
static struct slice app_key(struct slice app_id, struct arena *arena)
{
    return app_id.size ? slice_str(arena_printf(arena, GW_APP_KEY_PREFIX "%.*s", (int)app_id.size,
                                                (const char *)app_id.data))
                       : app_id;
}

static struct slice app_of_event(struct slice event, struct arena *arena)
{
    struct gw_wanted app[1] = {{.name = "aid"}};
    (void)gw_cut_members(event, app, 1, arena);
    return json_raw_string(app[0].raw, arena);
}

bool gw_cut_snowplow_post(const struct gw_request *request, struct gw_cut *cut,
                          struct gw_faults *faults)
{
    struct gw_list events = {.max = request->max_events};
    struct gw_wanted data[1] = {{.name = "data", .list = &events}};
    struct slice query = request->query, name, value, app = {NULL, 0};
    cut->broken = !gw_cut_members(request->body, data, 1, request->arena);
    if (!gw_cut_list(request, &data[0], cut, faults))
        return false;
    while (!app.size && gw_query_next(&query, &name, &value, request->arena))
        if (slice_equal_str(name, "aid"))
            app = value;
    if (!app.size && cut->n)
        app = app_of_event(cut->events[0], request->arena);
    cut->key = app_key(app, request->arena);
    return true;
}

bool gw_cut_snowplow_get(const struct gw_request *request, struct gw_cut *cut,
                         struct gw_faults *faults)
{
    struct slice event = gw_query_object(request->query, request->arena);
    (void)faults;
    if (!event.size || !gw_cut_single(request, event, cut))
        return false;
    cut->batch = true; /* whoever asks for a picture gets one */
    cut->key = app_key(app_of_event(event, request->arena), request->arena);
    return true;
}

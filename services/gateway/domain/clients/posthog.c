/*
 * PostHog: an event is a name and its properties; those that begin with "$" are the client's own. Who it is of, is said by
 * up to four ids, by these rules:
 *
 *   device   $device_id; else, of an $identify, $anon_distinct_id; else distinct_id where that is no user
 *   user     $user_id; else distinct_id when
 *              - the event is $identify, or
 *              - $is_identified says so, or
 *              - there is a device that it is not, and the client is no browser (which always names its $user_id), or
 *              - there is no device, and no session either: a server, which knows whom it speaks of.
 *            Never when $is_identified or $process_person_profile says no, nor an id that the client made up for a group
 *            ("$company_7").
 *   alias    of the user: what it was called before; of a device: the user that it turned out to be
 *
 * Ids stand among the properties, so these are kept without them; what remains is kept byte for byte.
 */
#include "../clients.h"
#include "../query.h"

#define DISTINCT_ID GW_FACT_EXTRA_1
#define PERSON      GW_FACT_EXTRA_2 /* $is_identified, else $process_person_profile */
#define TIME        GW_FACT_EXTRA_3 /* seconds since 1970, with decimals */
#define SERVER      GW_FACT_EXTRA_4

#define IS_IDENTIFIED "properties.$is_identified"

static const struct gw_row rows[] = {
    {GW_FACT_MESSAGE_ID, "uuid"},
    {GW_FACT_MESSAGE_ID, "properties.$insert_id"},
    {GW_FACT_MESSAGE_ID, "messageId"},
    {GW_FACT_TYPE, "event"},
    {GW_FACT_NAME, "event"},
    {GW_FACT_PAGE_NAME, "properties.$screen_name"},
    {DISTINCT_ID, "distinct_id"},
    {DISTINCT_ID, "properties.distinct_id"},
    {DISTINCT_ID, "$distinct_id"},
    {GW_FACT_ANONYMOUS_ID, "properties.$device_id"},
    {GW_FACT_ANONYMOUS_ID, "$device_id"},
    {GW_FACT_ANONYMOUS_ID, "properties.$anon_distinct_id"},
    {GW_FACT_USER_ID, "properties.$user_id"},
    {GW_FACT_USER_ID, "$user_id"},
    {PERSON, IS_IDENTIFIED},
    {PERSON, "properties.$process_person_profile"},
    {SERVER, "properties.$is_server"},
    {GW_FACT_GROUP_ID, "properties.$group_key"},
    {GW_FACT_PREVIOUS_ID, "properties.alias"},
    {GW_FACT_SESSION_ID, "properties.$session_id"},
    {GW_FACT_TIMESTAMP, "timestamp"},
    {TIME, "properties.$time"},
    {GW_FACT_SENT_AT, "sent_at"},
    {GW_FACT_PROPERTIES, "properties"},
    {GW_FACT_TRAITS, "$set"},
    {GW_FACT_TRAITS, "properties.$set"},
    {GW_FACT_TRAITS, "properties.$group_set"},
    {GW_FACT_CONTEXT_TRAITS, "$set_once"},
    {GW_FACT_CONTEXT_TRAITS, "properties.$set_once"},
    {GW_FACT_PAGE_URL, "properties.$current_url"},
    {GW_FACT_PAGE_PATH, "properties.$pathname"},
    {GW_FACT_PAGE_TITLE, "properties.title"},
    {GW_FACT_PAGE_REFERRER, "properties.$referrer"},
    {GW_FACT_CAMPAIGN_SOURCE, "properties.utm_source"},
    {GW_FACT_CAMPAIGN_MEDIUM, "properties.utm_medium"},
    {GW_FACT_CAMPAIGN_NAME, "properties.utm_campaign"},
    {GW_FACT_CAMPAIGN_TERM, "properties.utm_term"},
    {GW_FACT_CAMPAIGN_CONTENT, "properties.utm_content"},
    {GW_FACT_USER_AGENT, "properties.$raw_user_agent"},
    {GW_FACT_USER_AGENT, "properties.$useragent"},
    {GW_FACT_LOCALE, "properties.$browser_language"},
    {GW_FACT_LOCALE, "properties.$locale"},
    {GW_FACT_TIMEZONE, "properties.$timezone"},
    {GW_FACT_LIBRARY_NAME, "properties.$lib"},
    {GW_FACT_LIBRARY_VERSION, "properties.$lib_version"},
    {GW_FACT_SCREEN_WIDTH, "properties.$screen_width"},
    {GW_FACT_SCREEN_HEIGHT, "properties.$screen_height"},
    {GW_FACT_DEVICE_TYPE, "properties.$device_type"},
    {GW_FACT_OS_NAME, "properties.$os"},
    {GW_FACT_OS_NAME, "properties.$os_name"},
    {GW_FACT_OS_VERSION, "properties.$os_version"},
    {GW_FACT_IP, "properties.$ip"},
};

static const struct gw_type_word types[] = {
    {"$pageview", GW_EVENT_PAGE, NULL},       {"$screen", GW_EVENT_SCREEN, NULL},
    {"$identify", GW_EVENT_IDENTIFY, NULL},   {"$set", GW_EVENT_IDENTIFY, NULL},
    {"$create_alias", GW_EVENT_ALIAS, NULL},  {"$merge_dangerously", GW_EVENT_ALIAS, NULL},
    {"$groupidentify", GW_EVENT_GROUP, NULL},
};

/* Ids, traits and addresses: they leave as hashes or sealed, or not at all. */
static const char *const not_properties[] = {
    "distinct_id",
    "$device_id",
    "$user_id",
    "$anon_distinct_id",
    "alias",
    "$ip",
    "$set",
    "$set_once",
    "$unset",
    "$group_set",
    "$group_key",
    "$groups",
    "token",
    "api_key",
    "$raw_user_agent",
    "$useragent",
    "$stored_person_properties",
};

static bool finish(struct gw_facts *facts, struct gw_faults *faults, struct arena *arena);

const struct gw_form gw_posthog_form = {
    .rows = rows,
    .n_rows = ARRAY_SIZE(rows),
    .types = types,
    .n_types = ARRAY_SIZE(types),
    .times_in_ms = true,
    .any_type = true,
    .finish = finish,
};

/* ---- who ---- */

static bool says(struct slice raw, const char *json)
{
    return slice_equal_str(raw, json);
}

static bool is_text(struct slice raw, const char *text, struct arena *arena)
{
    return slice_equal_str(json_raw_string(raw, arena), text);
}

static bool distinct_is_user(const struct gw_facts *facts, struct arena *arena)
{
    struct slice id = facts->at[DISTINCT_ID], device = facts->at[GW_FACT_ANONYMOUS_ID];
    if (id.size > 1 && id.data[0] == '"' && id.data[1] == '$')
        return false;
    if (is_text(facts->at[GW_FACT_TYPE], "$identify", arena))
        return true;
    if (says(facts->at[PERSON], "false"))
        return false;
    if (says(facts->at[PERSON], "true") &&
        strcmp(gw_form_path(&gw_posthog_form, facts, PERSON), IS_IDENTIFIED) == 0)
        return true;
    if (device.size)
        return !slice_equal(id, device) && !says(facts->at[GW_FACT_LIBRARY_NAME], "\"web\"");
    return says(facts->at[SERVER], "true") || !facts->at[GW_FACT_SESSION_ID].size;
}

static void find_person(struct gw_facts *facts, struct arena *arena)
{
    struct slice *id = &facts->at[DISTINCT_ID], *user = &facts->at[GW_FACT_USER_ID],
                 *device = &facts->at[GW_FACT_ANONYMOUS_ID],
                 *previous = &facts->at[GW_FACT_PREVIOUS_ID];
    if (!id->size)
        return;
    bool known = user->size || distinct_is_user(facts, arena);
    if (!known && !device->size)
        *device = *id;
    if (!known && previous->size) {
        *user = *previous;
        *previous = *id;
    } else if (known && !user->size) {
        *user = *id;
    }
}

/* ---- what else a table cannot say ---- */

/* Of events that have no time of their own: "1795899674.443" as milliseconds. */
static void find_time(struct gw_facts *facts, struct arena *arena)
{
    struct slice raw = facts->at[TIME];
    const uint8_t *point = raw.size ? memchr(raw.data, '.', raw.size) : NULL;
    size_t whole = point ? (size_t)(point - raw.data) : raw.size, decimals = raw.size - whole;
    char ms[] = "000";
    if (facts->at[GW_FACT_TIMESTAMP].size || whole != 10)
        return;
    for (size_t i = 1; i < decimals && i <= 3; i++)
        ms[i - 1] = (char)raw.data[whole + i];
    facts->at[GW_FACT_TIMESTAMP] =
        slice_str(arena_printf(arena, "%.*s%s", (int)whole, (const char *)raw.data, ms));
}

static bool finish(struct gw_facts *facts, struct gw_faults *faults, struct arena *arena)
{
    struct slice *properties = &facts->at[GW_FACT_PROPERTIES];
    (void)faults;
    find_person(facts, arena);
    find_time(facts, arena);
    if (says(facts->at[GW_FACT_PAGE_REFERRER], "\"$direct\""))
        facts->at[GW_FACT_PAGE_REFERRER] = slice_make(NULL, 0);
    if (properties->size && properties->data[0] == '{')
        *properties = gw_cut_out(*properties, not_properties, ARRAY_SIZE(not_properties), arena);
    return !arena_overflowed(arena);
}

/* ---- requests ---- */

static struct slice parameter(struct slice query, const char *wanted, struct arena *arena)
{
    struct slice name, value;
    while (gw_query_next(&query, &name, &value, arena))
        if (slice_equal_str(name, wanted))
            return value;
    return slice_make(NULL, 0);
}

static bool begins_json(struct slice text)
{
    struct json_reader r = json_reader_make(text, NULL);
    int type = json_reader_type(&r);
    return type == JSON_OBJECT || type == JSON_ARRAY;
}

/* base64 that stood in a form unescaped has lost its plus signs. */
static struct slice decode(struct slice text, struct arena *arena)
{
    _cleanup_(buf_deinit) struct buf buf = {0};
    uint8_t *copy = arena_copy(arena, text.data, text.size);
    for (size_t i = 0; copy && i < text.size; i++)
        if (copy[i] == ' ')
            copy[i] = '+';
    if (!copy || base64_decode(&buf, slice_make(copy, text.size)) < 0)
        return slice_make(NULL, 0);
    return arena_slice(arena, buf_slice(&buf));
}

/* The JSON that a request holds: its body, or that of its "data", plain or as base64; else its query's. */
static struct slice json_of(const struct gw_request *request)
{
    struct slice body = request->body, data;
    if (begins_json(body))
        return body;
    data = parameter(body.size ? body : request->query, "data", request->arena);
    if (begins_json(data))
        return data;
    return decode(data.size ? data : body, request->arena);
}

/* Of an event, else of its properties. */
static struct slice key_of(struct slice object, bool properties, struct arena *arena)
{
    enum {
        API_KEY,
        TOKEN,
        OF_PERSON,
        PROPERTIES
    };
    struct gw_wanted wanted[] = {[API_KEY] = {.name = "api_key"},
                                 [TOKEN] = {.name = "token"},
                                 [OF_PERSON] = {.name = "$token"},
                                 [PROPERTIES] = {.name = "properties"}};
    (void)gw_cut_members(object, wanted, ARRAY_SIZE(wanted), arena);
    for (unsigned i = API_KEY; i < PROPERTIES; i++)
        if (wanted[i].raw.size)
            return json_raw_string(wanted[i].raw, arena);
    return properties && wanted[PROPERTIES].raw.size ? key_of(wanted[PROPERTIES].raw, false, arena)
                                                     : slice_make(NULL, 0);
}

/* "sent_at", or "_" of the query: milliseconds. */
static int64_t sent_at(const struct gw_request *request, struct slice raw)
{
    struct slice text = json_raw_string(raw, request->arena);
    int64_t time_us = 0;
    if (text.size)
        return time_parse(&time_us, NULL, text) < 0 ? 0 : time_us;
    text = parameter(request->query, "_", request->arena);
    if (text.size != 13)
        return 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return 0;
        time_us = time_us * 10 + (text.data[i] - '0');
    }
    return time_us * 1000;
}

bool gw_cut_posthog(const struct gw_request *request, struct gw_cut *cut, struct gw_faults *faults)
{
    struct gw_list events = {.max = request->max_events};
    struct gw_wanted wanted[] = {{.name = "batch", .list = &events}, {.name = "sent_at"}};
    struct slice text = json_of(request);
    if (!text.size) {
        gw_fault_add(faults, "", "invalid_json",
                     "the body must be JSON, or a form whose data is JSON or its base64");
        return false;
    }
    struct json_reader r = json_reader_make(text, NULL);
    bool list = json_reader_type(&r) == JSON_ARRAY;
    cut->broken = !list && !gw_cut_members(text, wanted, ARRAY_SIZE(wanted), request->arena);
    cut->sent_at_us = sent_at(request, wanted[1].raw);
    if (!list)
        cut->key = key_of(text, true, request->arena);
    if (!list && !wanted[0].raw.size)
        return gw_cut_single(request, text, cut);
    if (!(list ? gw_cut_array(request, text, cut, faults)
               : gw_cut_list(request, &wanted[0], cut, faults)))
        return false;
    if (!cut->key.size && cut->n)
        cut->key = key_of(cut->events[0], true, request->arena);
    return true;
}

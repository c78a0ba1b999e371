/*
 * Any bytes as the body of an event route: first byte: which client's. Cut into events, mapped and written, they must be
 * what the log expects: properties and context JSON objects, texts UTF-8 without NUL, and a batch that reads back.
 */
#include "domain/clients.h"
#include "domain/wire.h"
#include "journey/v1/event.pb-c.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct {
    enum gw_client_id client;
    gw_cut_fn *cut;
    enum gw_event_type type;
} routes[] = {
    {GW_CLIENT_SEGMENT, gw_cut_segment_batch, GW_EVENT_BY_BODY},
    {GW_CLIENT_SEGMENT, gw_cut_segment_one, GW_EVENT_TRACK},
    {GW_CLIENT_SEGMENT, gw_cut_segment_one, GW_EVENT_PAGE},
    {GW_CLIENT_API, gw_cut_api_one, GW_EVENT_BY_BODY},
    {GW_CLIENT_API, gw_cut_api_batch, GW_EVENT_BY_BODY},
    {GW_CLIENT_POSTHOG, gw_cut_posthog, GW_EVENT_BY_BODY},
    {GW_CLIENT_POSTHOG, gw_cut_posthog, GW_EVENT_IDENTIFY},
    {GW_CLIENT_JITSU, gw_cut_segment_one, GW_EVENT_BY_BODY},
    {GW_CLIENT_JITSU_CLASSIC, gw_cut_jitsu_classic, GW_EVENT_BY_BODY},
    {GW_CLIENT_SNOWPLOW, gw_cut_snowplow_post, GW_EVENT_BY_BODY},
    {GW_CLIENT_SNOWPLOW, gw_cut_snowplow_get, GW_EVENT_BY_BODY},
    {GW_CLIENT_CLOUDEVENTS, gw_cut_api_one, GW_EVENT_BY_BODY},
    {GW_CLIENT_CLOUDEVENTS, gw_cut_api_batch, GW_EVENT_BY_BODY},
    {GW_CLIENT_API, gw_cut_import, GW_EVENT_BY_BODY},
};

static void check(bool holds)
{
    if (!holds)
        abort();
}

/* What tells CloudEvents apart; the handle is the client. */
static const char *header_of(const void *handle, const char *name)
{
    enum gw_client_id client = *(const enum gw_client_id *)handle;
    if (client != GW_CLIENT_CLOUDEVENTS || strcmp(name, "Content-Type") != 0)
        return NULL;
    return "application/cloudevents-batch+json";
}

static void check_object(struct slice json)
{
    struct json_reader r = json_reader_make(json, NULL);
    struct slice raw;
    if (!json.size)
        return;
    check(json_reader_type(&r) == JSON_OBJECT);
    check(json_reader_value(&r, &raw) >= 0 && json_reader_done(&r));
}

static void check_event(const struct gw_event *event, struct arena *arena)
{
    static const uint8_t tenant[16];
    struct buf record = {0};
    check(utf8_valid(slice_str(event->name)) && utf8_valid(slice_str(event->session_id)));
    check(!event->message_id || utf8_valid(slice_str(event->message_id)));
    check_object(event->properties);
    check_object(event->context);
    check_object(event->personal);
    check(event->has_device && event->type != GW_EVENT_BY_BODY);
    buf_append_slice(&record, gw_wire_batch(tenant, 1, "c", arena));
    buf_append_slice(&record, gw_wire_event(event, event->personal, arena));
    Journey__V1__EventBatch *batch =
        journey__v1__event_batch__unpack(NULL, record.size, record.data);
    check(batch && batch->n_events == 1);
    check(slice_equal_str(event->context, batch->events[0]->context));
    journey__v1__event_batch__free_unpacked(batch, NULL);
    buf_deinit(&record);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t key[32];
    static struct gw_form_index *forms[GW_CLIENT_COUNT];
    static struct arena *tables, *arena;
    static struct gw_masker *masker;
    if (!tables) {
        tables = arena_create(1 << 20);
        arena = arena_create(64 << 20);
        check(gw_masker_create(&masker, NULL) >= 0);
        for (int i = 0; i < GW_CLIENT_COUNT; i++)
            forms[i] = gw_form_index(gw_clients[i].form, tables);
    }
    if (size == 0)
        return 0;
    unsigned route = data[0] % ARRAY_SIZE(routes);
    enum gw_client_id client = routes[route].client;
    arena_reset(arena);
    struct gw_request request = {.body = arena_slice(arena, slice_make(data + 1, size - 1)),
                                 .header = header_of,
                                 .handle = &routes[route].client,
                                 .query = slice_make(data + 1, size - 1),
                                 .form = forms[client],
                                 .max_events = 2500,
                                 .arena = arena};
    struct gw_cut cut = {.client = (int)client};
    struct gw_faults faults = {.n = 0};
    if (!routes[route].cut(&request, &cut, &faults)) {
        check(faults.n > 0 || arena_overflowed(arena) || cut.n == 0);
        return 0;
    }
    for (unsigned i = 0; i < cut.n; i++) {
        struct gw_event_source source = {.hash_key = key,
                                         .form = forms[cut.client],
                                         .type = routes[route].type,
                                         .sent_at_us = cut.sent_at_us,
                                         .context = cut.context,
                                         .masker = masker};
        struct gw_event event;
        faults.n = 0;
        gw_event_map(&event, cut.events[i], &source, &faults, arena);
        if (!faults.n)
            check_event(&event, arena);
    }
    return 0;
}

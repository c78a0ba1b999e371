#include "events.h"
#include "domain/schema.h"
#include "event_batch.h"
#include "rates.h"
#include "routes.h"
#include "serve.h"

/* The delivery time-out reports first; this is for a broker client that reports nothing. */
#define REPORT_GRACE_US SECOND_US

/* Who imports has the events still, and wants to know which of them to put right. */
static void answer_imported(struct exchange *exchange)
{
    _cleanup_(buf_deinit) struct buf body = {0};
    struct json_writer w = json_writer_make(&body);
    json_begin_object(&w);
    json_key(&w, "accepted");
    json_write_int(&w, exchange->n_message_ids - exchange->n_rejected);
    json_key(&w, "rejected");
    json_begin_array(&w);
    for (unsigned i = 0; i < exchange->n_rejected; i++) {
        const struct events_rejected *rejected = &exchange->rejected[i];
        json_begin_object(&w);
        json_key(&w, "index");
        json_write_int(&w, rejected->index);
        json_key(&w, "field");
        json_write_str(&w, rejected->fault.field);
        json_key(&w, "code");
        json_write_str(&w, rejected->fault.code);
        json_key(&w, "message");
        json_write_str(&w, rejected->fault.message);
        json_end_object(&w);
    }
    json_end_array(&w);
    json_end_object(&w);
    exchange_answer(exchange, 200, buf_slice(&body));
}

static void answer_taken(struct exchange *exchange)
{
    _cleanup_(buf_deinit) struct buf body = {0};
    struct json_writer w = json_writer_make(&body);
    metric_inc(exchange->gateway->stats.events, exchange->n_message_ids - exchange->n_rejected);
    const struct events_answer *taken = exchange->route->taken;
    if (taken) {
        exchange_answer_as(exchange, 200, taken->content_type, taken->body);
        return;
    }
    if (exchange->route->flags & ROUTE_IMPORT) {
        answer_imported(exchange);
        return;
    }
    json_begin_object(&w);
    json_key(&w, "success");
    json_write_bool(&w, true);
    json_key(&w, "message_ids");
    json_begin_array(&w);
    for (unsigned i = 0; i < exchange->n_message_ids; i++)
        json_write_str(&w, exchange->message_ids[i]);
    json_end_array(&w);
    json_end_object(&w);
    exchange_answer(exchange, 200, buf_slice(&body));
}

static void on_timeout(struct exchange *exchange)
{
    exchange_report(exchange->gateway, exchange->handle, false);
}

static void too_large(struct exchange *exchange, const char *field, const char *message)
{
    struct gw_faults faults = {.n = 0};
    gw_fault_add(&faults, field, "too_large", message);
    exchange_problem(exchange, GW_PROBLEM_TOO_LARGE, message, &faults);
}

static const char *made_id(struct exchange *exchange, unsigned index)
{
    const char *key = http_request_header(exchange->request, "Idempotency-Key");
    struct entropy *entropy = exchange->gateway->world.entropy;
    uint8_t random[16];
    if (key && *key)
        return gw_made_message_id(exchange->key.tenant.id, exchange->route->name, slice_str(key),
                                  index, exchange->arena);
    entropy->fill(entropy, random, sizeof(random));
    return (const char *)gw_hex(random, sizeof(random), exchange->arena).data;
}

static const char *header_of(const void *handle, const char *name)
{
    return http_request_header(handle, name);
}

bool events_cut(struct exchange *exchange)
{
    const struct route *route = exchange->route;
    struct gw_request request = {.body = exchange->bytes,
                                 .query = http_request_query(exchange->request),
                                 .header = header_of,
                                 .handle = exchange->request,
                                 .form = exchange->gateway->forms[route->client],
                                 .max_events = GW_MAX_BATCH_EVENTS,
                                 .arena = exchange->arena};
    struct gw_faults faults = {.n = 0};
    if (exchange->cut)
        return true;
    exchange->cut = arena_alloc(exchange->arena, sizeof(*exchange->cut));
    if (exchange->cut)
        exchange->cut->client = (int)route->client;
    if (exchange->cut && route->cut(&request, exchange->cut, &faults))
        return true;
    if (faults.n && strcmp(faults.list[0].code, "too_large") != 0)
        exchange_problem(exchange, GW_PROBLEM_INVALID_REQUEST, NULL, &faults);
    else
        too_large(exchange, faults.n ? faults.list[0].field : "",
                  faults.n ? faults.list[0].message : NULL);
    return false;
}

/* A browser's own address and name stand in where its events say none; a server's would be wrong. */
static struct gw_event_source source_of(struct exchange *exchange)
{
    const struct gw_cut *cut = exchange->cut;
    const char *purpose = http_request_header(exchange->request, "Sec-Purpose");
    const char *control = http_request_header(exchange->request, "Sec-GPC");
    const char *agent = http_request_header(exchange->request, "User-Agent");
    bool browser = agent && strncmp(agent, "Mozilla/", 8) == 0;
    struct gw_event_source source = {.hash_key = exchange->key.tenant.hash_key,
                                     .form = exchange->gateway->forms[cut->client],
                                     .type = exchange->route->event_type,
                                     .sent_at_us = cut->sent_at_us,
                                     .context = cut->context,
                                     .masker = exchange->gateway->masker,
                                     .allowed =
                                         gw_settings_personal(&exchange->key.tenant.settings),
                                     .prefetch = purpose && strstr(purpose, "prefetch"),
                                     .opt_out = control && strcmp(control, "1") == 0};
    if (browser) {
        source.user_agent = slice_str(agent);
        source.address = request_address(exchange->gateway, exchange->request);
    }
    return source;
}

static void map_event(struct gw_event *event, struct slice text,
                      const struct gw_event_source *source, struct gw_faults *faults,
                      struct arena *arena)
{
    gw_event_map(event, text, source, faults, arena);
    if (text.size > GW_MAX_EVENT_BYTES) {
        faults->n = 0;
        gw_fault_add(faults, "", "too_large", "An event may have at most 32768 bytes");
    }
}

/* false: answered. A bad event alone is refused; in a batch it is put aside and the others go on. */
static bool map_events(struct exchange *exchange, struct event_batch *out)
{
    const struct gw_cut *cut = exchange->cut;
    struct gw_event_source source = source_of(exchange);
    for (unsigned i = 0; i < cut->n; i++) {
        struct gw_faults faults = {.n = 0};
        struct gw_event event;
        map_event(&event, cut->events[i], &source, &faults, exchange->arena);
        if (!event.message_id)
            event.message_id = made_id(exchange, i);
        exchange->message_ids[i] = event.message_id;
        if (exchange->route->flags & ROUTE_IMPORT)
            event.sent_at_us =
                0; /* no device's clock is to be put right by when the file was sent */
        if (!faults.n) {
            event_batch_add(out, &event);
        } else if (exchange->route->flags & ROUTE_IMPORT) {
            exchange->rejected[exchange->n_rejected++] =
                (struct events_rejected){i, faults.list[0]};
        } else if (cut->batch) {
            event_batch_add_dead(out, &event, cut->events[i], &faults.list[0]);
        } else {
            bool large = strcmp(faults.list[0].code, "too_large") == 0;
            exchange_problem(exchange, large ? GW_PROBLEM_TOO_LARGE : GW_PROBLEM_INVALID_REQUEST,
                             large ? faults.list[0].message : NULL, &faults);
            return false;
        }
    }
    return true;
}

static struct slice header_value(const struct bus_record *record, const char *name)
{
    const struct bus_header *found = bus_record_header(record, name);
    return found ? found->value : slice_make(NULL, 0);
}

struct event_batch *events_map_again(struct exchange *exchange, const struct bus_record *letter,
                                     struct gw_faults *faults)
{
    struct slice name = header_value(letter, "client"), type = header_value(letter, "event-type");
    struct slice id = header_value(letter, "message-id");
    int client = gw_client_find(name);
    bool known = type.size == 1 && type.data[0] > '0' && type.data[0] <= '0' + GW_EVENT_ALIAS;
    if (client < 0)
        client = GW_CLIENT_SEGMENT; /* of letters that do not say */
    const struct gw_event_source source = {
        .hash_key = exchange->key.tenant.hash_key,
        .form = exchange->gateway->forms[client],
        .type = known ? (enum gw_event_type)(type.data[0] - '0') : GW_EVENT_BY_BODY,
        .masker = exchange->gateway->masker,
        .allowed = gw_settings_personal(&exchange->key.tenant.settings)};
    struct gw_event event;
    map_event(&event, letter->value, &source, faults, exchange->arena);
    if (!event.message_id && id.size) /* the one that the client was told */
        event.message_id = arena_str(exchange->arena, id);
    if (!event.message_id)
        event.message_id = made_id(exchange, 0);
    struct event_batch *batch = faults->n ? NULL : event_batch_make(exchange, 1);
    if (batch && event.message_id) {
        event_batch_came(batch, (enum gw_client_id)client, letter->time_us);
        event_batch_add(batch, &event);
    }
    return batch && !arena_overflowed(exchange->arena) ? batch : NULL;
}

static void send_events(struct exchange *exchange)
{
    exchange->delivered = answer_taken;
    exchange->timeout = on_timeout;
    exchange_arm(exchange, exchange->gateway->options.delivery_ms * 1000 + REPORT_GRACE_US);
    event_batch_send(exchange->batch);
}

void events_run(struct exchange *exchange)
{
    if (!events_cut(exchange))
        return;
    unsigned n = exchange->cut->n;
    if (n > 1)
        rates_charge(exchange, n - 1);
    exchange->n_message_ids = n;
    exchange->message_ids = arena_alloc(exchange->arena, (n + 1) * sizeof(char *));
    struct event_batch *batch = event_batch_make(exchange, n);
    if (exchange->route->flags & ROUTE_IMPORT)
        exchange->rejected = arena_alloc(exchange->arena, (n + 1) * sizeof(*exchange->rejected));
    if (!batch || !exchange->message_ids || arena_overflowed(exchange->arena)) {
        exchange_problem(exchange, GW_PROBLEM_TOO_LARGE, NULL, NULL);
        return;
    }
    if (!map_events(exchange, batch))
        return;
    exchange->batch = batch;
    struct vault_subject *subjects = event_batch_subjects(batch, &n);
    if (n)
        vault_find(exchange, subjects, n, send_events);
    else
        send_events(exchange);
}

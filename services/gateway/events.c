#include "events.h"
#include "domain/schema.h"
#include "event_batch.h"
#include "routes.h"
#include "serve.h"

/* The delivery time-out reports first; this is for a broker client that reports nothing. */
#define REPORT_GRACE_US SECOND_US

static void answer_taken(struct exchange *exchange)
{
    _cleanup_(buf_deinit) struct buf body = {0};
    struct json_writer w = json_writer_make(&body);
    metric_inc(exchange->gateway->stats.events, exchange->n_message_ids);
    metric_inc(exchange->gateway->stats.dead_events, exchange->n_dead);
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

static bool event_size_ok(struct exchange *exchange, const struct json_node *event,
                          const char *field)
{
    if (event->raw.size <= GW_MAX_EVENT_BYTES)
        return true;
    too_large(exchange, field, "An event may have at most 32768 bytes");
    return false;
}

/* Checks the envelope; on success *first is its first event, siblings follow. */
static bool read_batch(struct exchange *exchange, const struct json_node **first, unsigned *n)
{
    const struct json_node *batch = json_get(exchange->body, "batch");
    struct gw_faults faults = {.n = 0};
    if (!json_is(exchange->body, JSON_OBJECT))
        gw_fault_add(&faults, "", "wrong_type", "the body must be a JSON object");
    else if (!batch)
        gw_fault_add(&faults, "batch", "required", "is required");
    else if (!json_is(batch, JSON_ARRAY))
        gw_fault_add(&faults, "batch", "wrong_type", "must be an array");
    if (!batch || faults.n) {
        exchange_problem(exchange, GW_PROBLEM_INVALID_REQUEST, NULL, &faults);
        return false;
    }
    if (batch->count > GW_MAX_BATCH_EVENTS) {
        too_large(exchange, "batch", "A batch may have at most 2500 events");
        return false;
    }
    unsigned i = 0;
    for (const struct json_node *event = batch->child; event; event = event->next, i++)
        if (!event_size_ok(exchange, event, arena_printf(exchange->arena, "batch[%u]", i)))
            return false;
    *first = batch->child;
    *n = batch->count;
    return true;
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

/* What the envelope of a batch says for all its events. */
static struct gw_event_source source_of(struct exchange *exchange)
{
    struct gw_event_source source = {.hash_key = exchange->key.tenant.hash_key,
                                     .type = exchange->route->event_type};
    if (exchange->route->flags & ROUTE_BATCH) {
        const struct json_node *context = json_get(exchange->body, "context");
        source.context = json_is(context, JSON_OBJECT) ? context : NULL;
        source.sent_at_us = gw_time(json_get(exchange->body, "sentAt"), 0, exchange->arena);
    }
    return source;
}

/* false: answered. A bad event alone is refused; in a batch it is put aside and the others go on. */
static bool map_events(struct exchange *exchange, struct event_batch *out,
                       const struct json_node *node)
{
    struct gw_event_source source = source_of(exchange);
    bool batch = (exchange->route->flags & ROUTE_BATCH) != 0;
    for (unsigned i = 0; i < exchange->n_message_ids; i++, node = node->next) {
        struct gw_faults faults = {.n = 0};
        struct gw_event event;
        gw_event_map(&event, node, &source, &faults, exchange->arena);
        if (!event.message_id)
            event.message_id = made_id(exchange, i);
        exchange->message_ids[i] = event.message_id;
        if (!faults.n) {
            event_batch_add(out, &event);
        } else if (batch) {
            event_batch_add_dead(out, &event, node->raw, &faults.list[0]);
        } else {
            exchange_problem(exchange, GW_PROBLEM_INVALID_REQUEST, NULL, &faults);
            return false;
        }
    }
    return true;
}

void events_run(struct exchange *exchange)
{
    const struct json_node *first = NULL;
    unsigned n = 1;
    if (!serve_parse(exchange))
        return;
    if (exchange->route->flags & ROUTE_BATCH) {
        if (!read_batch(exchange, &first, &n))
            return;
    } else {
        first = exchange->body;
        if (!event_size_ok(exchange, first, ""))
            return;
    }
    exchange->n_message_ids = n;
    exchange->message_ids = arena_alloc(exchange->arena, (n + 1) * sizeof(char *));
    struct event_batch *batch = event_batch_make(exchange, n);
    if (!batch || !exchange->message_ids) {
        exchange_problem(exchange, GW_PROBLEM_TOO_LARGE, NULL, NULL);
        return;
    }
    if (!map_events(exchange, batch, first))
        return;
    exchange->delivered = answer_taken;
    exchange->timeout = on_timeout;
    exchange_arm(exchange, exchange->gateway->options.delivery_ms * 1000 + REPORT_GRACE_US);
    event_batch_send(batch);
}

void events_discard(struct exchange *exchange)
{
    exchange_answer(exchange, 200, SLICE_LITERAL("{\"success\":true}"));
}

/* Where the SDK then sends to: here, under the name by which it found us. */
static void write_api_host(struct exchange *exchange, struct json_writer *w)
{
    const char *host = http_request_header(exchange->request, "Host");
    size_t size =
        host ? strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]")
             : 0;
    if (size == 0 || host[size])
        return;
    json_key(w, "apiHost");
    json_write_str(w, arena_printf(exchange->arena, "%s/v1", host));
}

void events_settings(struct exchange *exchange)
{
    _cleanup_(buf_deinit) struct buf body = {0};
    struct json_writer w = json_writer_make(&body);
    json_begin_object(&w);
    json_key(&w, "integrations");
    json_begin_object(&w);
    json_key(&w, "Segment.io");
    json_begin_object(&w);
    json_key(&w, "apiKey");
    json_write_slice(&w, exchange->parameters[0]);
    write_api_host(exchange, &w);
    json_key(&w, "unbundledIntegrations");
    json_write_raw(&w, SLICE_LITERAL("[]"));
    json_key(&w, "addBundledMetadata");
    json_write_bool(&w, true);
    json_key(&w, "maybeBundledConfigIds");
    json_write_raw(&w, SLICE_LITERAL("{}"));
    json_key(&w, "versionSettings");
    json_write_raw(&w, SLICE_LITERAL("{\"version\":\"4.4.7\",\"componentTypes\":[\"browser\"]}"));
    json_end_object(&w);
    json_end_object(&w);
    json_key(&w, "plan");
    json_write_raw(&w, SLICE_LITERAL("{\"track\":{\"__default\":{\"enabled\":true}},\"identify\":{"
                                     "\"__default\":{\"enabled\":true}},\"group\":{\"__default\":{"
                                     "\"enabled\":true}}}"));
    json_key(&w, "edgeFunction");
    json_write_raw(&w, SLICE_LITERAL("{}"));
    json_key(&w, "analyticsNextEnabled");
    json_write_bool(&w, true);
    json_key(&w, "middlewareSettings");
    json_write_raw(&w, SLICE_LITERAL("{}"));
    json_key(&w, "enabledMiddleware");
    json_write_raw(&w, SLICE_LITERAL("{}"));
    json_key(&w, "metrics");
    json_write_raw(&w, SLICE_LITERAL("{\"sampleRate\":0}"));
    json_key(&w, "remotePlugins");
    json_write_raw(&w, SLICE_LITERAL("[]"));
    json_end_object(&w);
    exchange_answer(exchange, 200, buf_slice(&body));
}

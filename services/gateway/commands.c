#include "commands.h"
#include "domain/bodies.h"
#include "domain/identity.h"
#include "envelope.h"
#include "routes.h"
#include "serve.h"

#include <stdio.h>

#define MAX_IDEMPOTENCY_KEY 255 /* bytes */

static void on_delivered(struct exchange *exchange)
{
    /* Now it will happen, whether anybody hears of it or not: the reply or the deadline answers. */
}

static int64_t elapsed_us(const struct exchange *exchange)
{
    return gateway_now(exchange->gateway) - exchange->started_us;
}

/* Where to look for what a late answer would have said. */
static void answer_accepted(struct exchange *exchange)
{
    _cleanup_(buf_deinit) struct buf location = {0};
    _cleanup_(buf_deinit) struct buf body = {0};
    struct json_writer w = json_writer_make(&body);
    buf_append_str(&location, exchange->route->answer->location);
    for (size_t i = 0; i < exchange->subject.size; i++) {
        uint8_t c = exchange->subject.data[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                     (c && strchr("-._~", c));
        if (plain)
            buf_append_byte(&location, c);
        else
            buf_printf(&location, "%%%02X", c);
    }
    json_begin_object(&w);
    json_key(&w, "status");
    json_write_str(&w, "accepted");
    json_key(&w, "location");
    json_write_slice(&w, buf_slice(&location));
    json_end_object(&w);
    exchange_answer(exchange, 202, buf_slice(&body));
}

static void answer_late(struct exchange *exchange)
{
    metric_inc(exchange->gateway->stats.late_parts, 1);
    if (exchange->undelivered > 0 || (exchange->route->flags & ROUTE_READ_ONLY))
        exchange_problem(exchange, GW_PROBLEM_UNAVAILABLE, "The answer did not come in time", NULL);
    else
        answer_accepted(exchange);
}

/* After every reply and at every deadline: answers, or waits on. */
static void settle(struct exchange *exchange)
{
    int64_t elapsed = elapsed_us(exchange);
    switch (gw_gather_state(&exchange->gather, elapsed)) {
    case GW_GATHER_WAIT:
        exchange_arm(exchange, gw_gather_next_us(&exchange->gather, elapsed) - elapsed);
        break;
    case GW_GATHER_LATE:
        answer_late(exchange);
        break;
    case GW_GATHER_READY: {
        _cleanup_(buf_deinit) struct buf body = {0};
        unsigned missing = gw_gather_write(&exchange->gather, exchange->subject, &body);
        metric_inc(exchange->gateway->stats.late_parts, missing);
        exchange_answer(exchange, exchange->gather.answer->status, buf_slice(&body));
        break;
    }
    }
}

static void answer_refused(struct exchange *exchange, const Journey__V1__Problem *problem)
{
    struct gw_faults faults = {.n = 0};
    for (size_t i = 0; i < problem->n_errors; i++)
        gw_fault_add(&faults, problem->errors[i]->field, problem->errors[i]->code,
                     problem->errors[i]->message);
    exchange_problem(exchange, gw_problem_find(problem->code), problem->detail, &faults);
}

/* A service of another release, or with a fault. */
static void answer_incomplete(struct exchange *exchange)
{
    char trace[33] = "";
    memcpy(trace, exchange->trace + 3, 32);
    log_event(LOG_ERROR, "reply_incomplete", trace, "\"route\":\"%s\"", exchange->route->name);
    exchange_problem(exchange, GW_PROBLEM_INTERNAL, NULL, NULL);
}

void command_reply(struct exchange *exchange, struct slice bytes)
{
    Journey__V1__Reply *reply = journey__v1__reply__unpack(NULL, bytes.size, bytes.data);
    if (!reply)
        return; /* the deadline answers */
    if (reply->problem && gw_gather_refused(&exchange->gather, reply->service)) {
        answer_refused(exchange, reply->problem);
    } else {
        for (size_t i = 0; i < reply->n_parts; i++) {
            struct slice json = arena_slice(exchange->arena, slice_str(reply->parts[i]->json));
            gw_gather_part(&exchange->gather, reply->parts[i]->name, json);
        }
        if (reply->problem || gw_gather_service_done(&exchange->gather, reply->service))
            settle(exchange);
        else
            answer_incomplete(exchange);
    }
    journey__v1__reply__free_unpacked(reply, NULL);
}

/* The ids of a command: from the Idempotency-Key, else from its message id, given or made. */
static void identify(struct command_build *b)
{
    struct exchange *exchange = b->exchange;
    const struct route *route = exchange->route;
    struct slice given = json_string(json_get(b->body, "message_id"), b->arena);
    const char *header = http_request_header(exchange->request, "Idempotency-Key");
    struct slice key = slice_str(route->flags & ROUTE_READ_ONLY ? NULL : header);
    uint8_t random[16];
    if (key.size > MAX_IDEMPOTENCY_KEY)
        gw_fault_add(b->faults, "Idempotency-Key", "too_long", "must have at most 255 bytes");
    if (!given.size) {
        struct entropy *entropy = exchange->gateway->world.entropy;
        entropy->fill(entropy, random, sizeof(random));
    }
    struct slice message = given.size ? given : gw_hex(random, sizeof(random), b->arena);
    uint8_t *hashes = arena_alloc(b->arena, 2 * (size_t)GW_HASH_SIZE);
    if (!hashes)
        return;
    gw_command_id(hashes, exchange->key.tenant.id, route->name, exchange->subject, key, message);
    gw_body_hash(hashes + GW_HASH_SIZE, route->name, exchange->bytes);
    b->command->id = (ProtobufCBinaryData){GW_HASH_SIZE, hashes};
    b->command->body_hash = (ProtobufCBinaryData){GW_HASH_SIZE, hashes + GW_HASH_SIZE};
    if (key.size && !given.size) /* the same again when the same is asked again elsewhere */
        message = gw_hex(hashes, GW_HASH_SIZE, b->arena);
    b->command->message_id = arena_str(b->arena, message);
}

static void send_command(struct command_build *b)
{
    struct exchange *exchange = b->exchange;
    struct gateway *gateway = exchange->gateway;
    struct bus *bus = gateway->world.bus;
    size_t size = journey__v1__command__get_packed_size(b->command);
    uint8_t *value = arena_alloc(b->arena, size + 1);
    struct slice key = topic_key(exchange->key.tenant.id, b->key_id, b->arena);
    struct envelope envelope;
    struct err err = {0};
    envelope_init(&envelope, exchange, "Command", b->now_us);
    envelope_reply_to(&envelope, exchange);
    if (!value || arena_overflowed(b->arena)) {
        exchange_problem(exchange, GW_PROBLEM_TOO_LARGE, NULL, NULL);
        return;
    }
    journey__v1__command__pack(b->command, value);
    struct bus_message message = {.topic = exchange->route->topic,
                                  .partition = topic_partition(key, bus_partitions(bus)),
                                  .key = key,
                                  .value = slice_make(value, size),
                                  .headers = envelope.headers,
                                  .n_headers = envelope.n,
                                  .cookie = exchange->handle};
    exchange->undelivered = 1;
    exchange->sent_all = true;
    exchange->delivered = on_delivered;
    exchange->timeout = settle;
    gw_gather_init(&exchange->gather, exchange->route->answer,
                   b->command->deadline_us - exchange->started_us);
    int r = bus_send(bus, &message, &err);
    if (r == ERR_TOO_LARGE)
        exchange_problem(exchange, GW_PROBLEM_TOO_LARGE, NULL, NULL);
    else if (r < 0)
        exchange_report(gateway, exchange->handle, false);
    else
        settle(exchange);
}

static bool read_subject(struct exchange *exchange)
{
    if (!strstr(exchange->route->pattern, "{session_id}"))
        return true;
    exchange->subject = exchange->parameters[0];
    if (gw_session_id_valid(exchange->subject))
        return true;
    exchange_problem(exchange, GW_PROBLEM_NOT_FOUND, "Journey session not found", NULL);
    return false;
}

void command_run(struct exchange *exchange)
{
    const struct route *route = exchange->route;
    struct gateway *gateway = exchange->gateway;
    struct gw_faults faults = {.n = 0};
    if (!read_subject(exchange) || (route->schema && !serve_parse(exchange)))
        return;
    if (route->schema)
        gw_schema_check(route->schema, exchange->body, &faults, exchange->arena);
    if (faults.n) {
        exchange_problem(exchange, GW_PROBLEM_INVALID_REQUEST, NULL, &faults);
        return;
    }
    if (!gateway->replies_started) {
        exchange_problem(exchange, GW_PROBLEM_UNAVAILABLE, NULL, NULL);
        return;
    }
    Journey__V1__Command command;
    int64_t deadline_ms = route->deadline_ms ? route->deadline_ms : gateway->options.deadline_ms;
    journey__v1__command__init(&command);
    command.tenant_id = (ProtobufCBinaryData){16, exchange->key.tenant.id};
    command.received_us = exchange->started_us;
    command.deadline_us = exchange->started_us + deadline_ms * 1000;
    command.read_only = (route->flags & ROUTE_READ_ONLY) != 0;
    command.subject = arena_str(exchange->arena, exchange->subject);
    struct command_build build = {.exchange = exchange,
                                  .body = exchange->body,
                                  .arena = exchange->arena,
                                  .now_us = exchange->started_us,
                                  .command = &command,
                                  .faults = &faults};
    route->build(&build);
    exchange->subject = arena_slice(exchange->arena, slice_str(command.subject));
    if (!build.key_id.size)
        build.key_id = exchange->subject;
    identify(&build);
    if (build.forbidden)
        exchange_problem(exchange, GW_PROBLEM_FORBIDDEN, build.forbidden, NULL);
    else if (faults.n)
        exchange_problem(exchange, GW_PROBLEM_INVALID_REQUEST, NULL, &faults);
    else
        send_command(&build);
}

/* Slow questions: asked after their batch is committed, on a connection of their own, and answered beside the stream. */
#include "internal.h"

#include <stdlib.h>

void ask_free(struct ask **ask)
{
    if (!*ask)
        return;
    arena_destroy(&(*ask)->arena);
    free(*ask);
    *ask = NULL;
}

static void unlink_ask(struct stream *s, struct ask *ask)
{
    struct ask **p = &s->asks;
    while (*p != ask)
        p = &(*p)->next;
    *p = ask->next;
    s->n_asks--;
}

static void fill(struct ask *ask, Journey__V1__Reply *reply, Journey__V1__Problem *problem)
{
    if (ask->load.err.code) {
        journey__v1__problem__init(problem);
        problem->status = 503;
        problem->code = arena_copy(ask->arena, "unavailable", 11);
        problem->detail = arena_copy(ask->arena, "the answer could not be read now", 32);
        reply->status = 503;
        reply->problem = problem;
        return;
    }
    reply->status = 200;
    ask->answer(ask->user, ask->load.found, ask->load.n_found, ask->arena, reply);
}

/* Not numbered and not in an outbox: it changed nothing, and whoever waits can ask again. */
static void ask_done(struct store_load *load)
{
    struct ask *ask = load->user;
    struct stream *s = ask->stream;
    Journey__V1__Reply reply;
    Journey__V1__Problem problem;
    struct bus_header headers[BUS_MAX_HEADERS];
    struct err err = {0};
    journey__v1__reply__init(&reply);
    fill(ask, &reply, &problem);
    reply.correlation_id = ask->correlation;
    reply.service = arena_copy(ask->arena, s->service->name, strlen(s->service->name));
    size_t size = protobuf_c_message_get_packed_size(&reply.base);
    uint8_t *value = arena_alloc(ask->arena, size + 1);
    if (value && size <= BUS_MAX_RECORD_BYTES) {
        protobuf_c_message_pack(&reply.base, value);
        const char *source = arena_printf(ask->arena, "/journey/%s", s->service->name);
        struct bus_message message = {.topic = TOPIC_REPLIES,
                                      .partition = ask->reply_partition,
                                      .key = slice_str(ask->correlation),
                                      .value = slice_make(value, size),
                                      .headers = headers};
        message.n_headers = headers_cloudevents(
            headers, ask->arena, arena_printf(ask->arena, "answer-%s", ask->correlation),
            "journey.v1.Reply", source, s->now_us, ask->trace);
        headers[message.n_headers++] =
            (struct bus_header){"correlation-id", slice_str(ask->correlation)};
        if (bus_send(s->bus, &message, &err) < 0)
            observe(s, LOG_WARN, "answer_not_sent", "\"code\":\"%s\"", status_name(err.code));
    }
    unlink_ask(s, ask);
    ask_free(&ask);
    s->wants_step = true;
}

void ask_start(struct stream *s, struct ask *asks)
{
    while (asks) {
        struct ask *ask = asks;
        asks = ask->next;
        ask->next = s->asks;
        s->asks = ask;
        s->n_asks++;
        metric_inc(s->m.asks, 1);
        ask->load = (struct store_load){.lookup = ask->lookup,
                                        .keys = ask->key,
                                        .n_keys = 1,
                                        .slow = true,
                                        .arena = ask->arena,
                                        .done = ask_done,
                                        .user = ask};
        store_load(s->store, &ask->load);
    }
}

void ask_deinit(struct stream *s)
{
    while (s->asks) {
        struct ask *ask = s->asks;
        s->asks = ask->next;
        ask_free(&ask);
    }
}

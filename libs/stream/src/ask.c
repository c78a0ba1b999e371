/* Slow questions: asked after their batch is committed, on a connection of their own, and answered beside the stream. */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    ANSWER_LIMIT = BUS_MAX_RECORD_BYTES - 2000 /* its headers and key take some */
};

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

static void set_problem(Journey__V1__Reply *reply, Journey__V1__Problem *problem, int status,
                        char *code, char *detail)
{
    journey__v1__problem__init(problem);
    journey__v1__reply__init(reply);
    problem->status = reply->status = status;
    problem->code = code;
    problem->detail = detail;
    reply->problem = problem;
}

/* The reply's bytes, on the heap; NULL: no memory. What is too large is answered with that. */
static uint8_t *fill(struct ask *ask, size_t *size)
{
    static char unavailable[] = "unavailable", not_now[] = "the answer could not be read now",
                large[] = "too_large", smaller[] = "the answer is too large, ask for less";
    Journey__V1__Reply reply;
    Journey__V1__Problem problem;
    bool too_large = ask->load.err.code == ERR_NO_MEMORY;
    journey__v1__reply__init(&reply);
    reply.status = 200;
    if (ask->load.err.code && !too_large)
        set_problem(&reply, &problem, 503, unavailable, not_now);
    else if (!too_large)
        ask->answer(ask->user, ask->load.found, ask->load.n_found, ask->arena, &reply);
    for (;; too_large = true) {
        if (too_large || arena_overflowed(ask->arena))
            set_problem(&reply, &problem, 413, large, smaller);
        reply.correlation_id = ask->correlation;
        reply.service = ask->service;
        *size = protobuf_c_message_get_packed_size(&reply.base);
        if (*size <= ANSWER_LIMIT || too_large)
            break;
    }
    uint8_t *value = malloc(*size + 1);
    if (value)
        protobuf_c_message_pack(&reply.base, value);
    return value;
}

/* Not numbered and not in an outbox: it changed nothing, and whoever waits can ask again. */
static void ask_done(struct store_load *load)
{
    struct ask *ask = load->user;
    struct stream *s = ask->stream;
    struct bus_header headers[BUS_MAX_HEADERS];
    struct err err = {0};
    size_t size;
    uint8_t *value = fill(ask, &size);
    if (value) {
        char id[MAX_ID], time[TIME_TEXT_SIZE];
        (void)snprintf(id, sizeof(id), "answer-%s", ask->correlation);
        time_format(time, s->now_us);
        struct bus_message message = {.topic = TOPIC_REPLIES,
                                      .partition = ask->reply_partition,
                                      .key = slice_str(ask->correlation),
                                      .value = slice_make(value, size),
                                      .headers = headers,
                                      .cookie = UINT64_MAX}; /* nobody's slot */
        message.n_headers = headers_cloudevents(headers, slice_str(id), "journey.v1.Reply",
                                                s->source, time, ask->trace);
        headers[message.n_headers++] =
            (struct bus_header){"correlation-id", slice_str(ask->correlation)};
        if (bus_send(s->bus, &message, &err) < 0)
            observe(s, LOG_WARN, "answer_not_sent", "\"code\":\"%s\"", status_name(err.code));
    }
    free(value);
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

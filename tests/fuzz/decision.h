#pragma once
/*
 * Any bytes as what a service reads from its topics, decided as the runtime does, in an arena with its limit; what was decided
 * must be fit to be said and kept: messages that read back, states that can be projected, and text that is text where it came
 * in as such. The effects' functions stand here instead of the runtime's.
 *
 *   first byte even   records one after the other: the input's number, two bytes of length, a value
 *   odd               an event's texts, each ended by a NUL: context, properties, name, message id, session id
 */
#include "fuzz/check.h"
#include "stream.h"
#include "topics.h"

#include "journey/v1/event.pb-c.h"

#define DECISION_MESSAGES 8 /* of one input */

static const struct stream_service *decision_service;
static bool decision_texts_valid; /* of what is being decided */

/* ---- what was decided ---- */

static void *decision_allocate(void *arena, size_t size)
{
    return arena_alloc(arena, size);
}

static void decision_release(void *arena, void *memory)
{
    (void)arena;
    (void)memory;
}

static ProtobufCMessage *decision_unpack(const ProtobufCMessageDescriptor *type, struct slice value,
                                         struct arena *arena)
{
    ProtobufCAllocator allocator = {decision_allocate, decision_release, arena};
    return protobuf_c_message_unpack(type, &allocator, value.size, value.data);
}

static void decision_check_message(struct stream_decision *d, const void *message)
{
    if (arena_overflowed(d->arena))
        return;
    check(message);
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = arena_alloc(d->arena, size + 1);
    check(!bytes || protobuf_c_message_pack(message, bytes) == size);
}

static void decision_check_values(struct stream_decision *d, const struct store_table *table,
                                  const struct store_value *values, unsigned n)
{
    if (arena_overflowed(d->arena))
        return;
    for (unsigned i = 0; i < n; i++) {
        enum store_type type = table->columns[i].type;
        struct slice text = values[i].s;
        if (values[i].null)
            continue;
        if (type == STORE_UUID)
            check(text.size == 16);
        if (type == STORE_JSON)
            check(text.size > 0);
        if (type == STORE_JSON && decision_texts_valid)
            check_json(text);
        if (type == STORE_TEXT && decision_texts_valid)
            check(text.size == 0 || utf8_valid(text));
    }
}

void stream_put_state(struct stream_decision *d, void *state)
{
    d->state = state;
    if (state)
        decision_check_message(d, state);
}

void stream_put_part(struct stream_decision *d, int64_t sub, struct slice data)
{
    check(data.size == 0 || data.data);
}

void stream_put_row(struct stream_decision *d, const struct store_table *table,
                    const struct store_value *values)
{
    decision_check_values(d, table, values, table->n_columns);
}

void stream_remove_row(struct stream_decision *d, const struct store_table *table,
                       const struct store_value *values)
{
    decision_check_values(d, table, values, table->n_key);
}

void stream_publish(struct stream_decision *d, int topic, struct slice key, const void *message,
                    int64_t time_us)
{
    check(arena_overflowed(d->arena) || key.size > 0);
    decision_check_message(d, message);
}

void stream_forward(struct stream_decision *d, int topic, struct slice key, const void *message,
                    int64_t time_us)
{
    stream_publish(d, topic, key, message, time_us);
}

void stream_set_timer(struct stream_decision *d, const char *name, int64_t due_us)
{
    check(name[0]);
}

void stream_cancel_timer(struct stream_decision *d, const char *name)
{
    check(name[0]);
}

void stream_reply(struct stream_decision *d, const void *reply)
{
    decision_check_message(d, reply);
}

void stream_reply_part(struct stream_decision *d, int status, const char *name, const char *json)
{
    check(name[0] && json[0]);
}

void stream_call(struct stream_decision *d, const char *name, struct slice data)
{
    check(name[0]);
}

void stream_reply_problem(struct stream_decision *d, int status, const char *code,
                          const char *detail)
{
    check(status >= 400 && code[0] && detail);
}

void stream_ask(struct stream_decision *d, const struct store_lookup *lookup,
                const struct store_value *key, stream_answer_fn answer, struct slice user)
{
    check(answer);
}

void stream_park(struct stream_decision *d, int64_t until_us)
{
    check(until_us > 0);
}

void stream_reject(struct stream_decision *d, const char *code, const char *reason)
{
    check(code[0] && reason[0]);
}

void stream_stop(struct stream_decision *d, const char *reason)
{
    check(reason[0]);
}

void stream_cache(struct stream_decision *d, struct slice key, struct slice value, int64_t seconds)
{
    check(seconds >= 0);
}

void stream_count(struct stream_decision *d, unsigned counter, double by)
{
    check(counter < decision_service->n_counters);
}

const void *stream_mirror_get(const struct stream_decision *d, unsigned mirror, struct slice key)
{
    check(mirror < decision_service->n_mirrors);
    return NULL;
}

/* ---- deciding ---- */

static bool decision_is_text(const ProtobufCMessage *message);

static bool decision_is_text_of(const ProtobufCFieldDescriptor *field, const void *at)
{
    const void *member = *(const void *const *)at;
    if (field->type == PROTOBUF_C_TYPE_STRING)
        return !member || utf8_valid(slice_str(member));
    return field->type != PROTOBUF_C_TYPE_MESSAGE || !member || decision_is_text(member);
}

/* Whether all texts are UTF-8, as the gateway writes them. */
static bool decision_is_text(const ProtobufCMessage *message)
{
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        const char *at = (const char *)message + field->offset;
        bool pointer =
            field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_MESSAGE;
        bool absent =
            (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) &&
            *(const uint32_t *)((const char *)message + field->quantifier_offset) != field->id;
        if (!pointer || absent)
            continue;
        size_t n = 1;
        if (field->label == PROTOBUF_C_LABEL_REPEATED) {
            n = *(const size_t *)((const char *)message + field->quantifier_offset);
            at = *(const char *const *)at;
        }
        for (size_t k = 0; k < n; k++)
            if (!decision_is_text_of(field, at + k * sizeof(void *)))
                return false;
    }
    return true;
}

static void decision_project(struct stream_decision *d, const struct stream_state *state)
{
    struct store_value values[64] = {{.null = false}};
    unsigned n = state->table->n_columns;
    check(n <= ARRAY_SIZE(values));
    if (!d->state || !state->project || arena_overflowed(d->arena))
        return;
    for (unsigned i = 0; i < n; i++)
        values[i].null = true;
    state->project(d->state, d->now_us, d->arena, values);
    decision_check_values(d, state->table, values, n - 1);
}

/* *state: what an earlier message of the same input left. */
static void decision_message(const struct stream_input *input, const ProtobufCMessage *body,
                             unsigned index, struct arena *arena, void **state)
{
    struct stream_message message = {.kind = STREAM_RECORD,
                                     .input = input,
                                     .body = body,
                                     .index = index,
                                     .command = input->lane == BUS_LANE_COMMANDS};
    struct stream_decision d = {
        .now_us = INT64_C(1790000000000000), .arena = arena, .state = *state};
    struct stream_need needs[STREAM_MAX_NEEDS];
    struct err err;
    if (input->key(body, index, arena, &message.key, &err) < 0)
        return;
    if (message.key.id.size < 1 || message.key.id.size > STREAM_MAX_ID)
        return;
    if (input->needs)
        check(input->needs(body, index, arena, needs) <= STREAM_MAX_NEEDS);
    input->decide(&d, &message);
    decision_project(&d, input->state);
    *state = d.state;
}

static void decision_record(const struct stream_input *input, struct slice value,
                            struct arena *arena, void **state)
{
    ProtobufCMessage *body = decision_unpack(input->type, value, arena);
    if (!body)
        return;
    decision_texts_valid = decision_texts_valid && decision_is_text(body);
    unsigned n = input->count ? input->count(body) : 1;
    for (unsigned i = 0; i < n && i < DECISION_MESSAGES; i++) {
        decision_message(input, body, i, arena, state);
        if (input->alone)
            check(arena_overflowed(arena) || input->alone(body, i, arena).data);
    }
}

static Journey__V1__Event *decision_event(struct slice rest, struct arena *arena)
{
    static uint8_t id[] = "0123456789abcdef";
    Journey__V1__Event *event = arena_alloc(arena, sizeof(*event));
    journey__v1__event__init(event);
    event->type = JOURNEY__V1__EVENT_TYPE__EVENT_TYPE_TRACK;
    event->device = event->user = (ProtobufCBinaryData){16, id};
    event->timestamp_us = INT64_C(1789999999000000);
    char **texts[] = {&event->context, &event->properties, &event->name, &event->message_id,
                      &event->session_id};
    for (unsigned i = 0; i < ARRAY_SIZE(texts); i++)
        *texts[i] = arena_str(arena, take_text(&rest));
    return event;
}

static struct slice decision_packed(const void *message, struct arena *arena)
{
    uint8_t *bytes = arena_alloc(arena, protobuf_c_message_get_packed_size(message) + 1);
    return slice_make(bytes, protobuf_c_message_pack(message, bytes));
}

/* made: the event's texts as a record of the first input. */
static inline int
decision_input(const struct stream_service *service, const uint8_t *data, size_t size,
               struct slice (*made)(Journey__V1__Event *event, struct arena *arena))
{
    static struct arena *arena;
    unsigned how = take_byte(&data, &size);
    void *state = NULL;
    decision_service = service;
    decision_texts_valid = true;
    if (!arena)
        arena = arena_create((size_t)64 << 20);
    arena_reset(arena);
    if (how % 2) {
        struct slice value = made(decision_event(slice_make(data, size), arena), arena);
        for (unsigned i = 0; i < 2; i++)
            decision_record(&service->inputs[0], value, arena, &state);
        return 0;
    }
    for (unsigned i = 0; i < DECISION_MESSAGES && size > 0; i++) {
        const struct stream_input *input =
            &service->inputs[take_byte(&data, &size) % service->n_inputs];
        size_t length = take_byte(&data, &size);
        length |= take_byte(&data, &size) << 8;
        length = length < size ? length : size;
        decision_record(input, slice_make(data, length), arena, &state);
        data += length;
        size -= length;
    }
    return 0;
}

/* Asking something of the world: commands, events, settings, and what is none of them. */
#include "world.h"

#include <stdio.h>

#include "test.h"

#include "journey/v1/command.pb-c.h"
#include "journey/v1/event.pb-c.h"
#include "journey/v1/settings.pb-c.h"

struct world_key world_key(unsigned key)
{
    struct world_key k = {.tenant = {1, 2, 3, (uint8_t)(key % 2)}};
    (void)snprintf(k.id, sizeof(k.id), "key%u", key / 2);
    return k;
}

static struct slice record_key(const struct world_key *key, struct arena *arena)
{
    return topic_key(key->tenant, slice_str(key->id), arena);
}

int32_t world_partition(const struct world *world, unsigned key)
{
    struct arena *arena = arena_create(1 << 10);
    struct world_key about = world_key(key);
    int32_t partition = topic_partition(record_key(&about, arena), world->partitions);
    arena_destroy(&arena);
    return partition;
}

static void send(struct world *world, int topic, struct slice key, struct slice value,
                 const struct bus_header *headers, unsigned n_headers)
{
    struct err err = {0};
    struct bus_message message = {.topic = topic,
                                  .partition = topic_partition(key, world->partitions),
                                  .key = key,
                                  .value = value,
                                  .headers = headers,
                                  .n_headers = n_headers};
    assert_int_equal(bus_send(world->client, &message, &err), 0);
}

static struct slice packed(struct arena *arena, const void *message)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *data = arena_alloc(arena, size + 1);
    protobuf_c_message_pack(message, data);
    return slice_make(data, size);
}

/* Of every size that one may have or not. */
static void make_trace(struct world *world, char trace[100])
{
    uint64_t size =
        world_below(world, 2) ? 55 : world_below(world, 2) * (50 + world_below(world, 50));
    memset(trace, 'a', size);
    trace[size] = '\0';
}

static void fill_body(Journey__V1__Command *command, const struct world_asked *asked,
                      struct arena *arena)
{
    switch (asked->kind) {
    case ASKED_COUNT:
        command->body_case = JOURNEY__V1__COMMAND__BODY_COUNT_UP;
        command->count_up = arena_alloc(arena, sizeof(*command->count_up));
        journey__v1__count_up__init(command->count_up);
        command->count_up->by = asked->by;
        break;
    case ASKED_CALL:
        command->body_case = JOURNEY__V1__COMMAND__BODY_OPTIMIZE;
        command->optimize = arena_alloc(arena, sizeof(*command->optimize));
        journey__v1__optimize__init(command->optimize);
        break;
    case ASKED_TIMER:
        command->body_case = JOURNEY__V1__COMMAND__BODY_END;
        command->end = arena_alloc(arena, sizeof(*command->end));
        journey__v1__end_session__init(command->end);
        command->end->timestamp_us = asked->by;
        break;
    case ASKED_FORWARD:
        command->body_case = JOURNEY__V1__COMMAND__BODY_STAGE;
        command->stage = arena_alloc(arena, sizeof(*command->stage));
        journey__v1__change_stage__init(command->stage);
        break;
    case ASKED_VALUE:
    case ASKED_GARBAGE:
        command->body_case = JOURNEY__V1__COMMAND__BODY_GET;
        command->get = arena_alloc(arena, sizeof(*command->get));
        journey__v1__get_session__init(command->get);
        break;
    }
}

/* Where an answer cannot go. */
static const char *const nowhere[] = {
    "", "x", "-1", "1x", "12", "1234567890", "99999999999999999999"};

static bool is_mute(const struct world_asked *asked)
{
    return asked->kind == ASKED_COUNT && asked->by == WORLD_MUTE;
}

static void send_command(struct world *world, uint64_t number, unsigned first, unsigned n)
{
    struct arena *arena = arena_create(1 << 20);
    const struct world_asked *asked = &world->asked[number - 1];
    struct world_key about = world_key(asked->key);
    Journey__V1__Command command;
    uint8_t id[16] = {0};
    memcpy(id, &number, sizeof(number));
    journey__v1__command__init(&command);
    command.tenant_id = (ProtobufCBinaryData){16, about.tenant};
    command.id = command.body_hash = (ProtobufCBinaryData){16, id};
    command.subject = about.id;
    command.read_only = asked->kind == ASKED_VALUE;
    fill_body(&command, asked, arena);
    struct slice value = packed(arena, &command);
    if (asked->kind == ASKED_GARBAGE)
        value = asked->by ? slice_make("\xff\xff", (size_t)asked->by) : (struct slice){0};
    const char *reply_to =
        is_mute(asked) ? nowhere[number % ARRAY_SIZE(nowhere)]
                       : arena_printf(arena, "%d", (int)(number % (uint64_t)world->partitions));
    for (unsigned i = first; i < first + n; i++) {
        const char *correlation = arena_printf(arena, "%llu.%u", (unsigned long long)number, i);
        const struct bus_header headers[] = {{"ce_id", slice_str(correlation)},
                                             {"traceparent", slice_str(asked->trace)},
                                             {"reply-partition", slice_str(reply_to)},
                                             {"correlation-id", slice_str(correlation)}};
        send(world, TOPIC_TEMPLATE_COMMANDS, record_key(&about, arena), value, headers,
             ARRAY_SIZE(headers));
    }
    world_tell(world, NULL, "command %llu, kind %d, key %u, by %lld, %u times",
               (unsigned long long)number, (int)asked->kind, asked->key, (long long)asked->by, n);
    arena_destroy(&arena);
}

void world_ask(struct world *world, int kind, unsigned key, int64_t by, unsigned copies)
{
    assert_true(world->commands < WORLD_ASKED && key < WORLD_KEYS_MOST);
    struct world_asked *asked = &world->asked[world->commands++];
    *asked = (struct world_asked){.kind = (unsigned)kind, .key = key, .copies = copies, .by = by};
    make_trace(world, asked->trace);
    if (kind == ASKED_GARBAGE ||
        (kind == ASKED_COUNT && by >= WORLD_REJECTED && !is_mute(asked) && by != WORLD_LOUD))
        world->rejects += copies;
    send_command(world, world->commands, 0, copies);
}

void world_repeat(struct world *world, uint64_t number)
{
    send_command(world, number, world->asked[number - 1].copies++, 1);
}

void world_command(struct world *world, unsigned key, int64_t by, unsigned copies)
{
    world_ask(world, ASKED_COUNT, key, by, copies);
}

void world_events(struct world *world, unsigned events, unsigned copies)
{
    struct arena *arena = arena_create(1 << 20);
    Journey__V1__EventBatch batch;
    Journey__V1__Event event[8], *list[8];
    /* All of one tenant and partition, as the gateway would: those of the first. */
    unsigned first = (unsigned)world_below(world, WORLD_KEYS), bad = 0;
    struct world_key about = world_key(first);
    struct slice key = record_key(&about, arena);
    int32_t partition = topic_partition(key, world->partitions);
    journey__v1__event_batch__init(&batch);
    batch.tenant_id = (ProtobufCBinaryData){16, about.tenant};
    batch.events = list;
    for (unsigned i = 0; i < events; i++) {
        unsigned k = (unsigned)world_below(world, WORLD_KEYS),
                 dice = (unsigned)world_below(world, 20);
        struct world_key other = world_key(k);
        if (memcmp(other.tenant, about.tenant, 16) != 0 ||
            topic_partition(record_key(&other, arena), world->partitions) != partition) {
            k = first;
            other = about;
        }
        journey__v1__event__init(&event[i]);
        event[i].timestamp_us = (int64_t)++world->events;
        event[i].session_id = arena_printf(arena, "%s", other.id);
        if (dice == 1)
            event[i].session_id = world_below(world, 2)
                                      ? arena_printf(arena, "%s", "")
                                      : arena_printf(arena, "%0*d", STREAM_MAX_ID + 1, 0);
        event[i].name = arena_printf(arena, "%s", dice == 0 ? "bad" : dice < 5 ? "late" : "good");
        list[i] = &event[i];
        bad += dice < 2;
        world->wanted_events[k] += dice >= 2;
    }
    batch.n_events = events;
    for (unsigned i = 0; i < copies; i++)
        send(world, TOPIC_EVENTS, key, packed(arena, &batch), NULL, 0);
    world->rejects += bad * copies;
    world_tell(world, NULL, "events up to %llu, first of %u, %u times",
               (unsigned long long)world->events, first, copies);
    arena_destroy(&arena);
}

static void send_batch(struct world *world, unsigned key, const char *name, unsigned events)
{
    struct arena *arena = arena_create(4 << 20);
    Journey__V1__EventBatch batch;
    Journey__V1__Event event, *list[] = {&event, &event, &event};
    journey__v1__event_batch__init(&batch);
    journey__v1__event__init(&event);
    struct world_key about = world_key(key);
    batch.tenant_id = (ProtobufCBinaryData){16, about.tenant};
    batch.events = list;
    batch.n_events = events;
    event.timestamp_us = (int64_t)++world->events;
    event.session_id = about.id;
    event.name = arena_printf(arena, "%s", name);
    send(world, TOPIC_EVENTS, record_key(&about, arena), packed(arena, &batch), NULL, 0);
    arena_destroy(&arena);
}

void world_poison(struct world *world, unsigned key)
{
    send_batch(world, key, "poison", 1);
    world->rejects++;
}

void world_unstorable(struct world *world, unsigned key)
{
    send_batch(world, key, "unstorable", 3);
    world->rejects++;
}

void world_empty(struct world *world, unsigned key)
{
    send_batch(world, key, "", 0);
}

void world_large(struct world *world, unsigned key)
{
    char name[BUS_MAX_RECORD_BYTES - 1000];
    memset(name, 'x', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    send_batch(world, key, name, 1);
    world->wanted_events[key]++;
}

void world_settings(struct world *world)
{
    struct arena *arena = arena_create(1 << 20);
    Journey__V1__TenantSettings settings;
    journey__v1__tenant_settings__init(&settings);
    settings.version = ++world->settings;
    send(world, TOPIC_SETTINGS, SLICE_LITERAL("settings"), packed(arena, &settings), NULL, 0);
    settings.version--; /* a late repeat behind it */
    send(world, TOPIC_SETTINGS, SLICE_LITERAL("settings"), packed(arena, &settings), NULL, 0);
    arena_destroy(&arena);
}

#include "world.h"

#include <stdio.h>

const uint8_t world_tenant[16] = {1, 2, 3};

static int64_t world_now(struct clock *clock)
{
    return ((struct world *)(void *)clock)->now_us;
}

static void observe(void *user, enum log_level level, const char *event, const char *fields)
{
    struct world *world = user;
    if (level >= LOG_ERROR)
        (void)snprintf(world->stopped, sizeof(world->stopped), "%s %s", event, fields);
}

static void start(struct world *world)
{
    const struct store_table *tables[16];
    unsigned n = stream_tables(&ingest_service, tables, 16);
    struct err err = {0};
    world->bus = bus_mem_create(world->cluster);
    world->store = store_mem_create(world->db, tables, n);
    world->metrics = metrics_create();
    struct stream_options options = {.bus = world->bus,
                                     .store = world->store,
                                     .clock = &world->clock,
                                     .metrics = world->metrics,
                                     .user = world,
                                     .observe = observe};
    if (stream_create(&world->stream, &ingest_service, &options, &err) < 0)
        fail_msg("%s", err.message);
}

static void crash(struct world *world)
{
    store_destroy(&world->store);
    stream_destroy(&world->stream);
    bus_destroy(&world->bus);
    metrics_destroy(&world->metrics);
}

void world_restart(struct world *world)
{
    crash(world);
    start(world);
}

struct world *world_create(void)
{
    struct world *world = calloc(1, sizeof(*world));
    assert_non_null(world);
    world->clock.now_us = world_now;
    world->now_us = WORLD_NOW;
    world->cluster = bus_mem_cluster_create(WORLD_PARTITIONS);
    world->db = store_mem_db_create();
    world->client = bus_mem_create(world->cluster);
    world->arena = arena_create(64 << 20);
    start(world);
    return world;
}

void world_destroy(struct world **out)
{
    struct world *world = *out;
    crash(world);
    bus_destroy(&world->client);
    store_mem_db_destroy(&world->db);
    bus_mem_cluster_destroy(&world->cluster);
    arena_destroy(&world->arena);
    free(world);
    *out = NULL;
}

void world_settle(struct world *world)
{
    struct bus_event event;
    for (int quiet = 0; quiet < 20; quiet++) {
        stream_step(world->stream);
        while (store_mem_step(world->store)) {
            stream_step(world->stream);
            quiet = 0;
        }
        while (bus_poll_control(world->client, &event))
            bus_event_release(world->client, &event);
        world->now_us += 1000;
    }
}

/* ---- sending ---- */

static void send(struct world *world, int topic, struct slice key, const ProtobufCMessage *message)
{
    struct err err = {0};
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *value = arena_alloc(world->arena, size + 1);
    protobuf_c_message_pack(message, value);
    struct bus_message record = {.topic = topic,
                                 .partition = topic_partition(key, WORLD_PARTITIONS),
                                 .key = key,
                                 .value = slice_make(value, size)};
    if (bus_send(world->client, &record, &err) < 0)
        fail_msg("%s", err.message);
}

static ProtobufCBinaryData bytes(struct world *world, const void *data)
{
    return (ProtobufCBinaryData){16, arena_copy(world->arena, data, 16)};
}

static ProtobufCBinaryData device_of(struct world *world, uint8_t number)
{
    uint8_t hash[16] = {number, 0xd};
    return bytes(world, hash);
}

static struct slice device_key(struct world *world, ProtobufCBinaryData device)
{
    char text[33] = "none";
    if (device.len == 16)
        hex_format(text, device.data, device.len);
    return topic_key(world_tenant, slice_str(text), world->arena);
}

static char *text(struct world *world, const char *value)
{
    return arena_str(world->arena, slice_str(value));
}

void world_settings(struct world *world, const char *basis, const char *idle_seconds)
{
    static int64_t version;
    char key[UUID_TEXT_SIZE];
    Journey__V1__TenantSettings settings;
    Journey__V1__Setting setting, *list = &setting;
    journey__v1__tenant_settings__init(&settings);
    journey__v1__setting__init(&setting);
    settings.tenant_id = bytes(world, world_tenant);
    settings.version = ++version;
    settings.analytics_basis = text(world, basis);
    setting.key = text(world, "session_idle_seconds");
    setting.value = text(world, idle_seconds ? idle_seconds : "");
    settings.settings = &list;
    settings.n_settings = idle_seconds ? 1 : 0;
    uuid_format(key, world_tenant);
    send(world, TOPIC_SETTINGS, slice_str(key), &settings.base);
    world_settle(world);
}

Journey__V1__Event *world_event(struct world *world, uint8_t device, const char *message_id,
                                int64_t timestamp_us)
{
    Journey__V1__Event *event = arena_alloc(world->arena, sizeof(*event));
    journey__v1__event__init(event);
    event->type = JOURNEY__V1__EVENT_TYPE__EVENT_TYPE_TRACK;
    event->name = text(world, "Product Viewed");
    event->message_id = text(world, message_id);
    event->device = device_of(world, device);
    event->timestamp_us = timestamp_us;
    return event;
}

void world_send(struct world *world, int topic, Journey__V1__Event **events, size_t n)
{
    Journey__V1__EventBatch batch;
    journey__v1__event_batch__init(&batch);
    batch.tenant_id = bytes(world, world_tenant);
    batch.received_us = world->now_us;
    batch.client = text(world, "api");
    batch.events = events;
    batch.n_events = n;
    send(world, topic, device_key(world, events[0]->device), &batch.base);
}

void world_send_one(struct world *world, Journey__V1__Event *event)
{
    world_send(world, TOPIC_EVENTS, &event, 1);
}

Journey__V1__Command *world_start(struct world *world, uint8_t device, const char *session_id)
{
    Journey__V1__Command *command = arena_alloc(world->arena, sizeof(*command));
    Journey__V1__StartSession *body = arena_alloc(world->arena, sizeof(*body));
    Journey__V1__SessionStart *session = arena_alloc(world->arena, sizeof(*session));
    uint8_t id[16] = {7}, hash[16] = {8};
    journey__v1__command__init(command);
    journey__v1__start_session__init(body);
    journey__v1__session_start__init(session);
    session->persona_type = text(world, "TechEarlyAdopter");
    session->device_type = text(world, "mobile");
    body->start = session;
    body->device = device_of(world, device);
    command->tenant_id = bytes(world, world_tenant);
    command->id = bytes(world, id);
    command->body_hash = bytes(world, hash);
    command->received_us = world->now_us;
    command->deadline_us = world->now_us + SECOND_US;
    command->subject = text(world, session_id);
    command->body_case = JOURNEY__V1__COMMAND__BODY_START;
    command->start = body;
    return command;
}

void world_send_command(struct world *world, Journey__V1__Command *command)
{
    ProtobufCBinaryData none = {0};
    bool start = command->body_case == JOURNEY__V1__COMMAND__BODY_START;
    send(world, TOPIC_COMMANDS_INGEST, device_key(world, start ? command->start->device : none),
         &command->base);
}

/* ---- looking ---- */

/* Counts messages, each once: a new owner says again what may not have arrived, under the same
 * number. */
static unsigned each_record(struct world *world, int topic, unsigned wanted,
                            const struct bus_record **found)
{
    unsigned n = 0;
    for (int32_t p = 0; p < WORLD_PARTITIONS; p++) {
        uint64_t last[WORLD_PARTITIONS] = {0}; /* by producer partition */
        int64_t end = bus_mem_end(world->cluster, topic, p);
        for (int64_t offset = 0; offset < end; offset++) {
            const struct bus_record *record = bus_mem_record(world->cluster, topic, p, offset);
            const struct bus_header *id = bus_record_header(record, "ce_id");
            struct stream_number number;
            if (id && stream_number_parse(id->value, &number)) {
                unsigned producer = number.producer.data[number.producer.size - 1] - '0';
                assert_true(producer < WORLD_PARTITIONS);
                if (number.number <= last[producer])
                    continue;
                assert_true(number.number == last[producer] + 1);
                last[producer] = number.number;
            }
            if (n++ == wanted)
                *found = record;
        }
    }
    return n;
}

const struct bus_record *world_record(struct world *world, int topic, unsigned n)
{
    const struct bus_record *found = NULL;
    each_record(world, topic, n, &found);
    return found;
}

unsigned world_count(struct world *world, int topic)
{
    const struct bus_record *found;
    return each_record(world, topic, UINT32_MAX, &found);
}

static void *allocate(void *arena, size_t size)
{
    return arena_alloc(arena, size);
}

static void release(void *arena, void *pointer) {}

Journey__V1__Accepted *world_accepted(struct world *world, const char *message_id)
{
    ProtobufCAllocator allocator = {allocate, release, world->arena};
    const struct bus_record *record;
    for (unsigned i = 0; (record = world_record(world, TOPIC_ACCEPTED, i)); i++) {
        Journey__V1__Accepted *accepted =
            journey__v1__accepted__unpack(&allocator, record->value.size, record->value.data);
        assert_non_null(accepted);
        if (strcmp(accepted->event->message_id, message_id) == 0)
            return accepted;
    }
    fail_msg("%s was not accepted", message_id);
    return NULL;
}

double world_counter(struct world *world, const char *series)
{
    struct buf rendered = {0};
    metrics_render(world->metrics, &rendered);
    char *line = arena_printf(world->arena, "\n%s ", series);
    const char *found = strstr((const char *)rendered.data, line);
    double value = found ? strtod(found + strlen(line), NULL) : -1;
    buf_deinit(&rendered);
    return value;
}

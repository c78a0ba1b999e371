#include "rig.h"

#include <stdio.h>

const uint8_t rig_tenant[16] = {1, 2, 3};

static int64_t rig_now(struct clock *clock)
{
    return ((struct rig *)(void *)clock)->now_us;
}

static void observe(void *user, enum log_level level, const char *event, const char *fields)
{
    struct rig *rig = user;
    if (getenv("RIG_VERBOSE"))
        (void)fprintf(stderr, "%lld %s %s\n", (long long)rig->now_us, event, fields);
    if (level >= LOG_WARN)
        (void)snprintf(rig->alarm, sizeof(rig->alarm), "%s %s", event, fields);
}

static struct store *open_twin(struct rig *rig)
{
    const struct store_table *tables[32];
    unsigned n = stream_tables(rig->service, tables, ARRAY_SIZE(tables));
    return store_mem_create(rig->db, tables, n);
}

static bool run_twin(struct rig *rig)
{
    return store_mem_step(rig->store);
}

static const struct rig_store_ops twin = {open_twin, run_twin};

/* ---- its life ---- */

static void begin(struct rig *rig)
{
    struct err err = {0};
    rig->bus = bus_mem_create(rig->cluster);
    rig->store = rig->store_ops->open(rig);
    rig->metrics = metrics_create();
    const struct stream_options options = {.bus = rig->bus,
                                           .store = rig->store,
                                           .clock = &rig->clock,
                                           .metrics = rig->metrics,
                                           .user = rig,
                                           .observe = observe};
    if (stream_create(&rig->stream, rig->service, &options, &err) < 0)
        fail_msg("%s", err.message);
    rig_settle(rig);
}

static void crash(struct rig *rig)
{
    store_destroy(&rig->store);
    stream_destroy(&rig->stream);
    bus_destroy(&rig->bus);
    metrics_destroy(&rig->metrics);
}

struct rig *rig_create(const struct stream_service *service)
{
    return rig_create_on(service, &twin, NULL);
}

struct rig *rig_create_on(const struct stream_service *service, const struct rig_store_ops *ops,
                          void *user)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    assert_non_null(rig);
    rig->service = service;
    rig->store_ops = ops;
    rig->store_user = user;
    rig->clock.now_us = rig_now;
    rig->now_us = RIG_NOW_US;
    rig->cluster = bus_mem_cluster_create(RIG_PARTITIONS);
    rig->client = bus_mem_create(rig->cluster);
    rig->db = store_mem_db_create();
    rig->arena = arena_create((size_t)64 << 20);
    begin(rig);
    return rig;
}

void rig_destroy(struct rig **rig)
{
    struct rig *r = *rig;
    if (r->alarm[0])
        (void)fprintf(stderr, "# operators saw: %s\n", r->alarm);
    crash(r);
    bus_destroy(&r->client);
    bus_mem_cluster_destroy(&r->cluster);
    store_mem_db_destroy(&r->db);
    arena_destroy(&r->arena);
    free(r);
    *rig = NULL;
}

void rig_restart(struct rig *rig)
{
    crash(rig);
    begin(rig);
}

static bool publishes(const struct stream_service *service, int topic)
{
    for (unsigned i = 0; i < service->n_publishes; i++)
        if (service->publishes[i] == topic)
            return true;
    return topic == TOPIC_REPLIES;
}

/* On Kafka, what is not declared is not looked for at the start. */
static void check_topics(struct rig *rig)
{
    for (int topic = 0; topic < TOPIC_COUNT; topic++)
        for (int32_t p = 0; p < RIG_PARTITIONS; p++)
            if (!rig->sent_to[topic] && !publishes(rig->service, topic) &&
                bus_mem_end(rig->cluster, topic, p) > 0)
                fail_msg("%s publishes to %s, which is not among its .publishes",
                         rig->service->name, topic_name(topic));
}

void rig_settle(struct rig *rig)
{
    enum {
        QUIET = 60,
        MOST = 5000
    }; /* rounds, a millisecond each */
    struct bus_event event;
    for (int quiet = 0, all = 0; quiet < QUIET && all < MOST; quiet++, all++) {
        (void)stream_step(rig->stream);
        while (rig->store_ops->run(rig)) {
            (void)stream_step(rig->stream);
            quiet = 0;
        }
        while (bus_poll_control(rig->client, &event))
            bus_event_release(rig->client, &event);
        rig->now_us += 1000;
    }
    check_topics(rig);
}

void rig_pass(struct rig *rig, int64_t us)
{
    for (int64_t step = us / 20 + 1; us > 0; us -= step) {
        rig->now_us += min_i64(step, us);
        rig_settle(rig);
    }
}

/* ---- saying ---- */

void rig_send(struct rig *rig, int topic, struct slice key, const ProtobufCMessage *message,
              const char *correlation)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *value = arena_alloc(rig->arena, size + 1);
    protobuf_c_message_pack(message, value);
    const char *id = arena_printf(rig->arena, "test-%llu", (unsigned long long)++rig->sent);
    const struct bus_header headers[] = {{"ce_id", slice_str(id)},
                                         {"reply-partition", SLICE_LITERAL("0")},
                                         {"correlation-id", slice_str(correlation)}};
    const struct bus_message m = {.topic = topic,
                                  .partition = topic_partition(key, RIG_PARTITIONS),
                                  .key = key,
                                  .value = slice_make(value, size),
                                  .headers = headers,
                                  .n_headers = correlation ? 3 : 1};
    struct err err = {0};
    if (bus_send(rig->client, &m, &err) < 0)
        fail_msg("%s", err.message);
    rig->sent_to[topic] = true;
}

Journey__V1__Command *rig_command(struct rig *rig, const char *subject)
{
    Journey__V1__Command *c = arena_alloc(rig->arena, sizeof(*c));
    uint8_t *id = arena_alloc(rig->arena, 16);
    journey__v1__command__init(c);
    rig->sent++;
    memcpy(id, &rig->sent, sizeof(rig->sent));
    c->tenant_id = (ProtobufCBinaryData){16, arena_copy(rig->arena, rig_tenant, 16)};
    c->id = c->body_hash = (ProtobufCBinaryData){16, id};
    c->subject = arena_str(rig->arena, slice_str(subject));
    c->received_us = rig->now_us;
    c->deadline_us = rig->now_us + 2 * SECOND_US;
    c->message_id = arena_printf(rig->arena, "command-%llu", (unsigned long long)rig->sent);
    return c;
}

static int topic_of_commands(const struct stream_service *service)
{
    for (unsigned i = 0; i < service->n_inputs; i++)
        if (service->inputs[i].lane == BUS_LANE_COMMANDS)
            return service->inputs[i].topic;
    fail_msg("%s has no input in BUS_LANE_COMMANDS", service->name);
    return -1;
}

const Journey__V1__Reply *rig_ask(struct rig *rig, const Journey__V1__Command *command)
{
    const char *correlation = arena_printf(rig->arena, "c%llu", (unsigned long long)rig->sent);
    (void)rig_last_reply(rig);
    rig_send(rig, topic_of_commands(rig->service),
             topic_key(rig_tenant, slice_str(command->subject), rig->arena), &command->base,
             correlation);
    rig_settle(rig);
    const Journey__V1__Reply *reply = rig_last_reply(rig);
    /* an earlier one may be said again */
    return reply && strcmp(reply->correlation_id, correlation) == 0 ? reply : NULL;
}

/* ---- hearing ---- */

static void *take(void *arena, size_t size)
{
    return arena_alloc(arena, size);
}

static void keep(void *arena, void *pointer) {}

static const void *decode(struct rig *rig, const struct bus_record *record,
                          const ProtobufCMessageDescriptor *type)
{
    ProtobufCAllocator allocator = {take, keep, rig->arena};
    const void *message =
        protobuf_c_message_unpack(type, &allocator, record->value.size, record->value.data);
    if (!message)
        fail_msg("%s: a record that is no %s", topic_name(record->topic), type->short_name);
    return message;
}

const Journey__V1__Reply *rig_last_reply(struct rig *rig)
{
    const Journey__V1__Reply *reply = NULL;
    int64_t end = bus_mem_end(rig->cluster, TOPIC_REPLIES, 0);
    for (; rig->replies < end; rig->replies++)
        reply = decode(rig, bus_mem_record(rig->cluster, TOPIC_REPLIES, 0, rig->replies),
                       &journey__v1__reply__descriptor);
    return reply;
}

const char *rig_part(const Journey__V1__Reply *reply, const char *name)
{
    for (size_t i = 0; reply && i < reply->n_parts; i++)
        if (strcmp(reply->parts[i]->name, name) == 0)
            return reply->parts[i]->json;
    return "";
}

int rig_status(const Journey__V1__Reply *reply)
{
    if (!reply)
        return 0;
    return reply->problem ? reply->problem->status : reply->status;
}

const char *rig_code(const Journey__V1__Reply *reply)
{
    return reply && reply->problem ? reply->problem->code : "";
}

/* By producer partition: what was said from there before has a smaller number. */
static bool is_repeat(const struct bus_record *record, uint64_t last[RIG_PARTITIONS])
{
    const struct bus_header *id = bus_record_header(record, "ce_id");
    struct stream_number number;
    if (!id || !stream_number_parse(id->value, &number))
        return false;
    unsigned producer = (unsigned)(number.producer.data[number.producer.size - 1] - '0');
    assert_true(producer < RIG_PARTITIONS);
    if (number.number <= last[producer])
        return true;
    assert_true(number.number == last[producer] + 1); /* without gaps */
    last[producer] = number.number;
    return false;
}

static unsigned each_record(struct rig *rig, int topic, unsigned wanted,
                            const struct bus_record **found)
{
    unsigned n = 0;
    for (int32_t p = 0; p < RIG_PARTITIONS; p++) {
        uint64_t last[RIG_PARTITIONS] = {0};
        int64_t end = bus_mem_end(rig->cluster, topic, p);
        for (int64_t offset = 0; offset < end; offset++) {
            const struct bus_record *record = bus_mem_record(rig->cluster, topic, p, offset);
            if (!is_repeat(record, last) && n++ == wanted)
                *found = record;
        }
    }
    return n;
}

unsigned rig_said(struct rig *rig, int topic)
{
    const struct bus_record *found;
    return each_record(rig, topic, UINT32_MAX, &found);
}

const struct bus_record *rig_record(struct rig *rig, int topic, unsigned n)
{
    const struct bus_record *found = NULL;
    (void)each_record(rig, topic, n, &found);
    return found;
}

const void *rig_message(struct rig *rig, int topic, unsigned n,
                        const ProtobufCMessageDescriptor *type)
{
    const struct bus_record *record = rig_record(rig, topic, n);
    return record ? decode(rig, record, type) : NULL;
}

/* ---- looking ---- */

unsigned rig_rows(struct rig *rig, const struct store_table *table,
                  const struct store_value *rows[RIG_MAX])
{
    return store_mem_rows(rig->db, table, rows, RIG_MAX);
}

unsigned rig_count(struct rig *rig, const struct store_table *table)
{
    const struct store_value *rows[RIG_MAX];
    return rig_rows(rig, table, rows);
}

const struct store_value *rig_row(struct rig *rig, const struct store_table *table, const char *id)
{
    const struct store_value *rows[RIG_MAX];
    unsigned n = rig_rows(rig, table, rows);
    for (unsigned i = 0; i < n; i++)
        if (memcmp(rows[i][0].s.data, rig_tenant, 16) == 0 && slice_equal_str(rows[i][1].s, id))
            return rows[i];
    return NULL;
}

double rig_counter(struct rig *rig, const char *series)
{
    struct buf rendered = {0};
    metrics_render(rig->metrics, &rendered);
    char *line = arena_printf(rig->arena, "\n%s ", series);
    const char *found = strstr((const char *)rendered.data, line);
    double value = found ? strtod(found + strlen(line), NULL) : -1;
    buf_deinit(&rendered);
    return value;
}

/*
 * Writes events to the topic of imports, as one request's events are written by the gateway: a record per partition and
 * some events. Visitors of two days ago, a thousand at a time, 20 events each.
 *
 *   imports BROKERS PARTITIONS TENANT EVENTS SEED
 */
#include "bus.h"
#include "shop.h"

#include "journey/v1/event.pb-c.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    VISITORS = 1000,
    VISIT_EVENTS = 20,
    RECORD_EVENTS = 100,
    MAX_PARTITIONS = 64,
    ARENA_BYTES = 1 << 20,
};
#define AGE_US   (2 * DAY_US)
#define APART_US (10 * SECOND_US) /* a visitor's events */

/* A partition's next record. */
struct pending {
    Journey__V1__Event events[RECORD_EVENTS], *list[RECORD_EVENTS];
    struct slice key; /* of its first event */
    size_t n;
    struct arena *arena;
};

struct visitor {
    uint64_t number;
    unsigned left; /* events */
};

struct imports {
    struct bus *bus;
    struct uuid tenant;
    int32_t partitions;
    struct random random;
    struct visitor visitors[VISITORS];
    uint64_t next_visitor, records;
    int64_t now_us;
    struct buf text;
    struct pending pending[MAX_PARTITIONS];
};

static void fail(const char *what, const struct err *err)
{
    (void)fprintf(stderr, "imports: %s: %s\n", what, err ? err->message : "no memory");
    exit(1);
}

static void take_reports(struct imports *imports, int wait_ms)
{
    struct bus_event event;
    struct pollfd fd = {.fd = bus_fd(imports->bus), .events = POLLIN};
    if (wait_ms && poll(&fd, 1, wait_ms) > 0)
        bus_drain_fd(imports->bus);
    while (bus_poll_control(imports->bus, &event) > 0) {
        if (event.type == BUS_PRODUCER_FAILED)
            fail("sending", &event.err);
        bus_event_release(imports->bus, &event);
    }
}

static void send(struct imports *imports, int32_t partition)
{
    struct pending *pending = &imports->pending[partition];
    Journey__V1__EventBatch record;
    char time[TIME_TEXT_SIZE], id[64];
    struct err err;
    int r;
    journey__v1__event_batch__init(&record);
    record.tenant_id = (ProtobufCBinaryData){16, imports->tenant.bytes};
    record.received_us = imports->now_us;
    record.client = arena_str(pending->arena, SLICE_LITERAL("segment"));
    record.events = pending->list;
    record.n_events = pending->n;
    size_t size = journey__v1__event_batch__get_packed_size(&record);
    uint8_t *value = arena_alloc(pending->arena, size);
    if (!value || arena_overflowed(pending->arena))
        fail("a record", NULL);
    journey__v1__event_batch__pack(&record, value);
    time_format(time, imports->now_us);
    (void)snprintf(id, sizeof(id), "bench-%" PRId64 "-%" PRIu64, imports->now_us, imports->records);
    const struct bus_header headers[] = {
        {"ce_specversion", SLICE_LITERAL("1.0")},
        {"ce_id", slice_str(id)},
        {"ce_type", SLICE_LITERAL("journey.v1.EventBatch")},
        {"ce_source", SLICE_LITERAL("/journey/bench")},
        {"ce_time", slice_str(time)},
        {"ce_dataschema", SLICE_LITERAL("/schemas/journey.v1.proto")},
        {"content-type", SLICE_LITERAL("application/protobuf")},
    };
    const struct bus_message message = {.topic = TOPIC_IMPORTS,
                                        .partition = partition,
                                        .key = pending->key,
                                        .value = slice_make(value, size),
                                        .headers = headers,
                                        .n_headers = ARRAY_SIZE(headers),
                                        .cookie = ++imports->records};
    while ((r = bus_send(imports->bus, &message, &err)) == ERR_FULL)
        take_reports(imports, 100);
    if (r < 0)
        fail("sending", &err);
    take_reports(imports, 0);
    pending->n = 0;
    arena_reset(pending->arena);
}

/* ---- events ---- */

static void hash_device(uint8_t device[16], const struct imports *imports, uint64_t visitor)
{
    const struct slice parts[] = {slice_make(imports->tenant.bytes, 16),
                                  SLICE_LITERAL("imported device"),
                                  slice_make(&visitor, sizeof(visitor))};
    hash_keyed(device, NULL, parts, ARRAY_SIZE(parts));
}

static char *text_of(struct imports *imports, struct arena *arena)
{
    char *copy = arena_str(arena, buf_slice(&imports->text));
    buf_reset(&imports->text);
    return copy;
}

static void fill(struct imports *imports, Journey__V1__Event *event, struct arena *arena,
                 uint64_t number)
{
    unsigned product = (unsigned)(random_next(&imports->random) % SHOP_PRODUCTS);
    journey__v1__event__init(event);
    event->message_id = arena_printf(arena, "import-%012" PRIu64, number);
    event->type = JOURNEY__V1__EVENT_TYPE__EVENT_TYPE_TRACK;
    event->name = arena_str(arena, slice_str(shop_event(random_next(&imports->random))));
    event->timestamp_us = imports->now_us - AGE_US + (int64_t)number * APART_US / VISITORS;
    shop_properties(&imports->text, product, 0);
    event->properties = text_of(imports, arena);
    shop_context(&imports->text, product, 0);
    event->context = text_of(imports, arena);
}

static void add(struct imports *imports, uint64_t number)
{
    struct visitor *visitor = &imports->visitors[number % VISITORS];
    uint8_t device[16];
    char hex[33], tenant[UUID_TEXT_SIZE], key[80];
    if (visitor->left == 0)
        *visitor = (struct visitor){.number = ++imports->next_visitor, .left = VISIT_EVENTS};
    visitor->left--;
    hash_device(device, imports, visitor->number);
    hex_format(hex, device, sizeof(device));
    uuid_format(tenant, imports->tenant.bytes);
    int size = snprintf(key, sizeof(key), "%s/%s", tenant, hex);
    int32_t partition = topic_partition(slice_make(key, (size_t)size), imports->partitions);
    struct pending *pending = &imports->pending[partition];
    Journey__V1__Event *event = &pending->events[pending->n];
    fill(imports, event, pending->arena, number);
    event->device =
        (ProtobufCBinaryData){sizeof(device), arena_copy(pending->arena, device, sizeof(device))};
    if (pending->n == 0)
        pending->key = arena_slice(pending->arena, slice_make(key, (size_t)size));
    pending->list[pending->n++] = event;
    if (pending->n == RECORD_EVENTS)
        send(imports, partition);
}

static void write_all(struct imports *imports, uint64_t events)
{
    for (uint64_t number = 0; number < events; number++)
        add(imports, number);
    for (int32_t p = 0; p < imports->partitions; p++)
        if (imports->pending[p].n)
            send(imports, p);
    while (bus_unreported(imports->bus))
        take_reports(imports, 100);
}

int main(int argc, char **argv)
{
    static struct imports imports;
    struct err err;
    const int topic = TOPIC_IMPORTS;
    long partitions = argc == 6 ? strtol(argv[2], NULL, 10) : 0;
    if (partitions < 1 || partitions > MAX_PARTITIONS ||
        uuid_parse(&imports.tenant, slice_str(argv[3])) < 0) {
        (void)fputs("imports BROKERS PARTITIONS TENANT EVENTS SEED\n", stderr);
        return 2;
    }
    const struct bus_kafka_options options = {.brokers = argv[1],
                                              .client_id = "bench-imports",
                                              .prefix = "",
                                              .partitions = (int32_t)partitions,
                                              .send_topics = &topic,
                                              .n_send_topics = 1};
    imports.partitions = (int32_t)partitions;
    imports.random.state = strtoull(argv[5], NULL, 10);
    imports.now_us = clock_system()->now_us(clock_system());
    for (int32_t p = 0; p < imports.partitions; p++)
        if (!(imports.pending[p].arena = arena_create(ARENA_BYTES)))
            fail("setting up", NULL);
    if (bus_kafka_create(&imports.bus, &options, &err) < 0)
        fail("Kafka", &err);
    write_all(&imports, strtoull(argv[4], NULL, 10));
    bus_destroy(&imports.bus);
    for (int32_t p = 0; p < imports.partitions; p++)
        arena_destroy(&imports.pending[p].arena);
    buf_deinit(&imports.text);
    return 0;
}

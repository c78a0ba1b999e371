#include "event_batch.h"
#include "envelope.h"
#include "journey/v1/event.pb-c.h"
#include "routes.h"
#include "stats.h"

/* Below BUS_MAX_RECORD_BYTES with room for key and headers. */
#define MAX_VALUE_BYTES 850000

struct entry {
    Journey__V1__Event event;
    struct slice key;
    int32_t partition;
    struct entry *next; /* of the same partition */
};

struct dead {
    struct slice raw, key;
    const char *id, *code, *field, *reason;
};

struct lane { /* of a partition */
    struct entry *first, **last;
};

struct event_batch {
    struct exchange *exchange;
    enum gw_client_id client;
    int64_t received_us;
    struct entry *entries;
    struct dead *dead;
    unsigned n, n_dead;
    struct lane *lanes;
    int32_t partitions;
};

struct event_batch *event_batch_make(struct exchange *exchange, unsigned max_events)
{
    struct arena *arena = exchange->arena;
    struct event_batch *batch = arena_alloc(arena, sizeof(*batch));
    int32_t partitions = bus_partitions(exchange->gateway->world.bus);
    if (!batch)
        return NULL;
    batch->exchange = exchange;
    batch->partitions = partitions;
    batch->client = exchange->route->client;
    batch->received_us = exchange->started_us;
    batch->entries = arena_alloc(arena, (max_events + 1) * sizeof(*batch->entries));
    batch->dead = arena_alloc(arena, (max_events + 1) * sizeof(*batch->dead));
    batch->lanes = arena_alloc(arena, (size_t)partitions * sizeof(*batch->lanes));
    return batch->entries && batch->dead && batch->lanes ? batch : NULL;
}

void event_batch_came(struct event_batch *batch, enum gw_client_id client, int64_t received_us)
{
    batch->client = client;
    batch->received_us = received_us;
}

static ProtobufCBinaryData hash_bytes(struct arena *arena, const uint8_t hash[GW_HASH_SIZE],
                                      bool has)
{
    uint8_t *copy = has ? arena_copy(arena, hash, GW_HASH_SIZE) : NULL;
    return (ProtobufCBinaryData){copy ? GW_HASH_SIZE : 0, copy};
}

static void fill(Journey__V1__Event *to, const struct gw_event *from, struct arena *arena)
{
    journey__v1__event__init(to);
    to->message_id = arena_str(arena, slice_str(from->message_id));
    to->type = (Journey__V1__EventType)from->type;
    to->name = arena_str(arena, slice_str(from->name));
    to->device = hash_bytes(arena, from->device, from->has_device);
    to->user = hash_bytes(arena, from->user, from->has_user);
    to->session_id = arena_str(arena, slice_str(from->session_id));
    to->timestamp_us = from->timestamp_us;
    to->sent_at_us = from->sent_at_us;
    to->properties = arena_str(arena, from->properties);
    to->context = arena_str(arena, from->context);
    to->group = hash_bytes(arena, from->group, from->has_group);
    to->previous = hash_bytes(arena, from->previous, from->has_previous);
    to->device_is_user = from->device_is_user;
    to->prefetch = from->prefetch;
    to->opt_out = from->opt_out;
}

static struct slice key_of(struct event_batch *batch, const struct gw_event *event)
{
    struct arena *arena = batch->exchange->arena;
    struct slice id = event->has_device ? gw_hex(event->device, GW_HASH_SIZE, arena)
                                        : slice_str(event->message_id);
    return topic_key(batch->exchange->key.tenant.id, id, arena);
}

void event_batch_add(struct event_batch *batch, const struct gw_event *event)
{
    struct entry *entry = &batch->entries[batch->n++];
    fill(&entry->event, event, batch->exchange->arena);
    entry->key = key_of(batch, event);
    entry->partition = topic_partition(entry->key, batch->partitions);
    struct lane *lane = &batch->lanes[entry->partition];
    *(lane->first ? lane->last : &lane->first) = entry;
    lane->last = &entry->next;
}

void event_batch_add_dead(struct event_batch *batch, const struct gw_event *event, struct slice raw,
                          const struct gw_fault *fault)
{
    struct arena *arena = batch->exchange->arena;
    struct dead *dead = &batch->dead[batch->n_dead++];
    dead->raw = raw;
    dead->key = key_of(batch, event);
    dead->id = event->message_id;
    dead->code = fault->code;
    dead->field = fault->field;
    dead->reason =
        arena_printf(arena, "%s%s%s", fault->field, *fault->field ? ": " : "", fault->message);
}

static int send(struct event_batch *batch, int topic, struct slice key, struct slice value,
                const struct envelope *envelope)
{
    struct exchange *exchange = batch->exchange;
    struct bus *bus = exchange->gateway->world.bus;
    struct bus_message message = {.topic = topic,
                                  .partition = topic_partition(key, batch->partitions),
                                  .key = key,
                                  .value = value,
                                  .headers = envelope->headers,
                                  .n_headers = envelope->n,
                                  .cookie = exchange->handle};
    int r = bus_send(bus, &message, NULL);
    exchange->undelivered += r >= 0;
    return r;
}

/* Events of one partition from `first` on, as many as fit; *rest is where the next record begins. */
static int send_record(struct event_batch *batch, struct entry *first, struct entry **rest)
{
    struct exchange *exchange = batch->exchange;
    struct arena *arena = exchange->arena;
    Journey__V1__EventBatch record;
    size_t n = 0, bytes = 0;
    struct entry *end = first;
    journey__v1__event_batch__init(&record);
    for (; end; end = end->next, n++) {
        bytes += journey__v1__event__get_packed_size(&end->event) + 8;
        if (n && bytes > MAX_VALUE_BYTES)
            break;
    }
    record.tenant_id = (ProtobufCBinaryData){16, exchange->key.tenant.id};
    record.received_us = batch->received_us;
    record.client = arena_str(arena, slice_str(gw_client_name(batch->client)));
    record.events = arena_alloc(arena, n * sizeof(Journey__V1__Event *));
    if (!record.events)
        return ERR_NO_MEMORY;
    for (struct entry *e = first; e != end; e = e->next)
        record.events[record.n_events++] = &e->event;
    size_t size = journey__v1__event_batch__get_packed_size(&record);
    uint8_t *value = arena_alloc(arena, size + 1);
    struct envelope envelope;
    envelope_init(&envelope, exchange, "EventBatch", exchange->started_us);
    if (!value || arena_overflowed(arena))
        return ERR_NO_MEMORY;
    journey__v1__event_batch__pack(&record, value);
    *rest = end;
    return send(batch, TOPIC_EVENTS, first->key, slice_make(value, size), &envelope);
}

static const char type_digit[] = "0123456789"; /* by enum gw_event_type */

static int send_dead(struct event_batch *batch, const struct dead *dead)
{
    struct envelope envelope;
    struct exchange *exchange = batch->exchange;
    envelope_init(&envelope, exchange, NULL, exchange->started_us);
    envelope_add(&envelope, "content-type", SLICE_LITERAL("application/json"));
    envelope_add(&envelope, "dlq-code", slice_str(dead->code));
    envelope_add(&envelope, "dlq-reason", slice_str(dead->reason));
    envelope_add(&envelope, "dlq-field", slice_str(dead->field));
    envelope_add(&envelope, "dlq-service", SLICE_LITERAL("gateway"));
    envelope_add(&envelope, "message-id", slice_str(dead->id));
    /* what it takes to map it again */
    envelope_add(&envelope, "client", slice_str(gw_client_name(batch->client)));
    envelope_add(&envelope, "event-type", slice_make(&type_digit[exchange->route->event_type], 1));
    stats_dead_letter(exchange->gateway, TOPIC_EVENTS, dead->code);
    return send(batch, topic_dlq(TOPIC_EVENTS), dead->key, dead->raw, &envelope);
}

static int send_all(struct event_batch *batch)
{
    int r = arena_overflowed(batch->exchange->arena) ? ERR_NO_MEMORY : 0;
    for (int32_t p = 0; r >= 0 && p < batch->partitions; p++) {
        struct entry *at = batch->lanes[p].first;
        while (r >= 0 && at)
            r = send_record(batch, at, &at);
    }
    for (unsigned i = 0; r >= 0 && i < batch->n_dead; i++)
        r = send_dead(batch, &batch->dead[i]);
    return r;
}

void event_batch_send(struct event_batch *batch)
{
    struct exchange *exchange = batch->exchange;
    int r = send_all(batch);
    exchange->sent_all = true;
    if (r == ERR_NO_MEMORY || r == ERR_TOO_LARGE)
        exchange_problem(exchange, GW_PROBLEM_TOO_LARGE, NULL, NULL);
    else if (r < 0)
        exchange_report(exchange->gateway, exchange->handle, false);
    else if (exchange->undelivered == 0)
        exchange->delivered(exchange);
}

#include "event_batch.h"
#include "domain/wire.h"
#include "envelope.h"
#include "routes.h"

/* Below BUS_MAX_RECORD_BYTES with room for key and headers. */
#define MAX_VALUE_BYTES 850000

struct entry {
    struct slice event; /* encoded */
    struct slice key;
    struct entry *next; /* of the same partition */
};

struct dead {
    struct slice raw, key;
    const char *id, *code, *reason;
};

struct lane { /* of a partition */
    struct entry *first, **last;
};

struct event_batch {
    struct exchange *exchange;
    struct entry *entries;
    struct dead *dead;
    unsigned n, n_dead;
    struct lane *lanes;
    int32_t partitions;
    struct slice head; /* of each record */
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
    batch->entries = arena_alloc(arena, (max_events + 1) * sizeof(*batch->entries));
    batch->dead = arena_alloc(arena, (max_events + 1) * sizeof(*batch->dead));
    batch->lanes = arena_alloc(arena, (size_t)partitions * sizeof(*batch->lanes));
    batch->head = gw_wire_batch(exchange->key.tenant.id, exchange->started_us,
                                gw_client_name(exchange->route->client), arena);
    return arena_overflowed(arena) ? NULL : batch;
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
    entry->event = gw_wire_event(event, slice_make(NULL, 0), batch->exchange->arena);
    entry->key = key_of(batch, event);
    struct lane *lane = &batch->lanes[topic_partition(entry->key, batch->partitions)];
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
    size_t size = batch->head.size;
    struct entry *end = first;
    for (; end; end = end->next) {
        if (end != first && size + end->event.size > MAX_VALUE_BYTES)
            break;
        size += end->event.size;
    }
    uint8_t *value = arena_alloc(exchange->arena, size), *at = value;
    struct envelope envelope;
    envelope_init(&envelope, exchange, "EventBatch", exchange->started_us);
    if (arena_overflowed(exchange->arena))
        return ERR_NO_MEMORY;
    at = mempcpy(at, batch->head.data, batch->head.size);
    for (struct entry *e = first; e != end; e = e->next)
        at = mempcpy(at, e->event.data, e->event.size);
    *rest = end;
    return send(batch, TOPIC_EVENTS, first->key, slice_make(value, size), &envelope);
}

static int send_dead(struct event_batch *batch, const struct dead *dead)
{
    struct envelope envelope;
    struct exchange *exchange = batch->exchange;
    envelope_init(&envelope, exchange, NULL, exchange->started_us);
    envelope_add(&envelope, "content-type", SLICE_LITERAL("application/json"));
    envelope_add(&envelope, "dlq-code", slice_str(dead->code));
    envelope_add(&envelope, "dlq-reason", slice_str(dead->reason));
    envelope_add(&envelope, "dlq-service", SLICE_LITERAL("gateway"));
    envelope_add(&envelope, "message-id", slice_str(dead->id));
    exchange->n_dead++;
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

#include "event_batch.h"
#include "domain/wire.h"
#include "envelope.h"
#include "privacy.h"
#include "routes.h"
#include "stats.h"

/* Below BUS_MAX_RECORD_BYTES with room for key and headers. */
#define MAX_VALUE_BYTES 850000

struct entry {
    struct slice event;            /* encoded; empty until it is sealed: */
    const struct gw_event *mapped; /* what waits for its subject's key; else NULL */
    unsigned subject;              /* of mapped: index */
    struct slice key;
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
    struct slice head; /* of each record */
    struct vault_subject *subjects;
    unsigned n_subjects;
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
    batch->client =
        exchange->cut ? (enum gw_client_id)exchange->cut->client : exchange->route->client;
    batch->received_us = exchange->started_us;
    batch->entries = arena_alloc(arena, (max_events + 1) * sizeof(*batch->entries));
    batch->dead = arena_alloc(arena, (max_events + 1) * sizeof(*batch->dead));
    batch->lanes = arena_alloc(arena, (size_t)partitions * sizeof(*batch->lanes));
    batch->subjects = arena_alloc(arena, (max_events + 1) * sizeof(*batch->subjects));
    return arena_overflowed(arena) ? NULL : batch;
}

void event_batch_came(struct event_batch *batch, enum gw_client_id client, int64_t received_us)
{
    batch->client = client;
    batch->received_us = received_us;
}

static struct slice key_of(struct event_batch *batch, const struct gw_event *event)
{
    struct arena *arena = batch->exchange->arena;
    struct slice id = event->has_device ? gw_hex(event->device, GW_HASH_SIZE, arena)
                                        : slice_str(event->message_id);
    return topic_key(batch->exchange->key.tenant.id, id, arena);
}

/* The subject that seals the event: its user, else its device. People send few different ones in a request. */
static unsigned subject_of(struct event_batch *batch, const uint8_t id[GW_HASH_SIZE])
{
    unsigned i = 0;
    while (i < batch->n_subjects && memcmp(batch->subjects[i].id, id, GW_HASH_SIZE) != 0)
        i++;
    if (i == batch->n_subjects)
        memcpy(batch->subjects[batch->n_subjects++].id, id, GW_HASH_SIZE);
    return i;
}

void event_batch_add(struct event_batch *batch, const struct gw_event *event)
{
    struct arena *arena = batch->exchange->arena;
    struct entry *entry = &batch->entries[batch->n++];
    if (event->personal.size) {
        entry->mapped = arena_copy(arena, event, sizeof(*event));
        entry->subject = subject_of(batch, event->has_user ? event->user : event->device);
    } else {
        entry->event = gw_wire_event(event, slice_make(NULL, 0), arena);
    }
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
    dead->field = fault->field;
    dead->reason =
        arena_printf(arena, "%s%s%s", fault->field, *fault->field ? ": " : "", fault->message);
}

struct vault_subject *event_batch_subjects(struct event_batch *batch, unsigned *n)
{
    if (batch->n_dead) { /* the last one: it seals the dead letters */
        vault_day(batch->subjects[batch->n_subjects].id, batch->exchange->started_us);
        batch->n_subjects++;
    }
    *n = batch->n_subjects;
    return batch->subjects;
}

/* Empty: the subject was erased, or the arena is full. */
static struct slice seal(struct event_batch *batch, const struct vault_subject *subject,
                         struct slice plain)
{
    struct entropy *entropy = batch->exchange->gateway->world.entropy;
    uint8_t nonce[PRIVACY_NONCE_SIZE];
    size_t size = plain.size + PRIVACY_SEAL_OVERHEAD;
    uint8_t *sealed = subject->key ? arena_alloc(batch->exchange->arena, size) : NULL;
    if (!sealed)
        return slice_make(NULL, 0);
    entropy->fill(entropy, nonce, sizeof(nonce));
    privacy_seal(sealed, subject->key, batch->exchange->key.tenant.id, subject->id, nonce, plain);
    return slice_make(sealed, size);
}

static void seal_events(struct event_batch *batch)
{
    for (unsigned i = 0; i < batch->n; i++) {
        struct entry *entry = &batch->entries[i];
        if (entry->mapped)
            entry->event = gw_wire_event(
                entry->mapped,
                seal(batch, &batch->subjects[entry->subject], entry->mapped->personal),
                batch->exchange->arena);
    }
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
    return send(batch, exchange->route->topic, first->key, slice_make(value, size), &envelope);
}

static const char type_digit[] = "0123456789"; /* by enum gw_event_type */

/* Sealed whole: nobody has found out yet what of it is personal data. */
static int send_dead(struct event_batch *batch, const struct dead *dead)
{
    struct envelope envelope;
    struct exchange *exchange = batch->exchange;
    char day[TIME_TEXT_SIZE];
    time_format(day, exchange->started_us);
    struct slice sealed = seal(batch, &batch->subjects[batch->n_subjects - 1], dead->raw);
    envelope_init(&envelope, exchange, NULL, exchange->started_us);
    envelope_add(&envelope, "content-type", SLICE_LITERAL("application/octet-stream"));
    envelope_add(&envelope, "sealed", slice_str(arena_printf(exchange->arena, "day/%.10s", day)));
    envelope_add(&envelope, "dlq-code", slice_str(dead->code));
    envelope_add(&envelope, "dlq-reason", slice_str(dead->reason));
    envelope_add(&envelope, "dlq-field", slice_str(dead->field));
    envelope_add(&envelope, "dlq-service", SLICE_LITERAL("gateway"));
    envelope_add(&envelope, "message-id", slice_str(dead->id));
    /* what it takes to map it again */
    envelope_add(&envelope, "client", slice_str(gw_client_name(batch->client)));
    envelope_add(&envelope, "event-type", slice_make(&type_digit[exchange->route->event_type], 1));
    stats_dead_letter(exchange->gateway, exchange->route->topic, dead->code);
    if (arena_overflowed(exchange->arena))
        return ERR_NO_MEMORY;
    return send(batch, topic_dlq(exchange->route->topic), dead->key, sealed, &envelope);
}

static int send_all(struct event_batch *batch)
{
    struct arena *arena = batch->exchange->arena;
    batch->head = gw_wire_batch(batch->exchange->key.tenant.id, batch->received_us,
                                gw_client_name(batch->client), arena);
    seal_events(batch);
    int r = arena_overflowed(arena) ? ERR_NO_MEMORY : 0;
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

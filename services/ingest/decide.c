/* Events: each of a batch is decided alone, in order. */
#include "domain/timing.h"
#include "ingest.h"
#include "topics.h"

unsigned ingest_batch_count(const void *body)
{
    const Journey__V1__EventBatch *batch = body;
    return (unsigned)batch->n_events;
}

int ingest_batch_key(const void *body, unsigned index, struct arena *arena, struct stream_key *key,
                     struct err *err)
{
    const Journey__V1__EventBatch *batch = body;
    return ingest_key(key, batch->tenant_id, batch->events[index]->device, arena, err);
}

unsigned ingest_batch_needs(const void *body, unsigned index, struct arena *arena,
                            struct stream_need *needs)
{
    const Journey__V1__EventBatch *batch = body;
    const Journey__V1__Event *event = batch->events[index];
    return ingest_user_need(batch->tenant_id, event->user, event->device, arena, needs);
}

struct slice ingest_batch_alone(const void *body, unsigned index, struct arena *arena)
{
    Journey__V1__EventBatch alone = *(const Journey__V1__EventBatch *)body;
    alone.events += index;
    alone.n_events = 1;
    size_t size = journey__v1__event_batch__get_packed_size(&alone);
    uint8_t *bytes = arena_alloc(arena, size + 1);
    if (!bytes)
        return slice_make(NULL, 0);
    journey__v1__event_batch__pack(&alone, bytes);
    return slice_make(bytes, size);
}

static enum ingest_invalid validate(const Journey__V1__Event *event)
{
    struct ingest_event plain = {
        .type = (int)event->type,
        .device = slice_make(event->device.data, event->device.len),
        .message_id = slice_str(event->message_id),
        .name = slice_str(event->name),
        .session_id = slice_str(event->session_id),
        .timestamp_us = event->timestamp_us,
    };
    return ingest_validate(&plain);
}

/* True: this message id came before. Else it is noted, if its hour has room. */
static bool seen_before(struct stream_decision *d, struct ingest_device *device,
                        struct slice message_id)
{
    struct ingest_seen_hash hash = ingest_seen_hash(message_id);
    struct ingest_seen seen = {.open = device->seen};
    struct ingest_seen_chunk spilled;
    if (ingest_seen_holds(&seen.open, hash, d->now_us))
        return true;
    for (unsigned i = 0; i < d->n_parts; i++) {
        const struct ingest_seen_chunk chunk = {d->parts[i].sub, d->parts[i].data};
        if (ingest_seen_holds(&chunk, hash, d->now_us))
            return true;
        ingest_seen_written(&seen, &chunk);
    }
    if (!ingest_seen_add(&seen, hash, d->now_us, d->arena, &spilled))
        stream_count(d, INGEST_COUNT_UNTRACKED, 1);
    if (spilled.hashes.size)
        stream_put_part(d, spilled.at_us, spilled.hashes);
    device->seen = seen.open;
    return false;
}

static void count(struct stream_decision *d, const Journey__V1__Accepted *accepted)
{
    const Journey__V1__Enrichment *enrichment = accepted->enrichment;
    bool automatic = enrichment->bot || enrichment->prefetch;
    stream_count(d, INGEST_COUNT_ACCEPTED, 1);
    if (accepted->opens)
        stream_count(d, automatic ? INGEST_COUNT_AUTOMATIC : INGEST_COUNT_SESSIONS, 1);
    if (accepted->time_clamped)
        stream_count(d, INGEST_COUNT_CLAMPED, 1);
    if (accepted->late)
        stream_count(d, INGEST_COUNT_LATE, 1);
    if (enrichment->bot)
        stream_count(d, INGEST_COUNT_BOTS, 1);
    if (enrichment->prefetch)
        stream_count(d, INGEST_COUNT_PREFETCHED, 1);
    if (enrichment->over_length)
        stream_count(d, INGEST_COUNT_OVER_LENGTH, 1);
}

/* What the event says of page, origin and device, and of its session's beginning. */
static bool enrich(struct stream_decision *d, Journey__V1__Accepted *accepted,
                   const struct ingest_context *context, const struct ingest_visit *visit)
{
    accepted->enrichment = ingest_enrich(d, accepted->event, context);
    if (!accepted->enrichment)
        return false;
    accepted->enrichment->over_length = visit->over_length;
    if (visit->opens)
        accepted->opens = ingest_opening(context, accepted->enrichment, visit->returning, d->arena);
    return true;
}

/* Only what may be kept without consent to analytics. */
static bool make_pseudonymous(struct stream_decision *d, Journey__V1__Accepted *accepted,
                              const struct ingest_context *context, const uint8_t tenant[16])
{
    accepted->pseudonymous = true;
    accepted->event = ingest_pseudonymous_event(accepted->event, context, tenant,
                                                slice_str(accepted->session_id), d->arena);
    if (accepted->opens)
        ingest_pseudonymous_start(accepted->opens, d->arena);
    stream_count(d, INGEST_COUNT_PSEUDONYMOUS, 1);
    return accepted->event != NULL;
}

static void accept(struct stream_decision *d, const struct stream_message *m,
                   Journey__V1__Event *event, struct ingest_device *device, int64_t received_us)
{
    struct ingest_settings settings = ingest_settings_of(d, m->key.tenant);
    struct ingest_timing timing =
        ingest_timing_of(event->timestamp_us, event->sent_at_us, received_us);
    Journey__V1__Accepted *accepted = arena_alloc(d->arena, sizeof(*accepted));
    struct ingest_context context;
    if (!accepted)
        return; /* the runtime refuses the decision: its arena has overflowed */
    ingest_context_read(&context, event->context, d->arena);
    ingest_consent_gather(d, device, &context, event->opt_out,
                          min_i64(timing.time_us, received_us));
    struct ingest_force force = ingest_force_of(d, device, &settings, event->opt_out);
    bool pseudonymous = force.of[INGEST_PURPOSE_ANALYTICS] == INGEST_BASIS_NONE;
    const struct ingest_sighting sighting = {
        .named = slice_str(event->session_id),
        .message_id = slice_str(event->message_id),
        .user = slice_make(event->user.data, event->user.len),
        .time_us = timing.time_us,
    };
    struct ingest_visit visit = ingest_device_bind(d, device, &settings, sighting, pseudonymous);
    journey__v1__accepted__init(accepted);
    accepted->tenant_id =
        (ProtobufCBinaryData){16, arena_copy(d->arena, m->key.tenant, sizeof(m->key.tenant))};
    accepted->session_id = arena_str(d->arena, visit.session_id);
    accepted->event = event;
    accepted->time_us = timing.time_us;
    accepted->received_us = received_us;
    accepted->consent = ingest_stamp(&force, d->arena);
    accepted->late = timing.late;
    accepted->time_clamped = timing.clamped;
    accepted->idle_us = settings.limits.idle_us;
    if (!enrich(d, accepted, &context, &visit) ||
        (pseudonymous && !make_pseudonymous(d, accepted, &context, m->key.tenant)))
        return;
    stream_publish(d, TOPIC_ACCEPTED, topic_key(m->key.tenant, visit.session_id, d->arena),
                   accepted, timing.time_us);
    count(d, accepted);
}

void ingest_batch_decide(struct stream_decision *d, const struct stream_message *m)
{
    const Journey__V1__EventBatch *batch = m->body;
    Journey__V1__Event *event = batch->events[m->index];
    enum ingest_invalid invalid = validate(event);
    if (invalid != INGEST_VALID) {
        stream_count(d, INGEST_COUNT_REJECTED + (unsigned)invalid - 1, 1);
        stream_reject(d, ingest_invalid_code(invalid), ingest_invalid_reason(invalid));
        return;
    }
    struct ingest_device *device = ingest_device_load(d, m, event->device.data);
    if (!device)
        return; /* the runtime refuses the decision: its arena has overflowed */
    if (seen_before(d, device, slice_str(event->message_id)))
        stream_count(d, INGEST_COUNT_DUPLICATES, 1);
    else
        accept(d, m, event, device, batch->received_us > 0 ? batch->received_us : d->now_us);
}

/* The map of the runtime: what one step does, in order; and setting up and tearing down. */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>

void observe(struct stream *s, enum log_level level, const char *event, const char *format, ...)
{
    char fields[1024];
    va_list args;
    if (!s->options.observe)
        return;
    va_start(args, format);
    (void)vsnprintf(fields, sizeof(fields), format, args);
    va_end(args);
    s->options.observe(s->options.user, level, event, fields);
}

static void *allocate(void *arena, size_t size)
{
    return arena_alloc(arena, size);
}

static void release(void *arena, void *pointer)
{
    (void)arena;
    (void)pointer;
}

ProtobufCAllocator stream_allocator(struct arena *arena)
{
    return (ProtobufCAllocator){.alloc = allocate, .free = release, .allocator_data = arena};
}

static void put_back(int64_t *at_us, int64_t by_us)
{
    if (*at_us > by_us) /* else it is not set */
        *at_us -= by_us;
}

/* Whatever waits does so no longer for that the clock went back. */
void now_read(struct stream *s)
{
    int64_t before_us = s->now_us;
    s->now_us = s->options.clock->now_us(s->options.clock);
    int64_t back_us = before_us - s->now_us;
    if (back_us <= 0)
        return;
    for (int32_t p = 0; p < s->n_parts; p++) {
        put_back(&s->parts[p].retry_us, back_us);
        put_back(&s->parts[p].unsaved_us, back_us);
    }
    for (unsigned b = 0; b < ARRAY_SIZE(s->batches); b++)
        put_back(&s->batches[b].retry_us, back_us);
    for (unsigned i = 0; i < s->service->n_mirrors; i++)
        put_back(&s->mirrors[i].last_us, back_us);
    put_back(&s->retract_us, back_us);
    put_back(&s->pace.prompt_until_us, back_us);
    put_back(&s->bus_error_us, back_us);
}

/* ---- one step ---- */

static void poll_control(struct stream *s)
{
    struct bus_event event;
    while (bus_poll_control(s->bus, &event)) {
        char text[200];
        switch (event.type) {
        case BUS_ASSIGNMENT:
            own_assignment(s, event.partitions, event.n_partitions);
            break;
        case BUS_DELIVERED:
            outbox_delivered(s, event.cookie);
            continue;
        case BUS_PRODUCER_FAILED:
            observe(s, LOG_ERROR, "producer_failed", "\"error\":\"%s\"",
                    log_escape(text, sizeof(text), event.err.message));
            s->producer_failed = true;
            break;
        case BUS_OFFSET_GONE:
            own_offset_gone(s, event.topic, event.partition, event.offset);
            mirror_offset_gone(s, &event);
            break;
        case BUS_ERROR:
            if (s->now_us - s->bus_error_us > 5 * SECOND_US) {
                s->bus_error_us = s->now_us;
                observe(s, LOG_WARN, "bus_error", "\"error\":\"%s\"",
                        log_escape(text, sizeof(text), event.err.message));
            }
            break;
        case BUS_RECORD:
            break;
        }
        bus_event_release(s->bus, &event);
    }
    if (s->producer_failed) {
        /* A hole may be left behind: nothing that this producer still holds may pass it. */
        s->producer_failed = false;
        bus_producer_reset(s->bus);
        own_forget_all(s, "the producer failed", 50000);
    }
}

static void join(struct stream *s)
{
    struct err err = {0};
    if (s->joined || s->draining || !store_ready(s->store))
        return;
    if (bus_join(s->bus, s->service->name, s->service->inputs[0].topic, &err) < 0)
        wake_at(s, s->now_us + SECOND_US);
    else
        s->joined = true;
}

static struct batch *free_batch(struct stream *s)
{
    for (unsigned b = 0; b < ARRAY_SIZE(s->batches); b++)
        if (s->batches[b].state == BATCH_FREE)
            return &s->batches[b];
    return NULL;
}

static void begin(struct stream *s, struct batch *batch)
{
    batch->id = ++s->batch_ids;
    batch->state = BATCH_LOADING;
    batch->n_parts = 0;
    s->loading = batch;
}

static void decide_and_commit(struct stream *s, struct batch *batch)
{
    decide_batch(s, batch);
    if (arena_overflowed(batch->arena)) {
        batch_undo(s, batch, "too_large");
    } else if (batch->dead) {
        own_forget_all(s, "the batch was undone", 0);
        batch_free(s, batch);
    } else if (batch->n_parts) {
        commit_submit(s, batch);
    } else {
        batch_free(s, batch);
    }
}

/* The batch whose loads are under way: goes on when they have come. */
static void continue_loading(struct stream *s)
{
    struct batch *batch = s->loading;
    if (!batch || batch->loads_open || batch->marked)
        return;
    if (batch->dead)
        batch_free(s, batch);
    else if (batch->loads_refused)
        batch_undo(s, batch, arena_overflowed(batch->arena) ? "too_large" : "refused");
    else if (!batch->loads_failed && load_parts(s, batch))
        return;
    else if (!batch->loads_failed)
        decide_and_commit(s, batch);
    else if (batch->retry_us <= s->now_us && store_ready(s->store))
        load_submit(s, batch);
    else
        wake_at(s, max_i64(batch->retry_us, s->now_us + 20000));
}

static bool any_running(struct stream *s)
{
    bool any = false;
    for (int32_t p = 0; p < s->n_parts; p++) {
        struct part *part = &s->parts[p];
        if (part->state == PART_RUNNING && part->stopping && !part->rows && !s->committing &&
            !s->loading)
            own_stop(s, part, part->stop_reason);
        if (part->state != PART_RUNNING)
            continue;
        any = true;
        if (s->page_loads == 0 && !s->loading && timers_want_page(part, s->now_us))
            timers_load(s, part, NULL);
    }
    return any;
}

/* What is decided one by one is committed one by one: else what kills its service takes an innocent one before it along,
 * again and again. */
static unsigned commits_limit(const struct stream *s)
{
    for (int32_t p = 0; p < s->n_parts; p++)
        for (unsigned i = 0; i <= s->service->n_inputs && s->parts[p].state == PART_RUNNING; i++)
            if (s->parts[p].inputs[i].singles)
                return 1;
    return pace_commits(s);
}

static void gather(struct stream *s)
{
    while (any_running(s) && !s->draining && !s->loading && s->committing < commits_limit(s) &&
           s->page_loads == 0 && s->unconfirmed < s->limits.unconfirmed && store_ready(s->store)) {
        struct batch *batch = free_batch(s);
        begin(s, batch);
        if (!intake_gather(s, batch)) {
            batch_free(s, batch);
            return;
        }
        if (arena_overflowed(batch->arena))
            batch_undo(s, batch, "too_large");
        else if (batch->marked)
            commit_mark(s, batch);
        else
            load_submit(s, batch);
        if (s->loading && !batch->marked && batch->loads_open == 0)
            decide_and_commit(s, batch);
    }
}

static void set_gauges(struct stream *s)
{
    unsigned owned = 0, timers = 0;
    int64_t oldest = s->now_us;
    for (int32_t p = 0; p < s->n_parts; p++) {
        owned += s->parts[p].state == PART_RUNNING;
        timers += s->parts[p].n_timers;
        if (s->parts[p].rows)
            oldest = min_i64(oldest, s->parts[p].rows->at_us);
    }
    metric_set(s->m.owned, owned);
    metric_set(s->m.timers, timers);
    metric_set(s->m.outbox_age, (double)(s->now_us - oldest) / 1e6);
    metric_set(s->m.unconfirmed_bytes, (double)s->unconfirmed);
    metric_set(s->m.cache_bytes, (double)s->cache.bytes);
    metric_set(s->m.cache_hits, (double)s->cache.hits);
    metric_set(s->m.cache_misses, (double)s->cache.misses);
}

static void drain(struct stream *s)
{
    if (s->left || s->loading || s->committing || s->n_survived || s->n_asks)
        return;
    for (int32_t p = 0; p < s->n_parts; p++)
        if (s->parts[p].state == PART_RUNNING && s->parts[p].rows)
            return; /* not everything is confirmed yet */
    if (bus_unreported(s->bus))
        return; /* answers to questions have no row */
    for (int32_t p = 0; p < s->n_parts; p++)
        own_give_up(s, &s->parts[p]);
    bus_leave(s->bus);
    s->left = true;
}

int64_t stream_step(struct stream *s)
{
    now_read(s);
    s->wake_us = s->now_us + SECOND_US;
    s->wants_step = false;
    poll_control(s);
    if (s->mirrors_started || mirror_step(s)) {
        s->mirrors_started = true;
        (void)mirror_step(s);
        join(s);
    }
    own_step(s);
    continue_loading(s);
    gather(s);
    outbox_send(s);
    if (s->draining)
        drain(s);
    set_gauges(s);
    return s->wants_step || s->producer_failed ? s->now_us : s->wake_us;
}

bool stream_wants_step(const struct stream *s)
{
    return s->wants_step;
}

void stream_drain(struct stream *s)
{
    s->draining = true;
    s->wants_step = true;
}

bool stream_drained(const struct stream *s)
{
    return s->draining && s->left;
}

bool stream_ready(const struct stream *s, const char **why)
{
    const char *reason = NULL;
    if (!store_ready(s->store))
        reason = "Postgres does not answer";
    else if (!s->mirrors_started)
        reason = "mirrors are being read";
    else if (!s->assignment_seen)
        reason = "no assignment from the group yet";
    else if (s->draining)
        reason = "stopping";
    for (int32_t p = 0; !reason && p < s->n_parts; p++)
        if (s->parts[p].assigned && s->parts[p].state != PART_RUNNING)
            reason = s->parts[p].state == PART_STOPPED ? "a partition has stopped, see the log"
                                                       : "partitions are being taken over";
    for (unsigned i = 0; !reason && i < s->service->n_mirrors; i++)
        if (s->mirrors[i].full)
            reason = "a mirror has reached its limit";
    if (why)
        *why = reason;
    return !reason;
}

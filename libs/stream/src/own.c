/*
 * Ownership of partitions.
 *
 *   IDLE ──assigned──► WAITING ──retry_us──► OWNING: take-over row in, position read, timers' first page ──► RUNNING
 *     ▲                   ▲                                                                                   │
 *     └──not assigned─────┴──────────── anything failed, unknown or fenced: all of it is forgotten ◄──────────┘
 *
 * Whatever is believed of a partition (cache, input positions, timers, watermarks, numbers) belongs to one life of it,
 * between a take-over and the moment it is forgotten; nothing is carried over. The fence in the database decides who
 * owns; the group only says who should try.
 */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>

struct own_request {
    struct request request;
    struct store_own own;
    struct stream *stream;
    struct part *part;
    uint64_t life;
};

static void forget(struct stream *s, struct part *part)
{
    for (unsigned i = 0; i < s->service->n_inputs; i++)
        bus_stop(s->bus, s->service->inputs[i].topic, part->id);
    cache_drop_part(&s->cache, part->id);
    timers_forget(part);
    outbox_forget(s, part);
    attempts_forget(s, part);
    position_forget(s, part);
    part->life = ++s->lives;
    part->stopping = false; /* what comes before is read again */
}

void own_forget(struct stream *s, struct part *part, int64_t retry_us)
{
    if (part->state == PART_IDLE || part->state == PART_STOPPED)
        return;
    forget(s, part);
    part->state = part->assigned ? PART_WAITING : PART_IDLE;
    part->retry_us = retry_us;
    wake_at(s, retry_us); /* this step may have looked for take-overs already */
    metric_inc(s->m.forgotten, 1);
}

/* After a failed or unknown commit, or a failed producer: neither deciding again nor reading again suffices. */
void own_forget_all(struct stream *s, const char *reason, int64_t delay_us)
{
    observe(s, LOG_WARN, "partitions_forgotten", "\"reason\":\"%s\"", reason);
    for (int32_t p = 0; p < s->n_parts; p++)
        if (s->parts[p].state == PART_RUNNING || s->parts[p].state == PART_OWNING)
            own_forget(s, &s->parts[p], s->now_us + delay_us);
    for (unsigned b = 0; b < ARRAY_SIZE(s->batches); b++)
        s->batches[b].dead = s->batches[b].dead || s->batches[b].state != BATCH_FREE;
}

void own_give_up(struct stream *s, struct part *part)
{
    if (part->state != PART_IDLE)
        forget(s, part);
    part->state = PART_IDLE;
    part->assigned = part->stop_known = false;
    part->failures = 0;
}

void own_stop(struct stream *s, struct part *part, const char *reason)
{
    char text[160];
    observe(s, LOG_ERROR, "partition_stopped", "\"partition\":%d,\"reason\":\"%s\"", part->id,
            log_escape(text, sizeof(text), reason));
    forget(s, part);
    part->state = PART_STOPPED;
}

/* The message at which to stop: its batch is dead, and the partition is owned anew up to there. */
void own_stop_at(struct stream *s, const struct item *item, const char *reason)
{
    struct part *part = item->part;
    if (item->kind != ITEM_RECORD) { /* it is not in the log before which one could stop */
        own_stop(s, part, reason);
        return;
    }
    part->stop_known = true;
    part->stop_input = (int)(item->input - s->service->inputs);
    part->stop_offset = item->record->offset;
    (void)snprintf(part->stop_reason, sizeof(part->stop_reason), "%s: %s at offset %lld", reason,
                   topic_name(item->record->topic), (long long)item->record->offset);
}

void own_assignment(struct stream *s, const int32_t *partitions, unsigned n)
{
    s->assignment_seen = true;
    for (int32_t p = 0; p < s->n_parts; p++) {
        struct part *part = &s->parts[p];
        bool assigned = false;
        for (unsigned i = 0; i < n; i++)
            assigned = assigned || partitions[i] == p;
        if (assigned && !part->assigned && !s->draining) {
            part->assigned = true;
            if (part->state == PART_IDLE) {
                part->state = PART_WAITING;
                part->retry_us = s->now_us;
            }
        } else if (!assigned && part->assigned) {
            own_give_up(s, part);
        }
    }
    observe(s, LOG_INFO, "assignment", "\"partitions\":%u", n);
}

/* ---- taking over ---- */

static void running(struct stream *s, struct part *part)
{
    for (unsigned i = 0; i <= s->service->n_inputs; i++) {
        struct position_input *in = &part->inputs[i];
        in->suspect = in->suspect || in->stalls > TRIES_SINGLE;
        in->singles = in->suspect ? SINGLES : 0;
    }
    if (part->stop_known && part->inputs[part->stop_input].next > part->stop_offset)
        part->stop_known = false; /* meanwhile somebody handled what this release could not */
    for (unsigned i = 0; i < s->service->n_inputs; i++) {
        const struct stream_input *input = &s->service->inputs[i];
        struct position_input *in = &part->inputs[i];
        struct err err = {0};
        /* The record before the offset is read again: only if it is the one we took is this still the same log. */
        int64_t offset = in->known && in->next > 0 ? in->next - 1 : BUS_OFFSET_BEGIN;
        in->verify = offset != BUS_OFFSET_BEGIN;
        if (bus_start(s->bus, input->topic, part->id, offset, input->lane, &err) < 0) {
            observe(s, LOG_WARN, "input_not_started", "\"partition\":%d,\"topic\":\"%s\"", part->id,
                    topic_name(input->topic));
            own_forget(s, part, s->now_us + SECOND_US);
            return;
        }
    }
    part->state = PART_RUNNING;
    part->owned_us = s->now_us;
    part->failures = 0;
    metric_inc(s->m.takeovers, 1);
    observe(s, LOG_INFO, "partition_owned",
            "\"partition\":%d,\"epoch\":%lld,\"n\":%lld,\"tries\":%d", part->id,
            (long long)part->epoch, (long long)part->n, part->tries);
}

static void own_done(struct store_own *own)
{
    struct own_request *request = own->user;
    struct stream *s = request->stream;
    struct part *part = request->part;
    s->wants_step = true;
    now_read(s);
    if (part->life == request->life && part->state == PART_OWNING) {
        struct err err = own->err;
        if (!err.code)
            (void)position_decode(s, part, &own->position, &err);
        /* Everything that was committed but perhaps not said is said again, before anything new. */
        for (unsigned i = 0; !err.code && i < own->n_outboxes; i++)
            (void)outbox_unpack(s, part, own->outboxes[i].n, own->outboxes[i].blob, &err);
        if (!err.code) {
            timers_load(s, part, running);
        } else if (err.class == ERR_CLASS_TRANSIENT || err.code == ERR_UNAVAILABLE) {
            part->failures++;
            own_forget(s, part,
                       s->now_us + min_i64(100000 << min_i64(part->failures, 5), 3 * SECOND_US));
        } else {
            own_stop(s, part, err.message);
        }
    }
    request_free(&request->request);
}

static void own_submit(struct stream *s, struct part *part)
{
    struct own_request *request = calloc(1, sizeof(*request));
    struct arena *arena = request ? arena_create(64 << 20) : NULL;
    if (!arena) {
        free(request);
        part->retry_us = s->now_us + SECOND_US;
        return;
    }
    part->state = PART_OWNING;
    *request = (struct own_request){.stream = s, .part = part, .life = part->life};
    request->own =
        (struct store_own){.part = part->id, .arena = arena, .done = own_done, .user = request};
    request_add(s, &request->request, arena);
    store_own(s->store, &request->own);
}

/* Take-overs alone do not make an input suspect for ever: it may be one that brings nothing. */
static void lived(const struct stream *s, struct part *part)
{
    for (unsigned i = 0; i <= s->service->n_inputs && !attempts_open(part); i++) {
        struct position_input *in = &part->inputs[i];
        if (in->moved)
            continue; /* what is feared may still come */
        in->stalls = in->singles = 0;
        in->suspect = false;
    }
}

void own_step(struct stream *s)
{
    bool retracting = attempts_retract(s);
    for (int32_t p = 0; p < s->n_parts; p++) {
        struct part *part = &s->parts[p];
        if (part->state == PART_RUNNING && part->owned_us + LIVED_US <= s->now_us)
            lived(s, part);
        if (part->state != PART_WAITING)
            continue;
        if (part->retry_us <= s->now_us && store_ready(s->store) && !retracting)
            own_submit(s, part);
        else
            wake_at(s, max_i64(part->retry_us, s->now_us + 50000));
    }
}

/* ---- an offset that the log does not have ---- */

void own_offset_gone(struct stream *s, int topic, int32_t partition, int64_t offset)
{
    struct part *part = partition < s->n_parts ? &s->parts[partition] : NULL;
    unsigned i = 0;
    while (i < s->service->n_inputs && s->service->inputs[i].topic != topic)
        i++;
    if (!part || i == s->service->n_inputs || part->state != PART_RUNNING)
        return;
    struct position_input *in = &part->inputs[i];
    int64_t begin, end;
    struct err err = {0};
    char reason[256];
    if (bus_range(s->bus, topic, partition, &begin, &end, 5000, &err) < 0) {
        own_forget(s, part, s->now_us + SECOND_US);
        return;
    }
    /* Retention took exactly what was read: nothing is lost, but the check has nothing to compare. */
    if (!in->known || (begin == in->next && end >= in->next)) {
        in->verify = false;
        bus_stop(s->bus, topic, partition);
        if (bus_start(s->bus, topic, partition, in->known ? in->next : BUS_OFFSET_BEGIN,
                      s->service->inputs[i].lane, &err) < 0)
            own_forget(s, part, s->now_us + SECOND_US);
        return;
    }
    (void)snprintf(reason, sizeof(reason),
                   "%s: offset %lld is gone, the log holds %lld..%lld: %s. Set the offset of this "
                   "partition by hand, or restore the log",
                   topic_name(topic), (long long)(in->known ? in->next : offset), (long long)begin,
                   (long long)end,
                   begin > in->next ? "retention passed while nobody read it"
                                    : "the topic was made anew");
    own_stop(s, part, reason);
}

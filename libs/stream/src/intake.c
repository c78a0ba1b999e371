/*
 * What the next batch consists of: all waiting commands first, then as many events, due timers and outcomes as pace.c
 * allows, imports last. A record's number is checked here: of another producer's messages only the next
 * one is taken, an older one is a repeat, one further ahead is dropped, for it will be said again from the hole.
 */
#include "internal.h"

#include <stdlib.h>

static bool grow(void **array, unsigned *capacity, unsigned need, size_t size)
{
    if (need <= *capacity)
        return true;
    unsigned grown = *capacity ? *capacity * 2 : 256;
    void *bigger = realloc(*array, (size_t)grown * size);
    if (!bigger)
        return false;
    *array = bigger;
    *capacity = grown;
    return true;
}

unsigned batch_touch(struct batch *batch, struct entry *entry)
{
    if (entry->batch == batch->id)
        return 0;
    if (!grow((void **)&batch->touched, &batch->touched_capacity, batch->n_touched + 1,
              sizeof(*batch->touched)))
        abort(); /* a pointer's worth: nothing sensible is left to do */
    entry->batch = batch->id;
    entry->decoded = NULL;
    entry->changed = false;
    entry->pins++;
    batch->touched[batch->n_touched++] = entry;
    return 1;
}

static struct item *item_add(struct batch *batch)
{
    if (!grow((void **)&batch->items, &batch->items_capacity, batch->n_items + 1,
              sizeof(*batch->items)))
        return NULL;
    struct item *item = &batch->items[batch->n_items++];
    *item = (struct item){0};
    return item;
}

static unsigned state_index(const struct stream *s, const struct stream_state *state)
{
    unsigned i = 0;
    while (s->states[i] != state)
        i++;
    return i;
}

static uint64_t record_identity(const struct bus_record *record)
{
    return hash64(&record->offset, sizeof(record->offset), (uint64_t)record->topic) | 1;
}

uint64_t item_identity(const struct item *item)
{
    return item->kind == ITEM_RECORD
               ? record_identity(item->record)
               : timer_identity(item->timer_kind, &item->key, item->timer_name);
}

/* No batch could carry it out, not even alone. */
static void check_condemned(struct item *item)
{
    if (item->part->condemned && item_identity(item) == item->part->condemned)
        item->unusable = "it cannot be decided or stored";
}

/* ---- records ---- */

enum verdict {
    TAKE,
    SKIP,
    STOPPED
};

/* Its time as well as its id: what an outbox says again in a topic made anew may come to lie where it lay in the old one. */
static uint32_t record_check(const struct bus_record *record, struct slice ce_id)
{
    return (uint32_t)hash64(ce_id.data, ce_id.size, (uint64_t)record->time_us);
}

/* The first record after a take-over is the one before the offset: it must be the one that was taken then. */
static enum verdict check_position(struct stream *s, struct part *part, unsigned input,
                                   const struct bus_record *record, uint32_t check)
{
    struct position_input *in = &part->inputs[input];
    if (!in->known) {
        in->known = true;
        in->strict = record->offset == 0;
        return TAKE;
    }
    if (!in->verify)
        return record->offset < in->next ? SKIP : TAKE;
    in->verify = false;
    if (record->offset == in->next - 1 && check == in->check)
        return SKIP;
    if (record->offset >= in->next)
        return TAKE; /* it expired or was compacted away between the check of the range and now: nothing unread before this */
    own_stop(s, part,
             "the record before the stored offset is another one: the topic was made anew");
    return STOPPED;
}

/* The service's own compacted topic, where gaps are normal: only what comes behind something newer is decided. */
static enum verdict check_compacted(struct watermark *w, uint64_t number)
{
    if (number < w->number)
        return TAKE;
    w->number = number;
    return SKIP;
}

/* *watermark: what is to be raised when the record is taken. */
static enum verdict check_number(struct stream *s, struct part *part, unsigned input,
                                 struct slice ce_id, struct watermark **watermark)
{
    struct stream_number number;
    *watermark = NULL;
    if (!stream_number_parse(ce_id, &number))
        return TAKE; /* the gateway's, or a replayed one: its repeats are removed by id */
    struct watermark *w = position_watermark(part, input, number.producer, true);
    if (!w)
        return TAKE;
    if (topic_info(s->service->inputs[input].topic)->kind == TOPIC_KIND_COMPACTED)
        return check_compacted(w, number.number);
    if (w->number == 0 && !part->inputs[input].strict)
        w->number = number.number - 1; /* begun in the middle of the topic */
    if (number.number == w->number + 1) {
        *watermark = w;
        return TAKE;
    }
    metric_inc(number.number <= w->number ? s->m.repeats : s->m.gaps, 1);
    return SKIP;
}

static void close_single(struct batch *batch, struct position_input *in)
{
    batch->closed = in->singles > 0;
    in->singles -= in->singles > 0;
}

static void set_key(struct batch *batch, struct item *item)
{
    struct err err = {0};
    if (item->input->key(item->body, item->index, batch->arena, &item->key, &err) < 0)
        item->unusable = arena_printf(batch->arena, "%s", err.message);
    else if (item->key.id.size < 1 || item->key.id.size > STREAM_MAX_ID)
        item->unusable = "the id of what it is about must have 1 to 400 bytes";
}

static void add_messages(struct stream *s, struct batch *batch, struct part *part,
                         const struct stream_input *input, struct bus_record *record)
{
    ProtobufCAllocator allocator = stream_allocator(batch->arena);
    struct item item = {.kind = ITEM_RECORD,
                        .part = part,
                        .life = part->life,
                        .input = input,
                        .record = record,
                        .state = state_index(s, input->state)};
    check_condemned(&item);
    if (!item.unusable && record->value.data)
        item.body = protobuf_c_message_unpack(input->type, &allocator, record->value.size,
                                              record->value.data);
    if (!item.unusable && !item.body)
        item.unusable = "the value is not a message of the topic's type";
    if (item.body && input->type == &journey__v1__command__descriptor)
        item.command = item.body;
    unsigned count = item.body && input->count ? input->count(item.body) : 1;
    for (; item.index < count; item.index++) {
        struct item *added = item_add(batch);
        if (!added)
            abort();
        *added = item;
        if (!added->unusable)
            set_key(batch, added);
    }
}

static void take_record(struct stream *s, struct batch *batch, struct bus_event *event)
{
    struct part *part =
        event->record.partition < s->n_parts ? &s->parts[event->record.partition] : NULL;
    unsigned input = 0;
    while (input < s->service->n_inputs && s->service->inputs[input].topic != event->record.topic)
        input++;
    if (!part || part->state != PART_RUNNING || input == s->service->n_inputs) {
        bus_event_release(s->bus, event);
        return;
    }
    if (part->inputs[input].singles && batch->n_items) {
        s->aside.held = batch->closed = true;
        s->aside.event = *event;
        s->aside.life = part->life;
        return;
    }
    if (part->stop_known && (int)input == part->stop_input &&
        event->record.offset >= part->stop_offset)
        part->stopping = true;
    if (part->stopping) {
        bus_event_release(s->bus, event);
        return;
    }
    const struct bus_header *id = bus_record_header(&event->record, "ce_id");
    struct slice ce_id = id ? id->value : (struct slice){0};
    uint32_t check = record_check(&event->record, ce_id);
    enum verdict verdict = check_position(s, part, input, &event->record, check);
    if (verdict == TAKE) {
        struct position_input *in = &part->inputs[input];
        struct watermark *watermark;
        verdict = check_number(s, part, input, ce_id, &watermark);
        if (verdict == TAKE && in->singles)
            attempt_mark(s, batch, part, input, record_identity(&event->record));
        if (watermark)
            watermark->number++;
        in->next = event->record.offset + 1;
        in->check = check;
        in->moved = true;
        part->unsaved_us = part->unsaved_us ? part->unsaved_us : s->now_us;
        metric_inc(s->m.records, 1);
        metric_set(s->m.lag, (double)max_i64(0, s->now_us - event->record.time_us) / 1e6);
    }
    if (verdict != TAKE) {
        bus_event_release(s->bus, event);
        return;
    }
    if (!grow((void **)&batch->records, &batch->records_capacity, batch->n_records + 1,
              sizeof(*batch->records)))
        abort();
    batch->records[batch->n_records++] = *event;
    batch->bytes += event->record.value.size;
    if (s->service->inputs[input].lane == BUS_LANE_COMMANDS)
        pace_command(s);
    struct position_input *in = &part->inputs[input];
    close_single(batch, in);
    struct bus_record *record = arena_copy(batch->arena, &event->record, sizeof(event->record));
    if (record)
        add_messages(s, batch, part, &s->service->inputs[input], record);
}

/* What was put aside is the first of the next batch, if its partition is still what it was. */
static void take_aside(struct stream *s, struct batch *batch)
{
    struct bus_event event = s->aside.event;
    if (!s->aside.held)
        return;
    s->aside.held = false;
    if (s->parts[event.record.partition].life == s->aside.life)
        take_record(s, batch, &event);
    else
        bus_event_release(s->bus, &event);
}

static bool has_room(const struct batch *batch, unsigned limit)
{
    return !batch->closed && batch->n_items < limit &&
           batch->bytes < batch->stream->limits.batch_bytes &&
           arena_used(batch->arena) < BATCH_ARENA_LIMIT / 4 && !arena_overflowed(batch->arena);
}

static void take_lane(struct stream *s, struct batch *batch, enum bus_lane lane, unsigned limit)
{
    struct bus_event event;
    while (has_room(batch, limit) && bus_poll_lane(s->bus, lane, &event)) {
        if (event.type == BUS_RECORD)
            take_record(s, batch, &event);
        else if (event.type == BUS_OFFSET_GONE)
            own_offset_gone(s, event.topic, event.partition, event.offset);
        else
            bus_event_release(s->bus, &event);
    }
}

/* ---- timers and outcomes ---- */

static void copy_identity(struct batch *batch, struct item *item, const struct stream_key *key,
                          const char *name)
{
    memcpy(item->key.tenant, key->tenant, 16);
    item->key.id = arena_slice(batch->arena, key->id);
    item->timer_name = arena_copy(batch->arena, name, strlen(name));
}

/* A timer or outcome was added: where such are suspect it stays alone, and the first is marked. */
static void added_timer(struct stream *s, struct batch *batch, const struct item *item)
{
    unsigned timers = s->service->n_inputs;
    struct position_input *in = &item->part->inputs[timers];
    if (in->singles)
        attempt_mark(s, batch, item->part, timers, item_identity(item));
    close_single(batch, in);
}

/* Those at the front that go before any newer command: parked messages whose state has come, and what is to be alone. */
static bool goes_first(const struct stream *s, const struct part *part)
{
    return part->inputs[s->service->n_inputs].singles || (part->n_heap && part->heap[0]->adopted);
}

/* The outside world hears nothing of an intent that may yet come to nothing. */
static bool waits_for_commit(const struct stream *s, const struct part *part)
{
    return part->n_heap && part->heap[0]->kind % TIMER_KINDS == TIMER_CALL &&
           part->heap[0]->batch > s->settled_batch;
}

static void take_timers(struct stream *s, struct batch *batch, unsigned limit, bool first)
{
    for (int32_t p = 0; p < s->n_parts; p++) {
        struct part *part = &s->parts[p];
        struct timer *timer;
        while (part->state == PART_RUNNING && !part->stopping && has_room(batch, limit) &&
               (!first || goes_first(s, part)) && !waits_for_commit(s, part) &&
               !(batch->n_items && part->inputs[s->service->n_inputs].singles) &&
               (timer = timers_take_due(part, s->now_us))) {
            if (timer->kind % TIMER_KINDS == TIMER_CALL) {
                if (!call_start(s, part, timer))
                    timers_postpone(part, timer, s->now_us + CALLS_AGAIN_US);
                continue;
            }
            struct item *item = item_add(batch);
            if (!item)
                abort();
            item->kind = timer->kind % TIMER_KINDS == TIMER_PARKED ? ITEM_PARKED : ITEM_TIMER;
            item->part = part;
            item->life = part->life;
            item->state = timer->kind / TIMER_KINDS;
            item->timer_kind = timer->kind;
            item->due_us = timer->due_us;
            copy_identity(batch, item, &timer->key, timer->name);
            struct err err = {0};
            if (arena_overflowed(batch->arena)) {
                batch->n_items--; /* the batch will be undone */
                return;
            }
            check_condemned(item);
            if (item->kind == ITEM_PARKED &&
                park_unpack(s, batch, item, arena_slice(batch->arena, timer->data), &err) < 0)
                item->unusable = arena_printf(batch->arena, "%s", err.message);
            added_timer(s, batch, item);
        }
        if (part->n_heap && part->state == PART_RUNNING && !waits_for_commit(s, part))
            wake_at(s, part->heap[0]->due_us);
    }
}

static void take_outcomes(struct stream *s, struct batch *batch, unsigned limit, bool first)
{
    struct call call;
    while (has_room(batch, limit) && call_take_outcome(s, first, !batch->n_items, &call)) {
        struct part *part = &s->parts[call.part];
        struct item *item = part->life == call.life ? item_add(batch) : NULL;
        if (item) {
            item->kind = ITEM_OUTCOME;
            item->part = part;
            item->life = part->life;
            item->state = call.kind / TIMER_KINDS;
            item->timer_kind = call.kind;
            item->data = arena_slice(batch->arena, call.data);
            copy_identity(batch, item, &call.key, call.name);
            if (arena_overflowed(batch->arena)) {
                batch->n_items--; /* the batch will be undone, and the call made again */
            } else {
                check_condemned(item);
                added_timer(s, batch, item);
            }
        }
        call_free(&call);
    }
}

/*
 * Nothing but repeats came for a while: their position is committed alone, or it would lie behind what retention leaves
 * when nothing else comes for long.
 */
static bool save_positions(struct stream *s)
{
    bool any = false;
    for (int32_t p = 0; p < s->n_parts; p++) {
        const struct part *part = &s->parts[p];
        if (part->state != PART_RUNNING || !part->unsaved_us)
            continue;
        any = any || part->unsaved_us + SAVE_AFTER_US <= s->now_us;
        wake_at(s, part->unsaved_us + SAVE_AFTER_US);
    }
    return any;
}

bool intake_gather(struct stream *s, struct batch *batch)
{
    unsigned limit = pace_limit(s, BUS_LANE_EVENTS);
    batch->begun_us = s->now_us;
    take_aside(s, batch);
    take_timers(s, batch, limit, true);
    take_outcomes(s, batch, limit, true);
    take_lane(s, batch, BUS_LANE_COMMANDS, limit);
    limit = pace_limit(s, BUS_LANE_EVENTS); /* who waits has less company */
    /* Timers that became due while nobody ran must not hold up what comes now: half a batch, the rest if there is room. */
    take_timers(s, batch, (unsigned)min_i64(limit, batch->n_items + (limit + 1) / 2), false);
    take_outcomes(s, batch, limit, false);
    take_lane(s, batch, BUS_LANE_EVENTS, limit);
    take_timers(s, batch, limit, false);
    take_lane(s, batch, BUS_LANE_IMPORTS, pace_limit(s, BUS_LANE_IMPORTS));
    pace_gathered(s, batch, !has_room(batch, limit));
    return batch->n_items > 0 || batch->marked || arena_overflowed(batch->arena) ||
           save_positions(s);
}

/*
 * Each item of a batch in order, as if alone: its state as the items before left it, then decide, then its effects
 * applied, all or none. A due timer is looked at again at its turn, for an earlier item may have cancelled or moved it.
 */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>

/* The state as a message: decoded once a batch, again after a refused decision. */
static void *decoded_state(struct stream *s, struct batch *batch, struct entry *entry)
{
    if (!entry->present)
        return NULL;
    if (!entry->decoded) {
        ProtobufCAllocator allocator = stream_allocator(batch->arena);
        entry->decoded = protobuf_c_message_unpack(s->states[entry->kind]->type, &allocator,
                                                   entry->size, entry->bytes);
        if (!entry->decoded)
            observe(s, LOG_ERROR, "state_undecodable", "\"state\":\"%s\",\"partition\":%d",
                    s->states[entry->kind]->name, entry->part);
    }
    return entry->decoded;
}

static const char *trace_of(struct batch *batch, const struct item *item)
{
    const struct bus_header *header =
        item->record ? bus_record_header(item->record, "traceparent") : NULL;
    return header && header->value.size < 64 ? arena_str(batch->arena, header->value) : NULL;
}

static uint64_t seed_of(const struct item *item)
{
    uint8_t hash[16];
    uint64_t seed;
    const struct bus_header *id = item->record ? bus_record_header(item->record, "ce_id") : NULL;
    const struct slice parts[] = {id ? id->value : slice_str(item->timer_name),
                                  slice_make(item->key.tenant, 16), item->key.id,
                                  slice_make(&item->index, sizeof(item->index)),
                                  slice_make(&item->due_us, sizeof(item->due_us))};
    hash_keyed(hash, NULL, parts, ARRAY_SIZE(parts));
    memcpy(&seed, hash, sizeof(seed));
    return seed;
}

/* A timer, parked message or call at its turn: still there and due? Then its row goes with this decision. */
static bool timer_turn(struct stream *s, struct batch *batch, struct item *item)
{
    struct timer *timer = timers_find(item->part, item->timer_kind, &item->key, item->timer_name);
    if (!timer)
        return false;
    if (item->kind != ITEM_OUTCOME && timer->due_us > s->now_us) {
        timer->taken = false;
        timers_reheap(item->part, timer);
        return false;
    }
    struct store_value key[5] = {{.i = item->part->id},
                                 {.s = slice_make(item->key.tenant, 16)},
                                 {.s = item->key.id},
                                 {.i = item->timer_kind},
                                 {.s = slice_str(item->timer_name)}};
    batch_put_row(batch, &timers_table, arena_copy(batch->arena, key, sizeof(key)),
                  STORE_ROW_REMOVE);
    timers_remove(item->part, timer);
    item->part->inputs[s->service->n_inputs].moved = true;
    return true;
}

/* The command was answered before: the same answer to the same body. Returns true when that settles the item. */
static bool answered_before(struct stream *s, struct batch *batch, struct item *item,
                            struct stream_decision *d)
{
    const Journey__V1__Answer *answer = item->answer ? decoded_state(s, batch, item->answer) : NULL;
    if (!answer || answer->at_us < s->now_us - DAY_US)
        return false;
    const Journey__V1__Command *command = item->command;
    bool same =
        answer->body_hash.len == command->body_hash.len &&
        memcmp(answer->body_hash.data, command->body_hash.data, command->body_hash.len) == 0;
    if (same && answer->reply)
        stream_reply(d, answer->reply);
    else
        stream_reply_problem(d, 422, "key_reused",
                             "this Idempotency-Key was used with another body");
    item->answer = NULL; /* what is kept stays */
    return true;
}

/* In the arena, so that rows and messages may point to its key. */
static struct stream_message *message_of(struct batch *batch, const struct item *item)
{
    struct stream_message *m = arena_alloc(batch->arena, sizeof(*m));
    if (!m)
        return NULL;
    *m = (struct stream_message){.input = item->input,
                                 .body = item->body,
                                 .index = item->index,
                                 .key = item->key,
                                 .name = item->timer_name,
                                 .data = item->data,
                                 .due_us = item->due_us,
                                 .record = item->record,
                                 .command = item->command != NULL,
                                 .trace = trace_of(batch, item)};
    m->kind = item->kind == ITEM_TIMER     ? STREAM_TIMER
              : item->kind == ITEM_OUTCOME ? STREAM_OUTCOME
                                           : STREAM_RECORD;
    return m;
}

/* The rows found for each look-up of an item: found is ordered by key. */
static void give_needs(const struct batch *batch, const struct item *item,
                       struct stream_decision *d)
{
    for (unsigned i = 0; i < item->n_needs; i++) {
        if (item->needs[i].lookup_load < 0)
            continue;
        const struct store_load *load = &batch->loads[item->needs[i].lookup_load].load;
        unsigned low = 0, high = load->n_found, key = item->needs[i].key;
        while (low < high) {
            unsigned middle = low + (high - low) / 2;
            if (load->found[middle].key < key)
                low = middle + 1;
            else
                high = middle;
        }
        d->needs[i].found = load->found + low;
        while (low < load->n_found && load->found[low].key == key) {
            d->needs[i].n_found++;
            low++;
        }
    }
}

/* Nothing of the decision happens. The state is decoded again from what the items before left. */
static void refuse(struct stream *s, struct batch *batch, struct item *item, const char *code,
                   const char *reason)
{
    if (item->entry)
        item->entry->decoded = NULL;
    if (item->record)
        apply_dead_letter(s, batch, item, code, reason);
    else
        observe(s, LOG_ERROR, "timer_refused", "\"partition\":%d,\"code\":\"%s\",\"reason\":\"%s\"",
                item->part->id, code, reason);
}

static void stop(struct stream *s, struct batch *batch, struct item *item, const char *reason)
{
    own_stop_at(s, item, reason);
    batch->dead = true;
}

/* Everybody who tried it died. */
static bool is_poison(struct stream *s, const struct item *item)
{
    const struct part *part = item->part;
    const struct bus_record *record = item->record;
    uint64_t identity = part->n_attempts ? item_identity(item) : 0;
    char tried[200] = "";
    size_t size = 0;
    if (!identity || attempts_at(part, identity) < ATTEMPTS_POISON)
        return false;
    for (unsigned i = 0; i < part->n_attempts && size < sizeof(tried); i++)
        if (part->attempts[i].identity == identity && part->attempts[i].epoch != part->epoch)
            size += (size_t)snprintf(tried + size, sizeof(tried) - size, "%s%lld", size ? "," : "",
                                     (long long)part->attempts[i].epoch);
    observe(s, LOG_ERROR, "poison_message",
            "\"partition\":%d,\"topic\":\"%s\",\"offset\":%lld,\"timer\":\"%s\",\"epochs\":\"%s\"",
            part->id, record ? topic_name(record->topic) : "",
            record ? (long long)record->offset : -1LL, item->timer_name ? item->timer_name : "",
            tried);
    return true;
}

/* Undecodable, condemned, or poison: a dead letter, or a timer that is given up, without a decision. */
static bool is_hopeless(struct stream *s, struct batch *batch, struct item *item)
{
    const struct part *part = item->part;
    if (item->unusable) {
        bool condemned = part->condemned && part->condemned == item_identity(item);
        if (condemned)
            batch_part_of(batch, part)->given_up = part->condemned;
        if (item->kind == ITEM_PARKED && !item->record)
            stop(s, batch, item, item->unusable); /* another release put it there */
        else
            refuse(s, batch, item, condemned ? part->condemned_code : "undecodable",
                   item->unusable);
        return true;
    }
    if (!is_poison(s, item))
        return false;
    refuse(s, batch, item, "poison", "the service did not survive it five times");
    return true;
}

static void decide_item(struct stream *s, struct batch *batch, struct item *item)
{
    struct stream_decision d = {.now_us = s->now_us, .arena = batch->arena, .effects = &s->effects};
    struct stream_message *m = message_of(batch, item);
    struct err err = {0};
    s->effects.n = 0;
    if (park_waits_on(s, item) || (item->kind != ITEM_RECORD && !timer_turn(s, batch, item)) ||
        is_hopeless(s, batch, item))
        return;
    if (item->kind == ITEM_RECORD && item->command && item->part->n_parked &&
        item->entry->present && timers_wait_for(item->part, &item->key, item->state)) {
        /* Older commands of this state still wait for their turn: not before them. */
        park_item(s, batch, item, park_order(item));
        return;
    }
    d.state = decoded_state(s, batch, item->entry);
    if (!d.state && item->entry->present && !arena_overflowed(batch->arena)) {
        stop(s, batch, item, "a state that this release cannot decode");
        return;
    }
    d.parts = item->entry->parts;
    d.n_parts = item->entry->n_parts;
    d.random.state = seed_of(item);
    give_needs(batch, item, &d);
    if (m) {
        m->expired = item->kind == ITEM_PARKED && !d.state;
        if (item->command && answered_before(s, batch, item, &d))
            ;
        else if (m->kind == STREAM_RECORD)
            item->input->decide(&d, m);
        else if (s->states[item->state]->due)
            s->states[item->state]->due(&d, m);
    }
    if (arena_overflowed(batch->arena))
        batch->dead = true; /* again in smaller ones; what is too much alone is a dead letter */
    else if (apply_effects(s, batch, item, &d, &err) < 0)
        refuse(s, batch, item, err.code == ERR_TOO_LARGE ? "too_large" : "refused", err.message);
}

/* Of the columns that change seldom; 0: there are none. */
static uint64_t seldom_hash(const struct store_table *table, const struct store_value *values)
{
    uint64_t hash = 0;
    for (unsigned c = table->n_key; c < table->n_columns; c++) {
        if (!(table->columns[c].flags & STORE_COLUMN_SELDOM))
            continue;
        const struct store_value *v = &values[c];
        hash = hash64(&v->null, sizeof(v->null), hash);
        if (v->null)
            continue;
        hash = hash64(&v->i, sizeof(v->i), hash64(&v->f, sizeof(v->f), hash));
        hash = hash64(v->s.data, v->s.size, hash);
    }
    return hash;
}

/* What is known to be there is only updated; an answer's row is another one each day. A batch in flight that wrote it is
 * committed before this one, or this one's fence fails, too. */
static enum store_row_kind row_kind(const struct store_table *table, struct entry *entry,
                                    const struct store_value *values)
{
    bool stored = entry->stored;
    entry->stored = entry->present && table->n_key == 2;
    uint64_t before = entry->seldom;
    entry->seldom = entry->present ? seldom_hash(table, values) : 0;
    if (!entry->present)
        return STORE_ROW_REMOVE;
    if (!stored || table->n_key != 2)
        return STORE_ROW_PUT;
    return before && before == entry->seldom ? STORE_ROW_NARROW : STORE_ROW_UPDATE;
}

/* The row of every state that changed, once, as it is now. */
static void put_changed_rows(struct stream *s, struct batch *batch)
{
    for (unsigned i = 0; i < batch->n_touched; i++) {
        struct entry *entry = batch->touched[i];
        const struct stream_state *state = s->states[entry->kind];
        if (entry->part < 0)
            continue;
        if (entry->changed) {
            struct store_value *values =
                arena_alloc(batch->arena, state->table->n_columns * sizeof(*values));
            if (!values)
                return;
            values[0].s = slice_make(entry->tenant, 16);
            values[1].s = entry_id(entry);
            const void *decoded = decoded_state(s, batch, entry);
            if (state->project && decoded)
                state->project(decoded, s->now_us, batch->arena, values);
            values[state->table->n_columns - 1].s =
                arena_slice(batch->arena, slice_make(entry->bytes, entry->size));
            batch_put_row(batch, state->table, values, row_kind(state->table, entry, values));
        }
        for (unsigned p = 0; state->parts && p < entry->n_parts; p++) {
            if (!entry->parts_changed[p])
                continue;
            struct store_value values[4] = {{.s = slice_make(entry->tenant, 16)},
                                            {.s = entry_id(entry)},
                                            {.i = entry->parts[p].sub},
                                            {.s = arena_slice(batch->arena, entry->parts[p].data)}};
            entry->parts_changed[p] = false;
            batch_put_row(batch, state->parts->table,
                          arena_copy(batch->arena, values, sizeof(values)), STORE_ROW_PUT);
        }
    }
}

struct batch_part *batch_part_of(struct batch *batch, const struct part *part)
{
    unsigned i = 0;
    while (batch->parts[i].part != part)
        i++;
    return &batch->parts[i];
}

void batch_add_part(struct stream *s, struct batch *batch, struct part *part)
{
    if (!batch->parts || batch->n_parts == 0)
        batch->parts = arena_alloc(batch->arena, (size_t)s->n_parts * sizeof(*batch->parts));
    if (!batch->parts)
        abort();
    for (unsigned i = 0; i < batch->n_parts; i++)
        if (batch->parts[i].part == part)
            return;
    batch->parts[batch->n_parts++] =
        (struct batch_part){.part = part, .life = part->life, .n = part->n + 1};
}

void decide_batch(struct stream *s, struct batch *batch)
{
    load_finish(s, batch);
    for (unsigned i = 0; i < batch->n_items && !batch->dead; i++) {
        struct item *item = &batch->items[i];
        if (item->life != item->part->life || item->part->state != PART_RUNNING)
            continue; /* its partition went meanwhile */
        batch_add_part(s, batch, item->part);
        decide_item(s, batch, item);
        batch->decided++;
    }
    for (int32_t p = 0; p < s->n_parts && batch->n_items == 0; p++)
        if (s->parts[p].state == PART_RUNNING && s->parts[p].unsaved_us)
            batch_add_part(s, batch, &s->parts[p]);
    if (!batch->dead) {
        attempt_over(batch);
        put_changed_rows(s, batch);
    }
    for (unsigned i = 0; i < batch->n_records; i++)
        bus_event_release(s->bus, &batch->records[i]);
    batch->n_records = 0;
    metric_inc(s->m.messages, batch->decided);
}

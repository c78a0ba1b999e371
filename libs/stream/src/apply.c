/*
 * A decision's effects, all or none: first everything that can fail (messages are encoded, numbered and measured), and
 * if that worked, the rest. Nothing leaves the process here: rows wait for the commit, frames for its confirmation.
 */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>

void batch_put_row(struct batch *batch, const struct store_table *table,
                   const struct store_value *values, enum store_row_kind kind)
{
    if (batch->n_rows == batch->rows_capacity) {
        unsigned grown = batch->rows_capacity ? batch->rows_capacity * 2 : 256;
        struct store_row *rows = realloc(batch->rows, grown * sizeof(*rows));
        if (!rows)
            abort();
        batch->rows = rows;
        batch->rows_capacity = grown;
    }
    batch->rows[batch->n_rows++] =
        (struct store_row){.table = table, .values = values, .kind = kind};
}

struct outrow *batch_outrow(struct stream *s, struct batch *batch, struct part *part)
{
    struct batch_part *mine = batch_part_of(batch, part);
    struct outrow *row = mine->row;
    if (!row) {
        row = calloc(1, sizeof(*row));
        if (!row)
            abort();
        row->n = mine->n;
        row->at_us = s->now_us;
        mine->row = row;
        *part->rows_tail = row;
        part->rows_tail = &row->next;
    }
    return row;
}

/* ---- what is said ---- */

static struct slice pack(struct arena *arena, const void *message)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *data = arena_alloc(arena, size + 1);
    if (data)
        protobuf_c_message_pack(message, data);
    return data ? slice_make(data, size) : (struct slice){0};
}

static const char *type_of(const void *message)
{
    return ((const ProtobufCMessage *)message)->descriptor->name;
}

static struct slice header_value(const struct item *item, const char *name)
{
    const struct bus_header *header = item->record ? bus_record_header(item->record, name) : NULL;
    return header ? header->value : (struct slice){0};
}

/* Where the answer goes: false when nobody waits. */
static bool reply_address(const struct stream *s, const struct item *item, int32_t *partition,
                          struct slice *correlation)
{
    struct slice p = header_value(item, "reply-partition");
    *correlation = header_value(item, "correlation-id");
    if (!p.size || p.size > 9 || !correlation->size || correlation->size >= 64)
        return false;
    *partition = 0;
    for (size_t i = 0; i < p.size; i++) {
        if (p.data[i] < '0' || p.data[i] > '9')
            return false;
        *partition = *partition * 10 + (p.data[i] - '0');
    }
    return *partition < s->n_parts;
}

static int say(struct stream *s, struct batch *batch, struct item *item, const struct effect *e,
               const char *trace)
{
    struct bus_header headers[3];
    struct bus_message message = {.topic = e->topic, .key = e->key, .headers = headers};
    const void *body = e->pointer;
    if (e->kind == EFFECT_REPLY) {
        struct slice correlation;
        if (!reply_address(s, item, &message.partition, &correlation))
            return STATUS_OK;
        const Journey__V1__Reply *given = e->pointer;
        Journey__V1__Reply *reply = arena_copy(batch->arena, given, sizeof(*given));
        if (!reply)
            return ERR_NO_MEMORY;
        reply->correlation_id = arena_str(batch->arena, correlation);
        reply->service = arena_copy(batch->arena, s->service->name, strlen(s->service->name));
        message.topic = TOPIC_REPLIES;
        message.key = correlation;
        headers[message.n_headers++] = (struct bus_header){"correlation-id", correlation};
        body = reply;
    } else {
        message.partition = topic_partition(e->key, s->n_parts);
    }
    if (e->kind == EFFECT_FORWARD) {
        static const char *const names[] = {"reply-topic", "reply-partition", "correlation-id"};
        for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
            if (header_value(item, names[i]).size)
                headers[message.n_headers++] =
                    (struct bus_header){names[i], header_value(item, names[i])};
    }
    message.value = pack(batch->arena, body);
    if (!message.value.data)
        return ERR_NO_MEMORY;
    return outbox_add(s, item->part, batch_outrow(s, batch, item->part), &message, false,
                      type_of(body), e->kind == EFFECT_REPLY ? s->now_us : e->number, trace);
}

static bool speaks(const struct effect *e)
{
    return e->kind == EFFECT_PUBLISH || e->kind == EFFECT_FORWARD || e->kind == EFFECT_REPLY;
}

/* Says everything, or nothing of it. */
static int say_all(struct stream *s, struct batch *batch, struct item *item, struct err *err)
{
    bool any = false;
    for (unsigned i = 0; i < s->effects.n; i++)
        any = any || speaks(&s->effects.list[i]);
    if (!any)
        return STATUS_OK;
    struct outrow *row = batch_outrow(s, batch, item->part);
    const size_t sizes[2] = {row->frames[0].size, row->frames[1].size}, before = s->unconfirmed;
    char trace[64] = "";
    struct slice parent = header_value(item, "traceparent");
    if (parent.size && parent.size < sizeof(trace))
        memcpy(trace, parent.data, parent.size);
    int status = STATUS_OK;
    for (unsigned i = 0; i < s->effects.n && !status; i++)
        if (speaks(&s->effects.list[i]))
            status = say(s, batch, item, &s->effects.list[i], trace);
    if (!status && s->unconfirmed - before > MESSAGE_SAYS_LIMIT)
        status = ERR_TOO_LARGE;
    if (!status)
        return STATUS_OK;
    outbox_undo(s, item->part, row, sizes);
    return err_set(err, status, ERR_CLASS_PERMANENT,
                   "what it would say is larger than a record may be");
}

/* Answers whoever waits, instead of what the decision would have said. */
void apply_problem(struct stream *s, struct batch *batch, struct item *item, int status,
                   const char *code, const char *detail)
{
    struct stream_decision d = {.arena = batch->arena, .effects = &s->effects};
    struct err err = {0};
    s->effects.n = 0;
    stream_reply_problem(&d, status, code, detail);
    (void)say_all(s, batch, item, &err);
}

void apply_dead_letter(struct stream *s, struct batch *batch, struct item *item, const char *code,
                       const char *reason)
{
    const struct bus_record *record = item->record;
    struct bus_header headers[BUS_MAX_HEADERS];
    struct bus_message message = {.topic = topic_dlq(record->topic),
                                  .partition = record->partition,
                                  .key = record->key,
                                  .value = record->value,
                                  .headers = headers};
    char source[300];
    for (unsigned i = 0; i < record->n_headers && message.n_headers < BUS_MAX_HEADERS - 5; i++)
        headers[message.n_headers++] = record->headers[i];
    (void)snprintf(source, sizeof(source), "%s/%d/%lld", topic_name(record->topic),
                   record->partition, (long long)record->offset);
    headers[message.n_headers++] = (struct bus_header){"dlq-source", slice_str(source)};
    headers[message.n_headers++] = (struct bus_header){"dlq-code", slice_str(code)};
    headers[message.n_headers++] = (struct bus_header){"dlq-reason", slice_str(reason)};
    headers[message.n_headers++] = (struct bus_header){"dlq-service", slice_str(s->service->name)};
    if (item->input->alone && item->body) {
        struct slice alone = item->input->alone(item->body, item->index, batch->arena);
        message.value = alone.data ? alone : message.value;
    }
    struct outrow *row = batch_outrow(s, batch, item->part);
    if (outbox_add(s, item->part, row, &message, true, NULL, 0, NULL)) {
        /* The record itself barely fits: its key and reason remain, and where it stands in the log. */
        message.value = (struct slice){0};
        if (outbox_add(s, item->part, row, &message, true, NULL, 0, NULL))
            observe(s, LOG_ERROR, "dead_letter_too_large", "\"source\":\"%s\"", source);
    }
    char labels[BUS_LABELS_SIZE];
    bus_dead_letter_labels(labels, record->topic, code);
    metrics_count(s->options.metrics, BUS_DEAD_LETTERS_METRIC, BUS_DEAD_LETTERS_HELP, labels,
                  BUS_DEAD_LETTERS_OTHER, 1);
    observe(s, LOG_WARN, "dead_letter", "\"source\":\"%s\",\"code\":\"%s\"", source, code);
    if (!item->body || item->command) { /* an undecodable command's headers say who waits */
        bool large = strcmp(code, "too_large") == 0, poison = strcmp(code, "poison") == 0;
        apply_problem(s, batch, item,
                      large    ? 413
                      : poison ? 500
                               : 400,
                      large    ? "too_large"
                      : poison ? "internal"
                               : "invalid_request",
                      reason);
    }
}

/* ---- everything else ---- */

void apply_timer(struct stream *s, struct batch *batch, struct item *item, unsigned plain,
                 const char *name, int64_t row_us, int64_t due_us, struct slice data)
{
    unsigned kind = item->state * TIMER_KINDS + plain;
    const char *kept = arena_copy(batch->arena, name, strlen(name));
    timers_put_row(batch, item->part, kind, &item->key, kept, row_us, data);
    struct timer *timer = timers_set(s, item->part, kind, &item->key, kept, due_us, data);
    if (timer)
        timer->batch = batch->id;
}

static void cancel_timer(struct batch *batch, struct item *item, const char *name)
{
    unsigned kind = item->state * TIMER_KINDS + TIMER_PLAIN;
    struct timer *timer = timers_find(item->part, kind, &item->key, name);
    struct store_value key[5] = {{.i = item->part->id},
                                 {.s = slice_make(item->key.tenant, 16)},
                                 {.s = item->key.id},
                                 {.i = kind},
                                 {.s = slice_str(arena_copy(batch->arena, name, strlen(name)))}};
    batch_put_row(batch, &timers_table, arena_copy(batch->arena, key, sizeof(key)),
                  STORE_ROW_REMOVE);
    if (timer)
        timers_remove(item->part, timer);
    attempts_settle(batch, item->part, timer_identity(kind, &item->key, name));
}

static void put_state(struct stream *s, struct entry *entry, void *state, struct slice packed,
                      struct part *part)
{
    bool created = !entry->present && state;
    entry->changed = true;
    entry->present = state != NULL;
    entry->decoded = state;
    if (entry_set_bytes(&s->cache, entry, packed))
        abort();
    if (created && part->n_parked) {
        struct stream_key key = {.id = entry_id(entry)};
        memcpy(key.tenant, entry->tenant, 16);
        timers_adopt(part, &key, entry->kind);
    }
}

static void keep_answer(struct stream *s, struct batch *batch, struct item *item,
                        const Journey__V1__Reply *reply)
{
    if (!item->answer || (reply->problem && reply->problem->status == 404))
        return;
    Journey__V1__Answer *answer = arena_alloc(batch->arena, sizeof(*answer));
    Journey__V1__Reply *kept = arena_copy(batch->arena, reply, sizeof(*reply));
    if (!answer || !kept)
        return;
    journey__v1__answer__init(answer);
    answer->body_hash = item->command->body_hash;
    answer->at_us = s->now_us;
    answer->reply = kept;
    put_state(s, item->answer, answer, pack(batch->arena, answer), item->part);
}

static void add_ask(struct stream *s, struct batch *batch, struct item *item,
                    const struct effect *e)
{
    struct slice correlation;
    int32_t partition;
    if (!reply_address(s, item, &partition, &correlation))
        return;
    struct ask *ask = calloc(1, sizeof(*ask));
    struct arena *arena = ask ? arena_create(8 << 20) : NULL;
    if (!arena)
        abort();
    ask->stream = s;
    (void)snprintf(ask->service, sizeof(ask->service), "%s", s->service->name);
    ask->arena = arena;
    ask->lookup = e->pointer;
    ask->answer = e->answer;
    ask->user = arena_slice(arena, e->data);
    ask->reply_partition = partition;
    memcpy(ask->correlation, correlation.data, correlation.size);
    struct slice parent = header_value(item, "traceparent");
    if (parent.size < sizeof(ask->trace) && parent.size)
        memcpy(ask->trace, parent.data, parent.size);
    for (unsigned i = 0; i < (unsigned)ask->lookup->n_by + ask->lookup->after + ask->lookup->until;
         i++) {
        ask->key[i] = e->values[i];
        ask->key[i].s = arena_slice(arena, e->values[i].s);
    }
    s->n_asks++;
    *batch->asks_tail = ask;
    batch->asks_tail = &ask->next;
}

static void add_cached(struct stream *s, struct batch *batch, const struct item *item,
                       const struct effect *e)
{
    char tenant[UUID_TEXT_SIZE];
    uuid_format(tenant, item->key.tenant);
    struct cached *cached = s->options.cache ? arena_alloc(batch->arena, sizeof(*cached)) : NULL;
    const char *key = cached ? arena_printf(batch->arena, "%s:%.*s", tenant, (int)e->key.size,
                                            (const char *)e->key.data)
                             : NULL;
    if (!key)
        return;
    *cached = (struct cached){.key = slice_str(key), .value = e->data, .seconds = e->number};
    *batch->cached_tail = cached;
    batch->cached_tail = &cached->next;
}

static void apply_one(struct stream *s, struct batch *batch, struct item *item,
                      const struct effect *e)
{
    switch (e->kind) {
    case EFFECT_STATE: {
        union {
            const void *given;
            void *state;
        } u = {e->pointer};
        put_state(s, item->entry, u.state, e->packed, item->part);
        break;
    }
    case EFFECT_PART:
        if (entry_set_part(&s->cache, item->entry, e->number, e->data, true))
            abort();
        break;
    case EFFECT_ROW:
    case EFFECT_ROW_REMOVE:
        batch_put_row(batch, e->pointer, e->values,
                      e->kind == EFFECT_ROW ? STORE_ROW_PUT : STORE_ROW_REMOVE);
        break;
    case EFFECT_TIMER_SET:
        apply_timer(s, batch, item, TIMER_PLAIN, e->name, e->number, e->number, (struct slice){0});
        break;
    case EFFECT_TIMER_CANCEL:
        cancel_timer(batch, item, e->name);
        break;
    case EFFECT_CALL:
        apply_timer(s, batch, item, TIMER_CALL, e->name, s->now_us, s->now_us, e->data);
        break;
    case EFFECT_REPLY:
        keep_answer(s, batch, item, e->pointer);
        break;
    case EFFECT_ASK:
        add_ask(s, batch, item, e);
        break;
    case EFFECT_CACHE:
        add_cached(s, batch, item, e);
        break;
    case EFFECT_COUNT:
        if (e->number < s->service->n_counters)
            metric_inc(s->m.counters[e->number], e->by);
        break;
    case EFFECT_PUBLISH:
    case EFFECT_FORWARD:
    case EFFECT_PARK:
    case EFFECT_REJECT:
    case EFFECT_STOP:
        break; /* handled before */
    }
}

/* A timer that nobody would look at is a slip of the service's. */
static int check_timers(struct stream *s, const struct item *item, struct err *err)
{
    const struct stream_state *state = s->states[item->state];
    for (unsigned i = 0; i < s->effects.n && !state->due; i++)
        if (s->effects.list[i].kind == EFFECT_TIMER_SET || s->effects.list[i].kind == EFFECT_CALL)
            return err_set(err, ERR_INVALID, ERR_CLASS_PERMANENT,
                           "a timer or call of the state %s, which has no due()", state->name);
    return STATUS_OK;
}

/* States are encoded and measured before anything else happens. */
static int pack_states(struct stream *s, struct batch *batch, struct err *err)
{
    for (unsigned i = 0; i < s->effects.n; i++) {
        struct effect *e = &s->effects.list[i];
        if (e->kind == EFFECT_STATE && e->pointer)
            e->packed = pack(batch->arena, e->pointer);
        if (e->packed.size > STATE_LIMIT || (e->kind == EFFECT_PART && e->data.size > STATE_LIMIT))
            return err_set(err, ERR_TOO_LARGE, ERR_CLASS_PERMANENT,
                           "its state would be larger than %d bytes", STATE_LIMIT);
    }
    return STATUS_OK;
}

int apply_effects(struct stream *s, struct batch *batch, struct item *item,
                  struct stream_decision *d, struct err *err)
{
    const struct effect *stop = NULL, *reject = NULL, *wait = NULL, *ask = NULL;
    (void)d;
    for (unsigned i = 0; i < s->effects.n; i++) {
        const struct effect *e = &s->effects.list[i];
        stop = e->kind == EFFECT_STOP ? e : stop;
        reject = e->kind == EFFECT_REJECT ? e : reject;
        wait = e->kind == EFFECT_PARK ? e : wait;
        ask = e->kind == EFFECT_ASK ? e : ask;
    }
    if (stop) {
        own_stop_at(s, item, stop->text);
        batch->dead = true;
        return STATUS_OK;
    }
    if (reject || wait) {
        struct effect found = reject ? *reject : *wait;
        for (unsigned i = 0; i < s->effects.n; i++)
            if (s->effects.list[i].kind == EFFECT_COUNT)
                apply_one(s, batch, item, &s->effects.list[i]);
        item->entry->decoded = NULL; /* whatever the decision did to it */
        if (reject && item->record)
            apply_dead_letter(s, batch, item, found.name, found.text);
        else if (wait && item->record)
            park_item(s, batch, item, found.number);
        else
            observe(s, LOG_ERROR, "timer_refused", "\"partition\":%d,\"code\":\"%s\"",
                    item->part->id, reject ? found.name : "parked");
        return STATUS_OK;
    }
    if (ask && s->n_asks >= s->limits.asks) {
        item->entry->decoded = NULL;
        apply_problem(s, batch, item, 503, "unavailable", "too many questions are being answered");
        return STATUS_OK;
    }
    int status = check_timers(s, item, err);
    if (!status)
        status = pack_states(s, batch, err);
    if (!status)
        status = say_all(s, batch, item, err);
    if (status < 0)
        return status;
    for (unsigned i = 0; i < s->effects.n; i++)
        apply_one(s, batch, item, &s->effects.list[i]);
    return STATUS_OK;
}

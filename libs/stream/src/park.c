/*
 * A message that waits for its state, as it is kept in the timers table: until when, the record, and which message of it.
 *
 * Its row is due at the time that its place in the log is, in 1970: so a new owner reads it before anything else, and
 * takes it in the order of the log. Either its state has come meanwhile, whoever saw it come and whoever could not read
 * the message then; or it waits on, until its time is over.
 */
#include "internal.h"

#include <stdio.h>

enum {
    FORM = 2,
    FORM_WITHOUT_UNTIL = 1, /* before: its row was due when its time was over */
    MESSAGES_A_RECORD = 4096
};

/* Microseconds of 1970, in the order of the log; records of a partition are not so many that they come to be now. */
static int64_t order(int64_t offset, uint64_t index)
{
    return offset * MESSAGES_A_RECORD + min_i64((int64_t)index, MESSAGES_A_RECORD - 1);
}

int64_t park_order(const struct item *item)
{
    return order(item->record->offset, item->index);
}

static struct slice pack(const struct item *item, int64_t until_us, struct arena *arena)
{
    struct buf out = {0};
    const struct bus_record *record = item->record;
    buf_append_varint(&out, FORM);
    buf_append_varint(&out, (uint64_t)until_us);
    buf_append_bytes(&out, slice_str(topic_name(record->topic)));
    buf_append_varint(&out, (uint64_t)record->partition);
    buf_append_varint(&out, (uint64_t)record->offset);
    buf_append_varint(&out, (uint64_t)record->time_us);
    buf_append_varint(&out, item->index);
    buf_append_bytes(&out, record->key);
    buf_append_bytes(&out, record->value);
    buf_append_varint(&out, record->n_headers);
    for (unsigned i = 0; i < record->n_headers; i++) {
        buf_append_bytes(&out, slice_str(record->headers[i].name));
        buf_append_bytes(&out, record->headers[i].value);
    }
    struct slice packed = out.overflow ? (struct slice){0} : arena_slice(arena, buf_slice(&out));
    buf_deinit(&out);
    return packed;
}

/* The beginning of every form; until: as it was, where the form has none. */
static int take_head(struct slice *in, int64_t *until_us, struct slice *topic)
{
    uint64_t form, until;
    if (slice_take_varint(in, &form) || (form != FORM && form != FORM_WITHOUT_UNTIL))
        return ERR_INVALID;
    if (form == FORM) {
        if (slice_take_varint(in, &until))
            return ERR_INVALID;
        *until_us = (int64_t)until;
    }
    return slice_take_bytes(in, topic);
}

/* Where its record stands in the log, and which message of it. */
struct place {
    uint64_t partition, offset, time, index;
};

static int take_place(struct slice *in, struct place *place)
{
    return slice_take_varint(in, &place->partition) || slice_take_varint(in, &place->offset) ||
                   slice_take_varint(in, &place->time) || slice_take_varint(in, &place->index)
               ? ERR_INVALID
               : STATUS_OK;
}

int park_unpack(struct stream *s, struct batch *batch, struct item *item, struct slice in,
                struct err *err)
{
    struct bus_record *record = arena_alloc(batch->arena, sizeof(*record));
    struct slice topic = {0};
    struct place place;
    uint64_t n;
    item->until_us = item->due_us;
    if (!record || take_head(&in, &item->until_us, &topic) || take_place(&in, &place) ||
        slice_take_bytes(&in, &record->key) || slice_take_bytes(&in, &record->value) ||
        slice_take_varint(&in, &n) || n > BUS_MAX_HEADERS)
        return err_set(err, ERR_INVALID, ERR_CLASS_PERMANENT, "a parked message cannot be read");
    for (uint64_t i = 0; i < n; i++) {
        struct slice name;
        if (slice_take_bytes(&in, &name) || slice_take_bytes(&in, &record->headers[i].value))
            return err_set(err, ERR_INVALID, ERR_CLASS_PERMANENT,
                           "a parked message cannot be read");
        record->headers[i].name = arena_str(batch->arena, name);
    }
    record->n_headers = (unsigned)n;
    record->partition = (int32_t)place.partition;
    record->offset = (int64_t)place.offset;
    record->time_us = (int64_t)place.time;
    for (unsigned i = 0; i < s->service->n_inputs; i++) {
        const struct stream_input *input = &s->service->inputs[i];
        if (!slice_equal_str(topic, topic_name(input->topic)))
            continue;
        ProtobufCAllocator allocator = stream_allocator(batch->arena);
        record->topic = input->topic;
        item->input = input;
        item->record = record;
        item->index = (unsigned)place.index;
        if (item->unusable)
            return STATUS_OK;
        item->body = protobuf_c_message_unpack(input->type, &allocator, record->value.size,
                                               record->value.data);
        if (item->body && input->type == &journey__v1__command__descriptor)
            item->command = item->body;
        return item->body ? STATUS_OK
                          : err_set(err, ERR_INVALID, ERR_CLASS_PERMANENT,
                                    "a parked message cannot be decoded");
    }
    return err_set(err, ERR_INVALID, ERR_CLASS_PERMANENT,
                   "a parked message is of a topic that is no input");
}

/* False: the row waits for a release that has this input again. */
bool park_known(const struct stream *s, struct slice in)
{
    struct slice topic;
    int64_t until_us;
    if (take_head(&in, &until_us, &topic))
        return false;
    for (unsigned i = 0; i < s->service->n_inputs; i++)
        if (slice_equal_str(topic, topic_name(s->service->inputs[i].topic)))
            return true;
    return false;
}

int64_t park_order_of(const struct timer *timer)
{
    struct slice in = timer->data, topic;
    int64_t until_us;
    struct place place;
    if (take_head(&in, &until_us, &topic) || take_place(&in, &place))
        return 0;
    return order((int64_t)place.offset, place.index);
}

void park_item(struct stream *s, struct batch *batch, struct item *item, int64_t until_us)
{
    char name[300];
    (void)snprintf(name, sizeof(name), "%s/%d/%lld/%u", topic_name(item->record->topic),
                   item->record->partition, (long long)item->record->offset, item->index);
    struct slice data = pack(item, until_us, batch->arena);
    if (item->part->n_parked >= s->limits.parked ||
        item->part->parked_bytes + data.size > s->limits.parked_bytes) {
        static const char reason[] = "too many messages wait for what they are about to begin";
        if (item->command)
            apply_problem(s, batch, item, 503, "unavailable", reason);
        else
            apply_dead_letter(s, batch, item, "too_many_parked", reason);
        return;
    }
    apply_timer(s, batch, item, TIMER_PARKED, name, park_order(item), until_us, data);
    metric_inc(s->m.parked, 1);
}

bool park_waits_on(struct stream *s, const struct item *item)
{
    if (item->kind != ITEM_PARKED || item->unusable || item->entry->present ||
        item->until_us <= s->now_us)
        return false;
    struct timer *timer = timers_find(item->part, item->timer_kind, &item->key, item->timer_name);
    if (timer) {
        timer->adopted = false;
        timers_postpone(item->part, timer, item->until_us);
    }
    return true;
}

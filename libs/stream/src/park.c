/* A message that waits for its state, as it is kept in the timers table: the record, and which message of it. */
#include "internal.h"

#include <stdio.h>

struct slice park_pack(const struct item *item, struct arena *arena)
{
    struct buf out = {0};
    const struct bus_record *record = item->record;
    buf_append_varint(&out, 1); /* form */
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

int park_unpack(struct stream *s, struct batch *batch, struct item *item, struct slice in,
                struct err *err)
{
    struct bus_record *record = arena_alloc(batch->arena, sizeof(*record));
    struct slice topic = {0};
    uint64_t form, partition, offset, time, index, n;
    if (!record || slice_take_varint(&in, &form) || form != 1 || slice_take_bytes(&in, &topic) ||
        slice_take_varint(&in, &partition) || slice_take_varint(&in, &offset) ||
        slice_take_varint(&in, &time) || slice_take_varint(&in, &index) ||
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
    record->partition = (int32_t)partition;
    record->offset = (int64_t)offset;
    record->time_us = (int64_t)time;
    for (unsigned i = 0; i < s->service->n_inputs; i++) {
        const struct stream_input *input = &s->service->inputs[i];
        if (!slice_equal_str(topic, topic_name(input->topic)))
            continue;
        ProtobufCAllocator allocator = stream_allocator(batch->arena);
        record->topic = input->topic;
        item->input = input;
        item->record = record;
        item->index = (unsigned)index;
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
    uint64_t form;
    if (slice_take_varint(&in, &form) || form != 1 || slice_take_bytes(&in, &topic))
        return false;
    for (unsigned i = 0; i < s->service->n_inputs; i++)
        if (slice_equal_str(topic, topic_name(s->service->inputs[i].topic)))
            return true;
    return false;
}

/* Where its record stands in the log: the order in which the parked messages of a state are decided. */
int64_t park_offset(const struct timer *timer)
{
    struct slice in = timer->data, topic;
    uint64_t form, partition, offset;
    if (slice_take_varint(&in, &form) || slice_take_bytes(&in, &topic) ||
        slice_take_varint(&in, &partition) || slice_take_varint(&in, &offset))
        return 0;
    return (int64_t)offset;
}

void park_item(struct stream *s, struct batch *batch, struct item *item, int64_t until_us)
{
    char name[300];
    (void)snprintf(name, sizeof(name), "%s/%d/%lld/%u", topic_name(item->record->topic),
                   item->record->partition, (long long)item->record->offset, item->index);
    struct slice data = park_pack(item, batch->arena);
    if (item->part->n_parked >= s->limits.parked ||
        item->part->parked_bytes + data.size > s->limits.parked_bytes) {
        static const char reason[] = "too many messages wait for what they are about to begin";
        if (item->command)
            apply_problem(s, batch, item, 503, "unavailable", reason);
        else
            apply_dead_letter(s, batch, item, "too_many_parked", reason);
        return;
    }
    apply_timer(s, batch, item, TIMER_PARKED, name, until_us, data);
    metric_inc(s->m.parked, 1);
}

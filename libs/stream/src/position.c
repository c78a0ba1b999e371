/*
 * What a commits row remembers of a partition: offsets of its inputs, numbers given per destination, watermarks per
 * producer. Topics are written by name, and what this release does not know is kept and written again, so that an
 * upgrade can add an input and a roll-back does not forget it.
 *
 *   offsets     (topic name or "timers", flags and stalls, next, check)*
 *   numbers     (topic name, n, (partition, number)*n)*
 *   watermarks  (topic name, n, (producer, number)*n)*
 */
#include "internal.h"

#include <stdlib.h>

enum {
    FLAG_STRICT = 1,
    FLAG_UNREAD = 2,  /* nothing was read yet: only the stalls count */
    STALLS_SHIFT = 2, /* above the flags */
};

const char *position_name(const struct stream *s, unsigned input)
{
    return input < s->service->n_inputs ? topic_name(s->service->inputs[input].topic) : "timers";
}

int position_input(const struct stream *s, struct slice name)
{
    for (unsigned i = 0; i <= s->service->n_inputs; i++)
        if (slice_equal_str(name, position_name(s, i)))
            return (int)i;
    return -1;
}

static int topic_of(struct slice name)
{
    char text[256];
    if (name.size >= sizeof(text))
        return -1;
    memcpy(text, name.data, name.size);
    text[name.size] = '\0';
    return topic_find(text);
}

static int decode_offsets(struct stream *s, struct part *part, struct slice in)
{
    while (in.size) {
        struct slice from = in, name;
        uint64_t flags, next, check;
        if (slice_take_bytes(&in, &name) || slice_take_varint(&in, &flags) ||
            slice_take_varint(&in, &next) || slice_take_varint(&in, &check))
            return ERR_INVALID;
        int i = position_input(s, name);
        if (i < 0) {
            buf_append(&part->unknown_offsets, from.data, from.size - in.size);
            continue;
        }
        part->inputs[i] = (struct position_input){.known = !(flags & FLAG_UNREAD),
                                                  .strict = flags & FLAG_STRICT,
                                                  .verify = true,
                                                  .next = (int64_t)next,
                                                  .check = (uint32_t)check,
                                                  .stalls = (unsigned)(flags >> STALLS_SHIFT)};
    }
    /* This take-over, and those before it that committed nothing at all. */
    for (unsigned i = 0; i <= s->service->n_inputs; i++)
        part->inputs[i].stalls += (unsigned)part->tries;
    return STATUS_OK;
}

static int decode_numbers(struct stream *s, struct part *part, struct slice in)
{
    while (in.size) {
        struct slice from = in, name;
        uint64_t n;
        if (slice_take_bytes(&in, &name) || slice_take_varint(&in, &n))
            return ERR_INVALID;
        int topic = topic_of(name);
        for (uint64_t k = 0; k < n; k++) {
            uint64_t partition, number;
            if (slice_take_varint(&in, &partition) || slice_take_varint(&in, &number) ||
                partition >= (uint64_t)s->n_parts)
                return ERR_INVALID;
            if (topic >= 0)
                part->dests[dest_index(s, topic, (int32_t)partition)].number = number;
        }
        if (topic < 0)
            buf_append(&part->unknown_numbers, from.data, from.size - in.size);
    }
    return STATUS_OK;
}

struct watermark *position_watermark(struct part *part, unsigned input, struct slice producer,
                                     bool make)
{
    uint64_t hash = hash64(producer.data, producer.size, input);
    struct watermark **bucket = &part->watermarks[hash % ARRAY_SIZE(part->watermarks)];
    for (struct watermark *w = *bucket; w; w = w->chain)
        if (w->input == input && w->size == producer.size &&
            memcmp(w->producer, producer.data, producer.size) == 0)
            return w;
    if (!make || producer.size > MAX_PRODUCER_NAME)
        return NULL;
    struct watermark *w = calloc(1, sizeof(*w) + producer.size);
    if (!w)
        return NULL;
    w->chain = *bucket;
    w->input = (uint8_t)input;
    w->size = (uint8_t)producer.size;
    memcpy(w->producer, producer.data, producer.size);
    return *bucket = w;
}

static int decode_watermarks(struct stream *s, struct part *part, struct slice in)
{
    while (in.size) {
        struct slice from = in, name;
        uint64_t n;
        if (slice_take_bytes(&in, &name) || slice_take_varint(&in, &n))
            return ERR_INVALID;
        int i = position_input(s, name);
        for (uint64_t k = 0; k < n; k++) {
            struct slice producer;
            uint64_t number;
            if (slice_take_bytes(&in, &producer) || slice_take_varint(&in, &number))
                return ERR_INVALID;
            struct watermark *w =
                i >= 0 ? position_watermark(part, (unsigned)i, producer, true) : NULL;
            if (i >= 0 && !w)
                return ERR_NO_MEMORY;
            if (w)
                w->number = number;
        }
        if (i < 0)
            buf_append(&part->unknown_watermarks, from.data, from.size - in.size);
    }
    return STATUS_OK;
}

int position_decode(struct stream *s, struct part *part, const struct store_position *row,
                    struct err *err)
{
    part->n = row->n;
    part->epoch = row->epoch;
    part->tries = row->tries;
    int status = decode_offsets(s, part, row->offsets);
    if (!status)
        status = decode_numbers(s, part, row->numbers);
    if (!status)
        status = decode_watermarks(s, part, row->watermarks);
    return status ? err_set(err, status, ERR_CLASS_PERMANENT,
                            "commits row %lld of partition %d cannot be read", (long long)row->n,
                            part->id)
                  : STATUS_OK;
}

static void encode_offsets(const struct stream *s, const struct part *part, struct buf *out)
{
    for (unsigned i = 0; i <= s->service->n_inputs; i++) {
        const struct position_input *in = &part->inputs[i];
        uint64_t flags = (in->strict ? FLAG_STRICT : 0) | (in->known ? 0 : FLAG_UNREAD);
        buf_append_bytes(out, slice_str(position_name(s, i)));
        buf_append_varint(out, flags | (uint64_t)(in->moved ? 0 : in->stalls) << STALLS_SHIFT);
        buf_append_varint(out, (uint64_t)in->next);
        buf_append_varint(out, in->check);
    }
    buf_append_slice(out, buf_slice(&part->unknown_offsets));
}

static void encode_numbers(const struct stream *s, const struct part *part, struct buf *out)
{
    for (int t = 0; t < TOPIC_COUNT * 2; t++) {
        int topic = t / 2 | (t % 2 ? TOPIC_DLQ : 0);
        const struct dest *dests = &part->dests[dest_index(s, topic, 0)];
        unsigned n = 0;
        for (int32_t p = 0; p < s->n_parts; p++)
            n += dests[p].number > 0;
        if (!n)
            continue;
        buf_append_bytes(out, slice_str(topic_name(topic)));
        buf_append_varint(out, n);
        for (int32_t p = 0; p < s->n_parts; p++) {
            if (dests[p].number) {
                buf_append_varint(out, (uint64_t)p);
                buf_append_varint(out, dests[p].number);
            }
        }
    }
    buf_append_slice(out, buf_slice(&part->unknown_numbers));
}

static void encode_watermarks(const struct stream *s, const struct part *part, struct buf *out)
{
    for (unsigned i = 0; i < s->service->n_inputs; i++) {
        unsigned n = 0;
        for (unsigned b = 0; b < ARRAY_SIZE(part->watermarks); b++)
            for (const struct watermark *w = part->watermarks[b]; w; w = w->chain)
                n += w->input == i;
        if (!n)
            continue;
        buf_append_bytes(out, slice_str(topic_name(s->service->inputs[i].topic)));
        buf_append_varint(out, n);
        for (unsigned b = 0; b < ARRAY_SIZE(part->watermarks); b++) {
            for (const struct watermark *w = part->watermarks[b]; w; w = w->chain) {
                if (w->input == i) {
                    buf_append_bytes(out, slice_make(w->producer, w->size));
                    buf_append_varint(out, w->number);
                }
            }
        }
    }
    buf_append_slice(out, buf_slice(&part->unknown_watermarks));
}

void position_encode(struct stream *s, struct part *part, struct arena *arena,
                     struct store_position *row)
{
    struct buf *out = &s->scratch;
    buf_reset(out);
    encode_offsets(s, part, out);
    row->offsets = arena_slice(arena, buf_slice(out));
    buf_reset(out);
    encode_numbers(s, part, out);
    row->numbers = arena_slice(arena, buf_slice(out));
    buf_reset(out);
    encode_watermarks(s, part, out);
    row->watermarks = arena_slice(arena, buf_slice(out));
    row->part = part->id;
    row->epoch = part->epoch;
    row->tries = 0;
}

void position_forget(struct stream *s, struct part *part)
{
    memset(part->inputs, 0, sizeof(part->inputs));
    part->unsaved_us = 0;
    for (unsigned b = 0; b < ARRAY_SIZE(part->watermarks); b++) {
        while (part->watermarks[b]) {
            struct watermark *w = part->watermarks[b];
            part->watermarks[b] = w->chain;
            free(w);
        }
    }
    buf_deinit(&part->unknown_offsets);
    buf_deinit(&part->unknown_numbers);
    buf_deinit(&part->unknown_watermarks);
}

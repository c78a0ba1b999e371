/*
 * What is said, and how it is known to have arrived.
 *
 * Messages of one commits row are encoded as frames when they are decided: the same bytes go into the row's outbox blob
 * and, once the commit is confirmed, to the bus; a later owner reads them from the blob. So what is said again is
 * byte-identical. A message counts as confirmed when it and all earlier ones for its destination are confirmed to the
 * present owner; a row that is wholly confirmed, with all before it, is behind `done`.
 */
#include "internal.h"

#include <lz4.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    BLOB_VERSION = 1
};

/* frame: size of the rest as 4 bytes, topic (name), partition, flags, key, value, headers (count, name, value) */
enum {
    FRAME_TOMBSTONE = 1
};

static char *put_text(char *at, const char *text)
{
    size_t size = strlen(text);
    memcpy(at, text, size);
    return at + size;
}

static char *put_number(char *at, uint64_t number)
{
    char digits[20];
    unsigned n = 0;
    do
        digits[n++] = (char)('0' + number % 10);
    while (number /= 10);
    *at++ = '/';
    while (n)
        *at++ = digits[--n];
    return at;
}

/* "<producer>/<partition>/<topic>/<partition>/<number>", for each message: without printf. */
static size_t format_id(char id[MAX_ID], const struct stream *s, const struct part *part,
                        const struct bus_message *message, uint64_t number)
{
    _Static_assert(sizeof(s->producer) + 64 + 63 < MAX_ID, "a topic's name has its room");
    char *at = put_number(put_text(id, s->producer), (uint64_t)part->id);
    *at++ = '/';
    at = put_number(put_text(at, topic_name(message->topic)), (uint64_t)message->partition);
    at = put_number(at, number);
    *at = '\0';
    return (size_t)(at - id);
}

static void put_headers(struct buf *frames, const struct bus_header *headers, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        buf_append_bytes(frames, slice_str(headers[i].name));
        buf_append_bytes(frames, headers[i].value);
    }
}

int outbox_add(struct stream *s, struct part *part, struct outrow *row,
               const struct bus_message *message, bool raw, const char *type, int64_t time_us,
               const char *trace)
{
    struct dest *dest = &part->dests[dest_index(s, message->topic, message->partition)];
    struct buf *frames = &row->frames[message->topic != TOPIC_REPLIES];
    size_t begin = frames->size;
    char id[MAX_ID];
    size_t id_size = format_id(id, s, part, message, dest->number + 1);
    char time[TIME_TEXT_SIZE];
    uint8_t *size = buf_extend(frames, 4);
    buf_append_bytes(frames, slice_str(topic_name(message->topic)));
    buf_append_varint(frames, (uint64_t)message->partition);
    buf_append_varint(frames, message->value.data ? 0 : FRAME_TOMBSTONE);
    buf_append_bytes(frames, message->key);
    buf_append_bytes(frames, message->value);
    struct bus_header own[8] = {{"dlq-id", slice_make(id, id_size)}};
    unsigned n_own = 1;
    if (!raw) {
        time_format(time, time_us);
        n_own = headers_cloudevents(own, slice_make(id, id_size), type, s->source, time, trace);
    }
    buf_append_varint(frames, n_own + message->n_headers);
    put_headers(frames, own, n_own);
    put_headers(frames, message->headers, message->n_headers);
    size_t total = frames->size - begin;
    if (frames->overflow || !size || total > BUS_MAX_RECORD_BYTES) {
        frames->size = begin;
        frames->overflow = false;
        return ERR_TOO_LARGE;
    }
    uint32_t rest = (uint32_t)(total - 4);
    memcpy(frames->data + begin, &rest, 4); /* the buffer may have moved since `size` */
    dest->number++;
    row->count++;
    row->pending++;
    s->unconfirmed += total;
    return STATUS_OK;
}

struct slice outbox_pack(const struct outrow *row, struct arena *arena)
{
    size_t raw = row->frames[0].size + row->frames[1].size;
    if (!raw)
        return (struct slice){0};
    uint8_t *joined = arena_alloc(arena, raw);
    int bound = LZ4_compressBound((int)raw);
    uint8_t *out = arena_alloc(arena, (size_t)bound + 5);
    if (!joined || !out)
        return (struct slice){0};
    if (row->frames[0].size)
        memcpy(joined, row->frames[0].data, row->frames[0].size);
    if (row->frames[1].size)
        memcpy(joined + row->frames[0].size, row->frames[1].data, row->frames[1].size);
    uint32_t size = (uint32_t)raw;
    out[0] = BLOB_VERSION;
    memcpy(out + 1, &size, 4);
    int packed = LZ4_compress_default((const char *)joined, (char *)out + 5, (int)raw, bound);
    return packed > 0 ? slice_make(out, (size_t)packed + 5) : (struct slice){0};
}

static int frame_take(struct slice *in, struct slice *frame)
{
    uint32_t size;
    struct slice head;
    if (slice_take(in, 4, &head))
        return ERR_INVALID;
    memcpy(&size, head.data, 4);
    return slice_take(in, size, frame);
}

/* The destination of a frame, and what follows it. */
static int frame_destination(struct slice *frame, int *topic, int32_t *partition)
{
    struct slice text;
    uint64_t number;
    char name[256];
    if (slice_take_bytes(frame, &text) || text.size >= sizeof(name) ||
        slice_take_varint(frame, &number))
        return ERR_INVALID;
    memcpy(name, text.data, text.size);
    name[text.size] = '\0';
    *topic = topic_find(name);
    *partition = (int32_t)number;
    return *topic < 0 ? ERR_INVALID : STATUS_OK;
}

void outbox_undo(struct stream *s, struct part *part, struct outrow *row, const size_t sizes[2])
{
    for (unsigned which = 0; which < 2; which++) {
        struct buf *frames = &row->frames[which];
        if (frames->size == sizes[which])
            continue;
        struct slice in = slice_make(frames->data + sizes[which], frames->size - sizes[which]),
                     frame;
        s->unconfirmed -= in.size;
        while (in.size && frame_take(&in, &frame) == 0) {
            int topic;
            int32_t partition;
            if (frame_destination(&frame, &topic, &partition) == 0)
                part->dests[dest_index(s, topic, partition)].number--;
            row->count--;
            row->pending--;
        }
        frames->size = sizes[which];
    }
}

int outbox_unpack(struct stream *s, struct part *part, int64_t n, struct slice blob,
                  struct err *err)
{
    uint32_t size;
    if (blob.size < 5 || blob.data[0] != BLOB_VERSION)
        return err_set(err, ERR_INVALID, ERR_CLASS_PERMANENT, "outbox of row %lld cannot be read",
                       (long long)n);
    memcpy(&size, blob.data + 1, 4);
    struct outrow *row = calloc(1, sizeof(*row));
    uint8_t *out = row ? buf_extend(&row->frames[1], size) : NULL;
    if (!out || LZ4_decompress_safe((const char *)blob.data + 5, (char *)out, (int)blob.size - 5,
                                    (int)size) != (int)size) {
        outbox_row_free(&row);
        return err_set(err, ERR_INVALID, ERR_CLASS_PERMANENT, "outbox of row %lld cannot be read",
                       (long long)n);
    }
    struct slice in = buf_slice(&row->frames[1]), frame;
    while (in.size && frame_take(&in, &frame) == 0)
        row->count++;
    row->n = n;
    row->at_us = s->now_us;
    row->pending = row->count;
    row->committed = true;
    s->unconfirmed += row->frames[1].size;
    *part->rows_tail = row;
    part->rows_tail = &row->next;
    return STATUS_OK;
}

void outbox_row_free(struct outrow **row)
{
    if (!*row)
        return;
    buf_deinit(&(*row)->frames[0]);
    buf_deinit(&(*row)->frames[1]);
    free(*row);
    *row = NULL;
}

/* ---- sending ---- */

static struct sent *slot_take(struct stream *s, uint32_t *index)
{
    if (!s->free_slot) {
        uint32_t grown = s->n_slots ? s->n_slots * 2 : 1024;
        struct sent *slots = realloc(s->slots, grown * sizeof(*slots));
        if (!slots)
            return NULL;
        for (uint32_t i = grown; i-- > s->n_slots;) {
            slots[i] = (struct sent){0};
            if (i) { /* slot 0 is nobody's: 0 means none */
                slots[i].next = s->free_slot;
                s->free_slot = i;
            }
        }
        s->slots = slots;
        s->n_slots = grown;
    }
    *index = s->free_slot;
    struct sent *sent = &s->slots[*index];
    s->free_slot = sent->next;
    *sent = (struct sent){.tag = ++s->tags ? s->tags : ++s->tags};
    return sent;
}

static void slot_give(struct stream *s, uint32_t index)
{
    s->slots[index] = (struct sent){.next = s->free_slot};
    s->free_slot = index;
}

static int frame_message(struct slice frame, struct bus_message *message,
                         struct bus_header *headers, struct buf *names)
{
    uint64_t flags, n;
    int status = frame_destination(&frame, &message->topic, &message->partition);
    if (status || slice_take_varint(&frame, &flags) || slice_take_bytes(&frame, &message->key) ||
        slice_take_bytes(&frame, &message->value) || slice_take_varint(&frame, &n) ||
        n > BUS_MAX_HEADERS)
        return ERR_INVALID;
    if (flags & FRAME_TOMBSTONE)
        message->value = (struct slice){0};
    size_t offsets[BUS_MAX_HEADERS];
    buf_reset(names);
    for (uint64_t i = 0; i < n; i++) {
        struct slice header;
        if (slice_take_bytes(&frame, &header) || slice_take_bytes(&frame, &headers[i].value))
            return ERR_INVALID;
        offsets[i] = names->size;
        buf_append_slice(names, header);
        buf_append_byte(names, 0);
    }
    for (uint64_t i = 0; i < n; i++)
        headers[i].name = (const char *)names->data + offsets[i];
    message->headers = headers;
    message->n_headers = (unsigned)n;
    return STATUS_OK;
}

/* One frame to the bus. 1: sent; 0: the bus is full. */
static int send_frame(struct stream *s, struct part *part, struct outrow *row, struct slice frame,
                      size_t size)
{
    struct bus_message message = {0};
    struct bus_header headers[BUS_MAX_HEADERS];
    struct err err = {0};
    uint32_t index;
    if (frame_message(frame, &message, headers, &s->scratch)) {
        /* A topic that this release does not know: whoever knows it says it; here the partition stops. */
        own_stop(s, part, "the outbox names a topic that this release does not know");
        return 0;
    }
    struct sent *sent = slot_take(s, &index);
    if (!sent)
        return 0;
    uint32_t d = dest_index(s, message.topic, message.partition);
    message.cookie = (uint64_t)sent->tag << 32 | index;
    int status = bus_send(s->bus, &message, &err);
    if (status) {
        slot_give(s, index);
        if (status != ERR_FULL)
            s->producer_failed = true;
        wake_at(s, s->now_us + 5000);
        return 0;
    }
    sent->row = row;
    sent->part = part->id;
    sent->dest = d;
    sent->size = (uint32_t)size;
    struct dest *dest = &part->dests[d];
    *(dest->tail ? &s->slots[dest->tail].next : &dest->head) = index;
    dest->tail = index;
    metric_inc(s->m.published, 1);
    return 1;
}

static bool send_row(struct stream *s, struct part *part, struct outrow *row, unsigned which)
{
    struct buf *frames = &row->frames[which];
    while (row->cursor[which] < frames->size) {
        struct slice in = slice_make(frames->data + row->cursor[which],
                                     frames->size - row->cursor[which]),
                     frame;
        size_t before = in.size;
        if (frame_take(&in, &frame) || send_frame(s, part, row, frame, before - in.size) == 0)
            return false;
        row->cursor[which] += before - in.size;
    }
    buf_deinit(frames);
    row->cursor[which] = 0;
    return true;
}

void outbox_send(struct stream *s)
{
    for (int32_t p = 0; p < s->n_parts; p++) {
        struct part *part = &s->parts[p];
        if (part->state != PART_RUNNING)
            continue;
        /* Rows in order; replies of a row before the rest. What was read back from a blob is in one buffer, replies first. */
        for (struct outrow *row = part->rows; row && row->committed; row = row->next)
            if (!send_row(s, part, row, 0) || part->state != PART_RUNNING ||
                !send_row(s, part, row, 1))
                break;
    }
}

void outbox_advance(struct part *part)
{
    while (part->rows && part->rows->committed && part->rows->pending == 0) {
        struct outrow *row = part->rows;
        part->rows = row->next;
        if (!part->rows)
            part->rows_tail = &part->rows;
        outbox_row_free(&row);
    }
}

void outbox_delivered(struct stream *s, uint64_t cookie)
{
    uint32_t index = (uint32_t)cookie, tag = (uint32_t)(cookie >> 32);
    if (index == 0 || index >= s->n_slots || s->slots[index].tag != tag || !s->slots[index].row)
        return; /* of another life, or not from an outbox */
    s->slots[index].delivered = true;
    struct part *part = &s->parts[s->slots[index].part];
    struct dest *dest = &part->dests[s->slots[index].dest];
    while (dest->head && s->slots[dest->head].delivered) {
        uint32_t head = dest->head;
        struct sent *sent = &s->slots[head];
        sent->row->pending--;
        s->unconfirmed -= sent->size;
        metric_inc(s->m.confirmed, 1);
        dest->head = sent->next;
        if (!dest->head)
            dest->tail = 0;
        slot_give(s, head);
    }
    outbox_advance(part);
}

int64_t outbox_done(const struct part *part, int64_t n)
{
    return part->rows ? part->rows->n : n;
}

void outbox_forget(struct stream *s, struct part *part)
{
    for (uint32_t d = 0; d < 2 * TOPIC_COUNT * (uint32_t)s->n_parts; d++) {
        for (uint32_t i = part->dests[d].head, next; i; i = next) {
            next = s->slots[i].next;
            s->unconfirmed -= s->slots[i].size;
            slot_give(s, i);
        }
        part->dests[d] = (struct dest){0};
    }
    while (part->rows) {
        struct outrow *row = part->rows;
        part->rows = row->next;
        s->unconfirmed -=
            row->frames[0].size - row->cursor[0] + row->frames[1].size - row->cursor[1];
        outbox_row_free(&row);
    }
    part->rows_tail = &part->rows;
}

/* The field numbers are those of proto/journey/v1/event.proto. */
#include "wire.h"

enum { /* Event */
    MESSAGE_ID = 1,
    TYPE = 2,
    NAME = 3,
    DEVICE = 4,
    USER = 5,
    SESSION_ID = 6,
    TIMESTAMP_US = 7,
    SENT_AT_US = 8,
    PROPERTIES = 9,
    CONTEXT = 10,
    SEALED = 11,
    GROUP = 12,
    PREVIOUS = 13,
    DEVICE_IS_USER = 14,
    PREFETCH = 15,
    OPT_OUT = 16,
    MASKED = 17,
};
enum { /* EventBatch */
    BATCH_TENANT_ID = 1,
    BATCH_RECEIVED_US = 2,
    BATCH_CLIENT = 3,
    BATCH_EVENTS = 4,
};

enum wire_type {
    VARINT = 0,
    BYTES = 2
};

#define MAX_VARINT 10
#define MAX_FIELDS 18
/* of every field its tag, and a length or number */
#define OVERHEAD ((size_t)MAX_FIELDS * (2 + MAX_VARINT))

static uint8_t *put_varint(uint8_t *at, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        *at++ = (uint8_t)(value | 0x80);
    *at++ = (uint8_t)value;
    return at;
}

/* Fields that hold nothing are left out, as proto3 has it. */
static uint8_t *put_number(uint8_t *at, unsigned field, uint64_t value)
{
    return value ? put_varint(put_varint(at, field << 3 | VARINT), value) : at;
}

static uint8_t *put_bytes(uint8_t *at, unsigned field, struct slice bytes)
{
    if (!bytes.size)
        return at;
    at = put_varint(put_varint(at, field << 3 | BYTES), bytes.size);
    memcpy(at, bytes.data, bytes.size);
    return at + bytes.size;
}

static uint8_t *put_hash(uint8_t *at, unsigned field, const uint8_t hash[GW_HASH_SIZE], bool has)
{
    return put_bytes(at, field, slice_make(hash, has ? GW_HASH_SIZE : 0));
}

struct slice gw_wire_event(const struct gw_event *event, struct slice sealed, struct arena *arena)
{
    struct slice message_id = slice_str(event->message_id), name = slice_str(event->name);
    struct slice session_id = slice_str(event->session_id);
    size_t room = OVERHEAD + (size_t)4 * GW_HASH_SIZE + message_id.size + name.size +
                  session_id.size + event->properties.size + event->context.size + sealed.size;
    uint8_t *start = arena_alloc(arena, room);
    if (!start)
        return slice_make(NULL, 0);
    uint8_t *body = start + 1 + MAX_VARINT, *at = body;
    at = put_bytes(at, MESSAGE_ID, message_id);
    at = put_number(at, TYPE, event->type);
    at = put_bytes(at, NAME, name);
    at = put_hash(at, DEVICE, event->device, event->has_device);
    at = put_hash(at, USER, event->user, event->has_user);
    at = put_bytes(at, SESSION_ID, session_id);
    at = put_number(at, TIMESTAMP_US, (uint64_t)event->timestamp_us);
    at = put_number(at, SENT_AT_US, (uint64_t)event->sent_at_us);
    at = put_bytes(at, PROPERTIES, event->properties);
    at = put_bytes(at, CONTEXT, event->context);
    at = put_bytes(at, SEALED, sealed);
    at = put_hash(at, GROUP, event->group, event->has_group);
    at = put_hash(at, PREVIOUS, event->previous, event->has_previous);
    at = put_number(at, DEVICE_IS_USER, event->device_is_user);
    at = put_number(at, PREFETCH, event->prefetch);
    at = put_number(at, OPT_OUT, event->opt_out);
    at = put_number(at, MASKED, event->masked);
    /* tag and length go right before it, once it is known how long they are */
    uint8_t head[1 + MAX_VARINT];
    size_t head_size =
        (size_t)(put_varint(put_varint(head, BATCH_EVENTS << 3 | BYTES), (uint64_t)(at - body)) -
                 head);
    memcpy(body - head_size, head, head_size);
    return slice_make(body - head_size, head_size + (size_t)(at - body));
}

struct slice gw_wire_batch(const uint8_t tenant[16], int64_t received_us, const char *client,
                           struct arena *arena)
{
    struct slice name = slice_str(client);
    uint8_t *start = arena_alloc(arena, OVERHEAD + 16 + name.size), *at = start;
    if (!start)
        return slice_make(NULL, 0);
    at = put_bytes(at, BATCH_TENANT_ID, slice_make(tenant, 16));
    at = put_number(at, BATCH_RECEIVED_US, (uint64_t)received_us);
    at = put_bytes(at, BATCH_CLIENT, name);
    return slice_make(start, (size_t)(at - start));
}

/* A walk over the descriptor: what kind of value each field holds decides how it is written, never the message's type. */
#include "decode.h"

#include "journey/v1/command.pb-c.h"
#include "journey/v1/consent.pb-c.h"
#include "journey/v1/event.pb-c.h"
#include "journey/v1/journey.pb-c.h"
#include "journey/v1/settings.pb-c.h"

const ProtobufCMessageDescriptor *decode_type(const char *message_type)
{
    static const ProtobufCMessageDescriptor *const types[] = {
        &journey__v1__event_batch__descriptor,     &journey__v1__accepted__descriptor,
        &journey__v1__command__descriptor,         &journey__v1__touchpoint__descriptor,
        &journey__v1__session_state__descriptor,   &journey__v1__reply__descriptor,
        &journey__v1__tenant_settings__descriptor, &journey__v1__count__descriptor,
        &journey__v1__consent__descriptor,
    };
    for (unsigned i = 0; i < ARRAY_SIZE(types); i++)
        if (strcmp(types[i]->short_name, message_type) == 0)
            return types[i];
    return NULL;
}

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text), end_size = strlen(end);
    return size >= end_size && strcmp(text + size - end_size, end) == 0;
}

static bool holds_json(const char *name)
{
    static const char *const names[] = {
        "properties",
        "context",
        "columns",
        "contextual_data",
        "interaction_data",
        "device_context",
        "entry_point",
        "utm_data",
        "referrer_data",
        "intent_signals",
        "json",
        "metadata",
        "returning_visitor",
        "personalization_applied",
        "performance_metrics",
    };
    for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

/* Line ends occur in JSON only between its tokens, so blanks may stand for them. */
static void write_json(struct slice text, struct json_writer *w, struct arena *arena)
{
    const struct json_node *root;
    if (text.size == 0) {
        json_write_raw(w, SLICE_LITERAL("{}"));
        return;
    }
    if (json_parse(&root, text, arena, NULL) < 0) {
        json_write_slice(w, text);
        return;
    }
    uint8_t *line = arena_copy(arena, text.data, text.size);
    if (!line) {
        json_write_null(w);
        return;
    }
    for (size_t i = 0; i < text.size; i++)
        if (line[i] == '\n' || line[i] == '\r')
            line[i] = ' ';
    json_write_raw(w, slice_make(line, text.size));
}

static void write_bytes(const char *name, const ProtobufCBinaryData *bytes, struct json_writer *w,
                        struct arena *arena)
{
    char uuid[UUID_TEXT_SIZE];
    bool id = strcmp(name, "id") == 0 || ends_with(name, "_id");
    if (id && bytes->len == sizeof(struct uuid)) {
        uuid_format(uuid, bytes->data);
        json_write_str(w, uuid);
        return;
    }
    char *hex = arena_alloc(arena, 2 * bytes->len + 1);
    if (hex)
        hex_format(hex, bytes->data, bytes->len);
    json_write_str(w, hex);
}

static void write_enum(const ProtobufCEnumDescriptor *type, int number, struct json_writer *w)
{
    const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(type, number);
    if (value)
        json_write_str(w, value->name);
    else
        json_write_int(w, number);
}

/* ---- one value; at: where the message holds it ---- */

static void write_number(const ProtobufCFieldDescriptor *field, const void *at,
                         struct json_writer *w)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        json_write_int(w, *(const int32_t *)at);
        break;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        json_write_int(w, *(const uint32_t *)at);
        break;
    case PROTOBUF_C_TYPE_FLOAT:
        json_write_double(w, (double)*(const float *)at);
        break;
    case PROTOBUF_C_TYPE_DOUBLE:
        json_write_double(w, *(const double *)at);
        break;
    case PROTOBUF_C_TYPE_BOOL:
        json_write_bool(w, *(const protobuf_c_boolean *)at);
        break;
    default:
        json_write_int(w, *(const int64_t *)at);
        break;
    }
}

/* Hashes of 64 bits do not fit a JSON number: as text. */
static void write_unsigned64(uint64_t value, struct json_writer *w, struct arena *arena)
{
    json_write_str(w, arena_printf(arena, "%llu", (unsigned long long)value));
}

static void write_value(const ProtobufCFieldDescriptor *field, const void *at,
                        struct json_writer *w, struct arena *arena)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING: {
        struct slice text = slice_str(*(const char *const *)at);
        if (holds_json(field->name))
            write_json(text, w, arena);
        else
            json_write_slice(w, text.data ? text : SLICE_LITERAL(""));
        break;
    }
    case PROTOBUF_C_TYPE_BYTES:
        write_bytes(field->name, at, w, arena);
        break;
    case PROTOBUF_C_TYPE_ENUM:
        write_enum(field->descriptor, *(const int *)at, w);
        break;
    case PROTOBUF_C_TYPE_MESSAGE:
        json_begin_object(w);
        decode_members(*(const ProtobufCMessage *const *)at, w, arena);
        json_end_object(w);
        break;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        write_unsigned64(*(const uint64_t *)at, w, arena);
        break;
    default:
        write_number(field, at, w);
        break;
    }
}

static size_t value_size(const ProtobufCFieldDescriptor *field)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    case PROTOBUF_C_TYPE_BOOL:
        return sizeof(protobuf_c_boolean);
    case PROTOBUF_C_TYPE_ENUM:
        return sizeof(int);
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
        return 4;
    default:
        return 8;
    }
}

static void write_repeated(const ProtobufCFieldDescriptor *field, const uint8_t *at, size_t count,
                           struct json_writer *w, struct arena *arena)
{
    json_begin_array(w);
    for (size_t i = 0; i < count; i++)
        write_value(field, at + i * value_size(field), w, arena);
    json_end_array(w);
}

static void write_time(const ProtobufCFieldDescriptor *field, int64_t time_us,
                       struct json_writer *w, struct arena *arena)
{
    char *name = arena_str(arena, slice_make(field->name, strlen(field->name) - 3));
    if (!name)
        return;
    json_key(w, name);
    json_write_time(w, time_us > 0 ? time_us : TIME_NONE);
}

static bool is_set(const ProtobufCFieldDescriptor *field, const uint8_t *message)
{
    if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
        return *(const uint32_t *)(const void *)(message + field->quantifier_offset) == field->id;
    if (field->type == PROTOBUF_C_TYPE_MESSAGE && field->label != PROTOBUF_C_LABEL_REPEATED)
        return *(const void *const *)(const void *)(message + field->offset) != NULL;
    return true;
}

void decode_members(const ProtobufCMessage *message, struct json_writer *w, struct arena *arena)
{
    const uint8_t *base = (const uint8_t *)message;
    const ProtobufCMessageDescriptor *type = message->descriptor;
    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];
        const void *at = base + field->offset;
        if (!is_set(field, base))
            continue;
        json_key(w, field->name);
        if (field->label == PROTOBUF_C_LABEL_REPEATED) {
            size_t count = *(const size_t *)(const void *)(base + field->quantifier_offset);
            write_repeated(field, *(const uint8_t *const *)at, count, w, arena);
            continue;
        }
        write_value(field, at, w, arena);
        if (field->type == PROTOBUF_C_TYPE_INT64 && ends_with(field->name, "_us"))
            write_time(field, *(const int64_t *)at, w, arena);
    }
}

struct slice decode_tenant(const ProtobufCMessage *message)
{
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field_by_name(message->descriptor, "tenant_id");
    if (!field || field->type != PROTOBUF_C_TYPE_BYTES)
        return slice_make(NULL, 0);
    const ProtobufCBinaryData *bytes = (const void *)((const uint8_t *)message + field->offset);
    return slice_make(bytes->data, bytes->len);
}

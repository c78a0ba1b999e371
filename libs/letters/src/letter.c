/* One letter: what its record says of it, and how it goes back. */
#include "decode.h"
#include "letters.h"

#include "journey/v1/command.pb-c.h"
#include "journey/v1/event.pb-c.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const states[] = {"open", "replaying", "replayed", "dropped"};

const char *letter_state_name(enum letter_state state)
{
    return states[state];
}

int letter_state_find(struct slice name)
{
    for (unsigned i = 0; i < ARRAY_SIZE(states); i++)
        if (slice_equal_str(name, states[i]))
            return (int)i;
    return -1;
}

static void *arena_take(void *data, size_t size)
{
    return arena_alloc(data, size);
}
static void arena_give(void *data, void *memory)
{
    (void)data, (void)memory;
}

static ProtobufCMessage *decode(const struct bus_record *record, struct arena *arena)
{
    ProtobufCAllocator allocator = {arena_take, arena_give, arena};
    const ProtobufCMessageDescriptor *type = decode_type(topic_info(record->topic)->message_type);
    if (!type || !record->value.data)
        return NULL;
    return protobuf_c_message_unpack(type, &allocator, record->value.size, record->value.data);
}

static struct slice header(const struct bus_record *record, const char *name)
{
    const struct bus_header *found = bus_record_header(record, name);
    return found ? found->value : slice_make(NULL, 0);
}

static bool is_raw(struct slice service)
{
    return slice_equal_str(service, "gateway");
}

bool letter_is_raw(const struct letter *letter)
{
    return is_raw(letter->service);
}

struct slice letter_sealed(const struct bus_record *record)
{
    return header(record, "sealed");
}

static struct slice message_id_of(const ProtobufCMessage *message)
{
    const Journey__V1__Event *event = NULL;
    const char *id = "";
    if (message->descriptor == &journey__v1__event_batch__descriptor) {
        const Journey__V1__EventBatch *batch = (const void *)message;
        event = batch->n_events == 1 ? batch->events[0] : NULL;
    } else if (message->descriptor == &journey__v1__accepted__descriptor) {
        event = ((const Journey__V1__Accepted *)message)->event;
    } else if (message->descriptor == &journey__v1__command__descriptor) {
        id = ((const Journey__V1__Command *)message)->message_id;
    }
    return slice_str(event ? event->message_id : id);
}

void letter_of_record(struct letter *letter, const struct bus_record *record, struct arena *arena)
{
    struct slice service = header(record, "dlq-service"), key = record->key;
    size_t size = UUID_TEXT_SIZE - 1;
    *letter = (struct letter){.topic = record->topic,
                              .partition = record->partition,
                              .offset = record->offset,
                              .time_us = record->time_us,
                              .code = header(record, "dlq-code"),
                              .field = header(record, "dlq-field"),
                              .reason = header(record, "dlq-reason"),
                              .service = service,
                              .source = header(record, "dlq-source"),
                              .message_id = header(record, "message-id"),
                              .said = header(record, "dlq-id"),
                              .acted_us = TIME_NONE};
    if (key.size >= size && uuid_parse(&letter->tenant, slice_make(key.data, size)) == 0 &&
        key.size > size + 1)
        letter->subject = slice_make(key.data + size + 1, key.size - size - 1);
    const ProtobufCMessage *message = is_raw(service) ? NULL : decode(record, arena);
    if (!message)
        return;
    struct slice tenant = decode_tenant(message);
    if (tenant.size == sizeof(letter->tenant.bytes))
        memcpy(letter->tenant.bytes, tenant.data, tenant.size);
    letter->message_id = message_id_of(message);
}

/* ---- its name ---- */

void letter_id(char out[LETTER_ID_SIZE], const struct letter *letter)
{
    (void)snprintf(out, LETTER_ID_SIZE, "%s.%d.%lld.%lld", topic_name(letter->topic),
                   letter->partition, (long long)letter->offset,
                   (long long)(letter->time_us / 1000));
}

int letter_id_parse(struct letter *letter, struct slice id)
{
    char text[LETTER_ID_SIZE];
    long long numbers[3]; /* partition, offset, time */
    if (!id.data || id.size >= sizeof(text) || memchr(id.data, 0, id.size))
        return ERR_NOT_FOUND;
    memcpy(text, id.data, id.size);
    text[id.size] = '\0';
    for (int i = 2; i >= 0; i--) {
        char *end, *dot = strrchr(text, '.');
        if (!dot || dot[1] < '0' || dot[1] > '9')
            return ERR_NOT_FOUND;
        numbers[i] = strtoll(dot + 1, &end, 10);
        if (*end || numbers[i] > INT64_MAX / 1000)
            return ERR_NOT_FOUND;
        *dot = '\0';
    }
    int topic = topic_find(text);
    if (topic < 0 || !(topic & TOPIC_DLQ) || numbers[0] > INT32_MAX)
        return ERR_NOT_FOUND;
    *letter = (struct letter){.topic = topic,
                              .partition = (int32_t)numbers[0],
                              .offset = numbers[1],
                              .time_us = numbers[2] * 1000};
    return 0;
}

/* ---- sending it back ---- */

void letter_send_back(struct bus_message *message, struct bus_header *headers,
                      const struct bus_record *record, int64_t now_us, struct arena *arena)
{
    unsigned n = 0;
    for (unsigned i = 0; i < record->n_headers && n < BUS_MAX_HEADERS - 1; i++)
        if (strncmp(record->headers[i].name, "dlq-", 4) != 0 &&
            strcmp(record->headers[i].name, "ce_id") != 0)
            headers[n++] = record->headers[i];
    char *id = arena_printf(arena, "replay:%s:%d:%lld:%lld", topic_name(record->topic),
                            record->partition, (long long)record->offset, (long long)now_us);
    headers[n++] = (struct bus_header){"ce_id", slice_str(id)};
    *message = (struct bus_message){.topic = record->topic & ~TOPIC_DLQ,
                                    .partition = record->partition,
                                    .key = record->key,
                                    .value = record->value,
                                    .headers = headers,
                                    .n_headers = n};
}

/* ---- as JSON ---- */

static void member(struct json_writer *w, const char *name, struct slice text)
{
    json_key(w, name);
    if (text.size)
        json_write_slice(w, text);
    else
        json_write_null(w);
}

void letter_write(struct json_writer *w, const struct letter *letter)
{
    static const struct uuid nobody;
    char id[LETTER_ID_SIZE], tenant[UUID_TEXT_SIZE];
    letter_id(id, letter);
    uuid_format(tenant, letter->tenant.bytes);
    member(w, "id", slice_str(id));
    member(w, "topic", slice_str(topic_info(letter->topic)->name));
    member(w, "state", slice_str(states[letter->state]));
    member(w, "reason", letter->code);
    member(w, "field", letter->field);
    member(w, "detail", letter->reason);
    member(w, "message_id", letter->message_id);
    member(w, "service", letter->service);
    member(w, "source", letter->source);
    bool known = memcmp(&letter->tenant, &nobody, sizeof(nobody)) != 0;
    member(w, "tenant_id", known ? slice_str(tenant) : slice_make(NULL, 0));
    json_key(w, "partition");
    json_write_int(w, letter->partition);
    json_key(w, "offset");
    json_write_int(w, letter->offset);
    json_key(w, "time");
    json_write_time(w, letter->time_us);
    json_key(w, "replays");
    json_write_int(w, letter->times);
    member(w, "acted_by", letter->actor);
    json_key(w, "acted_at");
    json_write_time(w, letter->acted_us);
}

void letter_write_content(struct json_writer *w, const struct bus_record *record,
                          struct slice opened, struct arena *arena)
{
    struct slice sealed = letter_sealed(record);
    struct slice text = sealed.size ? opened : record->value;
    json_key(w, "headers");
    json_begin_object(w);
    for (unsigned i = 0; i < record->n_headers; i++)
        member(w, record->headers[i].name, record->headers[i].value);
    json_end_object(w);
    member(w, "key", record->key);
    member(w, "sealed", sealed);
    json_key(w, "content");
    if (!text.size) {
        json_write_null(w);
        return;
    }
    const ProtobufCMessage *message =
        is_raw(header(record, "dlq-service")) ? NULL : decode(record, arena);
    const struct json_node *root;
    if (message) {
        json_begin_object(w);
        decode_members(message, w, arena);
        json_end_object(w);
    } else if (json_parse(&root, text, arena, NULL) >= 0) {
        json_write_raw(w, text);
    } else {
        json_write_slice(w, text);
    }
}

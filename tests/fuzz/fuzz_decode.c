/*
 * Any bytes as a message of each type that the topics hold (first byte: which topic). Unpacked as the runtime does, into an
 * arena with a limit, it becomes JSON, and what is packed of it reads back as the same.
 */
#include "decode.h"
#include "fuzz/check.h"
#include "topics.h"

static void *allocate(void *arena, size_t size)
{
    return arena_alloc(arena, size);
}

static void release(void *arena, void *memory)
{
    (void)arena;
    (void)memory;
}

static void check_repeated(const ProtobufCMessage *message, ProtobufCAllocator *allocator)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *first = malloc(size + 1), *second = malloc(size + 1);
    check(first && second && protobuf_c_message_pack(message, first) == size);
    const ProtobufCMessage *again =
        protobuf_c_message_unpack(message->descriptor, allocator, size, first);
    if (again) /* protobuf-c takes a field number 0 in two bytes, and refuses it in one */
        check(protobuf_c_message_pack(again, second) == size && memcmp(first, second, size) == 0);
    free(first);
    free(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena *arena;
    int topic = (int)(take_byte(&data, &size) % TOPIC_COUNT);
    if (!arena)
        arena = arena_create((size_t)64 << 20);
    arena_reset(arena);
    ProtobufCAllocator allocator = {allocate, release, arena};
    const ProtobufCMessageDescriptor *type = decode_type(topic_info(topic)->message_type);
    check(type);
    const ProtobufCMessage *message = protobuf_c_message_unpack(type, &allocator, size, data);
    if (!message)
        return 0;
    _cleanup_(buf_deinit) struct buf out = {0};
    struct json_writer w = json_writer_make(&out);
    struct slice tenant = decode_tenant(message);
    check(!tenant.data || tenant.size <= size);
    json_begin_object(&w);
    decode_members(message, &w, arena);
    json_end_object(&w);
    check(out.overflow || arena_overflowed(arena) || out.size > 0);
    if (!out.overflow && !arena_overflowed(arena))
        check_object(buf_slice(&out));
    check_repeated(message, &allocator);
    return 0;
}

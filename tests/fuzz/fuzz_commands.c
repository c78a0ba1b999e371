/*
 * Any bytes as the body of a session route (first byte: which). What its table lets through becomes a command that reads back,
 * whose JSON members are JSON and whose texts are UTF-8.
 */
#include "commands.h"
#include "fuzz/check.h"
#include "routes.h"

static const struct {
    const struct gw_schema *schema;
    void (*build)(struct command_build *build);
} bodies[] = {
    {&gw_start_body, build_start},
    {&gw_stage_body, build_stage},
    {&gw_touchpoint_body, build_touchpoint},
    {&gw_conversion_body, build_conversion},
    {&gw_end_body, build_end},
};

static void check_texts(const ProtobufCMessage *message)
{
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        const void *at = (const char *)message + field->offset;
        bool one =
            field->label == PROTOBUF_C_LABEL_NONE && !(field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF);
        if (one && field->type == PROTOBUF_C_TYPE_STRING)
            check(utf8_valid(slice_str(*(const char *const *)at)));
        if (one && field->type == PROTOBUF_C_TYPE_MESSAGE && *(const void *const *)at)
            check_texts(*(const void *const *)at);
    }
}

static void check_command(const Journey__V1__Command *command, struct arena *arena)
{
    size_t size = journey__v1__command__get_packed_size(command);
    uint8_t *bytes = arena_alloc(arena, size + 1);
    if (!bytes)
        return;
    check(journey__v1__command__pack(command, bytes) == size);
    Journey__V1__Command *again = journey__v1__command__unpack(NULL, size, bytes);
    check(again && again->body_case == command->body_case);
    check(utf8_valid(slice_str(again->subject)));
    check_texts((const ProtobufCMessage *)again->start); /* whichever member of the union it is */
    switch (again->body_case) {
    case JOURNEY__V1__COMMAND__BODY_START:
        check_object(slice_str(again->start->start->device_context));
        check_object(slice_str(again->start->start->entry_point));
        check_object(slice_str(again->start->start->utm_data));
        check_object(slice_str(again->start->start->referrer_data));
        break;
    case JOURNEY__V1__COMMAND__BODY_STAGE:
        check_object(slice_str(again->stage->contextual_data));
        break;
    case JOURNEY__V1__COMMAND__BODY_TOUCHPOINT:
        check_object(slice_str(again->touchpoint->columns));
        break;
    case JOURNEY__V1__COMMAND__BODY_CONVERSION:
        check_object(slice_str(again->conversion->columns));
        break;
    default:
        if (again->end->exit_point[0])
            check_json(slice_str(again->end->exit_point));
    }
    journey__v1__command__free_unpacked(again, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct gateway gateway;
    static struct arena *arena;
    unsigned which = take_byte(&data, &size) % ARRAY_SIZE(bodies);
    struct route route = {.schema = bodies[which].schema, .cut = NULL};
    struct exchange exchange = {.gateway = &gateway, .route = &route};
    struct gw_faults faults = {.n = 0};
    const struct json_node *body;
    if (!arena) {
        arena = arena_create((size_t)16 << 20);
        check(gw_masker_create(&gateway.masker, NULL) >= 0);
    }
    arena_reset(arena);
    if (json_parse(&body, slice_make(data, size), arena, NULL) < 0)
        return 0;
    gw_schema_check(route.schema, body, &faults, arena);
    if (faults.n)
        return 0;
    Journey__V1__Command command;
    journey__v1__command__init(&command);
    command.subject = arena_printf(arena, "s");
    struct command_build build = {.exchange = &exchange,
                                  .body = body,
                                  .arena = arena,
                                  .now_us = 1,
                                  .command = &command,
                                  .faults = &faults};
    bodies[which].build(&build);
    if (!arena_overflowed(arena) && !faults.n)
        check_command(&command, arena);
    return 0;
}

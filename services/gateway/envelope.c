#include "envelope.h"

#include <inttypes.h>
#include <stdio.h>

void envelope_add(struct envelope *envelope, const char *name, struct slice value)
{
    assert(envelope->n < ENVELOPE_MAX);
    envelope->headers[envelope->n++] = (struct bus_header){name, value};
}

void envelope_init(struct envelope *envelope, struct exchange *exchange, const char *type,
                   int64_t now_us)
{
    struct gateway *gateway = exchange->gateway;
    struct arena *arena = exchange->arena;
    char *time = arena_alloc(arena, TIME_TEXT_SIZE);
    envelope->n = 0;
    envelope_add(envelope, "traceparent", slice_str(exchange->trace));
    if (!type || !time)
        return;
    time_format(time, now_us);
    envelope_add(envelope, "ce_specversion", SLICE_LITERAL("1.0"));
    envelope_add(
        envelope, "ce_id",
        slice_str(arena_printf(arena, "%s-%" PRIu64, gateway->incarnation, ++gateway->said)));
    envelope_add(envelope, "ce_type", slice_str(arena_printf(arena, "journey.v1.%s", type)));
    envelope_add(envelope, "ce_source", slice_str(gateway->source));
    envelope_add(envelope, "ce_time", slice_str(time));
    envelope_add(envelope, "ce_dataschema", SLICE_LITERAL("/schemas/journey.v1.proto"));
    envelope_add(envelope, "content-type", SLICE_LITERAL("application/protobuf"));
}

struct slice envelope_correlation(const struct exchange *exchange)
{
    return slice_str(arena_printf(exchange->arena, "%s-%016" PRIx64, exchange->gateway->incarnation,
                                  exchange->handle));
}

void envelope_reply_to(struct envelope *envelope, const struct exchange *exchange)
{
    envelope_add(envelope, "reply-topic", slice_str(topic_name(TOPIC_REPLIES)));
    envelope_add(envelope, "reply-partition", slice_str(exchange->gateway->reply_partition));
    envelope_add(envelope, "correlation-id", envelope_correlation(exchange));
}

uint64_t envelope_correlated(const struct gateway *gateway, struct slice correlation)
{
    uint8_t bytes[8];
    uint64_t handle = 0;
    if (correlation.size != 33 || correlation.data[16] != '-' ||
        memcmp(correlation.data, gateway->incarnation, 16) != 0 ||
        hex_parse(bytes, 8, slice_make(correlation.data + 17, 16)) < 0)
        return 0;
    for (unsigned i = 0; i < 8; i++)
        handle = handle << 8 | bytes[i];
    return handle;
}

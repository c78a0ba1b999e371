#include "identity.h"

#include <stdio.h>

void gw_hash_identifier(uint8_t out[GW_HASH_SIZE], const uint8_t key[32], const char *space,
                        struct slice text)
{
    privacy_hash(out, key, space, text);
}

void gw_command_id(uint8_t out[GW_HASH_SIZE], const uint8_t tenant[16], const char *route,
                   struct slice subject, struct slice idempotency_key, struct slice message_id)
{
    bool keyed = idempotency_key.size > 0;
    struct slice parts[] = {slice_make(tenant, 16), slice_str(route), subject,
                            keyed ? idempotency_key : SLICE_LITERAL("message"), message_id};
    hash_keyed(out, NULL, parts, keyed ? 4 : 5);
}

void gw_body_hash(uint8_t out[GW_HASH_SIZE], const char *route, struct slice body)
{
    struct slice parts[] = {slice_str(route), body};
    hash_keyed(out, NULL, parts, ARRAY_SIZE(parts));
}

const char *gw_made_message_id(const uint8_t tenant[16], const char *route,
                               struct slice idempotency_key, unsigned index, struct arena *arena)
{
    uint8_t hash[GW_HASH_SIZE];
    char number[16];
    (void)snprintf(number, sizeof(number), "%u", index);
    struct slice parts[] = {slice_make(tenant, 16), slice_str(route), idempotency_key,
                            slice_str(number)};
    hash_keyed(hash, NULL, parts, ARRAY_SIZE(parts));
    return (const char *)gw_hex(hash, sizeof(hash), arena).data;
}

struct slice gw_hex(const uint8_t *data, size_t size, struct arena *arena)
{
    char *text = arena_alloc(arena, 2 * size + 1);
    if (!text)
        return slice_make(NULL, 0);
    hex_format(text, data, size);
    return slice_make(text, 2 * size);
}

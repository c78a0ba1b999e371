#pragma once
/*
 * Identifiers leave the gateway only as keyed hashes under their tenant's key, each in a name space of its own; ids of
 * commands and messages are derived without a key, so that every gateway derives the same.
 */
#include "privacy.h"

#define GW_HASH_SIZE 16

/* space: one of privacy_kind(). */
void gw_hash_identifier(uint8_t out[GW_HASH_SIZE], const uint8_t key[32], const char *space,
                        struct slice text);

/* A command's id: tenant, route and the thing it names with the Idempotency-Key, or else with its message id. */
void gw_command_id(uint8_t out[GW_HASH_SIZE], const uint8_t tenant[16], const char *route,
                   struct slice subject, struct slice idempotency_key, struct slice message_id);
/* What must be equal when an Idempotency-Key comes again. */
void gw_body_hash(uint8_t out[GW_HASH_SIZE], const char *route, struct slice body);
/* The missing message id of event number `index` of a request that has an Idempotency-Key. */
const char *gw_made_message_id(const uint8_t tenant[16], const char *route,
                               struct slice idempotency_key, unsigned index, struct arena *arena);
/* 2 * size hex digits. */
struct slice gw_hex(const uint8_t *data, size_t size, struct arena *arena);

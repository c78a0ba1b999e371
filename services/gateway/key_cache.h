#pragma once
/*
 * Keys that were looked up lately, by the sha256 of their text. What is known stays, so that it can be served while the
 * database is away, until it is the least recently used of a full cache.
 *
 *      age      0 ........ known_us .................. stale_us ..................
 *      get ──►    HIT         REFRESH: use it, and         STALE: look it up, use it
 *                             look it up meanwhile         only when that fails
 *
 * A REFRESH is said once every again_us, HIT between; MISS is what is not there.
 *
 * Unknown keys have a small share of their own, so that guesses never push out what is known.
 */
#include "domain/settings.h"

enum gw_key_kind { /* bits: a route says which it takes */
    GW_KEY_WRITE = 1,
    GW_KEY_SECRET = 2,
};

struct gw_tenant {
    uint8_t id[16];
    uint8_t hash_key[32];
    struct gw_tenant_settings settings;
};

struct gw_key {
    bool known; /* false: there is no such key, or its tenant is gone */
    enum gw_key_kind kind;
    int64_t expires_us; /* TIME_NONE: never */
    struct gw_tenant tenant;
};

enum gw_key_state {
    GW_KEY_MISS,
    GW_KEY_HIT,
    GW_KEY_REFRESH,
    GW_KEY_STALE
};

struct gw_key_cache;

struct gw_key_cache_limits {
    unsigned known, unknown; /* entries */
    int64_t known_us, unknown_us, again_us, stale_us;
};

struct gw_key_cache *gw_key_cache_create(const struct gw_key_cache_limits *limits);
void gw_key_cache_destroy(struct gw_key_cache **cache);
/* Fills *key unless MISS. */
enum gw_key_state gw_key_cache_get(struct gw_key_cache *cache, const uint8_t hash[32],
                                   int64_t now_us, struct gw_key *key);
void gw_key_cache_put(struct gw_key_cache *cache, const uint8_t hash[32], int64_t now_us,
                      const struct gw_key *key);
unsigned gw_key_cache_size(const struct gw_key_cache *cache);

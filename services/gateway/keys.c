#include "keys.h"
#include "rates.h"
#include "serve.h"

#include <stdlib.h>

/*
 * Three look-ups, one after the other: the key by its hash, its tenant, its settings. Requests with the same key wait together;
 * a refresh has nobody waiting.
 */
#define MAX_LOADS 256 /* keys being looked up at once; beyond them 503 */

enum key_column {
    KEY_HASH,
    KEY_TENANT,
    KEY_KIND,
    KEY_EXPIRES
};

static const struct store_column key_columns[] = {
    {"key_hash", STORE_BYTES, 0},
    {"tenant_id", STORE_UUID, 0},
    {"kind", STORE_TEXT, 0},
    {"expires_at", STORE_TIME, 0},
};
const struct store_table keys_table = {
    .name = "api_keys", .columns = key_columns, .n_columns = ARRAY_SIZE(key_columns), .n_key = 1};

enum organization_column {
    ORGANIZATION_TENANT,
    ORGANIZATION_STATUS,
    ORGANIZATION_HASH_KEY
};

static const struct store_column organization_columns[] = {
    {"tenant_id", STORE_UUID, 0},
    {"status", STORE_TEXT, 0},
    {"hash_key", STORE_BYTES, 0},
};
const struct store_table organizations_table = {.name = "organizations",
                                                .columns = organization_columns,
                                                .n_columns = ARRAY_SIZE(organization_columns),
                                                .n_key = 1};

static const struct store_column settings_columns[] = {
    {"tenant_id", STORE_UUID, 0},
    {"key", STORE_TEXT, 0},
    {"value", STORE_TEXT, 0},
};
const struct store_table settings_table = {.name = "settings",
                                           .columns = settings_columns,
                                           .n_columns = ARRAY_SIZE(settings_columns),
                                           .n_key = 2};

static const uint8_t first_column[] = {0};
static const uint8_t key_wanted[] = {KEY_TENANT, KEY_KIND, KEY_EXPIRES};
static const uint8_t organization_wanted[] = {ORGANIZATION_STATUS, ORGANIZATION_HASH_KEY};
static const uint8_t settings_wanted[] = {1, 2};

static const struct store_lookup find_key = {.table = &keys_table,
                                             .by = first_column,
                                             .n_by = 1,
                                             .columns = key_wanted,
                                             .n_columns = ARRAY_SIZE(key_wanted),
                                             .order = -1,
                                             .limit = 1};
static const struct store_lookup find_organization = {.table = &organizations_table,
                                                      .by = first_column,
                                                      .n_by = 1,
                                                      .columns = organization_wanted,
                                                      .n_columns = ARRAY_SIZE(organization_wanted),
                                                      .order = -1,
                                                      .limit = 1};
/* The key bounds it: one row for each setting that there is. */
static const struct store_lookup find_settings = {.table = &settings_table,
                                                  .by = first_column,
                                                  .n_by = 1,
                                                  .columns = settings_wanted,
                                                  .n_columns = ARRAY_SIZE(settings_wanted),
                                                  .order = -1};

struct key_load {
    struct gateway *gateway;
    struct key_load *next;
    uint8_t hash[32];
    struct gw_key key;
    struct store_load load;
    struct store_value value;
    struct arena *arena;
    struct buf waiting; /* handles of exchanges */
};

static void free_load(struct key_load *load)
{
    arena_destroy(&load->arena);
    buf_deinit(&load->waiting);
    free(load);
}

void keys_destroy(struct gateway *gateway)
{
    while (gateway->key_loads) {
        struct key_load *load = gateway->key_loads;
        gateway->key_loads = load->next;
        free_load(load);
    }
    gateway->n_key_loads = 0;
    gw_key_cache_destroy(&gateway->keys);
}

/* The database does not say: what was known once is served, the rest has to wait. */
static void without_database(struct exchange *exchange)
{
    struct gateway *gateway = exchange->gateway;
    struct gw_key key;
    if (gw_key_cache_get(gateway->keys, exchange->key_hash, gateway_now(gateway), &key) !=
        GW_KEY_MISS)
        serve_authorised(exchange, &key);
    else
        exchange_problem(exchange, GW_PROBLEM_UNAVAILABLE, "Keys cannot be checked now", NULL);
}

static void finish(struct key_load *load, bool answered)
{
    struct gateway *gateway = load->gateway;
    struct key_load **at = &gateway->key_loads;
    while (*at != load)
        at = &(*at)->next;
    *at = load->next;
    gateway->n_key_loads--;
    if (answered) {
        gateway->store_seen = true;
        gw_key_cache_put(gateway->keys, load->hash, gateway_now(gateway), &load->key);
    }
    for (size_t i = 0; i + sizeof(uint64_t) <= load->waiting.size; i += sizeof(uint64_t)) {
        uint64_t handle = 0;
        memcpy(&handle, load->waiting.data + i, sizeof(handle));
        struct exchange *exchange = slots_get(gateway->exchanges, handle);
        if (exchange)
            exchange_disarm(exchange); /* the wait for the key is over, whatever comes next */
        if (exchange && answered)
            serve_authorised(exchange, &load->key);
        else if (exchange)
            without_database(exchange);
    }
    free_load(load);
}

static void look_up(struct key_load *load, const struct store_lookup *lookup,
                    struct slice key_value, void (*done)(struct store_load *load))
{
    load->value = (struct store_value){.s = key_value};
    load->load = (struct store_load){.lookup = lookup,
                                     .keys = &load->value,
                                     .n_keys = 1,
                                     .arena = load->arena,
                                     .done = done,
                                     .user = load};
    store_load(load->gateway->world.store, &load->load);
}

static void on_settings(struct store_load *done)
{
    struct key_load *load = done->user;
    gw_settings_init(&load->key.tenant.settings);
    for (unsigned i = 0; done->err.code == 0 && i < done->n_found; i++) {
        const struct store_value *row = done->found[i].values;
        const char *key = arena_str(load->arena, row[0].s);
        const char *value = arena_str(load->arena, row[1].s);
        if (key && value)
            gw_settings_take(&load->key.tenant.settings, key, value);
    }
    load->key.known = done->err.code == 0;
    finish(load, done->err.code == 0);
}

static void on_organization(struct store_load *done)
{
    struct key_load *load = done->user;
    const struct store_value *found =
        done->err.code == 0 && done->n_found ? done->found[0].values : NULL;
    if (!found || !slice_equal_str(found[0].s, "active") || found[1].s.size != 32) {
        finish(load, done->err.code == 0);
        return;
    }
    memcpy(load->key.tenant.hash_key, found[1].s.data, 32);
    look_up(load, &find_settings, slice_make(load->key.tenant.id, 16), on_settings);
}

static void on_key(struct store_load *done)
{
    struct key_load *load = done->user;
    const struct store_value *found = done->n_found ? done->found[0].values : NULL;
    if (done->err.code != 0 || !found || found[0].s.size != 16) {
        finish(load, done->err.code == 0);
        return;
    }
    memcpy(load->key.tenant.id, found[0].s.data, 16);
    load->key.kind = slice_equal_str(found[1].s, "secret") ? GW_KEY_SECRET : GW_KEY_WRITE;
    load->key.expires_us = found[2].null ? TIME_NONE : found[2].i;
    look_up(load, &find_organization, slice_make(load->key.tenant.id, 16), on_organization);
}

static struct key_load *start_load(struct gateway *gateway, const uint8_t hash[32])
{
    struct key_load *load = gateway->n_key_loads < MAX_LOADS ? calloc(1, sizeof(*load)) : NULL;
    if (!load)
        return NULL;
    load->gateway = gateway;
    load->arena = arena_create(65536);
    if (!load->arena) {
        free(load);
        return NULL;
    }
    memcpy(load->hash, hash, 32);
    load->next = gateway->key_loads;
    gateway->key_loads = load;
    gateway->n_key_loads++;
    metric_inc(gateway->stats.key_loads, 1);
    look_up(load, &find_key, slice_make(load->hash, 32), on_key);
    return load;
}

static struct key_load *find_load(struct gateway *gateway, const uint8_t hash[32])
{
    struct key_load *load = gateway->key_loads;
    while (load && memcmp(load->hash, hash, 32) != 0)
        load = load->next;
    return load;
}

static void wait_for_load(struct exchange *exchange)
{
    struct gateway *gateway = exchange->gateway;
    struct key_load *load = find_load(gateway, exchange->key_hash);
    if (!load)
        load = start_load(gateway, exchange->key_hash);
    if (!load) {
        without_database(exchange);
        return;
    }
    buf_append(&load->waiting, &exchange->handle, sizeof(exchange->handle));
    exchange->timeout = without_database;
    exchange_arm(exchange, gateway->options.deadline_ms * 1000);
}

void keys_find(struct exchange *exchange, struct slice text)
{
    struct gateway *gateway = exchange->gateway;
    uint8_t *hash = exchange->key_hash;
    struct gw_key key;
    hash_sha256(hash, text);
    switch (gw_key_cache_get(gateway->keys, hash, gateway_now(gateway), &key)) {
    case GW_KEY_MISS:
        if (rates_admit_guess(exchange))
            wait_for_load(exchange);
        return;
    case GW_KEY_STALE:
        wait_for_load(exchange);
        return;
    case GW_KEY_REFRESH:
        if (!find_load(gateway, hash))
            (void)start_load(gateway, hash);
        break;
    case GW_KEY_HIT:
        break;
    }
    serve_authorised(exchange, &key);
}

#include "identifiers.h"
#include "privacy.h"
#include "routes.h"
#include "serve.h"

#include <stdio.h>
#include <stdlib.h>

/*
 * The hashes are made at once, but answered only when the audit log has that they were asked for: by which key, how many,
 * and a hash of the answer; never the values. At most as many are under way as requests are open.
 */
#define IDENTIFIERS_MAX 1000
#define VALUE_MAX       1024 /* bytes */

static const struct store_column audit_columns[] = {
    {"tenant_id", STORE_UUID, 0}, {"id", STORE_UUID, 0},     {"actor", STORE_TEXT, 0},
    {"action", STORE_TEXT, 0},    {"target", STORE_TEXT, 0}, {"after_hash", STORE_BYTES, 0},
};
const struct store_table audit_logs_table = {.name = "audit_logs",
                                             .columns = audit_columns,
                                             .n_columns = ARRAY_SIZE(audit_columns),
                                             .n_key = 2,
                                             .conflict = STORE_PLAIN};

/* Outlives its exchange, whose deadline may come first. */
struct audit {
    struct gateway *gateway;
    uint64_t handle;
    uint8_t tenant[16], id[16], hash[32];
    char actor[48], target[64];
    struct store_value values[ARRAY_SIZE(audit_columns)];
    struct store_row row;
    struct store_commit commit;
    struct buf answer;
    struct audit *next;
};

static void audit_free(struct audit *audit)
{
    buf_deinit(&audit->answer);
    free(audit);
}

void identifiers_destroy(struct gateway *gateway)
{
    while (gateway->audits) {
        struct audit *audit = gateway->audits;
        gateway->audits = audit->next;
        audit_free(audit);
    }
}

static void refuse(struct exchange *exchange)
{
    exchange_problem(exchange, GW_PROBLEM_UNAVAILABLE, "The audit log does not take it now", NULL);
}

static void on_audited(struct store_commit *commit)
{
    struct audit *audit = commit->user, **at = &audit->gateway->audits;
    struct exchange *exchange = slots_get(audit->gateway->exchanges, audit->handle);
    if (exchange && commit->err.code == 0)
        exchange_answer(exchange, 200, buf_slice(&audit->answer));
    else if (exchange)
        refuse(exchange);
    while (*at != audit)
        at = &(*at)->next;
    *at = audit->next;
    audit_free(audit);
}

static void check_one(const struct json_node *node, unsigned index, struct gw_faults *faults,
                      struct exchange *exchange, const char **kind, struct slice *value)
{
    struct arena *arena = exchange->arena;
    *kind = privacy_kind(json_string(json_get(node, "kind"), arena));
    *value = json_string(json_get(node, "value"), arena);
    if (!json_is(node, JSON_OBJECT))
        gw_fault_add(faults, arena_printf(arena, "identifiers.%u", index), "wrong_type",
                     "must be an object");
    else if (!*kind)
        gw_fault_add(faults, arena_printf(arena, "identifiers.%u.kind", index), "not_allowed",
                     "must be one of " PRIVACY_KINDS);
    else if (value->size == 0 || value->size > VALUE_MAX)
        gw_fault_add(faults, arena_printf(arena, "identifiers.%u.value", index), "wrong_type",
                     "must be a string of 1 to 1024 bytes");
}

/* {"hashes":[...]}, in the order asked. */
static void write_hashes(struct exchange *exchange, const struct json_node *list,
                         struct gw_faults *faults, struct buf *answer)
{
    struct json_writer w = json_writer_make(answer);
    unsigned index = 0;
    json_begin_object(&w);
    json_key(&w, "hashes");
    json_begin_array(&w);
    for (const struct json_node *node = list->child; node; node = node->next, index++) {
        const char *kind;
        struct slice value;
        unsigned before = faults->n;
        uint8_t hash[PRIVACY_HASH_SIZE];
        char hex[2 * PRIVACY_HASH_SIZE + 1];
        check_one(node, index, faults, exchange, &kind, &value);
        if (faults->n > before || !kind)
            continue;
        privacy_hash(hash, exchange->key.tenant.hash_key, kind, value);
        hex_format(hex, hash, sizeof(hash));
        json_write_str(&w, hex);
    }
    json_end_array(&w);
    json_end_object(&w);
}

static void write_audit(struct audit *audit, struct exchange *exchange, unsigned n)
{
    struct gateway *gateway = exchange->gateway;
    uint8_t random[16];
    char key[17];
    audit->gateway = gateway;
    audit->handle = exchange->handle;
    memcpy(audit->tenant, exchange->key.tenant.id, 16);
    gateway->world.entropy->fill(gateway->world.entropy, random, sizeof(random));
    struct uuid id;
    uuid_from_time(&id, gateway_now(gateway), random);
    memcpy(audit->id, id.bytes, 16);
    hex_format(key, exchange->key_hash, 8);
    (void)snprintf(audit->actor, sizeof(audit->actor), "key:%s", key);
    (void)snprintf(audit->target, sizeof(audit->target), "%u identifiers", n);
    hash_sha256(audit->hash,
                buf_slice(&audit->answer)); /* which they were, for who has the answer to compare */
    audit->values[0].s = slice_make(audit->tenant, 16);
    audit->values[1].s = slice_make(audit->id, 16);
    audit->values[2].s = slice_str(audit->actor);
    audit->values[3].s = SLICE_LITERAL("identifier.resolve");
    audit->values[4].s = slice_str(audit->target);
    audit->values[5].s = slice_make(audit->hash, 32);
    audit->row = (struct store_row){.table = &audit_logs_table, .values = audit->values};
    audit->commit =
        (struct store_commit){.rows = &audit->row, .n_rows = 1, .done = on_audited, .user = audit};
    audit->next = gateway->audits;
    gateway->audits = audit;
}

void identifiers_resolve(struct exchange *exchange)
{
    struct gateway *gateway = exchange->gateway;
    struct gw_faults faults = {.n = 0};
    if (!serve_parse(exchange))
        return;
    const struct json_node *list = json_get(exchange->body, "identifiers");
    struct audit *audit = calloc(1, sizeof(*audit));
    if (!audit) {
        refuse(exchange);
        return;
    }
    if (!json_is(list, JSON_ARRAY) || list->count == 0 || list->count > IDENTIFIERS_MAX)
        gw_fault_add(&faults, "identifiers", "wrong_type",
                     "must be an array of 1 to 1000 identifiers");
    else
        write_hashes(exchange, list, &faults, &audit->answer);
    if (faults.n || audit->answer.overflow) {
        buf_deinit(&audit->answer);
        free(audit);
        exchange_problem(exchange, GW_PROBLEM_INVALID_REQUEST, NULL, &faults);
        return;
    }
    write_audit(audit, exchange, list->count);
    exchange->timeout = refuse;
    exchange_arm(exchange, gateway->options.deadline_ms * 1000);
    store_commit(gateway->world.store, &audit->commit);
}

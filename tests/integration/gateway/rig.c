#include "rig.h"
#include "broker.h"
#include "keys.h"

#include <libpq-fe.h>
#include <stdio.h>

#include <event2/event.h>

#include "test.h"

#define MASTER_KEY "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static const char *rig_server(const char *name)
{
    const char *value = getenv(name);
    if (!value)
        fail_msg("%s is not set: run with tests/run", name);
    return value;
}

const char *rig_sql(struct rig *rig, const char *text, const char *first, const char *second)
{
    const char *values[] = {first, second};
    PGresult *result = PQexecParams(rig->db, text,
                                    second  ? 2
                                    : first ? 1
                                            : 0,
                                    NULL, values, NULL, NULL, 0);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        fail_msg("%s: %s", text, PQerrorMessage(rig->db));
    const char *found =
        PQntuples(result) ? arena_str(rig->arena, slice_str(PQgetvalue(result, 0, 0))) : "";
    PQclear(result);
    return found;
}

static void make_tenant(struct rig *rig, unsigned i)
{
    uint8_t random[16], hash[32];
    char hex[65];
    entropy_system()->fill(entropy_system(), random, sizeof(random));
    if (i == 0)
        memcpy(rig->tenant, random, 16);
    uuid_format(rig->tenants[i], random);
    hex_format(hex, random, 8);
    (void)snprintf(rig->keys[i], sizeof(rig->keys[i]), "jm_sk_%.16s", hex);
    (void)snprintf(rig->prefix, sizeof(rig->prefix), "gw%.16s.", hex);
    hash_sha256(hash, slice_str(rig->keys[i]));
    hex_format(hex, hash, 32);
    rig_sql(
        rig,
        "insert into accounts.organizations (tenant_id, name, hash_key, analytics_basis) values "
        "($1::uuid, $1, decode(repeat('07', 32), 'hex'), 'consent')",
        rig->tenants[i], NULL);
    rig_sql(
        rig,
        "insert into accounts.api_keys (tenant_id, id, prefix, key_hash, kind) values ($1::uuid, "
        "gen_random_uuid(), 'jm_sk_', decode($2, 'hex'), 'secret')",
        rig->tenants[i], hex);
}

static int open_bus(void *user, struct bus **bus, struct err *err)
{
    const struct rig *rig = user;
    const struct bus_kafka_options options = {.brokers = rig_server("KAFKA_BROKERS"),
                                              .client_id = "gateway-test",
                                              .prefix = rig->prefix,
                                              .partitions = RIG_PARTITIONS,
                                              .delivery_timeout_ms = 10000,
                                              .send_topics = broker_send_topics,
                                              .n_send_topics = n_broker_send_topics};
    return bus_kafka_create(bus, &options, err);
}

/* The index is of one log: what another test's topics left in it belongs to no log any more. */
static void prepare(struct rig *rig)
{
    _cleanup_(buf_deinit) struct buf report = {0};
    struct err err = {0};
    if (store_pg_migrate(rig_server("DATABASE_URL"), "migrations", &report, &err) < 0)
        fail_msg("migrate: %s", err.message);
    rig->db = PQconnectdb(rig_server("DATABASE_URL"));
    rig_sql(rig, "delete from accounts.dead_letter_positions", NULL, NULL);
    make_tenant(rig, 0);
    make_tenant(rig, 1);
    if (bus_kafka_create_topics(rig_server("KAFKA_BROKERS"), rig->prefix, RIG_PARTITIONS, 1, NULL,
                                &err) < 0)
        fail_msg("topics: %s", err.message);
}

int rig_setup(void **state)
{
    static const struct gateway_options options = {.http_address = "127.0.0.1",
                                                   .http_connections = 100,
                                                   .http_timeout_s = 30,
                                                   .request_mb = 64,
                                                   .send_queue_mb = 32,
                                                   .http_address_connections = 100,
                                                   .open_requests = 100,
                                                   .deadline_ms = 10000,
                                                   .delivery_ms = 10000,
                                                   .master_key = MASTER_KEY};
    struct rig *rig = calloc(1, sizeof(*rig));
    struct err err = {0};
    if (!rig)
        return -1;
    *state = rig;
    log_setup("gateway", "test", LOG_ERROR);
    rig->arena = arena_create((size_t)16 << 20);
    prepare(rig);
    const struct store_pg_options pg = {.url = rig_server("DATABASE_URL"),
                                        .schema = KEYS_SCHEMA,
                                        .role = KEYS_ROLE,
                                        .application_name = "gateway-test",
                                        .tables = gateway_tables,
                                        .n_tables = n_gateway_tables};
    rig->base = event_base_new();
    rig->metrics = metrics_create();
    int r = open_bus(rig, &rig->bus, &err);
    if (r >= 0)
        r = open_bus(rig, &rig->peer, &err);
    if (r >= 0)
        r = store_pg_create(&rig->store, rig->base, &pg, &err);
    const struct gateway_world world = {rig->base,
                                        rig->bus,
                                        rig->store,
                                        rig->metrics,
                                        clock_system(),
                                        entropy_system(),
                                        "test",
                                        open_bus,
                                        rig,
                                        rig_server("DATABASE_URL"),
                                        false,
                                        NULL};
    if (r >= 0)
        r = gateway_create(&rig->gateway, &world, &options, &err);
    if (r >= 0)
        r = http_client_create(&rig->client, rig->base, 4, &err);
    if (r < 0)
        fail_msg("%s", err.message);
    return 0;
}

int rig_teardown(void **state)
{
    struct rig *rig = *state;
    http_client_destroy(&rig->client);
    store_destroy(&rig->store);
    gateway_destroy(&rig->gateway);
    bus_destroy(&rig->bus);
    bus_destroy(&rig->peer);
    metrics_destroy(&rig->metrics);
    event_base_free(rig->base);
    PQfinish(rig->db);
    arena_destroy(&rig->arena);
    free(rig);
    return 0;
}

void rig_turn(struct rig *rig)
{
    const struct timeval wait = {0, 2000};
    (void)event_base_loopexit(rig->base, &wait);
    (void)event_base_dispatch(rig->base);
}

void rig_wait_ready(struct rig *rig)
{
    const char *why = "";
    int64_t until = clock_system()->now_us(clock_system()) + RIG_PATIENCE_S * SECOND_US;
    while (!gateway_ready(rig->gateway, &why) || !store_ready(rig->store)) {
        rig_turn(rig);
        if (clock_system()->now_us(clock_system()) > until)
            fail_msg("not ready: %s", why);
    }
}

static void on_answer(const struct http_client_request *request, int status, struct slice body,
                      const struct err *err)
{
    struct rig *rig = request->user;
    (void)err;
    rig->status = status ? status : -1;
    rig->body = arena_str(rig->arena, body);
}

void rig_send(struct rig *rig, unsigned who, enum http_method method, const char *path,
              const char *body)
{
    struct err err = {0};
    const char *url = arena_printf(rig->arena, "http://127.0.0.1:%u%s",
                                   http_server_port(rig->gateway->server), path);
    const char *key = arena_printf(rig->arena, "X-Api-Key: %s", rig->keys[who]);
    const char *headers[] = {key, NULL};
    const struct http_client_request request = {.method = method,
                                                .url = url,
                                                .headers = headers,
                                                .body = slice_str(body),
                                                .timeout_ms = (int64_t)RIG_PATIENCE_S * 1000,
                                                .done = on_answer,
                                                .user = rig};
    rig->status = 0;
    if (http_client_send(rig->client, &request, &err) < 0)
        fail_msg("%s", err.message);
}

void rig_wait_answer(struct rig *rig)
{
    while (rig->status == 0)
        rig_turn(rig);
}

const struct json_node *rig_ask(struct rig *rig, unsigned who, enum http_method method,
                                const char *path, const char *body, int status)
{
    const struct json_node *root = NULL;
    rig_send(rig, who, method, path, body);
    rig_wait_answer(rig);
    if (rig->status != status)
        fail_msg("%s: %d, not %d: %s", path, rig->status, status, rig->body);
    if (json_parse(&root, slice_str(rig->body), rig->arena, NULL) < 0)
        fail_msg("%s: no JSON: %s", path, rig->body);
    return root;
}

/*
 * A gateway on the real Kafka and Postgres: keys from the tables that were migrated, events and commands through the
 * broker, a reply read by partition. Topics have a prefix of their own, the tenant is made anew.
 */
#include "broker.h"
#include "gateway.h"
#include "identifiers.h"
#include "keys.h"
#include "vault.h"

#include "journey/v1/command.pb-c.h"

#include <libpq-fe.h>
#include <stdio.h>

#include <event2/event.h>

#include "test.h"

#define MASTER_KEY "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define PARTITIONS 4
#define PATIENCE_S 20

struct rig {
    struct event_base *base;
    struct bus *bus, *peer; /* the gateway's; the services' */
    struct store *store;
    struct metrics *metrics;
    struct gateway *gateway;
    struct http_client *client;
    PGconn *db;
    char tenant[UUID_TEXT_SIZE], key[40], prefix[40];
    int status; /* of the last answer; 0: none yet */
    char body[2000];
};

static const char *server(const char *name)
{
    const char *value = getenv(name);
    if (!value)
        fail_msg("%s is not set: run with tests/run", name);
    return value;
}

static void sql(struct rig *rig, const char *text, const char *first, const char *second)
{
    const char *values[] = {first, second};
    PGresult *result = PQexecParams(rig->db, text, second ? 2 : 1, NULL, values, NULL, NULL, 0);
    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        fail_msg("%s: %s", text, PQerrorMessage(rig->db));
    PQclear(result);
}

static void make_tenant(struct rig *rig)
{
    uint8_t random[16], hash[32];
    char hex[65];
    _cleanup_(buf_deinit) struct buf report = {0};
    struct err err = {0};
    if (store_pg_migrate(server("DATABASE_URL"), "migrations", &report, &err) < 0)
        fail_msg("migrate: %s", err.message);
    rig->db = PQconnectdb(server("DATABASE_URL"));
    entropy_system()->fill(entropy_system(), random, sizeof(random));
    uuid_format(rig->tenant, random);
    hex_format(hex, random, 8);
    (void)snprintf(rig->key, sizeof(rig->key), "jm_sk_%.16s", hex);
    (void)snprintf(rig->prefix, sizeof(rig->prefix), "gw%.16s.", hex);
    hash_sha256(hash, slice_str(rig->key));
    hex_format(hex, hash, 32);
    sql(rig,
        "insert into accounts.organizations (tenant_id, name, hash_key, analytics_basis) values "
        "($1::uuid, $1, "
        "decode(repeat('07', 32), 'hex'), 'consent')",
        rig->tenant, NULL);
    sql(rig,
        "insert into accounts.api_keys (tenant_id, id, prefix, key_hash, kind) values ($1::uuid, "
        "gen_random_uuid(), "
        "'jm_sk_', decode($2, 'hex'), 'secret')",
        rig->tenant, hex);
}

static struct bus *make_bus(struct rig *rig)
{
    struct bus *bus = NULL;
    struct err err = {0};
    const struct bus_kafka_options options = {.brokers = server("KAFKA_BROKERS"),
                                              .client_id = "gateway-test",
                                              .prefix = rig->prefix,
                                              .partitions = PARTITIONS,
                                              .delivery_timeout_ms = 5000,
                                              .send_topics = broker_send_topics,
                                              .n_send_topics = n_broker_send_topics};
    if (bus_kafka_create(&bus, &options, &err) < 0)
        fail_msg("bus: %s", err.message);
    return bus;
}

static int setup(void **state)
{
    static const struct gateway_options options = {.http_address = "127.0.0.1",
                                                   .http_connections = 100,
                                                   .http_timeout_s = 30,
                                                   .request_mb = 64,
                                                   .send_queue_mb = 32,
                                                   .http_address_connections = 100,
                                                   .open_requests = 100,
                                                   .deadline_ms = 10000,
                                                   .delivery_ms = 5000,
                                                   .master_key = MASTER_KEY};
    struct rig *rig = calloc(1, sizeof(*rig));
    struct err err = {0};
    if (!rig)
        return -1;
    *state = rig;
    log_setup("gateway", "test", LOG_ERROR);
    make_tenant(rig);
    if (bus_kafka_create_topics(server("KAFKA_BROKERS"), rig->prefix, PARTITIONS, 1, NULL, &err) <
        0)
        fail_msg("topics: %s", err.message);
    const struct store_pg_options pg = {.url = server("DATABASE_URL"),
                                        .schema = KEYS_SCHEMA,
                                        .role = KEYS_ROLE,
                                        .application_name = "gateway-test",
                                        .tables = gateway_tables,
                                        .n_tables = n_gateway_tables};
    rig->base = event_base_new();
    rig->metrics = metrics_create();
    rig->bus = make_bus(rig);
    rig->peer = make_bus(rig);
    int r = store_pg_create(&rig->store, rig->base, &pg, &err);
    const struct gateway_world world = {
        rig->base, rig->bus, rig->store, rig->metrics, clock_system(), entropy_system(),
        "test",    NULL,     NULL,       NULL,         true,           NULL};
    if (r >= 0)
        r = gateway_create(&rig->gateway, &world, &options, &err);
    if (r >= 0)
        r = http_client_create(&rig->client, rig->base, 4, &err);
    if (r < 0)
        fail_msg("%s", err.message);
    return 0;
}

static int teardown(void **state)
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
    free(rig);
    return 0;
}

static void turn(struct rig *rig)
{
    const struct timeval wait = {0, 2000};
    (void)event_base_loopexit(rig->base, &wait);
    (void)event_base_dispatch(rig->base);
}

static void wait_ready(struct rig *rig)
{
    const char *why = "";
    int64_t until = clock_system()->now_us(clock_system()) + PATIENCE_S * SECOND_US;
    while (!gateway_ready(rig->gateway, &why) || !store_ready(rig->store)) {
        turn(rig);
        if (clock_system()->now_us(clock_system()) > until)
            fail_msg("not ready: %s", why);
    }
}

static void on_answer(const struct http_client_request *request, int status, struct slice body,
                      const struct err *err)
{
    struct rig *rig = request->user;
    rig->status = status ? status : -1;
    (void)snprintf(rig->body, sizeof(rig->body), "%.*s", (int)body.size, (const char *)body.data);
}

static void ask(struct rig *rig, enum http_method method, const char *path, const char *body)
{
    char url[200], key[80];
    struct err err = {0};
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u%s",
                   http_server_port(rig->gateway->server), path);
    (void)snprintf(key, sizeof(key), "X-Api-Key: %s", rig->key);
    const char *headers[] = {key, NULL};
    const struct http_client_request request = {.method = method,
                                                .url = url,
                                                .headers = headers,
                                                .body = slice_str(body),
                                                .timeout_ms = (int64_t)PATIENCE_S * 1000,
                                                .done = on_answer,
                                                .user = rig};
    rig->status = 0;
    if (http_client_send(rig->client, &request, &err) < 0)
        fail_msg("%s", err.message);
}

static void wait_answer(struct rig *rig)
{
    while (rig->status == 0)
        turn(rig);
}

static void read_all(struct rig *rig, int topic)
{
    struct err err = {0};
    for (int32_t p = 0; p < PARTITIONS; p++)
        if (bus_start(rig->peer, topic, p, BUS_OFFSET_BEGIN, BUS_LANE_EVENTS, &err) < 0)
            fail_msg("%s", err.message);
}

static void take(struct rig *rig, struct bus_event *event)
{
    int64_t until = clock_system()->now_us(clock_system()) + PATIENCE_S * SECOND_US;
    while (!bus_poll_lane(rig->peer, BUS_LANE_EVENTS, event)) {
        struct bus_event control;
        while (bus_poll_control(rig->peer, &control))
            bus_event_release(rig->peer, &control);
        turn(rig);
        if (clock_system()->now_us(clock_system()) > until)
            fail_msg("no record came");
    }
}

static void test_event(void **state)
{
    struct rig *rig = *state;
    struct bus_event event;
    wait_ready(rig);
    ask(rig, HTTP_POST, "/v1/track",
        "{\"messageId\":\"m1\",\"anonymousId\":\"a1\",\"event\":\"x\"}");
    wait_answer(rig);
    assert_string_equal(rig->body, "{\"success\":true,\"message_ids\":[\"m1\"]}");
    read_all(rig, TOPIC_EVENTS);
    take(rig, &event);
    Journey__V1__EventBatch *batch =
        journey__v1__event_batch__unpack(NULL, event.record.value.size, event.record.value.data);
    assert_non_null(batch);
    assert_string_equal(batch->events[0]->message_id, "m1");
    assert_int_equal(event.record.partition, topic_partition(event.record.key, PARTITIONS));
    assert_memory_equal(event.record.key.data, rig->tenant, 36);
    journey__v1__event_batch__free_unpacked(batch, NULL);
    bus_event_release(rig->peer, &event);
}

static void reply(struct rig *rig, const struct bus_record *command)
{
    Journey__V1__Reply answer;
    Journey__V1__ReplyPart part, *parts = &part;
    char service[] = "journey-state", name[] = "session", json[] = "{\"session_id\":\"s1\"}";
    uint8_t value[200];
    struct err err = {0};
    const struct bus_header *partition = bus_record_header(command, "reply-partition");
    const struct bus_header *correlation = bus_record_header(command, "correlation-id");
    assert_true(partition && correlation && partition->value.size < 8);
    char number[8] = "";
    memcpy(number, partition->value.data, partition->value.size);
    journey__v1__reply__init(&answer);
    journey__v1__reply_part__init(&part);
    part.name = name;
    part.json = json;
    answer.service = service;
    answer.n_parts = 1;
    answer.parts = &parts;
    const struct bus_message message = {
        .topic = TOPIC_REPLIES,
        .partition = (int32_t)strtol(number, NULL, 10),
        .value = slice_make(value, journey__v1__reply__pack(&answer, value)),
        .headers = correlation,
        .n_headers = 1};
    if (bus_send(rig->peer, &message, &err) < 0)
        fail_msg("%s", err.message);
}

static void test_command(void **state)
{
    struct rig *rig = *state;
    struct bus_event event;
    wait_ready(rig);
    ask(rig, HTTP_GET, "/api/journey/sessions/s1", "");
    read_all(rig, TOPIC_COMMANDS_JOURNEY_STATE);
    take(rig, &event);
    reply(rig, &event.record);
    bus_event_release(rig->peer, &event);
    wait_answer(rig);
    assert_int_equal(rig->status, 200);
    assert_string_equal(rig->body, "{\"session_id\":\"s1\"}");
}

static int64_t number(struct rig *rig, const char *text, const char *first)
{
    PGresult *result = PQexecParams(rig->db, text, 1, NULL, &first, NULL, NULL, 0);
    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        fail_msg("%s: %s", text, PQerrorMessage(rig->db));
    int64_t value = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
    PQclear(result);
    return value;
}

static bool vault_ready;

static void on_vault_ready(struct exchange *exchange)
{
    vault_ready = true;
}

/* Keys of two subjects, of which there are always two of each. */
static void find_keys(struct rig *rig, struct exchange *exchange, struct vault_subject subjects[4])
{
    for (unsigned i = 0; i < 4; i++)
        memset(subjects[i].id, 1 + (int)(i % 2), 16);
    vault_ready = false;
    vault_find(exchange, subjects, 4, on_vault_ready);
    while (!vault_ready)
        turn(rig);
}

static void restart_vault(struct rig *rig)
{
    struct err err = {0};
    vault_destroy(rig->gateway);
    if (vault_create(rig->gateway, &err) < 0)
        fail_msg("%s", err.message);
}

static void test_vault(void **state)
{
    struct rig *rig = *state;
    struct vault_subject first[4], again[4];
    unsigned at = 0;
    wait_ready(rig);
    ask(rig, HTTP_GET, "/api/journey/sessions/s1", ""); /* stays open: nobody answers */
    while (slots_count(rig->gateway->exchanges) == 0 || rig->gateway->key_loads)
        turn(rig);
    struct exchange *exchange = slots_next(rig->gateway->exchanges, &at);
    find_keys(rig, exchange, first);
    assert_memory_equal(first[0].key, first[2].key, 32);
    assert_memory_not_equal(first[0].key, first[1].key, 32);
    restart_vault(rig); /* another gateway gets the same */
    find_keys(rig, exchange, again);
    assert_memory_equal(first[0].key, again[0].key, 32);
    assert_memory_equal(first[1].key, again[1].key, 32);
    assert_int_equal(
        number(
            rig,
            "select count(*) from vault.keys where tenant_id = $1::uuid and octet_length(key) = 73",
            rig->tenant),
        2);
    assert_int_equal(number(rig,
                            "select vault.destroy_keys(array[$1::uuid, $1::uuid], "
                            "array[decode(repeat('01', 16), 'hex'),"
                            " decode(repeat('77', 16), 'hex')])",
                            rig->tenant),
                     1);
    restart_vault(rig);
    find_keys(rig, exchange, again);
    assert_null(again[0].key);
    assert_memory_equal(first[1].key, again[1].key, 32);
    assert_int_equal(
        number(rig,
               "select count(*) from vault.keys where tenant_id = $1::uuid and key is null and"
               " destroyed_at is not null",
               rig->tenant),
        2); /* one of them before it had a key */
    exchange_answer(exchange, 200, SLICE_LITERAL("{}"));
    wait_answer(rig);
}

/* The gateway's role reaches keys through the one function, and no other service's does at all. */
static void test_vault_rights(void **state)
{
    struct rig *rig = *state;
    static const struct {
        const char *sql;
        int expected;
    } cases[] = {
        {"select has_function_privilege($1, 'vault.obtain_keys(uuid[], bytea[], bytea[])', "
         "'execute')::int",
         1},
        {"select has_function_privilege($1, 'vault.destroy_keys(uuid[], bytea[])', 'execute')::int",
         0},
        {"select has_table_privilege($1, 'vault.keys', 'select, insert, update, delete')::int", 0},
    };
    for (unsigned c = 0; c < ARRAY_SIZE(cases); c++)
        if (number(rig, cases[c].sql, KEYS_ROLE) != cases[c].expected)
            fail_msg("%s", cases[c].sql);
    assert_int_equal(number(rig, cases[0].sql, "journey_ingest"), 0);
    assert_int_equal(
        number(rig, "select has_schema_privilege($1, 'vault', 'usage')::int", "journey_ingest"), 0);
    assert_int_equal(
        number(rig, "select count(*) from pg_roles where rolname = $1", "journey_vault"), 0);
}

static void test_resolve(void **state)
{
    struct rig *rig = *state;
    wait_ready(rig);
    ask(rig, HTTP_POST, "/api/v1/identifiers/resolve",
        "{\"identifiers\":[{\"kind\":\"user\",\"value\":\"ann\"}]}");
    wait_answer(rig);
    assert_int_equal(rig->status, 200);
    assert_memory_equal(rig->body, "{\"hashes\":[\"", 12);
    assert_int_equal(
        number(
            rig,
            "select count(*) from accounts.audit_logs where tenant_id = $1::uuid and action ="
            " 'identifier.resolve' and target = '1 identifiers' and octet_length(after_hash) = 32",
            rig->tenant),
        1);
}

static void test_keys(void **state)
{
    struct rig *rig = *state;
    wait_ready(rig);
    sql(rig,
        "update accounts.api_keys set expires_at = now() - interval '1 second' where tenant_id = "
        "$1::uuid",
        rig->tenant, NULL);
    ask(rig, HTTP_POST, "/v1/track", "{\"anonymousId\":\"a1\",\"event\":\"x\"}");
    wait_answer(rig);
    assert_int_equal(rig->status, 401);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {TEST(test_event),   TEST(test_command),
                                       TEST(test_vault),   TEST(test_vault_rights),
                                       TEST(test_resolve), TEST(test_keys)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

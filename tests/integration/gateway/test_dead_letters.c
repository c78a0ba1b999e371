/*
 * Dead letters and "did my event arrive?" on the real Kafka and Postgres: a gateway with its worker's thread, letters as the
 * gateway and a service leave them, of two tenants.
 */
#include "broker.h"
#include "gateway.h"
#include "keys.h"

#include "journey/v1/event.pb-c.h"

#include <libpq-fe.h>
#include <stdio.h>

#include <event2/event.h>

#include "test.h"

#define MASTER_KEY "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define PARTITIONS 2
#define PATIENCE_S 30
#define GOOD       "{\"type\":\"track\",\"event\":\"Good\",\"messageId\":\"good\",\"anonymousId\":\"a\"}"

struct rig {
    struct event_base *base;
    struct bus *bus, *peer; /* the gateway's; a service's */
    struct store *store;
    struct metrics *metrics;
    struct gateway *gateway;
    struct http_client *client;
    PGconn *db;
    char tenants[2][UUID_TEXT_SIZE], keys[2][40], prefix[40];
    uint8_t tenant[16]; /* the first */
    struct arena *arena;
    int status; /* of the last answer; 0: none yet */
    const struct json_node *answer;
    char *body;
};

static const char *server(const char *name)
{
    const char *value = getenv(name);
    if (!value)
        fail_msg("%s is not set: run with tests/run", name);
    return value;
}

static const char *sql(struct rig *rig, const char *text, const char *first, const char *second)
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
    sql(rig,
        "insert into accounts.organizations (tenant_id, name, hash_key, analytics_basis) values "
        "($1::uuid, $1, decode(repeat('07', 32), 'hex'), 'consent')",
        rig->tenants[i], NULL);
    sql(rig,
        "insert into accounts.api_keys (tenant_id, id, prefix, key_hash, kind) values ($1::uuid, "
        "gen_random_uuid(), 'jm_sk_', decode($2, 'hex'), 'secret')",
        rig->tenants[i], hex);
}

static int open_bus(void *user, struct bus **bus, struct err *err)
{
    const struct rig *rig = user;
    const struct bus_kafka_options options = {.brokers = server("KAFKA_BROKERS"),
                                              .client_id = "gateway-test",
                                              .prefix = rig->prefix,
                                              .partitions = PARTITIONS,
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
    if (store_pg_migrate(server("DATABASE_URL"), "migrations", &report, &err) < 0)
        fail_msg("migrate: %s", err.message);
    rig->db = PQconnectdb(server("DATABASE_URL"));
    sql(rig, "delete from accounts.dead_letter_positions", NULL, NULL);
    make_tenant(rig, 0);
    make_tenant(rig, 1);
    if (bus_kafka_create_topics(server("KAFKA_BROKERS"), rig->prefix, PARTITIONS, 1, NULL, &err) <
        0)
        fail_msg("topics: %s", err.message);
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
    const struct store_pg_options pg = {.url = server("DATABASE_URL"),
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
    const struct gateway_world world = {
        rig->base, rig->bus, rig->store, rig->metrics,           clock_system(), entropy_system(),
        "test",    open_bus, rig,        server("DATABASE_URL"), false,          NULL};
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
    arena_destroy(&rig->arena);
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
    (void)err;
    rig->status = status ? status : -1;
    rig->body = arena_str(rig->arena, body);
}

/* As the tenant of this number. */
static const struct json_node *ask(struct rig *rig, unsigned who, enum http_method method,
                                   const char *path, const char *body, int status)
{
    struct err err = {0};
    char *url = arena_printf(rig->arena, "http://127.0.0.1:%u%s",
                             http_server_port(rig->gateway->server), path);
    char *key = arena_printf(rig->arena, "X-Api-Key: %s", rig->keys[who]);
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
    while (rig->status == 0)
        turn(rig);
    if (rig->status != status)
        fail_msg("%s: %d, not %d: %s", path, rig->status, status, rig->body);
    const struct json_node *root = NULL;
    if (json_parse(&root, slice_str(rig->body), rig->arena, NULL) < 0)
        fail_msg("%s: no JSON: %s", path, rig->body);
    return root;
}

static const char *text(struct rig *rig, const struct json_node *node, const char *member)
{
    return arena_str(rig->arena, json_string(json_get(node, member), rig->arena));
}

static const struct json_node *nth(const struct json_node *answer, unsigned n)
{
    const struct json_node *at = json_get(answer, "data")->child;
    for (; at && n; n--)
        at = at->next;
    return at;
}

static unsigned count(const struct json_node *answer)
{
    return json_get(answer, "data")->count;
}

/* A letter as a process would leave it; `said`: its number, NULL: the gateway's. */
static void leave(struct rig *rig, int topic, struct slice value, const char *code,
                  const char *service, const char *said)
{
    const struct bus_header headers[] = {
        {"content-type", SLICE_LITERAL("application/json")},
        {"dlq-code", slice_str(code)},
        {"dlq-reason", SLICE_LITERAL("event: it was not understood")},
        {"dlq-field", SLICE_LITERAL("event")},
        {"dlq-service", slice_str(service)},
        {"message-id", SLICE_LITERAL("good")},
        {"dlq-id", slice_str(said)},
    };
    const struct bus_message message = {.topic = topic_dlq(topic),
                                        .partition = 1,
                                        .key = topic_key(rig->tenant, slice_str("d"), rig->arena),
                                        .value = value,
                                        .headers = headers,
                                        .n_headers = said ? 7 : 6,
                                        .cookie = 1};
    struct bus_event event;
    struct err err;
    if (bus_send(rig->peer, &message, &err) < 0)
        fail_msg("%s", err.message);
    bool delivered = false;
    while (!delivered) {
        turn(rig);
        while (bus_poll_control(rig->peer, &event)) {
            delivered = delivered || event.type == BUS_DELIVERED;
            bus_event_release(rig->peer, &event);
        }
    }
}

static struct slice batch_of(struct rig *rig, const char *id)
{
    Journey__V1__EventBatch batch;
    Journey__V1__Event event, *events = &event;
    journey__v1__event_batch__init(&batch);
    journey__v1__event__init(&event);
    event.message_id = arena_str(rig->arena, slice_str(id));
    batch.tenant_id = (ProtobufCBinaryData){16, rig->tenant};
    batch.n_events = 1;
    batch.events = &events;
    uint8_t *bytes = arena_alloc(rig->arena, journey__v1__event_batch__get_packed_size(&batch) + 1);
    return slice_make(bytes, journey__v1__event_batch__pack(&batch, bytes));
}

/* The records of the events topic, from its beginning: at least n, then as many as are there. */
static unsigned events(struct rig *rig, unsigned n, const char *id)
{
    int64_t until = clock_system()->now_us(clock_system()) + PATIENCE_S * SECOND_US;
    unsigned found = 0;
    struct bus_event event;
    for (int32_t p = 0; p < PARTITIONS; p++)
        assert_int_equal(
            bus_start(rig->peer, TOPIC_EVENTS, p, BUS_OFFSET_BEGIN, BUS_LANE_EVENTS, NULL), 0);
    while (n > 0 && clock_system()->now_us(clock_system()) < until) {
        turn(rig);
        while (bus_poll_control(rig->peer, &event))
            bus_event_release(rig->peer, &event);
        while (bus_poll_lane(rig->peer, BUS_LANE_EVENTS, &event)) {
            Journey__V1__EventBatch *batch = journey__v1__event_batch__unpack(
                NULL, event.record.value.size, event.record.value.data);
            assert_non_null(batch);
            found += strcmp(batch->events[0]->message_id, id) == 0;
            journey__v1__event_batch__free_unpacked(batch, NULL);
            bus_event_release(rig->peer, &event);
            n -= n > 0;
        }
    }
    for (int32_t p = 0; p < PARTITIONS; p++)
        bus_stop(rig->peer, TOPIC_EVENTS, p);
    return found;
}

#define LETTERS "/api/v1/dead-letters"

static void test_life_of_a_letter(void **state)
{
    struct rig *rig = *state;
    wait_ready(rig);
    assert_int_equal(count(ask(rig, 0, HTTP_GET, LETTERS, "", 200)), 0);
    ask(rig, 0, HTTP_POST, "/v1/batch",
        "{\"batch\":[{\"type\":\"track\",\"messageId\":\"bad\",\"anonymousId\":\"a\"}," GOOD "]}",
        200);
    const struct json_node *list = ask(rig, 0, HTTP_GET, LETTERS, "", 200);
    assert_int_equal(count(list), 1);
    const struct json_node *letter = nth(list, 0);
    assert_string_equal(text(rig, letter, "state"), "open");
    assert_string_equal(text(rig, letter, "field"), "event");
    assert_string_equal(text(rig, letter, "message_id"), "bad");
    assert_string_equal(text(rig, letter, "topic"), "journey.events.v1");
    const char *one = arena_printf(rig->arena, LETTERS "/%s", text(rig, letter, "id"));
    const struct json_node *seen = ask(rig, 0, HTTP_GET, one, "", 200);
    assert_string_equal(text(rig, json_get(seen, "content"), "messageId"), "bad");
    assert_non_null(json_get(seen, "headers"));
    /* what came in lately says so, too */
    const struct json_node *recent =
        ask(rig, 0, HTTP_GET, "/api/v1/events/recent?message_id=bad", "", 200);
    assert_string_equal(text(rig, nth(recent, 0), "status"), "refused");
    assert_string_equal(text(rig, nth(recent, 0), "field"), "event");
    assert_int_equal(count(ask(rig, 0, HTTP_GET, "/api/v1/events/recent?anonymous_id=a", "", 200)),
                     1);
    /* nobody else's business */
    assert_int_equal(count(ask(rig, 1, HTTP_GET, LETTERS, "", 200)), 0);
    assert_int_equal(count(ask(rig, 1, HTTP_GET, "/api/v1/events/recent", "", 200)), 0);
    ask(rig, 1, HTTP_GET, one, "", 404);
    const char *drop = arena_printf(rig->arena, "%s/drop", one);
    const char *replay = arena_printf(rig->arena, "%s/replay", one);
    ask(rig, 1, HTTP_POST, drop, "", 404);
    ask(rig, 1, HTTP_POST, replay, "", 404);
    /* it is still no event, so it stays */
    const struct json_node *still = ask(rig, 0, HTTP_POST, replay, "", 409);
    assert_string_equal(text(rig, json_get(still, "errors")->child, "field"), "event");
    assert_string_equal(text(rig, ask(rig, 0, HTTP_GET, one, "", 200), "state"), "open");
    ask(rig, 0, HTTP_POST, drop, "", 200);
    ask(rig, 0, HTTP_POST, drop, "", 409);
    ask(rig, 0, HTTP_POST, replay, "", 409);
    assert_string_equal(text(rig, ask(rig, 0, HTTP_GET, one, "", 200), "state"), "dropped");
    assert_int_equal(count(ask(rig, 0, HTTP_GET, LETTERS "?state=open", "", 200)), 0);
    assert_int_equal(count(ask(rig, 0, HTTP_GET, LETTERS "?state=dropped", "", 200)), 1);
    assert_string_equal(sql(rig,
                            "select string_agg(action || ' ' || actor, ',') from "
                            "accounts.audit_logs where tenant_id = $1 and target <> ''",
                            rig->tenants[0], NULL),
                        arena_printf(rig->arena, "dead_letter.dropped %s",
                                     text(rig, ask(rig, 0, HTTP_GET, one, "", 200), "acted_by")));
}

static void test_replay(void **state)
{
    struct rig *rig = *state;
    wait_ready(rig);
    /* as an older release would have left them: one that it could not map, one that a service refused, twice said */
    leave(rig, TOPIC_EVENTS, slice_str(GOOD), "misread", "gateway", NULL);
    leave(rig, TOPIC_EVENTS, batch_of(rig, "refused"), "refused", "ingest", "ingest.1/1/t/1/1");
    leave(rig, TOPIC_EVENTS, batch_of(rig, "refused"), "refused", "ingest", "ingest.1/1/t/1/1");
    leave(rig, TOPIC_EVENTS, slice_make(NULL, 0), "too_large", "ingest", "ingest.1/1/t/1/2");
    const struct json_node *list = ask(rig, 0, HTTP_GET, LETTERS, "", 200);
    assert_int_equal(count(list), 3);
    assert_int_equal(json_get(list, "counts")->count, 3);
    const struct json_node *done =
        ask(rig, 0, HTTP_POST, LETTERS "/replay", "{\"reason\":\"refused\"}", 200);
    int64_t n = -1;
    assert_true(json_int(json_get(done, "replayed"), &n) == 0 && n == 1);
    done = ask(rig, 0, HTTP_POST, LETTERS "/replay", "{\"reason\":\"misread\"}", 200);
    assert_true(json_int(json_get(done, "replayed"), &n) == 0 && n == 1);
    done = ask(rig, 0, HTTP_POST, LETTERS "/replay", "{\"reason\":\"too_large\"}", 200);
    assert_true(json_int(json_get(done, "replayed"), &n) == 0 && n == 0);
    assert_string_equal(text(rig, json_get(done, "failed")->child, "code"), "not_whole");
    assert_int_equal(events(rig, 2, "refused"), 1);
    assert_int_equal(events(rig, 2, "good"), 1);
    /* what fails stays open and does not stand in the way of what is behind it */
    assert_true(json_is(json_get(done, "next_cursor"), JSON_NULL));
    const char *last = text(rig, json_get(done, "failed")->child, "id");
    done = ask(rig, 0, HTTP_POST, LETTERS "/replay",
               arena_printf(rig->arena, "{\"reason\":\"too_large\",\"cursor\":\"%s\"}", last), 200);
    assert_int_equal(json_get(done, "failed")->count, 0);
    /* a second time finds nothing open */
    done = ask(rig, 0, HTTP_POST, LETTERS "/replay", "{\"reason\":\"refused\"}", 200);
    assert_true(json_int(json_get(done, "replayed"), &n) == 0 && n == 0);
    assert_int_equal(count(ask(rig, 0, HTTP_GET, LETTERS "?state=replayed", "", 200)), 2);
    done = ask(rig, 0, HTTP_POST, LETTERS "/drop", "{\"reason\":\"too_large\"}", 200);
    assert_true(json_int(json_get(done, "dropped"), &n) == 0 && n == 1);
    assert_string_equal(sql(rig,
                            "select string_agg(action, ',' order by action) from "
                            "accounts.audit_logs where tenant_id = $1 and target <> ''",
                            rig->tenants[0], NULL),
                        "dead_letter.dropped,dead_letter.replayed,dead_letter.replayed,"
                        "dead_letter.replaying,dead_letter.replaying");
}

static void test_pages(void **state)
{
    struct rig *rig = *state;
    const char *path = LETTERS "?limit=3&reason=misread";
    bool seen[8] = {false};
    unsigned pages = 0;
    wait_ready(rig);
    for (unsigned i = 0; i < 8; i++) {
        const char *value = arena_printf(rig->arena, "{\"n\":%u}", i);
        leave(rig, TOPIC_EVENTS, slice_str(value), "misread", "gateway", NULL);
    }
    for (unsigned total = 0; path; pages++) {
        const struct json_node *list = ask(rig, 0, HTTP_GET, path, "", 200);
        for (unsigned i = 0; i < count(list); i++, total++) {
            int64_t offset = -1;
            assert_int_equal(json_int(json_get(nth(list, i), "offset"), &offset), 0);
            assert_true(offset >= 0 && offset < 8 && !seen[offset]);
            assert_int_equal(offset, 7 - total); /* newest first */
            seen[offset] = true;
        }
        const char *next = text(rig, list, "next_cursor");
        path = *next ? arena_printf(rig->arena, LETTERS "?limit=3&reason=misread&cursor=%s", next)
                     : NULL;
    }
    assert_int_equal(pages, 3);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {TEST(test_life_of_a_letter), TEST(test_replay),
                                       TEST(test_pages)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

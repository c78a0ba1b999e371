/*
 * A gateway on the real Kafka and Postgres: keys from the tables that were migrated, events and commands through the
 * broker, a reply read by partition. Topics have a prefix of their own, the tenant is made anew.
 */
#include "identifiers.h"
#include "keys.h"
#include "rig.h"
#include "vault.h"

#include "journey/v1/command.pb-c.h"

#include <stdio.h>

#include "test.h"

static void read_all(struct rig *rig, int topic)
{
    struct err err = {0};
    for (int32_t p = 0; p < RIG_PARTITIONS; p++)
        if (bus_start(rig->peer, topic, p, BUS_OFFSET_BEGIN, BUS_LANE_EVENTS, &err) < 0)
            fail_msg("%s", err.message);
}

static void take(struct rig *rig, struct bus_event *event)
{
    int64_t until = clock_system()->now_us(clock_system()) + RIG_PATIENCE_S * SECOND_US;
    while (!bus_poll_lane(rig->peer, BUS_LANE_EVENTS, event)) {
        struct bus_event control;
        while (bus_poll_control(rig->peer, &control))
            bus_event_release(rig->peer, &control);
        rig_turn(rig);
        if (clock_system()->now_us(clock_system()) > until)
            fail_msg("no record came");
    }
}

static void test_event(void **state)
{
    struct rig *rig = *state;
    struct bus_event event;
    rig_wait_ready(rig);
    rig_send(rig, 0, HTTP_POST, "/v1/track",
             "{\"messageId\":\"m1\",\"anonymousId\":\"a1\",\"event\":\"x\"}");
    rig_wait_answer(rig);
    assert_string_equal(rig->body, "{\"success\":true,\"message_ids\":[\"m1\"]}");
    read_all(rig, TOPIC_EVENTS);
    take(rig, &event);
    Journey__V1__EventBatch *batch =
        journey__v1__event_batch__unpack(NULL, event.record.value.size, event.record.value.data);
    assert_non_null(batch);
    assert_string_equal(batch->events[0]->message_id, "m1");
    assert_int_equal(event.record.partition, topic_partition(event.record.key, RIG_PARTITIONS));
    assert_memory_equal(event.record.key.data, rig->tenants[0], 36);
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
    rig_wait_ready(rig);
    rig_send(rig, 0, HTTP_GET, "/api/journey/sessions/s1", "");
    read_all(rig, TOPIC_COMMANDS_JOURNEY_STATE);
    take(rig, &event);
    reply(rig, &event.record);
    bus_event_release(rig->peer, &event);
    rig_wait_answer(rig);
    assert_int_equal(rig->status, 200);
    assert_string_equal(rig->body, "{\"session_id\":\"s1\"}");
}

static int64_t number(struct rig *rig, const char *text, const char *first)
{
    return strtoll(rig_sql(rig, text, first, NULL), NULL, 10);
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
        rig_turn(rig);
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
    rig_wait_ready(rig);
    rig_send(rig, 0, HTTP_GET, "/api/journey/sessions/s1", ""); /* stays open: nobody answers */
    while (slots_count(rig->gateway->exchanges) == 0 || rig->gateway->key_loads)
        rig_turn(rig);
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
            rig->tenants[0]),
        2);
    assert_int_equal(number(rig,
                            "select vault.destroy_keys(array[$1::uuid, $1::uuid], "
                            "array[decode(repeat('01', 16), 'hex'),"
                            " decode(repeat('77', 16), 'hex')])",
                            rig->tenants[0]),
                     1);
    restart_vault(rig);
    find_keys(rig, exchange, again);
    assert_null(again[0].key);
    assert_memory_equal(first[1].key, again[1].key, 32);
    assert_int_equal(
        number(rig,
               "select count(*) from vault.keys where tenant_id = $1::uuid and key is null and"
               " destroyed_at is not null",
               rig->tenants[0]),
        2); /* one of them before it had a key */
    exchange_answer(exchange, 200, SLICE_LITERAL("{}"));
    rig_wait_answer(rig);
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
    rig_wait_ready(rig);
    rig_send(rig, 0, HTTP_POST, "/api/v1/identifiers/resolve",
             "{\"identifiers\":[{\"kind\":\"user\",\"value\":\"ann\"}]}");
    rig_wait_answer(rig);
    assert_int_equal(rig->status, 200);
    assert_memory_equal(rig->body, "{\"hashes\":[\"", 12);
    assert_int_equal(
        number(
            rig,
            "select count(*) from accounts.audit_logs where tenant_id = $1::uuid and action ="
            " 'identifier.resolve' and target = '1 identifiers' and octet_length(after_hash) = 32",
            rig->tenants[0]),
        1);
}

static void test_keys(void **state)
{
    struct rig *rig = *state;
    rig_wait_ready(rig);
    rig_sql(
        rig,
        "update accounts.api_keys set expires_at = now() - interval '1 second' where tenant_id = "
        "$1::uuid",
        rig->tenants[0], NULL);
    rig_send(rig, 0, HTTP_POST, "/v1/track", "{\"anonymousId\":\"a1\",\"event\":\"x\"}");
    rig_wait_answer(rig);
    assert_int_equal(rig->status, 401);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
    const struct CMUnitTest tests[] = {TEST(test_event),   TEST(test_command),
                                       TEST(test_vault),   TEST(test_vault_rights),
                                       TEST(test_resolve), TEST(test_keys)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

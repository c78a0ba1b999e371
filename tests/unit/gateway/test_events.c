/* Event routes through a whole gateway: keys, forms, limits, dead letters, delivery. */
#include "domain/identity.h"
#include "world.h"

#include <zlib.h>

#define POST(path, key) "POST " path "\r\nAuthorization: Bearer " key
#define TRACK                                                                                      \
    "{\"messageId\":\"m1\",\"anonymousId\":\"a1\",\"event\":\"Product "                            \
    "Viewed\",\"properties\":{\"p\":1}}"

static void test_keys(void **state)
{
    static const struct {
        const char *name, *head, *body;
        int status;
    } cases[] = {
        {"none", "POST /v1/track", TRACK, 401},
        {"unknown", POST("/v1/track", "nope"), TRACK, 401},
        {"expired", POST("/v1/track", EXPIRED_KEY), TRACK, 401},
        {"tenant deleted", POST("/v1/track", DELETED_KEY), TRACK, 401},
        {"write", POST("/v1/track", WRITE_KEY), TRACK, 200},
        {"secret", POST("/v1/track", SECRET_KEY), TRACK, 200},
        {"basic", "POST /v1/track\r\nAuthorization: Basic am1fd2tfdGVzdDo=", TRACK, 200},
        {"x-api-key", "POST /v1/track\r\nX-Api-Key: " WRITE_KEY, TRACK, 200},
        {"in the query", "POST /v1/track?a=b&writeKey=" WRITE_KEY, TRACK, 200},
        {"in the body", "POST /v1/t",
         "{\"writeKey\":\"" WRITE_KEY "\",\"anonymousId\":\"a\",\"event\":\"x\"}", 200},
        {"in the body, no JSON", "POST /v1/t", "{\"writeKey\":", 400},
        {"any content type", POST("/v1/track", WRITE_KEY) "\r\nContent-Type: text/plain", TRACK,
         200},
        {"settings", "GET /v1/projects/" WRITE_KEY "/settings", "", 200},
        {"settings of nobody", "GET /v1/projects/nope/settings", "", 401},
        {"metrics without key", "POST /v1/m", "{\"series\":[]}", 200},
        {"write key reads", "GET /api/journey/sessions/s1\r\nAuthorization: Bearer " WRITE_KEY, "",
         403},
        {"write key changes a stage",
         "PUT /api/journey/sessions/s1/stage\r\nAuthorization: Bearer " WRITE_KEY, "{}", 403},
        {"no such path", POST("/v1/nope", WRITE_KEY), TRACK, 404},
        {"no such method", "GET /v1/track", "", 405},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct world_answer answer;
        world_ask(*state, cases[i].head, cases[i].body, &answer);
        if (answer.status != cases[i].status)
            fail_msg("case \"%s\": %d %s", cases[i].name, answer.status, answer.body);
        assert_case(cases[i].name, world_header(&answer, "Cache-Control") != NULL);
        assert_case(cases[i].name,
                    answer.status < 400 || strstr(answer.head, "application/problem+json"));
    }
}

static void test_track(void **state)
{
    struct world *world = *state;
    struct world_answer answer;
    uint8_t device[16];
    world_ask(world, POST("/v1/track", WRITE_KEY) "\r\nOrigin: https://shop.example.com", TRACK,
              &answer);
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.body, "{\"success\":true,\"message_ids\":[\"m1\"]}");
    assert_string_equal(world_header(&answer, "Access-Control-Allow-Origin"),
                        "https://shop.example.com");
    const struct bus_record *record = world_take(world, TOPIC_EVENTS);
    Journey__V1__EventBatch *batch =
        journey__v1__event_batch__unpack(NULL, record->value.size, record->value.data);
    assert_int_equal(batch->n_events, 1);
    assert_memory_equal(batch->tenant_id.data, world_tenant, 16);
    assert_string_equal(batch->client, "segment");
    assert_true(batch->received_us > 0);
    assert_string_equal(batch->events[0]->name, "Product Viewed");
    assert_string_equal(batch->events[0]->properties, "{\"p\":1}");
    gw_hash_identifier(device, world_hash_key, "device", slice_str("a1"));
    assert_memory_equal(batch->events[0]->device.data, device, 16);
    struct slice key = topic_key(world_tenant, gw_hex(device, 16, world->arena), world->arena);
    assert_true(slice_equal(record->key, key));
    assert_int_equal(record->partition, topic_partition(key, WORLD_PARTITIONS));
    assert_true(
        slice_equal_str(bus_record_header(record, "ce_type")->value, "journey.v1.EventBatch"));
    assert_null(memchr(bus_record_header(record, "ce_id")->value.data, '/',
                       bus_record_header(record, "ce_id")->value.size));
    journey__v1__event_batch__free_unpacked(batch, NULL);
    assert_true(world_metric(world, "gateway_events_total") == 1);
    assert_true(world_metric(world, "gateway_requests_total{route=\"track\",code=\"2xx\"}") == 1);
}

/* One bad event does not harm the others: it is put aside, and is answered like them. */
static void test_batch(void **state)
{
    struct world *world = *state;
    struct world_answer answer;
    world_ask(world, POST("/v1/batch", WRITE_KEY),
              "{\"batch\":[{\"type\":\"track\",\"messageId\":\"m1\",\"anonymousId\":\"a1\","
              "\"event\":\"x\"},"
              "{\"type\":\"poke\",\"messageId\":\"m2\",\"anonymousId\":\"a1\"},"
              "{\"type\":\"page\",\"messageId\":\"m3\",\"anonymousId\":\"a1\"}],\"sentAt\":\"2026-"
              "01-01T00:00:00Z\"}",
              &answer);
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.body, "{\"success\":true,\"message_ids\":[\"m1\",\"m2\",\"m3\"]}");
    const struct bus_record *record = world_take(world, TOPIC_EVENTS);
    Journey__V1__EventBatch *batch =
        journey__v1__event_batch__unpack(NULL, record->value.size, record->value.data);
    assert_int_equal(batch->n_events, 2);
    assert_string_equal(batch->events[0]->message_id, "m1");
    assert_string_equal(batch->events[1]->message_id, "m3");
    assert_true(batch->events[0]->sent_at_us > 0);
    const struct bus_record *dead = world_take(world, topic_dlq(TOPIC_EVENTS));
    assert_null(memmem(dead->value.data, dead->value.size, "poke", 4)); /* sealed */
    assert_true(bus_record_header(dead, "sealed")->value.size == sizeof("day/2026-01-01") - 1);
    assert_true(slice_equal_str(bus_record_header(dead, "dlq-code")->value, "not_allowed"));
    assert_non_null(bus_record_header(dead, "dlq-reason"));
    assert_true(slice_equal(dead->key, record->key));
    journey__v1__event_batch__free_unpacked(batch, NULL);
}

static void test_refusals(void **state)
{
    static const struct {
        const char *name, *path, *body;
        int status;
        const char *part; /* of the answer */
    } cases[] = {
        {"bad JSON", "/v1/track", "{\"a\":", 400, "\"code\":\"invalid_request\""},
        {"no body", "/v1/track", "", 400, "\"field\":\"event\""},
        {"wrong shape", "/v1/track", "{\"anonymousId\":\"a\"}", 400,
         "{\"field\":\"event\",\"code\":\"required\""},
        {"a list", "/api/v1/events", "[]", 400, "wrong_type"},
        {"batch missing", "/v1/batch", "{}", 400, "{\"field\":\"batch\",\"code\":\"required\""},
        {"batch no list", "/v1/batch", "{\"batch\":{}}", 400,
         "{\"field\":\"batch\",\"code\":\"wrong_type\""},
        {"batch empty", "/v1/batch", "{\"batch\":[]}", 200, "\"message_ids\":[]"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct world *world = *state;
        struct world_answer answer;
        char *head = arena_printf(world->arena, "POST %s\r\nX-Api-Key: " WRITE_KEY, cases[i].path);
        world_ask(world, head, cases[i].body, &answer);
        if (answer.status != cases[i].status || !strstr(answer.body, cases[i].part))
            fail_msg("case \"%s\": %d %s", cases[i].name, answer.status, answer.body);
    }
}

static char *event_of(struct world *world, size_t size)
{
    struct buf text = {0};
    buf_append_str(&text, "{\"anonymousId\":\"a\",\"event\":\"x\",\"properties\":{\"a\":\"");
    while (text.size < size - 3)
        buf_append_byte(&text, 'x');
    buf_append_str(&text, "\"}}");
    char *out = arena_str(world->arena, buf_slice(&text));
    buf_deinit(&text);
    return out;
}

static char *batch_of(struct world *world, unsigned n, const char *event)
{
    struct buf text = {0};
    buf_append_str(&text, "{\"batch\":[");
    for (unsigned i = 0; i < n; i++)
        buf_printf(&text, "%s%s", i ? "," : "", event);
    buf_append_str(&text, "]}");
    char *out = arena_str(world->arena, buf_slice(&text));
    buf_deinit(&text);
    return out;
}

#define SMALL "{\"anonymousId\":\"a\",\"event\":\"x\"}"

static void test_limits(void **state)
{
    struct world *world = *state;
    const struct {
        const char *name, *head, *body;
        int status;
    } cases[] = {
        {"32 KB", POST("/v1/track", WRITE_KEY), event_of(world, 32768), 200},
        {"over 32 KB", POST("/v1/track", WRITE_KEY), event_of(world, 32769), 413},
        {"one of a batch", POST("/v1/batch", WRITE_KEY), batch_of(world, 1, event_of(world, 32769)),
         200}, /* a dead letter */
        {"2,500 events", POST("/v1/batch", WRITE_KEY), batch_of(world, 2500, SMALL), 200},
        {"2,501 events", POST("/v1/batch", WRITE_KEY), batch_of(world, 2501, SMALL), 413},
        {"500 KB", POST("/v1/batch", WRITE_KEY), batch_of(world, 15, event_of(world, 32768)), 200},
        {"over 500 KB", POST("/v1/batch", WRITE_KEY), batch_of(world, 16, event_of(world, 32768)),
         413},
        {"far over", POST("/v1/batch", WRITE_KEY), batch_of(world, 40, event_of(world, 32768)),
         413},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct world_answer answer;
        world_ask(world, cases[i].head, cases[i].body, &answer);
        if (answer.status != cases[i].status)
            fail_msg("case \"%s\": %d %.200s", cases[i].name, answer.status, answer.body);
    }
}

static void test_gzip(void **state)
{
    struct world *world = *state;
    struct world_answer answer;
    uint8_t out[1000];
    z_stream z = {.next_in = arena_copy(world->arena, TRACK, strlen(TRACK)),
                  .avail_in = (uInt)strlen(TRACK),
                  .next_out = out,
                  .avail_out = sizeof(out)};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    struct slice body = slice_make(out, sizeof(out) - z.avail_out);
    assert_int_equal(deflateEnd(&z), Z_OK);
    world_receive(world, world_send(world, POST("/v1/track", WRITE_KEY), body), &answer);
    assert_string_equal(answer.body, "{\"success\":true,\"message_ids\":[\"m1\"]}");
    body.size -= 5;
    world_receive(world, world_send(world, POST("/v1/track", WRITE_KEY), body), &answer);
    assert_int_equal(answer.status, 400);
}

static void test_made_ids(void **state)
{
    struct world_answer one, again, other;
    world_ask(*state, POST("/v1/batch", WRITE_KEY) "\r\nIdempotency-Key: k",
              "{\"batch\":[" SMALL "," SMALL "]}", &one);
    world_ask(*state, POST("/v1/batch", WRITE_KEY) "\r\nIdempotency-Key: k",
              "{\"batch\":[" SMALL "," SMALL "]}", &again);
    world_ask(*state, POST("/v1/batch", WRITE_KEY), "{\"batch\":[" SMALL "," SMALL "]}", &other);
    assert_int_equal(one.status, 200);
    assert_string_equal(one.body, again.body);
    assert_string_not_equal(one.body, other.body);
    assert_memory_not_equal(one.body + 31, one.body + 66, 32); /* two ids of one request */
}

static void test_log_away(void **state)
{
    struct world *world = *state;
    struct world_answer answer;
    bus_mem_fail_next(world->cluster, world->bus);
    world_ask(world, POST("/v1/track", WRITE_KEY), TRACK, &answer);
    assert_int_equal(answer.status, 503);
    assert_string_equal(world_header(&answer, "Retry-After"), "1");
    bus_mem_set_send_queue(world->bus, 0);
    world_ask(world, POST("/v1/track", WRITE_KEY), TRACK, &answer);
    assert_int_equal(answer.status, 503);
    bus_mem_set_send_queue(world->bus, 100);
    bus_mem_hold(world->bus, true); /* never reported */
    world_ask(world, POST("/v1/track", WRITE_KEY), TRACK, &answer);
    assert_int_equal(answer.status, 503);
    bus_mem_hold(world->bus, false);
    world_ask(world, POST("/v1/track", WRITE_KEY), TRACK, &answer);
    assert_int_equal(answer.status, 200);
    assert_true(world_metric(world, "gateway_produce_errors_total") == 3);
}

static void test_database_away(void **state)
{
    struct world *world = *state;
    struct world_answer answer;
    world_ask(world, POST("/v1/track", WRITE_KEY), TRACK, &answer);
    assert_int_equal(answer.status, 200);
    world->store_stuck = true;
    world_ask(world, POST("/v1/track", WRITE_KEY), TRACK, &answer);
    assert_int_equal(answer.status, 200);
    world_ask(world, POST("/v1/track", SECRET_KEY), TRACK, &answer);
    assert_int_equal(answer.status, 503);
    world->store_stuck = false;
    world_ask(world, POST("/v1/track", SECRET_KEY), TRACK, &answer);
    assert_int_equal(answer.status, 200);
}

static void test_browsers(void **state)
{
    struct world_answer answer;
    world_ask(
        *state,
        "OPTIONS /v1/t\r\nOrigin: https://a.example\r\nAccess-Control-Request-Method: POST\r\n"
        "Access-Control-Request-Headers: authorization,x-own",
        "", &answer);
    assert_int_equal(answer.status, 204);
    assert_string_equal(world_header(&answer, "Access-Control-Allow-Origin"), "https://a.example");
    assert_string_equal(world_header(&answer, "Access-Control-Allow-Headers"),
                        "authorization,x-own");
    assert_string_equal(world_header(&answer, "Access-Control-Allow-Methods"), "POST, OPTIONS");
    world_ask(*state, "OPTIONS /api/journey/sessions/s1/stage\r\nOrigin: https://a.example", "",
              &answer);
    assert_int_equal(answer.status, 204);
    assert_null(world_header(
        &answer, "Access-Control-Allow-Origin")); /* secret keys have no place in pages */
    assert_string_equal(world_header(&answer, "Allow"), "PUT, OPTIONS");
    world_ask(*state, "DELETE /api/journey/sessions/s1/touchpoints", "", &answer);
    assert_int_equal(answer.status, 405);
    assert_string_equal(world_header(&answer, "Allow"), "GET, POST, OPTIONS");
    world_ask(*state, "OPTIONS /nowhere\r\nOrigin: https://a.example", "", &answer);
    assert_int_equal(answer.status, 404);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_keys),          TEST(test_track),    TEST(test_batch),    TEST(test_refusals),
        TEST(test_limits),        TEST(test_gzip),     TEST(test_made_ids), TEST(test_log_away),
        TEST(test_database_away), TEST(test_browsers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

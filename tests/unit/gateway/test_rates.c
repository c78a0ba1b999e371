/* Rates and overload through a whole gateway: who is refused, with what, and when he may come again. */
#include "world.h"

#include <stdio.h>

#define POST(path, key) "POST " path "\r\nAuthorization: Bearer " key
#define TRACK           "{\"anonymousId\":\"a1\",\"event\":\"x\"}"

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    world_init(world, 100);
    world->frozen_us = clock_system()->now_us(clock_system());
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    world_deinit(*state);
    free(*state);
    return 0;
}

static char *batch_of(struct world *world, unsigned n)
{
    struct buf text = {0};
    buf_append_str(&text, "{\"batch\":[");
    for (unsigned i = 0; i < n; i++)
        buf_printf(&text, "%s{\"type\":\"track\",\"anonymousId\":\"a\",\"event\":\"x\"}",
                   i ? "," : "");
    buf_append_str(&text, "]}");
    char *copy = arena_str(world->arena, buf_slice(&text));
    buf_deinit(&text);
    return copy;
}

static int ask(struct world *world, const char *head, const char *body, struct world_answer *answer)
{
    world_ask(world, head, body, answer);
    return answer->status;
}

/* A batch may overdraw; then everything waits until the debt is paid, by one key alone. */
static void test_events_count(void **state)
{
    struct world *world = *state;
    struct world_answer answer;
    char *batch = batch_of(world, 2400);
    const char *head = POST("/v1/batch", OTHER_WRITE_KEY) "\r\nOrigin: https://shop.example";
    assert_int_equal(ask(world, head, batch, &answer), 200);
    assert_string_equal(world_header(&answer, "RateLimit-Policy"), "\"key\";q=2000;w=2");
    assert_string_equal(world_header(&answer, "RateLimit"), "\"key\";r=0;t=3");
    assert_int_equal(ask(world, head, TRACK, &answer), 429);
    assert_non_null(strstr(answer.body, "\"code\":\"rate_limited\""));
    assert_string_equal(world_header(&answer, "Retry-After"), "1");
    assert_non_null(strstr(world_header(&answer, "Access-Control-Expose-Headers"), "RateLimit"));
    assert_int_equal(ask(world, POST("/v1/track", OTHER_SECRET_KEY), TRACK, &answer), 200);
    world->later_us += SECOND_US;
    assert_int_equal(ask(world, POST("/v1/track", OTHER_WRITE_KEY), TRACK, &answer), 200);
    assert_true(world_metric(world, "gateway_refused_total{reason=\"rate_key\"}") == 1);
}

static void test_secret_key(void **state)
{
    struct world *world = *state;
    struct world_answer answer;
    assert_int_equal(
        ask(world, POST("/v1/batch", OTHER_SECRET_KEY), batch_of(world, 2400), &answer), 200);
    assert_int_equal(ask(world,
                         "GET /api/journey/sessions/s\r\nAuthorization: Bearer " OTHER_SECRET_KEY,
                         "", &answer),
                     429);
    assert_string_equal(world_header(&answer, "Retry-After"), "24"); /* 2,301 at 100 a second */
    assert_string_equal(world_header(&answer, "RateLimit-Policy"), "\"key\";q=100;w=1");
}

static void test_tenant_without_limit(void **state)
{
    struct world *world = *state;
    struct world_answer answer;
    char *batch = batch_of(world, 2500);
    for (int i = 0; i < 3; i++)
        assert_int_equal(ask(world, POST("/v1/batch", WRITE_KEY), batch, &answer), 200);
    assert_null(world_header(&answer, "RateLimit"));
}

/* By address: keys that are none, and routes that ask for none; never those with a valid key, nor preflights. */
static void test_strangers(void **state)
{
    struct world *world = *state;
    struct world_answer answer;
    char head[100];
    assert_int_equal(ask(world, POST("/v1/track", WRITE_KEY), TRACK, &answer), 200);
    for (int i = 0; i < 48; i++) {
        (void)snprintf(head, sizeof(head), "POST /v1/track\r\nX-Api-Key: guess%d", i % 4);
        assert_int_equal(ask(world, head, TRACK, &answer), 401);
    }
    assert_int_equal(ask(world, "POST /v1/track", TRACK, &answer), 401);
    assert_int_equal(ask(world, "POST /v1/m", "{}", &answer), 200);
    double lookups = world_metric(world, "gateway_key_lookups_total");
    static const char *const refused[] = {"POST /v1/track", "POST /v1/m",
                                          POST("/v1/track", "guess1"),
                                          POST("/v1/track", "another guess")};
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
        int status = ask(world, refused[i], TRACK, &answer);
        assert_case(refused[i], status == 429);
    }
    assert_true(world_metric(world, "gateway_key_lookups_total") == lookups);
    assert_true(world_metric(world, "gateway_refused_total{reason=\"rate_address\"}") >= 3);
    assert_int_equal(ask(world, POST("/v1/track", WRITE_KEY), TRACK, &answer), 200);
    assert_int_equal(ask(world, "OPTIONS /v1/track\r\nOrigin: https://a.example", "", &answer),
                     204);
    world->later_us += SECOND_US;
    assert_int_equal(ask(world, "POST /v1/track", TRACK, &answer), 401);
}

static void test_behind_a_proxy(void **state)
{
    struct world *world = *state;
    struct world_answer answer;
    char head[120];
    world->gateway->options.trusted_proxies = 1;
    for (int i = 0; i < 60; i++) {
        (void)snprintf(head, sizeof(head), "POST /v1/m\r\nX-Forwarded-For: 9.9.9.9, 203.0.113.%d",
                       i % 2);
        assert_int_equal(ask(world, head, "{}", &answer), 200);
    }
    for (int i = 0; i < 45; i++)
        assert_true(ask(world, "POST /v1/m\r\nX-Forwarded-For: 203.0.113.1", "{}", &answer) > 0);
    assert_int_equal(answer.status, 429);
    assert_int_equal(ask(world, "POST /v1/m\r\nX-Forwarded-For: 203.0.113.9", "{}", &answer), 200);
}

/* Kafka confirms nothing: those inside wait, the others hear at once; one asks again now and then. */
static void test_kafka_behind(void **state)
{
    struct world *world = *state;
    struct world_answer answer;
    assert_int_equal(ask(world, POST("/v1/track", WRITE_KEY), TRACK, &answer), 200);
    bus_mem_hold(world->bus, true);
    int waiting = world_send(world, POST("/v1/track", WRITE_KEY), slice_str(TRACK));
    for (int i = 0; i < 1000 && bus_unreported(world->bus) == 0; i++)
        world_turn(world);
    assert_int_equal(bus_unreported(world->bus), 1);
    world->later_us += 2 * SECOND_US;
    assert_int_equal(ask(world, POST("/v1/track", WRITE_KEY), "not even JSON", &answer), 503);
    assert_string_equal(world_header(&answer, "Retry-After"), "1");
    assert_int_equal(
        ask(world, "GET /api/journey/sessions/s\r\nAuthorization: Bearer " SECRET_KEY, "", &answer),
        503);
    assert_int_equal(ask(world, "GET /v1/projects/" WRITE_KEY "/settings", "", &answer), 200);
    assert_true(world_metric(world, "gateway_refused_total{reason=\"kafka_behind\"}") == 2);
    bus_mem_hold(world->bus, false);
    world_receive(world, waiting, &answer);
    assert_int_equal(answer.status, 200);
    assert_int_equal(ask(world, POST("/v1/track", WRITE_KEY), TRACK, &answer), 200);
}

/* What waits for Kafka is bounded in bytes, and open again only when most of it is gone. */
static void test_queue_bound(void **state)
{
    struct world *world = *state;
    struct world_answer answer;
    struct buf body = {0};
    int fds[20];
    unsigned n = 0;
    world->gateway->options.send_queue_mb = 1;
    assert_int_equal(ask(world, POST("/v1/track", WRITE_KEY), TRACK, &answer), 200);
    buf_append_str(&body, "{\"batch\":[");
    for (int i = 0; i < 12; i++)
        buf_printf(&body,
                   "%s{\"type\":\"track\",\"anonymousId\":\"a\",\"event\":\"x\",\"properties\":{"
                   "\"p\":\"%030000d\"}}",
                   i ? "," : "", 0);
    buf_append_str(&body, "]}");
    bus_mem_hold(world->bus, true);
    for (; n < 2; n++)
        fds[n] = world_send(world, POST("/v1/batch", WRITE_KEY), buf_slice(&body));
    for (int i = 0; i < 1000 && bus_unreported_bytes(world->bus) < 600000; i++)
        world_turn(world);
    fds[n++] = world_send(world, POST("/v1/batch", WRITE_KEY), buf_slice(&body));
    for (int i = 0; i < 1000 && bus_unreported_bytes(world->bus) < 900000; i++)
        world_turn(world);
    assert_int_equal(ask(world, POST("/v1/track", WRITE_KEY), TRACK, &answer), 503);
    assert_true(bus_unreported_bytes(world->bus) <= 1200000);
    assert_int_equal(bus_mem_deliver(world->bus, 1), 1);
    assert_int_equal(ask(world, POST("/v1/track", WRITE_KEY), TRACK, &answer), 503);
    bus_mem_hold(world->bus, false);
    while (n > 0) {
        world_receive(world, fds[--n], &answer);
        assert_int_equal(answer.status, 200);
    }
    assert_int_equal(ask(world, POST("/v1/track", WRITE_KEY), TRACK, &answer), 200);
    buf_deinit(&body);
}

static void test_memory(void **state)
{
    struct world *world = *state;
    struct world_answer answer;
    world->gateway->options.request_mb = 0;
    assert_int_equal(
        ask(world, POST("/v1/track", WRITE_KEY) "\r\nOrigin: https://a.example", TRACK, &answer),
        503);
    assert_string_equal(world_header(&answer, "Access-Control-Allow-Origin"), "https://a.example");
    assert_true(world_metric(world, "gateway_refused_total{reason=\"request_memory\"}") == 1);
    world->gateway->options.request_mb = 64;
    assert_int_equal(ask(world, POST("/v1/track", WRITE_KEY), TRACK, &answer), 200);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_events_count), CASE(test_secret_key),     CASE(test_tenant_without_limit),
        CASE(test_strangers),    CASE(test_behind_a_proxy), CASE(test_kafka_behind),
        CASE(test_queue_bound),  CASE(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

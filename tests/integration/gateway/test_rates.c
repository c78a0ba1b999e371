/* Two gateways that count a key's rate together through a real Redis, and alone when it is away. */
#include "rates_inside.h"
#include "redis.h"
#include "world.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>

#define HEAD "POST /v1/batch\r\nAuthorization: Bearer " OTHER_WRITE_KEY

struct rig {
    struct world worlds[2];
    struct redis *redis[2];
};

static int setup(void **state)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    const struct redis_options options = {.url = getenv("REDIS_URL")};
    assert_non_null(rig);
    assert_non_null(options.url);
    int64_t now_us = clock_system()->now_us(clock_system());
    for (int i = 0; i < 2; i++) {
        struct world *world = &rig->worlds[i];
        world_init(world, 100);
        world->frozen_us = now_us;
        assert_int_equal(redis_create(&rig->redis[i], world->base, &options, NULL), 0);
        world->gateway->rates->redis = rig->redis[i];
        for (int k = 0; k < 3000 && !redis_stats(rig->redis[i]).connected; k++)
            world_turns(world, 1);
        assert_true(redis_stats(rig->redis[i]).connected);
    }
    *state = rig;
    return 0;
}

static int teardown(void **state)
{
    struct rig *rig = *state;
    for (int i = 0; i < 2; i++) {
        redis_destroy(&rig->redis[i]);
        world_deinit(&rig->worlds[i]);
    }
    free(rig);
    return 0;
}

/* Sends so many events in one batch; returns what is left then, or minus the status of a refusal. */
static int left_after(struct rig *rig, int at, unsigned events)
{
    struct world *world = &rig->worlds[at];
    struct world_answer answer;
    struct buf body = {0};
    buf_append_str(&body, "{\"batch\":[");
    for (unsigned i = 0; i < events; i++)
        buf_printf(&body, "%s{\"type\":\"track\",\"anonymousId\":\"a\",\"event\":\"x\"}",
                   i ? "," : "");
    buf_append_str(&body, "]}");
    world_ask(world, HEAD, (const char *)body.data, &answer);
    buf_deinit(&body);
    const char *said = world_header(&answer, "RateLimit");
    assert_non_null(said);
    return answer.status == 200 ? (int)strtol(strstr(said, ";r=") + 3, NULL, 10) : -answer.status;
}

static void share(struct rig *rig, int at)
{
    struct world *world = &rig->worlds[at];
    rates_share(world->gateway);
    for (int i = 0; i < 3000 && redis_stats(rig->redis[at]).pending; i++)
        world_turns(world, 1);
    assert_int_equal(redis_stats(rig->redis[at]).pending, 0);
}

static void test_shared(void **state)
{
    struct rig *rig = *state;
    for (int i = 0; i < 2; i++)
        assert_int_equal(left_after(rig, i, 1), 1999);
    share(rig, 0);
    share(rig, 1);
    assert_int_equal(left_after(rig, 0, 1500), 499);
    share(rig, 0); /* takes off what the other one sent first, too */
    assert_int_equal(left_after(rig, 1, 1), 1998);
    share(rig, 1);
    assert_int_equal(left_after(rig, 1, 400), 98);
    assert_int_equal(left_after(rig, 1, 200), 0);
    assert_int_equal(left_after(rig, 1, 1), -429);
    share(rig, 1);
    assert_int_equal(left_after(rig, 0, 1), 497);
    share(rig, 0);
    assert_int_equal(left_after(rig, 0, 1), -429);
    assert_true(world_metric(&rig->worlds[0], "gateway_rates_shared") == 1);
}

static void test_redis_away(void **state)
{
    struct rig *rig = *state;
    redis_destroy(&rig->redis[0]);
    rig->worlds[0].gateway->rates->redis = NULL;
    rates_share(rig->worlds[0].gateway);
    assert_true(world_metric(&rig->worlds[0], "gateway_rates_shared") == 0);
    assert_int_equal(left_after(rig, 0, 1500), 500);
    rates_share(rig->worlds[0].gateway);
    assert_int_equal(left_after(rig, 0, 501), 0);
    assert_int_equal(left_after(rig, 0, 1), -429);
    assert_int_equal(left_after(rig, 1, 1), 1999);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_shared, setup, teardown),
        cmocka_unit_test_setup_teardown(test_redis_away, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* A real Redis: values, expiry, a connection that breaks, one that never answers. */
#include "redis.h"
#include "test.h"
#include "url.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <hiredis/hiredis.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

struct world {
    struct event_base *base;
    struct redis *redis;
    redisContext *beside; /* a second connection, blocking */
    char value[100];
    int answers;
    int64_t total;
    bool known;
};

static const char *url(void)
{
    const char *text = getenv("REDIS_URL");
    if (!text)
        fail_msg("REDIS_URL is not set: run with tests/run");
    return text;
}

static void turn(struct world *w)
{
    event_base_loop(w->base, EVLOOP_NONBLOCK);
    poll(NULL, 0, 1);
}

static void wait_connected(struct world *w, uint64_t connects)
{
    for (int i = 0; i < 10000 && redis_stats(w->redis).connects < connects; i++)
        turn(w);
    assert_true(redis_stats(w->redis).connects >= connects);
}

static int setup(void **state)
{
    static struct world world;
    struct redis_options options = {.url = url(), .pending_limit = 10};
    struct redis_url parsed;
    struct err err = {0};
    world = (struct world){.base = event_base_new()};
    if (redis_create(&world.redis, world.base, &options, &err) < 0 ||
        redis_url_parse(&parsed, options.url, &err) < 0)
        fail_msg("%s", err.message);
    world.beside = redisConnect(parsed.host, parsed.port);
    assert_true(world.beside && !world.beside->err);
    *state = &world;
    wait_connected(&world, 1);
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    redis_destroy(&w->redis);
    redisFree(w->beside);
    event_base_free(w->base);
    return 0;
}

static long long ask(struct world *w, const char *command)
{
    redisReply *reply = redisCommand(w->beside, command);
    assert_non_null(reply);
    long long number = reply->integer;
    freeReplyObject(reply);
    return number;
}

static void got(void *user, struct slice value, bool known)
{
    struct world *w = user;
    w->answers++;
    w->known = known;
    (void)snprintf(w->value, sizeof(w->value), "%.*s", value.data ? (int)value.size : 4,
                   value.data ? (const char *)value.data : "none");
}

static const char *get(struct world *w, const char *key)
{
    int before = w->answers;
    assert_int_equal(redis_get(w->redis, slice_str(key), got, w), 0);
    assert_int_equal(w->answers, before); /* never from inside */
    for (int i = 0; i < 5000 && w->answers == before; i++)
        turn(w);
    assert_int_equal(w->answers, before + 1);
    return w->value;
}

static void values_are_set_read_and_deleted(void **state)
{
    struct world *w = *state;
    redis_set(w->redis, SLICE_LITERAL("redis_test:a"), SLICE_LITERAL("x y\r\nz"), 3600);
    assert_string_equal(get(w, "redis_test:a"), "x y\r\nz");
    assert_true(w->known);
    long long left = ask(w, "TTL redis_test:a");
    assert_true(left > 3590 && left <= 3600);
    redis_delete(w->redis, SLICE_LITERAL("redis_test:a"));
    assert_string_equal(get(w, "redis_test:a"), "none");
    assert_true(w->known);
    assert_true(redis_stats(w->redis).failed == 0);
    assert_int_equal(redis_stats(w->redis).pending, 0);
}

static void added(void *user, int64_t total, bool known)
{
    struct world *w = user;
    w->answers++;
    w->known = known;
    w->total = total;
}

static int64_t add(struct world *w, const char *key, int64_t n)
{
    int before = w->answers;
    assert_int_equal(redis_add(w->redis, slice_str(key), n, 100, added, w), 0);
    for (int i = 0; i < 5000 && w->answers == before; i++)
        turn(w);
    assert_int_equal(w->answers, before + 1);
    return w->total;
}

static void counters_add_up_and_expire(void **state)
{
    struct world *w = *state;
    assert_true(ask(w, "DEL redis_test:n") >= 0);
    assert_true(add(w, "redis_test:n", 3) == 3);
    assert_true(add(w, "redis_test:n", 4) == 7);
    assert_true(w->known);
    for (int i = 0; i < 5000 && redis_stats(w->redis).pending; i++)
        turn(w);
    long long left = ask(w, "TTL redis_test:n");
    assert_true(left > 90 && left <= 100);
    assert_int_equal(ask(w, "LPUSH redis_test:list 1"), 1);
    (void)add(w, "redis_test:list", 1);
    assert_false(w->known);
    assert_int_equal(ask(w, "DEL redis_test:list redis_test:n"), 2);
}

static void what_is_pending_is_bounded(void **state)
{
    struct world *w = *state;
    for (int i = 0; i < 50; i++)
        redis_set(w->redis, SLICE_LITERAL("redis_test:b"), SLICE_LITERAL("v"), 10);
    assert_int_equal(redis_stats(w->redis).pending, 10);
    assert_true(redis_stats(w->redis).dropped == 40);
    assert_int_equal(redis_get(w->redis, SLICE_LITERAL("redis_test:b"), got, w), ERR_FULL);
}

static void an_error_is_only_counted(void **state)
{
    struct world *w = *state;
    assert_int_equal(ask(w, "LPUSH redis_test:list 1"), 1);
    get(w, "redis_test:list");
    assert_false(w->known);
    assert_true(redis_stats(w->redis).failed == 1);
    assert_int_equal(ask(w, "DEL redis_test:list"), 1);
    assert_true(redis_stats(w->redis).connected);
}

static void a_broken_connection_is_made_again(void **state)
{
    struct world *w = *state;
    assert_int_equal(redis_get(w->redis, SLICE_LITERAL("redis_test:c"), got, w), 0);
    assert_true(ask(w, "CLIENT KILL TYPE normal SKIPME yes") >= 1);
    for (int i = 0; i < 5000 && redis_stats(w->redis).breaks == 0; i++)
        turn(w);
    assert_int_equal(w->answers, 1); /* answered, or told that nobody knows */
    assert_int_equal(redis_stats(w->redis).pending, 0);
    if (!redis_stats(w->redis).connected) {
        uint64_t dropped = redis_stats(w->redis).dropped;
        redis_set(w->redis, SLICE_LITERAL("redis_test:c"), SLICE_LITERAL("v"), 10);
        assert_true(redis_stats(w->redis).dropped == dropped + 1);
        assert_int_equal(redis_get(w->redis, SLICE_LITERAL("redis_test:c"), got, w),
                         ERR_UNAVAILABLE);
    }
    wait_connected(w, 2);
    redis_set(w->redis, SLICE_LITERAL("redis_test:c"), SLICE_LITERAL("again"), 10);
    assert_string_equal(get(w, "redis_test:c"), "again");
}

static void one_that_never_answers_counts_as_broken(void **state)
{
    struct world w = {.base = event_base_new()};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    char text[64];
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 5), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    (void)snprintf(text, sizeof(text), "redis://127.0.0.1:%u", ntohs(address.sin_port));
    struct redis_options options = {.url = text};
    assert_int_equal(redis_create(&w.redis, w.base, &options, NULL), 0);
    for (int i = 0; i < 8000 && redis_stats(w.redis).breaks == 0; i++)
        turn(&w);
    assert_true(redis_stats(w.redis).breaks >= 1);
    assert_false(redis_stats(w.redis).connected);
    redis_destroy(&w.redis);
    event_base_free(w.base);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(values_are_set_read_and_deleted, setup, teardown),
        cmocka_unit_test_setup_teardown(counters_add_up_and_expire, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_pending_is_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(an_error_is_only_counted, setup, teardown),
        cmocka_unit_test_setup_teardown(a_broken_connection_is_made_again, setup, teardown),
        cmocka_unit_test(one_that_never_answers_counts_as_broken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * The connection's life, one state after the other:
 *
 *   WAITING ──(back-off)──► CONNECTING ──► GREETING (AUTH, SELECT) ──► CONNECTED
 *      ▲─────────────────────────┴──────────────┴───────────────────────────┘  broken, refused, or silent for 3 s
 */
#include "redis.h"
#include "url.h"
#include <event2/event.h>
#include <hiredis/adapters/libevent.h>
#include <hiredis/async.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>

#define BACKOFF_MIN_MS  100
#define BACKOFF_MAX_MS  5000
#define WATCH_MS        1000
#define SILENT_TICKS    3 /* of the watch */
#define PENDING_DEFAULT 1000

enum state {
    WAITING,
    CONNECTING,
    GREETING,
    CONNECTED
};

struct redis {
    struct event_base *base;
    struct redis_url url;
    redisAsyncContext *context; /* NULL: WAITING */
    enum state state;
    struct event *timer; /* WAITING: to connect; else the watch */
    int backoff_ms, silent;
    bool destroyed;
    unsigned pending_limit, greetings;
    struct redis_stats stats;
};

static void set_timer(struct redis *redis, int ms)
{
    struct timeval wait = {ms / 1000, (ms % 1000) * INT64_C(1000)};
    event_add(redis->timer, &wait);
}

/* The context is gone, or goes by itself. */
static void broken(struct redis *redis)
{
    redis->context = NULL;
    redis->state = WAITING;
    if (redis->destroyed)
        return;
    redis->stats.connected = false;
    redis->stats.breaks++;
    set_timer(redis, redis->backoff_ms);
    redis->backoff_ms = (int)min_i64(2 * (int64_t)redis->backoff_ms, BACKOFF_MAX_MS);
}

static void give_up(struct redis *redis)
{
    redisAsyncContext *context = redis->context;
    broken(redis);
    if (context) {
        context->data = NULL; /* its last callbacks are not about this connection any more */
        redisAsyncFree(context);
    }
}

/* ---- requests ---- */

static void count_reply(struct redis *redis, const redisReply *reply)
{
    redis->stats.pending--;
    redis->silent = 0;
    if (reply && reply->type != REDIS_REPLY_ERROR)
        redis->stats.done++;
    else
        redis->stats.failed++;
}

static void on_done(redisAsyncContext *context, void *reply, void *user)
{
    count_reply(user, reply);
}

struct pending_get {
    struct redis *redis;
    redis_get_fn done;
    void *user;
};

static void on_got(redisAsyncContext *context, void *answer, void *user)
{
    struct pending_get get = *(struct pending_get *)user;
    const redisReply *reply = answer;
    struct redis *redis = get.redis;
    free(user);
    count_reply(redis, reply);
    if (redis->destroyed)
        return;
    bool known = reply && (reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_NIL);
    bool found = known && reply->type == REDIS_REPLY_STRING;
    get.done(get.user, found ? slice_make(reply->str, reply->len) : slice_make(NULL, 0), known);
}

static int request(struct redis *redis, redisCallbackFn *callback, void *user, int n,
                   const struct slice *words)
{
    const char *argv[6];
    size_t sizes[6];
    bool ready = redis->state == CONNECTED || redis->state == GREETING;
    if (!ready || redis->stats.pending >= redis->pending_limit) {
        redis->stats.dropped++;
        return ready ? ERR_FULL : ERR_UNAVAILABLE;
    }
    for (int i = 0; i < n; i++) {
        argv[i] = words[i].data ? (const char *)words[i].data : "";
        sizes[i] = words[i].size;
    }
    if (redisAsyncCommandArgv(redis->context, callback, user, n, argv, sizes) != REDIS_OK) {
        redis->stats.dropped++;
        return ERR_UNAVAILABLE;
    }
    redis->stats.pending++;
    return STATUS_OK;
}

void redis_set(struct redis *redis, struct slice key, struct slice value, int64_t expire_s)
{
    char seconds[24];
    (void)snprintf(seconds, sizeof(seconds), "%lld", (long long)expire_s);
    const struct slice words[] = {SLICE_LITERAL("SET"), key, value, SLICE_LITERAL("EX"),
                                  slice_str(seconds)};
    if (redis->state == CONNECTED)
        (void)request(redis, on_done, redis, expire_s > 0 ? 5 : 3, words);
    else
        redis->stats.dropped++;
}

void redis_delete(struct redis *redis, struct slice key)
{
    const struct slice words[] = {SLICE_LITERAL("DEL"), key};
    if (redis->state == CONNECTED)
        (void)request(redis, on_done, redis, 2, words);
    else
        redis->stats.dropped++;
}

int redis_get(struct redis *redis, struct slice key, redis_get_fn done, void *user)
{
    const struct slice words[] = {SLICE_LITERAL("GET"), key};
    struct pending_get *pending = malloc(sizeof(*pending));
    if (!pending || redis->state != CONNECTED) {
        redis->stats.dropped++;
        free(pending);
        return ERR_UNAVAILABLE;
    }
    *pending = (struct pending_get){redis, done, user};
    int status = request(redis, on_got, pending, 2, words);
    if (status < 0)
        free(pending);
    return status;
}

struct pending_add {
    struct redis *redis;
    redis_add_fn done;
    void *user;
};

static void on_added(redisAsyncContext *context, void *answer, void *user)
{
    struct pending_add add = *(struct pending_add *)user;
    const redisReply *reply = answer;
    struct redis *redis = add.redis;
    free(user);
    count_reply(redis, reply);
    if (redis->destroyed)
        return;
    bool known = reply && reply->type == REDIS_REPLY_INTEGER;
    add.done(add.user, known ? reply->integer : 0, known);
}

int redis_add(struct redis *redis, struct slice key, int64_t n, int64_t expire_s, redis_add_fn done,
              void *user)
{
    char number[24], seconds[24];
    struct pending_add *pending = malloc(sizeof(*pending));
    if (!pending || redis->state != CONNECTED) {
        redis->stats.dropped++;
        free(pending);
        return ERR_UNAVAILABLE;
    }
    (void)snprintf(number, sizeof(number), "%lld", (long long)n);
    (void)snprintf(seconds, sizeof(seconds), "%lld", (long long)expire_s);
    const struct slice add[] = {SLICE_LITERAL("INCRBY"), key, slice_str(number)};
    const struct slice expire[] = {SLICE_LITERAL("EXPIRE"), key, slice_str(seconds)};
    *pending = (struct pending_add){redis, done, user};
    int status = request(redis, on_added, pending, 3, add);
    if (status < 0)
        free(pending);
    else
        (void)request(redis, on_done, redis, 3, expire);
    return status;
}

/* ---- connecting ---- */

static void on_greeted(redisAsyncContext *context, void *answer, void *user)
{
    struct redis *redis = user;
    const redisReply *reply = answer;
    count_reply(redis, reply);
    if (!reply || redis->context != context || redis->state != GREETING)
        return; /* it is going */
    if (reply->type == REDIS_REPLY_ERROR) {
        redisAsyncDisconnect(context); /* a wrong password: later, perhaps */
        return;
    }
    if (--redis->greetings)
        return;
    redis->state = CONNECTED;
    redis->stats.connected = true;
    redis->stats.connects++;
    redis->backoff_ms = BACKOFF_MIN_MS;
}

/* Always at least one question: a port that accepts is not yet a Redis. */
static void greet(struct redis *redis)
{
    char database[16];
    (void)snprintf(database, sizeof(database), "%d", redis->url.database);
    struct slice auth[] = {SLICE_LITERAL("AUTH"), slice_str(redis->url.user),
                           slice_str(redis->url.password)};
    const struct slice choose[] = {SLICE_LITERAL("SELECT"), slice_str(database)};
    redis->state = GREETING;
    redis->greetings = 1;
    if (redis->url.password[0]) {
        redis->greetings++;
        if (!redis->url.user[0])
            auth[1] = auth[2];
        (void)request(redis, on_greeted, redis, redis->url.user[0] ? 3 : 2, auth);
    }
    (void)request(redis, on_greeted, redis, 2, choose);
}

static void on_connect(const redisAsyncContext *context, int status)
{
    struct redis *redis = context->data;
    if (!redis || redis->context != context)
        return;
    if (status != REDIS_OK)
        broken(redis); /* hiredis frees the context after this */
    else
        greet(redis);
}

static void on_disconnect(const redisAsyncContext *context, int status)
{
    struct redis *redis = context->data;
    if (redis && redis->context == context)
        broken(redis);
}

static void connect_now(struct redis *redis)
{
    redisAsyncContext *context = redisAsyncConnect(redis->url.host, redis->url.port);
    redis->context = context;
    redis->silent = 0;
    if (!context || context->err || redisLibeventAttach(context, redis->base) != REDIS_OK) {
        give_up(redis);
        return;
    }
    context->data = redis;
    redis->state = CONNECTING;
    redisAsyncSetConnectCallback(context, on_connect);
    redisAsyncSetDisconnectCallback(context, on_disconnect);
    set_timer(redis, WATCH_MS);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct redis *redis = arg;
    if (redis->state == WAITING) {
        connect_now(redis);
        return;
    }
    bool waits = redis->state != CONNECTED || redis->stats.pending > 0;
    redis->silent = waits ? redis->silent + 1 : 0;
    if (redis->silent >= SILENT_TICKS)
        give_up(redis);
    else
        set_timer(redis, WATCH_MS);
}

int redis_create(struct redis **out, struct event_base *base, const struct redis_options *options,
                 struct err *err)
{
    struct redis_url url;
    int status = redis_url_parse(&url, options->url, err);
    if (status < 0)
        return status;
    struct redis *redis = calloc(1, sizeof(*redis));
    struct event *timer = redis ? event_new(base, -1, 0, on_timer, redis) : NULL;
    if (!timer) {
        free(redis);
        return err_set(err, ERR_NO_MEMORY, ERR_CLASS_FATAL, "no memory for a Redis connection");
    }
    redis->base = base;
    redis->url = url;
    redis->timer = timer;
    redis->backoff_ms = BACKOFF_MIN_MS;
    redis->pending_limit = options->pending_limit ? options->pending_limit : PENDING_DEFAULT;
    set_timer(redis, 0);
    *out = redis;
    return STATUS_OK;
}

void redis_destroy(struct redis **out)
{
    struct redis *redis = *out;
    if (!redis)
        return;
    *out = NULL;
    redis->destroyed = true;
    if (redis->context)
        give_up(redis);
    event_free(redis->timer);
    free(redis);
}

struct redis_stats redis_stats(const struct redis *redis)
{
    return redis->stats;
}

/* Bringing a stream service up, step by step, and its tables' maintenance. */
#include "app.h"
#include "redis.h"
#include <stdio.h>

/* the narrowest of what is made ahead is a range of 50,000 commits: minutes, at the highest rate */
#define MAINTAIN_EVERY_US MINUTE_US

void app_wait(struct event *event, int64_t us)
{
    us = max_i64(us, 0);
    struct timeval wait = {us / SECOND_US, us % SECOND_US};
    event_add(event, &wait);
}

static void retry_later(struct app *app, const char *what, const struct err *err)
{
    char text[300];
    (void)snprintf(app->missing, sizeof(app->missing), "%s: %s", what, err->message);
    log_event(LOG_WARN, "waiting", NULL, "\"for\":\"%s\",\"error\":\"%s\",\"retry_ms\":%lld", what,
              log_escape(text, sizeof(text), err->message), (long long)app->backoff_us / 1000);
    app_wait(app->retry, app->backoff_us);
    app->backoff_us = min_i64(2 * app->backoff_us, BACKOFF_MAX_US);
}

static void observe(void *user, enum log_level level, const char *event, const char *fields)
{
    log_event(level, event, NULL, "%s", fields ? fields : "");
}

static void cache(void *user, struct slice key, struct slice value, int64_t seconds)
{
    struct app *app = user;
    if (value.data)
        redis_set(app->redis, key, value, seconds);
    else
        redis_delete(app->redis, key);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct app *app = arg;
    bus_drain_fd(app->bus);
    app->step = true;
}

struct store_pg_options app_store_options(const struct app *app)
{
    return (struct store_pg_options){
        .url = app->config.database_url,
        .schema = app->service->schema,
        .role = app->role,
        .application_name = app->service->name,
        .tables = app->tables,
        .n_tables = app->n_tables,
        .statement_timeout_ms = 10000,
    };
}

static int create_bus(struct app *app, struct err *err)
{
    const struct stream_service *service = app->service;
    int topics[2 * TOPIC_COUNT + 1];
    unsigned n = 0;
    for (unsigned i = 0; i < service->n_publishes && n < TOPIC_COUNT; i++)
        topics[n++] = service->publishes[i];
    topics[n++] = TOPIC_REPLIES;
    for (unsigned i = 0; i < service->n_inputs && n < ARRAY_SIZE(topics); i++)
        topics[n++] = topic_dlq(service->inputs[i].topic);
    struct bus_kafka_options options = {
        .brokers = app->config.brokers,
        .client_id = service->name,
        .prefix = app->config.prefix,
        .partitions = (int32_t)app->config.partitions,
        .send_topics = topics,
        .n_send_topics = n,
    };
    return bus_kafka_create(&app->bus, &options, err);
}

int app_create_stream(struct app *app, struct bus *bus, struct store *store, struct err *err)
{
    struct stream_options options = {
        .bus = bus,
        .store = store,
        .clock = clock_system(),
        .metrics = service_process_metrics(app->process),
        .generation = app->config.generation,
        .cache_bytes = (size_t)app->config.cache_mb << 20,
        .user = app,
        .observe = observe,
        .cache = app->redis ? cache : NULL,
    };
    return stream_create(&app->stream, app->service, &options, err);
}

/* Store, bus and stream, each unless it is there already. */
static int connect_all(struct app *app, const char **what, struct err *err)
{
    struct event_base *base = service_process_base(app->process);
    struct store_pg_options options = app_store_options(app);
    int status = STATUS_OK;
    *what = "postgres";
    if (!app->store)
        status = store_pg_create(&app->store, base, &options, err);
    if (status)
        return status;
    *what = "kafka";
    if (!app->bus)
        status = create_bus(app, err);
    if (status)
        return status;
    int fd = bus_fd(app->bus);
    if (!app->readable && fd >= 0)
        app->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, app);
    if (fd >= 0 && (!app->readable || event_add(app->readable, NULL) != 0))
        return err_set(err, ERR_NO_MEMORY, ERR_CLASS_FATAL, "cannot wait for the bus");
    *what = "redis";
    struct redis_options redis = {.url = app->config.redis_url};
    if (!app->redis)
        status = redis_create(&app->redis, base, &redis, err);
    if (status)
        return status;
    *what = "stream";
    return app_create_stream(app, app->bus, app->store, err);
}

void app_go_on(struct app *app)
{
    struct err err = {0};
    const char *what = "";
    if (app->state == APP_MAINTAIN) {
        service_maintain_start(app->maintain);
        return;
    }
    if (connect_all(app, &what, &err) == 0) {
        app->state = APP_RUN;
        app->step = true;
        app->missing[0] = 0;
    } else if (err.class == ERR_CLASS_TRANSIENT) {
        retry_later(app, what, &err);
    } else {
        char text[300];
        log_event(LOG_ERROR, "cannot_start", NULL, "\"what\":\"%s\",\"error\":\"%s\"", what,
                  log_escape(text, sizeof(text), err.message));
        service_process_stop(app->process, 1);
    }
}

/* Whatever keeps the tables from being ready (no server, no schema yet) may pass by itself. */
void app_maintained(void *user, const char *what, const struct err *err, const char *report)
{
    struct app *app = user;
    char text[1000];
    if (report[0])
        log_event(LOG_INFO, "tables_maintained", NULL, "\"report\":\"%s\"",
                  log_escape(text, sizeof(text), report));
    if (err && app->state == APP_MAINTAIN) {
        retry_later(app, what, err);
        return;
    }
    if (err)
        log_event(LOG_ERROR, "maintenance_failed", NULL, "\"error\":\"%s\"",
                  log_escape(text, sizeof(text), err->message));
    app_wait(app->maintain_again, MAINTAIN_EVERY_US);
    if (app->state != APP_MAINTAIN)
        return;
    app->state = APP_CONNECT;
    app->backoff_us = BACKOFF_MIN_US;
    app_go_on(app);
}

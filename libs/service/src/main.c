/*
 * A stream service as a process. The loop runs from the first moment (so /livez answers and /readyz
 * says what is missing), and what needs Postgres or Kafka is set up in steps, each tried again with
 * back-off until it works:
 *
 *   MAINTAIN (a broker, partitions of its tables) ──► CONNECT (store, bus, stream) ──► RUN
 *
 *   bus fd readable ─┐
 *   store is done ───┼─► turn(): stream_step(), which says when it wants to be called again
 *   timer ───────────┘
 */
#include "app.h"
#include "redis.h"
#include <stdio.h>

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
    app_go_on(arg);
}

static void on_maintain_again(evutil_socket_t fd, short what, void *arg)
{
    struct app *app = arg;
    service_maintain_start(app->maintain);
}

static void on_step_at(evutil_socket_t fd, short what, void *arg)
{
    struct app *app = arg;
    app->step = true;
}

/* ---- running: the process' hooks ---- */

static bool ready(void *user, const char **why)
{
    struct app *app = user;
    if (app->state != APP_RUN) {
        *why = app->missing[0] ? app->missing : "starting";
        return false;
    }
    if (!store_ready(app->store)) {
        *why = "postgres: not connected";
        return false;
    }
    return stream_ready(app->stream, why);
}

static void turn(void *user)
{
    struct app *app = user;
    if (!app->stream || !(app->step || stream_wants_step(app->stream)))
        return;
    app->step = false;
    int64_t again_us = stream_step(app->stream);
    struct clock *clock = clock_system();
    app_wait(app->step_at, min_i64(again_us - clock->now_us(clock), MINUTE_US));
}

static void drain(void *user)
{
    struct app *app = user;
    if (app->stream)
        stream_drain(app->stream);
    app->step = true;
}

static bool drained(void *user)
{
    struct app *app = user;
    return !app->stream || stream_drained(app->stream);
}

/* ---- its beginning and end ---- */

/* With -s nothing is connected: the stream on twins registers its series all the same. */
static int list_on_twins(struct app *app, struct err *err)
{
    struct bus_mem_cluster *cluster = bus_mem_cluster_create(1);
    struct store_mem_db *db = store_mem_db_create();
    struct bus *bus = cluster ? bus_mem_create(cluster) : NULL;
    struct store *store = db ? store_mem_create(db, app->tables, app->n_tables) : NULL;
    int status = ERR_NO_MEMORY;
    if (bus && store)
        status = app_create_stream(app, bus, store, err);
    if (status == 0)
        (void)service_process_run(app->process);
    store_destroy(&store);
    stream_destroy(&app->stream);
    bus_destroy(&bus);
    store_mem_db_destroy(&db);
    bus_mem_cluster_destroy(&cluster);
    return status;
}

static int app_setup(struct app *app, struct err *err)
{
    static const struct service_hooks hooks = {
        .ready = ready, .drain = drain, .drained = drained, .turn = turn};
    struct service_hooks own = hooks;
    own.user = app;
    int status = service_process_create(&app->process, app->service->name, &app->config, &own, err);
    if (status)
        return status;
    app->n_tables = stream_tables(app->service, app->tables, SERVICE_MAX_TABLES);
    (void)snprintf(app->role, sizeof(app->role), "journey_%s", app->service->schema);
    app->backoff_us = BACKOFF_MIN_US;
    if (app->config.list_metrics)
        return list_on_twins(app, err);
    struct event_base *base = service_process_base(app->process);
    app->step_at = event_new(base, -1, 0, on_step_at, app);
    app->retry = event_new(base, -1, 0, on_retry, app);
    app->maintain_again = event_new(base, -1, 0, on_maintain_again, app);
    if (!app->step_at || !app->retry || !app->maintain_again)
        return err_set(err, ERR_NO_MEMORY, ERR_CLASS_FATAL, "no memory for timers");
    struct store_pg_options options = app_store_options(app);
    status = service_maintain_create(&app->maintain, base, &options, app->config.brokers,
                                     app_maintained, app, err);
    if (!status)
        app_go_on(app);
    return status;
}

static void app_teardown(struct app *app)
{
    struct event *events[] = {app->step_at, app->retry, app->maintain_again, app->readable};
    for (size_t i = 0; i < ARRAY_SIZE(events); i++) {
        if (events[i])
            event_free(events[i]);
    }
    store_destroy(&app->store); /* its requests are the stream's memory */
    stream_destroy(&app->stream);
    bus_destroy(&app->bus);
    redis_destroy(&app->redis);
    service_maintain_destroy(&app->maintain);
    service_process_destroy(&app->process);
}

int service_main(int argc, char **argv, const struct stream_service *service,
                 const struct service_own *own)
{
    static const struct service_own none;
    struct app app = {.service = service};
    struct err err = {0};
    own = own ? own : &none;
    int status = service_configure(argc, argv, service->name, &app.config, own->config,
                                   own->options, own->n_options);
    if (status >= 0)
        return status;
    if (app_setup(&app, &err) < 0 ||
        (own->setup && !app.config.list_metrics && own->setup(own->config, &err) < 0)) {
        (void)fprintf(stderr, "%s: %s\n", service->name, err.message);
        status = 1;
    } else {
        status = app.config.list_metrics ? 0 : service_process_run(app.process);
    }
    app_teardown(&app);
    if (own->teardown)
        own->teardown();
    return status;
}

/*
 * gateway: HTTP in, events and commands out, and the answers back. Set up in order, one loop, torn down in reverse;
 * every step of the teardown survives what was not made.
 */
#include "broker.h"
#include "gateway.h"
#include "identifiers.h"
#include "keys.h"
#include "redis.h"
#include "service.h"
#include "vault.h"

#define ROW(...) CONFIG_ROW(struct gateway_options, __VA_ARGS__)
static const struct config_option gateway_options[] = {GATEWAY_OPTIONS(ROW)};
#undef ROW

struct app {
    struct service_config config;
    struct gateway_options options;
    struct service_process *process;
    struct bus *bus;
    struct store *store;
    struct redis *redis;
    struct gateway *gateway;
};

static bool on_ready(void *user, const char **why)
{
    struct app *app = user;
    *why = "starting";
    return app->gateway && gateway_ready(app->gateway, why);
}

static void on_drain(void *user)
{
    gateway_drain(((struct app *)user)->gateway);
}

static bool on_drained(void *user)
{
    return gateway_drained(((struct app *)user)->gateway);
}

/* Of the worker's thread. */
static int open_reader(void *user, struct bus **bus, struct err *err)
{
    const struct app *app = user;
    const struct bus_kafka_options kafka = {.brokers = app->config.brokers,
                                            .client_id = "gateway-reader",
                                            .prefix = app->config.prefix,
                                            .partitions = (int32_t)app->config.partitions};
    return bus_kafka_create(bus, &kafka, err);
}

static int set_up(struct app *app, struct err *err)
{
    const struct service_hooks hooks = {app, on_ready, on_drain, on_drained, NULL};
    const struct bus_kafka_options kafka = {.brokers = app->config.brokers,
                                            .client_id = "gateway",
                                            .prefix = app->config.prefix,
                                            .partitions = (int32_t)app->config.partitions,
                                            .delivery_timeout_ms = (int)app->options.delivery_ms,
                                            .linger_ms = (int)app->options.linger_ms,
                                            .send_queue_bytes = (size_t)app->options.send_queue_mb
                                                                << 20,
                                            .send_topics = broker_send_topics,
                                            .n_send_topics = n_broker_send_topics};
    const struct store_pg_options pg = {.url = app->config.database_url,
                                        .schema = KEYS_SCHEMA,
                                        .role = KEYS_ROLE,
                                        .application_name = "gateway",
                                        .tables = gateway_tables,
                                        .n_tables = n_gateway_tables};
    const struct redis_options redis = {.url = app->config.redis_url};
    int r = service_process_create(&app->process, "gateway", &app->config, &hooks, err);
    struct event_base *base = r < 0 ? NULL : service_process_base(app->process);
    if (r >= 0 && app->config.list_metrics)
        return gateway_describe(service_process_metrics(app->process), err);
    if (r >= 0)
        r = bus_kafka_create(&app->bus, &kafka, err);
    if (r >= 0)
        r = store_pg_create(&app->store, base, &pg, err);
    if (r >= 0)
        r = redis_create(&app->redis, base, &redis, err);
    if (r < 0)
        return r;
    const struct gateway_world world = {base,
                                        app->bus,
                                        app->store,
                                        service_process_metrics(app->process),
                                        clock_system(),
                                        entropy_system(),
                                        app->config.instance,
                                        open_reader,
                                        app,
                                        app->config.database_url,
                                        false,
                                        app->redis};
    return gateway_create(&app->gateway, &world, &app->options, err);
}

static void tear_down(struct app *app)
{
    store_destroy(&app->store); /* before the gateway, which frees the look-ups under way */
    redis_destroy(&app->redis);
    gateway_destroy(&app->gateway);
    bus_destroy(&app->bus);
    service_process_destroy(&app->process);
}

int main(int argc, char **argv)
{
    struct app app = {.process = NULL};
    struct err err = {0};
    char text[300];
    int status = service_configure(argc, argv, "gateway", &app.config, &app.options,
                                   gateway_options, ARRAY_SIZE(gateway_options));
    if (status >= 0)
        return status;
    if (set_up(&app, &err) < 0) {
        log_event(LOG_ERROR, "start_failed", NULL, "\"code\":\"%s\",\"message\":\"%s\"",
                  status_name(err.code), log_escape(text, sizeof(text), err.message));
        status = 1;
    } else {
        status = service_process_run(app.process);
    }
    tear_down(&app);
    return status;
}

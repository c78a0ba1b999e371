#include "stats.h"
#include "routes.h"

#include <stdio.h>
#include <stdlib.h>

#define CLASSES 4 /* 2xx .. 5xx */

/* Rows of one name share them. */
struct route_stats {
    struct metric *answers[CLASSES], *seconds;
};

static struct metric *counter(struct gateway *gateway, enum metric_type type, const char *name,
                              const char *help)
{
    return metrics_add(gateway->world.metrics, type, name, NULL, help, NULL, 0);
}

static void add_route(struct gateway *gateway, unsigned row)
{
    struct route_stats *stats = &gateway->stats.routes[row];
    char labels[120];
    for (unsigned i = 0; i < row; i++) {
        if (strcmp(routes[i].name, routes[row].name) == 0) {
            *stats = gateway->stats.routes[i];
            return;
        }
    }
    for (int c = 0; c < CLASSES; c++) {
        (void)snprintf(labels, sizeof(labels), "route=\"%s\",code=\"%dxx\"", routes[row].name,
                       c + 2);
        stats->answers[c] =
            metrics_add(gateway->world.metrics, METRIC_COUNTER, "gateway_requests_total", labels,
                        "Requests answered", NULL, 0);
    }
    (void)snprintf(labels, sizeof(labels), "route=\"%s\"", routes[row].name);
    stats->seconds =
        metrics_add(gateway->world.metrics, METRIC_HISTOGRAM, "gateway_request_seconds", labels,
                    "From a request's arrival to its answer", metric_latency_bounds_s,
                    ARRAY_SIZE(metric_latency_bounds_s));
}

int stats_create(struct gateway *gateway, struct err *err)
{
    struct gateway_stats *s = &gateway->stats;
    s->routes = calloc(n_routes, sizeof(*s->routes));
    if (!s->routes)
        return err_set(err, ERR_NO_MEMORY, ERR_CLASS_FATAL, "no memory for metrics");
    for (unsigned i = 0; i < n_routes; i++)
        add_route(gateway, i);
    s->open = counter(gateway, METRIC_GAUGE, "gateway_open_requests", "Requests under way");
    s->refused = counter(gateway, METRIC_COUNTER, "gateway_refused_total",
                         "Requests refused because too many were open");
    s->events = counter(gateway, METRIC_COUNTER, "gateway_events_total",
                        "Events that the log has and that were acknowledged");
    s->dead_events = counter(gateway, METRIC_COUNTER, "gateway_dead_events_total",
                             "Events of batches that were put aside as dead letters");
    s->produce_errors = counter(gateway, METRIC_COUNTER, "gateway_produce_errors_total",
                                "Requests answered 503 because Kafka did not take them");
    s->late_parts =
        counter(gateway, METRIC_COUNTER, "gateway_late_parts_total",
                "Answers without an optional part, or without an essential one in time");
    s->late_replies = counter(gateway, METRIC_COUNTER, "gateway_late_replies_total",
                              "Replies to requests that had been answered");
    s->strangers = counter(gateway, METRIC_COUNTER, "gateway_stranger_replies_total",
                           "Replies to other gateways on the same partition");
    s->key_loads = counter(gateway, METRIC_COUNTER, "gateway_key_lookups_total",
                           "Keys looked up in the database");
    s->vault_keys =
        counter(gateway, METRIC_GAUGE, "gateway_vault_keys", "Subjects' keys in memory");
    s->vault_calls = counter(gateway, METRIC_COUNTER, "gateway_vault_calls_total",
                             "Questions to the vault, each for many subjects");
    s->vault_subjects =
        counter(gateway, METRIC_COUNTER, "gateway_vault_subjects_total", "Subjects asked for");
    s->vault_faults = counter(gateway, METRIC_COUNTER, "gateway_vault_faults_total",
                              "Questions that failed, and keys that the master key does not open");
    s->vault_full = counter(gateway, METRIC_COUNTER, "gateway_vault_full_total",
                            "Requests answered 503 because too many subjects were waited for");
    return 0;
}

void stats_destroy(struct gateway *gateway)
{
    free(gateway->stats.routes);
    gateway->stats.routes = NULL;
}

void stats_answer(struct gateway *gateway, const struct route *route, int status,
                  int64_t duration_us)
{
    struct route_stats *stats = &gateway->stats.routes[route - routes];
    int c = status / 100 - 2;
    if (c >= 0 && c < CLASSES)
        metric_inc(stats->answers[c], 1);
    if (stats->seconds)
        metric_observe(stats->seconds, (double)duration_us / 1e6);
}

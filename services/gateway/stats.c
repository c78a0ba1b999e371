#include "stats.h"
#include "routes.h"

#include <stdio.h>
#include <stdlib.h>

#define CLASSES 4 /* 2xx .. 5xx */

static const char *const refusals[GATEWAY_REFUSALS] = {
#define ROW(id, reason) [GATEWAY_REFUSED_##id] = (reason),
    GATEWAY_REFUSAL_TABLE(ROW)
#undef ROW
};

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

static struct metric *refusal(struct gateway *gateway, const char *reason)
{
    char labels[60];
    (void)snprintf(labels, sizeof(labels), "reason=\"%s\"", reason);
    return metrics_add(gateway->world.metrics, METRIC_COUNTER, "gateway_refused_total", labels,
                       "Requests and connections refused before they were looked into", NULL, 0);
}

static void add_refusals(struct gateway *gateway)
{
    struct gateway_stats *s = &gateway->stats;
    for (int i = 0; i < GATEWAY_REFUSALS; i++)
        s->refused[i] = refusal(gateway, refusals[i]);
    for (int i = 0; i < HTTP_REFUSALS; i++)
        s->http_refused[i] = refusal(gateway, http_refusal_name((enum http_refusal)i));
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
    add_refusals(gateway);
    s->connections = counter(gateway, METRIC_GAUGE, "gateway_connections", "Open connections");
    s->bytes = counter(gateway, METRIC_GAUGE, "gateway_request_bytes",
                       "Memory of connections and of requests under way");
    s->unconfirmed = counter(gateway, METRIC_GAUGE, "gateway_unconfirmed_bytes",
                             "Sent to Kafka and not confirmed yet");
    s->behind = counter(gateway, METRIC_GAUGE, "gateway_kafka_behind",
                        "1: Kafka does not keep up, requests that need it are refused");
    s->buckets = counter(gateway, METRIC_GAUGE, "gateway_rate_buckets",
                         "Keys and addresses whose rate is being counted");
    s->buckets_forgotten =
        counter(gateway, METRIC_COUNTER, "gateway_rate_buckets_forgotten_total",
                "Keys and addresses that were no longer counted too early, as the table was full");
    s->rates_shared =
        counter(gateway, METRIC_GAUGE, "gateway_rates_shared",
                "1: rates are counted over all gateways, 0: Redis is away, in this one alone");
    s->events = counter(gateway, METRIC_COUNTER, "gateway_events_total",
                        "Events that the log has and that were acknowledged");
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
    char labels[BUS_LABELS_SIZE];
    bus_dead_letter_labels(labels, TOPIC_EVENTS, "too_large"); /* so that `-s` shows the name */
    metrics_count(gateway->world.metrics, BUS_DEAD_LETTERS_METRIC, BUS_DEAD_LETTERS_HELP, labels,
                  BUS_DEAD_LETTERS_OTHER, 0);
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

void stats_refused(struct gateway *gateway, enum gateway_refusal refusal)
{
    metric_inc(gateway->stats.refused[refusal], 1);
}

void stats_refresh(struct gateway *gateway)
{
    struct gateway_stats *s = &gateway->stats;
    for (int i = 0; i < HTTP_REFUSALS; i++)
        metric_set(s->http_refused[i],
                   (double)http_server_refused(gateway->server, (enum http_refusal)i));
    metric_set(s->connections, http_server_connections(gateway->server));
    metric_set(s->bytes, (double)http_server_bytes(gateway->server));
    metric_set(s->unconfirmed, (double)bus_unreported_bytes(gateway->world.bus));
    metric_set(s->behind, gateway->pressure.behind);
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

void stats_dead_letter(struct gateway *gateway, int topic, const char *code)
{
    char labels[BUS_LABELS_SIZE];
    bus_dead_letter_labels(labels, topic, code);
    metrics_count(gateway->world.metrics, BUS_DEAD_LETTERS_METRIC, BUS_DEAD_LETTERS_HELP, labels,
                  BUS_DEAD_LETTERS_OTHER, 1);
}

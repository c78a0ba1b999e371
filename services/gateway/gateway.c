#include "gateway.h"
#include "broker.h"
#include "domain/mask.h"
#include "identifiers.h"
#include "keys.h"
#include "rates.h"
#include "serve.h"
#include "stats.h"
#include "vault.h"
#include "worker.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>

#include <sys/resource.h>

/* Over every route's limit, so that bodies between the two get the route's own answer. */
const struct store_table *const gateway_tables[] = {
    &keys_table, &organizations_table, &settings_table, &vault_table, &audit_logs_table};
const unsigned n_gateway_tables = ARRAY_SIZE(gateway_tables);

#define HTTP_BODY_BYTES   1000000
#define HTTP_HEADER_BYTES 16384
#define MAX_QUESTIONS     4   /* that wait for the worker */
#define OTHER_DESCRIPTORS 256 /* brokers, database, pipes, logs */

static const struct gw_key_cache_limits key_limits = {.known = 9000,
                                                      .unknown = 1000,
                                                      .known_us = 10 * SECOND_US,
                                                      .unknown_us = 2 * SECOND_US,
                                                      .again_us = SECOND_US,
                                                      .stale_us = MINUTE_US};

/* Names that no other process has: replies of an earlier life of this one are strangers' too. */
static void name_incarnation(struct gateway *gateway)
{
    uint8_t random[8];
    struct entropy *entropy = gateway->world.entropy;
    entropy->fill(entropy, random, sizeof(random));
    hex_format(gateway->incarnation, random, sizeof(random));
    int32_t partition =
        topic_partition(slice_make(gateway->incarnation, 16), bus_partitions(gateway->world.bus));
    (void)snprintf(gateway->reply_partition, sizeof(gateway->reply_partition), "%d", partition);
    (void)snprintf(gateway->source, sizeof(gateway->source), "/journey/gateway/%s",
                   gateway->world.instance);
}

/* A descriptor for every connection that is allowed, if the system lets us; else the server refuses earlier. */
static void raise_descriptors(int64_t connections)
{
    struct rlimit limit;
    rlim_t wanted = (rlim_t)connections + OTHER_DESCRIPTORS;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= wanted)
        return;
    limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static int listen_http(struct gateway *gateway, struct err *err)
{
    struct http_server_options options = {
        .address = gateway->options.http_address,
        .port = (uint16_t)gateway->options.http_port,
        .header_limit = HTTP_HEADER_BYTES,
        .body_limit = HTTP_BODY_BYTES,
        .timeout_s = (int)gateway->options.http_timeout_s,
        .connection_limit = (unsigned)gateway->options.http_connections,
        .memory_limit = (size_t)gateway->options.request_mb << 20,
        .user = gateway,
        .handle = serve_request,
        .refused = serve_refused,
    };
    if (!gateway->options.trusted_proxies) /* else all connections are the proxies' */
        options.address_connection_limit = (unsigned)gateway->options.http_address_connections;
    raise_descriptors(gateway->options.http_connections);
    return http_server_create(&gateway->server, gateway->world.base, &options, err);
}

static int start_worker(struct gateway *gateway, struct err *err)
{
    const struct worker_options options = {.open_bus = gateway->world.open_bus,
                                           .user = gateway->world.open_bus_user,
                                           .database_url = gateway->world.database_url,
                                           .max_waiting = MAX_QUESTIONS,
                                           .inside = gateway->world.worker_inside};
    return worker_create(&gateway->worker, gateway->world.base, &options, err);
}

static bool read_tables(struct gateway *gateway)
{
    gateway->tables = arena_create((size_t)GW_CLIENT_COUNT * 32768);
    if (!gateway->tables)
        return false;
    for (int i = 0; i < GW_CLIENT_COUNT; i++)
        gateway->forms[i] = gw_form_index(gw_clients[i].form, gateway->tables);
    return !arena_overflowed(gateway->tables);
}

static void on_second(evutil_socket_t fd, short what, void *user)
{
    struct gateway *gateway = user;
    rates_share(gateway);
    stats_refresh(gateway);
}

static int start_second(struct gateway *gateway, struct err *err)
{
    const struct timeval second = {1, 0};
    gateway->second = event_new(gateway->world.base, -1, EV_PERSIST, on_second, gateway);
    if (!gateway->second || event_add(gateway->second, &second) < 0)
        return err_set(err, ERR_INTERNAL, ERR_CLASS_FATAL, "cannot set a timer");
    return 0;
}

static int set_up(struct gateway *gateway, struct err *err)
{
    gateway->exchanges = slots_create((unsigned)gateway->options.open_requests);
    gateway->keys = gw_key_cache_create(&key_limits);
    if (!gateway->exchanges || !gateway->keys || !read_tables(gateway))
        return err_set(err, ERR_NO_MEMORY, ERR_CLASS_FATAL, "no memory for the gateway");
    int r = stats_create(gateway, err);
    if (r >= 0)
        r = vault_create(gateway, err);
    if (r >= 0)
        r = gw_masker_create(&gateway->masker, err);
    if (r >= 0)
        r = broker_create(gateway, err);
    if (r >= 0)
        r = start_worker(gateway, err);
    if (r >= 0)
        r = rates_create(gateway, err);
    if (r >= 0)
        r = start_second(gateway, err);
    if (r >= 0)
        r = listen_http(gateway, err);
    return r;
}

int gateway_create(struct gateway **out, const struct gateway_world *world,
                   const struct gateway_options *options, struct err *err)
{
    struct gateway *gateway = calloc(1, sizeof(*gateway));
    if (!gateway)
        return err_set(err, ERR_NO_MEMORY, ERR_CLASS_FATAL, "no memory for the gateway");
    gateway->world = *world;
    gateway->options = *options;
    name_incarnation(gateway);
    int r = set_up(gateway, err);
    if (r < 0) {
        gateway_destroy(&gateway);
        return r;
    }
    log_event(LOG_INFO, "listening", NULL, "\"port\":%u", http_server_port(gateway->server));
    *out = gateway;
    return 0;
}

int gateway_describe(struct metrics *metrics, struct err *err)
{
    struct gateway gateway = {.world = {.metrics = metrics}};
    int r = stats_create(&gateway, err);
    stats_destroy(&gateway);
    return r;
}

/* The store and the bus must be gone or silent: what they still held is freed here. */
void gateway_destroy(struct gateway **out)
{
    struct gateway *gateway = *out;
    if (!gateway)
        return;
    worker_destroy(&gateway->worker);
    if (gateway->second)
        event_free(gateway->second);
    broker_destroy(gateway);
    rates_destroy(gateway);
    http_server_destroy(&gateway->server);
    keys_destroy(gateway);
    vault_destroy(gateway);
    identifiers_destroy(gateway);
    slots_destroy(&gateway->exchanges);
    stats_destroy(gateway);
    gw_masker_destroy(&gateway->masker);
    arena_destroy(&gateway->tables);
    free(gateway);
    *out = NULL;
}

bool gateway_ready(struct gateway *gateway, const char **why)
{
    gateway->store_seen = gateway->store_seen || store_ready(gateway->world.store);
    if (gateway->draining)
        *why = "draining";
    else if (!gateway->replies_started)
        *why = "replies are not read yet";
    else if (!gateway->store_seen)
        *why = "keys cannot be checked yet";
    else
        return true;
    return false;
}

void gateway_drain(struct gateway *gateway)
{
    gateway->draining = true;
    http_server_stop_accepting(gateway->server);
}

bool gateway_drained(struct gateway *gateway)
{
    return http_server_open_requests(gateway->server) == 0 &&
           bus_unreported(gateway->world.bus) == 0;
}

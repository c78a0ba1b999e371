#include "gateway.h"
#include "broker.h"
#include "identifiers.h"
#include "keys.h"
#include "serve.h"
#include "stats.h"
#include "vault.h"

#include <stdio.h>
#include <stdlib.h>

#include <sys/resource.h>

/* Over every route's limit, so that bodies between the two get the route's own answer. */
#define HTTP_BODY_BYTES   1000000
#define HTTP_HEADER_BYTES 16384
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
        .user = gateway,
        .handle = serve_request,
    };
    raise_descriptors(gateway->options.http_connections);
    return http_server_create(&gateway->server, gateway->world.base, &options, err);
}

static int set_up(struct gateway *gateway, struct err *err)
{
    gateway->exchanges = slots_create((unsigned)gateway->options.open_requests);
    gateway->keys = gw_key_cache_create(&key_limits);
    if (!gateway->exchanges || !gateway->keys)
        return err_set(err, ERR_NO_MEMORY, ERR_CLASS_FATAL, "no memory for the gateway");
    int r = stats_create(gateway, err);
    if (r >= 0)
        r = vault_create(gateway, err);
    if (r >= 0)
        r = broker_create(gateway, err);
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
    broker_destroy(gateway);
    http_server_destroy(&gateway->server);
    keys_destroy(gateway);
    vault_destroy(gateway);
    identifiers_destroy(gateway);
    slots_destroy(&gateway->exchanges);
    stats_destroy(gateway);
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

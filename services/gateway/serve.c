#include "serve.h"
#include "domain/address.h"
#include "events.h"
#include "gunzip.h"
#include "keys.h"
#include "rates.h"
#include "routes.h"
#include "stats.h"

/* Confirmations come every few milliseconds; a broker that begins to lead takes less, mostly. */
#define STALL_US SECOND_US

static void append_methods(struct buf *out, unsigned methods)
{
    static const struct {
        enum http_method method;
        const char *name;
    } names[] = {{HTTP_GET, "GET"},     {HTTP_POST, "POST"},     {HTTP_PUT, "PUT"},
                 {HTTP_PATCH, "PATCH"}, {HTTP_DELETE, "DELETE"}, {HTTP_OPTIONS, "OPTIONS"}};
    for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
        if (methods & names[i].method)
            buf_printf(out, "%s%s", out->size ? ", " : "", names[i].name);
}

/* A browser asks before it sends, or anybody asks what there is. */
static void answer_options(struct http_request *request, unsigned allowed, bool browser)
{
    _cleanup_(buf_deinit) struct buf methods = {0};
    const char *headers = http_request_header(request, "Access-Control-Request-Headers");
    append_methods(&methods, allowed | HTTP_OPTIONS);
    http_response_header(request, "Allow", (const char *)methods.data);
    if (browser && http_request_header(request, "Origin")) {
        answer_cors(request);
        http_response_header(request, "Access-Control-Allow-Methods", (const char *)methods.data);
        if (headers)
            http_response_header(request, "Access-Control-Allow-Headers", headers);
        http_response_header(request, "Access-Control-Max-Age", "86400");
    }
    answer_plain(request, 204, NULL, slice_make(NULL, 0));
}

static void answer_unrouted(struct http_request *request, unsigned allowed, bool browser)
{
    _cleanup_(buf_deinit) struct buf methods = {0};
    if (!allowed) {
        answer_problem(request, GW_PROBLEM_NOT_FOUND, NULL, NULL);
        return;
    }
    if (http_request_method(request) == HTTP_OPTIONS) {
        answer_options(request, allowed, browser);
        return;
    }
    append_methods(&methods, allowed | HTTP_OPTIONS);
    http_response_header(request, "Allow", (const char *)methods.data);
    if (browser)
        answer_cors(request);
    answer_problem(request, GW_PROBLEM_METHOD_NOT_ALLOWED, NULL, NULL);
}

/* The body as it was before gzip, whatever the headers say; false: answered. */
static bool read_body(struct exchange *exchange)
{
    struct slice body = http_request_body(exchange->request);
    size_t limit = exchange->route->body_limit;
    int r = 0;
    exchange->bytes = body;
    if (gunzip_looks_like(body))
        r = gunzip(&exchange->bytes, body, limit, exchange->arena);
    if (exchange->bytes.size > limit)
        r = ERR_TOO_LARGE;
    if (r == ERR_TOO_LARGE)
        exchange_problem(
            exchange, GW_PROBLEM_TOO_LARGE,
            arena_printf(exchange->arena, "The body may have at most %zu bytes", limit), NULL);
    else if (r < 0)
        exchange_problem(exchange, GW_PROBLEM_INVALID_REQUEST, "The body is not valid gzip", NULL);
    return r >= 0;
}

bool serve_parse(struct exchange *exchange)
{
    struct err err = {0};
    struct slice text = exchange->bytes.size ? exchange->bytes : SLICE_LITERAL("{}");
    if (exchange->body)
        return true;
    int r = json_parse(&exchange->body, text, exchange->arena, &err);
    if (r >= 0)
        return true;
    struct gw_faults faults = {.n = 0};
    gw_fault_add(&faults, "", "invalid_json", err.message);
    if (r == ERR_NO_MEMORY)
        exchange_problem(exchange, GW_PROBLEM_TOO_LARGE, NULL, NULL);
    else
        exchange_problem(exchange, GW_PROBLEM_INVALID_REQUEST, "The body is not valid JSON",
                         &faults);
    return false;
}

/* Where this kind of client puts it, beside the usual headers; then the body. false: answered. */
static bool read_client_key(struct exchange *exchange, struct slice *key)
{
    struct http_request *request = exchange->request;
    const struct gw_client *client = &gw_clients[exchange->route->client];
    for (const char *const *name = client->key_headers; !key->size && name && *name; name++)
        *key = slice_str(http_request_header(request, *name));
    for (const char *const *name = client->key_parameters; !key->size && name && *name; name++)
        *key = http_query_get(http_request_query(request), *name, exchange->arena);
    if (key->size || !exchange->route->cut)
        return true;
    if (!events_cut(exchange))
        return false;
    *key = exchange->cut->key;
    if (key->size || !exchange->cut->broken)
        return true;
    exchange_problem(exchange, GW_PROBLEM_INVALID_REQUEST, "The body is not valid JSON", NULL);
    return false;
}

#define MAX_FORWARDED 8 /* lines of X-Forwarded-For */

struct slice request_address(struct gateway *gateway, struct http_request *request)
{
    const char *lines[MAX_FORWARDED];
    const char *peer = http_request_peer(request);
    unsigned hops = (unsigned)gateway->options.trusted_proxies;
    if (!hops)
        return slice_str(peer);
    unsigned n = http_request_header_lines(request, "X-Forwarded-For", lines, MAX_FORWARDED);
    return gw_address_forwarded(lines, n, hops, peer);
}

static void answer_stranger(struct exchange *exchange, const char *detail)
{
    if (rates_admit_stranger(exchange))
        exchange_problem(exchange, GW_PROBLEM_UNAUTHORIZED, detail, NULL);
}

/* false: there is none, or none that could be one; answered. */
static bool read_key(struct exchange *exchange, struct slice *key)
{
    struct http_request *request = exchange->request;
    *key = slice_make(NULL, 0);
    if (exchange->route->flags & ROUTE_PATH_KEY)
        *key = exchange->parameters[0];
    if (!key->size)
        *key = gw_key_text(http_request_header(request, "Authorization"),
                           http_request_header(request, "X-Api-Key"), exchange->arena);
    bool of_client = exchange->route->cut || exchange->route->flags & ROUTE_CLIENT_KEY;
    if (!key->size && of_client && !read_client_key(exchange, key))
        return false;
    if (gw_key_plausible(*key))
        return true;
    answer_stranger(exchange, key->size ? "The key is not known, or is not valid any more"
                                        : "A key is needed: Authorization: Bearer KEY");
    return false;
}

/* Before the server refuses by itself, which ends the connection. false: answered. */
static bool admit_memory(struct exchange *exchange)
{
    struct gateway *gateway = exchange->gateway;
    size_t limit = (size_t)gateway->options.request_mb << 20;
    if (http_server_bytes(gateway->server) <= limit / 4 * 3)
        return true;
    stats_refused(gateway, GATEWAY_REFUSED_REQUEST_MEMORY);
    exchange_problem(exchange, GW_PROBLEM_UNAVAILABLE, "Too much is under way", NULL);
    return false;
}

void serve_authorised(struct exchange *exchange, const struct gw_key *key)
{
    exchange->key = *key;
    bool expired = key->known && key->expires_us != TIME_NONE &&
                   key->expires_us <= gateway_now(exchange->gateway);
    if (!key->known || expired)
        answer_stranger(exchange, "The key is not known, or is not valid any more");
    else if (!rates_admit(exchange) || !admit_memory(exchange))
        return; /* a key that many waited for: all of them go on at once */
    else if (!(exchange->route->keys & key->kind))
        exchange_problem(exchange, GW_PROBLEM_FORBIDDEN,
                         exchange->key.kind == GW_KEY_WRITE ? "This needs a secret key"
                                                            : "This key may not do that",
                         NULL);
    else
        exchange->route->run(exchange);
}

/* What goes to Kafka waits outside while Kafka is behind. false: answered. */
static bool admit_load(struct exchange *exchange)
{
    struct gateway *gateway = exchange->gateway;
    struct bus *bus = gateway->world.bus;
    size_t most = (size_t)gateway->options.send_queue_mb << 20;
    const struct gw_pressure_limits limits = {most / 4 * 3, most / 4, STALL_US};
    if (!exchange->route->cut && !exchange->route->build)
        return true;
    if (gw_pressure_admit(&gateway->pressure, &limits, bus_unreported(bus),
                          bus_unreported_bytes(bus), exchange->started_us))
        return true;
    stats_refused(gateway, GATEWAY_REFUSED_KAFKA_BEHIND);
    exchange_problem(exchange, GW_PROBLEM_UNAVAILABLE, "The log does not take it now", NULL);
    return false;
}

void serve_refused(struct http_request *request, void *user)
{
    answer_cors(request);
}

void serve_request(struct http_request *request, void *user)
{
    struct gateway *gateway = user;
    struct slice parameters[2] = {{NULL, 0}, {NULL, 0}}, key;
    unsigned allowed = 0;
    bool browser = false;
    const struct route *route =
        route_find(http_request_method(request), http_request_path(request),
                   http_request_arena(request), parameters, &allowed, &browser);
    if (!route) {
        answer_unrouted(request, allowed, browser);
        return;
    }
    struct exchange *exchange = exchange_open(gateway, request, route);
    if (!exchange)
        return;
    uint8_t random[24];
    gateway->world.entropy->fill(gateway->world.entropy, random, sizeof(random));
    gw_traceparent(exchange->trace, http_request_header(request, "traceparent"), random);
    memcpy(exchange->parameters, parameters, sizeof(parameters));
    if (!admit_memory(exchange) || !admit_load(exchange) ||
        (route->body_limit && !read_body(exchange)))
        return;
    if (!route->keys && rates_admit_stranger(exchange))
        route->run(exchange);
    else if (!route->keys)
        return;
    else if (read_key(exchange, &key))
        keys_find(exchange, key);
}

#include "exchange.h"
#include "ask.h"
#include "rates.h"
#include "routes.h"
#include "stats.h"

#include <event2/event.h>
#include <stdio.h>

void answer_cors(struct http_request *request)
{
    const char *origin = http_request_header(request, "Origin");
    if (!origin)
        return;
    http_response_header(request, "Access-Control-Allow-Origin", origin);
    http_response_header(request, "Access-Control-Allow-Credentials", "true");
    http_response_header(request, "Access-Control-Expose-Headers",
                         "Retry-After, RateLimit, RateLimit-Policy");
    http_response_header(request, "Vary", "Origin");
}

void answer_plain(struct http_request *request, int status, const char *content_type,
                  struct slice body)
{
    http_response_header(request, "Cache-Control", "no-store");
    http_response_header(request, "X-Content-Type-Options", "nosniff");
    http_respond(request, status, content_type, body);
}

static void answer_problem_after(struct http_request *request, enum gw_problem problem,
                                 const char *detail, const struct gw_faults *faults,
                                 int retry_after_s)
{
    const struct gw_problem_info *info = gw_problem_info(problem);
    _cleanup_(buf_deinit) struct buf body = {0};
    gw_problem_write(&body, problem, detail, faults);
    if (retry_after_s) {
        char seconds[12];
        (void)snprintf(seconds, sizeof(seconds), "%d", retry_after_s);
        http_response_header(request, "Retry-After", seconds);
    }
    if (problem == GW_PROBLEM_UNAUTHORIZED)
        http_response_header(request, "WWW-Authenticate", "Bearer");
    answer_plain(request, info->status, "application/problem+json", buf_slice(&body));
}

void answer_problem(struct http_request *request, enum gw_problem problem, const char *detail,
                    const struct gw_faults *faults)
{
    answer_problem_after(request, problem, detail, faults, gw_problem_info(problem)->retry_after_s);
}

struct exchange *exchange_open(struct gateway *gateway, struct http_request *request,
                               const struct route *route)
{
    struct arena *arena = http_request_arena(request);
    struct exchange *exchange = arena_alloc(arena, sizeof(*exchange));
    if (exchange) {
        exchange->gateway = gateway;
        exchange->request = request;
        exchange->arena = arena;
        exchange->route = route;
        exchange->started_us = gateway_now(gateway);
        exchange->handle = slots_add(gateway->exchanges, exchange);
    }
    if (route->flags & ROUTE_BROWSER)
        answer_cors(request);
    if (!exchange || !exchange->handle) {
        stats_refused(gateway, GATEWAY_REFUSED_OPEN_REQUESTS);
        answer_problem(request, GW_PROBLEM_UNAVAILABLE, "Too many requests are open", NULL);
        return NULL;
    }
    metric_set(gateway->stats.open, slots_count(gateway->exchanges));
    return exchange;
}

static void on_timer(evutil_socket_t fd, short what, void *user)
{
    struct exchange *exchange = user;
    exchange->timeout(exchange);
}

void exchange_arm(struct exchange *exchange, int64_t in_us)
{
    struct timeval tv = {max_i64(in_us, 0) / SECOND_US, max_i64(in_us, 0) % SECOND_US};
    if (!exchange->timer)
        exchange->timer = evtimer_new(exchange->gateway->world.base, on_timer, exchange);
    if (exchange->timer)
        (void)evtimer_add(exchange->timer, &tv);
}

void exchange_disarm(struct exchange *exchange)
{
    if (exchange->timer)
        (void)evtimer_del(exchange->timer);
}

/* No report, reply or timer finds it after this. */
static void close_exchange(struct exchange *exchange, int status)
{
    struct gateway *gateway = exchange->gateway;
    slots_remove(gateway->exchanges, exchange->handle);
    if (exchange->timer)
        event_free(exchange->timer);
    exchange->timer = NULL;
    ask_release(exchange->ask);
    exchange->ask = NULL;
    rates_say(exchange);
    metric_set(gateway->stats.open, slots_count(gateway->exchanges));
    stats_answer(gateway, exchange->route, status, gateway_now(gateway) - exchange->started_us);
}

void exchange_answer_as(struct exchange *exchange, int status, const char *content_type,
                        struct slice body)
{
    close_exchange(exchange, status);
    answer_plain(exchange->request, status, content_type, body);
}

void exchange_answer(struct exchange *exchange, int status, struct slice json)
{
    exchange_answer_as(exchange, status, "application/json", json);
}

void exchange_problem(struct exchange *exchange, enum gw_problem problem, const char *detail,
                      const struct gw_faults *faults)
{
    const struct gw_problem_info *info = gw_problem_info(problem);
    int retry_after_s = exchange->retry_after_s ? exchange->retry_after_s : info->retry_after_s;
    close_exchange(exchange, info->status);
    answer_problem_after(exchange->request, problem, detail, faults, retry_after_s);
}

static void failed(struct exchange *exchange)
{
    metric_inc(exchange->gateway->stats.produce_errors, 1);
    exchange_problem(exchange, GW_PROBLEM_UNAVAILABLE, "The log does not take it now", NULL);
}

void exchange_report(struct gateway *gateway, uint64_t handle, bool delivered)
{
    struct exchange *exchange = slots_get(gateway->exchanges, handle);
    if (!exchange)
        return;
    if (!delivered) {
        failed(exchange);
        return;
    }
    if (exchange->undelivered > 0 && --exchange->undelivered == 0 && exchange->sent_all)
        exchange->delivered(exchange);
}

void exchange_fail_undelivered(struct gateway *gateway)
{
    unsigned at = 0;
    struct exchange *exchange;
    while ((exchange = slots_next(gateway->exchanges, &at)))
        if (exchange->undelivered > 0)
            failed(exchange);
}

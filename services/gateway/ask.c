#include "ask.h"
#include "letters.h"
#include "privacy.h"
#include "serve.h"
#include "stats.h"

#include <stdio.h>

#define ANSWER_US                                                                                  \
    (20 * SECOND_US) /* past the time-outs of what is asked, so that they are the answer */
#define LIMIT_DEFAULT 50
#define LIMIT_MAX     500

void ask_release(struct ask *ask)
{
    if (!ask)
        return;
    struct arena *arena = ask->arena;
    for (unsigned i = 0; ask->days && i < ASK_DAYS; i++)
        if (ask->days[i].key)
            privacy_wipe((void *)(uintptr_t)ask->days[i].key, PRIVACY_KEY_SIZE);
    buf_deinit(&ask->body);
    arena_destroy(&arena);
}

void ask_fail(struct ask *ask, enum gw_problem problem, const char *detail)
{
    ask->failed = true;
    ask->problem = problem;
    ask->detail = detail;
}

void ask_fail_err(struct ask *ask, const struct err *err)
{
    bool transient = err->class == ERR_CLASS_TRANSIENT;
    ask_fail(ask, transient ? GW_PROBLEM_UNAVAILABLE : GW_PROBLEM_INTERNAL, NULL);
    if (!transient) {
        char text[300];
        log_event(LOG_ERROR, "question_failed", NULL, "\"code\":\"%s\",\"message\":\"%s\"",
                  status_name(err->code), log_escape(text, sizeof(text), err->message));
    }
}

static void on_run(struct work *work, const struct work_tools *tools)
{
    struct ask *ask = (struct ask *)work;
    if (tools->bus && tools->letters)
        ask->find(ask, tools);
    else
        ask_fail(ask, GW_PROBLEM_UNAVAILABLE, "The log does not answer now");
}

static void on_done(struct work *work)
{
    struct ask *ask = (struct ask *)work;
    if (!ask->gateway->worker) { /* the gateway ends */
        ask_release(ask);
        return;
    }
    struct exchange *exchange = slots_get(ask->gateway->exchanges, ask->handle);
    if (exchange && ask->failed) {
        exchange_problem(exchange, ask->problem, ask->detail, &ask->faults);
    } else if (exchange && ask->finish) {
        ask->finish(ask, exchange);
        return;
    } else if (exchange) {
        exchange_answer(exchange, 200, buf_slice(&ask->body));
    }
    ask_release(ask);
}

static void on_timeout(struct exchange *exchange)
{
    exchange_problem(exchange, GW_PROBLEM_UNAVAILABLE, "The answer takes too long now", NULL);
}

void *ask_open(struct exchange *exchange, size_t size)
{
    struct arena *arena = arena_create(ASK_MEMORY);
    struct ask *ask = arena ? arena_alloc(arena, size) : NULL;
    char hash[17];
    if (!ask) {
        arena_destroy(&arena);
        exchange_problem(exchange, GW_PROBLEM_UNAVAILABLE, NULL, NULL);
        return NULL;
    }
    ask->work = (struct work){.run = on_run, .done = on_done};
    ask->gateway = exchange->gateway;
    ask->handle = exchange->handle;
    ask->arena = arena;
    memcpy(ask->tenant.bytes, exchange->key.tenant.id, sizeof(ask->tenant.bytes));
    hex_format(hash, exchange->key_hash, 8);
    (void)snprintf(ask->actor, sizeof(ask->actor), "key:%s", hash);
    struct slice address = request_address(exchange->gateway, exchange->request);
    (void)snprintf(ask->address, sizeof(ask->address), "%.*s", (int)address.size,
                   (const char *)address.data);
    return ask;
}

void ask_submit(struct ask *ask, struct exchange *exchange)
{
    exchange->ask = NULL;
    exchange->timeout = on_timeout;
    exchange_arm(exchange, ANSWER_US);
    if (worker_submit(ask->gateway->worker, &ask->work))
        return;
    stats_refused(ask->gateway, GATEWAY_REFUSED_QUESTIONS);
    exchange_problem(exchange, GW_PROBLEM_RATE_LIMITED, "Too many such questions are open", NULL);
    ask_release(ask);
}

/* The thread may outlive the exchange, in whose memory the keys came. */
static void on_keys(struct exchange *exchange)
{
    struct ask *ask = exchange->ask;
    for (unsigned i = 0; i < ASK_DAYS; i++)
        if (ask->days[i].key)
            ask->days[i].key = arena_copy(ask->arena, ask->days[i].key, PRIVACY_KEY_SIZE);
    ask_submit(ask, exchange);
}

void ask_submit_with_keys(struct ask *ask, struct exchange *exchange)
{
    ask->days = arena_alloc(ask->arena, ASK_DAYS * sizeof(*ask->days));
    ask_hold(ask, exchange);
    if (!ask->days) {
        exchange_problem(exchange, GW_PROBLEM_UNAVAILABLE, NULL, NULL);
        return;
    }
    for (unsigned i = 0; i < ASK_DAYS; i++)
        privacy_day(ask->days[i].id, gateway_now(ask->gateway) - i * DAY_US);
    vault_find(exchange, ask->days, ASK_DAYS, on_keys);
}

struct slice ask_unseal(struct ask *ask, const struct bus_record *record)
{
    struct slice day = letter_sealed(record);
    uint8_t subject[16], *plain;
    int64_t time_us;
    if (day.size < 4 || time_parse(&time_us, NULL, slice_make(day.data + 4, day.size - 4)) < 0 ||
        record->value.size < PRIVACY_SEAL_OVERHEAD)
        return slice_make(NULL, 0);
    privacy_day(subject, time_us);
    size_t size = record->value.size - PRIVACY_SEAL_OVERHEAD;
    for (unsigned i = 0; ask->days && i < ASK_DAYS; i++) {
        if (!ask->days[i].key || memcmp(ask->days[i].id, subject, sizeof(subject)) != 0)
            continue;
        plain = arena_alloc(ask->arena, size + 1);
        if (plain &&
            privacy_unseal(plain, ask->days[i].key, ask->tenant.bytes, subject, record->value) >= 0)
            return slice_make(plain, size);
    }
    return slice_make(NULL, 0);
}

void ask_hold(struct ask *ask, struct exchange *exchange)
{
    exchange->ask = ask;
}

struct slice ask_text(struct exchange *exchange, const char *name)
{
    return http_query_get(http_request_query(exchange->request), name, exchange->arena);
}

unsigned ask_limit(struct exchange *exchange, struct gw_faults *faults)
{
    struct slice text = ask_text(exchange, "limit");
    unsigned value = 0;
    bool digits = text.data && text.size <= 3;
    for (size_t i = 0; digits && i < text.size; i++) {
        digits = text.data[i] >= '0' && text.data[i] <= '9';
        value = value * 10 + (unsigned)(text.data[i] - '0');
    }
    if (!text.data)
        return LIMIT_DEFAULT;
    if (digits && value >= 1 && value <= LIMIT_MAX)
        return value;
    gw_fault_add(faults, "limit", "out_of_range", "must be a whole number from 1 to 500");
    return LIMIT_DEFAULT;
}

/*
 * load: visitors (domain/visitor.c) take turns; each has one request under way at most and sends it again, to the next
 * gateway, until it is answered.
 *
 *   every 10 ms: budget += rate × time ──► ready visitors send while it lasts ──► answers: acknowledged, or again later
 *
 * After the time is up nobody new begins a request; those under way are still repeated until they are answered.
 */
#include "load.h"

#include "domain/visitor.h"
#include "http.h"
#include "load_figures.h"

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_GATEWAYS 8
#define TICK_US      10000
#define TIMEOUT_MS   10000
#define RETRY_US     500000
#define FIGURES_US   (5 * SECOND_US)

struct load;
struct slot {
    struct load *load;
    struct visitor visitor;
    struct visitor_request request;
    int64_t sent_us, ready_us; /* when it was first sent; when it may be sent (again) */
    bool under_way, made;      /* made: the request is filled in and not yet answered */
};

struct load {
    const char *gateways[MAX_GATEWAYS];
    unsigned n_gateways, next_gateway;
    char run[20];
    const char *write_key, *secret_key;
    struct event_base *base;
    struct http_client *client;
    struct event *tick, *interrupt;
    struct slot *slots;
    unsigned n_slots, turn;
    uint64_t visitors;
    double rate, budget;
    int64_t last_us, started_us, until_us, give_up_us, said_us;
    FILE *record;
    struct load_figures figures;
    int status;
};

static int64_t now_us(void)
{
    return clock_system()->now_us(clock_system());
}

/* ---- answers ---- */

static void acknowledged(struct load *load, struct slot *slot, int status)
{
    _cleanup_(buf_deinit) struct buf lines = {0};
    int64_t took_us = now_us() - slot->sent_us;
    visitor_acknowledge(&slot->visitor, &slot->request, status, &lines);
    if (load->record && fwrite(lines.data, 1, lines.size, load->record) != lines.size)
        load->status = ctl_fail(CTL_FAILED, "the record could not be written");
    load_figures_took(&load->figures, took_us);
    if (slot->request.kind == VISITOR_EVENTS)
        load->figures.events += slot->request.weight;
    else
        load->figures.commands++;
    load->figures.later += status == 202;
    slot->made = false;
    if (++slot->visitor.step == visitor_steps())
        visitor_init(&slot->visitor, load->run, load->visitors++);
}

static void refused(struct load *load, struct slot *slot, int status, struct slice body)
{
    if (load->figures.refused++ == 0)
        (void)snprintf(load->figures.refusal, sizeof(load->figures.refusal), "%s: %d %.*s",
                       slot->request.key, status, (int)min_i64((int64_t)body.size, 120),
                       body.data ? (const char *)body.data : "");
    slot->made = false;
    visitor_init(&slot->visitor, load->run, load->visitors++);
}

static void on_answer(const struct http_client_request *request, int status, struct slice body,
                      const struct err *err)
{
    struct slot *slot = request->user;
    struct load *load = slot->load;
    slot->under_way = false;
    if (status >= 200 && status < 300) {
        acknowledged(load, slot, status);
    } else if (status == 0 || status == 429 || status >= 500 || status == 404) {
        /* 404: a start that was answered 202 may still be on its way */
        load_figures_retry(&load->figures, status);
        slot->ready_us = now_us() + RETRY_US;
    } else {
        refused(load, slot, status, body);
    }
}

/* ---- sending ---- */

static bool slot_send(struct load *load, struct slot *slot)
{
    char url[600], authorization[300], key[160];
    if (!slot->made) {
        visitor_request(&slot->visitor, &slot->request);
        slot->made = true;
        slot->sent_us = now_us();
    }
    const struct visitor_request *r = &slot->request;
    (void)snprintf(url, sizeof(url), "%s%s",
                   load->gateways[load->next_gateway++ % load->n_gateways],
                   (const char *)r->path.data);
    (void)snprintf(authorization, sizeof(authorization), "Authorization: Bearer %s",
                   r->secret ? load->secret_key : load->write_key);
    (void)snprintf(key, sizeof(key), "Idempotency-Key: %s", r->key);
    const char *const headers[] = {"Content-Type: application/json", authorization, key, NULL};
    const struct http_client_request request = {
        .method = r->put ? HTTP_PUT : HTTP_POST,
        .url = url,
        .headers = headers,
        .body = buf_slice(&r->body),
        .timeout_ms = TIMEOUT_MS,
        .done = on_answer,
        .user = slot,
    };
    slot->under_way = http_client_send(load->client, &request, NULL) == 0;
    return slot->under_way;
}

static void say_figures(struct load *load, int64_t now)
{
    if (now - load->said_us < FIGURES_US)
        return;
    load->said_us = now;
    load_figures_say(&load->figures, now - load->started_us);
}

/* Unanswered requests may always be sent again; new ones only within the budget and the time. */
static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct load *load = arg;
    int64_t now = now_us();
    bool over = now >= load->until_us;
    unsigned open = 0;
    load->budget += load->rate * (double)(now - load->last_us) / SECOND_US;
    if (load->budget > load->rate) /* what could not be sent is not made up for */
        load->budget = load->rate;
    load->last_us = now;
    for (unsigned i = 0; i < load->n_slots; i++) {
        struct slot *slot = &load->slots[(load->turn + i) % load->n_slots];
        open += slot->made;
        if (slot->under_way || slot->ready_us > now)
            continue;
        if (!slot->made && (over || load->budget < 1))
            continue;
        bool again = slot->made;
        if (slot_send(load, slot) && !again)
            load->budget -= slot->request.weight;
    }
    load->turn++;
    say_figures(load, now);
    if (over && (open == 0 || now >= load->give_up_us))
        event_base_loopbreak(load->base);
}

static void on_interrupt(evutil_socket_t fd, short what, void *arg)
{
    struct load *load = arg;
    load->until_us = now_us(); /* what is under way is still finished */
}

/* ---- set up and down ---- */

static int gateways_split(struct ctl *ctl, struct load *load, const char *urls)
{
    char *list = arena_str(ctl->arena, slice_str(urls)), *rest = NULL;
    for (char *url = strtok_r(list, ",", &rest); url; url = strtok_r(NULL, ",", &rest)) {
        if (load->n_gateways == MAX_GATEWAYS || strlen(url) > 200)
            return ctl_fail(CTL_USAGE, "--url takes up to %d addresses of up to 200 characters",
                            MAX_GATEWAYS);
        load->gateways[load->n_gateways++] = url;
    }
    return load->n_gateways > 0 ? CTL_DONE : ctl_fail(CTL_USAGE, "--url names no gateway");
}

static int load_init(struct load *load, unsigned visitors, int64_t seconds, int64_t patience_s)
{
    struct err err;
    const struct timeval often = {0, TICK_US};
    uint8_t random[10];
    entropy_system()->fill(entropy_system(), random, sizeof(random));
    /* Letters alone: digits would now and then make ids that are taken for a card's or a telephone's number. */
    for (unsigned i = 0; i < sizeof(random); i++)
        load->run[i] = (char)('a' + random[i] % 26);
    load->base = event_base_new();
    load->slots = calloc(visitors, sizeof(*load->slots));
    if (!load->base || !load->slots || load_figures_init(&load->figures) < 0)
        return ctl_fail(CTL_FAILED, "no memory");
    if (http_client_create(&load->client, load->base, visitors, &err) < 0)
        return ctl_fail_err("load", &err);
    load->n_slots = visitors;
    for (unsigned i = 0; i < visitors; i++) {
        load->slots[i].load = load;
        visitor_init(&load->slots[i].visitor, load->run, load->visitors++);
    }
    load->tick = event_new(load->base, -1, EV_PERSIST, on_tick, load);
    load->interrupt = evsignal_new(load->base, SIGINT, on_interrupt, load);
    if (!load->tick || !load->interrupt)
        return ctl_fail(CTL_FAILED, "no memory");
    load->started_us = load->last_us = load->said_us = now_us();
    load->until_us = load->started_us + seconds * SECOND_US;
    load->give_up_us = load->until_us + patience_s * SECOND_US;
    event_add(load->tick, &often);
    event_add(load->interrupt, NULL);
    return CTL_DONE;
}

static void load_deinit(struct load *load)
{
    http_client_destroy(&load->client);
    for (unsigned i = 0; i < load->n_slots; i++) {
        buf_deinit(&load->slots[i].request.path);
        buf_deinit(&load->slots[i].request.body);
    }
    if (load->tick)
        event_free(load->tick);
    if (load->interrupt)
        event_free(load->interrupt);
    if (load->base)
        event_base_free(load->base);
    free(load->slots);
    load_figures_deinit(&load->figures);
}

static unsigned unanswered(const struct load *load)
{
    unsigned open = 0;
    for (unsigned i = 0; i < load->n_slots; i++)
        open += load->slots[i].made;
    return open;
}

static int load_run(struct load *load, const char *record, unsigned visitors, int64_t seconds,
                    int64_t patience_s)
{
    if (record) {
        load->record = fopen(record, "we");
        if (!load->record)
            return ctl_fail(CTL_FAILED, "%s cannot be written", record);
    }
    int status = load_init(load, visitors, seconds, patience_s);
    if (status == CTL_DONE) {
        event_base_dispatch(load->base);
        status = load_figures_report(
            &load->figures, min_i64(now_us(), load->until_us) - load->started_us, unanswered(load));
        status = status == CTL_DONE ? load->status : status;
    }
    if (load->record && fclose(load->record) != 0)
        status = ctl_fail(CTL_FAILED, "%s could not be written", record);
    load_deinit(load);
    return status;
}

int command_load(struct ctl *ctl, const struct args *args)
{
    struct err err;
    int64_t rate, seconds, visitors, patience_s;
    struct load load = {.write_key = args_get(args, "key"),
                        .secret_key = args_get(args, "secret-key")};
    if (args_int(args, "rate", 500, 1, 1000000, &rate, &err) < 0 ||
        args_int(args, "seconds", 10, 1, 86400, &seconds, &err) < 0 ||
        args_int(args, "visitors", 100, 1, 1000, &visitors, &err) < 0 ||
        args_int(args, "patience", 120, 0, 3600, &patience_s, &err) < 0)
        return ctl_fail(CTL_USAGE, "%s", err.message);
    if (strlen(load.write_key) > 200 || strlen(load.secret_key) > 200)
        return ctl_fail(CTL_USAGE, "a key has at most 200 characters");
    load.rate = (double)rate;
    int status = gateways_split(ctl, &load, args_get(args, "url"));
    if (status != CTL_DONE)
        return status;
    return load_run(&load, args_get(args, "record"), (unsigned)visitors, seconds, patience_s);
}

#include "sender.h"

#include "ctl.h"
#include "domain/lanes.h"
#include "http.h"

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define BATCH_EVENTS 250
#define BATCH_BYTES  ((size_t)400 * 1024) /* the gateway takes 500 KB */
#define TIMEOUT_MS   30000
#define BACKOFF_MS   1000 /* what a gateway that sheds load asks for at least */
#define BACKOFF_MAX  10000
#define GIVE_UP_US   (120 * SECOND_US)
#define PROGRESS_US  200000

struct sender;
struct lane {
    struct sender *sender;
    const struct lane_events *all;
    size_t next;
    size_t batch;        /* events in the request under way */
    size_t single_until; /* up to there one by one: the batch that held them was refused */
    struct buf body;
    unsigned failures; /* in a row */
    struct event *timer;
};

struct sender {
    const struct sender_options *options;
    struct sender_figures *figures;
    struct event_base *base;
    struct http_client *client;
    struct event *progress, *interrupt, *terminate;
    struct lane *lanes;
    struct lane_events *events; /* of each lane */
    unsigned n_lanes, active;
    int64_t answered_us;
    char *url, *authorization;
    int status;
};

static int64_t now_us(void)
{
    return clock_system()->now_us(clock_system());
}

static void stop(struct sender *s, int status)
{
    s->status = status;
    event_base_loopbreak(s->base);
}

/* ---- one request ---- */

static void batch_write(struct lane *lane)
{
    const struct dataset *dataset = lane->sender->options->dataset;
    struct json_writer w = json_writer_make(&lane->body);
    size_t most = lane->next < lane->single_until ? 1 : BATCH_EVENTS;
    buf_reset(&lane->body);
    lane->batch = 0;
    json_begin_object(&w);
    json_key(&w, "batch");
    json_begin_array(&w);
    while (lane->next + lane->batch < lane->all->n && lane->batch < most &&
           lane->body.size < BATCH_BYTES) {
        json_begin_object(&w);
        dataset->form->write(dataset, &dataset->events[lane->all->events[lane->next + lane->batch]],
                             lane->sender->options->shift_us, &w);
        json_end_object(&w);
        lane->batch++;
    }
    json_end_array(&w);
    json_end_object(&w);
}

static void on_answer(const struct http_client_request *request, int status, struct slice body,
                      const struct err *err);

static void lane_send(struct lane *lane)
{
    struct sender *s = lane->sender;
    struct err err;
    const char *const headers[] = {"Content-Type: application/json", s->authorization, NULL};
    const struct http_client_request request = {
        .method = HTTP_POST,
        .url = s->url,
        .headers = headers,
        .body = buf_slice(&lane->body),
        .timeout_ms = TIMEOUT_MS,
        .done = on_answer,
        .user = lane,
    };
    if (http_client_send(s->client, &request, &err) < 0)
        stop(s, ctl_fail_err("sending", &err));
}

static void lane_continue(struct lane *lane)
{
    struct sender *s = lane->sender;
    lane->failures = 0;
    if (lane->next == lane->all->n) {
        if (--s->active == 0)
            event_base_loopbreak(s->base);
        return;
    }
    batch_write(lane);
    lane_send(lane);
}

static void on_backoff(evutil_socket_t fd, short what, void *arg)
{
    lane_send(arg);
}

static void lane_retry(struct lane *lane, int status, const struct err *err)
{
    struct sender *s = lane->sender;
    if (now_us() - s->answered_us > GIVE_UP_US) {
        if (status == 0)
            stop(s, ctl_fail(CTL_UNAVAILABLE, "%s does not answer: %s", s->url, err->message));
        else
            stop(s, ctl_fail(CTL_UNAVAILABLE, "%s answers nothing but %d", s->url, status));
        return;
    }
    int64_t wait_ms = BACKOFF_MS << (lane->failures < 4 ? lane->failures : 4);
    wait_ms = min_i64(wait_ms, BACKOFF_MAX);
    const struct timeval wait = {wait_ms / 1000, (wait_ms % 1000) * 1000};
    lane->failures++;
    s->figures->retries++;
    event_add(lane->timer, &wait);
}

/* ---- its answer ---- */

static void note_refusal(struct sender *s, int status, struct slice body)
{
    if (s->figures->refusal[0])
        return;
    (void)snprintf(s->figures->refusal, sizeof(s->figures->refusal), "%d %.*s", status,
                   (int)min_i64((int64_t)body.size, 150), body.data ? (const char *)body.data : "");
}

/* The answer lists the ids that the log has. */
static size_t count_accepted(struct slice body, size_t sent)
{
    const struct json_node *root;
    struct arena *arena = arena_create((size_t)4 << 20);
    size_t accepted = sent;
    if (arena && json_parse(&root, body, arena, NULL) == 0) {
        const struct json_node *ids = json_get(root, "message_ids");
        if (json_is(ids, JSON_ARRAY) && ids->count < sent)
            accepted = ids->count;
    }
    arena_destroy(&arena);
    return accepted;
}

static void lane_answered(struct lane *lane, size_t accepted)
{
    struct sender_figures *figures = lane->sender->figures;
    figures->sent += lane->batch;
    figures->accepted += accepted;
    figures->refused += lane->batch - accepted;
    lane->next += lane->batch;
    lane->sender->answered_us = now_us();
    lane_continue(lane);
}

static void on_answer(const struct http_client_request *request, int status, struct slice body,
                      const struct err *err)
{
    struct lane *lane = request->user;
    struct sender *s = lane->sender;
    if (status >= 200 && status < 300) {
        lane_answered(lane, count_accepted(body, lane->batch));
    } else if (status == 0 || status == 429 || status >= 500) {
        lane_retry(lane, status, err);
    } else if (status == 401 || status == 403 || status == 404) {
        note_refusal(s, status, body);
        stop(s, ctl_fail(CTL_FAILED,
                         "%s refuses: %s\n  is the key one of this installation's? "
                         "journeyctl keys create --tenant NAME --kind write",
                         s->url, s->figures->refusal));
    } else if (lane->batch > 1) { /* one event spoils it: find out which */
        lane->single_until = lane->next + lane->batch;
        lane_continue(lane);
    } else {
        note_refusal(s, status, body);
        lane_answered(lane, 0);
    }
}

/* ---- lanes ---- */

static void on_progress(evutil_socket_t fd, short what, void *arg)
{
    progress_show(arg, false);
}

static void on_signal(evutil_socket_t fd, short what, void *arg)
{
    struct sender *s = arg;
    stop(s, ctl_fail(CTL_PARTLY, "stopped; the same again goes on from here: what the log has "
                                 "already is known by its message id"));
}

static int sender_init(struct sender *s)
{
    struct err err;
    const struct timeval often = {0, PROGRESS_US};
    const struct sender_options *options = s->options;
    s->n_lanes = options->connections;
    s->lanes = calloc(s->n_lanes, sizeof(*s->lanes));
    s->events = calloc(s->n_lanes, sizeof(*s->events));
    s->base = event_base_new();
    if (asprintf(&s->url, "%s/v1/batch", options->url) < 0)
        s->url = NULL;
    if (asprintf(&s->authorization, "Authorization: Bearer %s", options->key) < 0)
        s->authorization = NULL;
    if (!s->lanes || !s->events || !s->base || !s->url || !s->authorization)
        return ctl_fail(CTL_FAILED, "no memory");
    if (http_client_create(&s->client, s->base, s->n_lanes, &err) < 0)
        return ctl_fail_err("sending", &err);
    s->progress = event_new(s->base, -1, EV_PERSIST, on_progress, s->figures);
    s->interrupt = evsignal_new(s->base, SIGINT, on_signal, s);
    s->terminate = evsignal_new(s->base, SIGTERM, on_signal, s);
    if (!s->progress || !s->interrupt || !s->terminate)
        return ctl_fail(CTL_FAILED, "no memory");
    event_add(s->progress, &often);
    event_add(s->interrupt, NULL);
    event_add(s->terminate, NULL);
    if (lanes_fill(s->events, s->n_lanes, options->dataset) < 0)
        return ctl_fail(CTL_FAILED, "no memory");
    return CTL_DONE;
}

static void free_event(struct event *event)
{
    if (event)
        event_free(event);
}

static void sender_deinit(struct sender *s)
{
    http_client_destroy(&s->client);
    for (unsigned i = 0; s->lanes && i < s->n_lanes; i++) {
        free_event(s->lanes[i].timer);
        buf_deinit(&s->lanes[i].body);
    }
    for (unsigned i = 0; s->events && i < s->n_lanes; i++)
        free(s->events[i].events);
    free_event(s->progress);
    free_event(s->interrupt);
    free_event(s->terminate);
    if (s->base)
        event_base_free(s->base);
    free(s->lanes);
    free(s->events);
    free(s->url);
    free(s->authorization);
}

static int sender_start(struct sender *s)
{
    s->answered_us = s->figures->started_us = now_us();
    s->active = s->n_lanes;
    for (unsigned i = 0; i < s->n_lanes; i++) {
        struct lane *lane = &s->lanes[i];
        lane->sender = s;
        lane->all = &s->events[i];
        lane->timer = evtimer_new(s->base, on_backoff, lane);
        if (!lane->timer)
            return ctl_fail(CTL_FAILED, "no memory");
    }
    for (unsigned i = 0; i < s->n_lanes; i++)
        lane_continue(&s->lanes[i]);
    return CTL_DONE;
}

int sender_run(const struct sender_options *options, struct sender_figures *figures)
{
    struct sender s = {.options = options, .figures = figures};
    *figures = (struct sender_figures){.total = options->dataset->n_events};
    int status = sender_init(&s);
    if (status == CTL_DONE)
        status = sender_start(&s);
    if (status == CTL_DONE && s.active > 0) {
        event_base_dispatch(s.base);
        status = s.status;
    }
    progress_show(figures, true);
    sender_deinit(&s);
    return status;
}

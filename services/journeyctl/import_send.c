#include "import.h"
#include "json.h"

#include "http.h"
#include "sender.h"

#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>

#define TIMEOUT_MS   30000
#define BACKOFF_MS   1000
#define BACKOFF_MAX  10000
#define GIVE_UP_US   (120 * SECOND_US)
#define PROGRESS_US  200000
#define ANSWER_BYTES ((size_t)16 << 20)

struct import_sender {
    struct import_progress *progress;
    struct event_base *base;
    struct http_client *client;
    struct event *often, *interrupt, *terminate, *wait;
    char *url, *authorization;
    bool stopped;
    /* the last answer */
    int status;
    int64_t retry_after_s;
    struct buf answer;
    char error[256];
};

static int64_t now_us(void)
{
    return clock_system()->now_us(clock_system());
}

void import_progress_show(const struct import_progress *progress, bool last)
{
    char text[80];
    double seconds = (double)max_i64(now_us() - progress->started_us, 1) / SECOND_US;
    (void)snprintf(text, sizeof(text), "%llu events, %.0f a second",
                   (unsigned long long)progress->sent, (double)progress->sent / seconds);
    progress_line(progress->started_us, progress->part, text, last);
}

static void on_often(evutil_socket_t fd, short what, void *arg)
{
    const struct import_sender *s = arg;
    import_progress_show(s->progress, false);
}

static void on_signal(evutil_socket_t fd, short what, void *arg)
{
    struct import_sender *s = arg;
    s->stopped = true;
    event_base_loopbreak(s->base);
}

static void on_wait(evutil_socket_t fd, short what, void *arg)
{
    struct import_sender *s = arg;
    event_base_loopbreak(s->base);
}

static void on_answer(const struct http_client_request *request, int status, struct slice body,
                      const struct err *err)
{
    struct import_sender *s = request->user;
    s->status = status;
    s->retry_after_s = request->retry_after_s;
    buf_reset(&s->answer);
    buf_append_slice(&s->answer, body);
    (void)snprintf(s->error, sizeof(s->error), "%s", err ? err->message : "");
    event_base_loopbreak(s->base);
}

int import_sender_create(struct import_sender **out, const struct import_target *target,
                         struct import_progress *progress)
{
    struct err err;
    const struct timeval often = {0, PROGRESS_US};
    struct import_sender *s = calloc(1, sizeof(*s));
    *out = s;
    if (!s)
        return ctl_fail(CTL_FAILED, "no memory");
    s->progress = progress;
    s->base = event_base_new();
    if (asprintf(&s->url, "%s/api/v1/imports?form=%s", target->url, target->form) < 0)
        s->url = NULL;
    if (asprintf(&s->authorization, "Authorization: Bearer %s", target->key) < 0)
        s->authorization = NULL;
    if (!s->base || !s->url || !s->authorization)
        return ctl_fail(CTL_FAILED, "no memory");
    if (http_client_create(&s->client, s->base, 1, &err) < 0)
        return ctl_fail_err("sending", &err);
    s->often = event_new(s->base, -1, EV_PERSIST, on_often, s);
    s->wait = evtimer_new(s->base, on_wait, s);
    s->interrupt = evsignal_new(s->base, SIGINT, on_signal, s);
    s->terminate = evsignal_new(s->base, SIGTERM, on_signal, s);
    if (!s->often || !s->wait || !s->interrupt || !s->terminate)
        return ctl_fail(CTL_FAILED, "no memory");
    event_add(s->often, &often);
    event_add(s->interrupt, NULL);
    event_add(s->terminate, NULL);
    return CTL_DONE;
}

bool import_sender_stopped(const struct import_sender *sender)
{
    return sender && sender->stopped;
}

void import_sender_destroy(struct import_sender **sender)
{
    struct import_sender *s = *sender;
    if (!s)
        return;
    http_client_destroy(&s->client);
    struct event *events[] = {s->often, s->wait, s->interrupt, s->terminate};
    for (unsigned i = 0; i < ARRAY_SIZE(events); i++)
        if (events[i])
            event_free(events[i]);
    if (s->base)
        event_base_free(s->base);
    buf_deinit(&s->answer);
    free(s->url);
    free(s->authorization);
    free(s);
    *sender = NULL;
}

/* ---- one request, until there is an answer that is one ---- */

static int post_once(struct import_sender *s, struct slice body)
{
    struct err err;
    const char *const headers[] = {"Content-Type: application/json", s->authorization, NULL};
    const struct http_client_request request = {.method = HTTP_POST,
                                                .url = s->url,
                                                .headers = headers,
                                                .body = body,
                                                .timeout_ms = TIMEOUT_MS,
                                                .done = on_answer,
                                                .user = s};
    if (http_client_send(s->client, &request, &err) < 0)
        return ctl_fail_err("sending", &err);
    event_base_dispatch(s->base);
    return CTL_DONE;
}

static int stopped(void)
{
    return ctl_fail(CTL_PARTLY, "stopped; the same command goes on from here");
}

static int post(struct import_sender *s, struct slice body)
{
    int64_t since_us = now_us();
    for (unsigned failures = 0; !s->stopped; failures++) {
        int status = post_once(s, body);
        if (status != CTL_DONE || s->stopped)
            break;
        if (s->status > 0 && s->status != 429 && s->status < 500)
            return CTL_DONE;
        if (now_us() - since_us > GIVE_UP_US) {
            if (s->status)
                return ctl_fail(CTL_UNAVAILABLE,
                                "%s answers nothing but %d; the same command goes "
                                "on from here",
                                s->url, s->status);
            return ctl_fail(CTL_UNAVAILABLE,
                            "%s does not answer: %s; the same command goes on from here", s->url,
                            s->error);
        }
        int64_t wait_ms = s->retry_after_s ? s->retry_after_s * 1000
                                           : BACKOFF_MS << (failures < 4 ? failures : 4);
        wait_ms = min_i64(wait_ms, s->retry_after_s ? GIVE_UP_US / 1000 : BACKOFF_MAX);
        const struct timeval wait = {wait_ms / 1000, (wait_ms % 1000) * 1000};
        event_add(s->wait, &wait);
        event_base_dispatch(s->base);
    }
    return s->stopped ? stopped() : CTL_FAILED;
}

/* ---- a batch ---- */

static void write_body(const struct import *import, unsigned from, unsigned n, struct buf *body)
{
    buf_append_str(body, "{\"batch\":[");
    for (unsigned i = from; i < from + n; i++) {
        if (i > from)
            buf_append_byte(body, ',');
        buf_append(body, import->events.data + import->list[i].at, import->list[i].size);
    }
    buf_append_str(body, "]}");
}

static int reject_event(struct import *import, unsigned i, const char *field, const char *code,
                        const char *message)
{
    const struct import_event *event = &import->list[i];
    return import_reject(import, event->line, field, code, message,
                         slice_make(import->raws.data + event->raw_at, event->raw_size));
}

static const char *text_of(const struct json_node *node, const char *name, struct arena *arena)
{
    const char *text = arena_str(arena, json_string(json_get(node, name), arena));
    return text ? text : "";
}

/* {"rejected": [{"index", "field", "code", "message"}]} */
static int take_answer(struct import *import, unsigned from, unsigned n)
{
    const struct json_node *root;
    struct arena *arena = arena_create(ANSWER_BYTES);
    int status = CTL_DONE;
    if (!arena || json_parse(&root, buf_slice(&import->sender->answer), arena, NULL) < 0 ||
        !json_is(json_get(root, "rejected"), JSON_ARRAY)) {
        arena_destroy(&arena);
        return ctl_fail(CTL_FAILED, "%s is no gateway of ours", import->sender->url);
    }
    const struct json_node *rejected = json_get(root, "rejected");
    for (const struct json_node *one = rejected->child; one && status == CTL_DONE;
         one = one->next) {
        int64_t index = 0;
        if (json_int(json_get(one, "index"), &index) == 0 && index >= 0 && index < n)
            status = reject_event(import, from + (unsigned)index, text_of(one, "field", arena),
                                  text_of(one, "code", arena), text_of(one, "message", arena));
    }
    import->state.accepted += n - rejected->count;
    import->progress->sent += n;
    arena_destroy(&arena);
    return status;
}

/* The first fault of a problem, else the problem: *field, *code, *message. */
static void read_problem(const struct import *import, struct arena *arena, const char **field,
                         const char **code, const char **message)
{
    const struct json_node *root = NULL, *errors;
    *field = "";
    *code = "refused";
    *message = "the gateway refuses it";
    if (!arena || json_parse(&root, buf_slice(&import->sender->answer), arena, NULL) < 0)
        return;
    errors = json_get(root, "errors");
    const struct json_node *fault = json_is(errors, JSON_ARRAY) ? errors->child : NULL;
    const char *said = text_of(root, "code", arena), *detail = text_of(root, "detail", arena);
    *code = fault ? text_of(fault, "code", arena) : *said ? said : *code;
    *message = fault ? text_of(fault, "message", arena) : *detail ? detail : *message;
    *field = fault ? text_of(fault, "field", arena) : "";
}

/* The request was refused: for one event, which is known when it was alone, or whatever the events are. */
static int refused(struct import *import, unsigned event, bool alone, bool *split)
{
    const char *field, *code, *message;
    struct arena *arena = arena_create(ANSWER_BYTES);
    int status = CTL_DONE;
    read_problem(import, arena, &field, &code, &message);
    *split = !alone;
    if (strcmp(field, "form") == 0) {
        *split = false;
        status = ctl_fail(CTL_USAGE, "the gateway does not know this form: it %s", message);
    } else if (alone) {
        status = reject_event(import, event, field, code, message);
        import->progress->sent++;
    }
    arena_destroy(&arena);
    return status;
}

static int send_range(struct import *import, unsigned from, unsigned n)
{
    _cleanup_(buf_deinit) struct buf body = {0};
    const struct import_sender *s = import->sender;
    write_body(import, from, n, &body);
    int status = post(import->sender, buf_slice(&body));
    if (status != CTL_DONE)
        return status;
    if (s->status >= 200 && s->status < 300)
        return take_answer(import, from, n);
    if (s->status == 401 || s->status == 403 || s->status == 404)
        return ctl_fail(CTL_FAILED,
                        "%s answers %d\n  a secret key is needed: journeyctl keys create "
                        "--tenant NAME --kind secret",
                        s->url, s->status);
    bool split;
    status = refused(import, from, n == 1, &split);
    if (!split)
        return status;
    status = send_range(import, from, n / 2); /* find out which of them it is */
    return status == CTL_DONE ? send_range(import, from + n / 2, n - n / 2) : status;
}

int import_send(struct import *import)
{
    int status = import->n ? send_range(import, 0, import->n) : CTL_DONE;
    import->n = 0;
    buf_reset(&import->events);
    buf_reset(&import->raws);
    return status;
}

/* One connection: its life, its deadlines, its answers. */
#include "server_internal.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

int64_t http_monotonic_us(void)
{
    struct timespec now;
    if (clock_gettime(CLOCK_MONOTONIC_COARSE, &now) != 0)
        return 0;
    return (int64_t)now.tv_sec * SECOND_US + now.tv_nsec / 1000;
}

/* ---- its end ---- */

/* The arena goes back to the server's, the buffers shrink. */
static void request_end(struct http_connection *c)
{
    struct http_request *request = &c->request;
    struct http_server *server = c->server;
    if (request->arena) {
        server->n_open--;
        arena_reset(request->arena);
        if (server->n_arenas < HTTP_KEEP_ARENAS && !http_server_tight(server))
            server->arenas[server->n_arenas++] = request->arena;
        else
            arena_destroy(&request->arena);
    }
    while (server->n_arenas && http_server_tight(server))
        arena_destroy(&server->arenas[--server->n_arenas]);
    request->arena = NULL;
    request->head = NULL;
    request->user = NULL;
    request->gone = NULL;
    struct buf *bufs[] = {&request->body, &request->headers, &c->out};
    for (size_t i = 0; i < ARRAY_SIZE(bufs); i++) {
        if (bufs[i]->capacity > HTTP_KEEP_BYTES || http_server_tight(server))
            buf_deinit(bufs[i]);
        else
            buf_reset(bufs[i]);
    }
    c->sent = 0;
    c->slow_reader = false;
}

void http_connection_destroy(struct http_connection *c)
{
    request_end(c);
    if (c->fd >= 0) {
        event_del(&c->read_event);
        event_del(&c->write_event);
        close(c->fd);
    }
    event_del(&c->timer);
    buf_deinit(&c->in);
    buf_deinit(&c->out);
    buf_deinit(&c->request.body);
    buf_deinit(&c->request.headers);
    LIST_REMOVE(c, link);
    c->server->n_connections--;
    c->server->buffer_bytes -= c->bytes;
    http_peers_remove(c->server->peers, c->owner);
    free(c);
}

void http_connection_tell_gone(struct http_connection *c)
{
    if (c->state != HTTP_CONNECTION_HANDLING || c->told_gone)
        return;
    c->told_gone = true;
    if (c->request.gone)
        c->request.gone(&c->request);
}

/* The socket goes now; the rest when its request is answered and nobody on the stack uses it. */
void http_connection_close(struct http_connection *c)
{
    if (c->fd >= 0) {
        event_del(&c->read_event);
        event_del(&c->write_event);
        event_del(&c->timer);
        close(c->fd);
        c->fd = -1;
        http_connection_tell_gone(c); /* which may answer */
    }
    if (c->state != HTTP_CONNECTION_HANDLING)
        c->dead = true;
}

void http_connection_leave(struct http_connection *c)
{
    size_t bytes = sizeof(*c) + c->in.capacity + c->out.capacity + c->request.body.capacity +
                   c->request.headers.capacity;
    c->server->buffer_bytes += bytes - c->bytes;
    c->bytes = bytes;
    if (--c->depth == 0 && c->dead)
        http_connection_destroy(c);
}

/* ---- time ---- */

void http_connection_set_deadline(struct http_connection *c, int64_t after_us)
{
    int64_t now = http_monotonic_us();
    c->deadline_us = after_us < 0 ? INT64_MAX : now + after_us;
    if (c->deadline_us == INT64_MAX || (c->timer_us && c->timer_us <= c->deadline_us))
        return; /* a timer that comes too early looks again */
    struct timeval wait = {after_us / SECOND_US, after_us % SECOND_US};
    event_add(&c->timer, &wait);
    c->timer_us = c->deadline_us;
}

void http_connection_want_read(struct http_connection *c, bool want)
{
    if (want && !c->eof)
        event_add(&c->read_event, NULL);
    else
        event_del(&c->read_event);
}

/* ---- answering ---- */

static void answered(struct http_connection *c)
{
    request_end(c);
    c->told_gone = false;
    if (c->keep_alive) {
        c->state = HTTP_CONNECTION_HEAD;
        http_connection_set_deadline(c, c->server->options.timeout_s * SECOND_US);
        http_connection_want_read(c, true);
    } else if (c->eof) {
        http_connection_close(c);
    } else { /* unread bytes at close would reset the connection under the answer */
        c->state = HTTP_CONNECTION_LINGERING;
        shutdown(c->fd, SHUT_WR);
        http_connection_set_deadline(c, HTTP_LINGER_US);
        http_connection_want_read(c, true);
    }
}

void http_connection_flush(struct http_connection *c)
{
    while (c->sent < c->out.size) {
        ssize_t n = send(c->fd, c->out.data + c->sent, c->out.size - c->sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            if (!c->slow_reader) /* once: a byte taken now and then buys no time */
                http_connection_set_deadline(c, c->server->options.timeout_s * SECOND_US);
            c->slow_reader = true;
            event_add(&c->write_event, NULL);
            return;
        }
        if (n < 0) {
            http_connection_close(c);
            return;
        }
        c->sent += (size_t)n;
    }
    event_del(&c->write_event);
    answered(c);
}

static void answer(struct http_connection *c, int status, const char *type, struct slice body)
{
    c->keep_alive = c->keep_alive && !c->server->stopping;
    c->state = HTTP_CONNECTION_ANSWERING;
    if (c->fd < 0) {
        http_connection_close(c);
        return;
    }
    buf_reset(&c->out); /* what is left is a sent 100 Continue */
    http_answer_write(c->server, &c->out, c->request.head, c->keep_alive, status, type,
                      &c->request.headers, body);
    if (c->out.overflow)
        http_connection_close(c);
    else
        http_connection_flush(c);
}

static enum http_refusal refusal_of(int status)
{
    switch (status) {
    case 503:
        return HTTP_REFUSED_MEMORY;
    case 408:
        return HTTP_REFUSED_SLOW;
    case 413:
    case 431:
        return HTTP_REFUSED_TOO_LARGE;
    default:
        return HTTP_REFUSED_MALFORMED;
    }
}

/* The server's own answer to what it does not take; always the last on its connection. */
void http_connection_refuse(struct http_connection *c, int status)
{
    char text[512];
    c->server->refused[refusal_of(status)]++;
    c->keep_alive = false;
    buf_reset(&c->request.headers);
    if (status == 503)
        buf_append_str(&c->request.headers, "Retry-After: 1\r\n");
    if (c->request.head && c->server->options.refused)
        c->server->options.refused(&c->request, c->server->options.user);
    c->request.head = NULL; /* of a HEAD, too, the problem is told */
    answer(c, status, "application/problem+json", http_problem(status, text, sizeof(text)));
}

/* ---- the request, as its handler sees it ---- */

void http_response_header(struct http_request *request, const char *name, const char *value)
{
    if (strpbrk(name, "\r\n: ") || strpbrk(value, "\r\n"))
        return; /* a value from outside must not begin another header */
    buf_printf(&request->headers, "%s: %s\r\n", name, value);
}

void http_respond(struct http_request *request, int status, const char *content_type,
                  struct slice body)
{
    struct http_connection *c = request->connection;
    assert(c->state == HTTP_CONNECTION_HANDLING);
    c->depth++;
    answer(c, status, content_type, body);
    http_connection_advance(c);
    http_connection_leave(c);
}

/* One connection: what is read, when it is closed, how its request is handled and answered. */
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
        if (server->n_arenas < HTTP_KEEP_ARENAS)
            server->arenas[server->n_arenas++] = request->arena;
        else
            arena_destroy(&request->arena);
    }
    request->arena = NULL;
    request->head = NULL;
    request->user = NULL;
    request->gone = NULL;
    struct buf *bufs[] = {&request->body, &request->headers, &c->out};
    for (size_t i = 0; i < ARRAY_SIZE(bufs); i++) {
        if (bufs[i]->capacity > HTTP_KEEP_BYTES)
            buf_deinit(bufs[i]);
        else
            buf_reset(bufs[i]);
    }
    c->sent = 0;
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
    free(c);
}

static void tell_gone(struct http_connection *c)
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
    bool busy = c->busy;
    c->busy = true; /* gone() may answer */
    if (c->fd >= 0) {
        event_del(&c->read_event);
        event_del(&c->write_event);
        event_del(&c->timer);
        close(c->fd);
        c->fd = -1;
        tell_gone(c);
    }
    c->busy = busy;
    if (c->state != HTTP_CONNECTION_HANDLING)
        c->dead = true;
    if (c->dead && !c->busy)
        http_connection_destroy(c);
}

/* ---- time ---- */

static void set_deadline(struct http_connection *c, int64_t after_us)
{
    int64_t now = http_monotonic_us();
    c->deadline_us = after_us < 0 ? INT64_MAX : now + after_us;
    if (c->deadline_us == INT64_MAX || (c->timer_us && c->timer_us <= c->deadline_us))
        return; /* a timer that comes too early looks again */
    struct timeval wait = {after_us / SECOND_US, after_us % SECOND_US};
    event_add(&c->timer, &wait);
    c->timer_us = c->deadline_us;
}

static void want_read(struct http_connection *c, bool want)
{
    if (want && !c->eof)
        event_add(&c->read_event, NULL);
    else
        event_del(&c->read_event);
}

/* ---- answering ---- */

static void flush(struct http_connection *c);

static void answered(struct http_connection *c)
{
    request_end(c);
    c->told_gone = false;
    if (c->keep_alive) {
        c->state = HTTP_CONNECTION_HEAD;
        set_deadline(c, c->server->options.timeout_s * SECOND_US);
        want_read(c, true);
    } else if (c->eof) {
        http_connection_close(c);
    } else { /* unread bytes at close would reset the connection under the answer */
        c->state = HTTP_CONNECTION_LINGERING;
        shutdown(c->fd, SHUT_WR);
        set_deadline(c, HTTP_LINGER_US);
        want_read(c, true);
    }
}

static void flush(struct http_connection *c)
{
    while (c->sent < c->out.size) {
        ssize_t n = send(c->fd, c->out.data + c->sent, c->out.size - c->sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            set_deadline(c, c->server->options.timeout_s * SECOND_US);
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
        flush(c);
}

/* The server's own answer to what it does not take; always the last on its connection. */
static void refuse(struct http_connection *c, int status)
{
    char text[512];
    c->keep_alive = false;
    c->request.head = NULL;
    buf_reset(&c->request.headers);
    answer(c, status, "application/problem+json", http_problem(status, text, sizeof(text)));
}

/* ---- reading ---- */

static void consume(struct http_connection *c, size_t n)
{
    if (n == 0)
        return;
    c->in.size -= n;
    memmove(c->in.data, c->in.data + n, c->in.size);
    if (c->in.size == 0 && c->in.capacity > HTTP_KEEP_BYTES)
        buf_deinit(&c->in);
}

static void handle(struct http_connection *c)
{
    c->state = HTTP_CONNECTION_HANDLING;
    set_deadline(c, -1);
    c->server->options.handle(&c->request, c->server->options.user);
    if (c->state == HTTP_CONNECTION_HANDLING && c->eof)
        tell_gone(c);
}

/* Moves what there is of the body; true: something was decided. */
static bool take_body(struct http_connection *c)
{
    struct http_request *request = &c->request;
    size_t limit = c->server->options.body_limit;
    int done;
    if (request->head->chunked) {
        struct slice rest = buf_slice(&c->in);
        done = http_chunked_take(&c->chunked, &rest, &request->body, limit);
        consume(c, c->in.size - rest.size);
    } else {
        size_t left = (size_t)request->head->length - request->body.size;
        size_t n = left < c->in.size ? left : c->in.size;
        buf_append(&request->body, c->in.data, n);
        consume(c, n);
        done = n == left;
    }
    if (request->body.overflow)
        done = 413;
    if (done > 1)
        refuse(c, done);
    else if (done)
        handle(c);
    return done;
}

static void send_continue(struct http_connection *c)
{
    static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    /* 25 bytes into a socket whose last answer was taken; if it has no room the client goes on by
     * itself after a while */
    if (send(c->fd, text, sizeof(text) - 1, MSG_NOSIGNAL) < 0)
        errno = 0;
}

static bool request_begin(struct http_connection *c, size_t size)
{
    struct http_server *server = c->server;
    struct http_request *request = &c->request;
    request->arena =
        server->n_arenas
            ? server->arenas[--server->n_arenas]
            : arena_create(16 * (server->options.header_limit + server->options.body_limit) +
                           (1u << 20));
    if (!request->arena)
        return false;
    server->n_open++;
    request->head = arena_alloc(request->arena, sizeof(*request->head));
    char *text = arena_copy(request->arena, c->in.data, size);
    consume(c, size);
    c->scanned = 0;
    c->chunked = (struct http_chunked){0};
    if (!request->head || !text)
        return false;
    int status = http_head_parse(request->head, text, size);
    c->keep_alive = request->head->keep_alive;
    if (!status && request->head->length > server->options.body_limit)
        status = 413;
    if (status) {
        refuse(c, status);
        return true;
    }
    c->state = HTTP_CONNECTION_BODY;
    request->body.limit = server->options.body_limit + 1;
    set_deadline(c, server->options.timeout_s * SECOND_US);
    if (request->head->expect_continue && c->in.size == 0)
        send_continue(c);
    return true;
}

static bool take_head(struct http_connection *c)
{
    size_t blank = 0; /* empty lines before a request line are no request (RFC 9112, 2.2) */
    while (c->in.size - blank >= 2 && memcmp(c->in.data + blank, "\r\n", 2) == 0)
        blank += 2;
    if (blank) {
        consume(c, blank);
        c->scanned = 0;
    }
    size_t size = c->in.size ? http_head_size(buf_slice(&c->in), &c->scanned) : 0;
    size_t limit = c->server->options.header_limit;
    if (size > limit || (!size && c->in.size > limit)) {
        refuse(c, 431);
        return true;
    }
    if (!size) {
        if (c->in.size && !c->begun)
            set_deadline(c, c->server->options.timeout_s * SECOND_US);
        c->begun = c->in.size > 0;
        return false;
    }
    c->begun = false;
    if (!request_begin(c, size))
        http_connection_close(c);
    return true;
}

/* Everything that can be done with the bytes at hand; c may be gone afterwards. */
static void advance(struct http_connection *c)
{
    if (c->busy)
        return;
    c->busy = true;
    bool more = true;
    while (more && !c->dead) {
        if (c->state == HTTP_CONNECTION_HEAD)
            more = take_head(c);
        else if (c->state == HTTP_CONNECTION_BODY)
            more = take_body(c);
        else
            more = false;
    }
    if (c->state == HTTP_CONNECTION_LINGERING)
        buf_deinit(&c->in);
    c->busy = false;
    bool waiting = c->state == HTTP_CONNECTION_HANDLING || c->state == HTTP_CONNECTION_ANSWERING;
    if (c->dead)
        http_connection_destroy(c);
    else if (c->eof && !waiting)
        http_connection_close(c);
    else if (c->fd >= 0)
        want_read(c, !waiting || c->in.size < HTTP_AHEAD_BYTES);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct http_connection *c = arg;
    uint8_t *room = buf_extend(&c->in, HTTP_READ_BYTES);
    if (!room) {
        http_connection_close(c);
        return;
    }
    ssize_t n = recv(fd, room, HTTP_READ_BYTES, 0);
    int error = errno;
    c->in.size -= HTTP_READ_BYTES - (n > 0 ? (size_t)n : 0);
    if (n < 0) {
        if (error != EAGAIN && error != EWOULDBLOCK && error != EINTR)
            http_connection_close(c);
        return;
    }
    if (n == 0) {
        c->eof = true; /* perhaps only its sending side: the answer is tried all the same */
        want_read(c, false);
        c->busy = true;
        tell_gone(c);
        c->busy = false;
    }
    advance(c);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct http_connection *c = arg;
    c->busy = true;
    flush(c);
    c->busy = false;
    advance(c);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct http_connection *c = arg;
    int64_t now = http_monotonic_us(), left = c->deadline_us - now;
    c->timer_us = 0;
    if (c->deadline_us == INT64_MAX)
        return; /* whoever ends the waiting sets it again */
    if (left > 0) {
        set_deadline(c, left);
        return;
    }
    bool begun =
        c->state == HTTP_CONNECTION_BODY || (c->state == HTTP_CONNECTION_HEAD && c->in.size > 0);
    if (!begun) {
        http_connection_close(c);
        return;
    }
    c->busy = true;
    refuse(c, 408);
    c->busy = false;
    advance(c);
}

int http_connection_create(struct http_server *server, int fd, const char *peer)
{
    struct http_connection *c = calloc(1, sizeof(*c));
    if (!c)
        return ERR_NO_MEMORY;
    c->server = server;
    c->fd = fd;
    c->request.connection = c;
    c->in.limit = server->options.header_limit + HTTP_AHEAD_BYTES + 2 * HTTP_READ_BYTES;
    strncpy(c->peer, peer, sizeof(c->peer) - 1);
    event_assign(&c->read_event, server->base, fd, EV_READ | EV_PERSIST, on_readable, c);
    event_assign(&c->write_event, server->base, fd, EV_WRITE | EV_PERSIST, on_writable, c);
    event_assign(&c->timer, server->base, -1, 0, on_timer, c);
    LIST_INSERT_HEAD(&server->connections, c, link);
    server->n_connections++;
    set_deadline(c, server->options.timeout_s * SECOND_US);
    want_read(c, true);
    return STATUS_OK;
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
    if (c->busy) {
        answer(c, status, content_type, body);
        return;
    }
    c->busy = true;
    answer(c, status, content_type, body);
    c->busy = false;
    advance(c);
}

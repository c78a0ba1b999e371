/* What comes in on a connection: heads, bodies, the end, too late. */
#include "server_internal.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

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
    http_connection_set_deadline(c, -1);
    c->server->options.handle(&c->request, c->server->options.user);
    if (c->state == HTTP_CONNECTION_HANDLING && c->eof)
        http_connection_tell_gone(c);
}

/* Moves what there is of the body; true: something was decided. */
static bool take_body(struct http_connection *c)
{
    struct http_request *request = &c->request;
    size_t limit = c->server->options.body_limit;
    int done;
    if (http_server_full(c->server)) {
        http_connection_refuse(c, 503);
        return true;
    }
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
        http_connection_refuse(c, done);
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
            : arena_create_counted(
                  16 * (server->options.header_limit + server->options.body_limit) + (1u << 20),
                  &server->arena_bytes);
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
        http_connection_refuse(c, status);
        return true;
    }
    c->state = HTTP_CONNECTION_BODY;
    request->body.limit = server->options.body_limit + 1;
    http_connection_set_deadline(c, server->options.timeout_s * SECOND_US);
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
    if (c->in.size && http_server_full(c->server)) {
        http_connection_refuse(c, 503);
        return true;
    }
    size_t size = c->in.size ? http_head_size(buf_slice(&c->in), &c->scanned) : 0;
    size_t limit = c->server->options.header_limit;
    if (size > limit || (!size && c->in.size > limit)) {
        http_connection_refuse(c, 431);
        return true;
    }
    if (!size) {
        if (c->in.size && !c->begun)
            http_connection_set_deadline(c, c->server->options.timeout_s * SECOND_US);
        c->begun = c->in.size > 0;
        return false;
    }
    c->begun = false;
    if (!request_begin(c, size))
        http_connection_close(c);
    return true;
}

void http_connection_advance(struct http_connection *c)
{
    if (c->advancing)
        return;
    c->advancing = true;
    bool more = true;
    while (more && !c->dead) {
        if (c->state == HTTP_CONNECTION_HEAD)
            more = take_head(c);
        else if (c->state == HTTP_CONNECTION_BODY)
            more = take_body(c);
        else
            more = false;
    }
    c->advancing = false;
    if (c->state == HTTP_CONNECTION_LINGERING)
        buf_deinit(&c->in);
    bool waiting = c->state == HTTP_CONNECTION_HANDLING || c->state == HTTP_CONNECTION_ANSWERING;
    if (c->eof && !waiting)
        http_connection_close(c);
    else if (c->fd >= 0)
        http_connection_want_read(
            c, !waiting || c->in.size <
                               (http_server_tight(c->server) ? HTTP_READ_BYTES : HTTP_AHEAD_BYTES));
}

static void receive(struct http_connection *c)
{
    uint8_t *scratch = c->server->scratch; /* so that a few bytes take no more than that */
    ssize_t n = recv(c->fd, scratch, HTTP_READ_BYTES, 0);
    int error = errno;
    if (n > 0)
        buf_append(&c->in, scratch, (size_t)n);
    bool broken = n < 0 && error != EAGAIN && error != EWOULDBLOCK && error != EINTR;
    if (broken || c->in.overflow) {
        http_connection_close(c);
    } else if (n == 0) {
        c->eof = true; /* perhaps only its sending side: the answer is tried all the same */
        http_connection_tell_gone(c);
    }
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct http_connection *c = arg;
    c->depth++;
    receive(c);
    http_connection_advance(c);
    http_connection_leave(c);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct http_connection *c = arg;
    c->depth++;
    http_connection_flush(c);
    http_connection_advance(c);
    http_connection_leave(c);
}

static void too_late(struct http_connection *c)
{
    if (c->state == HTTP_CONNECTION_BODY || (c->state == HTTP_CONNECTION_HEAD && c->in.size > 0))
        http_connection_refuse(c, 408);
    else {
        c->server->refused[HTTP_REFUSED_SLOW] += c->state == HTTP_CONNECTION_ANSWERING;
        http_connection_close(c);
    }
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct http_connection *c = arg;
    int64_t left = c->deadline_us - http_monotonic_us();
    c->timer_us = 0;
    if (c->deadline_us == INT64_MAX)
        return; /* whoever ends the waiting sets it again */
    if (left > 0) {
        http_connection_set_deadline(c, left);
        return;
    }
    c->depth++;
    too_late(c);
    http_connection_advance(c);
    http_connection_leave(c);
}

int http_connection_create(struct http_server *server, int fd, const char *peer,
                           const uint8_t owner[16])
{
    struct http_connection *c = calloc(1, sizeof(*c));
    if (!c)
        return ERR_NO_MEMORY;
    c->server = server;
    c->fd = fd;
    c->request.connection = c;
    c->in.limit = server->options.header_limit + HTTP_AHEAD_BYTES + 2 * HTTP_READ_BYTES;
    memcpy(c->owner, owner, sizeof(c->owner));
    strncpy(c->peer, peer, sizeof(c->peer) - 1);
    event_assign(&c->read_event, server->base, fd, EV_READ | EV_PERSIST, on_readable, c);
    event_assign(&c->write_event, server->base, fd, EV_WRITE | EV_PERSIST, on_writable, c);
    event_assign(&c->timer, server->base, -1, 0, on_timer, c);
    LIST_INSERT_HEAD(&server->connections, c, link);
    server->n_connections++;
    http_connection_set_deadline(c, server->options.timeout_s * SECOND_US);
    http_connection_want_read(c, true);
    return STATUS_OK;
}

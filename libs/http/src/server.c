/* The server: listening, the limit on connections, what handlers ask of a request. */
#include "server_internal.h"
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    /* Linux's own limit: whoever finds the queue full tries again after 1 s, then 2 s, then 4 s. */
    BACKLOG = 4096
};

static void peer_text(char *out, size_t size, const struct sockaddr *address)
{
    const void *from = NULL;
    out[0] = 0;
    if (address->sa_family == AF_INET)
        from = &((const struct sockaddr_in *)(const void *)address)->sin_addr;
    else if (address->sa_family == AF_INET6)
        from = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
    if (!from || !inet_ntop(address->sa_family, from, out, (socklen_t)size))
        out[0] = 0;
}

/* Who owns the address: of IPv6 the network, as one client has all of it. */
static void peer_owner(uint8_t out[16], const struct sockaddr *address)
{
    memset(out, 0, 16);
    if (address->sa_family == AF_INET) {
        out[15] = 4;
        memcpy(out, &((const struct sockaddr_in *)(const void *)address)->sin_addr, 4);
    } else if (address->sa_family == AF_INET6) {
        memcpy(out, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, 8);
    }
}

/* As much as a word before the door is shut: it is lost when the client's request came first. */
static void turn_away(struct http_server *server, int fd, enum http_refusal refusal)
{
    _cleanup_(buf_deinit) struct buf out = {0}, headers = {0};
    char text[512];
    server->refused[refusal]++;
    buf_append_str(&headers, "Retry-After: 1\r\n");
    http_answer_write(server, &out, NULL, false, 503, "application/problem+json", &headers,
                      http_problem(503, text, sizeof(text)));
    (void)!send(fd, out.data, out.size, MSG_NOSIGNAL | MSG_DONTWAIT);
    close(fd);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address,
                      int size, void *arg)
{
    struct http_server *server = arg;
    char peer[48];
    uint8_t owner[16];
    unsigned limit = server->options.address_connection_limit;
    int on = 1;
    peer_owner(owner, address);
    bool full = server->n_connections >= server->options.connection_limit;
    if (full || !http_peers_add(server->peers, owner, limit ? limit : UINT_MAX)) {
        turn_away(server, fd, full ? HTTP_REFUSED_CONNECTIONS : HTTP_REFUSED_ADDRESS);
        return;
    }
    peer_text(peer, sizeof(peer), address);
    /* small answers must not wait for the client's acknowledgements; without it they are slower */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (http_connection_create(server, fd, peer, owner) < 0) {
        http_peers_remove(server->peers, owner);
        close(fd);
    }
}

/* Out of descriptors, mostly: accepting again at once would spin. */
static void on_accept_error(struct evconnlistener *listener, void *arg)
{
    struct http_server *server = arg;
    struct timeval pause = {0, 100000};
    evconnlistener_disable(listener);
    event_add(server->accept_again, &pause);
}

static void on_accept_again(evutil_socket_t fd, short what, void *arg)
{
    struct http_server *server = arg;
    if (server->listener)
        evconnlistener_enable(server->listener);
}

static int server_listen(struct http_server *server, struct err *err)
{
    const struct http_server_options *options = &server->options;
    char port[8];
    struct addrinfo *found = NULL;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV};
    (void)snprintf(port, sizeof(port), "%u", options->port);
    int bad = getaddrinfo(options->address, port, &hints, &found);
    if (bad)
        return err_set(err, ERR_INVALID, ERR_CLASS_FATAL, "cannot listen on %s: %s",
                       options->address, gai_strerror(bad));
    server->listener =
        evconnlistener_new_bind(server->base, on_accept, server,
                                LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE,
                                BACKLOG, found->ai_addr, (int)found->ai_addrlen);
    int error = errno;
    freeaddrinfo(found);
    if (!server->listener)
        return err_set(err, ERR_UNAVAILABLE, ERR_CLASS_FATAL, "cannot listen on %s port %s: %s",
                       options->address, port, strerror(error));
    evconnlistener_set_error_cb(server->listener, on_accept_error);
    return STATUS_OK;
}

static int server_read_port(struct http_server *server, struct err *err)
{
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
    } bound = {.in6 = {0}};
    socklen_t size = sizeof(bound);
    if (getsockname(evconnlistener_get_fd(server->listener), &bound.any, &size) != 0)
        return err_set(err, ERR_INTERNAL, ERR_CLASS_FATAL, "getsockname: %s", strerror(errno));
    server->port = ntohs(bound.any.sa_family == AF_INET6 ? bound.in6.sin6_port : bound.in.sin_port);
    return STATUS_OK;
}

int http_server_create(struct http_server **out, struct event_base *base,
                       const struct http_server_options *options, struct err *err)
{
    struct http_server *server = calloc(1, sizeof(*server));
    if (!server)
        return err_set(err, ERR_NO_MEMORY, ERR_CLASS_FATAL, "no memory for an HTTP server");
    server->base = base;
    server->options = *options;
    LIST_INIT(&server->connections);
    int status = STATUS_OK;
    server->accept_again = event_new(base, -1, 0, on_accept_again, server);
    server->peers = http_peers_create(options->connection_limit);
    if (!server->accept_again || !server->peers)
        status = err_set(err, ERR_NO_MEMORY, ERR_CLASS_FATAL, "no memory for an HTTP server");
    if (!status)
        status = server_listen(server, err);
    if (!status)
        status = server_read_port(server, err);
    if (status) {
        http_server_destroy(&server);
        return status;
    }
    *out = server;
    return STATUS_OK;
}

uint16_t http_server_port(const struct http_server *server)
{
    return server->port;
}

void http_server_stop_accepting(struct http_server *server)
{
    server->stopping = true;
    if (server->listener)
        evconnlistener_free(server->listener);
    server->listener = NULL;
}

unsigned http_server_open_requests(const struct http_server *server)
{
    return server->n_open;
}

unsigned http_server_connections(const struct http_server *server)
{
    return server->n_connections;
}

size_t http_server_bytes(const struct http_server *server)
{
    return server->buffer_bytes + server->arena_bytes;
}

uint64_t http_server_refused(const struct http_server *server, enum http_refusal refusal)
{
    return server->refused[refusal];
}

const char *http_refusal_name(enum http_refusal refusal)
{
    static const char *const names[HTTP_REFUSALS] = {
#define ROW(id, reason) [HTTP_REFUSED_##id] = (reason),
        HTTP_REFUSAL_TABLE(ROW)
#undef ROW
    };
    return names[refusal];
}

void http_server_destroy(struct http_server **out)
{
    struct http_server *server = *out;
    if (!server)
        return;
    *out = NULL;
    http_server_stop_accepting(server);
    struct http_connection *connection, *next;
    for (connection = LIST_FIRST(&server->connections); connection; connection = next) {
        next = LIST_NEXT(connection, link);
        http_connection_destroy(connection);
    }
    while (server->n_arenas)
        arena_destroy(&server->arenas[--server->n_arenas]);
    http_peers_destroy(&server->peers);
    if (server->accept_again)
        event_free(server->accept_again);
    free(server);
}

/* ---- what handlers ask ---- */

enum http_method http_request_method(const struct http_request *request)
{
    return request->head->method;
}

struct slice http_request_path(const struct http_request *request)
{
    return request->head->path;
}

struct slice http_request_query(const struct http_request *request)
{
    return request->head->query;
}

const char *http_request_header(const struct http_request *request, const char *name)
{
    return http_head_get(request->head, name);
}

unsigned http_request_header_lines(const struct http_request *request, const char *name,
                                   const char **lines, unsigned max)
{
    const struct http_head *head = request->head;
    unsigned n = 0;
    for (unsigned i = head->n_headers; i > 0 && n < max; i--)
        if (strcasecmp(head->headers[i - 1].name, name) == 0)
            lines[n++] = head->headers[i - 1].value;
    for (unsigned i = 0; i < n / 2; i++) {
        const char *line = lines[i];
        lines[i] = lines[n - 1 - i];
        lines[n - 1 - i] = line;
    }
    return n;
}

struct slice http_request_body(const struct http_request *request)
{
    return buf_slice(&request->body);
}

const char *http_request_peer(const struct http_request *request)
{
    return request->connection->peer;
}

struct arena *http_request_arena(struct http_request *request)
{
    return request->arena;
}

void *http_request_user(const struct http_request *request)
{
    return request->user;
}

void http_request_set_user(struct http_request *request, void *user,
                           void (*gone)(struct http_request *request))
{
    request->user = user;
    request->gone = gone;
}

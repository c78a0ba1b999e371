#pragma once
/*
 * The server's own parts. A connection carries one request at a time:
 *
 *   HEAD ──► BODY ──► HANDLING ──(http_respond)──► ANSWERING ──► HEAD, or LINGERING ──► closed
 *     └───── refused: 400 408 413 431 501 503 505 ───▲
 *
 * Bytes that a client sends ahead (pipelining) wait in `in` up to a bound, then in the kernel.
 */
#include "parse.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <event2/listener.h>
#include <sys/queue.h>

#define HTTP_READ_BYTES  ((size_t)16384)
#define HTTP_AHEAD_BYTES 65536 /* of requests sent before the answer to the one in hand */
#define HTTP_KEEP_BYTES  4096  /* of each buffer of an idle connection */
#define HTTP_KEEP_ARENAS 32
#define HTTP_LINGER_US   (2 * SECOND_US) /* reading on, so that a refusal is not lost in a reset */

enum http_connection_state {
    HTTP_CONNECTION_HEAD,
    HTTP_CONNECTION_BODY,
    HTTP_CONNECTION_HANDLING,
    HTTP_CONNECTION_ANSWERING,
    HTTP_CONNECTION_LINGERING,
};

struct http_request {
    struct http_connection *connection;
    struct arena *arena; /* NULL: no request in hand */
    struct http_head *head;
    struct buf body, headers; /* headers: of the answer, ready lines */
    void *user;
    void (*gone)(struct http_request *request);
};

struct http_connection {
    LIST_ENTRY(http_connection) link;
    struct http_server *server;
    enum http_connection_state state;
    int fd; /* -1: closed, kept only until its request is answered */
    struct event read_event, write_event, timer;
    int64_t deadline_us, timer_us; /* monotonic; timer_us 0: not set */
    struct buf in, out;
    size_t scanned, sent;
    struct http_chunked chunked;
    struct http_request request;
    unsigned depth; /* callers on the stack; the last to leave frees what is dead */
    bool dead;
    bool advancing;
    bool begun; /* the first bytes of a head are here */
    bool eof, keep_alive, told_gone;
    bool slow_reader; /* the deadline is that of taking the answer */
    size_t bytes;     /* of its buffers, as the server counts them */
    uint8_t owner[16];
    char peer[48];
};

struct http_peers; /* peers.c */

struct http_server {
    struct event_base *base;
    struct http_server_options options;
    struct evconnlistener *listener;
    struct event *accept_again;
    LIST_HEAD(, http_connection) connections;
    unsigned n_connections, n_open;
    uint64_t refused[HTTP_REFUSALS];
    struct http_peers *peers;
    size_t buffer_bytes, arena_bytes;
    uint8_t scratch[HTTP_READ_BYTES];
    bool stopping;
    uint16_t port;
    struct arena *arenas[HTTP_KEEP_ARENAS];
    unsigned n_arenas;
    int64_t date_s;
    char date[32];
};

int64_t http_monotonic_us(void);
/* Over this share of the limit nothing is kept for later; over all of it nothing is taken in. */
static inline bool http_server_tight(const struct http_server *server)
{
    return server->options.memory_limit &&
           http_server_bytes(server) > server->options.memory_limit / 2;
}
static inline bool http_server_full(const struct http_server *server)
{
    return server->options.memory_limit && http_server_bytes(server) > server->options.memory_limit;
}
int http_connection_create(struct http_server *server, int fd, const char *peer,
                           const uint8_t owner[16]);
void http_connection_destroy(struct http_connection *connection); /* on the server's end */

/* connection.c; each may leave the connection dead, for http_connection_leave() to free. */
void http_connection_leave(struct http_connection *connection); /* after depth++ */
void http_connection_close(struct http_connection *connection);
void http_connection_tell_gone(struct http_connection *connection);
void http_connection_set_deadline(struct http_connection *connection,
                                  int64_t after_us); /* -1: none */
void http_connection_want_read(struct http_connection *connection, bool want);
void http_connection_flush(struct http_connection *connection);
void http_connection_refuse(struct http_connection *connection, int status);
/* receive.c: everything that can be done with the bytes at hand */
void http_connection_advance(struct http_connection *connection);

/* peers.c: how many connections each address has */
struct http_peers *http_peers_create(unsigned connections);
void http_peers_destroy(struct http_peers **peers);
bool http_peers_add(struct http_peers *peers, const uint8_t owner[16],
                    unsigned limit); /* false: it has so many */
void http_peers_remove(struct http_peers *peers, const uint8_t owner[16]);

/* The answer as bytes, appended to out. */
void http_answer_write(struct http_server *server, struct buf *out, const struct http_head *head,
                       bool keep_alive, int status, const char *content_type,
                       const struct buf *headers, struct slice body);
/* The body of a refusal that the server makes by itself (application/problem+json). */
struct slice http_problem(int status, char *out, size_t size);

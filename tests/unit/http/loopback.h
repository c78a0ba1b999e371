#pragma once
/* A real server on a free loopback port, and clients as plain sockets driven by the same loop. */
#include "http.h"

#include <errno.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <event2/event.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>

#include "test.h"

#define LOOPBACK_BIG 12000000 /* more than the sockets of both sides hold */

struct loopback {
    struct event_base *base;
    struct http_server *server;
    struct http_request *held; /* by GET /later, to be answered by the test */
    unsigned handled, gone;
    struct slice last_body;
};

static inline void loopback_gone(struct http_request *request)
{
    struct loopback *l = http_request_user(request);
    l->gone++;
}

/* /echo answers what it was sent, /later is held, everything else says method, path and query. */
static inline void loopback_handle(struct http_request *request, void *user)
{
    struct loopback *l = user;
    struct slice path = http_request_path(request);
    l->handled++;
    if (slice_equal_str(path, "/later")) {
        http_request_set_user(request, l, loopback_gone);
        l->held = request;
    } else if (slice_equal_str(path, "/echo")) {
        http_response_header(request, "X-Echo", "yes");
        http_response_header(request, "X-Bad", "a\r\nX-Injected: b");
        http_respond(request, 200, "text/plain", http_request_body(request));
    } else if (slice_equal_str(path, "/big")) {
        uint8_t *big = arena_alloc(http_request_arena(request), LOOPBACK_BIG);
        memset(big, 'x', LOOPBACK_BIG);
        http_respond(request, 200, "text/plain", slice_make(big, LOOPBACK_BIG));
    } else if (slice_equal_str(path, "/busy")) {
        http_response_header(request, "Retry-After", "7");
        http_respond(request, 503, NULL, slice_make(NULL, 0));
    } else if (slice_equal_str(path, "/empty")) {
        http_respond(request, 204, NULL, slice_make(NULL, 0));
    } else {
        struct slice query = http_request_query(request);
        char *text =
            arena_printf(http_request_arena(request), "%d %.*s %.*s %s",
                         http_request_method(request), (int)path.size, (const char *)path.data,
                         (int)query.size, (const char *)query.data, http_request_peer(request));
        http_respond(request, 200, "text/plain", slice_str(text));
    }
}

static inline void loopback_start(struct loopback *l, struct http_server_options options)
{
    struct err err = {0};
    *l = (struct loopback){.base = event_base_new()};
    options.address = "127.0.0.1";
    options.user = l;
    options.handle = loopback_handle;
    if (!options.header_limit)
        options.header_limit = 8192;
    if (!options.body_limit)
        options.body_limit = 1 << 20;
    if (!options.timeout_s)
        options.timeout_s = 30;
    if (!options.connection_limit)
        options.connection_limit = 100;
    if (http_server_create(&l->server, l->base, &options, &err) < 0)
        fail_msg("%s", err.message);
}

static inline void loopback_stop(struct loopback *l)
{
    http_server_destroy(&l->server);
    event_base_free(l->base);
}

static inline void loopback_turn(struct loopback *l)
{
    event_base_loop(l->base, EVLOOP_NONBLOCK);
    poll(NULL, 0, 1);
}

static inline int loopback_connect(struct loopback *l)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(http_server_port(l->server)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_true(fd >= 0);
    if (connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0)
        assert_int_equal(errno, EINPROGRESS);
    for (int i = 0; i < 5; i++)
        loopback_turn(l);
    return fd;
}

static inline void loopback_send(struct loopback *l, int fd, const char *data, size_t size)
{
    while (size) {
        ssize_t n = send(fd, data, size, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN)
            return; /* the server may have closed: the test looks at what it reads */
        if (n > 0) {
            data += n;
            size -= (size_t)n;
        }
        loopback_turn(l);
    }
}

static inline void loopback_say(struct loopback *l, int fd, const char *text)
{
    loopback_send(l, fd, text, strlen(text));
}

/* Reads until `want` occurs `times` times or, want NULL, until the server closes; at most wait_ms. */
static inline const char *loopback_read(struct loopback *l, int fd, struct buf *got,
                                        const char *want, int times, int wait_ms)
{
    for (int i = 0; i < wait_ms; i++) {
        char data[65536];
        ssize_t n = recv(fd, data, sizeof(data), 0);
        if (n > 0)
            buf_append(got, data, (size_t)n);
        if (n == 0 || (n < 0 && errno == ECONNRESET))
            return want ? "closed" : NULL;
        int seen = 0;
        for (const char *p = (const char *)got->data; want && p && (p = strstr(p, want)); p++)
            seen++;
        if (want && seen >= times)
            return NULL;
        loopback_turn(l);
    }
    return "nothing came";
}

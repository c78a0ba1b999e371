#pragma once
/*
 * http: a small HTTP/1.1 server, and a client over libcurl's multi interface, both on one libevent event_base.
 *
 * Server: routes are rows; a request lives until it is answered, also later from another callback. Limits on header,
 * body, connections and time to send a body are set once. Problems are RFC 9457 answers.
 *
 * The server parses by itself (src/parse.c) on plain sockets and libevent's events. evhttp 2.1.12 cannot bound
 * connections, answers a head too large with 400, sees no hang-up while a request is handled, waits for ever on a body
 * that trickles, takes the rest of a refused body for the next request, and takes both Content-Length and
 * Transfer-Encoding.
 */
#include "base.h"

struct event_base;
struct http_server;
struct http_request;

enum http_method {
    HTTP_GET = 1,
    HTTP_POST = 2,
    HTTP_PUT = 4,
    HTTP_DELETE = 8,
    HTTP_OPTIONS = 16,
    HTTP_HEAD = 32,
    HTTP_PATCH = 64
};

struct http_server_options {
    const char *address;             /* "127.0.0.1" */
    uint16_t port;                   /* 0: a free one, see http_server_port */
    size_t header_limit, body_limit; /* bytes; over them 431, 413 */
    /* How long each may take in all, whatever trickles: a head, a body, the client's taking of an answer, idling. */
    int timeout_s;
    unsigned connection_limit;         /* beyond it new ones hear 503 and are closed at once */
    unsigned address_connection_limit; /* the same of one address (of IPv6: 64 bits); 0: none */
    /* Bytes that connections and open requests hold, arenas included; beyond it what comes in is refused with 503. 0: none */
    size_t memory_limit;
    void *user;
    void (*handle)(struct http_request *request, void *user); /* every request */
    /* NULL, or: the server refuses by itself a request whose head it knows; headers may be added to its answer, and no more */
    void (*refused)(struct http_request *request, void *user);
};

int http_server_create(struct http_server **server, struct event_base *base,
                       const struct http_server_options *options, struct err *err) MUST_CHECK;
uint16_t http_server_port(const struct http_server *server);
void http_server_stop_accepting(
    struct http_server *server); /* open requests go on; keep-alive ends with the next answer */
/* Requests whose answer is not yet wholly sent; 0: drained. */
unsigned http_server_open_requests(const struct http_server *server);
unsigned http_server_connections(const struct http_server *server);
size_t http_server_bytes(const struct http_server *server); /* see memory_limit */

/* HTTP_REFUSAL(id, "reason"): what the server refuses by itself */
#define HTTP_REFUSAL_TABLE(REFUSAL)                                                                \
    REFUSAL(CONNECTIONS, "connections")                                                            \
    REFUSAL(ADDRESS, "address_connections")                                                        \
    REFUSAL(MEMORY, "memory")                                                                      \
    REFUSAL(SLOW, "slow")           /* a head, a body, or taking an answer */                      \
    REFUSAL(TOO_LARGE, "too_large") /* 413, 431 */                                                 \
    REFUSAL(MALFORMED, "malformed") /* no HTTP that is spoken here: 400, 501, 505 */

enum http_refusal {
#define HTTP_REFUSAL_ENUM(id, reason) HTTP_REFUSED_##id,
    HTTP_REFUSAL_TABLE(HTTP_REFUSAL_ENUM)
#undef HTTP_REFUSAL_ENUM
    HTTP_REFUSALS
};
const char *http_refusal_name(enum http_refusal refusal);
uint64_t http_server_refused(const struct http_server *server,
                             enum http_refusal refusal); /* since the start */
/* Not from inside a request's callbacks. Requests without an answer die with it: do not answer them afterwards. */
void http_server_destroy(struct http_server **server);

enum http_method http_request_method(const struct http_request *request);
struct slice http_request_path(const struct http_request *request); /* raw, before '?' */
struct slice
http_request_query(const struct http_request *request); /* raw, after '?', may be empty */
const char *http_request_header(const struct http_request *request,
                                const char *name); /* NULL: none; case-insensitive */
/* All lines of a header that may come several times, in order; the last `max` of them. Returns how many they are. */
unsigned http_request_header_lines(const struct http_request *request, const char *name,
                                   const char **lines, unsigned max);
struct slice http_request_body(const struct http_request *request);
const char *http_request_peer(const struct http_request *request);
/* One arena per request; everything of the request may live in it. */
struct arena *http_request_arena(struct http_request *request);
void *http_request_user(const struct http_request *request);
/* user: the owner's; gone(): the client hung up before the answer (the request is still to be answered, into nothing;
 * it may be answered from inside gone()). At most once per request, never from inside handle(). */
void http_request_set_user(struct http_request *request, void *user,
                           void (*gone)(struct http_request *request));
void http_response_header(struct http_request *request, const char *name, const char *value);
/* Ends the request. content_type NULL: no body. */
void http_respond(struct http_request *request, int status, const char *content_type,
                  struct slice body);

/* Path segments: matches "/api/journey/sessions/{id}/stage", fills up to max parameters, percent-decoded into the arena. */
bool http_path_match(const char *pattern, struct slice path, struct arena *arena,
                     struct slice *parameters, unsigned max);
/* The first value of a query parameter, decoded; data NULL: none. */
struct slice http_query_get(struct slice query, const char *name, struct arena *arena);

/* ---- client ---- */

struct http_client;
struct http_client_request {
    enum http_method method;
    const char *url;
    const char *const *headers; /* "Name: value", NULL-terminated, or NULL */
    struct slice body;          /* copied */
    int64_t timeout_ms;
    void (*done)(const struct http_client_request *request, int status, struct slice body,
                 const struct err *err); /* status 0: no answer */
    void *user;
    int64_t retry_after_s; /* for done(): what the answer asks for; 0: nothing */
};
int http_client_create(struct http_client **client, struct event_base *base,
                       unsigned max_connections, struct err *err) MUST_CHECK;
/* Copies the struct with all it points to; done() comes once, from the loop, never from inside send. ERR_FULL: 16 requests
 * for each connection wait already. Answers over 4 MiB and requests without an answer are errors; a redirect is an answer. */
int http_client_send(struct http_client *client, const struct http_client_request *request,
                     struct err *err);
unsigned http_client_open(const struct http_client *client);
void http_client_destroy(struct http_client **client); /* done() is not called any more */

#pragma once
/*
 * The bytes of a request, without any I/O: the head (request line and headers) and the chunked form
 * of a body. Strict where leniency lets two readers of the same bytes disagree (RFC 9112, 11.2):
 * lines end with CRLF, no folded headers, one Content-Length, never beside Transfer-Encoding.
 */
#include "http.h"

#define HTTP_MAX_HEADERS 100

struct http_header {
    const char *name, *value;
};

struct http_head {
    enum http_method method;
    struct slice path, query;
    struct http_header headers[HTTP_MAX_HEADERS];
    unsigned n_headers;
    unsigned minor;  /* of HTTP/1.x */
    uint64_t length; /* of the body; 0 when chunked */
    bool chunked, keep_alive, expect_continue;
};

/* Bytes of the head with its empty line, 0: it is not complete. *scanned (0 at first) remembers how
 * far the search came, so that a slow head is not searched again from its start. */
size_t http_head_size(struct slice in, size_t *scanned);
/* Parses a whole head in place (text[size] is NUL; head points into text). Returns 0, or the status
 * that refuses it: 400, 431, 501, 505. */
int http_head_parse(struct http_head *head, char *text, size_t size);
const char *http_head_get(const struct http_head *head, const char *name); /* NULL: none */

struct http_chunked {
    int state;       /* 0 at first */
    uint64_t left;   /* of the chunk */
    size_t overhead; /* bytes that were no data: extensions, trailers */
    unsigned digits;
};
/* Moves data from the front of *in to body. Returns 1: the body is complete, 0: more is needed, or
 * the status that refuses it: 400, 413 (body over limit). */
int http_chunked_take(struct http_chunked *chunked, struct slice *in, struct buf *body,
                      size_t limit);

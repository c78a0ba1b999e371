/* Answers as bytes: status line, Date, the request's own headers, the body. */
#include "server_internal.h"
#include <stdio.h>
#include <time.h>

static const char *status_text(int status)
{
    static const struct {
        int status;
        const char *text;
    } texts[] = {{100, "Continue"},
                 {200, "OK"},
                 {201, "Created"},
                 {202, "Accepted"},
                 {204, "No Content"},
                 {301, "Moved Permanently"},
                 {302, "Found"},
                 {303, "See Other"},
                 {304, "Not Modified"},
                 {307, "Temporary Redirect"},
                 {308, "Permanent Redirect"},
                 {400, "Bad Request"},
                 {401, "Unauthorized"},
                 {403, "Forbidden"},
                 {404, "Not Found"},
                 {405, "Method Not Allowed"},
                 {406, "Not Acceptable"},
                 {408, "Request Timeout"},
                 {409, "Conflict"},
                 {410, "Gone"},
                 {412, "Precondition Failed"},
                 {413, "Content Too Large"},
                 {415, "Unsupported Media Type"},
                 {422, "Unprocessable Content"},
                 {429, "Too Many Requests"},
                 {431, "Request Header Fields Too Large"},
                 {500, "Internal Server Error"},
                 {501, "Not Implemented"},
                 {502, "Bad Gateway"},
                 {503, "Service Unavailable"},
                 {504, "Gateway Timeout"},
                 {505, "HTTP Version Not Supported"}};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        if (texts[i].status == status)
            return texts[i].text;
    }
    return "Unknown";
}

/* Made anew once a second. */
static const char *date_text(struct http_server *server)
{
    time_t now = time(NULL);
    if ((int64_t)now != server->date_s) {
        struct tm tm;
        gmtime_r(&now, &tm);
        if (strftime(server->date, sizeof(server->date), "%a, %d %b %Y %H:%M:%S GMT", &tm) == 0)
            server->date[0] = 0;
        server->date_s = (int64_t)now;
    }
    return server->date;
}

void http_answer_write(struct http_server *server, struct buf *out, const struct http_head *head,
                       bool keep_alive, int status, const char *content_type,
                       const struct buf *headers, struct slice body)
{
    bool bodiless = status == 204 || status == 304 || status < 200;
    buf_printf(out, "HTTP/1.1 %d %s\r\nDate: %s\r\n", status, status_text(status),
               date_text(server));
    if (content_type && !bodiless)
        buf_printf(out, "Content-Type: %s\r\n", content_type);
    if (!bodiless)
        buf_printf(out, "Content-Length: %zu\r\n", content_type ? body.size : 0);
    if (!keep_alive)
        buf_append_str(out, "Connection: close\r\n");
    else if (head && head->minor == 0)
        buf_append_str(out, "Connection: keep-alive\r\n");
    if (headers)
        buf_append(out, headers->data, headers->size);
    buf_append_str(out, "\r\n");
    if (content_type && !bodiless && !(head && head->method == HTTP_HEAD))
        buf_append_slice(out, body);
}

struct slice http_problem(int status, char *out, size_t size)
{
    static const struct {
        int status;
        const char *code, *detail;
    } problems[] = {
        {400, "invalid_request", "the request is not well-formed HTTP/1.1"},
        {408, "timeout", "the request did not come in time"},
        {413, "too_large", "the body is larger than this server takes"},
        {431, "too_large", "the headers are larger than this server takes"},
        {503, "unavailable", "the server holds as much as it may"},
        {501, "not_implemented", "this method or transfer coding is not known here"},
        {505, "not_implemented", "only HTTP/1.1 and HTTP/1.0 are spoken here"},
    };
    size_t i = 0;
    while (i < ARRAY_SIZE(problems) - 1 && problems[i].status != status)
        i++;
    int n = snprintf(out, size,
                     "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d,\"detail\":\"%s\","
                     "\"code\":\"%s\",\"errors\":[]}",
                     status_text(status), status, problems[i].detail, problems[i].code);
    assert(n > 0 && (size_t)n < size);
    return slice_make(out, (size_t)n);
}

/*
 * The client: libcurl's multi interface driven by libevent. curl tells which sockets and which time
 * it waits for (watch_socket, set_timer); the loop tells curl what happened; finished transfers are
 * collected from a deferred event, so that done() may send again.
 */
#include "http.h"

#include <curl/curl.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

#define ANSWER_LIMIT         (4u << 20)
#define WAITING_A_CONNECTION 16

struct transfer {
    LIST_ENTRY(transfer) link;
    struct http_client *client;
    struct http_client_request request;
    CURL *easy;
    struct curl_slist *headers;
    struct buf answer;
    char *url, *body;
    char error[CURL_ERROR_SIZE];
};

struct http_client {
    struct event_base *base;
    CURLM *multi;
    struct event *timer;
    LIST_HEAD(, transfer) transfers;
    unsigned n_open, limit;
};

static void transfer_destroy(struct transfer *t)
{
    if (t->easy) {
        curl_multi_remove_handle(t->client->multi, t->easy);
        curl_easy_cleanup(t->easy);
    }
    curl_slist_free_all(t->headers);
    buf_deinit(&t->answer);
    free(t->url);
    free(t->body);
    LIST_REMOVE(t, link);
    t->client->n_open--;
    free(t);
}

static void finish(struct transfer *t, CURLcode code)
{
    long status = 0;
    struct err err = {0};
    curl_off_t retry_after_s = 0;
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(t->easy, CURLINFO_RETRY_AFTER, &retry_after_s);
    t->request.retry_after_s = retry_after_s;
    if (code != CURLE_OK) {
        status = 0;
        if (t->answer.overflow)
            err_set(&err, ERR_TOO_LARGE, ERR_CLASS_PERMANENT, "the answer is over %u bytes",
                    ANSWER_LIMIT);
        else
            err_set(&err, ERR_UNAVAILABLE, ERR_CLASS_TRANSIENT, "%s",
                    t->error[0] ? t->error : curl_easy_strerror(code));
    }
    if (t->request.done)
        t->request.done(&t->request, (int)status,
                        status ? buf_slice(&t->answer) : (struct slice){0}, status ? NULL : &err);
    transfer_destroy(t);
}

static void collect(struct http_client *client)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(client->multi, &left))) {
        struct transfer *t = NULL;
        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&t);
        finish(t, message->data.result);
    }
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct http_client *client = arg;
    int running;
    curl_multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect(client);
}

static int set_timer(CURLM *multi, long wait_ms, void *arg)
{
    struct http_client *client = arg;
    struct timeval wait = {wait_ms / 1000, (wait_ms % 1000) * 1000};
    if (wait_ms < 0)
        event_del(client->timer);
    else
        event_add(client->timer, &wait);
    return 0;
}

static void on_socket(evutil_socket_t fd, short what, void *arg)
{
    struct http_client *client = arg;
    int running,
        action = (what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0);
    curl_multi_socket_action(client->multi, fd, action, &running);
    collect(client);
}

static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket)
{
    struct http_client *client = arg;
    struct event *event = socket;
    if (event)
        event_free(event);
    event = NULL;
    if (what != CURL_POLL_REMOVE) {
        short wanted = (short)((what & CURL_POLL_IN ? EV_READ : 0) |
                               (what & CURL_POLL_OUT ? EV_WRITE : 0) | EV_PERSIST);
        event = event_new(client->base, fd, wanted, on_socket, client);
        if (event)
            event_add(event, NULL);
    }
    curl_multi_assign(client->multi, fd, event);
    return 0;
}

int http_client_create(struct http_client **out, struct event_base *base, unsigned max_connections,
                       struct err *err)
{
    struct http_client *client = calloc(1, sizeof(*client));
    if (!client)
        return err_set(err, ERR_NO_MEMORY, ERR_CLASS_FATAL, "no memory for an HTTP client");
    client->base = base;
    client->limit = max_connections * WAITING_A_CONNECTION;
    LIST_INIT(&client->transfers);
    client->timer = event_new(base, -1, 0, on_timer, client);
    client->multi = curl_multi_init();
    if (!client->timer || !client->multi) {
        http_client_destroy(&client);
        return err_set(err, ERR_NO_MEMORY, ERR_CLASS_FATAL, "no memory for an HTTP client");
    }
    curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
    curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
    curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
    curl_multi_setopt(client->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)max_connections);
    curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, (long)max_connections);
    *out = client;
    return STATUS_OK;
}

static size_t on_answer(char *data, size_t size, size_t n, void *arg)
{
    struct transfer *t = arg;
    buf_append(&t->answer, data, size * n);
    return t->answer.overflow ? 0 : size * n;
}

static int set_headers(struct transfer *t, const char *const *headers)
{
    /* curl would wait a second for a 100 Continue that few servers send */
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");
    for (; list && headers && *headers; headers++) {
        struct curl_slist *longer = curl_slist_append(list, *headers);
        if (!longer)
            curl_slist_free_all(list);
        list = longer;
    }
    t->headers = list;
    return list ? STATUS_OK : ERR_NO_MEMORY;
}

static void set_method(CURL *easy, enum http_method method, struct slice body)
{
    static const struct {
        enum http_method method;
        const char *name;
    } names[] = {{HTTP_PUT, "PUT"},
                 {HTTP_DELETE, "DELETE"},
                 {HTTP_OPTIONS, "OPTIONS"},
                 {HTTP_PATCH, "PATCH"},
                 {HTTP_GET, "GET"}};
    if (method == HTTP_HEAD) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
        return;
    }
    if (body.size || method == HTTP_POST || method == HTTP_PUT || method == HTTP_PATCH) {
        curl_easy_setopt(easy, CURLOPT_POST, 1L);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.size);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body.size ? (const char *)body.data : "");
    }
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (names[i].method == method)
            curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, names[i].name);
    }
}

static int transfer_setup(struct transfer *t, const struct http_client_request *request)
{
    struct slice body = request->body;
    t->request = *request;
    t->answer.limit = ANSWER_LIMIT;
    t->url = strdup(request->url);
    t->body = malloc(body.size + 1);
    t->easy = curl_easy_init();
    if (!t->url || !t->body || !t->easy || set_headers(t, request->headers) < 0)
        return ERR_NO_MEMORY;
    if (body.size)
        memcpy(t->body, body.data, body.size);
    t->request.url = t->url;
    t->request.headers = NULL;
    t->request.body = slice_make(t->body, body.size);
    set_method(t->easy, request->method, t->request.body);
    curl_easy_setopt(t->easy, CURLOPT_URL, t->url);
    curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers);
    curl_easy_setopt(t->easy, CURLOPT_PRIVATE, t);
    curl_easy_setopt(t->easy, CURLOPT_ERRORBUFFER, t->error);
    curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, on_answer);
    curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(t->easy, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
    curl_easy_setopt(t->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(t->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(t->easy, CURLOPT_PROXY,
                     ""); /* the environment's proxies are not meant for us */
    return STATUS_OK;
}

int http_client_send(struct http_client *client, const struct http_client_request *request,
                     struct err *err)
{
    if (client->n_open >= client->limit)
        return err_set(err, ERR_FULL, ERR_CLASS_TRANSIENT, "%u HTTP requests are under way",
                       client->n_open);
    struct transfer *t = calloc(1, sizeof(*t));
    if (!t)
        return err_set(err, ERR_NO_MEMORY, ERR_CLASS_TRANSIENT, "no memory for an HTTP request");
    t->client = client;
    LIST_INSERT_HEAD(&client->transfers, t, link);
    client->n_open++;
    int status = transfer_setup(t, request);
    CURLMcode code =
        status < 0 ? CURLM_OUT_OF_MEMORY : curl_multi_add_handle(client->multi, t->easy);
    if (code != CURLM_OK) {
        transfer_destroy(t);
        return err_set(err, ERR_INVALID, ERR_CLASS_PERMANENT, "cannot send: %s",
                       curl_multi_strerror(code));
    }
    return STATUS_OK;
}

unsigned http_client_open(const struct http_client *client)
{
    return client->n_open;
}

void http_client_destroy(struct http_client **out)
{
    struct http_client *client = *out;
    if (!client)
        return;
    *out = NULL;
    struct transfer *t, *next;
    for (t = LIST_FIRST(&client->transfers); t; t = next) {
        next = LIST_NEXT(t, link);
        transfer_destroy(t);
    }
    if (client->multi)
        curl_multi_cleanup(client->multi);
    if (client->timer)
        event_free(client->timer);
    free(client);
}

/*
 * One connection in pipeline mode, and the requests on it.
 *
 *   DOWN --timer--> CONNECTING --PQconnectPoll--> SETUP --settings made--> READY
 *    ^                                                                       |
 *    +------------------------- link_fail, back-off -------------------------+
 *
 * Requests leave the queue from its front only, once settled: by the result of their sync, or by an error. What settles
 * outside the arrival of results is done() by the wake timer, in the next turn of the loop.
 */
#include "pg.h"
#include <stdlib.h>

#define BACKOFF_MIN_US     (100 * INT64_C(1000))
#define BACKOFF_MAX_US     (5 * SECOND_US)
#define CONNECT_TIMEOUT_US (10 * SECOND_US)
#define QUEUE_LIMIT                                                                                \
    4096 /* far above what batches in flight need: a backstop, answered with ERR_FULL */
#define EMPTY_RESULTS 8 /* between two statements libpq returns one or two */

static void timer_set(struct event *timer, int64_t us)
{
    struct timeval after = {.tv_sec = us / SECOND_US, .tv_usec = us % SECOND_US};
    (void)event_add(timer, &after);
}

/* ---- the queue ---- */

void store_pg_link_settle(struct pg_link *link, struct pg_request *request, const struct err *err)
{
    request->settled = true;
    request->err = *err;
    timer_set(link->wake, 0);
}

/* done() for what has settled at the front; only for what is there now, or a caller that tries again would spin. */
static void link_settle(struct pg_link *link)
{
    for (unsigned n = link->n; n > 0 && link->first && link->first->settled; n--) {
        struct pg_request *request = link->first;
        link->first = request->next;
        link->n--;
        if (!link->first)
            link->last = &link->first;
        if (request->kind != PG_REQUEST_PREPARE)
            link->ops->done(request);
        free(request);
    }
    if (link->first && link->first->settled)
        timer_set(link->wake, 0);
}

static void on_wake(evutil_socket_t fd, short what, void *user)
{
    link_settle(user);
}

struct pg_request *store_pg_link_submit(struct pg_link *link, struct pg_request request)
{
    struct pg_request *copy = malloc(sizeof(*copy));
    if (!copy)
        abort();
    *copy = request;
    *link->last = copy;
    link->last = &copy->next;
    link->n++;
    struct err err;
    if (link->n > QUEUE_LIMIT)
        err_set(&err, ERR_FULL, ERR_CLASS_TRANSIENT, "store: too many requests");
    else if (link->state != LINK_READY)
        err_set(&err, ERR_UNAVAILABLE, ERR_CLASS_TRANSIENT, "store: not connected: %s",
                link->fault);
    else
        return copy;
    store_pg_link_settle(link, copy, &err);
    return NULL;
}

/* ---- breaking ---- */

static void unwatch(struct pg_link *link)
{
    if (link->readable)
        event_free(link->readable);
    if (link->writable)
        event_free(link->writable);
    link->readable = link->writable = NULL;
}

void store_pg_link_fail(struct pg_link *link, const char *why, bool at_once)
{
    struct err err;
    store_pg_text(link->fault, sizeof(link->fault), why);
    unwatch(link);
    PQfinish(link->conn);
    link->conn = NULL;
    link->state = LINK_DOWN;
    link->ops->lost(link);
    err_set(&err, ERR_UNAVAILABLE, ERR_CLASS_TRANSIENT,
            "store: connection lost, outcome unknown: %s", link->fault);
    for (struct pg_request *request = link->first; request; request = request->next) {
        if (!request->settled) /* an error that came before tells more */
            store_pg_link_settle(link, request, request->err.code ? &request->err : &err);
    }
    timer_set(link->timer, at_once ? 0 : link->backoff_us);
    if (!at_once)
        link->backoff_us = min_i64(link->backoff_us * 2, BACKOFF_MAX_US);
}

static void link_lost(struct pg_link *link)
{
    char why[sizeof(link->fault)];
    store_pg_text(why, sizeof(why), PQerrorMessage(link->conn));
    store_pg_link_fail(link, why, false);
}

/* ---- talking ---- */

void store_pg_link_flush(struct pg_link *link)
{
    if (!link->conn)
        return;
    int rc = PQflush(link->conn);
    if (rc < 0)
        link_lost(link);
    else if (rc > 0)
        (void)event_add(link->writable, NULL);
}

static void on_writable(evutil_socket_t fd, short what, void *user)
{
    store_pg_link_flush(user);
}

static struct pg_request *link_unsettled(struct pg_link *link)
{
    struct pg_request *request = link->first;
    while (request && request->settled)
        request = request->next;
    return request;
}

/* Everything that has arrived. done() may break the connection. */
static void link_results(struct pg_link *link)
{
    int empty = 0;
    struct pg_request *request;
    while (link->conn && !PQisBusy(link->conn) && (request = link_unsettled(link)) &&
           empty < EMPTY_RESULTS) {
        PGresult *result = PQgetResult(link->conn);
        if (!result) {
            empty++;
            continue;
        }
        empty = 0;
        if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
            request->settled = true;
            link_settle(link);
        } else {
            link->ops->result(link, request, result);
            request->statement_index++;
        }
        PQclear(result);
    }
}

static void link_setup_results(struct pg_link *link)
{
    while (!PQisBusy(link->conn)) {
        PGresult *result = PQgetResult(link->conn);
        if (!result) {
            if (PQenterPipelineMode(link->conn) != 1) {
                link_lost(link);
                return;
            }
            link->state = LINK_READY;
            link->backoff_us = BACKOFF_MIN_US;
            event_del(link->timer);
            return;
        }
        bool failed = PQresultStatus(result) != PGRES_COMMAND_OK;
        PQclear(result);
        if (failed) {
            link_lost(link);
            return;
        }
    }
}

static void on_readable(evutil_socket_t fd, short what, void *user)
{
    struct pg_link *link = user;
    int alive = PQconsumeInput(link->conn);
    if (link->state == LINK_SETUP)
        link_setup_results(link);
    else
        link_results(link); /* also what arrived before the end */
    if (link->conn && (!alive || PQstatus(link->conn) == CONNECTION_BAD))
        link_lost(link);
}

/* ---- connecting ---- */

static void link_connected(struct pg_link *link)
{
    int fd = PQsocket(link->conn);
    unwatch(link);
    link->readable = event_new(link->base, fd, EV_READ | EV_PERSIST, on_readable, link);
    link->writable = event_new(link->base, fd, EV_WRITE, on_writable, link);
    link->state = LINK_SETUP;
    if (!link->readable || !link->writable || event_add(link->readable, NULL) < 0 ||
        PQsetnonblocking(link->conn, 1) < 0 || PQsendQuery(link->conn, link->setup) != 1) {
        link_lost(link);
        return;
    }
    store_pg_link_flush(link);
}

/* The socket may be another one after each step: several addresses are tried. */
static void on_connecting(evutil_socket_t fd, short what, void *user)
{
    struct pg_link *link = user;
    PostgresPollingStatusType step = what ? PQconnectPoll(link->conn) : PGRES_POLLING_WRITING;
    unwatch(link);
    if (step == PGRES_POLLING_OK) {
        link_connected(link);
        return;
    }
    if (step == PGRES_POLLING_FAILED) {
        link_lost(link);
        return;
    }
    short wanted = step == PGRES_POLLING_READING ? EV_READ : EV_WRITE;
    link->readable = event_new(link->base, PQsocket(link->conn), wanted, on_connecting, link);
    if (!link->readable || event_add(link->readable, NULL) < 0)
        link_lost(link);
}

/* libpq would print what the server remarks. */
void store_pg_silence(void *user, const PGresult *result) {}

static void link_connect(struct pg_link *link)
{
    /* a peer that vanished is noticed after some 10 s, whether we wait for it or it should read */
    const char *const names[] = {"dbname",
                                 "application_name",
                                 "client_encoding",
                                 "keepalives_idle",
                                 "keepalives_interval",
                                 "keepalives_count",
                                 "tcp_user_timeout",
                                 NULL};
    const char *const values[] = {link->url, link->application_name, "UTF8", "5", "2", "3", "10000",
                                  NULL};
    link->conn = PQconnectStartParams(names, values, 1);
    if (!link->conn || PQstatus(link->conn) == CONNECTION_BAD) {
        link_lost(link);
        return;
    }
    PQsetNoticeReceiver(link->conn, store_pg_silence, NULL);
    link->state = LINK_CONNECTING;
    timer_set(link->timer, CONNECT_TIMEOUT_US);
    on_connecting(-1, 0, link);
}

static void on_timer(evutil_socket_t fd, short what, void *user)
{
    struct pg_link *link = user;
    if (link->state == LINK_DOWN)
        link_connect(link);
    else
        store_pg_link_fail(link, "connecting took too long", false);
}

int store_pg_link_init(struct pg_link *link, struct err *err)
{
    link->last = &link->first;
    link->backoff_us = BACKOFF_MIN_US;
    store_pg_text(link->fault, sizeof(link->fault), "connecting");
    link->timer = evtimer_new(link->base, on_timer, link);
    link->wake = evtimer_new(link->base, on_wake, link);
    if (!link->timer || !link->wake)
        return err_set(err, ERR_NO_MEMORY, ERR_CLASS_FATAL, "store: no memory");
    timer_set(link->timer, 0);
    return 0;
}

void store_pg_link_deinit(struct pg_link *link)
{
    unwatch(link);
    if (link->timer)
        event_free(link->timer);
    if (link->wake)
        event_free(link->wake);
    PQfinish(link->conn);
    free(link->setup);
    for (struct pg_request *request = link->first, *next; request; request = next) {
        next = request->next;
        free(request);
    }
}

#pragma once
/*
 * One request under way, from its arrival to its answer; lives in the request's arena. What comes back later (a key, a
 * delivery report, a reply, a deadline) finds it by its handle, or nothing any more.
 */
#include "gateway.h"

struct events_rejected { /* of an import */
    unsigned index;
    struct gw_fault fault;
};

struct exchange {
    struct gateway *gateway;
    struct http_request *request;
    struct arena *arena;
    const struct route *route;
    uint64_t handle; /* 0: not counted among the open ones */
    int64_t started_us;
    struct slice parameters[2]; /* of the path, decoded */
    struct slice bytes;         /* the body, gunzipped */
    const struct json_node *body;
    char trace[GW_TRACEPARENT_SIZE];
    uint8_t key_hash[32]; /* sha256 of the key's text */
    struct gw_key key;
    const struct gw_rate *rate; /* of the key; NULL: it has none, or is not known yet */
    double rate_left;
    int retry_after_s;         /* of a refusal; 0: the problem's own */
    struct gw_cut *cut;        /* of event routes: the events of the body */
    struct event_batch *batch; /* and on their way to the log */
    /* what was sent */
    unsigned undelivered;
    bool sent_all;
    struct slice subject; /* of a command */
    struct gw_gather gather;
    const char **message_ids; /* of events */
    unsigned n_message_ids;
    struct events_rejected *rejected;
    unsigned n_rejected;
    struct event *timer;
    struct ask *ask; /* ask.h: held while something else is waited for */
    void (*delivered)(struct exchange *exchange); /* all of it is in the log */
    void (*timeout)(struct exchange *exchange);
};

/* NULL: too many are open; it has been answered. */
struct exchange *exchange_open(struct gateway *gateway, struct http_request *request,
                               const struct route *route);
/* Calls timeout() so many microseconds from now; again: moves it. */
void exchange_arm(struct exchange *exchange, int64_t in_us);
void exchange_disarm(struct exchange *exchange);
/* Ends the exchange; nothing of it may be used any more. */
void exchange_answer(struct exchange *exchange, int status, struct slice json);
/* content_type NULL: no body. */
void exchange_answer_as(struct exchange *exchange, int status, const char *content_type,
                        struct slice body);
void exchange_problem(struct exchange *exchange, enum gw_problem problem, const char *detail,
                      const struct gw_faults *faults);
/* A report about one of its messages. */
void exchange_report(struct gateway *gateway, uint64_t handle, bool delivered);
/* The producer was reset: no report will come for what is under way. */
void exchange_fail_undelivered(struct gateway *gateway);

/* For requests without an exchange. */
void answer_plain(struct http_request *request, int status, const char *content_type,
                  struct slice body);
void answer_problem(struct http_request *request, enum gw_problem problem, const char *detail,
                    const struct gw_faults *faults);
void answer_cors(struct http_request *request);

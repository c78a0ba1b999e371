#pragma once
/*
 * bus: Kafka as a small operation struct, with an in-memory twin that passes the same conformance suite.
 *
 * One bus per process, used by one thread. It holds up to three clients: a group member (who owns which partition
 * number), a reader (partitions started and stopped one by one, offsets kept by the caller) and a producer (idempotent,
 * acks=all, order kept per partition, never gives up by time in the runtime). Nothing blocks but what says so.
 *
 *      join ──► BUS_ASSIGNMENT {partition numbers}          (the whole set each time; the caller takes the difference)
 *      start(topic, partition, offset, lane) ──► BUS_RECORD ... polled lane by lane, so that commands pass events
 *      send ──► BUS_DELIVERED | BUS_PRODUCER_FAILED         (a report for each message, in any order)
 *
 * Back-pressure: what is not polled stays in the client's bounded queues, and then in the log. send answers ERR_FULL.
 */
#include "base.h"
#include "topics.h"

#define BUS_OFFSET_BEGIN     INT64_C(-2) /* the explicit beginning of the log */
#define BUS_MAX_HEADERS      16
#define BUS_MAX_RECORD_BYTES 900000 /* key, value and headers */

/* Lanes are polled in this order; control comes before any of them. */
enum bus_lane {
    BUS_LANE_COMMANDS,
    BUS_LANE_EVENTS,
    BUS_LANE_IMPORTS,
    BUS_LANE_MIRRORS,
    BUS_LANE_COUNT
};

struct bus_header {
    const char *name; /* on sending NUL-terminated; on reading too */
    struct slice value;
};

struct bus_record {
    int topic; /* enum topic, or with TOPIC_DLQ */
    int32_t partition;
    int64_t offset;
    int64_t time_us; /* CreateTime or LogAppendTime of the broker's record */
    struct slice key, value;
    struct bus_header headers[BUS_MAX_HEADERS];
    unsigned n_headers;
    void *handle; /* the bus's */
};

struct bus_message {
    int topic;
    int32_t partition;
    /* Copied by send. data NULL is no key, and no value: a tombstone; size 0 with data is empty. */
    struct slice key, value;
    const struct bus_header *headers; /* at most BUS_MAX_HEADERS */
    unsigned n_headers;
    uint64_t cookie; /* comes back in the report; not 0 */
};

enum bus_event_type {
    BUS_RECORD,
    /* partitions, n_partitions: all that this member now has (none: lost, or leaving). While a
     * rebalance runs the last one stands. */
    BUS_ASSIGNMENT,
    BUS_DELIVERED, /* cookie */
    /* cookie of one that failed for good, err; or cookie 0: fatal. Call producer_reset. */
    BUS_PRODUCER_FAILED,
    /* topic, partition, offset: the log no longer (or not yet) has this offset; reading stopped.
     * It is found by polling the partition's lane, after the records before it. */
    BUS_OFFSET_GONE,
    BUS_ERROR, /* err: all brokers down, authentication...: for the log; nothing stopped. One a second */
};

struct bus_event {
    enum bus_event_type type;
    int topic;
    int32_t partition;
    int64_t offset;
    uint64_t cookie;
    struct err err;
    struct bus_record record;
    int32_t *partitions; /* owned by the event */
    unsigned n_partitions;
};

/* A part of a partition: [next, end). */
struct bus_span {
    int topic;
    int32_t partition;
    int64_t next, end;
    bool open; /* bus_scan's own */
};

struct bus;

struct bus_ops {
    /* Membership: one group, subscribed to one topic; several topics' partition i go with it.
     * join when already a member: ERR_CONFLICT. */
    int (*join)(struct bus *bus, const char *group, int topic, struct err *err);
    /* So that others take over at once: blocks for some 10 ms, 5 s when the broker hangs. An empty
     * BUS_ASSIGNMENT follows, or may. */
    void (*leave)(struct bus *bus);

    /* Reading. start on a partition that is being read: ERR_CONFLICT. offset: a number or
     * BUS_OFFSET_BEGIN. */
    int (*start)(struct bus *bus, int topic, int32_t partition, int64_t offset, enum bus_lane lane,
                 struct err *err);
    /* No record and no BUS_OFFSET_GONE of it comes after this returns; unknown: nothing. */
    void (*stop)(struct bus *bus, int topic, int32_t partition);
    /* Blocks up to timeout: fills each with [begin, end) of its partition as the broker has it now.
     * For starting up, take-overs, and who may wait. ERR_UNAVAILABLE when not all was told in time. */
    int (*ranges)(struct bus *bus, struct bus_span *spans, unsigned n, int timeout_ms,
                  struct err *err);

    /* Sending. Copies. ERR_FULL: the queue is full (a message leaves it when its report is polled),
     * poll control and try later; others are permanent or fatal. */
    int (*send)(struct bus *bus, const struct bus_message *message, struct err *err);
    /* Purge, destroy, make anew; no report of before comes after this returns, though the broker
     * may yet write what was under way. Blocks for some 10 ms, 0.3 s when no broker answers. */
    void (*producer_reset)(struct bus *bus);
    size_t (*unreported)(struct bus *bus); /* messages sent whose report has not been polled */
    size_t (*unreported_bytes)(struct bus *bus); /* of their keys and values */

    /* Polling, never blocking. Each returns 1 and fills event, or 0. A BUS_RECORD or BUS_ASSIGNMENT
     * is released by bus_event_release, before the bus is destroyed; a record outlives its stop. */
    int (*poll_control)(struct bus *bus, struct bus_event *event); /* all but records */
    int (*poll_lane)(struct bus *bus, enum bus_lane lane, struct bus_event *event);
    void (*release)(struct bus *bus, struct bus_event *event);

    /* Becomes readable when something enters an empty queue; -1: ask after each step. Drain it
     * first, then poll: what is left unpolled (a spent budget, a paused lane) is not announced
     * again. poll_control at least once a second: librdkafka wants a member to be seen alive, and
     * errors are held back. */
    int (*fd)(struct bus *bus);
    void (*drain_fd)(struct bus *bus);
    int32_t (*partitions)(struct bus *bus); /* the installation's count */
    void (*destroy)(struct bus *bus);       /* leaves the group */
};

struct bus {
    const struct bus_ops *ops;
};

static inline int bus_join(struct bus *b, const char *group, int topic, struct err *err)
{
    return b->ops->join(b, group, topic, err);
}
static inline void bus_leave(struct bus *b)
{
    b->ops->leave(b);
}
static inline int bus_start(struct bus *b, int topic, int32_t partition, int64_t offset,
                            enum bus_lane lane, struct err *err)
{
    return b->ops->start(b, topic, partition, offset, lane, err);
}
static inline void bus_stop(struct bus *b, int topic, int32_t partition)
{
    b->ops->stop(b, topic, partition);
}
static inline int bus_ranges(struct bus *b, struct bus_span *spans, unsigned n, int timeout_ms,
                             struct err *err)
{
    return b->ops->ranges(b, spans, n, timeout_ms, err);
}
static inline int bus_range(struct bus *b, int topic, int32_t partition, int64_t *begin,
                            int64_t *end, int timeout_ms, struct err *err)
{
    struct bus_span span = {.topic = topic, .partition = partition};
    int r = b->ops->ranges(b, &span, 1, timeout_ms, err);
    if (r < 0)
        return r;
    *begin = span.next;
    *end = span.end;
    return r;
}
static inline int bus_send(struct bus *b, const struct bus_message *m, struct err *err)
{
    return b->ops->send(b, m, err);
}
static inline void bus_producer_reset(struct bus *b)
{
    b->ops->producer_reset(b);
}
static inline size_t bus_unreported(struct bus *b)
{
    return b->ops->unreported(b);
}
static inline size_t bus_unreported_bytes(struct bus *b)
{
    return b->ops->unreported_bytes(b);
}
static inline int bus_poll_control(struct bus *b, struct bus_event *e)
{
    return b->ops->poll_control(b, e);
}
static inline int bus_poll_lane(struct bus *b, enum bus_lane lane, struct bus_event *e)
{
    return b->ops->poll_lane(b, lane, e);
}
static inline void bus_event_release(struct bus *b, struct bus_event *e)
{
    b->ops->release(b, e);
}
static inline int bus_fd(struct bus *b)
{
    return b->ops->fd(b);
}
static inline void bus_drain_fd(struct bus *b)
{
    b->ops->drain_fd(b);
}
static inline int32_t bus_partitions(struct bus *b)
{
    return b->ops->partitions(b);
}
static inline void bus_destroy(struct bus **b)
{
    if (*b)
        (*b)->ops->destroy(*b);
    *b = NULL;
}

const struct bus_header *bus_record_header(const struct bus_record *record,
                                           const char *name); /* NULL: none */

/*
 * For tools, and threads with a bus of their own: reads each span to its end as given, each partition in its own order, on the
 * lane of events, which must be free. Blocks up to the time-out. record() says false to stop. 1: all was read; 0: stopped, or
 * the time was over: `next` says where each span stands.
 */
int bus_scan(struct bus *bus, struct bus_span *spans, unsigned n, int timeout_ms,
             bool (*record)(void *user, const struct bus_record *record), void *user,
             struct err *err) MUST_CHECK;

/* Dead letters are counted where they are made, under one name. */
#define BUS_DEAD_LETTERS_METRIC "journey_dead_letters_total"
#define BUS_DEAD_LETTERS_HELP   "messages put aside as dead letters"
#define BUS_DEAD_LETTERS_OTHER  "topic=\"other\",reason=\"other\""
#define BUS_LABELS_SIZE         160
/* topic="journey.events.v1",reason="<code>": of a topic with or without TOPIC_DLQ. */
void bus_dead_letter_labels(char out[BUS_LABELS_SIZE], int topic, const char *code);

/* ---- Kafka (librdkafka) ---- */

struct bus_kafka_options {
    const char *brokers;
    const char *client_id;
    const char *prefix; /* before every topic and group name; "" in production, a test's own */
    int32_t partitions;
    int delivery_timeout_ms; /* 0: never gives up (the runtime); the gateway a short one */
    int linger_ms;           /* 0 in the runtime */
    size_t send_queue_messages, send_queue_bytes; /* 0: 100,000 and 32 MiB */
    /* Topics to warm at start (it waits 0.3 s at most): the first message to a cold one takes a second. */
    const int *send_topics;
    unsigned n_send_topics;
};
int bus_kafka_create(struct bus **bus, const struct bus_kafka_options *options,
                     struct err *err) MUST_CHECK;
/*
 * Creates what is missing from the topic table, dead-letter topics too, and waits until the brokers
 * know it; compares partitions and settings of what is there. A line in `report` (may be NULL) for
 * each topic created and each difference; returns the number of differences. Nothing existing is
 * changed. replication 0: the broker's default. Blocks, up to 30 s a step.
 */
int bus_kafka_create_topics(const char *brokers, const char *prefix, int32_t partitions,
                            int replication, struct buf *report, struct err *err) MUST_CHECK;

/* ---- the twin ---- */

/*
 * A cluster is shared by the buses of one process; single-threaded, and destroyed after them. Delivered in order of
 * sending, reports when polled. A bus that is destroyed is an instance that crashed: it leaves its group.
 */
struct bus_mem_cluster;
struct bus_mem_cluster *bus_mem_cluster_create(int32_t partitions);
void bus_mem_cluster_destroy(struct bus_mem_cluster **cluster);
struct bus *bus_mem_create(struct bus_mem_cluster *cluster);
/* For tests: what a partition holds. */
int64_t bus_mem_end(const struct bus_mem_cluster *cluster, int topic, int32_t partition);
const struct bus_record *bus_mem_record(const struct bus_mem_cluster *cluster, int topic,
                                        int32_t partition, int64_t offset);
void bus_mem_truncate(struct bus_mem_cluster *cluster, int topic, int32_t partition,
                      int64_t begin); /* retention */
void bus_mem_fail_next(struct bus_mem_cluster *cluster,
                       struct bus *bus); /* the next send of bus fails for good */
/* Time of the records; without it 0, so that a run replays. */
void bus_mem_set_clock(struct bus_mem_cluster *cluster, struct clock *clock);
void bus_mem_set_send_queue(struct bus *bus,
                            size_t messages); /* unreported ones until ERR_FULL; 100,000 */
/*
 * Late deliveries: while held, what a bus sends waits in it, and is in the log (with its report) only when delivered, in
 * order. What a reset or destroy finds waiting is lost, as with a real producer.
 */
void bus_mem_hold(struct bus *bus, bool hold); /* false: delivers what waits */
size_t bus_mem_deliver(struct bus *bus,
                       size_t messages); /* the next so many; how many there were */

/*
 * The producer. Reports come as events of its main queue, a batch at a time; each is handed out singly. After a reset
 * the old client with its queue is gone, so nothing of before can be reported.
 */
#include "kafka.h"

#include <stdio.h>

#define WARM_TIMEOUT_MS 250

static int set_limits(rd_kafka_conf_t *conf, const struct kafka_bus *bus, struct err *err)
{
    const struct {
        const char *name;
        long long value;
    } limits[] = {
        {"message.timeout.ms", bus->delivery_timeout_ms},
        {"linger.ms", bus->linger_ms},
        {"queue.buffering.max.messages", (long long)bus->send_queue_messages},
        {"queue.buffering.max.kbytes", (long long)(bus->send_queue_bytes + 1023) / 1024},
    };
    for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
        char value[32], text[200];
        (void)snprintf(value, sizeof(value), "%lld", limits[i].value);
        if (rd_kafka_conf_set(conf, limits[i].name, value, text, sizeof(text)) != RD_KAFKA_CONF_OK)
            return err_set(err, ERR_INVALID, ERR_CLASS_PERMANENT, "%s", text);
    }
    return 0;
}

static rd_kafka_topic_t *producer_topic(struct kafka_bus *bus, int topic)
{
    rd_kafka_topic_t **rkt = &bus->producer.topics[topic_slot(topic)];
    char name[KAFKA_NAME_SIZE];
    if (!*rkt)
        *rkt = rd_kafka_topic_new(bus->producer.rk,
                                  bus_kafka_name(name, bus->prefix, topic_name(topic)), NULL);
    return *rkt;
}

/* The first message to a topic that the client has no metadata of waits a second. When no broker answers in time it
 * will wait then. */
static void warm(struct kafka_bus *bus)
{
    bool any = false;
    for (int slot = 0; slot < TOPIC_SLOTS; slot++)
        if (bus->send_topics[slot])
            any = producer_topic(bus, topic_of_slot(slot)) != NULL;
    const struct rd_kafka_metadata *metadata;
    if (any && !rd_kafka_metadata(bus->producer.rk, 0, NULL, &metadata, WARM_TIMEOUT_MS))
        rd_kafka_metadata_destroy(metadata);
}

int bus_kafka_producer_create(struct kafka_bus *bus, struct err *err)
{
    static const struct kafka_setting PRODUCER[] = {
        {"enable.idempotence", "true"},
        {"acks", "all"},
        {"max.in.flight", "5"},
        {"compression.codec", "lz4"},
        {"message.max.bytes", "1048576"},
        /* How long a broker waits for its replicas; below the socket's, so that it is the broker who says so. */
        {"request.timeout.ms", "5000"},
    };
    rd_kafka_conf_t *conf =
        bus_kafka_conf_create(bus->brokers, bus->client_id, PRODUCER, ARRAY_SIZE(PRODUCER), err);
    if (!conf)
        return ERR_INVALID;
    int r = set_limits(conf, bus, err);
    if (r < 0) {
        rd_kafka_conf_destroy(conf);
        return r;
    }
    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR);
    bus->producer.rk = bus_kafka_client_create(RD_KAFKA_PRODUCER, conf, err);
    if (!bus->producer.rk)
        return ERR_INVALID;
    bus->producer.queue = rd_kafka_queue_get_main(bus->producer.rk);
    bus_kafka_watch(bus, bus->producer.queue);
    warm(bus);
    return 0;
}

static rd_kafka_headers_t *copy_headers(const struct bus_message *message)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(message->n_headers);
    for (unsigned i = 0; i < message->n_headers; i++) {
        const struct bus_header *h = &message->headers[i];
        /* fails only for names that cannot be, and those were checked */
        (void)rd_kafka_header_add(headers, h->name, -1, h->value.data, (ssize_t)h->value.size);
    }
    return headers;
}

/* librdkafka's argument for what it copies. */
static void *unconst(const void *p)
{
    return (void *)(uintptr_t)p;
}

int bus_kafka_producer_send(struct bus *bus, const struct bus_message *message, struct err *err)
{
    struct kafka_bus *b = kafka_bus(bus);
    int r = bus_message_check(message, b->partitions, err);
    if (r == 0 && !b->producer.rk)
        r = bus_kafka_producer_create(b, err);
    if (r < 0)
        return r;
    rd_kafka_topic_t *rkt = producer_topic(b, message->topic);
    if (!rkt)
        return bus_kafka_err_set(err, rd_kafka_last_error(), topic_name(message->topic), NULL);
    rd_kafka_headers_t *headers = message->n_headers ? copy_headers(message) : NULL;
    _Static_assert(sizeof(void *) == sizeof(message->cookie), "a cookie travels as an opaque");
    rd_kafka_vu_t arguments[] = {
        {.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = rkt},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = message->partition},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = unconst((void *)(uintptr_t)message->cookie)},
        {.vtype = RD_KAFKA_VTYPE_KEY,
         .u.mem = {unconst(message->key.data), message->key.data ? message->key.size : 0}},
        {.vtype = RD_KAFKA_VTYPE_VALUE,
         .u.mem = {unconst(message->value.data), message->value.data ? message->value.size : 0}},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
    };
    rd_kafka_error_t *error =
        rd_kafka_produceva(b->producer.rk, arguments, ARRAY_SIZE(arguments) - (headers ? 0 : 1));
    if (!error) {
        b->producer.unreported++;
        b->producer.unreported_bytes += message->key.size + message->value.size;
        return 0;
    }
    r = bus_kafka_err_set(err, rd_kafka_error_code(error), topic_name(message->topic), NULL);
    rd_kafka_error_destroy(error);
    if (headers)
        rd_kafka_headers_destroy(headers);
    return r;
}

size_t bus_kafka_producer_unreported(struct bus *bus)
{
    return kafka_bus(bus)->producer.unreported;
}

size_t bus_kafka_producer_unreported_bytes(struct bus *bus)
{
    return kafka_bus(bus)->producer.unreported_bytes;
}

/* The batch is given back with its last report, not a poll later: only then does it leave the send queue's count. */
static void take_report(struct kafka_bus *bus, struct bus_event *event)
{
    struct kafka_producer *producer = &bus->producer;
    const rd_kafka_message_t *message = rd_kafka_event_message_next(producer->reports);
    event->cookie = (uint64_t)(uintptr_t)message->_private;
    event->type = message->err ? BUS_PRODUCER_FAILED : BUS_DELIVERED;
    if (message->err)
        bus_kafka_err_set(&event->err, message->err, "delivery", rd_kafka_err2str(message->err));
    producer->unreported--;
    producer->unreported_bytes -= message->key_len + message->len;
    if (--producer->n_reports == 0) {
        rd_kafka_event_destroy(producer->reports);
        producer->reports = NULL;
    }
}

/* Whether it became an event for the caller. */
static bool take_error(struct kafka_bus *bus, rd_kafka_event_t *error, struct bus_event *event)
{
    if (!rd_kafka_event_error_is_fatal(error)) {
        bus_kafka_note_error(bus, rd_kafka_event_error(error), "producer",
                             rd_kafka_event_error_string(error));
        return false;
    }
    event->type = BUS_PRODUCER_FAILED;
    event->cookie = 0;
    bus_kafka_err_set(&event->err, RD_KAFKA_RESP_ERR__FATAL, "producer",
                      rd_kafka_event_error_string(error));
    return true;
}

bool bus_kafka_producer_poll(struct kafka_bus *bus, struct bus_event *event)
{
    struct kafka_producer *producer = &bus->producer;
    while (producer->rk && !producer->reports) {
        rd_kafka_event_t *next = rd_kafka_queue_poll(producer->queue, 0);
        if (!next)
            return false;
        producer->n_reports = 0;
        if (rd_kafka_event_type(next) == RD_KAFKA_EVENT_DR)
            producer->n_reports = rd_kafka_event_message_count(next);
        if (producer->n_reports > 0) {
            producer->reports = next;
            break;
        }
        bool told =
            rd_kafka_event_type(next) == RD_KAFKA_EVENT_ERROR && take_error(bus, next, event);
        rd_kafka_event_destroy(next);
        if (told)
            return true;
    }
    if (!producer->reports)
        return false;
    take_report(bus, event);
    return true;
}

void bus_kafka_producer_destroy(struct kafka_bus *bus)
{
    struct kafka_producer *producer = &bus->producer;
    if (!producer->rk)
        return;
    if (producer->reports)
        rd_kafka_event_destroy(producer->reports);
    rd_kafka_queue_io_event_enable(producer->queue, -1, NULL, 0);
    rd_kafka_purge(producer->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
                                     RD_KAFKA_PURGE_F_NON_BLOCKING);
    for (int slot = 0; slot < TOPIC_SLOTS; slot++)
        if (producer->topics[slot])
            rd_kafka_topic_destroy(producer->topics[slot]);
    rd_kafka_queue_destroy(producer->queue);
    rd_kafka_destroy(producer->rk);
    *producer = (struct kafka_producer){0};
}

/* Made anew at once, so that its topics are warm when the first message comes. A client that cannot be made (threads,
 * memory) is tried again by the next send, which says so. */
void bus_kafka_producer_reset(struct bus *bus)
{
    struct err err;
    bus_kafka_producer_destroy(kafka_bus(bus));
    (void)!bus_kafka_producer_create(kafka_bus(bus), &err);
}
